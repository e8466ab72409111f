"""Scores against what analyses found: a panel a measure, a point a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.reporting.figures.style import legend_above, open_panel
from benchmark.studies.analyses.look import PLAIN, Look

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Scatter:
    """One panel.

    Parameters
    ----------
    points
        By network, what the measure found and its score in dB.
    text
        Written above the points.
    """

    measure: str
    points: Mapping[str, tuple[float, float]]
    text: str


def scatter(shown: Sequence[Scatter], look: Look = PLAIN) -> Figure:
    """Panels side by side, one scale of scores, a network of one look in all of them."""
    from matplotlib.figure import Figure

    models = list(dict.fromkeys(model for one in shown for model in one.points))
    size, looks = look.size, look.lines(models)
    for points in looks.values():
        points |= {"linestyle": "none", "markersize": 1.6 * size.marker}
    figure = Figure(figsize=(size.width, 1), layout="constrained")
    legend = legend_above(figure, look.legend(looks), size)
    figure.set_figheight(legend + max(0.33 * size.width, 1.6))
    panels = figure.subplots(1, len(shown), squeeze=False, sharey=True)[0]
    for panel, one in zip(panels, shown, strict=True):
        open_panel(panel, size)
        for model, (x, y) in one.points.items():
            panel.plot([x], [y], **looks[model])
        panel.set_title(one.text, fontsize=size.small)
        panel.set_xlabel(one.measure, fontsize=size.large)
    panels[0].set_ylabel("OOD mean, PSNR (dB)", fontsize=size.large)
    return figure
