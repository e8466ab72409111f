"""Two tables of scores compared by cell: what only one has, what moved, and by how much."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

import numpy as np
import pandas as pd

from benchmark.cells import Cell
from benchmark.cells.provenance import PIXELS
from benchmark.cells.reuse import WHICH
from benchmark.cells.scores import CELL, Scores, known_scale, metric_names
from benchmark.environment.agreement import tolerance_of
from benchmark.reporting.statistics import CONFIDENCE
from benchmark.settings import differences

KEY = ["model", *CELL]
EQUAL, ROUNDING, UNPAIRED, MOVED = "equal", "rounding", "unpaired", "moved"
COLUMNS = [  # of `Differences.lines`
    *[*KEY, "metric", "before", "after", "difference", "low", "high", "largest"],
    *["images", "unpaired", "kind"],
]

Settings = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Differences:
    """What differs between two tables of scores, one from before and one from after.

    Parameters
    ----------
    lines
        A line per cell which both have and metric: `KEY` and ``metric``; the means ``before`` and
        ``after`` over the images which both have, their ``difference`` and its 95 % interval
        ``low`` to ``high``, NaN for fewer than two images; the ``largest`` absolute difference of
        an image; how many ``images`` are compared, and of how many only one has a score,
        ``unpaired``; ``kind``, which is ``"moved"`` where an image differs by more than the
        tolerance, else ``"unpaired"`` where only one has the score of an image, else
        ``"rounding"``, or ``"equal"``, to the bit.
    only_before, only_after
        The cells which the other table lacks.
    settings
        By cell of both, the settings in which they differ, in words.
    incomparable
        Of those, the cells which are of two different things, and have no line.
    """

    lines: pd.DataFrame
    only_before: list[Cell]
    only_after: list[Cell]
    settings: Mapping[Cell, list[str]] = field(default_factory=dict)
    incomparable: frozenset[Cell] = frozenset()

    @cached_property
    def moved(self) -> pd.DataFrame:
        """The lines which moved, metric by metric, PSNR first, each with the largest first."""
        rows = self.lines[self.lines["kind"] == MOVED]
        rows = rows.assign(later=rows["metric"] != "psnr", size=-rows["difference"].abs())
        rows = rows.sort_values(["later", "metric", "size", *KEY], ignore_index=True)
        return rows.drop(columns=["later", "size"])

    @property
    def is_empty(self) -> bool:
        """Whether both have the same cells, of the same things, and no score moved or is lost."""
        differs = self.lines["kind"].isin([UNPAIRED, MOVED]).any()
        return not (differs or self.only_before or self.only_after or self.incomparable)


def compare(
    before: Scores, after: Scores, tolerances: Mapping[str, float] | None = None
) -> Differences:
    """The cells of two results folders against each other.

    Cells of one name whose noise, data, metrics or protocol are set otherwise, or which were scored
    on other pixels, are of two things: they are told apart, not compared. Those with another model,
    such as other weights, restored the same pixels: they are compared, and the settings are named.

    Parameters
    ----------
    tolerances
        By metric, the largest difference of an image which is rounding; by default
        `benchmark.environment.agreement.tolerance_of` its unit.
    """
    known, limits = {**before.scales, **after.scales}, dict(tolerances or {})
    for name in {*metric_names(before.rows), *metric_names(after.rows)}:
        limits.setdefault(name, tolerance_of(known.get(name, known_scale(name)).unit))
    settings = _changed_settings(before, after)
    incomparable = {
        cell
        for cell, changes in settings.items()
        if any(not change.startswith("model.") for change in changes)
    }
    found = compare_rows(before.rows, after.rows, limits, incomparable)
    return replace(found, settings=settings, incomparable=frozenset(incomparable))


def compare_rows(
    before: pd.DataFrame,
    after: pd.DataFrame,
    tolerances: Mapping[str, float],
    incomparable: Collection[Cell] = (),
) -> Differences:
    """Two tables with a line for each image: `KEY`, ``image`` and a column for each metric.

    The interval is that of Student's t over the paired differences of the images, which is right
    for the few images of a cell where a bootstrap is too narrow.

    Parameters
    ----------
    tolerances
        By metric; one that is not named has none: any difference has moved.
    incomparable
        Cells which are not compared.
    """
    ours, theirs = cells_of(before), cells_of(after)
    both = (ours.keys() & theirs.keys()) - set(incomparable)
    metrics = dict.fromkeys([*metric_names(before), *metric_names(after)]) if both else ()
    lines = [_lines(before, after, name, tolerances.get(name, 0.0)) for name in metrics]
    table = pd.concat(lines, ignore_index=True) if lines else pd.DataFrame(columns=COLUMNS)
    compared = [Cell(*key) in both for key in table[KEY].itertuples(index=False, name=None)]
    return Differences(
        table[np.array(compared, bool)].reset_index(drop=True),
        [cell for cell in ours if cell not in theirs],
        [cell for cell in theirs if cell not in ours],
    )


def cells_of(table: pd.DataFrame) -> dict[Cell, None]:
    """The cells of a table which has the columns `KEY`, each once and in the table's order."""
    if table.empty:
        return {}
    keys = table[KEY].drop_duplicates().itertuples(index=False, name=None)
    return {Cell(*key): None for key in keys}


