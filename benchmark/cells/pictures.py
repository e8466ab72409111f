"""Pictures of scored images: written whole, found damaged, and as scenes for all that shows them.

Under ``pictures/<dataset>/<condition>/<image>`` of a results folder stand ``clean.png``, which also
says of what size the whole image is and which part of it all show, ``noisy.png``, and one of each
model.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmark.cells.cell import Cell
from benchmark.cells.store import ResultStore
from benchmark.files.whole import write_whole
from benchmark.pixels import NOTE, central_box, cut, png_bytes

if TYPE_CHECKING:
    from benchmark.scoring.evaluate import Evaluated

SIDE = 128  # of a picture by default, in pixels
SHARED = ("clean", "noisy")  # by all models of a folder
WHOLE = "whole"  # a folder for whole pictures, beside those of a part which all models have

Size = tuple[int, int]  # height, width
Box = tuple[int, int, int, int]  # top, left, height, width


class Extent(NamedTuple):
    """What the pictures of one image show: this box of a whole image of this size."""

    size: Size
    box: Box


@dataclass(frozen=True)
class Scene:
    """The pictures of one image under one noise: those which are whole and show the same part.

    Parameters
    ----------
    image
        Its name in the dataset.
    size
        Height and width of the whole image.
    box
        Top, left, height and width of what the pictures show of it.
    paths
        PNG files, RGB, 8 bits: ``clean``, ``noisy``, and one by each model.
    """

    dataset: str
    noise: str
    level: float
    seed: int
    image: str
    size: Size
    box: Box
    paths: Mapping[str, Path]

    @property
    def is_whole(self) -> bool:
        """Whether the pictures show all of the image."""
        return self.box == (0, 0, *self.size)

    def read(self, name: str) -> np.ndarray:
        """One of the pictures, (H, W, 3) uint8; ``KeyError`` if there is none of this name."""
        from PIL import Image

        with Image.open(self.paths[name]) as image:
            return np.asarray(image)


def scenes(
    store: ResultStore, wanted: Callable[[Cell], bool] = lambda cell: True
) -> Iterator[Scene]:
    """The scenes of a folder's stored cells, in the order of its cells and of their images.

    Parameters
    ----------
    wanted
        Of which cells; the pictures of others are not looked at.
    """
    models: dict[Cell, list[Cell]] = {}  # by a cell of any model
    images: dict[Cell, dict[str, None]] = {}
    for stored in store.all():
        if wanted(stored.cell):
            shared = replace(stored.cell, model="any")
            models.setdefault(shared, []).append(stored.cell)
            images.setdefault(shared, {}).update(dict.fromkeys(stored.images))
    for shared, cells in models.items():
        for image in images[shared]:
            if found := scene(store.pictures(shared, image), cells, image):
                yield found


def scene(folder: Path, cells: Sequence[Cell], image: str) -> Scene | None:
    """The scene of a folder, with the pictures of these cells' models; None without a clean one.

    Parameters
    ----------
    cells
        One or more, of different models and alike in all else.
    """
    extent = extent_of(folder)
    if extent is None:
        return None
    shown = {name: folder / f"{name}.png" for name in (*SHARED, *(cell.model for cell in cells))}
    paths = {name: path for name, path in shown.items() if _size(path) == extent.box[2:]}
    cell = cells[0]
    return Scene(cell.dataset, cell.noise, cell.level, cell.seed, image, *extent, paths)


def keep(folder: Path, model: str, done: Evaluated, side: int | None = SIDE) -> None:
    """Write the clean, the noisy and the restored image as PNGs, each whole.

    What is there with the same bytes is left alone: all models of a folder share the first two.
    Where larger ones are there, all are as large as these.

    Parameters
    ----------
    side
        Of the square in the middle which is written; None for the whole image.
    """
    height, width = done.clean.shape[:2]
    box, there = central_box((height, width), side), extent_of(folder)
    if there and there.size == (height, width) and _has(there.box, box):
        box = there.box
    note = json.dumps({"size": (height, width), "box": box})
    for name, image in zip((*SHARED, model), (done.clean, done.noisy, done.restored), strict=True):
        path = folder / f"{name}.png"
        content = png_bytes(cut(image, box), note if name == "clean" else "")
        if not path.is_file() or path.read_bytes() != content:
            write_whole(path, content)


def is_lacking(folder: Path, model: str, side: int | None = SIDE) -> bool:
    """Whether a picture of a model, or one that it shares, is missing, damaged or too small."""
    extent = extent_of(folder)
    if extent is None or not _has(extent.box, central_box(extent.size, side)):
        return True
    return any(_size(folder / f"{name}.png") != extent.box[2:] for name in (*SHARED, model))


def extent_of(folder: Path) -> Extent | None:
    """What the pictures of a folder show, as its clean one says; None where that is not whole."""
    found = _verified(folder / "clean.png")
    if found is None:
        return None
    size, note = found
    try:
        said = json.loads(note)
        (height, width), (top, left, *inside) = said["size"], said["box"]
        extent = Extent((height, width), (top, left, *size))
        fits = tuple(inside) == size and _has((0, 0, height, width), extent.box)
    except (ValueError, TypeError, KeyError):  # a note of somebody else
        return None
    return extent if fits else None


def _has(box: Box, other: Box) -> bool:
    """Whether a box has all of another one in it."""
    return all(
        box[axis] <= other[axis] and other[axis] + other[axis + 2] <= box[axis] + box[axis + 2]
        for axis in (0, 1)
    )


def _size(path: Path) -> Size | None:
    found = _verified(path)
    return found and found[0]


def _verified(path: Path) -> tuple[Size, str] | None:
    """Height and width of a picture, and its note; None if it is missing, damaged or not RGB."""
    try:
        found = path.stat()
    except OSError:
        return None
    regular = stat.S_ISREG(found.st_mode)
    return _checked(path, found.st_mtime_ns, found.st_size, found.st_ino) if regular else None


@lru_cache(2**16)  # all models share two of the pictures, and a report looks once more
def _checked(path: Path, *state: int) -> tuple[Size, str] | None:
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as image:
            size, mode, note = image.size, image.mode, str(image.info.get(NOTE, ""))
            image.verify()
    except Exception:  # a damaged file may raise anything in a decoder
        return None
    return ((size[1], size[0]), note) if mode == "RGB" else None
