"""What an ablation shows: its variants side by side, the published numbers, its two figures."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmark.cells.scores import Scores, as_scores, label_of
from benchmark.protocol import IN_DISTRIBUTION, REFERENCE
from benchmark.reporting.board import Board, Ranking
from benchmark.reporting.figures.style import COLOURS, WIDTH, open_panel
from benchmark.reporting.leaderboard import MOST_COLUMNS, notes, sentences, standings
from benchmark.reporting.tables import ABSENT, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

# Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023: Tables 1,
# 2 and 3a, mixture noise on CBSD68. Every line is legible in the paper's text. Tables 1 and 3a
# share a network (both masks; 80-90), which is 0.02 dB from the 75 of Table 2.
PUBLISHED = pd.DataFrame(
    [
        ("1", "attention mask only", 29.17, 0.8227),
        ("1", "input mask only", 26.96, 0.8202),
        ("1", "both masks", 29.74, 0.8672),
        ("2", "65", 29.57, 0.8657),
        ("2", "75", 29.76, 0.8678),
        ("2", "85", 28.84, 0.8548),
        ("3a", "75", 29.17, 0.8132),
        ("3a", "85", 29.44, 0.8545),
        ("3a", "95", 19.60, 0.7273),
        ("3a", "70-80", 29.86, 0.8593),
        ("3a", "75-85", 30.04, 0.8756),
        ("3a", "75-90", 29.87, 0.8728),
        ("3a", "75-95", 29.26, 0.8607),
        ("3a", "80-90", 29.74, 0.8672),
    ],
    columns=["table", "variant", "psnr", "ssim"],
).set_index(["table", "variant"])
PUBLISHED_NOISE = "mixture"
SCORED = ("psnr", "ssim")

LUMA = (0.299, 0.587, 0.114)  # of R, G and B: ITU-R BT.601
STEP = 4  # 8-bit steps of brightness in a bar of the figure: 64 bars
ABREAST = 4  # panels of brightness beside each other
TITLE = 22  # characters of a title in a line
BRIGHTER, DARKER, CLEAN = COLOURS[0], COLOURS[1], "0.75"
# where a name may stand beside its point, in points, the best first
PLACES = [(7, 5), (7, -13), (-7, 5), (-7, -13), (0, 10), (0, -18), (11, -4), (-11, -4)]
PLACES += [(7, 18), (7, -26), (-7, 18), (-7, -26)]  # where several points are one


def brightness(images: Iterable[np.ndarray]) -> np.ndarray:
    """The share of all pixels at each luma from 0 to 255, (256,): of clean images, or of outputs.

    Parameters
    ----------
    images
        (H, W, 3) uint8 RGB, of any sizes; each counts by its pixels.

    Raises
    ------
    ValueError
        If there is no image.
    """
    counts = np.zeros(256)
    for image in images:
        luma = np.rint(image.astype(float) @ LUMA).astype(int)
        counts += np.bincount(luma.ravel(), minlength=256)
    if not counts.sum():
        raise ValueError("a histogram of brightness needs at least one image, got none")
    return counts / counts.sum()


def mean_brightness(histogram: np.ndarray) -> float:
    """The mean luma of a `brightness`, in 8-bit steps."""
    return float(histogram @ np.arange(256))


def brightness_figure(
    histograms: Mapping[str, np.ndarray], title: str = "", clean: str = "clean"
) -> Figure:
    """How bright outputs are beside the clean images: a panel per variant, differences above [1]_.

    Parameters
    ----------
    histograms
        A `brightness` of the clean images, under the name ``clean``, and one of each variant's
        outputs.

    Raises
    ------
    ValueError
        If the histogram of the clean images or of any variant is missing.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
       Figures 5 and 6.
    """
    from matplotlib.figure import Figure

    variants = [name for name in histograms if name != clean]
    if clean not in histograms or not variants:
        found = ", ".join(histograms) or "none"
        raise ValueError(
            f"brightness needs histograms of '{clean}' and of at least one variant, got {found}"
        )
    bands = ceil(len(variants) / ABREAST)
    columns = ceil(len(variants) / bands)
    figure = Figure(figsize=(max(columns, 2) * WIDTH / ABREAST, 0.5 + 2.7 * bands))
    figure.set_layout_engine("constrained", h_pad=0.04, w_pad=0.05)
    ratios = [1, 2.2] * bands
    axes = figure.subplots(2 * bands, columns, squeeze=False, sharex=True, height_ratios=ratios)
    bars = {name: 100 * found.reshape(-1, STEP).sum(1) for name, found in histograms.items()}
    differences = {name: bars[name] - bars[clean] for name in variants}
    reach = 1.1 * max(np.abs(found).max() for found in differences.values()) or 1.0
    highest = 1.05 * max(found.max() for found in bars.values())
    for place in range(bands * columns):
        band, column = divmod(place, columns)
        above, below = axes[2 * band : 2 * band + 2, column]
        if place >= len(variants):
            above.set_axis_off()
            below.set_axis_off()
            continue
        name = variants[place]
        _difference_bars(above, differences[name], reach)
        _histogram_bars(below, bars[name], bars[clean], highest)
        shift = mean_brightness(histograms[name]) - mean_brightness(histograms[clean])
        said = f"{textwrap.fill(label_of(name), TITLE)}\nmean {shift:+.1f}"
        above.set_title(said, fontsize=9, fontweight="bold")
        if column == 0:
            above.set_ylabel("difference", fontsize=8)
            below.set_ylabel("% of pixels", fontsize=8)
        else:
            above.tick_params(labelleft=False)
            below.tick_params(labelleft=False)
        below.tick_params(labelbottom=True)
        if place + columns >= len(variants):  # nothing below it
            below.set_xlabel("brightness, 8-bit luma", fontsize=8)
    figure.align_ylabels(axes[:, 0])
    handles, names = axes[1, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=2, frameon=False, fontsize=9)
    if title:
        figure.supxlabel(title, fontsize=8, x=0.01, ha="left", color="0.25")
    return figure


def trade_off_figure(
    table: Scores | pd.DataFrame, names: Sequence[str], metric: str = "psnr"
) -> Figure:
    """Quality out of distribution against quality in distribution, a point per variant [1]_.

    Points are joined in the order of ``names``, such as rising mask ratios. Both means are those
    of `benchmark.reporting.board.Ranking.table`.

    Parameters
    ----------
    table
        Scores of one dataset.

    Raises
    ------
    ValueError
        If the table has several datasets, lacks a variant, or lacks the noise of training or any
        other.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
       Figure 7.
    """
    from matplotlib.figure import Figure

    ranking = _ranking(_board(table, names), metric)
    scores, scale = ranking.table, ranking.scale
    trained = f"{IN_DISTRIBUTION[0]} {IN_DISTRIBUTION[1]:g}"
    for column, what in (("in_distribution", trained), ("ood", f"a noise beside {trained}")):
        if scores[column].isna().any():
            raise ValueError(f"the trade-off needs scores at {what}; run the ablation with it")
    seen, unseen = scores["in_distribution"], scores["ood"]
    figure = Figure(figsize=(0.62 * WIDTH, 0.45 * WIDTH))
    figure.set_layout_engine("constrained", h_pad=0.08, w_pad=0.08)
    panel = figure.subplots()
    panel.plot(seen, unseen, color="0.6", linewidth=1.2, zorder=1)
    panel.scatter(seen, unseen, s=42, color=COLOURS[0], edgecolor="white", linewidth=0.8, zorder=2)
    open_panel(panel)
    panel.margins(0.16)
    arrow = "→" if scale.is_higher_better else "←"
    panel.set_xlabel(f"{trained}, trained on: {scale.label} {arrow}", fontsize=9)
    panel.set_ylabel(f"OOD mean: {scale.heading}", fontsize=9)
    _write_names(panel, list(map(label_of, scores.index)), np.column_stack([seen, unseen]))
    return figure


def markdown(
    name: str,
    question: str,
    command: str,
    table: Scores | pd.DataFrame,
    names: Sequence[str],
    *,
    published: Mapping[str, Sequence[str]] | None = None,
    histograms: Mapping[str, np.ndarray] | None = None,
    paragraphs: Sequence[str] = (),
) -> str:
    """The page of an ablation: its question, its variants' scores, the published ones beside them.

    Parameters
    ----------
    name, question, command
        What the ablation is called, what it asks, and what makes its page again.
    table
        Scores of one dataset; references stay in it.
    names
        The variants, in the order of their lines.
    published
        By variant, the paper's table and its name there: a key of `PUBLISHED`.
    histograms
        As in `brightness_figure`.
    paragraphs
        Markdown to stand after the tables: figures, notes.

    Raises
    ------
    ValueError
        If the table has several datasets or lacks a variant, or a published variant is unknown.
    """
    models = set(Board.of(table).rows["model"])
    board = _board(table, [*(name for name in REFERENCE if name in models - set(names)), *names])
    sections = [f"# Ablation: {name}", question, f"Made with `{command}`."]
    for metric in SCORED:
        if metric in board.metrics:
            sections += _section(board, metric)
    if histograms:
        sections += ["## Brightness", *_brightness(histograms)]
    if published:
        sections += ["## Published", *_published(board, published)]
    return "\n\n".join([*sections, *paragraphs]) + "\n"


def beside_published(
    table: Scores | pd.DataFrame, names: Sequence[str], published: Mapping[str, Sequence[str]]
) -> tuple[str, str]:
    """The scores of variants beside the published ones, a table and a sentence; see `markdown`."""
    return _published(_board(table, names), published)


def _board(table: Scores | pd.DataFrame, names: Sequence[str]) -> Board:
    """The board of the variants in their own order, from a table of one dataset."""
    scores = as_scores(table)
    datasets, models = sorted(set(scores.rows["dataset"])), set(scores.rows["model"])
    if len(datasets) > 1:
        raise ValueError(f"an ablation is about one dataset, got {', '.join(datasets)}")
    absent = [name for name in names if name not in models]
    if absent or not names:
        raise ValueError(
            f"the ablation has no scores of {', '.join(absent) or 'any variant'}; "
            f"it has {', '.join(sorted(models)) or 'none'}"
        )
    return Board(scores.of(models=names), order=names)


def _ranking(board: Board, metric: str) -> Ranking:
    return board.by(metric)[0]


def _section(board: Board, metric: str) -> list[str]:
    ranking = _ranking(board, metric)
    table = replace(standings(ranking), rule=0)
    if len(ranking.noises) > MOST_COLUMNS:
        table = table.transposed
    said = " ".join(sentences(board.scores, ranking))
    caveats = [f"- {noise}: {note}." for noise, note in notes(board.scores, [ranking]).items()]
    paragraphs = [f"## {table.caption}", table.markdown(), said]
    return [*paragraphs, "\n".join(caveats)] if caveats else paragraphs


def _brightness(histograms: Mapping[str, np.ndarray], clean: str = "clean") -> tuple[str, str]:
    truth = mean_brightness(histograms[clean])
    rows = []
    for name, histogram in histograms.items():
        mean = mean_brightness(histogram)
        shift = ABSENT if name == clean else f"{mean - truth:+.2f}"
        rows.append([label_of(name), f"{mean:.2f}", shift])
    said = "Mean luma of the clean images and of each variant's outputs, in 8-bit steps."
    return Table(["", "mean", "less clean"], rows).markdown(), said


def _published(board: Board, published: Mapping[str, Sequence[str]]) -> tuple[str, str]:
    """Ours beside the paper's, on its noise if it is there, else the mean over all others."""
    keys = {name: tuple(map(str, key)) for name, key in published.items()}
    unknown = [" ".join(key) for key in keys.values() if key not in PUBLISHED.index]
    if unknown:
        raise ValueError(
            f"nothing is published of {', '.join(unknown)}; choose a table and a variant of: "
            f"{', '.join(' '.join(key) for key in PUBLISHED.index)}"
        )
    found = {metric: _ranking(board, metric) for metric in SCORED if metric in board.metrics}
    scales = {metric: board.scale(metric) for metric in SCORED}
    mixture = all(PUBLISHED_NOISE in ranking.table for ranking in found.values())
    ours = PUBLISHED_NOISE if mixture else "ood"
    said = PUBLISHED_NOISE if mixture else "OOD mean"
    header = ["model", *(f"{scales[metric].label}, {said}" for metric in found)]
    header += ["published as", *(f"published {scale.label}" for scale in scales.values())]
    rows = []
    for name in board.order or ():
        if name in REFERENCE:
            continue
        texts = [label_of(name)]
        means = [(ranking.table.loc[name, ours], ranking.scale) for ranking in found.values()]
        texts += [ABSENT if np.isnan(m) else f"{m:.{scale.digits}f}" for m, scale in means]
        if name in keys:
            texts.append(f"Table {keys[name][0]}, {keys[name][1]}")
            texts += [f"{PUBLISHED.loc[keys[name], m]:.{scales[m].digits}f}" for m in SCORED]
        else:
            texts += [ABSENT] * 3
        rows.append(texts)
    sentence = (
        "Published: Chen et al., CVPR 2023, mixture noise of a level which is not stated, on "
        "CBSD68. Those are other networks, of another size and budget: SwinIR with four groups of "
        "six blocks and 60 channels, trained for 200 000 steps of 64 crops on four image sets. "
        "What a variant gains over another can be compared with theirs, the numbers cannot."
    )
    return Table(header, rows).markdown(), sentence


