"""Effective receptive fields and single pixels changed: measured, as a table, a page, a figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.analysis.receptive_field import around, changes, gradients, no_gradients, side_of
from benchmark.cells import Cell
from benchmark.noise.keys import stream
from benchmark.reporting.tables import Table
from benchmark.studies.analyses.figures.fields import Field, fields
from benchmark.studies.analyses.look import PLAIN, Look
from benchmark.studies.analyses.pages import save_by_dataset, write_analysis
from benchmark.studies.analyses.setup import Setup, name_of, no_numbers

VERSION = 1  # of what is measured; another measures everything again
CROPS, SIDE = 32, 64
COMPARES = False  # by default the noise of training alone
UNUSED = ("layers", "hidden")
SPREAD = 8  # rows and columns in the middle from which pixels are drawn: all places in a window
LEAST = 16  # pixels of a side
SHARES = (0.5, 0.95)
DIGITS = 4  # of a value of a map which is kept
CAPTION = (
    "Above, how much the input pixels around it count for an output pixel; below, how far the "
    "output moves around an input pixel which is set to black or white. Each relative to its "
    "largest value; squares hold 50 and 95 % of the sum."
)


@dataclass(frozen=True, eq=False)
class Influence:
    """What pixels of a network have to do with each other, a mean over crops.

    Parameters
    ----------
    gradient
        (2 R + 1, 2 R + 1), of the output pixel in the middle by each input pixel.
    change
        The same of the output around an input pixel, relative to the change of that pixel.
    """

    cell: Cell
    gradient: np.ndarray
    change: np.ndarray
    seconds: float

    @property
    def stays(self) -> float:
        """Of the change of a pixel, how much is there in the output."""
        middle = len(self.change) // 2
        return float(self.change[middle, middle])

    @property
    def around(self) -> float:
        """Of the change of a pixel, how much is at all others together."""
        return float(self.change.sum()) - self.stays

    @property
    def sides(self) -> dict[str, int]:
        """By name the sides of the squares which hold 50 and 95 %, in pixels."""
        maps = {"field": self.gradient, "reach": self.change}
        return {
            f"{name}_{100 * share:.0f}": side_of(values, share)
            for name, values in maps.items()
            for share in SHARES
        }


def measure(setup: Setup) -> list[Influence]:
    """Both maps of each network under the noise of training and the others, each kept.

    Raises
    ------
    ValueError
        If a network gives no gradients, or crops are too small.
    """
    if setup.side < LEAST:
        raise ValueError(f"a receptive field needs side of {LEAST} or more, got {setup.side}")
    for network in setup.grid.models.values():
        if not network.in_torch:
            raise no_gradients(network)
    return [
        _kept(setup, cell)
        for reference in setup.references
        for cell in (reference, *setup.others(reference))
    ]


def _kept(setup: Setup, cell: Cell) -> Influence:
    settings = {"field": VERSION, **setup.settings(cell, [])}
    found = setup.kept(name_of(cell), settings, lambda: _maps(setup, cell), [cell])
    gradient, change = (np.array(found[name], float) for name in ("gradient", "change"))
    return Influence(cell, gradient, change, found["seconds"])


def _maps(setup: Setup, cell: Cell) -> Mapping[str, object]:
    network = setup.grid.models[cell.model].to(setup.device)
    pixels, reach = _pixels(setup, cell.dataset), setup.side // 2 - SPREAD // 2
    gradient, change = np.zeros((2, 2 * reach + 1, 2 * reach + 1))
    moved, first = 0.0, 0
    for noisy, seed in setup.batches(cell.dataset, setup.crops_of(cell)[1]):
        own = pixels[first : first + len(noisy)]
        first += len(noisy)
        by_input = gradients(network, noisy, own, seed).cpu().numpy()
        by_output, given = changes(network, noisy, own, seed)
        gradient += sum(around(*pair, reach) for pair in zip(by_input, own, strict=True))
        change += sum(around(*pair, reach) for pair in zip(by_output, own, strict=True))
        moved += float(given.sum())
    for values in (gradient, change):
        if not np.isfinite(values).all():
            raise no_numbers(cell)
        if not values.any():
            raise ValueError(
                f"what '{cell.model}' makes of a pixel depends on none of {cell.dataset}, so that "
                f"it has no receptive field; leave it out"
            )
    return {"gradient": _short(gradient / setup.crops), "change": _short(change / moved)}


def _pixels(setup: Setup, dataset: str) -> list[tuple[int, int]]:
    """A pixel near the middle of each crop, the same for all networks and noises."""
    low = setup.side // 2 - SPREAD // 2
    drawn = (
        np.random.default_rng(stream("pixel", dataset, number, setup.side)).integers(SPREAD, size=2)
        for number in range(setup.crops)
    )
    return [(low + int(row), low + int(column)) for row, column in drawn]


def _short(values: np.ndarray) -> list[list[float]]:
    return [[float(f"{value:.{DIGITS}g}") for value in row] for row in values]


def write_pages(
    found: Sequence[Influence],
    setup: Setup,
    command: str,
    formats: Sequence[str] = ("svg",),
    look: Look = PLAIN,
) -> list[Path]:
    """Write ``field.md``, ``field.csv`` and a figure for each dataset."""

    def shown(dataset: str) -> list[Field]:
        return [_field(one, look) for one in found if one.cell.dataset == dataset]

    figures = save_by_dataset("field", setup, formats, fields, shown, look=look, caption=CAPTION)
    seconds = sum(one.seconds for one in found)
    facts = {"spread": SPREAD, "edge": len(found[0].gradient), "seconds": seconds}
    return write_analysis(
        "field", setup, command, all_lines(found), table(found, look), figures, **facts
    )


def _field(one: Influence, look: Look) -> Field:
    sides = [*one.sides.values()]
    count = len(SHARES)
    maps = ((one.gradient, sides[:count]), (one.change, sides[count:]))
    return Field(one.cell.model, look.condition(one.cell), *maps)


def all_lines(found: Sequence[Influence]) -> pd.DataFrame:
    """A line for every network and noise."""
    lines = [
        {
            "dataset": one.cell.dataset,
            "model": one.cell.model,
            "noise": one.cell.noise,
            "level": one.cell.level,
            **one.sides,
            "stays": one.stays,
            "around": one.around,
        }
        for one in found
    ]
    return pd.DataFrame(lines)


def table(found: Sequence[Influence], look: Look = PLAIN) -> Table:
    """Of each network and noise, the extent of its field, and what a changed pixel does."""
    header = ["dataset", "model", "noise", "field 50 %", "field 95 %"]
    header += ["reach 50 %", "reach 95 %", "stays", "around"]
    rows = [
        [
            one.cell.dataset,
            look.label(one.cell.model),
            look.condition(one.cell),
            *map(str, one.sides.values()),
            *(f"{value:.3f}" for value in (one.stays, one.around)),
        ]
        for one in found
    ]
    return Table(header, rows, left=header[:3])
