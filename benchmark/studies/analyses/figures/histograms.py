"""Figure 15: distributions of features as histograms, a row a network, a column a noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmark.reporting.figures.style import folded, open_panel
from benchmark.studies.analyses.look import PLAIN, Look

if TYPE_CHECKING:
    from matplotlib.figure import Figure


ROOM = 1.25  # height of a panel, of the tallest bin: distances stand above


@dataclass(frozen=True, eq=False)
class Panel:
    """A network under a noise.

    Parameters
    ----------
    centres, shares
        (bins,) each: where a bin is, and its share of all values.
    distance
        To the reference, which is written beside it; None for the reference itself.
    """

    model: str
    noise: str
    centres: np.ndarray
    shares: np.ndarray
    distance: float | None = None


def histograms(shown: Sequence[Panel], look: Look = PLAIN) -> Figure:
    """A row a network, a column a noise, filled; the line is that of the row's reference [1]_.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
       Figure 15.
    """
    from matplotlib.figure import Figure

    size, models = look.size, list(dict.fromkeys(one.model for one in shown))
    noises, looks = list(dict.fromkeys(one.noise for one in shown)), look.lines(models)
    references = {one.model: one for one in shown if one.distance is None}
    tallest = {
        model: max(one.shares.max() for one in shown if one.model == model) for model in models
    }
    across = size.width / len(noises)
    tall = len(models) * min(0.8 * across, 2.2) + 3 * size.large / 72
    figure = Figure(figsize=(size.width, tall), layout="constrained")
    panels = figure.subplots(len(models), len(noises), squeeze=False, sharex="row", sharey="row")
    for one in shown:
        line, column = models.index(one.model), noises.index(one.noise)
        panel, reference = panels[line, column], references[one.model]
        open_panel(panel, size)
        panel.set_axisbelow(True)
        panel.locator_params(nbins=4)
        colour = looks[one.model]["color"]
        panel.fill_between(one.centres, 100 * one.shares, step="mid", color=colour, linewidth=0)
        if one.distance is not None:
            thin = {"color": "black", "linewidth": 0.6 * size.line}
            panel.step(reference.centres, 100 * reference.shares, where="mid", **thin)
            words = {"transform": panel.transAxes, "ha": "right", "va": "top"}
            panel.text(0.98, 0.97, f"W {one.distance:.3f}", fontsize=size.small, **words)
        if line == 0:
            title = folded(one.noise, across, size.large, bold=True)
            panel.set_title(title, fontsize=size.large, fontweight="bold")
        if column == 0:
            panel.set_ylabel(f"{look.label(one.model)}, %", fontsize=size.large)
        panel.set_ylim(0, 100 * ROOM * tallest[one.model])
    figure.supxlabel("value of a feature", fontsize=size.small)
    return figure
