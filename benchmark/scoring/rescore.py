"""Cells scored otherwise than now: by other code, and scored again; or by another protocol."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmark.cells import Cell, ResultStore
from benchmark.cells.provenance import PIXELS, code_changes, some_of
from benchmark.protocol import name_of

if TYPE_CHECKING:
    from benchmark.scoring.grid import Grid

CHOICES = ("changed", "all")  # what rescore= takes beside null


@dataclass(frozen=True)
class Changes:
    """How the finished cells of a grid differ in their code from now."""

    finished: int  # cells of the grid which are stored
    changed: dict[Cell, list[str]]  # what differs, in words; only cells which say it differently
    silent: int  # cells which do not say by what code they were made

    def sentence(self, rescore: str | None, lacking: Collection[Cell] = ()) -> str:
        """What a run says of them, as one line; empty if none has changed.

        Parameters
        ----------
        lacking
            Cells that the run scores, as they lack images or metrics.
        """
        silent = ""
        if self.silent and rescore != "all":
            silent = (
                f"{self.silent} do not say by which code, and only rescore=all scores those again"
            )
        if not self.changed:
            none = f"no finished cell is known to be scored by other code; {silent}"
            return none if silent and rescore else ""
        what = some_of(change for changes in self.changed.values() for change in changes)
        again = len(self.changed.keys() & set(lacking))
        then = "stay: rescore=changed scores them again"
        if rescore or again == len(self.changed):
            then = "are scored again" + ("" if rescore else ", as images or metrics are lacking")
        elif again:
            then = (
                f"{again} of these, where images or metrics are lacking, are scored again, and "
                f"the others stay: rescore=changed scores them too"
            )
        said = (
            f"{len(self.changed)} of {self.finished} finished cells were scored by other code "
            f"({what}) and {then}"
        )
        return f"{said}; {silent}" if silent else said


def changes_of(grid: Grid, store: ResultStore) -> Changes:
    """Compare the code of every stored cell of a grid with that of now."""
    finished = silent = 0
    changed: dict[Cell, list[str]] = {}
    known: dict[tuple[object, ...], list[str] | None] = {}  # most cells have what others have
    for cell in grid.cells:
        if (stored := store.find(cell)) is None:
            continue
        now = grid.code_of(cell)
        key = (cell.model, cell.dataset, cell.noise, id(stored.facts), id(now))
        if key not in known:
            known[key] = code_changes(stored.without_images, now)
        finished += 1
        silent += known[key] is None
        if changes := known[key]:
            changed[cell] = changes
    return Changes(finished, changed, silent)


def check_choice(rescore: str | None) -> None:
    """Raise ``ValueError`` for what ``rescore`` cannot be."""
    if rescore is not None and rescore not in CHOICES:
        raise ValueError(
            f"rescore={rescore} is unknown; take rescore=changed for the cells which were scored "
            f"by other code, rescore=all for every one, or leave it away"
        )


def again(
    grid: Grid, store: ResultStore, rescore: str | None, since: int | None = None
) -> set[Cell]:
    """The finished cells which ``rescore`` asks to score again; those which are silent only by all.

    Parameters
    ----------
    since
        When scoring all of them again was begun, in nanoseconds as `written` gives them: those
        written since are done.

    Raises
    ------
    ValueError
        If ``rescore`` is neither "changed", "all" nor None.
    """
    check_choice(rescore)
    if rescore is None:
        return set()
    if rescore == "changed":
        return set(changes_of(grid, store).changed)
    stored = (cell for cell in grid.cells if cell in store)
    return {cell for cell in stored if since is None or written(store, cell) <= since}


def written(store: ResultStore, cell: Cell) -> int:
    """When the file of a finished cell was, in nanoseconds; 0 where there is none."""
    try:
        return store.path(cell).stat().st_mtime_ns
    except OSError:
        return 0


def refuse_mixtures(
    grid: Grid, store: ResultStore, lacking: Iterable[Cell], rescored: set[Cell]
) -> None:
    """Raise ``ValueError`` if new scores would join older ones of other metrics and other code.

    A finished cell which lacks a metric keeps the others it has. Where its code is no longer that
    of now, or where it is to be scored again, those the grid does not ask for would be left over.
    """
    for cell in lacking:
        if (stored := store.find(cell)) is None:
            continue
        kept = stored.facts["settings"]["metrics"].keys() - grid.metrics.keys()
        changes = code_changes(stored.without_images, grid.code_of(cell)) if kept else None
        if kept and (changes or cell in rescored):
            metrics = ",".join([*grid.metrics, *sorted(kept)])
            why = f"by other code ({some_of(changes)})" if changes else "before"
            raise ValueError(
                f"{cell} also has {', '.join(sorted(kept))}, scored {why}, which would stand "
                f"beside scores of now; score all of them: metric=[{metrics}] "
                f"rescore={'all' if cell in rescored and not changes else 'changed'}"
            )


def refuse_other_pixels(
    cell: Cell, stored: Mapping[str, Any] | None, row: Mapping[str, Any]
) -> None:
    """Raise ``ValueError`` if a row would join scores of other pixels which its cell has already.

    Parameters
    ----------
    stored
        The finished cell's record; None where there is none.
    row
        Of an image which was scored now.
    """
    if stored is None:
        return
    kept = sorted(stored["settings"]["metrics"].keys() - row.keys())
    known = next((found for found in stored["images"] if found["image"] == row["image"]), {})
    for kind in PIXELS:
        if kept and known.get(kind, row[kind]) != row[kind]:
            raise ValueError(
                f"{cell} also has {', '.join(kept)}, scored on other {kind} pixels of image "
                f"{row['image']} than there are now ({known[kind]}, now {row[kind]}); score all of "
                f"its metrics again: rescore=all"
            )


def refuse_other_protocol(grid: Grid, store: ResultStore) -> None:
    """Raise ``ValueError`` if a folder has cells by another protocol, or border, than a run."""
    ours, facts = grid.protocol.name, grid.protocol.facts
    examples = {cell.dataset: cell for cell in grid.cells}
    borders = {name: grid.settings_of(cell)["metrics"] for name, cell in examples.items()}
    seen = set()
    for stored in store.all():
        cell, settings_then = stored.cell, stored.facts["settings"]
        if (key := (cell.dataset, id(settings_then))) in seen:
            continue
        seen.add(key)
        theirs = settings_then["protocol"]
        if theirs != facts and (other := name_of(theirs)) != ours:
            raise ValueError(
                f"{store.root} holds scores by protocol {other} ({cell}), and this run is by "
                f"protocol {ours}; two protocols never share a folder: choose another (out=FOLDER)"
            )
        for name, settings in settings_then["metrics"].items():
            now = borders.get(cell.dataset, {}).get(name, settings)
            if (was := settings.get("border")) != now.get("border"):
                raise ValueError(
                    f"{store.root} holds scores of {name} with border={was} ({cell}), and this run "
                    f"leaves out {now.get('border')}; they cannot share a column: give that metric "
                    f"a name of its own ('+metric.NAME={{of: ...}}'), or choose another folder "
                    f"(out=FOLDER)"
                )
