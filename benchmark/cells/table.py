"""From stored cells to the table of their scores, with what its columns and names mean."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, islice, repeat
from typing import TYPE_CHECKING, Any

from benchmark.cells.provenance import PIXELS, made_of
from benchmark.cells.records import Record, Stored
from benchmark.cells.scores import ROW, Scale, Scores, digits_of, known_scale

if TYPE_CHECKING:
    import pandas as pd

AT_ONCE = 1000  # cells whose rows are in memory


def scores_of(
    cells: Sequence[Stored],
    partners: Mapping[str, str],
    families: Mapping[str, str],
    suites: Mapping[str, Sequence[str]],
) -> Scores:
    """The scores of stored cells; see `benchmark.cells.ResultStore.scores`."""
    scales: dict[str, Scale] = {}
    border: dict[str, dict[str, int]] = {}
    protocols: list[dict[str, Any]] = []
    units, notes, model_notes, compared, of_noises = {}, {}, {}, {}, {}
    trained_on: dict[str, set[tuple[str, float]]] = {}
    inference: dict[str, dict[str, list[str]]] = {}
    for cell, record, *_ in _distinct(cells):
        settings, labels = record["settings"], record["labels"]
        scales |= {name: _scale(name, labels) for name in settings["metrics"]}
        border.setdefault(cell.dataset, {}).update(labels.get("border", {}))
        units[cell.noise], notes[cell.noise] = labels.get("unit") or "", labels.get("note") or ""
        model_notes |= labels.get("model_note", {})
        if other := labels.get("compared_with") or partners.get(settings["model"].get("of")):
            compared[cell.model] = other
        noise = settings["dataset" if cell.recorded else "noise"]
        if family := labels.get("family") or families.get(noise.get("of")):
            of_noises[cell.noise] = family
        if trained := labels.get("trained_on"):
            own = trained_on.setdefault(cell.model, set())
            if trained == {"noise": settings["noise"], "level": cell.level}:
                own.add((cell.noise, cell.level))
        if settings["protocol"] not in protocols:
            protocols.append(settings["protocol"])
        if unusual := _unusual(record.get("environment", {})):
            known = inference.setdefault(cell.dataset, {})
            known[cell.model] = sorted({*known.get(cell.model, []), *unusual})
    return Scores(
        _rows_of(cells),
        scales,
        border,
        protocols,
        units,
        notes,
        model_notes,
        compared,
        inference,
        made_of(stored.without_images for stored in cells),
        Records(cells),
        of_noises,
        suites,
        trained_on,
    )


class Records(Sequence[Record]):
    """The records of cells without their images, each made when it is asked for."""

    def __init__(self, cells: Sequence[Stored]):
        self._cells = cells

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __len__(self) -> int:
        return len(self._cells)

    def __getitem__(self, place: Any) -> Any:
        found = self._cells[place]
        return Records(found) if isinstance(place, slice) else found.without_images


def _distinct(cells: Sequence[Stored]) -> Iterable[Stored]:
    """Of cells which say the same, few: in the order of the first of each, then of the last.

    So names come in the order in which all of the cells have them, and what the last says counts.
    """

    def said(stored: Stored) -> tuple[object, ...]:
        cell, facts = stored.cell, stored.facts
        level = cell.level if facts["labels"].get("trained_on") else None
        return cell.model, cell.dataset, cell.noise, level, id(facts)

    first = {said(stored): stored for stored in cells}
    last = {said(stored): stored for stored in reversed(cells)}
    return [*first.values(), *reversed(last.values())]


def _rows_of(cells: Sequence[Stored]) -> pd.DataFrame:
    """A line for each image of each cell: cells by dataset, noise, level, seed and model."""
    import pandas as pd

    columns: dict[str, list[Any]] = {name: [] for name in ("model", *ROW)}
    ordered = sorted(cells, key=_place)
    for metrics, alike in groupby(ordered, lambda stored: stored.facts["settings"]["metrics"]):
        while some := list(islice(alike, AT_ONCE)):
            _add(columns, some, metrics)
    if not columns["image"]:
        return pd.DataFrame()
    columns["seconds"] = columns.pop("seconds")  # last, whichever metrics a cell has
    return pd.DataFrame(columns)


def _add(columns: dict[str, list[Any]], cells: list[Stored], metrics: Mapping[str, Any]) -> None:
    """Add the lines of cells with the same metrics to columns, which stay equally long."""
    of_cell = [json.loads(stored.text) for stored in cells]
    rows = [row for found in of_cell for row in found]
    before = len(columns["image"])
    layouts = dict.fromkeys(map(tuple, rows))
    for layout in layouts:  # a new column lacks what was before
        pixels = (name for name in PIXELS if name in layout)
        for name in (*(name for name in layout if name in metrics), *pixels, "seconds"):
            columns.setdefault(name, [math.nan] * before)
    columns["image"] += [row["image"] for row in rows]
    for name in vars(cells[0].cell):
        columns[name] += [
            value
            for stored, found in zip(cells, of_cell, strict=True)
            for value in repeat(getattr(stored.cell, name), len(found))
        ]
    for name, column in columns.items():
        if name in metrics:
            column += [_finite(row.get(name)) for row in rows]
        elif name == "seconds":
            column += [row.get(name) for row in rows]
        elif len(column) == before:
            column += [row.get(name, math.nan) if name in PIXELS else math.nan for row in rows]


def _place(stored: Stored) -> tuple[object, ...]:
    cell = stored.cell
    return cell.dataset, cell.noise, cell.level, cell.seed, cell.model


def _scale(metric: str, labels: Mapping[str, Any]) -> Scale:
    """A metric as the cell labels it; older cells leave unit and digits open."""
    known = known_scale(metric)
    return Scale(
        metric,
        labels["higher_is_better"][metric],
        labels.get("metric_unit", {}).get(metric, known.unit),
        digits_of(metric, labels),
    )


def _finite(score: float | None) -> float:
    return math.nan if score is None or not math.isfinite(score) else score


def _unusual(environment: Mapping[str, Any]) -> set[str]:
    """How a cell's images were restored, if not whole, in fp32 and by torch."""
    found = {f"tiles of {side}" for side in environment.get("tile", {}).values()}
    found |= {"bf16"} if environment.get("precision") == "bf16" else set()
    return found | ({environment["runtime"]} - {"torch"} if "runtime" in environment else set())
