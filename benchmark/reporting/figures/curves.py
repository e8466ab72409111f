"""Figure 11: quality against level, drawn from a table of scores."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from benchmark.cells.scores import ROW, Scores, as_scores
from benchmark.protocol import IN_DISTRIBUTION, REFERENCE
from benchmark.reporting.board import label, noise_order
from benchmark.reporting.figures.saving import save_svg
from benchmark.reporting.figures.style import (
    MOST_ABREAST,
    WIDTH,
    Styles,
    legend_above,
    line_styles,
    open_panel,
)
from benchmark.reporting.statistics import mild_to_hard, shared_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def save_figure11(path: Path, scores: Scores, metrics: Sequence[str]) -> Path:
    """Save `figure11` of one dataset as SVG, unless the file shows the same numbers already."""
    noises = sorted(scores.rows["noise"].unique())
    columns = [name for name in dict.fromkeys(["psnr", *metrics]) if name in scores.rows]
    rows = scores.rows[["model", *ROW, *columns]].sort_values(["model", *ROW])
    units, notes = (
        {noise: texts[noise] for noise in noises if noise in texts}
        for texts in (scores.units, scores.notes)
    )
    labels = {metric: scores.scales[metric].label for metric in metrics}
    return save_svg(path, figure11, rows, list(metrics), units, notes, labels)


def figure11(
    rows: pd.DataFrame,
    metrics: Sequence[str] = ("psnr", "ssim"),
    units: Mapping[str, str] | None = None,
    notes: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    in_distribution: tuple[str, float] = IN_DISTRIBUTION,
    reference: Sequence[str] = REFERENCE,
) -> Figure:
    """Quality against level, mild to hard: a panel per noise and metric, a line per model [1]_.

    Levels stand at equal distances, whatever their values. A point is the mean over the images
    and seeds that all models on this panel's level have.

    Parameters
    ----------
    rows
        A line per image of one dataset: ``model``, the names of `ROW`, a column per metric. Where
        PSNR is among them, it says in which direction levels get harder.
    units, notes
        What a noise's levels count, and its caveat, by noise.
    labels
        What is written beside the axis of a metric, by its name; by default its known unit.

    Raises
    ------
    ValueError
        If there are several datasets, or one of the metrics has no values.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
       Figure 11.
    """
    from matplotlib.figure import Figure

    units, notes = units or {}, notes or {}
    datasets = sorted(rows["dataset"].unique())
    absent = [metric for metric in metrics if metric not in rows or rows[metric].isna().all()]
    if len(datasets) > 1:
        raise ValueError(f"figure 11 shows one dataset, got {', '.join(datasets)}; pass one alone")
    if absent or not metrics:
        raise ValueError(f"figure 11 needs scores for {', '.join(absent) or 'at least one metric'}")

    labels = labels or {name: scale.label for name, scale in as_scores(rows).scales.items()}
    noises = noise_order(rows["noise"].unique(), in_distribution[0])
    bands = ceil(len(noises) / MOST_ABREAST)
    columns = ceil(len(noises) / bands)
    height = bands * len(metrics)
    width = min(max(columns, 1.5) * WIDTH / 3, WIDTH)
    figure = Figure(figsize=(width, 0.9 + (2.2 if bands == 1 else 1.9) * height))
    figure.set_layout_engine("constrained", h_pad=0.06, w_pad=0.06)
    axes = figure.subplots(height, columns, squeeze=False)
    styles = line_styles(rows["model"].unique(), reference)
    for place in range(bands * columns):
        band, column = divmod(place, columns)
        panels = axes[band * len(metrics) : (band + 1) * len(metrics), column]
        if place >= len(noises):
            for panel in panels:
                panel.set_axis_off()
            continue
        noise = noises[place]
        levels = mild_to_hard(rows, noise)
        for panel, metric in zip(panels, metrics, strict=True):
            _curves(panel, rows[rows["noise"] == noise], metric, levels, styles)
            panel.tick_params(labelbottom=panel is panels[-1])
            if column == 0:
                panel.set_ylabel(labels[metric])
            if noise == in_distribution[0] and in_distribution[1] in levels:
                _mark_training(panel, levels.index(in_distribution[1]), panel is panels[0])
        starred = noise + ("*" if notes.get(noise) else "")
        panels[0].set_title(starred, fontsize=10, fontweight="bold")
        panels[-1].set_xlabel(textwrap.fill(units.get(noise, "level"), 34), fontsize=8)
    figure.align_ylabels()
    legend_above(figure, axes, styles)
    footnotes = [f"* {noise}: {notes[noise]}" for noise in noises if notes.get(noise)]
    if footnotes:
        line = int(width * 15)  # characters of this size in an inch
        text = "\n".join(textwrap.fill(note, line) for note in footnotes)
        figure.supxlabel(text, fontsize=8, x=0.01, ha="left", color="0.25")
    return figure


def _curves(
    panel: Axes,
    rows: pd.DataFrame,
    metric: str,
    levels: list[float],
    styles: Styles,
) -> None:
    rows = shared_rows(rows.dropna(subset=metric), within=("dataset", "noise", "level"))
    means = rows.groupby(["model", "level", "seed"])[metric].mean()
    means = means.groupby(level=["model", "level"]).mean()
    for model, style in styles.items():
        if model in means:
            curve = means[model].reindex(levels)
            panel.plot(range(len(levels)), curve, label=label(model), **style)
    panel.set_xticks(range(len(levels)), [f"{level:g}" for level in levels])
    panel.set_xlim(-0.25, len(levels) - 0.75)
    panel.margins(y=0.08)
    open_panel(panel)


def _mark_training(panel: Axes, position: int, written: bool) -> None:
    panel.axvline(position, color="0.3", linewidth=1, linestyle=":", zorder=0)
    if written:
        place = (position + 0.05, 0.03)
        panel.annotate(
            "training level", place, xycoords=("data", "axes fraction"), fontsize=8, color="0.3"
        )
