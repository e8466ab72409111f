"""Which stored cells are meant: by their names, by what they are of, or some drawn evenly."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from benchmark.cells import Cell, ResultStore
from benchmark.cells.packed import NAME
from benchmark.cells.records import Record
from benchmark.registry import did_you_mean

PARTS = 3  # of a cell's name: MODEL/DATASET/CONDITION
ALL = "all"


@dataclass(frozen=True)
class Choice:
    """What of a results folder is meant.

    Parameters
    ----------
    model, noise, data
        Names, or all.
    level
        Levels; all where none is named.
    """

    model: Sequence[str] = (ALL,)
    noise: Sequence[str] = (ALL,)
    data: Sequence[str] = (ALL,)
    level: Sequence[float] = ()

    def has(self, cell: Cell) -> bool:
        named = ((self.model, cell.model), (self.noise, cell.noise), (self.data, cell.dataset))
        return all(ALL in names or name in names for names, name in named) and (
            not self.level or cell.level in self.level
        )


def stored_cells(
    words: Sequence[str], out: str, choice: Choice, sample: int | None = None
) -> list[tuple[Cell, Record]]:
    """The cells that are meant, with their records, in the order of the words and of their paths.

    Parameters
    ----------
    words
        Each a cell, ``masked/kodak24/gaussian-25-0``, its name or a pattern of names with ``*``; a
        cell with its folder before it, ``FOLDER/masked/kodak24/gaussian-25-0`` or its file; or a
        folder, of which all cells are meant. None: all of ``out``.
    out
        The folder of the cells which are given without one.
    sample
        Only so many of them, 1 or more, drawn evenly.

    Raises
    ------
    ValueError
        If a word names no cell, no cell of the folders has a name, or nothing is chosen.
    """
    found: dict[tuple[Path, Cell], Record] = {}
    read: dict[Path, dict[Cell, Record]] = {}
    for word in words or [out]:
        folder, name = _place(word, out) if words else (Path(out).expanduser(), None)
        if folder not in read:
            read[folder] = _records(folder)
        of_word = {
            (folder, cell): record
            for cell, record in read[folder].items()
            if name is None or name == _name(cell) or fnmatchcase(_name(cell), name)
        }
        if not of_word:
            raise _unknown(word, folder, read[folder])
        found |= {key: record for key, record in of_word.items() if choice.has(key[1])}
    _check_names(choice, [cell for records in read.values() for cell in records])
    if not found:
        raise ValueError(
            f"none of the cells is of model={_listed(choice.model)} noise={_listed(choice.noise)} "
            f"data={_listed(choice.data)} level={_listed(choice.level) if choice.level else ALL}; "
            f"bench report out={next(iter(read))} shows which there are"
        )
    cells = [(cell, record) for (_, cell), record in found.items()]
    if sample is None:
        return cells
    count = min(sample, len(cells))
    steps = max(1, count - 1)
    return [cells[place * (len(cells) - 1) // steps] for place in range(count)]


def has_cells(folder: Path) -> bool:
    """Whether a folder is one of results."""
    return (folder / NAME).is_file() or (folder / "cells").is_dir()


def _place(word: str, out: str) -> tuple[Path, str | None]:
    """The folder and the cell's name of a word; None where all cells are meant."""
    path = Path(word).expanduser()
    if has_cells(path):
        return path, None
    parts = list(path.parts)
    if len(parts) < PARTS:
        return path, None
    if path.is_file() and parts[-1].endswith(".json"):
        parts[-1] = parts[-1].removesuffix(".json")
    name, before = "/".join(parts[-PARTS:]), parts[:-PARTS]
    if before and before[-1] == "cells":
        before.pop()
    return (Path(*before) if before else Path(out)), name


def _records(folder: Path) -> dict[Cell, Record]:
    records = dict(ResultStore(folder).records()) if has_cells(folder) else {}
    if not records:
        raise ValueError(
            f"no finished cells in {folder}; name a results folder, or a cell of one as "
            f"MODEL/DATASET/NOISE-LEVEL-SEED, with FOLDER/ before it"
        )
    return records


def _check_names(choice: Choice, cells: Sequence[Cell]) -> None:
    """Raise ``ValueError`` for a model, noise or dataset of which there is no cell."""
    for group, key in (("model", "model"), ("noise", "noise"), ("data", "dataset")):
        known = sorted({getattr(cell, key) for cell in cells})
        for name in getattr(choice, group):
            if name not in (ALL, *known):
                raise ValueError(
                    f"none of the cells is of {group}={name}{did_you_mean(name, known)} They are "
                    f"of {', '.join(known)}"
                )


def _name(cell: Cell) -> str:
    """As its file is called: ``masked/kodak24/gaussian-25-0``."""
    return cell.path.as_posix().removesuffix(".json")


def _unknown(word: str, folder: Path, known: Sequence[Cell] | dict[Cell, Record]) -> ValueError:
    names = [_name(cell) for cell in known]
    hint = did_you_mean("/".join(Path(word).parts[-PARTS:]), names)
    return ValueError(
        f"there is no cell {word} in {folder}{hint if hint != '.' else ''}"
        f"{'' if hint != '.' else ';'} it has {len(names)}, such as {names[0]}"
    )


def _listed(names: Sequence[object]) -> str:
    return f"[{','.join(map(str, names))}]" if len(names) > 1 else str(names[0])
