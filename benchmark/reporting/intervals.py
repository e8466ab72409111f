"""What may be compared, and how sure a mean is: shared rows, intervals over images, paired tests.

A table has one line per image: see `benchmark.cells.scores.Scores`.
"""

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np
import pandas as pd

from benchmark.cells import Cell
from benchmark.cells.provenance import PIXELS
from benchmark.cells.scores import CELL, ROW, metric_names

RESAMPLES = 10_000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean over images and the bounds of its 95 % interval; NaN where images are too few."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference(Estimate):
    """A paired difference and the two-sided p of Wilcoxon's signed-rank test over its images."""

    p: float


def check_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with its columns in order, names as text and numbers as float64.

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


def group_means(rows: pd.DataFrame, by: list[str], columns: list[str]) -> pd.DataFrame:
    """Unweighted means of columns, a line per group; NaN where a value is (pandas skips those)."""
    groups = rows.groupby(by)
    places = groups.indices
    means = {
        name: [values[places[key]].mean() for key in groups.groups]
        for name, values in ((name, rows[name].to_numpy(float)) for name in columns)
    }
    return pd.DataFrame(list(groups.groups), columns=by).assign(**means)


def score_matrices(rows: pd.DataFrame, metric: str) -> dict[str, pd.DataFrame]:
    """By model, on one dataset: a line per image, a column per (noise, level, seed)."""
    keys = ["noise", "level", "seed"]
    wide = rows.pivot(index=["model", "image"], columns=keys, values=metric)
    return {model: wide.loc[model] for model in wide.index.unique("model")}


def noise_means(scores: pd.DataFrame) -> pd.Series:
    """The score of each noise in one of `score_matrices`: its levels count equally.

    Each step is an unweighted mean: over images, over seeds, over levels. Nothing is pooled.
    """
    if not scores.size:
        return pd.Series(dtype=float)
    levels = scores.mean().groupby(level=["noise", "level"]).mean()
    return levels.groupby(level="noise").mean()


def estimate(scores: pd.DataFrame, seed: int = 0) -> Estimate:
    """The unweighted mean over noises of one of `score_matrices`, with its interval over images.

    The interval is the percentile bootstrap [1]_: images are drawn with replacement, each with
    all its cells, since one image is hard or easy under every noise. A resample which misses a
    cell altogether is left out; that needs cells of unequal images.

    References
    ----------
    .. [1] Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    count, values = len(scores), scores.to_numpy(float)
    if not scores.size:
        return Estimate(np.nan, np.nan, np.nan)
    weights = _cell_weights(scores.columns)
    mean = float(np.nanmean(values, axis=0) @ weights)
    if count < 2:
        return Estimate(mean, np.nan, np.nan)
    draws, seen = _draws(count, seed), ~np.isnan(values)
    drawn = count if seen.all() else draws @ seen
    with np.errstate(invalid="ignore"):  # 0 / 0 is the resample which misses a cell
        means = (draws @ np.where(seen, values, 0)) / drawn @ weights
    low, high = np.nanquantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(mean, float(low), float(high))


def paired_difference(ours: pd.DataFrame, theirs: pd.DataFrame, seed: int = 0) -> Difference:
    """``ours - theirs``, two of `score_matrices` with the same images and cells.

    Wilcoxon's test takes one difference per image, the mean over its noises; images which lack
    a cell are not in it.

    Raises
    ------
    ValueError
        If the two do not have the same images and cells.
    """
    if not (ours.index.equals(theirs.index) and ours.columns.equals(theirs.columns)):
        raise ValueError(
            "a paired difference needs the same images and cells on both sides; take shared_rows"
        )
    difference = ours - theirs
    mean = estimate(difference, seed)
    images = difference.dropna().to_numpy(float) @ _cell_weights(difference.columns)
    return Difference(mean.mean, mean.low, mean.high, _wilcoxon(images))


def mild_to_hard(table: pd.DataFrame, noise: str) -> list[float]:
    """The levels of a noise from mildest to hardest.

    They rise, unless PSNR rises with them: more photons or more samples per pixel are easier.
    """
    rows = table[table["noise"] == noise]
    levels = sorted(float(level) for level in rows["level"].unique())
    if "psnr" in rows:
        means = rows.groupby("level")["psnr"].mean()
        if means[levels[-1]] > means[levels[0]]:
            levels.reverse()
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


@lru_cache(maxsize=4)
def _draws(count: int, seed: int) -> np.ndarray:
    """How often each of ``count`` images is in each resample, (RESAMPLES, count)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(count, np.full(count, 1 / count), RESAMPLES).astype(float)


def _cell_weights(cells: pd.Index) -> np.ndarray:
    """What each cell counts: noises equally, in a noise its levels, in a level its seeds."""
    seeds = Counter((noise, level) for noise, level, _ in cells)
    levels = Counter(noise for noise, _ in seeds)
    shares = [len(levels) * levels[noise] * seeds[noise, level] for noise, level, _ in cells]
    return 1 / np.array(shares, float)


def _wilcoxon(differences: np.ndarray) -> float:
    if not len(differences):
        return np.nan
    if not differences.any():
        return 1.0  # two equal models: no evidence either way
    from scipy.stats import wilcoxon  # half a second that only a page needs

    return float(cast(Any, wilcoxon(differences)).pvalue)
