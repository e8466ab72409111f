"""A sheet as one figure: crops on top, five panels below. matplotlib is imported to draw."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from benchmark.pixels import central
from benchmark.registry import summary
from benchmark.reporting.figures.style import COLOURS, WIDTH
from benchmark.studies.noise_sheet.panels import (
    GREY,
    channel_panel,
    colour_of,
    correlation_panel,
    histogram_panel,
    psnr_panel,
    variance_panel,
)
from benchmark.studies.noise_sheet.sheet import Measured, Picture, Sheet
from benchmark.studies.noise_sheet.texts import at, origin, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 88
ZOOM = 3  # dots a pixel of a picture: noise is seen one pixel at a time
EDGE, GAP = 0.1, 0.05  # inches around and between pictures
SHOWN = 5  # levels with pictures of their own
COLUMNS = 6  # of pictures
CAVEAT = COLOURS[5]
TITLE = 50  # characters of a title in full size
HEADER_LINE = 0.18  # inches between lines under the title
LINE = 118  # characters of such a line
CAPTION = 148  # characters of a line at the foot
FEWEST_COLUMNS = 4  # pictures get no larger where there are fewer


def pixels(figure: Figure) -> np.ndarray:
    """A figure as it looks, (H, W, 3) uint8."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(DOTS_PER_INCH)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def draw(sheet: Sheet) -> Figure:
    """The sheet as one figure: crops on top, five panels below."""
    from matplotlib.figure import Figure

    header = _header(sheet)
    columns = _columns(sheet)
    side = _side(len(columns))
    rows = 3 if any(picture.redeveloped for picture, _ in columns) else 2
    below_title = 0.55 + HEADER_LINE * len(header)
    below_pictures = below_title + 0.3 + rows * (side + GAP)
    height = below_pictures + 6.1
    figure = Figure(figsize=(WIDTH, height))

    def place(left: float, top: float, width: float, tall: float) -> Axes:
        box = (left / WIDTH, 1 - (top + tall) / height, width / WIDTH, tall / height)
        return figure.add_axes(box)

    size = min(17, 17 * TITLE / len(sheet.name))
    name = {"fontsize": size, "fontweight": "bold", "parse_math": False}
    figure.text(EDGE / WIDTH, 1 - 0.36 / height, sheet.name, **name)
    for number, (line, colour) in enumerate(header):
        y = 1 - (0.62 + number * HEADER_LINE) / height
        figure.text(EDGE / WIDTH, y, line, fontsize=9, color=colour, parse_math=False)
    for number, (picture, level) in enumerate(columns):
        left = EDGE + number * (side + GAP)
        tops = [below_title + 0.3 + row * (side + GAP) for row in range(rows)]
        axes = [place(left, top, side, side) for top in tops]
        _picture_column(axes, sheet, picture, level, round(side * DOTS_PER_INCH / ZOOM))
    top = below_pictures + 0.45
    variance_panel(place(0.72, top, 4.45, 2.1), sheet)
    histogram_panel(place(6.05, top, 2.8, 2.1), sheet)
    top += 2.1 + 0.95
    psnr_panel(place(0.72, top, 2.5, 1.4), sheet)
    correlation_panel(place(4.1, top, 1.4, 1.4), place(5.58, top, 0.09, 1.4), sheet)
    channel_panel(place(6.9, top, 1.4, 1.4), sheet)
    figure.text(EDGE / WIDTH, 0.1 / height, _caption(sheet), fontsize=7.5, color=GREY)
    return figure


def _header(sheet: Sheet) -> list[tuple[str, str]]:
    """The lines under the title, each with its colour: what it is, and its caveat."""
    lines = [(line, GREY) for line in textwrap.wrap(summary(sheet.kind), LINE)]
    if sheet.note:
        lines += [(line, CAVEAT) for line in textwrap.wrap(f"Note: {sentence(sheet.note)}", LINE)]
    return lines


def _caption(sheet: Sheet) -> str:
    shown = ", ".join(dict.fromkeys(picture.image for picture, _ in _columns(sheet)))
    middle = at(sheet, sheet.middle)
    level = f" at {middle}" if middle else ""
    count = len(sheet.images)
    measured = f"each of {count} images and their mean" if count > 1 else "of one image"
    paragraphs = [
        f"Pictures: the middle of {shown} ({sheet.dataset}). "
        f"PSNR: {measured}. "
        f"Images are clipped and rounded to 8 bits.",
        f"Residual and correlations{level}: {origin(sheet)}. Dashed: normal law. "
        + ("" if sheet.lawful else "No closed law of the variance is promised."),
    ]
    lines = [line for text in paragraphs for line in textwrap.wrap(text.replace("`", ""), CAPTION)]
    return "\n".join(lines)


def _columns(sheet: Sheet) -> list[tuple[Picture, Measured | None]]:
    """Each image clean, then at its levels; several images where levels are few."""
    last = len(sheet.levels) - 1
    chosen = dict.fromkeys(round(i) for i in np.linspace(0, last, min(last + 1, SHOWN)))
    levels = [None, *(sheet.levels[index] for index in chosen)]
    pictures = sheet.pictures[: max(1, COLUMNS // len(levels))]
    return [(picture, level) for picture in pictures for level in levels]


def _side(columns: int) -> float:
    """Inches of a picture: a whole number of its pixels, each ``ZOOM`` dots wide."""
    room = (WIDTH - 2 * EDGE + GAP) / max(columns, FEWEST_COLUMNS) - GAP
    return int(room * DOTS_PER_INCH / ZOOM) * ZOOM / DOTS_PER_INCH


def _picture_column(
    axes: list[Axes], sheet: Sheet, picture: Picture, level: Measured | None, pixels: int
) -> None:
    """The clean image alone, or target (where it differs), noisy image and residual at a level."""
    for axis in axes:
        axis.set_axis_off()
    rows = ["target", "noisy", f"residual\n{_gain(sheet):g}x, around grey"][-len(axes) :]
    if level is None:
        shown, title, colour = [picture.clean], "clean", GREY
        for axis, row in list(zip(axes, rows, strict=True))[1:]:
            axis.text(0.97, 0.04, row, fontsize=8.5, color=GREY, ha="right")
        if sheet.unit and picture is sheet.pictures[0]:
            unit = textwrap.fill(f"level: {sheet.unit}", pixels // 3)
            axes[1].text(0, 0.97, unit, fontsize=8.5, color=GREY, va="top", parse_math=False)
    else:
        target, noisy = picture.target[level.level], picture.noisy[level.level]
        residual = 127.5 + _gain(sheet) * (noisy.astype(float) - target)
        shown = [target, noisy, np.clip(residual, 0, 255).astype(np.uint8)][-len(axes) :]
        title = at(sheet, level) or "noisy"
        title, colour = title + ", target" * (len(axes) == 3), colour_of(sheet, level)
    axes[0].set_title(title, fontsize=9, color=colour, pad=4)
    for axis, image in zip(axes, shown, strict=False):
        axis.imshow(central(image, pixels), interpolation="nearest")


def _gain(sheet: Sheet) -> float:
    """How much residuals are amplified, so that those of the middle level fill the range."""
    size = np.hypot(sheet.middle.spread.std, sheet.middle.spread.bias)
    return next((gain for gain in (1, 2, 4, 8, 16) if 2 * gain * size > 60), 16)
