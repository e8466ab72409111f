"""The critical-difference diagram: mean ranks on an axis, bars over models that are tied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING

from benchmark.cells.scores import label_of
from benchmark.protocol import REFERENCE
from benchmark.reporting.figures.style import SIZES, Style, literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from benchmark.reporting.ranking import Ranking

# inches where letters have 10 points
LINE = 0.21  # between two names, and between two bars
NAME = 0.08  # of a letter of a name, on the mean
JOINT = 0.12  # from the axis' ends to where names begin
NUMBER = 0.2  # of a rank below the axis
AXIS = {0: 3.0, 1: 1.0, 2: 3.0}  # inches of the axis, at least: names may have 100 letters


@dataclass(frozen=True)
class Diagram:
    """What one panel shows.

    Parameters
    ----------
    title
        Its metric.
    ranks
        Mean rank by model, 1 is the best.
    groups
        Sets of models of which no two can be told apart; those of one model have no bar.
    labels
        What is written in place of a model's name, by its name.
    """

    title: str
    ranks: Mapping[str, float]
    groups: Sequence[Sequence[str]]
    labels: Mapping[str, str] = field(default_factory=dict)

    def label(self, model: str) -> str:
        """What is written for a model."""
        return label_of(model, self.labels)

    @classmethod
    def of(cls, ranking: Ranking) -> Diagram:
        """The diagram of a ranking."""
        ranks = {str(model): float(rank) for model, rank in ranking.mean_ranks.items()}
        return cls(f"OOD mean, {ranking.scale.label}", ranks, ranking.tied, ranking.labels)


def ranks_figure(
    diagrams: Sequence[Diagram], style: Style | None = None, reference: Sequence[str] = REFERENCE
) -> Figure:
    """Critical-difference diagrams [1]_ below each other: mean ranks, and bars of tied models.

    Models of the better half are named on the left, the others on the right; references are grey.
    What joins models is given with the diagram, here tests of each pair [2]_.

    Raises
    ------
    ValueError
        If there is no diagram, or one has fewer than two models.

    References
    ----------
    .. [1] Demšar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7, 2006.
    .. [2] Benavoli, Corani and Mangili, "Should we really use post-hoc tests based on mean-ranks?",
       JMLR 17, 2016.
    """
    from matplotlib.figure import Figure

    least = min((len(diagram.ranks) for diagram in diagrams), default=0)
    if least < 2:
        raise ValueError(f"a diagram of mean ranks needs two models or more, got {least}")
    style = style or Style()
    scale = style.size.large / 10
    heights = [scale * _height(diagram) for diagram in diagrams]
    longest = max(len(diagram.label(model)) for diagram in diagrams for model in diagram.ranks)
    edge = scale * (2 * JOINT + NAME * (longest + len("  10.00")))
    width, top = max(style.size.width, 2 * edge + AXIS[style.columns]), sum(heights)
    figure = Figure(figsize=(width, top))
    for diagram, height in zip(diagrams, heights, strict=True):
        bottom = (top - height) / sum(heights)
        box = edge / width, bottom, 1 - 2 * edge / width, height / sum(heights)
        _draw(figure.add_axes(box), diagram, (width - 2 * edge) / scale, style, reference)
        top -= height
    return figure


def _bars(diagram: Diagram) -> list[list[str]]:
    return [list(group) for group in diagram.groups if len(group) > 1]


def _height(diagram: Diagram) -> float:
    """Inches of a panel: its title and axis, its bars, its names."""
    return 0.75 + LINE * (len(_bars(diagram)) + (len(diagram.ranks) + 1) // 2 + 0.5)


def _draw(
    panel: Axes, diagram: Diagram, width: float, style: Style, reference: Sequence[str]
) -> None:
    """One panel whose y is inches below the axis, where letters have 10 points."""
    size, thin = style.size, style.size.line / SIZES[0].line
    ranks = dict(sorted(diagram.ranks.items(), key=lambda pair: (pair[1], pair[0])))
    models, count = list(ranks), len(ranks)
    panel.set_xlim(1, count)
    panel.set_ylim(_height(diagram) - 0.6, -0.6)
    panel.set_axis_off()
    panel.plot([1, count], [0, 0], color="0.2", linewidth=thin, clip_on=False)
    for rank in range(1, count + 1):
        panel.plot([rank, rank], [0, -0.06], color="0.2", linewidth=thin, clip_on=False)
        if (rank - 1) % ceil(NUMBER * (count - 1) / width) == 0:
            panel.text(rank, -0.1, str(rank), ha="center", va="bottom", fontsize=size.small)
    panel.text((1 + count) / 2, -0.36, diagram.title, ha="center", va="bottom", fontsize=size.large)
    styles, bars = style.lines(models, reference), _bars(diagram)
    below = LINE * (len(bars) + 1)
    left, joint = (count + 1) // 2, JOINT * (count - 1) / width  # the latter in ranks
    for place, (model, rank) in enumerate(ranks.items()):
        on_left = place < left
        depth = below + LINE * (place if on_left else count - 1 - place)
        end = 1 - joint if on_left else count + joint
        colour = styles[model]["color"]
        line = {"color": colour, "linewidth": thin, "clip_on": False}
        panel.plot([rank, rank, end], [0, depth, depth], **line)
        gap = -joint / 2 if on_left else joint / 2
        side = "right" if on_left else "left"
        name = diagram.label(model)
        name = f"{name}  {rank:.2f}" if on_left else f"{rank:.2f}  {name}"
        panel.text(end + gap, depth, literal(name), ha=side, va="center", fontsize=0.9 * size.large)
    for place, members in enumerate(bars, start=1):
        depth, its_ranks = LINE * (place - 0.35), sorted(ranks[model] for model in members)
        line = {"color": "0.1", "linewidth": 2.6 * thin, "marker": "o"}
        line |= {"markersize": size.marker, "clip_on": False, "zorder": 3}
        panel.plot(its_ranks, [depth] * len(members), **line)
