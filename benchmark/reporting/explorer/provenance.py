"""Every cell with its images' scores, and what it was made by, each record once."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from benchmark.cells.records import Record
from benchmark.cells.scores import CELL
from benchmark.reporting.board import Board
from benchmark.reporting.explorer.standings import MORE, number, seconds
from benchmark.reporting.statistics.trainings import network_of

KEY = ["model", *CELL]


def cells_and_records(board: Board) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The cells of a board, and the records which they point at by number.

    A cell's ``record`` is None where the table of scores came without records.
    """
    by_cell = {tuple(made["cell"][name] for name in KEY): made for made in board.scores.records}
    digits = {name: board.scale(name).digits + MORE for name in board.metrics}
    of_cells: dict[tuple, list[list[Any]]] = defaultdict(list)
    table = board.rows[[*KEY, "image", "seconds", *digits]]
    for line in table.itertuples(index=False, name=None):
        image, taken, *scores = line[len(KEY) :]
        row = [image, seconds(taken), *map(number, scores, digits.values())]
        of_cells[line[: len(KEY)]].append(row)
    cells: list[dict[str, Any]] = []
    records: list[dict[str, Any]] = []
    numbers: dict[str, int] = {}
    for key, rows in of_cells.items():
        model, dataset, noise, level, seed = key
        place = None
        if record := by_cell.get(key):
            made = _made(record)
            place = numbers.setdefault(json.dumps(made, sort_keys=True), len(records))
            records += [made] if place == len(records) else []
        cells.append(
            {
                "model": network_of(model),
                "training": model,
                "dataset": dataset,
                "noise": noise,
                "level": float(level),
                "seed": int(seed),
                "record": place,
                "rows": rows,
            }
        )
    return cells, records


def settings_by(board: Board, role: str, part: str) -> dict[str, Mapping[str, Any]]:
    """By the name of a model, noise or dataset, its settings as the first of its cells has them."""
    found: dict[str, Mapping[str, Any]] = {}
    for record in board.scores.records:
        found.setdefault(record["cell"][role], _finite(record["settings"][part]))
    return found


def _made(record: Record) -> dict[str, Any]:
    """What a cell was made by: all it says but for its scores and its key."""
    environment = dict(record.get("environment", {}))
    made = {
        "tile": environment.pop("tile", {}),
        "precision": environment.pop("precision", None),
        "environment": environment,
        "code": record.get("code"),
        "settings": record["settings"],
    }
    return _finite(made)


def _finite(value: Any) -> Any:
    """A value of JSON with its NaN and infinite numbers, which a browser cannot read, as texts."""
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
