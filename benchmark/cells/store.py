"""The folder which keeps each finished cell as one file."""

import contextlib
import json
import os
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from benchmark.cells.cell import Cell
from benchmark.cells.parts import cell_file_of, parts_of, read_part, remove_part
from benchmark.cells.records import (
    Complete,
    Damaged,
    Record,
    Row,
    check_record,
    is_scored,
    read_record,
)
from benchmark.cells.reuse import Identities, Settings, joined, matching, refuse_other
from benchmark.cells.scores import Scores, scores_of
from benchmark.files.lease import Leases, holder
from benchmark.files.whole import in_use, sweep, write_whole

DAMAGED = ".damaged"


class ResultStore:
    """A folder of cells: the cache, the resume point and the record.

    Copy folders together to merge them; delete a file to redo its cell. Any number of processes may
    fill one folder, see `benchmark.cells.filling`: beside the file of a cell in work stand its
    lease, ``*.json.lease``, and the images that are finished, in a file ``*.part`` for each writer.

    Parameters
    ----------
    complete
        Whether a row has all its numbers; see `benchmark.cells.records.is_scored`.
    """

    def __init__(self, root: str | Path, complete: Complete = is_scored):
        self.root, self.complete = Path(root), complete
        self.leases = Leases()
        self._paths: dict[Cell, Path] = {}
        self._known: dict[Path, tuple[tuple[int, ...], Cell, Record, list[str]]] = {}

    def __contains__(self, cell: Cell) -> bool:
        return self.path(cell).is_file()

    def read(self, cell: Cell) -> Record:
        """A finished cell: its settings, labels, environment, and a dict for each image.

        Raises
        ------
        Damaged
            If its file is no cell (see `read_record`), or one of another name.
        FileNotFoundError
            If there is none.
        """
        found, record, _ = self._read(self.path(cell))
        if found != cell:
            raise Damaged(f"{self.path(cell)} is no cell: it says that it is {found}")
        return record

    def has(self, cell: Cell, settings: Settings, identities: Identities = None) -> bool:
        """Whether a cell is stored, with exactly these settings, all these metrics and images.

        A damaged file is set aside with a warning, as ``*.damaged``.

        Parameters
        ----------
        identities
            The images, as `Dataset.identities` gives them; by default those of the cell, if the
            dataset is the same as a whole.

        Raises
        ------
        ValueError
            If the cell is stored, or half done, with other settings; the message names them.
        """
        rows = self._complete(cell, settings, identities)
        wanted = identities if identities is not None else self._images(cell)
        if wanted and all(image in rows for image in wanted):
            return True
        for part in parts_of(self.path(cell)):
            if content := read_part(part, self.complete):
                refuse_other(part, *content, settings, identities)
        return False

    def rows(self, cell: Cell, settings: Settings, identities: Identities = None) -> dict[str, Row]:
        """By image, copies of a stored cell's rows which need not be scored again; see `has`."""
        record = self._intact(cell)
        tiles = record.get("environment", {}).get("tile", {}) if record else {}
        return {
            image: dict(row) | ({"tile": tiles[image]} if image in tiles else {})
            for image, row in self._complete(cell, settings, identities).items()
        }

    def part_rows(
        self, part: Path, settings: Settings, identities: Identities = None
    ) -> dict[str, Row] | None:
        """By image, the rows of a half-done cell which need not be scored again; see `has`.

        None where the part does not say what its scores are of.
        """
        content = read_part(part, self.complete)
        if content is None:
            return None
        refuse_other(part, *content, settings, identities)
        holes = [row["image"] for row in content[1]]  # a part is not checked as a whole
        return self._usable(*content, settings, identities, holes)

    def write(
        self, cell: Cell, images: list[Row], settings: Settings, **provenance: object
    ) -> Path:
        """Write a finished cell, whole or not at all.

        Scores that the cell already had are kept: those of other metrics, those of more images (the
        dataset stays the larger one then), and keys which are not known here.

        Raises
        ------
        Damaged
            If a number is missing or not finite, or something is of another type than a report
            needs; what there was is kept.
        """
        record = {**provenance, "cell": asdict(cell), "settings": dict(settings), "images": images}
        if stored := self._intact(cell):
            record = joined(stored, record)
        check_record(record, self.complete)
        write_whole(self.path(cell), json.dumps(record, indent=1) + "\n")
        return self.path(cell)

    def records(self) -> Iterator[tuple[Cell, Record]]:
        """Every finished cell, in the order of their files.

        What is no cell (a damaged file, a hidden one, a copy under another name) is left out and
        named in a warning.
        """
        strange, lacking = [], []
        for path in sorted(self.root.glob("cells/*/*/*.json")):
            if any(part.startswith(".") for part in path.relative_to(self.root).parts):
                strange.append(path)
                continue
            try:
                cell, record, holes = self._read(path)
            except Damaged as error:
                warnings.warn(f"{error}; it is left out", stacklevel=2)
                continue
            expected = self.path(cell)
            if path != expected and _normal(path) != _normal(expected):
                strange.append(path)
                continue
            if holes or len(record["images"]) < _promised(record):
                lacking.append(path)
            yield cell, record
        if strange:
            _warn("no cells, but hidden files or copies of some, and left out", strange)
        if lacking:
            _warn("lacking scores of some images, which bench run scores again", lacking)

    def scores(self, partners: Mapping[str, str] | None = None) -> Scores:
        """The scores of every finished cell, with all that a reader of them has to know.

        Parameters
        ----------
        partners
            By registered name of a denoiser, the one its class is to be compared with: for cells
            of older versions, which do not say it.
        """
        return scores_of(self.records(), partners or {})

    def tidy(self) -> None:
        """Remove what killed processes left under the folder, but for cells which are half done."""
        for folder in (self.root, *self.root.glob("cells/*/*"), *self.root.glob("matched/*")):
            sweep(folder)
        for folder in self.root.glob("pictures/*/*"):
            sweep(folder)
        for lease in self.root.glob("cells/*/*/*.lease"):
            if not in_use(lease, holder(lease) or ""):
                lease.unlink(missing_ok=True)

    def drop_parts(self, finished: Iterable[Cell]) -> None:
        """Remove what killed processes left of cells which others have finished since."""
        if parts := list(self.root.glob("cells/*/*/*.json.*part")):
            paths = set(map(self.path, finished))
            for part in parts:
                path = cell_file_of(part)
                if path in paths and not self.lease_path(path).exists():
                    remove_part(part)

    def pictures(self, cell: Cell) -> Path:
        """The folder for small pictures of a cell's first image, shared by all models."""
        return self.root / "pictures" / cell.dataset / cell.condition

    def path(self, cell: Cell) -> Path:
        """Where a finished cell is."""
        if cell not in self._paths:
            self._paths[cell] = self.root / "cells" / cell.path
        return self._paths[cell]

    def state(self, cell: Cell) -> tuple[int, ...] | None:
        """What changes whenever a finished cell is written again; None where there is none."""
        try:
            found = self.path(cell).stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def lease_path(self, path: Path) -> Path:
        """The lease of a cell with this file."""
        return path.with_name(f"{path.name}.lease")

    def _read(self, path: Path) -> tuple[Cell, Record, list[str]]:
        """A file's cell, content and holes, as they are now; each state of a file is read once."""
        try:
            found = path.stat()
        except OSError:
            if path.is_symlink():
                raise Damaged(f"{path} is no cell: it is a link to what is not there") from None
            raise
        state = found.st_mtime_ns, found.st_size, found.st_ino
        if path not in self._known or self._known[path][0] != state:
            record, holes = read_record(path, self.complete)
            try:
                cell = Cell(**record["cell"])
            except ValueError as error:
                raise Damaged(f"{path} is no cell: {error}") from None
            self._known[path] = state, cell, record, holes
        return self._known[path][1:]

    def _intact(self, cell: Cell) -> Record | None:
        """A cell's content, None where there is none; a damaged file is set aside."""
        try:
            return self.read(cell)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except Damaged as error:
            path, number = self.path(cell), 1
            aside = path.with_name(path.name + DAMAGED)
            while os.path.lexists(aside):
                number += 1
                aside = path.with_name(f"{path.name}{DAMAGED}{number}")
            with contextlib.suppress(FileNotFoundError):  # another process was faster
                path.rename(aside)
                warnings.warn(f"{error}; it is kept as {aside.name}", stacklevel=2)
            return None

    def _images(self, cell: Cell) -> list[str]:
        """The images of a stored cell; none where it has fewer than it says."""
        record = self._intact(cell)
        if record is None or len(record["images"]) < _promised(record):
            return []
        return [row["image"] for row in record["images"]]

    def _complete(self, cell: Cell, settings: Settings, identities: Identities) -> dict[str, Row]:
        record = self._intact(cell)
        if record is None:
            return {}
        stored, rows = record["settings"], record["images"]
        refuse_other(self.path(cell), stored, rows, settings, identities)
        return self._usable(stored, rows, settings, identities, self._read(self.path(cell))[2])

    def _usable(
        self,
        stored: Settings,
        rows: list[Row],
        settings: Settings,
        identities: Identities,
        holes: Iterable[str],
    ) -> dict[str, Row]:
        """The rows of the wanted images which have all numbers that are asked for.

        ``holes`` are the images which may lack one.
        """
        if not settings["metrics"].keys() <= stored["metrics"].keys():
            return {}
        found = matching(stored, rows, settings, identities)
        lacking = {
            image for image in holes if image in found and not self.complete(found[image], settings)
        }
        return {image: row for image, row in found.items() if image not in lacking}


def _promised(record: Record) -> int:
    """How many images a cell says it has; 0 where it does not say."""
    count = record["settings"]["dataset"].get("images", 0)
    return count if isinstance(count, int) else 0


def _warn(what: str, paths: list[Path]) -> None:
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    warnings.warn(f"{what}: {paths[0]}{more}", stacklevel=3)


def _normal(path: Path) -> str:
    """A path's text in one Unicode form: file systems may give another than they were given."""
    return unicodedata.normalize("NFC", str(path))
