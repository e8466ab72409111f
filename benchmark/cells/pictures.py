"""The small pictures of a cell's first image: kept whole, found damaged, read for the strips."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.cells.store import Cell, ResultStore
from benchmark.files.whole import write_whole
from benchmark.pixels import central, png_bytes

if TYPE_CHECKING:
    from benchmark.scoring.evaluate import Evaluated

SIDE = 128  # of a picture, in pixels, or less where the image is smaller
SHARED = ("clean", "noisy")  # by all models of a folder


def keep(folder: Path, model: str, done: Evaluated) -> None:
    """Write the centres of the clean, the noisy and the restored image as PNGs, each whole.

    What is there with the same bytes is left alone: all models of a folder share the first two.
    """
    for name, image in zip((*SHARED, model), (done.clean, done.noisy, done.restored), strict=True):
        path = folder / f"{name}.png"
        content = png_bytes(central(image, SIDE))
        if not path.is_file() or path.read_bytes() != content:
            write_whole(path, content)


def lacking(store: ResultStore, cell: Cell) -> bool:
    """Whether a finished cell's pictures are missing or damaged.

    A cell which never had one, as published ones of older versions, lacks none.
    """
    folder = store.pictures(cell)
    sizes = {_size(folder / f"{name}.png") for name in (*SHARED, cell.model)}
    if len(sizes) == 1 and None not in sizes:
        return False
    return (folder / f"{cell.model}.png").exists() or "picture" in store.read(cell)


def read(folder: Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """The whole pictures of a cell by name, (H, W, 3) uint8, all of the size of the first one."""
    paths = {name: folder / f"{name}.png" for name in names}
    sizes = {name: size for name, path in paths.items() if (size := _size(path))}
    return {name: _pixels(paths[name]) for name in sizes if sizes[name] == [*sizes.values()][0]}


def _size(path: Path) -> tuple[int, int] | None:
    """Width and height by a file's head, its checksums verified; None if missing or damaged."""
    try:
        found = path.stat()
    except OSError:
        return None
    regular = stat.S_ISREG(found.st_mode)
    return _verified(path, found.st_mtime_ns, found.st_size, found.st_ino) if regular else None


@lru_cache(4096)  # all models share two of the pictures, and a report looks once more
def _verified(path: Path, *state: int) -> tuple[int, int] | None:
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as image:
            size, mode = image.size, image.mode
            image.verify()
    except Exception:  # a damaged file may raise anything in a decoder
        return None
    return size if mode == "RGB" and max(size) <= SIDE else None


def _pixels(path: Path) -> np.ndarray:
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image)
