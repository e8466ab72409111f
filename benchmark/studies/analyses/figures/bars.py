"""Figure 14: a number for each network under each noise as bars, with floors, and what sizes do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from benchmark.reporting.figures.style import Styles, legend_above, open_panel
from benchmark.studies.analyses.look import PLAIN, Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UPPER, LOWER = 0.37, 0.25  # heights of the panels, of the width
GROUP = 0.8  # of the width of a noise, that its bars take
DASHES = ("-", (0, (2, 1)))  # of the lines of floors


@dataclass(frozen=True, eq=False)
class Bars:
    """A network under a noise.

    Parameters
    ----------
    by_size
        The number by the size of the sample it was measured with; the bar has that of the largest.
    floors
        What it is where nothing differs: by name, in the order of `DASHES`.
    """

    model: str
    noise: str
    by_size: Mapping[int, float]
    floors: Mapping[str, float] = field(default_factory=dict)


def bars_and_sizes(shown: Sequence[Bars], label: str, look: Look = PLAIN) -> Figure:
    """A bar for each network in the group of its noise [1]_; below, the number against the size.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
       Figure 14.
    """
    from matplotlib.figure import Figure

    size, models = look.size, list(dict.fromkeys(one.model for one in shown))
    looks, floors = look.lines(models), dict.fromkeys(f for one in shown for f in one.floors)
    lines = {
        name: {"color": "black", "linestyle": dashes, "linewidth": 0.8 * size.line}
        for name, dashes in zip(floors, DASHES, strict=False)
    }
    figure = Figure(figsize=(size.width, 1), layout="constrained")
    legend = legend_above(figure, look.legend(looks) | lines, size)
    figure.set_figheight(legend + (UPPER + LOWER) * size.width)
    above, below = figure.subplots(2, 1, height_ratios=(UPPER, LOWER))
    for panel in (above, below):
        open_panel(panel, size)
        panel.set_ylabel(label, fontsize=size.large)
        panel.set_axisbelow(True)
    _bars(above, shown, looks, lines)
    above.tick_params(axis="x", labelsize=size.large, length=0)
    for one in shown:
        thin = {**looks[one.model], "linewidth": 0.6 * size.line}
        below.plot(list(one.by_size), list(one.by_size.values()), **thin)
    sizes = sorted({count for one in shown for count in one.by_size})
    below.set_xscale("log")
    below.set_xticks(sizes, [str(count) for count in sizes], minor=False)
    below.set_xticks([], minor=True)
    below.set_xlabel("patches", fontsize=size.small)
    low, high = below.get_ylim()
    line = (high - low) * 1.2 * size.small / 72 / (LOWER * size.width)
    aside = {"textcoords": "offset points", "fontsize": size.small, "va": "center"}
    for noise, height in _spaced(shown, line).items():
        below.annotate(noise, (sizes[-1], height), (size.small, 0), **aside)
    return figure


def _spaced(shown: Sequence[Bars], least: float) -> dict[str, float]:
    """By noise where it is written: at the mean of its lines' ends, so far apart at least."""
    ends: dict[str, list[float]] = {}
    for one in shown:
        ends.setdefault(one.noise, []).append(one.by_size[max(one.by_size)])
    means = {noise: sum(values) / len(values) for noise, values in ends.items()}
    found, height = {}, -inf
    for noise in sorted(means, key=means.__getitem__):
        found[noise] = height = max(means[noise], height + least)
    return found


def _bars(panel: Axes, shown: Sequence[Bars], looks: Styles, lines: Styles) -> None:
    models = list(looks)
    noises = list(dict.fromkeys(one.noise for one in shown))
    width = GROUP / len(models)
    for one in shown:
        place = noises.index(one.noise) + (models.index(one.model) + 0.5) * width - GROUP / 2
        panel.bar(
            place, one.by_size[max(one.by_size)], 0.9 * width, color=looks[one.model]["color"]
        )
        for name, floor in one.floors.items():
            ends = (place - width / 2, place + width / 2)
            panel.hlines(floor, *ends, colors="white", linewidth=3 * lines[name]["linewidth"])
            panel.plot(ends, (floor, floor), **lines[name])
    panel.set_xticks(range(len(noises)), noises)
    panel.grid(False, axis="x")
    panel.set_xlim(-0.5, len(noises) - 0.5)
