"""Any number of processes share the cells that are asked for, and each cell is scored once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.cells.cell import Cell
from benchmark.cells.filling import Part, Request
from benchmark.cells.packed import NAME
from benchmark.cells.parts import cell_file_of, read_part, remove_part
from benchmark.files.lease import PAUSE, holder
from benchmark.files.owner import describe
from benchmark.files.tree import names_below
from benchmark.files.whole import in_use, sweep

if TYPE_CHECKING:
    from benchmark.cells.store import ResultStore


def lacking(store: ResultStore, requests: Iterable[Request]) -> list[Request]:
    """The requests for cells which a store lacks; every stored one is compared with its request.

    What killed processes left over in the folder is removed, and damaged cells are set aside.

    Raises
    ------
    ValueError
        If a cell is stored, or half done, with other settings; the message names them.
    """
    _tidy(store)
    parts: dict[Path, list[Path]] = {}
    for part in files_of_cells(store.root, ".part"):
        parts.setdefault(cell_file_of(part), []).append(part)
    missing = []
    for request in requests:
        own = parts.get(store.path(request.cell), []) if parts else []
        if not store.has(request.cell, request.settings, request.identities, own):
            missing.append(request)
        elif own and not store.lease_path(store.path(request.cell)).exists():
            for part in own:  # others have finished the cell since
                remove_part(part)
    return missing


def share(
    store: ResultStore,
    requests: Iterable[Request],
    say: Callable[[str], object],
    is_outdated: Callable[[Cell], bool] = lambda cell: False,
) -> Iterator[Part]:
    """Every cell, as a part to be filled or as one which another process has finished.

    Cells that others work at come last: they are waited for, and taken over where they are given
    up. Each part is to be entered at once.

    Parameters
    ----------
    say
        What to do with a sentence that tells whom this process waits for.
    is_outdated
        Whether a finished cell is to be scored again as a whole.

    Raises
    ------
    ValueError
        If a cell was scored with other settings meanwhile.
    OSError
        If the folder cannot be written.
    """
    waiting, announced = list(requests), None
    while waiting:
        busy = []
        for request in waiting:
            part = _take(store, request, is_outdated)
            if part is None:
                busy.append(request)
            else:
                yield part
        if len(busy) == len(waiting):
            paths = [store.path(request.cell) for request in busy]
            others = {describe(holder(store.lease_path(path)) or "") for path in paths}
            if others != announced:
                more = f" and {len(busy) - 1} more" if len(busy) > 1 else ""
                names = " and ".join(sorted(others))
                say(f"waiting for {names}, in work at {busy[0].cell}{more}")
                announced = others
            time.sleep(PAUSE)
        waiting = busy


def wait_for_others(store: ResultStore, cells: Iterable[Cell]) -> None:
    """Wait until no other process works at any of these cells."""
    leases = [store.lease_path(store.path(cell)) for cell in cells]
    while any(not store.leases.is_free(lease) for lease in leases):
        time.sleep(PAUSE)


def scored_of_unfinished(store: ResultStore) -> int:
    """How many images of cells which are half done have been scored."""
    found = (read_part(part, store.complete) for part in files_of_cells(store.root, ".part"))
    return sum(len(content[1]) for content in found if content)


def files_of_cells(root: Path, end: str) -> Iterator[Path]:
    """The files beside those of finished cells which have this end: leases, or parts."""
    for names in names_below(root / "cells", 3):
        if names[-1].endswith(end):
            yield root.joinpath("cells", *names)


def _take(store: ResultStore, request: Request, is_outdated: Callable[[Cell], bool]) -> Part | None:
    """A cell to be filled or already finished; None while another process works at it."""

    def is_done(parts: Iterable[Path] | None = None) -> bool:
        stored = store.has(request.cell, request.settings, request.identities, parts)
        return stored and not is_outdated(request.cell)

    if is_done(parts=()):
        return Part(store, request, None)
    lease = store.leases.take(store.lease_path(store.path(request.cell)))
    if lease is None:
        return None
    try:  # what was finished between the two lines above is not done again
        if is_done():
            lease.release()
            return Part(store, request, None)
        return Part(store, request, lease, is_outdated(request.cell))
    except BaseException:
        lease.release()
        raise


def _tidy(store: ResultStore) -> None:
    """Remove what killed processes left under a folder, but for cells which are half done."""
    root = store.root
    for place, depth in (("cells", 2), ("matched", 1), ("pictures", 3)):
        for names in names_below(root / place, depth):
            sweep(folder := root.joinpath(place, *names))
            if place == "pictures":
                sweep(folder / "whole")
    sweep(root)
    for lease in (store.lease_path(root / NAME), *files_of_cells(root, ".lease")):
        if (owner := holder(lease)) is not None and not in_use(lease, owner):
            lease.unlink(missing_ok=True)
