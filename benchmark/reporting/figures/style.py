"""The looks which all figures share: colours, markers, sizes, legends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmark.protocol import REFERENCE
from benchmark.reporting.statistics.trainings import network_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Of Paul Tol's colour-blind safe schemes (SRON technical note 3.2, 2021), chosen so that any two
# differ by CIEDE2000 16 to normal, protanopic and deuteranopic eyes, and by 6 in lightness L*, 16
# to 77, so in grey print as well.
COLOURS = ("#CC3311", "#222255", "#EE9A33", "#5289C7", "#44AA99", "#72190E", "#66CCEE", "#225555")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", (0, (7, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (1.5, 1)), (0, (4, 1, 1, 1, 1, 1)))
# A look is a place: place 9 has the first colour again, with another marker and dash. No two of
# 280 are alike. The models of the paper and ours have theirs wherever they are shown.
PLACES = {
    name: place
    for place, name in enumerate(
        ["masked", "baseline", "swinir", "dropout", "dncnn", "ridnet", "restormer", "rnan"]
        + ["masked_80_90", "nlm", "tv", "wavelet"]
    )
} | {"idf": 15}  # rnan's colour: 12 has dncnn's, beside which it stands where nothing else does
REFERENCE_GREYS = ("#9E9E9E", "#000000", "#595959")
OTHERS_GREY = "#C4C4C4"  # of models which are shown, but not told apart
SHAPES = "os^v<>DdPXph*Hx+"  # markers which one may choose

LETTER = 0.6  # width of a letter of DejaVu Sans on the mean, by its height
MOST_ABREAST = 4  # panels of curves: five would be too small to read

Styles = dict[str, dict[str, Any]]  # by model, the keywords of `Axes.plot`


class Size(NamedTuple):
    """How large a figure and its parts are."""

    width: float  # inches
    small: float  # points of the numbers at axes, and of units
    large: float  # points of titles, labels and the legend
    line: float  # points
    marker: float  # points


# by the columns of a two-column paper which a figure fills; 0 is a README, 900 pixels
SIZES = {
    0: Size(9.0, 8, 10, 1.7, 4.5),
    1: Size(3.5, 6, 7, 0.9, 2.6),
    2: Size(7.16, 7, 8, 1.2, 3.4),
}
WIDTH = SIZES[0].width


@dataclass(frozen=True)
class Style:
    """How figures look: a model has one colour, marker and dash whatever else is shown.

    Parameters
    ----------
    colours
        By model: ``#CC3311``, or a name of CSS.
    markers
        By model: one of `SHAPES`, as matplotlib calls them.
    columns
        How many of a paper's two columns a figure fills: 1 is 3.5 inches, 2 is 7.16; 0 is a README.
    everyone
        All models of the folder, shown or not; trainings are one model. Those without a look of
        their own have that of the network they are called after, ``masked`` of ``masked_small``, or
        else the first which is left, by name.

    Raises
    ------
    ValueError
        If a colour, a marker or the number of columns is none of these.
    """

    colours: Mapping[str, str] = field(default_factory=dict)
    markers: Mapping[str, str] = field(default_factory=dict)
    columns: int = 0
    everyone: Sequence[str] = ()

    def __post_init__(self) -> None:
        for model, colour in self.colours.items():
            _hex(model, colour)
        for model, marker in self.markers.items():
            if marker not in [*SHAPES]:
                raise ValueError(
                    f"the marker '{marker}' of {model} is not known; take one of {' '.join(SHAPES)}"
                )
        if self.columns not in [*SIZES]:  # which may be a list of a file
            raise ValueError(
                f"a figure cannot fill columns={self.columns} of a paper; take 1 or 2, or 0 for a "
                f"README"
            )

    @property
    def size(self) -> Size:
        """How large its figures are."""
        return SIZES[self.columns]

    def lines(self, models: Sequence[str], reference: Sequence[str] = REFERENCE) -> Styles:
        """By model the keywords of `Axes.plot`, in the order of ``models``; references are grey."""
        everyone = {*map(network_of, self.everyone), *models} - {*reference}
        places, size = self._places(everyone), self.size
        styles = {}
        for model in models:
            if model in reference:
                grey = REFERENCE_GREYS[list(reference).index(model) % len(REFERENCE_GREYS)]
                looks = {"color": grey, "linestyle": (0, (3, 2)), "marker": "x"}
                looks |= {"markersize": 0.9 * size.marker, "linewidth": 0.7 * size.line}
            else:
                place = places[model]
                looks = {
                    "color": COLOURS[place % len(COLOURS)],
                    "linestyle": DASHES[place % len(DASHES)],
                    "marker": MARKERS[place % len(MARKERS)],
                    "markersize": size.marker,
                    "linewidth": size.line,
                }
            if model in self.colours:
                looks["color"] = _hex(model, self.colours[model])
            looks["marker"] = self.markers.get(model, looks["marker"])
            styles[model] = looks
        return styles

    @property
    def others(self) -> dict[str, Any]:
        """The looks of models which are shown, but not told apart."""
        return {"color": OTHERS_GREY, "linewidth": 0.5 * self.size.line}

    @staticmethod
    def _places(models: set[str]) -> dict[str, int]:
        """The look of each model: its own, its network's, or the first which no other has."""
        found = {model: PLACES[model] for model in models if model in PLACES}
        for model in sorted(models - {*found}):
            called_after = max(
                (n for n in PLACES if model.startswith(f"{n}_")), key=len, default=""
            )
            if called_after and PLACES[called_after] not in found.values():
                found[model] = PLACES[called_after]
        taken = {*found.values()}
        free = (place for place in count() if place not in taken)
        return found | dict(zip(sorted(models - {*found}), free, strict=False))


