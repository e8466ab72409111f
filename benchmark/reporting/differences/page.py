"""Differences of scores as people read them: sentences, tables of texts, a page, a CSV file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.cells import Cell
from benchmark.cells.provenance import some_of
from benchmark.cells.scores import Scale, digits_of, known_scale, label_of
from benchmark.files.whole import write_whole
from benchmark.reporting.differences.compare import (
    EQUAL,
    KEY,
    MOVED,
    ROUNDING,
    UNPAIRED,
    Differences,
)
from benchmark.reporting.pages import render
from benchmark.reporting.tables import ABSENT, Table

PAGES = {"diff.md": "differences", "diff.csv": "moves"}
FURTHER = 4  # digits behind those which a leaderboard shows, for what two machines disagree about
MOST = 20  # lines that a terminal shows of what moved
DIFFERENCE = ("difference", "low", "high")
KINDS = {
    EQUAL: "equal to the bit",
    ROUNDING: "within rounding",
    UNPAIRED: "with scores which only one side has",
    MOVED: "moved",
}

Scales = Mapping[str, Scale]


def of_images(lines: pd.DataFrame, labels: Mapping[str, Any]) -> Table:
    """One cell, image by image: each metric before, after, and the difference.

    Parameters
    ----------
    lines
        A line per image and metric: ``image``, ``metric``, ``before``, ``after``.
    labels
        Of the cell, with the ``digits`` of its metrics where they are known.
    """
    images = list(dict.fromkeys(lines["image"]))
    columns: dict[str, list[str]] = {"image": images}
    for metric, part in lines.groupby("metric", sort=False):
        name, by_image = str(metric), part.set_index("image").reindex(images)
        digits = digits_of(name, labels) + FURTHER
        for side in ("before", "after"):
            columns[f"{name}_{side}"] = [f"{value:.{digits}f}" for value in by_image[side]]
        change = by_image["after"] - by_image["before"]
        columns[f"{name}_difference"] = [f"{value:+.2g}" if value else "0" for value in change]
    return Table(list(columns), list(zip(*columns.values(), strict=True)))


def counts(found: Differences, scales: Scales) -> list[str]:
    """How many cells are equal, moved, on one side alone, and of something else, as sentences."""
    said = []
    for metric, lines in found.lines.groupby("metric", sort=False):
        kinds = [(lines["kind"] == kind, words) for kind, words in KINDS.items()]
        parts = [f"{several.sum()} {words}" for several, words in kinds if several.any()]
        gains = _gains(lines[lines["kind"] == MOVED], scales.get(str(metric)))
        if gains is not None and len(gains):
            same = int((gains == 0).sum())
            parts[-1] += f" ({(gains > 0).sum()} better, {(gains < 0).sum()} worse"
            parts[-1] += f", {same} of the same mean)" if same else ")"
        said.append(f"{metric} of {_cells(len(lines))}: {', '.join(parts)}")
    alone = ((found.only_before, "before"), (found.only_after, "after"))
    said += [f"{_cells(len(cells))} only {side}" for cells, side in alone if cells]
    if found.incomparable:
        said.append(f"{_cells(len(found.incomparable))} of other settings or pixels, not compared")
    return said


def of_moved(lines: pd.DataFrame, scales: Scales, brief: bool = False) -> Table:
    """Lines of `Differences.moved`; brief for the terminal, with half the interval's width."""
    rows = []
    for line in lines.to_dict("records"):
        digits = scales.get(line["metric"], known_scale(line["metric"])).digits + 1
        before, after = (f"{line[side]:.{digits}f}" for side in ("before", "after"))
        difference, low, high = (f"{line[name]:+.{digits}f}" for name in DIFFERENCE)
        interval = f"{low} to {high}"
        if brief:
            interval = f"±{(line['high'] - line['low']) / 2:.{digits}f}"
        if pd.isna(line["low"]):
            interval = ABSENT
        images, every = line["images"], line["images"] + line["unpaired"]
        name = _condition(line["noise"], line["level"], line["seed"])
        cell = [label_of(line["model"]), line["dataset"], name, line["metric"]]
        rows.append([*cell, before, after, difference, interval])
        rows[-1].append(f"{images}" if images == every else f"{images} of {every}")
    header = ["model", "dataset", "noise", "metric", "before", "after", "difference"]
    interval = "±" if brief else "95 % interval"
    return Table([*header, interval, "images"], rows, left=header[:4])


