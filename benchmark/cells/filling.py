"""The one way to fill cells: any number of processes share them, and each is scored once."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Self

from benchmark.cells.parts import append_row, new_part, parts_of, remove_part, start_part
from benchmark.cells.provenance import (
    MADE_BY,
    Code,
    code_changes,
    same_made,
    stamp,
    with_other_metrics,
    without_stamp,
)
from benchmark.cells.records import Damaged, Row, all_finite
from benchmark.cells.reuse import EARLIER, Identities, Settings
from benchmark.cells.store import Cell, ResultStore
from benchmark.files.lease import PAUSE, Lease, holder
from benchmark.files.owner import describe
from benchmark.settings import short_digest

MADE_WITH = ("environment", "code")  # keys of a cell which say how its rows were made


class Part:
    """A cell in work, in a ``with`` block: what is appended is kept, whatever ends the block.

    Attributes
    ----------
    rows : dict
        By image, the rows which are there already: of the cell's file, and of the parts of killed
        processes. All are, where `finished`.
    finished : bool
        Whether another process has finished the cell: there is nothing to do then.
    """

    def __init__(
        self,
        store: ResultStore,
        cell: Cell,
        settings: Settings,
        identities: Identities,
        lease: Lease | None,
        code: Code | None = None,
        outdated: bool = False,
    ):
        self.cell, self.finished = cell, lease is None
        self._store, self._settings, self._identities = store, settings, identities
        self._code = code
        self._made_by = stamp(asdict(cell), code, version("torch")) if code else None
        self._record = store.read(cell) if cell in store else None
        usable = not outdated and not self._is_of_other_code()
        self.rows = self._with_sources(store.rows(cell, settings, identities) if usable else {})
        self._new: set[str] = set()  # images whose rows are not of the cell's file
        self._lease, self._file = lease, None
        self._path = new_part(store.path(cell))

    def __enter__(self) -> Self:
        if not self.finished:
            try:
                self._take_over()
            except BaseException:
                self._lease.release()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
        if self._lease is not None:
            self._lease.release()

    def append(self, row: Row) -> None:
        """Keep one scored image; it is in `rows` then.

        Raises
        ------
        ValueError
            If a number is missing or not finite.
        OSError
            If it cannot be written.
        """
        self._refuse_unfinished(row)
        row = self._with_sources({row["image"]: row})[row["image"]] | self._stamped()
        if self._file is None:
            self._file = start_part(self._path, self._settings, [])
        append_row(self._path, self._file, row)
        self._add({row["image"]: row})

    def finish(self, images: list[Row], **provenance: object) -> None:
        """Write the finished cell, which is what `ResultStore.write` does, and drop its parts.

        Where some rows are of a file that was made with something else, that stands under
        ``earlier``, with the names of their images. The cell says by which code it was made.
        """
        images = without_stamp(images)
        if self._code:
            provenance["code"] = with_other_metrics(self._code, self._record)
        if earlier := self._earlier(provenance):
            provenance[EARLIER] = earlier
        self._store.write(self.cell, images, self._settings, **provenance)
        if self._file is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)
        for part in parts_of(self._store.path(self.cell)):
            remove_part(part)

    def _take_over(self) -> None:
        """Go on from what others left, in a file of our own; theirs are removed."""
        parts = parts_of(self._store.path(self.cell))
        left: dict[str, Row] = {}
        unusable = []
        for part in parts:
            rows = self._store.part_rows(part, self._settings, self._identities)
            if rows is None:
                unusable.append(part)
            else:
                going_on = {row["image"]: row for row in same_made(rows.values(), self._made_by)}
                left |= {image: row for image, row in going_on.items() if image not in self.rows}
        left = self._with_sources(left)
        if left:
            self._file = start_part(self._path, self._settings, left.values())
            self._add(left)
        for part in parts:
            remove_part(part, headless=part in unusable)

    def _add(self, rows: dict[str, Row]) -> None:
        self.rows |= rows
        self._new |= rows.keys()

    def _stamped(self) -> Row:
        return {MADE_BY: self._made_by} if self._made_by else {}

    def _is_of_other_code(self) -> bool:
        """Whether the cell's file says that it was made by other code than there is now."""
        return bool(self._record and self._code and code_changes(self._record, self._code))

    def _with_sources(self, rows: dict[str, Row]) -> dict[str, Row]:
        """Rows which say of what file they are, where that is known: version 0.1 did not say."""
        if self._identities is None:
            return rows
        return {k: {**v, "source": short_digest(self._identities[k])} for k, v in rows.items()}

    def _refuse_unfinished(self, row: Row) -> None:
        try:
            if self._store.complete(row, self._settings):
                return
            scores = {n: row[n] for n in (*self._settings["metrics"], "seconds") if n in row}
            lacking = [f"{n} is {value}" for n, value in scores.items() if not all_finite(row, [n])]
            problem = f"{' and '.join(lacking) or row}, no finite number"
        except Damaged as error:
            problem = str(error)
        raise ValueError(
            f"{self.cell}, image '{row['image']}': {problem}; leave that metric out, or mend it, "
            f"and give the same command again"
        )

    def _earlier(self, provenance: Mapping[str, object]) -> list[dict[str, object]]:
        record = self._record
        rows = record["images"] if record else []
        kept = [row["image"] for row in rows if row["image"] not in self._new]
        if not kept:
            return []
        then, now = _made_with(record), _made_with(provenance)
        before = [found for found in record.get(EARLIER, []) if isinstance(found, dict)]
        return [*before, {**then, "images": kept}] if then != now else before


