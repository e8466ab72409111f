"""The baseline of ``bench check``: a text file for version control, one line a cell."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.cells import Cell

FIRST_LINE = "# noisebench baseline: written by bench check update=true, compared by bench check"
KEY = ("model", "dataset", "noise", "level", "seed")
COLUMNS = (*KEY, "images", "settings", "relative_seconds")  # those of the metrics follow
SPREAD = "_spread"  # behind a metric's name
CONFLICT = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")  # what git leaves where it cannot merge
AGAIN = "write it again with update=true"
OTHER = "name another: baseline=FILE"  # of what an update would not replace


@dataclass(frozen=True)
class Line:
    """The scores of one cell.

    Parameters
    ----------
    images
        How many there are.
    settings
        By name of what the scores are of, a short hash of it: ``clean`` and ``noisy`` of all pixels
        (data and noise, whatever their code), ``protocol`` and each metric of their settings. The
        model has none: it is what changes.
    scores
        By metric, the mean over images, and over the runs of a stochastic network.
    spreads
        By metric, the standard deviation of that mean where the network's random numbers are drawn
        anew, and nothing else; 0 of a network which draws none.
    relative_seconds
        Seconds of an image as a multiple of those of a fixed network, timed in turn; None where
        nobody timed it.
    """

    cell: Cell
    images: int
    settings: Mapping[str, str]
    scores: Mapping[str, float]
    spreads: Mapping[str, float]
    relative_seconds: float | None = None


@dataclass(frozen=True)
class Baseline:
    """The lines of a file, and the command which it says it was made with."""

    lines: Sequence[Line] = field(default_factory=tuple)
    command: str = ""


def baseline_text(lines: Iterable[Line], command: str, facts: Mapping[str, object]) -> str:
    """The file of some lines; numbers have all their digits.

    Parameters
    ----------
    command
        The words which make the file again.
    facts
        What it was made by, in the file for people alone: versions, threads.
    """
    lines = list(lines)
    metrics = list(dict.fromkeys(name for line in lines for name in line.scores))
    text = io.StringIO()
    made_by = ", ".join(f"{name} {value}" for name, value in facts.items())
    text.write(f"{FIRST_LINE}\n# made by {made_by}\n# command: {command}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *(n for name in metrics for n in (name, f"{name}{SPREAD}"))])
    for line in lines:
        cell = line.cell
        writer.writerow(
            [
                *(cell.model, cell.dataset, cell.noise, _number(cell.level), cell.seed),
                line.images,
                " ".join(f"{name}:{digest}" for name, digest in line.settings.items()),
                "" if line.relative_seconds is None else f"{line.relative_seconds:.4g}",
                *(
                    _number(values.get(name))
                    for name in metrics
                    for values in (line.scores, line.spreads)
                ),
            ]
        )
    return text.getvalue()


def read_baseline(path: Path) -> Baseline:
    """The lines of a baseline's file.

    Raises
    ------
    ValueError
        If there is no such file, it is no baseline, or it is damaged: the message names the line
        and what is wrong.
    """
    if path.is_dir():
        raise ValueError(f"baseline={path} is a folder; name a file: baseline=FILE")
    if not path.is_file():
        raise ValueError(
            f"there is no baseline {path}; write it with the same command and update=true, then "
            f"commit it, or name another: baseline=FILE"
        )
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _damaged(path, 1, "it is no text in UTF-8", OTHER) from None
    lines = text.splitlines()
    if not lines or lines[0] != FIRST_LINE:
        raise _damaged(path, 1, f"it does not begin with '{FIRST_LINE}'", OTHER)
    for number, line in enumerate(lines, 1):
        if line.startswith(CONFLICT):
            raise _damaged(path, number, f"'{line[:20]}' is left of a merge")
    command = next((n.partition(": ")[2] for n in lines if n.startswith("# command: ")), "")
    numbered = [(n, line) for n, line in enumerate(lines, 1) if line and not line.startswith("#")]
    if not numbered:
        raise _damaged(path, len(lines), "there are no columns")
    place, *places = (number for number, _ in numbered)
    header, *rows = csv.reader(line for _, line in numbered)
    metrics = _metrics(path, place, header)
    found: dict[Cell, Line] = {}
    for place, row in zip(places, rows, strict=True):
        try:
            line = _line(header, metrics, row)
        except ValueError as error:
            raise _damaged(path, place, str(error)) from None
        if line.cell in found:
            raise _damaged(path, place, f"{line.cell} stands in it twice")
        found[line.cell] = line
    return Baseline(list(found.values()), command)


def _metrics(path: Path, place: int, header: list[str]) -> list[str]:
    """The metrics which the columns of a file are of."""
    known = header[: len(COLUMNS)] == list(COLUMNS)
    rest = header[len(COLUMNS) :]
    names, spreads = rest[::2], rest[1::2]
    if not known or not names or spreads != [f"{name}{SPREAD}" for name in names]:
        raise _damaged(
            path, place, f"its columns should be {', '.join(COLUMNS)}, then METRIC, METRIC{SPREAD}"
        )
    if len(set(names)) < len(names):
        raise _damaged(path, place, "a metric has two columns")
    return names


def _line(header: list[str], metrics: list[str], row: list[str]) -> Line:
    if len(row) != len(header):
        raise ValueError(f"it has {len(row)} values for {len(header)} columns")
    values = dict(zip(header, row, strict=True))
    cell = Cell(
        values["model"],
        values["dataset"],
        values["noise"],
        _parsed(values, "level"),
        _counted(values, "seed"),
    )
    settings = {}
    for part in values["settings"].split():
        name, _, digest = part.rpartition(":")
        if not name or not digest:
            raise ValueError(f"'{part}' in its settings is no NAME:HASH")
        settings[name] = digest
    scored = [name for name in metrics if values[name] != ""]
    if not scored:
        raise ValueError("it has no score")
    spreads = {name: _parsed(values, f"{name}{SPREAD}", least=0) for name in scored}
    taken = values["relative_seconds"]
    return Line(
        cell,
        _counted(values, "images"),
        settings,
        {name: _parsed(values, name) for name in scored},
        spreads,
        _parsed(values, "relative_seconds", least=0) if taken else None,
    )


def _parsed(values: Mapping[str, str], column: str, least: float = -math.inf) -> float:
    try:
        number = float(values[column])
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < least:
        raise ValueError(f"its {column} is {values[column]!r:.40}, no finite number of that kind")
    return number


def _counted(values: Mapping[str, str], column: str) -> int:
    if not values[column].isdecimal():
        raise ValueError(f"its {column} is {values[column]!r:.40}, no whole number")
    return int(values[column])


def _damaged(path: Path, place: int, problem: str, cure: str = AGAIN) -> ValueError:
    return ValueError(
        f"{path}, line {place}: {problem}; restore the file from version control, or {cure}"
    )


def _number(value: float | None) -> str:
    """A number with all digits that tell it from others, whole ones without a point."""
    if value is None:
        return ""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(value)
