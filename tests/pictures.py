"""Pictures of random pixels, and image files of them."""

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

ORIENTATION = 0x0112  # in EXIF, as in TIFF


def pixels(height: int = 20, width: int = 30, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(path: Path, image: np.ndarray | None = None, tag: int | None = None, **how) -> Path:
    """Write an 8-bit picture with Pillow, lossless but for JPEG, with a tag of its orientation."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if tag is not None:
        exif[ORIENTATION] = tag
        how |= {"tiffinfo": {ORIENTATION: tag}} if path.suffix == ".tif" else {"exif": exif}
    if path.suffix == ".webp":
        how["lossless"] = True
    Image.fromarray(pixels() if image is None else image).save(path, **how)
    return path


def chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk of a PNG file."""
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum
