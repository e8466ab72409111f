"""Figure 12: similarities of layers as heat maps, one a pair of networks or of noises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from benchmark.reporting.figures.style import MOST_ABREAST, SIZES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ABREAST = {0: MOST_ABREAST, 1: 2, 2: MOST_ABREAST}  # panels, by the columns of a paper
COLOURS = "magma"


@dataclass(frozen=True, eq=False)
class HeatMap:
    """One panel.

    Parameters
    ----------
    left, right
        What the layers upwards and to the right are of.
    title
        What both have in common.
    values
        (left layers, right layers), from 0 to 1 for the most part.
    """

    left: str
    right: str
    title: str
    values: np.ndarray


def heat_maps(shown: Sequence[HeatMap], columns: int = 0) -> Figure:
    """Similarities on one scale of colours from 0 to 1, the first layers at the lower left [1]_.

    Panels of one title stand side by side; another title begins another line.

    Parameters
    ----------
    columns
        As in `benchmark.reporting.figures.style.Style`.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
       Figure 12.
    """
    from matplotlib.figure import Figure

    size, most = SIZES[columns], ABREAST[columns]
    groups = [[*group] for _, group in groupby(shown, key=lambda one: one.title)]
    rows = [group[i : i + most] for group in groups for i in range(0, len(group), most)]
    lines, abreast = len(rows), max(map(len, rows))
    bar = 8 * size.small / 72  # inches of the scale of colours
    side = (size.width - bar) / most
    height = side + 1.5 * size.large / 72
    figure = Figure(figsize=(abreast * side + bar, lines * height), layout="constrained")
    panels = figure.subplots(lines, abreast, squeeze=False)
    for panel in panels.flat:
        panel.set_visible(False)
    lines_of_panels = zip(panels, rows, strict=True)
    placed = [pair for line, row in lines_of_panels for pair in zip(line, row, strict=False)]
    for panel, one in placed:
        panel.set_visible(True)
        image = panel.imshow(
            one.values, cmap=COLOURS, vmin=0, vmax=1, origin="lower", interpolation="none"
        )
        panel.set_title(one.title, fontsize=size.large, fontweight="bold")
        panel.set_xlabel(one.right, fontsize=size.small)
        panel.set_ylabel(one.left, fontsize=size.small)
        panel.tick_params(labelsize=size.small, length=2)
        for axis, count in zip((panel.yaxis, panel.xaxis), one.values.shape, strict=True):
            step = max(1, ceil(count / 5 / 5) * 5) if count > 5 else 1
            axis.set_ticks(range(0, count, step))
        if one is shown[-1]:
            scale = figure.colorbar(image, ax=panels, fraction=0.05, aspect=30, pad=0.02)
            scale.set_label("CKA", fontsize=size.small)
            scale.ax.tick_params(labelsize=size.small)
            scale.ax.spines["outline"].set_visible(False)
    return figure