def share(
    store: ResultStore,
    cells: Iterable[Cell],
    settings_of: Callable[[Cell], Settings],
    identities_of: Callable[[Cell], Identities],
    say: Callable[[str], object],
    *,
    code_of: Callable[[Cell], Code | None] = lambda cell: None,
    is_outdated: Callable[[Cell], bool] = lambda cell: False,
) -> Iterator[Part]:
    """Every cell, as a part to be filled or as one which another process has finished.

    Cells that others work at come last: they are waited for, and taken over where they are given
    up. Each part is to be entered at once.

    Parameters
    ----------
    say
        What to do with a sentence that tells whom this process waits for.
    code_of
        The code that makes a cell's scores, where it is to be recorded: rows of other code, in the
        cell's file or in a part, are scored again.
    is_outdated
        Whether a finished cell is to be scored again as a whole.

    Raises
    ------
    ValueError
        If a cell was scored with other settings meanwhile.
    OSError
        If the folder cannot be written.
    """
    waiting, told = list(cells), None
    while waiting:
        busy = []
        for cell in waiting:
            asked = settings_of(cell), identities_of(cell), code_of(cell)
            part = _part(store, cell, *asked, is_outdated)
            if part is None:
                busy.append(cell)
            else:
                yield part
        if len(busy) == len(waiting):
            others = {describe(holder(store.lease_path(store.path(cell))) or "") for cell in busy}
            if others != told:
                more = f" and {len(busy) - 1} more" if len(busy) > 1 else ""
                say(f"waiting for {' and '.join(sorted(others))}, in work at {busy[0]}{more}")
                told = others
            time.sleep(PAUSE)
        waiting = busy


def _part(
    store: ResultStore,
    cell: Cell,
    settings: Settings,
    identities: Identities,
    code: Code | None,
    is_outdated: Callable[[Cell], bool],
) -> Part | None:
    """A cell to be filled or already finished; None while another process works at it."""

    def is_done() -> bool:
        return store.has(cell, settings, identities) and not is_outdated(cell)

    if is_done():
        return Part(store, cell, settings, identities, None)
    lease = store.leases.take(store.lease_path(store.path(cell)))
    if lease is None:
        return None
    try:  # what was finished between the two lines above is not done again
        if is_done():
            lease.release()
            return Part(store, cell, settings, identities, None)
        return Part(store, cell, settings, identities, lease, code, is_outdated(cell))
    except BaseException:
        lease.release()
        raise


def _made_with(record: Mapping[str, object]) -> dict[str, object]:
    """How rows were made, without what differs by image."""
    found = {key: record[key] for key in MADE_WITH if key in record}
    if "environment" in found:
        found["environment"] = {k: v for k, v in found["environment"].items() if k != "tile"}
    return found
