"""Stored pictures: where each is, what there is, whether it is the same, and two are a pair."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.datasets.kinds import orientation


@dataclass(frozen=True)
class Block:
    """Where one picture of a set is which is published as an array: the file, and the index."""

    path: Path
    index: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.path}{list(self.index)}"


Place = Path | Block


def file_of(place: Place) -> Path:
    """The file which has the picture."""
    return place.path if isinstance(place, Block) else place


@dataclass(frozen=True)
class Status:
    """What there is of a dataset, for people."""

    searched: list[Path]  #: the folders looked for, in order
    found: int  #: images, or pairs
    count: int | None  #: how many there should be, where that is known
    source: str  #: where to get them, and their terms
    problem: str | None  #: why the dataset cannot be used, if it cannot


class Hashes:
    """The hashes of pictures, and whether a picture is still the one that was hashed.

    Parameters
    ----------
    hash_place
        SHA-256, in hexadecimal, of a stored picture.
    """

    def __init__(self, hash_place: Callable[[Place], str]):
        self.hash_place = hash_place
        self._known: dict[Place, tuple[tuple[int, ...], str]] = {}  # the file's state, the hash

    def of(self, place: Place) -> str:
        """The hash of a picture as it is now."""
        state = state_of(place)  # before it is read: a change in between is noticed later
        self._known[place] = state, self.hash_place(place)
        return self._known[place][1]

    def refuse_changed(self, place: Place) -> None:
        """Raise ``ValueError`` if a picture is no longer the one whose hash its scores will have.

        A file which was only touched, or written again as it was, is the same.
        """
        if place not in self._known:
            return
        state, known = self._known[place]
        if state_of(place) != state and self.of(place) != known:
            raise ValueError(
                f"{place} was changed while this was running, so that nothing can be said of what "
                f"was read; give the same command again once the images stay as they are"
            )


def state_of(place: Place) -> tuple[int, ...]:
    """What changes whenever a picture's file does; nothing where it is gone."""
    try:
        found = file_of(place).stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def check_orientations(places: Sequence[Place]) -> None:
    """Raise ``ValueError`` if a viewer would turn the files of a pair in different ways."""
    if len(places) == 1:
        return
    turned = {place: orientation(place) for place in places if isinstance(place, Path)}
    for path, tag in turned.items():
        first = next(iter(turned))
        if tag != turned[first]:
            raise ValueError(
                f"{path} has the orientation tag {tag}, but {first} has {turned[first]} (1 is none)"
                f"; the files of a pair are compared as stored: turn the pixels of both the same "
                f"way and remove the tags"
            )


def check_sizes(places: Sequence[Place], pictures: Sequence[np.ndarray]) -> None:
    """Raise ``ValueError`` if the pictures of a pair, (H, W, 3) each, differ in their size."""
    height, width = pictures[0].shape[:2]
    for place, picture in zip(places, pictures, strict=True):
        if picture.shape != pictures[0].shape:
            raise ValueError(
                f"{place} has {picture.shape[1]}x{picture.shape[0]} pixels, but {places[0]} has "
                f"{width}x{height}; the two images of a pair must have one size"
            )