def of_places(lines: pd.DataFrame, scales: Scales) -> Table:
    """Lines of `benchmark.reporting.differences.places.places`."""
    rows = []
    for line in lines.to_dict("records"):
        digits = scales.get(line["metric"], known_scale(line["metric"])).digits
        means = [_number(line[side], digits) for side in ("before", "after")]
        standing = [_number(line[f"place_{side}"], 0) for side in ("before", "after")]
        rows.append([line["dataset"], line["metric"], label_of(line["model"]), *standing, *means])
    header = ["dataset", "metric", "model", "place before", "place after"]
    header += ["OOD mean before", "OOD mean after"]
    return Table(header, rows, left=header[:3])


def sections(
    found: Differences, names: tuple[str, str], no_places: str = ""
) -> list[tuple[str, list[str]]]:
    """What else there is to say: titles, and sentences under each.

    Parameters
    ----------
    names
        What the two sides are called.
    no_places
        Why places on the leaderboard are not compared, where they are not.
    """
    alone = ((found.only_before, names[0]), (found.only_after, names[1]))
    parts = [("Places on the leaderboard", [no_places] if no_places else [])]
    parts += [("Scores which only one side has", _unpaired(found.lines))]
    parts += [("Other settings", _other_settings(found))]
    parts += [(f"Only in {name}", _by_model(cells)) for cells, name in alone]
    return [(title, sentences) for title, sentences in parts if sentences]


def write(
    found: Differences,
    places: pd.DataFrame,
    scales: Scales,
    names: tuple[str, str],
    folder: Path,
    command: str,
    no_places: str = "",
) -> list[Path]:
    """Write ``diff.md``, and ``diff.csv`` with every line of `Differences.lines`.

    Parameters
    ----------
    places
        Lines of `benchmark.reporting.differences.places.places` to be shown.
    names
        What the two sides are called.
    command
        The one which is named as theirs.
    no_places
        As `sections` takes it.
    """
    page = render(
        "differences.md",
        command=command,
        names=names,
        counts=counts(found, scales),
        moved=of_moved(found.moved, scales) if len(found.moved) else None,
        places=of_places(places, scales) if len(places) else None,
        sections=sections(found, names, no_places),
    )
    contents = {"diff.md": page, "diff.csv": found.lines.to_csv(index=False, lineterminator="\n")}
    for name, content in contents.items():
        write_whole(folder / name, content)
    return [folder / name for name in contents]


def _other_settings(found: Differences) -> list[str]:
    """What is set otherwise in which cells, as sentences: each change once."""
    cells: dict[str, list[Cell]] = {}
    for cell, changes in found.settings.items():
        cells.setdefault(" and ".join(changes), []).append(cell)
    said = {True: "not compared", False: "compared: the pixels are the same"}
    return [
        f"{change}: {_cells(len(several))}, {said[several[0] in found.incomparable]} "
        f"({'; '.join(_by_model(several))})"
        for change, several in cells.items()
    ]


def _unpaired(lines: pd.DataFrame) -> list[str]:
    """How many scores of which cells only one side has, by metric."""
    lines, said = lines[lines["unpaired"] > 0], []
    for metric, part in lines.groupby("metric", sort=False):
        cells = [str(Cell(*key)) for key in part[KEY].itertuples(index=False, name=None)]
        count = int(part["unpaired"].sum())
        images = f"{count} image{'s' * (count != 1)}"
        said.append(f"{metric} of {images} in {_cells(len(cells))}: {some_of(cells)}")
    return said


def _by_model(cells: Iterable[Cell]) -> list[str]:
    """Cells which are on one side alone, by model and dataset."""
    groups: dict[tuple[str, str], list[str]] = {}
    for cell in cells:
        conditions = groups.setdefault((label_of(cell.model), cell.dataset), [])
        conditions.append(_condition(cell.noise, cell.level, cell.seed))
    return [
        f"{model} on {dataset}: {some_of(conditions)}"
        for (model, dataset), conditions in groups.items()
    ]


def _gains(lines: pd.DataFrame, scale: Scale | None) -> pd.Series | None:
    """By how much each mean is better, where it is known which way that is."""
    if scale is None or scale.higher_is_better is None:
        return None
    return lines["difference"] if scale.higher_is_better else -lines["difference"]


def _condition(noise: str, level: float, seed: int) -> str:
    return f"{noise} {level:g}" + (f", seed {seed}" if seed else "")


def _cells(count: int) -> str:
    return f"{count} cell{'s' * (count != 1)}"


def _number(value: float, digits: int) -> str:
    return ABSENT if pd.isna(value) else f"{value:.{digits}f}"
