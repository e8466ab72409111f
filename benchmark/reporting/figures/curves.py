"""Figure 11: quality against level, drawn from a table of scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from benchmark.cells.scores import ROW, label_of
from benchmark.protocol import IN_DISTRIBUTION, REFERENCE
from benchmark.reporting.board import Board, noise_order
from benchmark.reporting.figures.style import (
    MOST_ABREAST,
    Size,
    Style,
    Styles,
    folded,
    legend_above,
    open_panel,
)
from benchmark.reporting.statistics import mild_to_hard
from benchmark.reporting.statistics.levels import level_means
from benchmark.reporting.statistics.trainings import network_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGIN = 0.07  # left and right of the levels, of their span
MOST_LINES = 7  # told apart in a panel; more of them are a tangle
DECADE = 8  # levels as far apart as this, hardest by mildest, may stand on a logarithmic axis
TALL = {0: 1.45, 1: 0.68, 2: 1.1}  # inches of a panel, by `Style.columns`
OTHERS = "others"


@dataclass(frozen=True, eq=False)
class Curves:
    """What Figure 11 shows of one dataset.

    Parameters
    ----------
    rows
        A line per image: ``model``, the names of `ROW`, a column per metric. Where PSNR is among
        them, it says in which direction levels get harder.
    metrics
        What is written beside the axis of each metric, by its name; a row of panels each.
    models
        The models, of which the first `MOST_LINES` are told apart; the others are grey. By default
        those of ``rows``, the references first.
    units, notes
        What a noise's levels count, and its caveat, by noise.
    labels
        What is written for a model or a noise in place of its name, by its name.
    """

    rows: pd.DataFrame
    metrics: Mapping[str, str]
    models: Sequence[str] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    in_distribution: tuple[str, float] = IN_DISTRIBUTION
    reference: Sequence[str] = REFERENCE

    @classmethod
    def of(cls, board: Board, dataset: str, metrics: Sequence[str]) -> Curves:
        """The curves of a board's dataset, every figure of which tells the same models apart.

        They are the first of the board's own order, or else the references, the best model that
        names one to be compared with and that one, and the best out of distribution.
        """
        rows = board.rows[board.rows["dataset"] == dataset]
        columns = [name for name in dict.fromkeys(["psnr", *metrics]) if name in rows]
        ranking = next(iter(board.rankings[dataset].values()))
        best = [str(model) for model in ranking.table.index]
        partners = {network_of(one): network_of(other) for one, other in ranking.partners.items()}
        pairs = [(one, partners[one]) for one in best if partners.get(one) in best]
        first = [] if board.order else [*ranking.references, *(pairs[0] if pairs else ())]
        noises, scores = sorted(rows["noise"].unique()), board.scores
        return cls(
            rows[["model", *ROW, *columns]],
            {metric: board.scale(metric).label for metric in metrics},
            [*dict.fromkeys([*first, *best])],
            {noise: scores.units[noise] for noise in noises if scores.units.get(noise)},
            {noise: scores.notes[noise] for noise in noises if scores.notes.get(noise)},
            scores.labels,
            board.in_distribution,
            board.reference,
        )

    @property
    def has_single_levels(self) -> bool:
        """Whether a noise has one level alone, where strokes stand for bands."""
        return bool((self.rows.groupby("noise")["level"].nunique() == 1).any())

    @cached_property
    def noises(self) -> list[str]:
        """In the order of the panels."""
        return noise_order(self.rows["noise"].unique(), self.in_distribution[0])

    @property
    def everyone(self) -> list[str]:
        """The models, those which are told apart first."""
        names = {network_of(model) for model in self.rows["model"].unique()}
        known = [model for model in self.models if model in names]
        rest = sorted(names - {*known}, key=lambda name: (name not in self.reference, name))
        return [*known, *rest]

    @property
    def told_apart(self) -> list[str]:
        """The models with a line of their own looks."""
        return self.everyone[:MOST_LINES]

    @property
    def others(self) -> list[str]:
        """The models whose lines are grey."""
        return self.everyone[MOST_LINES:]

    def title(self, noise: str) -> str:
        """What is written above a noise's panels: with a star where it has a caveat."""
        return label_of(noise, self.labels) + "*" * bool(self.notes.get(noise))

    def unit(self, noise: str, short: bool = False) -> str:
        """What its levels count; short, its first words alone."""
        unit = self.units.get(noise) or "level"
        return unit.split(", ")[0] if short else unit


