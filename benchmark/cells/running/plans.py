"""What runs are to score: a folder says it, in ``plans/``, until all of it is there."""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.cells.cell import Cell, plan
from benchmark.cells.provenance import short_hash
from benchmark.cells.running.sharing import files_of_cells
from benchmark.files.whole import write_whole

if TYPE_CHECKING:
    from benchmark.cells.store import ResultStore

FOLDER = "plans"


@dataclass(frozen=True)
class Plan:
    """The grid of one run.

    Parameters
    ----------
    command
        The one which fills it.
    models, seeds
        As `benchmark.cells.cell.plan` takes them, like ``levels``.
    levels
        Dataset to noise to levels.
    images
        By dataset, how many each cell has.
    again
        Whether it scores the cells again which were there when it was begun.
    """

    command: str
    models: Sequence[str]
    levels: Mapping[str, Mapping[str, Sequence[float]]]
    seeds: Sequence[int]
    images: Mapping[str, int]
    again: bool = False

    def cells(self) -> Iterator[Cell]:
        """The cells of the grid, in the order in which they are scored."""
        return plan(self.models, self.levels, self.seeds)

    def path(self, store: ResultStore) -> Path:
        """Its file in a folder; equal plans have the same."""
        return store.root / FOLDER / f"{short_hash(self._text.encode())}.json"

    def keep(self, store: ResultStore) -> None:
        """Write it to a folder, as any number of processes may do."""
        if not self.path(store).exists():
            write_whole(self.path(store), self._text)

    def begun(self, store: ResultStore) -> int | None:
        """When it was written to a folder, in nanoseconds by its clock; None if it is not there."""
        try:
            return self.path(store).stat().st_mtime_ns
        except OSError:
            return None

    @contextlib.contextmanager
    def kept(self, store: ResultStore) -> Iterator[None]:
        """Keep it from here on, also where the block is interrupted, but not where it is refused.

        A refusal, a ``ValueError``, leaves no folder behind which there was not before. Where
        others are at work in the folder, the plan may be theirs as well, and stays.
        """
        self.keep(store)
        try:
            yield
        except ValueError:
            if all(map(store.leases.is_free, files_of_cells(store.root, ".lease"))):
                self.forget(store)
                with contextlib.suppress(OSError):  # not empty, or gone
                    store.root.rmdir()
            raise

    def forget(self, store: ResultStore) -> None:
        """Remove it from a folder where all of it is there, and ``plans`` with the last one."""
        path = self.path(store)
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not empty, or gone
            path.parent.rmdir()

    @property
    def _text(self) -> str:
        facts = asdict(self)
        if not self.again:  # as it was written before this was known
            del facts["again"]
        return json.dumps(facts, indent=1) + "\n"


def read_plans(store: ResultStore) -> dict[Path, Plan]:
    """The plans of a folder by their files; what is none is left out with a warning."""
    plans = {}
    for path in sorted(store.root.glob(f"{FOLDER}/*.json")):
        try:
            read = Plan(**json.loads(path.read_text()))
            next(read.cells(), None)
            sum(read.images.values())
            plans[path] = read
        except FileNotFoundError:  # all of it is there since
            continue
        except (ValueError, TypeError, AttributeError) as error:
            warnings.warn(f"{path} is no plan of a run, and left out: {error}", stacklevel=2)
    return plans
