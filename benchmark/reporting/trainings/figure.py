"""Training curves: quality and loss against the steps done, drawn from a folder's trainings."""

from __future__ import annotations

import textwrap
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from benchmark.cells.scores import label_of
from benchmark.reporting.figures.style import (
    MOST_ABREAST,
    SIZES,
    WIDTH,
    Style,
    Styles,
    legend_above,
    open_panel,
)
from benchmark.reporting.trainings.page import Condition, Runs, conditions, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKS = 6  # symbols along a curve, however many points it has
STRETCHES = 150  # points of a curve of losses; the lines of a longer log are averaged
TITLE = 28  # characters of a panel's title in a line


def training_curves(runs: Runs) -> Figure:
    """PSNR against training steps: a panel per noise and level, a line per run [1]_.

    A ring marks the best step of a curve: where it is not the last one, training on went too far
    for that noise. The noise and level of training come first, the loss, if there are logs, last.

    Raises
    ------
    ValueError
        If there is no run.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
       Figure 13.
    """
    from matplotlib.figure import Figure

    places = conditions(runs)
    if not places:
        raise ValueError("training curves need the validations of at least one run, got none")
    has_losses = any(run.log is not None for run in runs.values())
    panels = len(places) + has_losses
    bands = ceil(panels / MOST_ABREAST)
    columns = ceil(panels / bands)
    figure = Figure(figsize=(min(max(columns, 2) * WIDTH / 3, WIDTH), 0.7 + 2.1 * bands))
    figure.set_layout_engine("constrained", h_pad=0.06, w_pad=0.05)
    axes = figure.subplots(bands, columns, squeeze=False)
    styles = Style().lines(list(runs))
    last = max(int(run.validation["step"].max()) for run in runs.values())
    for place, (panel, condition) in enumerate(zip(axes.flat, places, strict=False)):
        _quality(panel, runs, condition, styles)
        panel.set_title(
            textwrap.fill(title(runs, condition), TITLE), fontsize=10, fontweight="bold"
        )
        if place % columns == 0:
            panel.set_ylabel("PSNR (dB)")
    if has_losses:
        _losses(axes.flat[len(places)], runs, styles)
    for place, panel in enumerate(axes.flat):
        if place >= panels:
            panel.set_axis_off()
            continue
        _step_axis(panel, last)
        if place + columns >= panels:  # nothing below it
            panel.set_xlabel("step", fontsize=8)
    figure.align_ylabels(axes[:, 0])
    legend_above(figure, {label_of(name): look for name, look in styles.items()}, SIZES[0])
    return figure


def _quality(panel: Axes, runs: Runs, condition: Condition, styles: Styles) -> None:
    for name, style in styles.items():
        rows = runs[name].at(condition)
        if rows.empty:
            continue
        steps, psnr = rows["step"], rows["psnr"]
        panel.plot(steps, psnr, label=label_of(name), markevery=ceil(len(steps) / MARKS), **style)
        best = psnr.argmax()
        ring = {"markerfacecolor": "none", "markeredgecolor": style["color"], "clip_on": False}
        panel.plot(
            steps.iloc[best], psnr.iloc[best], "o", markersize=9, markeredgewidth=1.3, **ring
        )
    panel.margins(y=0.1)
    open_panel(panel)


def _losses(panel: Axes, runs: Runs, styles: Styles) -> None:
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    for name, style in styles.items():
        if (log := runs[name].log) is not None:
            lines = log[["step", "loss"]]
            means = lines.groupby(np.arange(len(lines)) // ceil(len(lines) / STRETCHES)).mean()
            panel.plot(*means.T.to_numpy(), **{**style, "linewidth": 1.2, "marker": ""})
    panel.set_yscale("log")
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    panel.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    panel.yaxis.set_minor_locator(NullLocator())
    panel.set_title("training loss (L1)", fontsize=10, fontweight="bold")
    open_panel(panel)


def _step_axis(panel: Axes, last: int) -> None:
    """Steps from 0 to the last of any run: 50k is fifty thousand."""
    from matplotlib.ticker import EngFormatter, MaxNLocator

    panel.set_xlim(0, 1.04 * last)
    panel.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    panel.xaxis.set_major_formatter(EngFormatter(sep=""))
