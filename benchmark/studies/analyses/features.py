"""Distributions of the deepest features: measured, as a table, a page and Figure 15."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.analysis.distributions import BINS, Histogram, distance, limits
from benchmark.cells import Cell
from benchmark.reporting.tables import Table
from benchmark.studies.analyses.figures.histograms import Panel, histograms
from benchmark.studies.analyses.look import PLAIN, Look
from benchmark.studies.analyses.pages import save_by_dataset, write_analysis
from benchmark.studies.analyses.setup import Setup, is_reference, name_of

VERSION = 1  # of what is measured; another measures everything again
CROPS, SIDE = 64, 64
COMPARES = True  # noises, beside that of training
UNUSED = ("hidden",)
CAPTION = (
    "How the values of the deepest features are distributed, filled, beside those under the noise "
    "of training, the line; a row a network. W: Wasserstein's distance of the two, in standard "
    "deviations of the latter."
)


@dataclass(frozen=True, eq=False)
class Distribution:
    """The values of the deepest features of a network under a noise.

    Parameters
    ----------
    histogram
        Within the limits of the reference's, four standard deviations around its mean.
    distance
        Wasserstein's to the reference, in standard deviations of the reference.
    floor
        The same of the reference with other noise on the same crops.
    """

    cell: Cell
    histogram: Histogram
    mean: float
    deviation: float
    distance: float
    floor: float
    seconds: float


def measure(setup: Setup) -> list[Distribution]:
    """The distributions of each network under the noise of training and the others, each kept."""
    setup.require_layers()
    setup.require_others()
    found = []
    for reference in setup.references:
        values = cache(lambda cell=reference: _values(setup, cell))  # only if something is missing
        again = _kept(setup, replace(reference, seed=reference.seed + 1), reference, values)
        for cell in (reference, *setup.others(reference)):
            one = _kept(setup, cell, reference, values)
            shown = Histogram(one["low"], one["high"], np.array(one["shares"]))
            numbers = {key: one[key] for key in ("mean", "deviation", "distance", "seconds")}
            found.append(Distribution(cell, shown, floor=again["distance"], **numbers))
    return found


def _kept(
    setup: Setup, cell: Cell, reference: Cell, values: Callable[[], np.ndarray]
) -> Mapping[str, float]:
    layers = setup.layers_of(cell.model)[-1:]
    sides = [setup.settings(side, layers) for side in (reference, cell)]
    settings = {"features": VERSION, "bins": BINS, "sides": sides}

    def measured() -> Mapping[str, object]:
        own = values() if cell == reference else _values(setup, cell)
        low, high = limits(values())
        return {
            "low": low,
            "high": high,
            "shares": Histogram.of(own, low, high).shares.tolist(),
            "mean": float(own.mean(dtype=np.float64)),
            "deviation": float(own.std(dtype=np.float64)),
            "distance": distance(own, values()),
        }

    return setup.kept(name_of(cell), settings, measured, [cell])


def _values(setup: Setup, cell: Cell) -> np.ndarray:
    """(crops, values) float32 of the deepest layer."""
    return np.concatenate([*setup.deepest(cell)])


def write_pages(
    found: Sequence[Distribution],
    setup: Setup,
    command: str,
    formats: Sequence[str] = ("svg",),
    look: Look = PLAIN,
) -> list[Path]:
    """Write ``features.md``, ``features.csv`` and a figure for each dataset."""

    def shown(dataset: str) -> list[Panel]:
        return [_panel(one, look) for one in found if one.cell.dataset == dataset]

    figures = save_by_dataset(
        "features", setup, formats, histograms, shown, look=look, caption=CAPTION
    )
    facts = {"seconds": sum(one.seconds for one in found)}
    return write_analysis(
        "features", setup, command, all_lines(found), table(found, look), figures, **facts
    )


def _panel(one: Distribution, look: Look) -> Panel:
    centres, shares = one.histogram.centres, one.histogram.shares
    far = None if is_reference(one.cell) else one.distance
    return Panel(one.cell.model, look.condition(one.cell), centres, shares, far)


def all_lines(found: Sequence[Distribution]) -> pd.DataFrame:
    """A line for every network and noise."""
    lines = [
        {
            "dataset": one.cell.dataset,
            "model": one.cell.model,
            "noise": one.cell.noise,
            "level": one.cell.level,
            "feature_mean": one.mean,
            "feature_deviation": one.deviation,
            "outside": 1 - one.histogram.shares.sum(),
            "distance": one.distance,
            "floor": one.floor,
        }
        for one in found
    ]
    return pd.DataFrame(lines)


def table(found: Sequence[Distribution], look: Look = PLAIN) -> Table:
    """Of each network and noise, the distance, its floor, and the values' mean and deviation."""
    header = ["dataset", "model", "noise", "distance ↓", "floor", "mean", "deviation"]
    rows = [
        [
            one.cell.dataset,
            look.label(one.cell.model),
            look.condition(one.cell),
            *(f"{value:.4f}" for value in (one.distance, one.floor)),
            *(f"{value:.4g}" for value in (one.mean, one.deviation)),
        ]
        for one in found
    ]
    return Table(header, rows, left=header[:3])
