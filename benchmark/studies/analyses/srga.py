"""SRGA of networks under noises: measured beside its floor, as a table, a page and Figure 14."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import pandas as pd

from benchmark.analysis.srga import (
    COMPONENTS,
    GeneralizedGaussian,
    fitted,
    gram_of_file,
    of_some,
    srga,
)
from benchmark.cells import Cell
from benchmark.reporting.tables import Table
from benchmark.studies.analyses.figures.bars import Bars, bars_and_sizes
from benchmark.studies.analyses.look import PLAIN, Look
from benchmark.studies.analyses.pages import save_by_dataset, write_analysis
from benchmark.studies.analyses.setup import LEAST, Setup, name_of

VERSION = 1  # of what is measured; another measures everything again
CROPS, SIDE = 800, 128  # of the paper: 800 patches, of this size where outputs are no larger
COMPARES = True  # noises, beside that of training
UNUSED = ("hidden",)
PARTS = (8, 4, 2, 1)  # of the patches which it is measured with, to see how much their number does
CAPTION = (
    "SRGA of networks under noises, lower is better: how far the deepest features are from those "
    "under the noise of training. A line across a bar is the floor of that network, SRGA of the "
    "noise of training against itself: the full one with other noise on the same patches, the "
    "dashed one between two halves of the patches. Below, SRGA against the number of patches."
)


@dataclass(frozen=True, eq=False)
class Distance:
    """SRGA of a network under a noise.

    Parameters
    ----------
    by_patches
        By number of patches; the last is that of all.
    again
        SRGA of the reference with other noise on the same patches: 0 would be no difference.
    halves
        SRGA between two halves of the reference's patches.
    fit
        The generalized Gaussian of all patches.
    seconds
        That the features took.
    """

    cell: Cell
    by_patches: Mapping[int, float]
    again: float
    halves: float
    fit: GeneralizedGaussian
    seconds: float

    @property
    def value(self) -> float:
        """SRGA with all patches."""
        return self.by_patches[max(self.by_patches)]


def measure(setup: Setup) -> list[Distance]:
    """SRGA of each network under each noise, each distribution kept as it is finished.

    Raises
    ------
    ValueError
        If there is no noise but the reference.
    """
    setup.require_layers()
    setup.require_others()
    found = []
    for reference in setup.references:
        own = _distributions(setup, reference)
        again = _distributions(setup, replace(reference, seed=reference.seed + 1))
        most = max(own.by_patches)
        floor = srga(own.by_patches[most], again.by_patches[most])
        for cell in setup.others(reference):
            other = _distributions(setup, cell)
            by_patches = {
                count: srga(own.by_patches[count], fit) for count, fit in other.by_patches.items()
            }
            halves, fit = srga(*own.halves), other.by_patches[most]
            found.append(Distance(cell, by_patches, floor, halves, fit, other.seconds))
    return found


@dataclass(frozen=True)
class Distributions:
    """Fits to the features of a cell: by number of patches, and of the two halves of all."""

    by_patches: Mapping[int, GeneralizedGaussian]
    halves: tuple[GeneralizedGaussian, GeneralizedGaussian]
    seconds: float


def _distributions(setup: Setup, cell: Cell) -> Distributions:
    settings = {"srga": VERSION, "components": COMPONENTS}
    settings |= setup.settings(cell, setup.layers_of(cell.model)[-1:])
    found = setup.kept(name_of(cell), settings, lambda: _fits(setup, cell), [cell])
    by_patches = {int(count): GeneralizedGaussian(*fit) for count, fit in found["fits"].items()}
    first, second = (GeneralizedGaussian(*fit) for fit in found["halves"])
    return Distributions(by_patches, (first, second), found["seconds"])


def _fits(setup: Setup, cell: Cell) -> Mapping[str, object]:
    """Fits to the first patches, some and all, and to every second one; features lie in a file."""
    count = setup.crops
    setup.out.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=setup.out) as file:
        for part in setup.deepest(cell):
            file.write(part.tobytes())
        file.flush()
        products = gram_of_file(file, count)
    places = np.arange(count)
    sizes = sorted({count // part for part in PARTS if count // part >= LEAST})
    fits = {str(size): _fit(products, places[:size]) for size in sizes}
    halves = [_fit(products, places[start::2]) for start in (0, 1)]
    return {"fits": fits, "halves": halves}


def _fit(products: np.ndarray, patches: np.ndarray) -> list[float]:
    fit = fitted(of_some(products, patches))
    return [fit.scale, fit.shape]


def write_pages(
    found: Sequence[Distance],
    setup: Setup,
    command: str,
    formats: Sequence[str] = ("svg",),
    look: Look = PLAIN,
) -> list[Path]:
    """Write ``srga.md``, ``srga.csv`` and a figure for each dataset."""

    def shown(dataset: str) -> list[Bars]:
        return [_bars(one, look) for one in found if one.cell.dataset == dataset]

    figures = save_by_dataset(
        "srga", setup, formats, bars_and_sizes, shown, "SRGA", look=look, caption=CAPTION
    )
    facts = {"components": COMPONENTS, "seconds": np.mean([one.seconds for one in found])}
    return write_analysis(
        "srga", setup, command, all_lines(found), table(found, look), figures, **facts
    )


def _bars(one: Distance, look: Look) -> Bars:
    floors = {"floor, other noise": one.again, "floor, halves": one.halves}
    return Bars(one.cell.model, look.condition(one.cell), one.by_patches, floors)


def all_lines(found: Sequence[Distance]) -> pd.DataFrame:
    """A line for every network, noise and number of patches."""
    lines = [
        {
            "dataset": one.cell.dataset,
            "model": one.cell.model,
            "noise": one.cell.noise,
            "level": one.cell.level,
            "patches": count,
            "srga": value,
            "floor_again": one.again,
            "floor_halves": one.halves,
        }
        for one in found
        for count, value in one.by_patches.items()
    ]
    return pd.DataFrame(lines)


def table(found: Sequence[Distance], look: Look = PLAIN) -> Table:
    """Of each network and noise, SRGA, both floors, and SRGA with fewer patches."""
    sizes = sorted(found[0].by_patches)[:-1]
    header = ["dataset", "model", "noise", "SRGA ↓", "floor, other noise", "floor, halves"]
    header += [f"of {size}" for size in sizes]
    rows = [
        [
            one.cell.dataset,
            look.label(one.cell.model),
            look.condition(one.cell),
            *(f"{value:.2f}" for value in (one.value, one.again, one.halves)),
            *(f"{one.by_patches[size]:.2f}" for size in sizes),
        ]
        for one in found
    ]
    return Table(header, rows, left=header[:3])
