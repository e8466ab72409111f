"""Visual comparisons: an image as several models restore it, with magnified crops and scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.pixels import cut
from benchmark.reporting.figures.style import COLOURS, SIZES, Size, folded, literal

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Box = tuple[int, int, int, int]  # top, left, height, width, in pixels
Area = tuple[float, float, float, float]  # left, top, width, height, in inches

FORMATS = ("pdf", "png", "tex")
INSETS = ("below", "corner", "only")  # where crops are shown
EDGES = tuple(COLOURS[place] for place in (0, 2, 6, 4))  # of crops, one after the other
LEAST = 0.8  # inches of a picture; where so many have no room, they stand in several lines
GAP = 0.035  # inches between two pictures
CORNER = 0.5  # of the shorter side, an inset in a corner
DOTS = 300  # a printed inch


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture, (H, W, 3) uint8, and its scores as they stand below it, bold where best."""

    pixels: np.ndarray
    scores: Sequence[str] = ()
    is_best: Sequence[bool] = ()


@dataclass(frozen=True, eq=False)
class Row:
    """Pictures of one size under a noise, which is written beside them."""

    title: str
    pictures: Sequence[Picture]


def comparison(
    rows: Sequence[Row],
    columns: Sequence[str],
    crops: Sequence[Box],
    insets: str = "below",
    size: Size = SIZES[0],
) -> Figure:
    """A row of pictures for each noise, as in Figures 1, 8, 9 and 10 of the paper [1]_.

    Parameters
    ----------
    columns
        What stands above the pictures of every row, one for each.
    crops
        Parts of the pictures which are magnified.
    insets
        ``"below"`` the whole image, in its ``"corner"`` far from what it shows, or ``"only"`` the
        crops.

    Raises
    ------
    ValueError
        If a crop is not inside the pictures, or ``insets`` is unknown.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023.
    """
    from matplotlib.figure import Figure

    shape = rows[0].pictures[0].pixels.shape
    check_crops(crops, insets, shape)
    letter = size.small / 72  # inches
    margin = 1.6 * letter  # of the titles at the left
    scores = [" / ".join(picture.scores) for row in rows for picture in row.pictures]
    least = max(LEAST, 0.62 * letter * max(map(len, scores)))
    lines = ceil(len(columns) / max(1, int((size.width - margin + GAP) / (least + GAP))))
    abreast = ceil(len(columns) / lines)
    side = (size.width - margin + GAP) / abreast - GAP
    cell = _Cell.of(side, shape, crops, insets)
    titles = [folded(row.title, cell.height, size.small) for row in rows]
    if more := max(title.count("\n") for title in titles):
        margin += 1.2 * letter * more
        side = (size.width - margin + GAP) / abreast - GAP
        cell = _Cell.of(side, shape, crops, insets)
    above, under = 1.7 * letter, 1.6 * letter * any(scores) + 2 * GAP  # each line of pictures
    starts = range(0, len(columns), abreast)
    bands = [(*of, first) for of in zip(rows, titles, strict=True) for first in starts]
    height = sum(
        above * (lines > 1 or band == 0) + cell.height + under for band in range(len(bands))
    )
    figure = Figure(figsize=(size.width, height))
    canvas = figure.add_axes((0, 0, 1, 1), xlim=(0, size.width), ylim=(height, 0))
    canvas.set_axis_off()
    middle = {"ha": "center", "va": "center", "fontsize": size.small}
    fit = min(size.small, 72 * side / (0.56 * max(map(len, columns))))  # points, to fit its column
    y = 0.0
    for band, (row, title, first) in enumerate(bands):
        named = lines > 1 or band == 0
        y += above * named
        canvas.text((margin - 0.1 * letter) / 2, y + cell.height / 2, title, rotation=90, **middle)
        for place, picture in enumerate(row.pictures[first : first + abreast]):
            x = margin + place * (side + GAP)
            if named:
                where = x + side / 2, y - above / 2
                canvas.text(*where, literal(columns[first + place]), **{**middle, "fontsize": fit})
            _draw_cell(canvas, picture.pixels, crops, cell, x, y)
            if picture.scores:
                where = x + side / 2, y + cell.height + 0.9 * letter
                _write(canvas, picture, where, size.small)
        y += cell.height + under
    return figure


def check_crops(crops: Sequence[Box], insets: str, shape: Sequence[int]) -> None:
    """Raise ``ValueError`` for crops which cannot be shown in this way."""
    if insets not in INSETS:
        raise ValueError(f"insets={insets} is unknown; take {', '.join(INSETS)}")
    if insets == "corner" and len(crops) > 1:
        raise ValueError(f"insets=corner shows one crop, got {len(crops)}; take insets=below")
    for top, left, height, width in crops:
        if min(top, left) < 0 or top + height > shape[0] or left + width > shape[1]:
            raise ValueError(
                f"the crop of {width}x{height} pixels at x={left}, y={top} is not inside the "
                f"image, which has {shape[1]}x{shape[0]}"
            )


