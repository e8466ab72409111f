"""The folder which keeps finished cells: each as one file, or, at rest, all in one."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmark.cells.cell import Cell
from benchmark.cells.files import Files, warn_of
from benchmark.cells.filling import Part
from benchmark.cells.packed import NAME, Packed, compact
from benchmark.cells.parts import parts_of, read_part
from benchmark.cells.provenance import Code, short_hash
from benchmark.cells.records import (
    Complete,
    Damaged,
    Record,
    Row,
    Stored,
    check_record,
    is_scored,
)
from benchmark.cells.reuse import Alike, Identities, Settings, joined, refuse_other, usable_rows
from benchmark.cells.running.sharing import Request, share
from benchmark.cells.scores import Scores
from benchmark.cells.table import scores_of
from benchmark.files.lease import Leases
from benchmark.files.whole import write_whole


class ResultStore:
    """A folder of cells: the cache, the resume point and the record.

    A finished cell is a file under ``cells/``, or a line of ``cells.jsonl`` once they are packed
    (see `benchmark.cells.packed`); where it is both, the file counts. Copy folders together to
    merge them, but concatenate their ``cells.jsonl``; delete a file or a line to redo its cell. Any
    number of processes may fill one folder, see `filling`: beside the file of a cell in work stand
    its lease, ``*.json.lease``, and the images that are finished, in a file ``*.part`` for each
    writer.

    Parameters
    ----------
    complete
        Whether a row has all its numbers; see `benchmark.cells.records.is_scored`.
    """

    def __init__(self, root: str | Path, complete: Complete = is_scored):
        self.root, self.complete = Path(root), complete
        self.leases, self._alike = Leases(), Alike()
        self.files, self.packed = Files(self.root, complete), Packed(self.root / NAME, complete)

    def __contains__(self, cell: Cell) -> bool:
        return self.path(cell).is_file() or cell in self.packed.cells()

    def read(self, cell: Cell) -> Record:
        """A finished cell: its settings, labels, environment, and a dict for each image.

        Raises
        ------
        Damaged
            If its file is no cell (see `read_record`), or one of another name.
        FileNotFoundError
            If there is none.
        """
        return self._stored(cell).record

    def has(
        self,
        cell: Cell,
        settings: Settings,
        identities: Identities = None,
        parts: Iterable[Path] | None = None,
    ) -> bool:
        """Whether a cell is stored, with exactly these settings, all these metrics and images.

        A damaged file is set aside with a warning, as ``*.damaged``.

        Parameters
        ----------
        identities
            The images, as `Dataset.identities` gives them; by default those of the cell, if the
            dataset is the same as a whole.
        parts
            Half-done files of the cell, which are compared as well; by default they are looked for.

        Raises
        ------
        ValueError
            If the cell is stored, or half done, with other settings; the message names them.
        """
        stored = self.find(cell)
        if stored and self._alike.are(stored, settings, identities):
            return True
        rows = self.rows(cell, settings, identities)
        wanted = identities if identities is not None else self._images(cell)
        if wanted and all(image in rows for image in wanted):
            if stored:
                self._alike.add(stored, settings, identities)
            return True
        for part in parts_of(self.path(cell)) if parts is None else parts:
            if content := read_part(part, self.complete):
                refuse_other(str(part), *content, settings, identities)
        return False

    def rows(self, cell: Cell, settings: Settings, identities: Identities = None) -> dict[str, Row]:
        """By image, copies of a stored cell's rows which need not be scored again; see `has`."""
        stored = self.find(cell)
        if stored is None:
            return {}
        content = stored.facts["settings"], stored.record["images"]
        refuse_other(stored.place, *content, settings, identities)
        usable = usable_rows(*content, settings, identities, stored.incomplete, self.complete)
        tiles = stored.facts.get("environment", {}).get("tile", {})
        return {
            image: row | ({"tile": tiles[image]} if image in tiles else {})
            for image, row in usable.items()
        }

    def filling(
        self,
        cell: Cell,
        settings: Settings,
        identities: Identities = None,
        code: Code | None = None,
        say: Callable[[str], object] = print,
    ) -> Part:
        """A cell to be filled, in a ``with`` block: the only way to write one.

        It goes on from what is there, of the finished cell and of killed processes, and while
        another process works at it this one waits. Several cells are shared by processes with
        `benchmark.cells.running.sharing.share`.

        Parameters
        ----------
        settings
            Everything the scores depend on: a dict each for model, noise, dataset, metrics and
            protocol, of plain values.
        identities
            The images, as for `has`.
        code
            What makes the scores, as `benchmark.cells.provenance.code_of_cell` gives it; rows of
            other code are scored again.
        say
            What to do with a sentence that tells whom this process waits for.

        Raises
        ------
        ValueError
            If the cell is stored, or half done, with other settings; the message names them.
        OSError
            If the folder cannot be written.
        """
        (part,) = share(self, [Request(cell, settings, identities, code)], say)
        return part

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
        if stored := self.find(cell):
            record = joined(stored.record, record)
        check_record(record, self.complete)
        write_whole(self.path(cell), json.dumps(record, indent=1) + "\n")
        return self.path(cell)

    def records(self) -> Iterator[tuple[Cell, Record]]:
        """Every finished cell, as `all` gives them, with its record."""
        return ((stored.cell, stored.record) for stored in self.all())

    def all(self) -> Iterator[Stored]:
        """Every finished cell, in the order of their paths.

        What is no cell (a damaged file or line, a hidden file, a copy under another name) is left
        out and named in a warning.
        """
        files = {stored.cell: stored for _, _, stored in self.files.all()}
        cells = self.packed.cells() | files  # asked for after them, which others may be packing
        lacking = []
        for stored in sorted(cells.values(), key=lambda stored: stored.cell.parts):
            if stored.incomplete or len(stored.images) < _promised(stored.facts):
                lacking.append(stored.place)
            yield stored
        if lacking:
            warn_of("lacking scores of some images, which bench run scores again", lacking)

    def find(self, cell: Cell) -> Stored | None:
        """A finished cell, None where there is none; a damaged file is set aside."""
        try:
            return self._stored(cell)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except Damaged as error:
            self.files.set_aside(cell, error)
            return self.packed.cells().get(cell)

    def scores(
        self,
        partners: Mapping[str, str] | None = None,
        wanted: Callable[[Record], bool] = lambda record: True,
        families: Mapping[str, str] | None = None,
        suites: Mapping[str, Sequence[str]] | None = None,
    ) -> Scores:
        """The scores of every finished cell, with all that a reader of them has to know.

        Parameters
        ----------
        partners
            By registered name of a denoiser, the one its class is to be compared with: for cells
            of older versions, which do not say it.
        wanted
            Of which cells, by their records, without the images.
        families
            By registered name of a noise, its family: for cells of older versions as well.
        suites
            By name, the noises which it chooses at once.
        """
        found = [stored for stored in self.all() if wanted(stored.without_images)]
        return scores_of(found, partners or {}, families or {}, suites or {})

    def pictures(self, cell: Cell, image: str) -> Path:
        """The folder for the pictures of one image of a cell, shared by all models."""
        return self.root / "pictures" / cell.pictures(image)

    def path(self, cell: Cell) -> Path:
        """Where the file of a finished cell is, unless it is packed."""
        return self.files.path(cell)

    def state(self, cell: Cell) -> str | None:
        """What changes whenever a finished cell is scored again; None where there is none."""
        stored = self.find(cell)
        return None if stored is None else short_hash(compact(stored.record).encode())

    def lease_path(self, path: Path) -> Path:
        """The lease of a cell with this file."""
        return path.with_name(f"{path.name}.lease")

    def _stored(self, cell: Cell) -> Stored:
        """A finished cell, of its file or else of its line; raises as `read` does."""
        try:
            return self.files.read(cell)
        except (FileNotFoundError, NotADirectoryError):
            if cell in (packed := self.packed.cells()):
                return packed[cell]
            raise

    def _images(self, cell: Cell) -> list[str]:
        """The images of a stored cell; none where it has fewer than it says."""
        stored = self.find(cell)
        if stored is None or len(stored.images) < _promised(stored.facts):
            return []
        return list(stored.images)


def _promised(record: Record) -> int:
    """How many images a cell says it has; 0 where it does not say."""
    count = record["settings"]["dataset"].get("images", 0)
    return count if isinstance(count, int) else 0
