"""Pictures as arrays: cut out, compared, and as PNG files. Loads NumPy, and Pillow for a PNG."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

FAITHFUL = 38  # dB which 256 colours have to keep; below, noise turns into blotches of one colour
SIX_BITS = np.rint(np.rint(np.arange(256) * 63 / 255) * 255 / 63).astype(np.uint8)  # 46.5 dB
NOTE = "noisebench"  # keyword of a note in a PNG
# of R, G and B in the grey of MATLAB's rgb2gray: the first row of the inverse of NTSC's matrix
GREY = np.array([0.298936021293775, 0.587043074451121, 0.114020904255103])


def crop_around(image: np.ndarray, centre: tuple[int, int], size: int) -> np.ndarray:
    """Cut ``size`` x ``size`` pixels around a (row, column), moved as far as it takes to fit in.

    ``size`` is at most the image's height and width.
    """
    top, left = (
        min(max(middle - size // 2, 0), side - size)
        for middle, side in zip(centre, image.shape[:2], strict=True)
    )
    return image[top : top + size, left : left + size]


def central(image: np.ndarray, size: int) -> np.ndarray:
    """The central square of an (H, W, C) image, or less where the image is smaller."""
    return cut(image, central_box(image.shape[:2], size))


def central_box(size: Sequence[int], side: int | None) -> tuple[int, int, int, int]:
    """Top, left, height and width of the central square of an image, or less where it is smaller.

    Parameters
    ----------
    size
        Height and width of the image.
    side
        Of the square, in pixels; None for the whole image.
    """
    height, width = (length if side is None else min(side, length) for length in size)
    return (size[0] - height) // 2, (size[1] - width) // 2, height, width


def cut(image: np.ndarray, box: Sequence[int]) -> np.ndarray:
    """The part of an (H, W, ...) image in a box: top, left, height, width."""
    top, left, height, width = box
    return image[top : top + height, left : left + width]


def without_border(image: np.ndarray, border: int) -> np.ndarray:
    """An (H, W, ...) image without ``border`` pixels at each side."""
    height, width = image.shape[:2]
    return image[border : height - border, border : width - border]


def as_grey(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) RGB to (H, W, 1) of the same type; (H, W, 1) as it is.

    As MATLAB's rgb2gray does it, whole numbers rounded half up: so BSD68 is CBSD68 in grey, to the
    bit. OpenCV differs by 1 in 0.006 % of these pixels, and in half of them where it decodes a PNG
    as grey.
    """
    if image.shape[2] == 1:
        return image
    grey = image @ GREY[:, None]
    whole = image.dtype.kind in "iu"
    return (np.floor(grey + 0.5) if whole else grey).astype(image.dtype)


def psnr(image: np.ndarray, other: np.ndarray, border: int = 0) -> float:
    """PSNR in dB of two (H, W, C) uint8 images, capped at 100: the metric ``psnr`` without torch.

    One mean squared error over height, width and channels, without ``border`` pixels at each side.
    """
    image, other = without_border(image, border), without_border(other, border)
    difference = image.astype(np.float32) - other
    error = float(np.square(difference).mean(dtype=np.float64)) / 255**2
    return -10 * math.log10(max(error, 1e-10))


def png_bytes(image: np.ndarray, note: str = "") -> bytes:
    """A picture, (H, W, 3) uint8, as a PNG without loss, which may carry a note: see `png_note`."""
    from PIL import Image

    return _encoded(Image.fromarray(image), note)


def small_png_bytes(image: np.ndarray, note: str = "") -> bytes:
    """A picture for looking at, (H, W, 3) uint8, as a PNG of 256 colours, a third of the bytes.

    Where they are not within 38 dB of the picture, as in strong coloured noise, values are rounded
    to six bits instead, which is up to 2 off and three quarters of the bytes.
    """
    from PIL import Image

    whole = Image.fromarray(image)
    # the octree takes a tenth of the time and is up to 3 dB worse
    for method, enough in ((Image.Quantize.FASTOCTREE, FAITHFUL - 5), (None, FAITHFUL)):
        few = whole.quantize(256, method, dither=Image.Dither.NONE)
        if psnr(image, np.asarray(few.convert("RGB"))) < enough:
            return _encoded(Image.fromarray(SIX_BITS[image]), note)
    return min(_encoded(few, note), _encoded(whole, note), key=len)


def png_note(path: Path) -> str | None:
    """The note in a PNG, its checksums verified; None without one, or if missing or damaged."""
    from PIL import Image

    if not path.is_file():
        return None
    try:
        with Image.open(path, formats=["PNG"]) as image:
            note = image.info.get(NOTE)
            image.verify()
    except Exception:  # a damaged file may raise anything in a decoder
        return None
    return note


def _encoded(image: Image, note: str) -> bytes:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    if note:
        info.add_text(NOTE, note)
    content = io.BytesIO()
    image.save(content, "PNG", pnginfo=info)
    return content.getvalue()
