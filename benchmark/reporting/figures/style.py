"""The looks which all figures share: colours, lines, widths, legends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.protocol import REFERENCE
from benchmark.reporting.board import label

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Hues of Paul Tol's colour-blind safe schemes (SRON technical note 3.2, 2021), in an order which
# puts dark beside light, so that lines differ in grey print as well.
COLOURS = ("#CC3311", "#332288", "#EE9A33", "#1199DD", "#44BB99", "#882255", "#999933", "#EE6699")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", (0, (7, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (1.5, 1)), (0, (4, 1, 1, 1, 1, 1)))
REFERENCE_GREYS = ("0.62", "0.0", "0.35")

WIDTH = 9.0  # inches: 900 pixels, a README's width, at 100 dots per inch
MOST_ABREAST = 4  # panels of curves: five would be too small to read

Styles = dict[str, dict[str, Any]]  # by model, the keywords of `Axes.plot`


def line_styles(models: Sequence[str], reference: Sequence[str] = REFERENCE) -> Styles:
    """A line style per model, by name: the same in every panel and every figure of a table."""
    styles = {}
    for place, model in enumerate(name for name in reference if name in models):
        grey = REFERENCE_GREYS[place % len(REFERENCE_GREYS)]
        styles[model] = {
            "color": grey,
            "linestyle": (0, (3, 2)),
            "marker": "x",
            "markersize": 4,
            "linewidth": 1.2,
        }
    for place, model in enumerate(sorted(set(models) - set(reference))):
        styles[model] = {
            "color": COLOURS[place % len(COLOURS)],
            "linestyle": DASHES[place % len(DASHES)],
            "marker": MARKERS[place % len(MARKERS)],
            "markersize": 4.5,
            "linewidth": 1.7,
        }
    return styles


def open_panel(panel: Axes) -> None:
    """Give a panel the looks that all figures share: no box, a faint grid, small numbers."""
    panel.grid(True, color="0.9", linewidth=0.7)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize=8)


def legend_above(figure: Figure, axes: np.ndarray, styles: Styles) -> None:
    """Write one legend for all panels over them, in as many columns as the figure has room for."""
    handles, names = _legend(axes, styles)
    room, entry = figure.get_figwidth() - 0.3, 0.75 + 0.09 * max(map(len, names))  # inches
    figure.legend(
        handles,
        names,
        loc="outside upper center",
        ncols=min(len(names), max(1, int(room / entry))),
        frameon=False,
        handlelength=3.2,
        columnspacing=1.6,
    )


def _legend(axes: np.ndarray, styles: Styles) -> tuple[list[Artist], list[str]]:
    """A handle for every model which is drawn anywhere, in the order of the styles."""
    found = {}
    for panel in axes.ravel():
        for handle, name in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(name, handle)
    names = [label(model) for model in styles if label(model) in found]
    return [found[name] for name in names], names
