"""What may be compared: a table that is one, and the lines of it which all models have.

A table has one line per image: see `benchmark.cells.scores.Scores`.
"""

import math
import shlex
from collections.abc import Sequence

import pandas as pd

from benchmark.cells import Cell
from benchmark.cells.provenance import PIXELS
from benchmark.cells.scores import CELL, ROW, known_scale, metric_names
from benchmark.protocol import REFERENCE


def check_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with its columns in order, names as text and numbers as float64.

    An infinite score is none: no mean holds one.

    Raises
    ------
    ValueError
        If the table is empty, lacks a column or has one twice, has no metric or one with a text,
        or has a line twice, or if models were scored on different pixels of one (dataset, noise,
        level, seed, image).
    """
    missing = [name for name in ["model", *ROW, "seconds"] if name not in table]
    if missing:
        raise ValueError(
            f"the table of scores has no column {', '.join(missing)}; it needs model, "
            f"{', '.join(ROW)}, a column per metric, and seconds"
        )
    if len(twice := table.columns[table.columns.duplicated()]):
        raise ValueError(f"the table of scores has two columns {twice[0]}; keep one of them")
    metrics = metric_names(table)
    if not metrics or table.empty:
        what = "line" if metrics else "metric"
        raise ValueError(f"the table of scores has no {what}, so there is nothing to report")
    text, numbers = ["model", "dataset", "noise", "image"], ["level", *metrics, "seconds"]
    order = ["model", *ROW, *metrics, "seconds"]
    given = table
    table = table[order].astype(dict.fromkeys(text, str))
    for name in numbers:
        try:
            table[name] = table[name].astype(float)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"column {name} of the table of scores is to hold numbers ({error}); every "
                f"column which is no name and no hash of pixels is a metric: remove what is none"
            ) from None
    table[metrics] = table[metrics].replace([math.inf, -math.inf], math.nan)  # as of stored cells
    double = table[table.duplicated(["model", *ROW])]
    if len(double):
        first = " ".join(f"{name}={double.iloc[0][name]}" for name in ["model", *ROW])
        raise ValueError(f"the table of scores has {first} more than once; keep one line of it")
    _refuse_other_pixels(given)
    return table


def shared_rows(table: pd.DataFrame, within: Sequence[str] = ("dataset",)) -> pd.DataFrame:
    """The lines whose (dataset, noise, level, seed, image) all models in their group have.

    Parameters
    ----------
    within
        The columns which make the groups. By dataset, a model which lacks a noise takes that
        noise out of the comparison for all; by dataset, noise and level, it is only absent there.
    """
    wanted = table.groupby(list(within))["model"].transform("nunique")
    return table[table.groupby(ROW)["model"].transform("nunique") == wanted]


def mild_to_hard(table: pd.DataFrame, noise: str) -> list[float]:
    """The levels of a noise from mildest to hardest.

    They rise, unless scores get better with them: more photons or more samples per pixel are
    easier. One model says so which has both ends, the noisy input if it is there, by PSNR if that
    is there.
    """
    rows = table[table["noise"] == noise]
    levels = sorted(float(level) for level in rows["level"].unique())
    ends = rows[rows["level"].isin([levels[0], levels[-1]])]
    for metric in sorted(metric_names(rows), key=lambda name: name != "psnr"):
        higher = known_scale(metric).higher_is_better
        means = ends.pivot_table(metric, "model", "level", "mean").dropna()
        if higher is None or means.empty or len(means.columns) < 2:
            continue
        first = min(means.index, key=lambda model: (model not in REFERENCE, str(model)))
        mildest, hardest = means.loc[first]
        if (hardest > mildest) == higher and hardest != mildest:
            levels.reverse()
        break
    return levels


def _refuse_other_pixels(table: pd.DataFrame) -> None:
    """Raise ``ValueError`` if two models were scored on different pixels, as far as is known."""
    for kind in PIXELS:
        known = table.dropna(subset=kind) if kind in table else table[:0]
        if not len(known):
            continue
        counts = known.groupby(ROW)[kind].nunique()
        different = counts[counts > 1].index
        if not len(different):
            continue
        same_row = (known[ROW] == list(different[0])).all(axis=1)
        first, *others = known[same_row].to_dict("records")
        other = next(row for row in others if row[kind] != first[kind])
        cells = [Cell(*(row[name] for name in ("model", *CELL))) for row in (first, other)]
        raise ValueError(
            f"{cells[0]} and {cells[1]} were scored on different {kind} pixels of image "
            f"{first['image']} ({first[kind]} and {other[kind]}), so they cannot be compared; "
            f"give the settings they were scored with and score them again: {_rescoring(*cells)}"
        )


def _rescoring(one: Cell, other: Cell) -> str:
    """The command which scores two cells of one condition again."""
    if one.recorded:
        condition = [f"noise={one.noise}"]
    else:
        level = "" if "(" in one.noise else f"({one.level:.15g})"  # a formula has its own
        condition = [f"noise={one.noise}{level}", f"data={one.dataset}", f"seeds=[{one.seed}]"]
    models = f"model=[{one.model},{other.model}]"
    return shlex.join(["bench", "run", models, *condition, "rescore=all"])