def _difference_bars(panel: Axes, difference: np.ndarray, reach: float) -> None:
    edges = np.arange(0, 256, STEP)
    colours = np.where(difference > 0, BRIGHTER, DARKER)
    panel.bar(edges, difference, STEP, align="edge", color=colours)
    panel.axhline(0, color="0.3", linewidth=0.7)
    panel.set_ylim(-reach, reach)
    panel.set_axisbelow(True)
    open_panel(panel)


def _histogram_bars(panel: Axes, restored: np.ndarray, clean: np.ndarray, highest: float) -> None:
    from matplotlib.ticker import FixedLocator

    edges = np.arange(0, 257, STEP)
    panel.stairs(clean, edges, fill=True, color=CLEAN, label="clean")
    panel.stairs(restored, edges, color=BRIGHTER, linewidth=1.3, label="restored")
    panel.set_ylim(0, highest)
    panel.set_xlim(0, 256)
    panel.xaxis.set_major_locator(FixedLocator([0, 64, 128, 192, 255]))
    panel.set_axisbelow(True)
    open_panel(panel)


def _write_names(panel: Axes, names: Sequence[str], points: np.ndarray) -> None:
    """Write each point's name beside it, where it covers least of names, points and their line."""
    # only the layout tells where points lie on the page
    panel.figure.figure.draw_without_rendering()
    on_page = panel.transData.transform(points)
    along = np.linspace(on_page[:-1], on_page[1:], 20).reshape(-1, 2)
    inside, taken = panel.get_window_extent(), []
    for name, point in zip(names, points, strict=True):
        costs = []
        for shift in PLACES:
            text = _name_at(panel, name, point, shift)
            box = text.get_window_extent()
            text.remove()
            cost = 3 * sum(map(box.overlaps, taken)) + 3 * box.count_contains(on_page)
            cost += bool(box.count_contains(along)) + 3 * (not _holds(inside, box))
            costs.append((cost, len(costs)))
        text = _name_at(panel, name, point, PLACES[min(costs)[1]])
        taken.append(text.get_window_extent())


def _name_at(panel: Axes, name: str, point: np.ndarray, shift: tuple[float, float]) -> Annotation:
    side = {1: "left", -1: "right", 0: "center"}[int(np.sign(shift[0]))]
    place = point[0], point[1]
    return panel.annotate(name, place, shift, textcoords="offset points", ha=side, fontsize=9)


def _holds(outer: Bbox, inner: Bbox) -> bool:
    return outer.contains(*inner.min) and outer.contains(*inner.max)
