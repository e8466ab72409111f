"""CKA between networks and between noises: measured, as a table, a page and Figure 12."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.analysis.cka import LEAST, MinibatchCKA, gram
from benchmark.cells import Cell
from benchmark.reporting.figures.saving import save_figure
from benchmark.reporting.tables import ABSENT, Table
from benchmark.studies.analyses.figures.heat_maps import HeatMap, heat_maps
from benchmark.studies.analyses.look import PLAIN, Look
from benchmark.studies.analyses.pages import write_analysis
from benchmark.studies.analyses.setup import Setup

VERSION = 1  # of what is measured; another measures everything again
CROPS, SIDE = 64, 64
COMPARES = True  # noises, beside that of training
UNUSED = ("hidden",)
CAPTION = (
    "CKA of every layer of one side with every layer of the other, first layers at the lower left. "
    "Above, two networks under the noise of training; below, one network under that noise and "
    "another."
)


@dataclass(frozen=True, eq=False)
class Similarity:
    """CKA of the layers of a network under a noise with those of another, or under another.

    Parameters
    ----------
    values
        A line for each layer on the left, a column for each on the right, in the order of the run.
    seconds
        That it took.
    """

    left: Cell
    right: Cell
    layers: tuple[Sequence[str], Sequence[str]]
    values: np.ndarray
    seconds: float

    def names(self, look: Look = PLAIN) -> tuple[str, str]:
        """What is compared, in words."""
        if self.left.model != self.right.model:
            return look.label(self.left.model), look.label(self.right.model)
        return look.condition(self.left), look.condition(self.right)

    def title(self, look: Look = PLAIN) -> str:
        """What both sides have in common."""
        same = self.left.model == self.right.model
        return look.label(self.left.model) if same else look.condition(self.left)


def pairs(setup: Setup) -> Iterator[tuple[Cell, Cell]]:
    """What is compared on each dataset: the first network with the others, then each with itself.

    The first is under the noise of training, the second under that and each of the others.
    """
    for dataset in setup.grid.datasets:
        cells = [cell for cell in setup.references if cell.dataset == dataset]
        yield from ((cells[0], other) for other in cells[1:])
        yield from ((cell, other) for cell in cells for other in setup.others(cell))


def measure(setup: Setup) -> list[Similarity]:
    """CKA of all `pairs`, each kept as it is finished.

    Raises
    ------
    ValueError
        If there is nothing to compare, or the crops are no whole batches of four or more.
    """
    setup.require_layers()
    if setup.crops % setup.batch or setup.batch < LEAST:
        raise ValueError(
            f"CKA needs whole batches of {LEAST} crops or more, got crops={setup.crops} and "
            f"batch={setup.batch}"
        )
    found = []
    for left, right in pairs(setup):
        names = [setup.layers_of(cell.model) for cell in (left, right)]
        sides = zip((left, right), names, strict=True)
        settings = {"cka": VERSION, "sides": [setup.settings(*side) for side in sides]}
        words = " and ".join(f"{cell.model} {PLAIN.condition(cell)}" for cell in (left, right))
        name = f"{words} {left.dataset}".replace(" ", "-")
        result = setup.kept(
            name,
            settings,
            lambda left=left, right=right: _values(setup, left, right),
            (left, right),
        )
        layers = (result["left"], result["right"])
        values = np.array(result["values"], float)
        found.append(Similarity(left, right, layers, values, result["seconds"]))
    if not found:
        raise ValueError("CKA compares two networks, or two noises; name one more of either")
    return found


def _values(setup: Setup, left: Cell, right: Cell) -> Mapping[str, object]:
    sums, layers = MinibatchCKA(), ([], [])
    batches = (setup.features(c, setup.layers_of(c.model), gram) for c in (left, right))
    for ours, theirs in zip(*batches, strict=True):
        sums.add_grams(list(ours.values()), list(theirs.values()))
        layers = list(ours), list(theirs)
    return {"left": layers[0], "right": layers[1], "values": sums.values.tolist()}


def write_pages(
    found: Sequence[Similarity],
    setup: Setup,
    command: str,
    formats: Sequence[str] = ("svg",),
    look: Look = PLAIN,
) -> list[Path]:
    """Write ``cka.md``, ``cka.csv`` and the figure."""
    maps = [HeatMap(*one.names(look), one.title(look), one.values) for one in found]
    stem = setup.out / "cka"
    figures = save_figure(stem, formats, heat_maps, maps, look.columns, caption=CAPTION)
    seconds = sum(one.seconds for one in found)
    return write_analysis(
        "cka", setup, command, all_lines(found), table(found, look), figures, seconds=seconds
    )


def all_lines(found: Sequence[Similarity]) -> pd.DataFrame:
    """A line for every pair of layers."""
    lines = [
        {
            "dataset": one.left.dataset,
            "left_model": one.left.model,
            "left_noise": one.left.noise,
            "left_level": one.left.level,
            "right_model": one.right.model,
            "right_noise": one.right.noise,
            "right_level": one.right.level,
            "left_layer": left,
            "right_layer": right,
            "cka": one.values[i, j],
        }
        for one in found
        for i, left in enumerate(one.layers[0])
        for j, right in enumerate(one.layers[1])
    ]
    return pd.DataFrame(lines)


def table(found: Sequence[Similarity], look: Look = PLAIN) -> Table:
    """Of each pair, how alike layers at the same place are, and the deepest ones."""
    header = ["dataset", "of", "between", "and"]
    header += ["first", "same place, mean", "same place, least", "deepest", "all, mean"]
    rows = []
    for one in found:
        alike = one.layers[0] == one.layers[1]
        own = np.diag(one.values) if alike else np.array([])
        same = [f"{own.mean():.3f}", f"{own.min():.3f}"] if alike else [ABSENT, ABSENT]
        first, deepest = (f"{one.values[place, place]:.3f}" for place in (0, -1))
        words = [one.left.dataset, one.title(look), *one.names(look)]
        rows.append([*words, first, *same, deepest, f"{np.nanmean(one.values):.3f}"])
    return Table(header, rows, left=header[:4])