@dataclass(frozen=True)
class _Cell:
    """Where a picture and its crops are drawn, from its left and top, in inches.

    Parameters
    ----------
    whole
        The area of the whole image: left, top, width, height; None where it is left out.
    crops
        Those of the crops.
    """

    height: float
    whole: Area | None
    crops: Sequence[Area]
    scale: float  # inches of a pixel of the whole image

    @classmethod
    def of(cls, side: float, shape: Sequence[int], crops: Sequence[Box], insets: str) -> _Cell:
        """The cell which is so wide."""
        scale = side / shape[1]
        whole = None if insets == "only" else (0.0, 0.0, side, scale * shape[0])
        if whole and insets == "corner":
            return cls(whole[3], whole, [_corner(whole, box, scale) for box in crops], scale)
        top = whole[3] + GAP if whole else 0.0
        share = (side - GAP * (len(crops) - 1)) / max(1, len(crops))  # the width of a crop
        areas = [
            (number * (share + GAP), top, share, share * box[2] / box[3])
            for number, box in enumerate(crops)
        ]
        bottoms = [area[1] + area[3] for area in ([whole] if whole else []) + areas]
        return cls(max(bottoms), whole, areas, scale)


def _corner(whole: Area, box: Box, scale: float) -> Area:
    """The area of an inset in the corner of a whole image which is far from its box."""
    top, left, height, width = box
    zoom = CORNER * min(whole[2:]) / max(height, width)
    across, down = zoom * width, zoom * height
    right = scale * (left + width / 2) < whole[2] / 2
    lower = scale * (top + height / 2) < whole[3] / 2
    return (whole[2] - across) * right, (whole[3] - down) * lower, across, down


def _draw_cell(
    canvas: Axes, pixels: np.ndarray, crops: Sequence[Box], cell: _Cell, x: float, y: float
) -> None:
    """A picture and its crops, with a frame of one colour for each crop and its place."""
    if cell.whole:
        _draw(canvas, pixels, _moved(cell.whole, x, y))
    for number, (box, area) in enumerate(zip(crops, cell.crops, strict=True)):
        colour, area = EDGES[number % len(EDGES)], _moved(area, x, y)
        times = max(1, ceil(area[2] * DOTS / box[3]))  # so that no viewer smooths the pixels
        _draw(canvas, cut(pixels, box).repeat(times, 0).repeat(times, 1), area)
        if cell.whole:
            top, left, height, width = (cell.scale * length for length in box)
            _frame(canvas, (x + left, y + top, width, height), {"white": 1.7, colour: 0.9})
            _frame(canvas, area, {colour: 1.2})


def _moved(area: Area, x: float, y: float) -> Area:
    return area[0] + x, area[1] + y, area[2], area[3]


def _write(canvas: Axes, picture: Picture, place: tuple[float, float], points: float) -> None:
    """The scores of a picture in one line, around this place."""
    from matplotlib.offsetbox import AnnotationBbox, HPacker, TextArea

    words = []
    for text, best in zip_longest(picture.scores, picture.is_best, fillvalue=False):
        words += [(" / ", False)] * bool(words) + [(text, best)]
    parts: list[Artist] = [
        TextArea(text, textprops={"size": points, "weight": "bold" if best else "normal"})
        for text, best in words
    ]
    line = HPacker(children=parts, pad=0, sep=0, align="baseline")
    canvas.add_artist(AnnotationBbox(line, place, frameon=False, pad=0))


def _draw(canvas: Axes, pixels: np.ndarray, area: Area) -> None:
    """Pixels in an area of the canvas.

    A PDF has them as they are, without loss; in a PNG those which are shrunk are smoothed.
    """
    from matplotlib.image import AxesImage

    class Image(AxesImage):
        def make_image(self, renderer: Any, magnification: float = 1.0, unsampled: bool = False):
            self.set_interpolation("none" if unsampled else "auto")
            made = super().make_image(renderer, magnification, unsampled)
            self.set_interpolation("none")  # which a format that takes pixels asks for
            return made

    left, top, width, height = area
    extent = (left, left + width, top + height, top)
    image = Image(canvas, extent=extent, origin="upper", interpolation="none")
    image.set_data(pixels)
    canvas.add_image(image)


def _frame(canvas: Axes, area: Area, edges: Mapping[str, float]) -> None:
    """Lines inside the edge of an area, one over the other: colours and their points."""
    from matplotlib.patches import Rectangle

    left, top, across, down = area
    inset = min(edges.values()) / 72 / 2  # inches
    for colour, points in edges.items():
        place, sides = (left + inset, top + inset), (across - 2 * inset, down - 2 * inset)
        looks = {"edgecolor": colour, "linewidth": points, "joinstyle": "miter"}
        canvas.add_patch(Rectangle(place, *sides, fill=False, **looks))
