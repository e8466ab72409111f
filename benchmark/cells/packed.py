"""Cells at rest: all finished cells of a folder in one file, ``cells.jsonl``, a line each."""

from __future__ import annotations

import contextlib
import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.cells.cell import Cell
from benchmark.cells.records import DAMAGED, Complete, Damaged, Record, Stored, parse_record
from benchmark.files.whole import file_state, replacing, unused_name, write_whole

if TYPE_CHECKING:
    from benchmark.cells.store import ResultStore

NAME = "cells.jsonl"
# between two records on one line: a file without a line feed at its end, whole or torn, and another
# after it. In JSON this stands nowhere else: the quotes of a text inside a record are escaped
BEGIN = b'{"cell":'
SEAM = re.compile(rb'(?<![:,\[\s])(?=\{"cell":)')


class Packed:
    """A folder's ``cells.jsonl``: the cells of its lines, read again whenever it has changed.

    A line is one JSON object, as a cell's own file has it. Delete a line to redo its cell, and
    concatenate the files of two folders to merge them, with or without a line feed at the end of
    the first: of several lines of one cell the last one which is not damaged counts. A damaged line
    is left out and named in a warning.
    """

    def __init__(self, path: Path, complete: Complete):
        self.path = path
        self._complete = complete
        self._state: tuple[int, ...] | None = None
        self._cells: dict[Cell, Stored] = {}
        self._damaged: list[bytes] = []

    def cells(self) -> dict[Cell, Stored]:
        """The cells by their keys, in the order of the lines; none where there is no file.

        Raises
        ------
        ValueError
            If it is no regular file.
        OSError
            If it cannot be read.
        """
        self._refresh()
        return self._cells

    def damaged(self) -> list[bytes]:
        """The lines which are no cells."""
        self._refresh()
        return self._damaged

    def _refresh(self) -> None:
        try:
            state = file_state(self.path)
        except (FileNotFoundError, NotADirectoryError):
            state = None
        if state == self._state:
            return
        self._state, self._cells, self._damaged = state, {}, []
        if state is None:
            return
        if not self.path.is_file():
            raise ValueError(f"{self.path} is no regular file, and would hold cells; move it away")
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                line = line.removesuffix(b"\n")
                for record in SEAM.split(line) if line.rfind(BEGIN) > 0 else [line]:
                    if record.strip():
                        self._take(record, f"line {number} of {self.path}")

    def _take(self, record: bytes, place: str) -> None:
        try:
            stored = parse_record(record, place, self._complete)
            self._cells[stored.cell] = stored
        except Damaged as error:
            self._damaged.append(record)
            warnings.warn(f"{error}; it is left out", stacklevel=5)


def pack(store: ResultStore, say: Callable[[str], object] = print) -> int:
    """Fold the files of finished cells into ``cells.jsonl``, sorted by their paths.

    Each line is the cell's record, compact: read back it is equal, numbers to the bit. The file is
    written whole before any other is removed, so that nothing is lost wherever this is stopped.
    Others may work in the folder: a cell in work, and a file that changed meanwhile, stay files,
    which win over their lines. What is no cell stays where it is; damaged lines are put aside, in
    ``cells.jsonl.damaged``.

    Parameters
    ----------
    say
        What to do with a sentence that tells whom this process waits for: one packs at a time.

    Returns
    -------
    int
        How many cells the file has.

    Raises
    ------
    ValueError
        If the folder has no finished cells.
    OSError
        If the folder cannot be written.
    """
    path = store.root / NAME
    if next(store.root.glob("cells*"), None) is None:  # a mistake makes no folder
        raise _no_cells(store.root)
    with store.leases.waiting(store.lease_path(path), say):
        files = list(store.files.all())
        cells = store.packed.cells() | {stored.cell: stored for _, _, stored in files}
        if not cells:
            raise _no_cells(store.root)
        if damaged := store.packed.damaged():
            aside = unused_name(path.with_name(path.name + DAMAGED))
            write_whole(aside, b"".join(line + b"\n" for line in damaged))
            warnings.warn(f"damaged lines of {path} are kept as {aside.name}", stacklevel=2)
        with replacing(path) as packed:
            for cell in sorted(cells, key=lambda cell: cell.parts):
                packed.write(f"{compact(cells[cell].record)}\n".encode())
        for file, state, _ in files:
            _remove(store, Path(file), state)
    return len(cells)


def compact(record: Record) -> str:
    """A cell's record as one line, its key first."""
    return json.dumps({"cell": record["cell"], **record}, separators=(",", ":"))


def _remove(store: ResultStore, file: Path, state: tuple[int, ...]) -> None:
    """Remove a file which was folded in, and folders which are empty then, but for work of others.

    Whoever writes a finished cell holds its lease.
    """
    lease = store.leases.take(store.lease_path(file), renewed=False)
    if lease is None:
        return
    try:
        with contextlib.suppress(FileNotFoundError):
            if file_state(file) == state:
                file.unlink()
    finally:
        lease.release()
    with contextlib.suppress(OSError):  # not empty
        for folder in file.parents[:3]:
            folder.rmdir()


def _no_cells(root: Path) -> ValueError:
    return ValueError(
        f"no finished cells under {root}/cells; name a folder which has some (out=FOLDER), or fill "
        f"it with: bench run"
    )
