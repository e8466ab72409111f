"""The cells of a check, scored: lines as the baseline has them."""

import json
import math
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmark.cells import Cell, ResultStore
from benchmark.cells.provenance import PIXELS, short_hash
from benchmark.cells.records import Record
from benchmark.cells.scores import Scale
from benchmark.console.log import log
from benchmark.reporting.gate.baseline import Line
from benchmark.reporting.gate.compare import REPEATS
from benchmark.scoring.grid import Grid, fill, missing
from benchmark.settings import plain
from benchmark.studies.gate.runs import drawing, name_of_run, with_runs

SHORT = 10  # hexadecimal digits of a hash: two that differ have the same once in 10^12


def score(grid: Grid, folder: Path, device: str) -> tuple[list[Line], dict[Cell, str]]:
    """The lines of a grid's cells, and by cell why one could not be scored.

    A model which draws random numbers is scored `REPEATS` times: its scores are the means over
    these runs, its spreads the standard deviations of these means. A cell on which a model fails
    costs no other cell its scores.

    Parameters
    ----------
    folder
        Gets the scores of single images; what it has already is not scored again.

    Raises
    ------
    ValueError
        If an image of a dataset cannot be used, or the folder has cells of other settings.
    """
    store, several = ResultStore(folder), drawing(grid, device)
    failed = _fill(with_runs(grid, several, REPEATS), store, device)
    lines, reasons = [], {}
    for cell in grid.cells:
        runs = _runs(cell, several)
        broken = next((failed[run] for run in runs if run in failed), None)
        if broken is None:
            lines.append(_line(cell, [store.read(run) for run in runs], grid))
        else:
            reasons[cell] = broken
    return lines, reasons


def without(grid: Grid, models: Collection[str]) -> Grid:
    """The grid without these models."""
    return replace(grid, models={n: model for n, model in grid.models.items() if n not in models})


def scales_of(grid: Grid) -> dict[str, Scale]:
    """How the numbers of the grid's metrics are read."""
    return {
        name: Scale(name, metric.higher_is_better, metric.unit, metric.digits)
        for name, metric in grid.metrics.items()
    }


def _fill(grid: Grid, store: ResultStore, device: str) -> dict[Cell, str]:
    """Score what a store lacks of a grid; by cell, in one line, why it could not be scored.

    Of a model's first error which is no sentence the traceback is logged.
    """
    failed: dict[Cell, str] = {}
    while todo := [c for c in missing(grid, store, rescore="changed") if c not in failed]:
        try:
            fill(grid, store, todo, device, "changed")
        except Exception as error:  # of one cell, or of all
            said = _sentence(error)
            broken = next((cell for cell in todo if said.startswith(f"{cell},")), None)
            if broken is None:
                raise
            known = isinstance(error, ValueError) or broken.model in {c.model for c in failed}
            failed[broken] = said
            log.info(said, exc_info=None if known else error)
    return failed


def _sentence(error: Exception) -> str:
    """An error in one line, which begins with its cell and image where it is about one.

    A ``ValueError`` says that itself; of others it is said by the note, or the message, which
    `benchmark.denoiser.contract.naming` makes: ``raised by a model: CELL, image NAME``.
    """
    if isinstance(error, ValueError):
        return " ".join(str(error).split())
    message, notes = str(error), getattr(error, "__notes__", [])
    places = [note.partition(": ")[2] for note in notes if note.startswith("raised by a ")]
    if not places:
        what, _, place = message.partition(": ")
    else:
        place = places[-1]  # a model may raise one error again and again
        what = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return " ".join(f"{place}: {what}".split())


def _runs(cell: Cell, several: Collection[str]) -> list[Cell]:
    """The cells which the scores of a cell are means of."""
    if cell.model not in several:
        return [cell]
    return [replace(cell, model=name_of_run(cell.model, number)) for number in range(REPEATS)]


def _line(cell: Cell, records: list[Record], grid: Grid) -> Line:
    names = grid.datasets[cell.dataset].images()
    means = [
        {metric: float(np.mean([row[metric] for row in rows])) for metric in grid.metrics}
        for rows in (_rows(record, names) for record in records)
    ]
    rows, settings = _rows(records[0], names), records[0]["settings"]
    identity = {kind: [(row["image"], row[kind]) for row in rows] for kind in PIXELS}
    identity |= {"protocol": settings["protocol"]}
    identity |= {name: settings["metrics"][name] for name in grid.metrics}
    runs = len(means)
    return Line(
        cell,
        len(names),
        {name: _digest(what) for name, what in sorted(identity.items())},
        {name: float(np.mean([run[name] for run in means])) for name in grid.metrics},
        {
            name: float(np.std([run[name] for run in means], ddof=1)) / math.sqrt(runs)
            if runs > 1
            else 0.0
            for name in grid.metrics
        },
    )


def _rows(record: Record, names: list[str]) -> list[dict]:
    """The rows of these images."""
    rows = {row["image"]: row for row in record["images"]}
    return [rows[name] for name in names]


def _digest(what: object) -> str:
    return short_hash(json.dumps(plain(what), sort_keys=True).encode())[:SHORT]
