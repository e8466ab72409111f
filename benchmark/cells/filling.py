"""A cell in work: what is scored of it is kept at once, whatever ends its process."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO

from benchmark.cells.cell import Cell
from benchmark.cells.parts import append_row, new_part, parts_of, read_part, remove_part, start_part
from benchmark.cells.provenance import (
    EARLIER,
    MADE_BY,
    MADE_IN,
    PLACE,
    Code,
    code_changes,
    same_made,
    stamp,
    with_other_metrics,
    without_stamp,
)
from benchmark.cells.records import Damaged, Row, all_finite
from benchmark.cells.reuse import Identities, Settings, refuse_other, usable_rows
from benchmark.files.lease import Lease
from benchmark.settings import short_digest

if TYPE_CHECKING:
    from benchmark.cells.store import ResultStore

MADE_WITH = ("environment", "code")  # keys of a cell which say how its rows were made


@dataclass(frozen=True)
class Request:
    """A cell that is asked for, and what its scores are to be of; see `ResultStore.filling`.

    ``environment`` is where they are made: of rows that others left the cell says where they were.
    """

    cell: Cell
    settings: Settings
    identities: Identities = None
    code: Code | None = None
    environment: Mapping[str, Any] | None = None


class Part:
    """A cell in work, in a ``with`` block: what is appended is kept, whatever ends the block.

    ``ResultStore.filling`` makes one; it is to be entered at once::

        with store.filling(cell, settings) as part:
            for image in part.lacking(images):
                part.append({"image": image, "psnr": 30.0, "seconds": 0.5})
            part.finish(images, labels=labels, environment=environment)

    Attributes
    ----------
    rows : dict
        By image, the rows which are there already: of the stored cell, and of the parts of killed
        processes. All are, where ``finished``.
    finished : bool
        Whether another process has finished the cell: there is nothing to do then.
    """

    def __init__(
        self, store: ResultStore, request: Request, lease: Lease | None, outdated: bool = False
    ):
        self.cell, self.finished = request.cell, lease is None
        self._store, self._settings, self._code = store, request.settings, request.code
        self._identities = request.identities
        self._made_by = None
        if request.code:
            self._made_by = stamp(asdict(self.cell), request.code, version("torch"))
        here = request.environment
        self._made_in = [here.get(name) for name in PLACE] if here else None
        self._record = store.read(self.cell) if self.cell in store else None
        usable = not outdated and not self._is_of_other_code()
        rows = store.rows(self.cell, self._settings, self._identities) if usable else {}
        self.rows = self._with_sources(rows)
        self._new: set[str] = set()  # images whose rows are not of the stored cell
        self._lease = lease
        self._file: TextIO | None = None
        self._path = new_part(store.path(self.cell))

    def __enter__(self) -> Self:
        if self._lease is not None:
            try:
                self._take_over()
            except BaseException:
                self._lease.release()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._close()
        finally:
            if self._lease is not None:
                self._lease.release()

    def lacking(self, images: Iterable[str]) -> list[str]:
        """The images which are to be scored; none where the cell is finished."""
        return [] if self.finished else [image for image in images if image not in self.rows]

    def append(self, row: Row) -> None:
        """Keep one scored image; it is in ``rows`` then.

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
        try:
            append_row(self._path, self._file, row)
        except OSError as error:
            if getattr(error.__cause__, "errno", None) != errno.ESTALE:
                raise
            self._begin_again(row)
        self._add({row["image"]: row})

    def finish(self, images: Sequence[str], **provenance: Any) -> None:
        """Write the finished cell, as `ResultStore.write` does, and drop its parts.

        Where some rows are of a cell that was made with something else, that stands under
        ``earlier``, with the names of their images. The cell says by which code it was made, and
        under ``environment`` in what tiles images were restored. Where another process has
        finished the cell, nothing is done.

        Parameters
        ----------
        images
            Those of the cell, in order; each has its row.
        **provenance
            ``labels``, and what else the cell is to say beside its scores.
        """
        if self.finished:
            return
        places = {image: self.rows[image].get(MADE_IN, self._made_in) for image in images}
        rows = without_stamp(self.rows[image] for image in images)
        if tiles := {row["image"]: row.pop("tile") for row in rows if "tile" in row}:
            provenance["environment"] = {**provenance.get("environment", {}), "tile": tiles}
        if self._code:
            provenance["code"] = with_other_metrics(self._code, self._record)
        if earlier := [*self._earlier(provenance), *self._elsewhere(places, provenance)]:
            provenance[EARLIER] = earlier
        self._store.write(self.cell, rows, self._settings, **provenance)
        self._close()
        self._path.unlink(missing_ok=True)
        for part in parts_of(self._store.path(self.cell)):
            remove_part(part)

    def _close(self) -> None:
        """Close the file of this part; what cannot be flushed was said when it was appended."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()

    def _take_over(self) -> None:
        """Go on from what others left, in a file of our own; theirs are removed."""
        parts = parts_of(self._store.path(self.cell))
        left: dict[str, Row] = {}
        unusable = []
        for part in parts:
            rows = self._rows_of(part)
            if rows is None:
                unusable.append(part)
            else:
                left |= {image: row for image, row in rows.items() if image not in self.rows}
        left = self._with_sources(left)
        if left:
            self._file = start_part(self._path, self._settings, left.values())
            self._add(left)
        for part in parts:
            remove_part(part, headless=part in unusable)

    def _begin_again(self, row: Row) -> None:
        """Go on in another part: on NFS a file is gone once another machine has removed it.

        It does so where this writer was silent for so long that its lease was taken over.
        """
        self._close()
        rows = [self.rows[image] for image in self.rows if image in self._new]
        self._path = new_part(self._store.path(self.cell))
        self._file = start_part(self._path, self._settings, [*rows, row])

    def _rows_of(self, part: Path) -> dict[str, Row] | None:
        """By image, the rows of a part which go on; None where it does not say what they are of."""
        content = read_part(part, self._store.complete)
        if content is None:
            return None
        refuse_other(str(part), *content, self._settings, self._identities)
        images = [row["image"] for row in content[1]]  # any may lack a number
        complete = self._store.complete
        rows = usable_rows(*content, self._settings, self._identities, images, complete)
        return {row["image"]: row for row in same_made(rows.values(), self._made_by)}

    def _add(self, rows: dict[str, Row]) -> None:
        self.rows |= rows
        self._new |= rows.keys()

    def _stamped(self) -> Row:
        known = {MADE_BY: self._made_by, MADE_IN: self._made_in}
        return {key: value for key, value in known.items() if value}

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

    def _earlier(self, provenance: Mapping[str, Any]) -> list[dict[str, Any]]:
        record = self._record or {"images": []}
        older = [row["image"] for row in record["images"] if row["image"] not in self._new]
        if not older:
            return []
        then, now = _made_with(record), _made_with(provenance)
        before = [
            {**entry, "images": images}
            for entry in record.get(EARLIER, [])
            if isinstance(entry, dict)
            if (images := [image for image in entry.get("images", []) if image in older])
        ]
        known = {image for entry in before for image in entry["images"]}
        own = [image for image in older if image not in known]
        return [*before, {**then, "images": own}] if then != now and own else before

    def _elsewhere(
        self, places: Mapping[str, list[Any] | None], provenance: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """How rows were made that another process left, by other threads or on another device."""
        found: dict[tuple[Any, ...], list[str]] = {}
        for image, place in places.items():
            if place and place != self._made_in and image in self._new:
                found.setdefault(tuple(place), []).append(image)
        made, entries = _made_with(provenance), []
        for place, images in found.items():
            environment = {**made.get("environment", {}), **dict(zip(PLACE, place, strict=True))}
            entries.append({**made, "environment": environment, "images": images})
        return entries


def _made_with(record: Mapping[str, Any]) -> dict[str, Any]:
    """How rows were made, without what differs by image."""
    facts = {key: record[key] for key in MADE_WITH if key in record}
    if "environment" in facts:
        facts["environment"] = {k: v for k, v in facts["environment"].items() if k != "tile"}
    return facts
