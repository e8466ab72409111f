"""From a table of scores to figures. matplotlib is imported by the functions which draw."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmark.cells.scores import Scores, as_scores
from benchmark.files.whole import write_whole
from benchmark.protocol import IN_DISTRIBUTION, REFERENCE
from benchmark.reporting.board import label, noise_order
from benchmark.reporting.intervals import check_table, mild_to_hard, shared_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Hues of Paul Tol's colour-blind safe schemes (SRON technical note 3.2, 2021), in an order which
# puts dark beside light, so that lines differ in grey print as well.
COLOURS = ("#CC3311", "#332288", "#EE9A33", "#1199DD", "#44BB99", "#882255", "#999933", "#EE6699")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", (0, (7, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (1.5, 1)), (0, (4, 1, 1, 1, 1, 1)))
REFERENCE_GREYS = ("0.62", "0.0", "0.35")

WIDTH = 9.0  # inches: 900 pixels, a README's width, at 100 dots per inch
DOTS_PER_INCH = 200  # twice the size at which a README shows a figure
STRIP_COLUMNS = 7
MOST_ABREAST = 4  # panels of figure 11: five would be too small to read


def figure11(
    table: Scores | pd.DataFrame,
    metrics: Sequence[str] = ("psnr", "ssim"),
    in_distribution: tuple[str, float] = IN_DISTRIBUTION,
    reference: Sequence[str] = REFERENCE,
) -> Figure:
    """Quality against level, mild to hard: a panel per noise and metric, a line per model [1]_.

    Levels stand at equal distances, whatever their values. A point is the mean over the images
    and seeds that all models on this panel's level have.

    Raises
    ------
    ValueError
        If the table has several datasets, or lacks one of the metrics.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
       Figure 11.
    """
    from matplotlib.figure import Figure

    scores = as_scores(table)
    notes, table = scores.notes, check_table(scores.rows)
    datasets = sorted(table["dataset"].unique())
    absent = [metric for metric in metrics if metric not in table or table[metric].isna().all()]
    if len(datasets) > 1:
        raise ValueError(f"figure 11 shows one dataset, got {', '.join(datasets)}; pass one alone")
    if absent or not metrics:
        raise ValueError(f"figure 11 needs scores for {', '.join(absent) or 'at least one metric'}")

    noises = noise_order(table["noise"].unique(), in_distribution[0])
    bands = ceil(len(noises) / MOST_ABREAST)
    columns = ceil(len(noises) / bands)
    rows = bands * len(metrics)
    width = min(max(columns, 1.5) * WIDTH / 3, WIDTH)
    figure = Figure(figsize=(width, 0.9 + (2.2 if bands == 1 else 1.9) * rows))
    figure.set_layout_engine("constrained", h_pad=0.06, w_pad=0.06)
    axes = figure.subplots(rows, columns, squeeze=False)
    styles = line_styles(table["model"].unique(), reference)
    for place in range(bands * columns):
        band, column = divmod(place, columns)
        panels = axes[band * len(metrics) : (band + 1) * len(metrics), column]
        if place >= len(noises):
            for panel in panels:
                panel.set_axis_off()
            continue
        noise = noises[place]
        levels = mild_to_hard(table, noise)
        for panel, metric in zip(panels, metrics, strict=True):
            _curves(panel, table[table["noise"] == noise], metric, levels, styles)
            panel.tick_params(labelbottom=panel is panels[-1])
            if column == 0:
                panel.set_ylabel(scores.scales[metric].label)
            if noise == in_distribution[0] and in_distribution[1] in levels:
                _mark_training(panel, levels.index(in_distribution[1]), panel is panels[0])
        starred = noise + ("*" if notes.get(noise) else "")
        panels[0].set_title(starred, fontsize=10, fontweight="bold")
        panels[-1].set_xlabel(textwrap.fill(scores.units.get(noise, "level"), 34), fontsize=8)
    figure.align_ylabels()
    legend_above(figure, axes, styles)
    footnotes = [f"* {noise}: {notes[noise]}" for noise in noises if notes.get(noise)]
    if footnotes:
        line = int(width * 15)  # characters of this size in an inch
        text = "\n".join(textwrap.fill(note, line) for note in footnotes)
        figure.supxlabel(text, fontsize=8, x=0.01, ha="left", color="0.25")
    return figure


def strip(pictures: dict[str, np.ndarray], scores: dict[str, float], title: str = "") -> Figure:
    """Equal crops side by side, each under its name and PSNR.

    Parameters
    ----------
    pictures
        Name to (H, W, 3), uint8 or [0, 1]; shown in this order, seven a row.
    scores
        Name to PSNR in dB; a picture without one, such as ``clean``, shows its name alone.

    Raises
    ------
    ValueError
        If there is no picture or they differ in shape.
    """
    from matplotlib.figure import Figure

    shapes = {name: picture.shape for name, picture in pictures.items()}
    if len(set(shapes.values())) != 1:
        found = ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "none"
        raise ValueError(f"a strip needs pictures of one shape, got {found}")
    height, width = next(iter(shapes.values()))[:2]
    rows = ceil(len(pictures) / STRIP_COLUMNS)
    columns = ceil(len(pictures) / rows)
    side = WIDTH / max(columns, 4)
    picture, above, below = side * height / width, 0.42, 0.25 if title else 0.03  # inches
    total = (picture + above) * rows + below
    figure = Figure(figsize=(side * columns, total))
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    figure.subplots_adjust(0, below / total, 1, 1 - above / total, 0.03, above / picture)
    size = min(9, 110 * side / max(len(label(name)) for name in pictures))  # names side by side
    for axis in axes:
        axis.set_axis_off()
    for axis, (name, shown) in zip(axes, pictures.items(), strict=False):  # the rest stays empty
        axis.imshow(shown, interpolation="nearest")
        score = f"{scores[name]:.2f} dB" if name in scores else " "
        axis.set_title(f"{label(name)}\n{score}", fontsize=size, pad=4)
    figure.text(0.003, 0.05 / total, title, fontsize=8, color="0.25")
    return figure


def line_styles(
    models: Sequence[str], reference: Sequence[str] = REFERENCE
) -> dict[str, dict[str, object]]:
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


def _curves(
    panel: Axes,
    rows: pd.DataFrame,
    metric: str,
    levels: list[float],
    styles: dict[str, dict[str, object]],
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


def open_panel(panel: Axes) -> None:
    """Give a panel the looks that all figures share: no box, a faint grid, small numbers."""
    panel.grid(True, color="0.9", linewidth=0.7)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize=8)


def _mark_training(panel: Axes, position: int, written: bool) -> None:
    panel.axvline(position, color="0.3", linewidth=1, linestyle=":", zorder=0)
    if written:
        place = (position + 0.05, 0.03)
        panel.annotate(
            "training level", place, xycoords=("data", "axes fraction"), fontsize=8, color="0.3"
        )


def legend_above(figure: Figure, axes: np.ndarray, styles: dict[str, dict[str, object]]) -> None:
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


def save_figure(figure: Figure, paths: Sequence[Path]) -> list[Path]:
    """Write a figure, each file whole, without the date and random names which differ every run."""
    import matplotlib

    for path in paths:
        metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
        content, form = BytesIO(), path.suffix[1:]
        with matplotlib.rc_context({"svg.hashsalt": "noisebench"}):
            figure.savefig(content, format=form, dpi=DOTS_PER_INCH, metadata=metadata)
        write_whole(path, content.getvalue())
        figure.set_layout_engine("none")  # laid out once is enough: half of the drawing time
    return list(paths)


def _legend(
    axes: np.ndarray, styles: dict[str, dict[str, object]]
) -> tuple[list[object], list[str]]:
    """A handle for every model which is drawn anywhere, in the order of the styles."""
    found = {}
    for panel in axes.ravel():
        for handle, name in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(name, handle)
    names = [label(model) for model in styles if label(model) in found]
    return [found[name] for name in names], names
