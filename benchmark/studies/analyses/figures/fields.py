"""Effective receptive fields as heat maps, with what a changed pixel does below each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from benchmark.reporting.figures.style import MOST_ABREAST, folded
from benchmark.studies.analyses.look import PLAIN, Look

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ABREAST = {0: MOST_ABREAST, 1: 2, 2: MOST_ABREAST}  # networks, by the columns of a paper
COLOURS = "magma"
LEAST = 1e-4  # of the largest value, where the scale of colours ends
ROWS = ("field", "one pixel changed")

Map = tuple[np.ndarray, Sequence[int]]  # values, and the sides of squares drawn into it


@dataclass(frozen=True, eq=False)
class Field:
    """A network under a noise: two maps, of one odd side each, with squares around the middle."""

    model: str
    noise: str
    gradient: Map
    change: Map


def fields(shown: Sequence[Field], look: Look = PLAIN) -> Figure:
    """A column a network and noise, its receptive field above [1]_, on a logarithmic scale.

    References
    ----------
    .. [1] Luo et al., "Understanding the Effective Receptive Field in Deep Convolutional Neural
       Networks", NeurIPS 2016, Figures 1 and 2.
    """
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    size, most = look.size, ABREAST[look.columns]
    noises = {one.noise for one in shown}
    abreast, bands = min(len(shown), most), ceil(len(shown) / most)
    bar = 10 * size.small / 72  # inches of the scale of colours
    side = (size.width - bar) / most
    tall = bands * (2 * side + 3 * size.large / 72)
    figure = Figure(figsize=(abreast * side + bar, tall))
    figure.set_layout_engine("constrained", w_pad=0.03, h_pad=0.03, wspace=0, hspace=0)
    panels = figure.subplots(2 * bands, abreast, squeeze=False)
    for panel in panels.flat:
        panel.set_visible(False)
    scale = LogNorm(LEAST, 1)
    for number, one in enumerate(shown):
        band, column = divmod(number, most)
        for row, (values, sides) in enumerate((one.gradient, one.change)):
            panel, reach = panels[2 * band + row, column], len(values) // 2
            panel.set_visible(True)
            relative = np.maximum(values / values.max(), LEAST)
            edges = (-reach - 0.5, reach + 0.5)
            image = panel.imshow(
                relative, cmap=COLOURS, norm=scale, extent=edges + edges, interpolation="none"
            )
            for edge in sides:
                place, outline = (-edge / 2, -edge / 2), {"fill": False, "edgecolor": "white"}
                panel.add_patch(Rectangle(place, edge, edge, linewidth=0.6 * size.line, **outline))
            panel.tick_params(labelsize=size.small, length=2, labelbottom=row == 1)
            panel.locator_params(nbins=5)
            if column == 0:
                panel.set_ylabel(ROWS[row], fontsize=size.large)
        name = look.label(one.model)
        words = name if len(noises) == 1 else f"{name}, {one.noise}"
        title = folded(words, side, size.large, bold=True)
        panels[2 * band, column].set_title(title, fontsize=size.large, fontweight="bold")
    legend = figure.colorbar(image, ax=panels, fraction=0.05, aspect=30, pad=0.02)
    legend.set_label("of the largest value", fontsize=size.small)
    legend.ax.tick_params(labelsize=size.small)
    legend.ax.spines["outline"].set_visible(False)
    return figure