def _lines(
    before: pd.DataFrame, after: pd.DataFrame, metric: str, tolerance: float
) -> pd.DataFrame:
    """A line for each cell of which a table has a score by one metric; see `Differences`."""
    names = [*KEY, "image"]
    tables = (table.reindex(columns=[*names, metric]) for table in (before, after))
    sides = [table.dropna(subset=metric) for table in tables]
    images = sides[0].merge(sides[1], "outer", names, suffixes=("_before", "_after"))
    images = images.rename(columns={f"{metric}_before": "before", f"{metric}_after": "after"})
    images["difference"] = images["after"] - images["before"]
    images["largest"] = images["difference"].abs()
    unpaired = images["difference"].isna()
    images.loc[unpaired, ["before", "after"]] = np.nan
    groups = images.groupby(KEY)
    lines = groups[["before", "after", "difference"]].mean()
    lines["images"] = groups["difference"].count()
    half = _half_width(groups["difference"].std(), lines["images"])
    lines["low"], lines["high"] = lines["difference"] - half, lines["difference"] + half
    lines["largest"] = groups["largest"].max()
    lines["unpaired"] = groups.size() - lines["images"]
    conditions = [lines["largest"] > tolerance, lines["unpaired"] > 0, lines["largest"] > 0]
    lines["kind"] = np.select(conditions, [MOVED, UNPAIRED, ROUNDING], EQUAL)
    return lines.assign(metric=metric).reset_index()[COLUMNS]


def _half_width(deviation: pd.Series, count: pd.Series) -> pd.Series:
    """Half the interval of a mean, from the standard deviation (n - 1) of ``count`` values."""
    from scipy.special import stdtrit  # the quantile of Student's t

    return deviation / np.sqrt(count) * stdtrit(count - 1, (1 + CONFIDENCE) / 2)


def _changed_settings(before: Scores, after: Scores) -> dict[Cell, list[str]]:
    """By cell of both, what differs in what it was asked for, and in the pixels it was given."""
    ours, theirs = _settings_of(before), _settings_of(after)
    found: dict[Cell, list[str]] = {}
    for cell in ours.keys() & theirs.keys():
        metrics = ours[cell]["metrics"].keys() & theirs[cell]["metrics"].keys()
        changes = differences(_of_what(ours[cell], metrics), _of_what(theirs[cell], metrics))
        if changes:
            found[cell] = changes
    for cell, change in _other_pixels(before.rows, after.rows):
        found.setdefault(cell, []).append(change)
    return dict(sorted(found.items()))


def _settings_of(scores: Scores) -> dict[Cell, Settings]:
    return {Cell(**record["cell"]): record["settings"] for record in scores.records}


def _of_what(settings: Settings, metrics: Collection[str]) -> Settings:
    """Settings without which images of a dataset there are: only those of both are compared."""
    return {
        **settings,
        "dataset": {k: v for k, v in settings["dataset"].items() if k not in WHICH},
        "metrics": {k: v for k, v in settings["metrics"].items() if k in metrics},
    }


def _other_pixels(before: pd.DataFrame, after: pd.DataFrame) -> Iterable[tuple[Cell, str]]:
    """The cells of which an image has other pixels, as far as both say; what differs, in words."""
    names = [*KEY, "image"]
    for kind in PIXELS:
        if kind not in before or kind not in after:
            continue
        sides = [table[[*names, kind]].dropna(subset=kind) for table in (before, after)]
        both = sides[0].merge(sides[1], on=names, suffixes=("_before", "_after"))
        other = both[both[f"{kind}_before"] != both[f"{kind}_after"]]
        for key, images in other.groupby(KEY)["image"]:
            first, more = images.iloc[0], f" and {len(images) - 1} more" * (len(images) > 1)
            yield Cell(*cast(tuple[Any, ...], key)), f"{kind} pixels of {first}{more}"
