"""How far the runs of a folder are: which cells are done, in work, given up and left."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.cells.parts import NAME, cell_file_of, read_part
from benchmark.cells.running.plans import Plan
from benchmark.files.lease import STALE, Held, read_lease
from benchmark.files.owner import is_alive
from benchmark.files.whole import clock_of

if TYPE_CHECKING:
    from benchmark.cells.store import ResultStore

TIMED = 3  # finished cells of each model and dataset whose seconds are read


@dataclass(frozen=True)
class Work:
    """A cell which is half done.

    Parameters
    ----------
    place
        Its file's place in the folder, without the ending: ``masked/kodak24/gaussian-25-0``.
    scored
        How many of its images are.
    held
        Who works at it, or did; None where nobody says so.
    silent
        Seconds since its holder last said that it lives, by the clock of the file system.
    """

    place: str
    scored: int
    held: Held | None
    silent: float

    @property
    def is_running(self) -> bool:
        """Whether somebody works at it; others take a cell over which is not in work."""
        if self.held is None:
            return False
        alive = is_alive(self.held.owner)
        return alive is not False and self.silent <= STALE


@dataclass
class Counts:
    """Cells of a plan, or of one model in it."""

    done: int = 0
    running: int = 0
    dead: int = 0
    left: int = 0  # which nobody has begun
    images: int = 0  # which are still to be scored
    seconds: float = 0.0  # of one process for those whose time is known
    unknown: int = 0  # images of models which have scored none

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{name: value + vars(other)[name] for name, value in vars(self).items()})


class Folder:
    """A folder of cells as it is now: names of files, and no more of their content than needed."""

    def __init__(self, store: ResultStore):
        self.store = store
        self.root = store.root / "cells"
        self.files = {
            f"{model.name}/{dataset.name}": _names(dataset)
            for model in _folders(self.root)
            for dataset in _folders(Path(model))
        }
        self.packed = {
            "/".join(cell.parts): len(stored.images)
            for cell, stored in store.packed.cells().items()
        }
        self.work = {work.place: work for work in self._work()}
        self._seconds: dict[tuple[str, str], float | None] = {}

    @property
    def done(self) -> int:
        """How many finished cells there are, planned or not."""
        files = {
            f"{folder}/{name}"
            for folder, names in self.files.items()
            for name in names
            if name.endswith(".json")
        }
        return len(files | self.packed.keys())

    @property
    def running(self) -> list[Work]:
        return [work for work in self.work.values() if work.is_running]

    @property
    def dead(self) -> list[Work]:
        return [work for work in self.work.values() if not work.is_running]

    def of(self, plan: Plan) -> dict[str, Counts]:
        """How far a plan is, by model; a finished cell of fewer images than planned is not done."""
        models = {model: Counts() for model in plan.models}
        since = plan.begun(self.store) if plan.again else None
        for cell in plan.cells():
            counts = models[cell.model]
            *folders, name = cell.parts
            folder = "/".join(folders)
            path = f"{folder}/{name}"
            wanted, stored = plan.images.get(cell.dataset, 0), self._stored(folder, name, since)
            if stored is not None and stored >= wanted:
                counts.done += 1
                continue
            work = self.work.get(path.removesuffix(".json"))
            if work is None:
                counts.left += 1
            elif work.is_running:
                counts.running += 1
            else:
                counts.dead += 1
            images = max(0, wanted - (stored or 0) - (work.scored if work else 0))
            counts.images += images
            if (seconds := self.seconds(cell.model, cell.dataset)) is None:
                counts.unknown += images
            else:
                counts.seconds += seconds * images
        return models

    def _stored(self, folder: str, name: str, since: int | None) -> int | None:
        """How many images the file or the line of a cell has; None if there is neither.

        Where it counts since when it was written, no line does, nor an older file.
        """
        if name in self.files.get(folder, ()):
            path = self.root / folder / name
            try:
                if since is None or path.stat().st_mtime_ns > since:
                    return path.read_bytes().count(b'"image":')
            except OSError:  # scored again, or packed, at this moment
                pass
        return self.packed.get(f"{folder}/{name}") if since is None else None

    def seconds(self, model: str, dataset: str) -> float | None:
        """Mean seconds of an image, as some finished cells have recorded them, if there are any."""
        if (model, dataset) not in self._seconds:
            found = [row.get("seconds") for row in self._rows(model, dataset)]
            known = [value for value in found if isinstance(value, (int, float))]
            self._seconds[model, dataset] = sum(known) / len(known) if known else None
        return self._seconds[model, dataset]

    def _rows(self, model: str, dataset: str) -> Iterator[dict]:
        folder = f"{model}/{dataset}"
        names = [name for name in self.files.get(folder, ()) if name.endswith(".json")]
        for name in names[:: max(1, len(names) // TIMED)][:TIMED]:
            try:
                yield from json.loads((self.root / folder / name).read_bytes())["images"]
            except (OSError, ValueError, KeyError, TypeError):  # a damaged one, left out by all
                continue
        if not names and self.packed:
            cells = self.store.packed.cells()
            of = [c for c in cells if (c.model, c.dataset) == (model, dataset)]
            for cell in of[:: max(1, len(of) // TIMED)][:TIMED]:
                yield from cells[cell].record["images"]
        for place, work in self.work.items():
            if work.scored and place.startswith(f"{folder}/"):
                for part in self._parts(place):
                    yield from (read_part(part, self.store.complete) or ({}, []))[1]

    def _work(self) -> Iterator[Work]:
        """The cells which have a lease or a part."""
        now = None
        for folder, names in self.files.items():
            leases = {n.removesuffix(".json.lease") for n in names if n.endswith(".json.lease")}
            parts = {
                cell_file_of(Path(n)).name.removesuffix(".json") for n in names if NAME.fullmatch(n)
            }
            for name in sorted(leases | parts):
                if f"{name}.json" in names and name not in leases:
                    continue  # finished: what is left is removed by the next run
                now = clock_of(self.root) if now is None else now
                held = read_lease(self.root / folder / f"{name}.json.lease")
                place = f"{folder}/{name}"
                read = (read_part(part, self.store.complete) for part in self._parts(place))
                scored = {row["image"] for content in read if content for row in content[1]}
                silent = now - held.renewed if held else 0.0
                yield Work(place, len(scored), held, silent)

    def _parts(self, place: str) -> list[Path]:
        folder, _, name = place.rpartition("/")
        found = (n for n in self.files[folder] if n.startswith(f"{name}.json."))
        return [self.root / folder / n for n in found if NAME.fullmatch(n)]


def _folders(folder: Path) -> list[os.DirEntry]:
    try:
        return sorted(
            (entry for entry in os.scandir(folder) if entry.is_dir() and entry.name[0] != "."),
            key=lambda entry: entry.name,
        )
    except FileNotFoundError:
        return []


def _names(folder: os.DirEntry) -> set[str]:
    try:
        return {entry.name for entry in os.scandir(folder.path)}
    except FileNotFoundError:
        return set()
