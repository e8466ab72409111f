"""Which pictures a run keeps; those of stored cells made again where they are not there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from benchmark.cells import Cell, ResultStore, pictures
from benchmark.cells.pictures import SIDE
from benchmark.console.log import log
from benchmark.console.progress import track
from benchmark.protocol import REFERENCE

if TYPE_CHECKING:
    from benchmark.scoring.grid import Grid


@dataclass(frozen=True)
class Kept:
    """Which pictures a run keeps.

    Parameters
    ----------
    images
        ``"first"`` of the dataset, which the strips of a report show; ``"worst"``: it, and those
        on which the models of the run are worst; ``"all"`` or ``"none"``.
    count
        Of the worst images.
    side
        Of the square in the middle of an image, in pixels; None: the whole image.
    """

    images: str = "first"
    count: int = 0
    side: int | None = SIDE

    @classmethod
    def of(cls, text: str, side: int | None = SIDE) -> Kept:
        """What ``pictures=`` of a command says; ``ValueError`` if it is nothing known."""
        if text in ("first", "all", "none"):
            return cls(text, 0, side)
        if found := re.fullmatch(r"worst:([1-9]\d*)", text):
            return cls("worst", int(found[1]), side)
        raise ValueError(
            f"pictures={text} is unknown; take first, all or none, or worst:4 for the four images "
            f"of each noise and level on which the models are worst"
        )

    def at_once(self, images: Sequence[str]) -> Sequence[str]:
        """Of a cell's images those which are kept before all of its scores are known."""
        return images if self.images == "all" else images[: self.images != "none"]


FIRST = Kept()


def remake_pictures(grid: Grid, store: ResultStore, device: str, kept: Kept = FIRST) -> None:
    """Make the pictures of finished cells which are missing, damaged or too small.

    Their images are denoised once more, with the same noise and the same random numbers; nothing is
    scored. Cells which have no picture of their first image, as older versions published some, get
    none where only that one is asked for.
    """

    def lacking(cell: Cell, images: list[str]) -> list[str]:
        return [
            image
            for image in images
            if pictures.is_lacking(store.pictures(cell, image), cell.model, kept.side)
        ]

    wanted = {cell: images for cell, images in _wanted(grid, store, kept) if lacking(cell, images)}
    if not wanted:
        return
    count = f"{len(wanted)} cell{'s' * (len(wanted) > 1)}"
    log.info(f"making pictures of {count} which are missing, damaged or smaller than asked for")
    for cell, images in track(wanted.items(), "cells", len(wanted), "pictures"):
        images = lacking(cell, images)  # those which all models share were perhaps made meanwhile
        tiles = store.read(cell).get("environment", {}).get("tile", {})
        for done in grid.evaluate(cell, images, device, tiles=tiles):
            folder = store.pictures(cell, done.row["image"])
            pictures.keep(folder, cell.model, done, kept.side)


def _wanted(grid: Grid, store: ResultStore, kept: Kept) -> Iterator[tuple[Cell, list[str]]]:
    """The stored cells of a grid, and the images of each whose pictures are kept."""
    worst = cache(lambda shared: _worst(grid, store, shared, kept.count))
    for cell in grid.cells:
        if (stored := store.find(cell)) is None:
            continue
        names = grid.datasets[cell.dataset].images()
        images = list(kept.at_once(names))
        if kept.images == "first":
            own = store.pictures(cell, names[0]) / f"{cell.model}.png"
            if "picture" not in stored.facts and not own.exists():
                continue
        elif kept.images == "worst":
            images += [name for name in worst(replace(cell, model="any")) if name not in images]
        yield cell, images


def _worst(grid: Grid, store: ResultStore, shared: Cell, count: int) -> list[str]:
    """The images on which the grid's models are worst on the mean, by its first metric.

    References do not count, unless there is nothing else. None where a cell is not stored yet.

    Parameters
    ----------
    shared
        A cell of any model.
    """
    models = [name for name in grid.models if name not in REFERENCE] or list(grid.models)
    cells = [replace(shared, model=model) for model in models]
    if any(cell not in store for cell in cells):
        return []
    name, metric = next(iter(grid.metrics.items()))
    images = grid.datasets[shared.dataset].images()
    scores = []
    for cell in cells:
        rows = {row["image"]: row[name] for row in store.read(cell)["images"]}
        scores.append([rows[image] for image in images])
    means = np.mean(scores, axis=0) * (1 if metric.higher_is_better else -1)
    return [images[place] for place in np.argsort(means, kind="stable")[:count]]
