"""Image files that other programs read and write: PNG of 8 bits, and what has more of them."""

import io
from pathlib import Path

import numpy as np

from benchmark.datasets.kinds import PNG, open_image, pictures_in, read_bytes, refuse_several
from benchmark.datasets.tiff import MAGIC, as_stored, other_kind
from benchmark.pixels import png_bytes

SUFFIXES = (".png", ".tif", ".tiff", ".npy")  # of restored images
WANTED = "restored images are (H, W, 3): uint8, uint16, or floating-point numbers meant for [0, 1]"


def encoded(image: np.ndarray) -> tuple[str, bytes]:
    """The suffix and the content of a file which has all of an (H, W, C) image, C of 1 or 3.

    uint8 is a PNG, uint16 a TIFF, float32 a TIFF of 32 bits, as it is: not clipped or compressed.
    """
    import cv2

    shown = image[..., 0] if image.shape[2] == 1 else image
    if image.dtype == np.uint8:
        return ".png", png_bytes(shown)
    uncompressed = [cv2.IMWRITE_TIFF_COMPRESSION, 1]
    bgr = shown if shown.ndim == 2 else np.ascontiguousarray(shown[..., ::-1])
    return ".tiff", cv2.imencode(".tiff", bgr, uncompressed)[1].tobytes()


def read_restored(path: Path) -> np.ndarray:
    """An image of one of `SUFFIXES`, (H, W, C) RGB: uint8 or uint16 as stored, or float32.

    Raises
    ------
    ValueError
        If it is none, damaged, or holds several pictures, other colours or other numbers.
    """
    content = read_bytes(path)
    if path.suffix == ".npy":
        pixels = _array(content)
    else:
        _check_picture(path, content)
        pixels = _picture(content)
    if pixels is None:
        raise ValueError(f"{path} cannot be read as an image; write it again")
    if pixels.dtype in (np.float16, np.float64):
        pixels = pixels.astype(np.float32)
    if pixels.dtype not in (np.uint8, np.uint16, np.float32) or pixels.ndim not in (2, 3):
        raise ValueError(f"{path} holds {pixels.dtype} of shape {pixels.shape}; {WANTED}")
    return pixels[..., None] if pixels.ndim == 2 else pixels


def in_unit(pixels: np.ndarray) -> np.ndarray:
    """What `read_restored` gives as float32, whose whole range is [0, 1]."""
    if pixels.dtype == np.float32:
        return pixels
    return pixels.astype(np.float32) / np.iinfo(pixels.dtype).max


def _array(content: bytes) -> np.ndarray | None:
    try:
        found = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError):
        return None
    if not isinstance(found, np.ndarray):
        return None
    return found.astype(found.dtype.newbyteorder("="), copy=False)  # some write big-endian numbers


def _check_picture(path: Path, content: bytes) -> None:
    """Raise ``ValueError`` for what OpenCV would read otherwise than it is meant, or in part."""
    if not content.startswith((PNG, *MAGIC)):
        raise ValueError(f"{path} cannot be read as an image: it is no PNG or TIFF; write it again")
    if kind := other_kind(content, floats=True):
        raise ValueError(f"{path} is {kind}; {WANTED}")
    try:
        image = open_image(content)
    except Exception:  # Pillow knows fewer kinds than OpenCV
        return
    try:
        pictures = pictures_in(image)
        image.load()
    except Exception as error:  # a damaged file may raise anything in a decoder
        raise ValueError(f"{path} is damaged or cut short ({error}); write it again") from error
    refuse_several(path, pictures)


def _picture(content: bytes) -> np.ndarray | None:
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        pixels = cv2.imdecode(np.frombuffer(as_stored(content), np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if pixels is not None and pixels.ndim == 3 and pixels.shape[2] == 3:
        return np.ascontiguousarray(pixels[..., ::-1])
    return pixels
