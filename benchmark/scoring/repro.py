"""A stored cell made again: its images scored once more, and what differs where they are not equal.

Nothing is written.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from benchmark.cells import Cell
from benchmark.cells.provenance import EARLIER, PIXELS, Record, Row, code_changes, some_of
from benchmark.cells.scores import known_scale
from benchmark.denoiser.inference import AUTOMATIC, Inference
from benchmark.environment.agreement import tolerance_of
from benchmark.environment.versions import describe_environment
from benchmark.metrics.metric import prepared
from benchmark.scoring.grid import Grid
from benchmark.settings import differences, plain, short_digest

IMAGES = ("images", "sha256")  # settings of a dataset which are compared image by image


@dataclass(frozen=True, eq=False)
class Reproduction:
    """A cell as it is stored and as it was made now.

    Parameters
    ----------
    lines
        A line per image and metric: ``image``, ``metric``, ``before``, ``after``.
    tolerances
        By metric, the largest difference of an image which is no more than rounding.
    units
        By metric.
    lacking
        What the cell has and could not be made now: images, metrics, each with the reason.
    made
        What differs in what made it: settings, code, versions, device, threads.
    is_code_known
        Whether the cell says by what code it was made.
    pixels
        What is known of the pixels which the model was given, in words; "" where nothing is.
    """

    cell: Cell
    lines: pd.DataFrame
    tolerances: Mapping[str, float]
    units: Mapping[str, str]
    lacking: list[str]
    made: list[str]
    is_code_known: bool
    pixels: str

    @property
    def largest(self) -> dict[str, float]:
        """By metric, the largest difference of an image; infinite where one has no number."""
        sizes = (self.lines["after"] - self.lines["before"]).abs().fillna(math.inf)
        found = sizes.groupby(self.lines["metric"], sort=False).max()
        return {str(name): float(size) for name, size in found.items()}

    @property
    def is_equal(self) -> bool:
        """Whether every image of the cell was scored, and is equal to the bit."""
        return not self.lacking and not any(self.largest.values())

    @property
    def is_within(self) -> bool:
        """Whether every image of the cell was scored, and none differs by more than rounding."""
        within = all(size <= self.tolerances[name] for name, size in self.largest.items())
        return not self.lacking and within

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        made = some_of(self.made)
        if self.is_equal:
            return "equal to the bit" + (f", although not made alike: {made}" if made else "")
        sizes = [
            f"{name} by up to {_number(size, self.units[name])}"
            for name, size in self.largest.items()
            if size
        ]
        limits = {_number(self.tolerances[name], self.units[name]) for name in self.largest}
        limit = " and ".join(sorted(limits))
        silent = "" if self.is_code_known else "the cell does not say by what code it was made"
        nothing = (
            silent
            or "nothing that the cell says of how it was made is different (it names no processor)"
        )
        why = f"{made}; {silent}" if made and silent else made or nothing
        if self.is_within:
            return (
                f"within {limit}, the tolerance between machines, versions and numbers of threads: "
                f"{' and '.join(sizes)}; {why}"
            )
        beyond = [f"{' and '.join(sizes)}, where {limit} is the tolerance"] if sizes else []
        return f"differs: {'; '.join(x for x in [*beyond, *self.lacking, self.pixels, why] if x)}"


def make_again(
    grid: Grid, cell: Cell, record: Record, device: str, metrics: Collection[str]
) -> Reproduction:
    """Score the images of a stored cell once more, with the threads that torch has now.

    Parameters
    ----------
    grid
        Made of the record's own settings; it has the cell.
    record
        As `ResultStore.read` gives it.
    metrics
        Those of the record which are to be compared.

    Raises
    ------
    RestorationError
        If the noise, the model or a metric fails.
    ValueError
        If no image of the cell is there, or none of the metrics can be had, or it has no scores.
    """
    stored = {row["image"]: row for row in record["images"]}
    unusable = _other_images(grid, cell, record)
    usable = [image for image in stored if image not in unusable]
    if not usable:
        raise ValueError(_said_of(unusable))
    grid, unavailable = _available(grid)
    rows = _scored(grid, cell, record, usable, device)
    names = [name for name in metrics if name in grid.metrics]
    units = {name: _unit(name, record) for name in names}
    environment = record.get("environment", {})
    now = {**describe_environment(device), **_inference(grid, cell).recorded}
    coarse = environment.get("device") != now["device"] or now["precision"] == "bf16"
    lines = [
        {"image": image, "metric": name, "before": stored[image][name], "after": rows[image][name]}
        for image in usable
        for name in names
        if stored[image].get(name) is not None
    ]
    if not lines:
        raise ValueError(f"it has no score of {' or '.join(names)} to compare with")
    return Reproduction(
        cell,
        pd.DataFrame(lines, columns=["image", "metric", "before", "after"]),
        {name: tolerance_of(unit, coarse) for name, unit in units.items()},
        units,
        [
            *([_said_of(unusable)] if unusable else []),
            *unavailable,
            *_without_score(stored, usable, names),
        ],
        [
            *_changed_settings(grid, cell, record),
            *(code_changes(record, grid.code_of(cell)) or []),
            *_changed(environment, now),
            *_other_tiles(environment.get("tile", {}), rows.values()),
            *_of_several_makings(record),
        ],
        "code" in record,
        _said_of_pixels(stored, rows),
    )


def _scored(
    grid: Grid, cell: Cell, record: Record, images: list[str], device: str
) -> dict[str, Row]:
    """By image, the rows of now; in tiles where the cell says so, else whole as memory allows."""
    tiles = record.get("environment", {}).get("tile", {})
    done = grid.evaluate(cell, images, device, grid.metrics_of(cell), tiles)
    return {each.row["image"]: each.row for each in done}


def _inference(grid: Grid, cell: Cell) -> Inference:
    return grid.inference.get(cell.model, AUTOMATIC)


def _available(grid: Grid) -> tuple[Grid, list[str]]:
    """The grid with the metrics which can be computed here, and why others cannot.

    Raises
    ------
    ValueError
        If none can.
    """
    available, unavailable = prepared(grid.metrics)
    problems = [f"no {name}: {why}" for name, why in unavailable.items()]
    if not available:
        raise ValueError("; ".join(problems))
    return replace(grid, metrics=available), problems


def _other_images(grid: Grid, cell: Cell, record: Record) -> dict[str, str]:
    """The images of a cell which are not what they were, as far as it says, and what they are."""
    identities = grid.identities_of(cell) or {}
    rows = record["images"]
    found = {row["image"]: "is not there" for row in rows if row["image"] not in identities}
    told = {row["image"]: row["source"] for row in rows if "source" in row}
    for image in told.keys() - found.keys():
        if told[image] != short_digest(identities[image]):
            found[image] = "is another file than it was, or is cut otherwise"
    before = record["settings"]["dataset"].get("sha256")
    after = grid.settings_of(cell)["dataset"].get("sha256")
    if not told and not found and before != after:  # version 0.1 said it of all images together
        what = "may be another file or cut otherwise: the SHA-256 of all images is another"
        found = {row["image"]: what for row in rows}
    return found


def _said_of(unusable: Mapping[str, str]) -> str:
    (image, what), *others = unusable.items()
    more = f", and {len(others)} more" if others else ""
    return f"image {image} {what}{more}"


def _without_score(stored: Mapping[str, Row], images: list[str], metrics: list[str]) -> list[str]:
    """By metric, of which images the cell itself holds no number."""
    found = {name: [i for i in images if stored[i].get(name) is None] for name in metrics}
    return [f"the cell has no {name} of {some_of(of)}" for name, of in found.items() if of]


def _changed_settings(grid: Grid, cell: Cell, record: Record) -> list[str]:
    """In what the cell's settings are not had again: of a class which has others now."""
    before, now = plain(record["settings"]), plain(grid.settings_of(cell))
    for settings in (before, now):
        metrics = settings["metrics"]
        settings["metrics"] = {name: metrics[name] for name in grid.metrics if name in metrics}
        settings["dataset"] = {k: v for k, v in settings["dataset"].items() if k not in IMAGES}
    return differences(before, now)


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Versions, device, threads and precision, where both sides know them."""
    return [
        f"{name} {before[name]}, now {value}"
        for name, value in now.items()
        if before.get(name, value) != value
    ]


def _other_tiles(before: Mapping[str, int], rows: Iterable[Row]) -> list[str]:
    """The images which memory put into other tiles than before."""
    ways = {None: "whole"}
    return [
        f"{row['image']} restored {ways.get(tile, f'in tiles of {tile}')}"
        for row in rows
        if (tile := row.get("tile")) != before.get(row["image"])
    ]


def _of_several_makings(record: Record) -> list[str]:
    """The images which were made with something else than the cell says of the others."""
    entries = [entry for entry in record.get(EARLIER, []) if isinstance(entry, dict)]
    images = [image for entry in entries for image in entry.get("images", [])]
    return [f"{some_of(images)} made earlier than the others"] if images else []


def _said_of_pixels(stored: Mapping[str, Row], rows: Mapping[str, Row]) -> str:
    known = [
        (kind, image, stored[image][kind] == row[kind])
        for kind in PIXELS
        for image, row in rows.items()
        if kind in stored[image]
    ]
    other = [f"{kind} of {image}" for kind, image, same in known if not same]
    if other:
        return f"other pixels, so the noise or the image differs: {some_of(other)}"
    return "same noisy pixels, other restoration or metric" if known else ""


def _unit(metric: str, record: Record) -> str:
    units = record["labels"].get("metric_unit", {})
    return units.get(metric, known_scale(metric).unit)


def _number(value: float, unit: str) -> str:
    return f"{value:.2g} {unit}".rstrip()
