"""The critical-difference diagram: mean ranks on an axis, bars over models that are tied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.protocol import REFERENCE
from benchmark.reporting.board import label
from benchmark.reporting.figures.style import WIDTH, line_styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from benchmark.reporting.ranking import Ranking

CAPTION = (
    "Mean ranks over images, 1 the best. A bar joins models which cannot be told apart, those of "
    "one letter in the table, with a dot at each. After Demšar (2006), with the tests of the table "
    "in place of Nemenyi's critical difference."
)
LINE = 0.21  # inches between two names, and between two bars
LETTER = 0.085  # inches of a letter of a name, on the mean
JOINT = 0.12  # inches from the axis' ends to where names begin
AXIS = 3.0  # inches of the axis, at least: names may have 100 letters


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
    """

    title: str
    ranks: Mapping[str, float]
    groups: Sequence[Sequence[str]]

    @classmethod
    def of(cls, ranking: Ranking) -> Diagram:
        """The diagram of a ranking."""
        ranks = {str(model): float(rank) for model, rank in ranking.mean_ranks.items()}
        return cls(f"OOD mean, {ranking.scale.label}", ranks, ranking.tied)


def ranks_figure(diagrams: Sequence[Diagram], reference: Sequence[str] = REFERENCE) -> Figure:
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
    heights = [_height(diagram) for diagram in diagrams]
    longest = max(len(label(model)) for diagram in diagrams for model in diagram.ranks)
    edge = 2 * JOINT + LETTER * (longest + len("  10.00"))
    width, top = max(WIDTH, 2 * edge + AXIS), sum(heights)
    figure = Figure(figsize=(width, top))
    for diagram, height in zip(diagrams, heights, strict=True):
        bottom = (top - height) / sum(heights)
        box = edge / width, bottom, 1 - 2 * edge / width, height / sum(heights)
        _draw(figure.add_axes(box), diagram, height, width - 2 * edge, reference)
        top -= height
    return figure


def _bars(diagram: Diagram) -> list[list[str]]:
    return [list(group) for group in diagram.groups if len(group) > 1]


def _height(diagram: Diagram) -> float:
    """Inches of a panel: its title and axis, its bars, its names."""
    return 0.75 + LINE * (len(_bars(diagram)) + (len(diagram.ranks) + 1) // 2 + 0.5)


def _draw(
    panel: Axes, diagram: Diagram, height: float, width: float, reference: Sequence[str]
) -> None:
    """One panel of so many inches, whose y is inches below the axis."""
    ranks = dict(sorted(diagram.ranks.items(), key=lambda pair: (pair[1], pair[0])))
    models, count = list(ranks), len(ranks)
    panel.set_xlim(1, count)
    panel.set_ylim(height - 0.6, -0.6)
    panel.set_axis_off()
    panel.plot([1, count], [0, 0], color="0.2", linewidth=1, clip_on=False)
    for rank in range(1, count + 1):
        panel.plot([rank, rank], [0, -0.06], color="0.2", linewidth=1, clip_on=False)
        panel.text(rank, -0.1, str(rank), ha="center", va="bottom", fontsize=8)
    panel.text((1 + count) / 2, -0.36, diagram.title, ha="center", va="bottom", fontsize=10)
    styles, bars = line_styles(models, reference), _bars(diagram)
    below = LINE * (len(bars) + 1)
    left, joint = (count + 1) // 2, JOINT * (count - 1) / width  # the latter in ranks
    for place, (model, rank) in enumerate(ranks.items()):
        on_left = place < left
        depth = below + LINE * (place if on_left else count - 1 - place)
        end = 1 - joint if on_left else count + joint
        colour = styles[model]["color"]
        line = {"color": colour, "linewidth": 1, "clip_on": False}
        panel.plot([rank, rank, end], [0, depth, depth], **line)
        gap = -joint / 2 if on_left else joint / 2
        side = "right" if on_left else "left"
        name = f"{label(model)}  {rank:.2f}" if on_left else f"{rank:.2f}  {label(model)}"
        panel.text(end + gap, depth, name, ha=side, va="center", fontsize=9)
    for place, members in enumerate(bars, start=1):
        depth, its_ranks = LINE * (place - 0.35), sorted(ranks[model] for model in members)
        line = {"color": "0.1", "linewidth": 2.6, "marker": "o", "markersize": 4.5}
        panel.plot(its_ranks, [depth] * len(members), clip_on=False, zorder=3, **line)
