"""Finished cells as files of their own, ``cells/MODEL/DATASET/CONDITION.json``."""

import contextlib
import os
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmark.cells.cell import Cell
from benchmark.cells.records import DAMAGED, Complete, Damaged, Stored, read_record
from benchmark.files.tree import names_below
from benchmark.files.whole import file_state, unused_name

State = tuple[int, ...]  # of a file, as `file_state` gives it


class Files:
    """The files of a folder's finished cells; each state of a file is read once."""

    def __init__(self, root: Path, complete: Complete):
        self.root = root
        self._complete = complete
        self._cells = os.path.join(root, "cells")
        self._read: dict[str, tuple[State, Stored]] = {}  # by path

    def path(self, cell: Cell) -> Path:
        """Where a cell's file is, or would be."""
        return Path(self._place(cell))

    def read(self, cell: Cell) -> Stored:
        """What a cell's file holds now.

        Raises
        ------
        Damaged
            If it is no cell (see `read_record`), or says that it is another.
        OSError
            If there is none, or it cannot be read.
        """
        _, stored = self._current(self._place(cell))
        if stored.cell != cell:
            raise Damaged(f"{stored.place} is no cell: it says that it is {stored.cell}")
        return stored

    def all(self) -> Iterator[tuple[str, State, Stored]]:
        """Each file in the order of their paths, its state as it was read, and what it holds.

        What is no cell (a damaged file, a hidden one, a copy under another name) is left out and
        named in a warning.
        """
        ignored = []
        for *folders, name in names_below(self._cells, 3):
            path = os.sep.join((self._cells, *folders, name))
            if not name.endswith(".json"):
                continue
            if name[0] == "." or any(folder[0] == "." for folder in folders):
                ignored.append(path)
                continue
            try:
                state, stored = self._current(path)
            except FileNotFoundError:  # another process has just packed it
                continue
            except Damaged as error:
                warnings.warn(f"{error}; it is left out", stacklevel=3)
                continue
            expected = self._place(stored.cell)
            if path == expected or _normal(path) == _normal(expected):
                yield path, state, stored
            else:
                ignored.append(path)
        if ignored:
            warn_of("no cells, but hidden files or copies of some, and left out", ignored)

    def set_aside(self, cell: Cell, why: Damaged) -> None:
        """Keep a damaged file under another name, ``*.damaged``, with a warning."""
        path = self.path(cell)
        aside = unused_name(path.with_name(path.name + DAMAGED))
        with contextlib.suppress(FileNotFoundError):  # another process was faster
            path.rename(aside)
            warnings.warn(f"{why}; it is kept as {aside.name}", stacklevel=3)

    def _place(self, cell: Cell) -> str:
        return os.sep.join((self._cells, *cell.parts))

    def _current(self, path: str) -> tuple[State, Stored]:
        try:
            state = file_state(path)
        except OSError:
            if os.path.islink(path):
                raise Damaged(f"{path} is no cell: it is a link to what is not there") from None
            raise
        known = self._read.get(path)
        if known is None or known[0] != state:
            known = self._read[path] = state, read_record(path, self._complete)
        return known


def warn_of(what: str, places: Sequence[Path | str]) -> None:
    """Warn of the first of some files or lines, and say how many more there are."""
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    warnings.warn(f"{what}: {places[0]}{more}", stacklevel=3)


def _normal(path: str) -> str:
    """A path in one Unicode form: file systems may give another than they were given."""
    return unicodedata.normalize("NFC", path)