def figure11(curves: Curves, style: Style | None = None) -> Figure:
    """Quality against level, mild to hard: panels of each noise and metric, a line per model [1]_.

    Levels stand true to scale, on a logarithmic axis where they grow by factors. A point is the
    mean over the images and seeds that all models on this panel's level have; the band around a
    line is its 95 % interval.

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

    rows, metrics, style = curves.rows, list(curves.metrics), style or Style()
    datasets = sorted(rows["dataset"].unique())
    absent = [metric for metric in metrics if metric not in rows or rows[metric].isna().all()]
    if len(datasets) > 1:
        raise ValueError(f"figure 11 shows one dataset, got {', '.join(datasets)}; pass one alone")
    if absent or not metrics:
        raise ValueError(f"figure 11 needs scores for {', '.join(absent) or 'at least one metric'}")

    layout, size, (trained, level) = _layout(curves, style), style.size, curves.in_distribution
    figure = Figure(figsize=(layout.width, 1))
    styles = style.lines(curves.told_apart, curves.reference)
    others = {OTHERS: style.others} if curves.others else {}
    looks = {label_of(model, curves.labels): look for model, look in styles.items()} | others
    height = legend_above(figure, looks, size) + layout.height
    figure.set_figheight(height)
    means = [level_means(rows, metric) for metric in metrics]
    for noise in curves.noises:
        levels, (x, ys), panels = mild_to_hard(rows, noise), layout.places[noise], []
        for points, y, label in zip(means, ys, curves.metrics.values(), strict=True):
            box = x / layout.width, y / height, layout.across / layout.width, layout.tall / height
            panel = figure.add_axes(box, label=noise)
            if noise in points.index:
                _lines(panel, pd.DataFrame(points.loc[noise]), levels, curves, styles, style)
            _level_axis(panel, levels, layout.across, size)
            if noise == trained and level in levels:
                panel.axvline(level, color="0.3", linewidth=0.7, linestyle=":", zorder=0)
            if x == layout.left:
                panel.set_ylabel(label, fontsize=size.large)
                panel.yaxis.set_label_coords((1.5 * size.large / 72 - x) / layout.across, 0.5)
            panels.append(panel)
        for panel in panels[:-1]:
            panel.tick_params(labelbottom=False)
        title = {"fontsize": size.large, "fontweight": "bold", "pad": 0.4 * size.large}
        panels[0].set_title(layout.titles[noise], **title)
        panels[-1].set_xlabel(layout.units[noise], fontsize=size.small, labelpad=0.3 * size.small)
    return figure


class Layout(NamedTuple):
    """Where panels stand, in inches: to lay them out by trial takes most of the time of a figure.

    Parameters
    ----------
    width, height
        Of the figure, without its legend.
    left, across, tall
        The place of a row's first panel; a panel's width and height.
    places
        By noise, from the left its panels, and from the bottom each of them.
    titles, units
        By noise, folded into as many lines as they need.
    """

    width: float
    height: float
    left: float
    across: float
    tall: float
    places: dict[str, tuple[float, list[float]]]
    titles: dict[str, str]
    units: dict[str, str]


def _layout(curves: Curves, style: Style) -> Layout:
    noises, size, metrics = curves.noises, style.size, len(curves.metrics)
    bands = ceil(len(noises) / MOST_ABREAST)
    columns = ceil(len(noises) / bands)
    small, large = size.small / 72, size.large / 72
    width = size.width if style.columns else size.width * min(max(columns, 1.5) / 3, 1)
    left, gap, right = 2.8 * small + 1.8 * large, 3.2 * small, 0.8 * small
    across = (width - left - right + gap) / columns - gap
    titles, units = {}, {}
    for noise in noises:
        titles[noise] = folded(curves.title(noise), across + gap, size.large, bold=True)
        unit = curves.unit(noise, short=style.columns > 0)
        units[noise] = folded(unit, across + 0.9 * gap, size.small)
    tall, between = TALL[style.columns], 1.2 * small
    height, places = 0.0, {}
    for first in reversed(range(0, len(noises), columns)):  # from the bottom
        row = noises[first : first + columns]
        height += 1.25 * small * max(units[noise].count("\n") + 1 for noise in row) + 2.6 * small
        ys = [height + n * (tall + between) for n in reversed(range(metrics))]
        for place, noise in enumerate(row):
            places[noise] = left + place * (across + gap), ys
        height = ys[0] + tall + 0.4 * large
        height += 1.25 * large * max(titles[noise].count("\n") + 1 for noise in row)
    return Layout(width, height, left, across, tall, places, titles, units)


def _lines(
    panel: Axes,
    points: pd.DataFrame,
    levels: list[float],
    curves: Curves,
    styles: Styles,
    style: Style,
) -> None:
    """The lines of one noise by one metric, from the mildest level to the hardest."""
    table = points.unstack("model").reindex(levels)
    grey = [model for model in curves.others if model in table["mean"]]
    is_alone = len(levels) == 1  # a line of one point is none
    if grey:
        marker = "." if is_alone else "None"
        panel.plot(levels, table["mean"][grey], marker=marker, **style.others, zorder=1)
    for model, look in styles.items():
        if model not in table["mean"]:
            continue
        mean, low, high = (table[name][model] for name in ("mean", "low", "high"))
        if is_alone:
            width = style.size.line
            panel.vlines(levels, low, high, color=look["color"], alpha=0.4, linewidth=width)
        elif low.notna().any():
            panel.fill_between(levels, low, high, color=look["color"], alpha=0.1, linewidth=0)
        panel.plot(levels, mean, label=label_of(model, curves.labels), **look)
    panel.margins(y=0.06)
    open_panel(panel, style.size)


def _level_axis(panel: Axes, levels: list[float], across: float, size: Size) -> None:
    """The axis of a panel of so many inches: true to scale, a tick at each level, harder right."""
    from matplotlib.ticker import MaxNLocator, NullLocator

    values = np.array(levels)
    if grows_by_factors(levels):
        panel.set_xscale("log")
        panel.xaxis.set_minor_locator(NullLocator())
        values = np.log(values)
    places = (values - values[0]) / ((values[-1] - values[0]) or 1)  # 0 the mildest, 1 the hardest
    margin = MARGIN * ((values[-1] - values[0]) or abs(values[0]) or 1)
    limits = np.array([values[0] - margin, values[-1] + margin])
    panel.set_xlim(*(np.exp(limits) if panel.get_xscale() == "log" else limits))
    texts, room = [f"{level:g}" for level in levels], across / (1 + 2 * MARGIN)
    shown: list[int] = []
    for place in sorted(range(len(texts)), key=lambda n: (0 < n < len(texts) - 1, n)):
        halves = [(len(texts[place]) + len(texts[n]) + 1) * 0.32 * size.small / 72 for n in shown]
        gaps = [abs(places[place] - places[n]) * room for n in shown]
        if all(gap > half for gap, half in zip(gaps, halves, strict=True)):
            shown.append(place)
    panel.set_xticks(levels, [text if n in shown else "" for n, text in enumerate(texts)])
    panel.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    panel.ticklabel_format(axis="y", useOffset=False)


def grows_by_factors(levels: Sequence[float]) -> bool:
    """Whether levels span about a decade, and stand more evenly on a logarithmic axis."""
    values = np.sort(levels)
    if values[0] <= 0 or values[-1] < DECADE * values[0]:
        return False
    steps, factors = np.diff(values), np.diff(np.log(values))
    return bool(factors.max() / factors.min() < steps.max() / steps.min())
