"""8-bit images: files found, proven whole and read; pictures cropped and compared."""

import math
import re
from pathlib import Path

import numpy as np

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


def natural_order(name: str) -> tuple[list[str | int], str]:
    """A sorting key which counts: 1, 2, 10. Spelling decides between 1 and 01."""
    parts = re.split("([0-9]+)", name)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


def find_images(folder: Path) -> dict[str, Path]:
    """The image files of a folder by their stem, in natural order; hidden files are left out.

    Raises
    ------
    ValueError
        If two files differ in their suffix only: the stem is the image's name in every result.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir(), key=lambda path: natural_order(path.name)):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            continue
        twin = found.setdefault(path.stem, path)
        if twin is not path:
            raise ValueError(f"{twin} and {path} are both named '{path.stem}'; rename one of them")
    return found


def read_image(path: Path) -> np.ndarray:
    """Read (H, W, 3) uint8 RGB, exactly as stored: an orientation noted in EXIF is ignored.

    Raises
    ------
    ValueError
        If the file is no image, or is of another kind than 8-bit RGB.
    """
    import cv2  # here, so that noises and their datasets load without it

    content = path.read_bytes()
    pixels = None
    if content:  # OpenCV asserts that there is something to decode
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError(f"{path} cannot be read as an image; replace or remove it")
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if pixels.dtype != np.uint8 or channels != 3:
        kind = {1: "grey", 4: "four channels (alpha or CMYK)"}.get(channels, f"{channels} channels")
        raise ValueError(
            f"{path} is {kind}, {pixels.dtype}, but images must be RGB, uint8; "
            f"convert it to 8-bit RGB or remove it"
        )
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def check_whole(path: Path) -> None:
    """Decode a file to its last byte: OpenCV may hand out the part of a cut file without a word.

    Raises
    ------
    ValueError
        If the file is cut short, damaged, or no image.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            image.load()
    except Exception as error:  # a damaged file may raise anything in a decoder
        raise ValueError(
            f"{path} cannot be read as a whole image ({error}); replace or remove it"
        ) from error


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
    top, left = (max(0, (side - size) // 2) for side in image.shape[:2])
    return image[top : top + size, left : left + size]


def psnr(image: np.ndarray, other: np.ndarray) -> float:
    """PSNR in dB of two (H, W, C) uint8 images, capped at 100: the metric ``psnr`` without torch.

    One mean squared error over height, width and channels; nothing is left out at the border.
    """
    difference = image.astype(np.float32) - other
    error = float(np.square(difference).mean(dtype=np.float64)) / 255**2
    return -10 * math.log10(max(error, 1e-10))
