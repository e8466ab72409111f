"""Strips: equal crops side by side, composed pixel by pixel."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from benchmark.pixels import psnr

if TYPE_CHECKING:
    from PIL import ImageFont as fonts

ABREAST = 7  # crops in a row
SIDE = 128  # of a crop as it is shown, in pixels: smaller ones are magnified
GAP = 4
TEXT, TITLE = 14, 12  # heights of letters, in pixels
LEAST = 1  # of letters: Pillow draws none below it
LINE = 18  # between two lines of text
GREY = (64, 64, 64)


def strip(crops: Mapping[str, np.ndarray], title: str = "") -> np.ndarray:
    """Crops side by side, seven a row, each under its name and its PSNR.

    Parameters
    ----------
    crops
        Name to (H, W, 3) uint8, in the order they are shown in. PSNR is that against ``clean``,
        which shows its name alone, as all do where it is missing.
    title
        A line below them.

    Returns
    -------
    numpy.ndarray
        (height, width, 3) uint8.

    Raises
    ------
    ValueError
        If there is no crop or they differ in shape.
    """
    from PIL import Image, ImageDraw, ImageFont

    shapes = {name: crop.shape for name, crop in crops.items()}
    if len(set(shapes.values())) != 1:
        given = ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "none"
        raise ValueError(f"a strip needs crops of one shape, got {given}")
    height, width = next(iter(shapes.values()))[:2]
    zoom = max(1, SIDE // max(height, width))
    height, width = zoom * height, zoom * width
    rows = ceil(len(crops) / ABREAST)
    columns = ceil(len(crops) / rows)
    across, down = max(width, SIDE) + GAP, 2 * LINE + height + GAP  # from one crop to the next
    size = columns * across - GAP, rows * down + LINE * bool(title)
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    names = _fitting(list(crops), TEXT, across - GAP)
    for place, (name, crop) in enumerate(crops.items()):
        top, left = place // columns * down, place % columns * across
        middle = left + (across - GAP) // 2
        shown = Image.fromarray(crop).resize((width, height), Image.Resampling.NEAREST)
        image.paste(shown, (middle - width // 2, top + 2 * LINE))
        pen.text((middle, top + LINE // 2), name, "black", names, "mm")
        if "clean" in crops and name != "clean":
            score = f"{psnr(crops['clean'], crop):.2f} dB"
            font = ImageFont.load_default(TEXT)
            pen.text((middle, top + LINE + LINE // 2), score, "black", font, "mm")
    pen.text((1, size[1] - LINE // 2), title, GREY, _fitting([title], TITLE, size[0]), "lm")
    return np.asarray(image)


def _fitting(texts: list[str], size: int, width: int) -> fonts.FreeTypeFont | fonts.ImageFont:
    """Pillow's own font in a size, or a smaller one in which the longest text is no wider."""
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    longest = max(map(font.getlength, texts)) + 2
    return font if longest <= width else ImageFont.load_default(max(size * width / longest, LEAST))