def _hex(model: str, colour: str) -> str:
    """A colour as ``#cc3311``."""
    from PIL import ImageColor

    try:
        return "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(str(colour))[:3])
    except ValueError:
        raise ValueError(
            f"the colour '{colour}' of {model} is not known; write it as '#CC3311' or by a name of "
            f"CSS, such as crimson"
        ) from None


def open_panel(panel: Axes, size: Size = SIZES[0]) -> None:
    """Give a panel the looks that all figures share: no box, a faint grid, small numbers."""
    thin = size.line / SIZES[0].line
    panel.grid(True, color="0.9", linewidth=0.7 * thin)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_linewidth(0.8 * thin)
    panel.tick_params(labelsize=size.small, width=0.8 * thin, length=3.5 * thin, pad=3.5 * thin)


def legend_above(figure: Figure, looks: Styles, size: Size) -> float:
    """Write one legend for all panels over them, in as many columns as the figure has room for.

    Parameters
    ----------
    looks
        By label, in the order in which they are written.

    Returns
    -------
    float
        Inches which it takes.
    """
    from matplotlib.lines import Line2D

    em = size.large / 72
    abreast = len(looks)
    while abreast > 1:  # matplotlib fills its columns one after the other
        columns = np.array_split([len(label) for label in looks], abreast)
        if em * sum(5 + LETTER * max(of) for of in columns) <= figure.get_figwidth() - em:
            break
        abreast -= 1
    figure.legend(
        [Line2D([], [], **look) for look in looks.values()],
        [*map(literal, looks)],
        loc="outside upper center",
        ncols=abreast,
        frameon=False,
        fontsize=size.large,
        handlelength=2.8,
        handletextpad=0.6,
        columnspacing=1.2,
        labelspacing=0.3,
        borderaxespad=0.3,
    )
    return em * (1.35 * ceil(len(looks) / abreast) + 1)


def folded(text: str, inches: float, points: float, bold: bool = False) -> str:
    """A text in lines which are so wide; words end at spaces, and names after underscores."""
    letters = int(inches * 72 / points / (1.15 * LETTER if bold else LETTER))
    words = text.replace("_", "_\0").replace(" ", " \0").split("\0")
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1] + word.rstrip()) > letters:
            lines.append("")
        lines[-1] += word
    return literal("\n".join(line.rstrip() for line in lines))


def literal(text: str) -> str:
    """A text whose dollars are dollars: matplotlib takes what is between two for a formula."""
    return text.replace("$", r"\$")
