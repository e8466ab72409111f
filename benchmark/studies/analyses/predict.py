"""Do the analyses predict scores beyond training? Rank correlations over networks, one figure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.cells.scores import Scores
from benchmark.console.log import log
from benchmark.files.whole import write_whole
from benchmark.protocol import IN_DISTRIBUTION
from benchmark.reporting.board import Board
from benchmark.reporting.figures.saving import pictures, save_figure
from benchmark.reporting.pages import render
from benchmark.reporting.tables import ABSENT, Table
from benchmark.studies.analyses.figures.scatter import Scatter, scatter
from benchmark.studies.analyses.look import PLAIN, Look
from benchmark.studies.analyses.pages import read_table

MEASURES = {"cka": "CKA, same layers", "srga": "SRGA", "features": "distance of features"}
CLOSER = {"cka": "higher", "srga": "lower", "features": "lower"}  # where features moved less
CONDITION = ["noise", "level"]
RESAMPLES = 4000
LEAST = 4  # networks: of three, orders agree by chance one time in six
CAPTION = (
    "The mean PSNR over noises beyond training against what an analysis found, a point a network; "
    "rho is Spearman's rank correlation with its 95 % interval over networks."
)


@dataclass(frozen=True)
class Correlation:
    """Spearman's rank correlation over networks, and its 95 % interval: bootstrap over them.

    NaN where nothing has an order.
    """

    value: float
    low: float
    high: float

    @property
    def text(self) -> str:
        if np.isnan(self.value):
            return ABSENT
        return f"{self.value:+.2f} ({self.low:+.2f} to {self.high:+.2f})"


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a measure says of scores on one dataset.

    Parameters
    ----------
    points
        A line a network: ``value``, the measure's mean over conditions, and ``ood``.
    overall
        Of both columns.
    within
        Of the measure with the score under one condition, the mean over ``conditions``.
    """

    dataset: str
    measure: str
    points: pd.DataFrame
    overall: Correlation
    within: Correlation
    conditions: int


def measured(out: Path) -> dict[str, pd.DataFrame]:
    """What was found by each analysis of a folder: dataset, model, noise, level and value.

    Raises
    ------
    ValueError
        If there is no table of any, or one is damaged.
    """
    found = {}
    for kind in MEASURES:
        reader, columns = _READERS[kind]
        if not (table := read_table(out / kind / f"{kind}.csv", *columns)).empty:
            lines = reader(table)
            reference = (lines["noise"] == IN_DISTRIBUTION[0]) & (
                lines["level"] == IN_DISTRIBUTION[1]
            )
            found[kind] = lines[~reference]
    if not found:
        tables = " and no ".join(f"{kind}/{kind}.csv" for kind in MEASURES)
        raise ValueError(
            f"no analysis under {out}: there is no {tables}; make one, of {LEAST} networks or "
            f"more: bench analyse srga out={out}"
        )
    return found


def scored(scores: Scores) -> tuple[dict[str, pd.Series], pd.DataFrame]:
    """The PSNR of a table: by dataset the mean beyond training, and the mean of each cell.

    Raises
    ------
    ValueError
        If there is none.
    """
    board = Board(scores)
    if "psnr" not in board.metrics:
        raise ValueError("the table of scores has no psnr; score it too: bench run metric=psnr")
    ood = {name: of["psnr"].table["ood"] for name, of in board.rankings.items() if "psnr" in of}
    by = ["dataset", "model", *CONDITION]
    means = board.rows.groupby(by)["psnr"].mean().rename("score").reset_index()
    return ood, means


def predictions(
    found: Mapping[str, pd.DataFrame],
    ood: Mapping[str, pd.Series],
    means: pd.DataFrame,
    seed: int = 0,
) -> Iterator[Prediction]:
    """How well each measure orders networks as their scores do.

    Parameters
    ----------
    found
        Of `measured`.
    ood
        By dataset the mean score beyond training, by model; a higher one is better.
    means
        Mean scores: dataset, model, noise, level and score.

    Raises
    ------
    ValueError
        If no dataset has four networks with both a score and a measure under the same noise.
    """
    few, enough = [], False
    for kind, lines in found.items():
        for dataset, part in lines.groupby("dataset"):
            values = part.pivot_table(index="model", columns=CONDITION, values="value")
            overall = ood.get(str(dataset), pd.Series(dtype=float)).dropna()
            models = sorted({*values.index} & {*overall.index})
            values = values.loc[models].dropna(axis=1)
            if len(models) < LEAST or values.empty:
                of = " of no noise in common" * (len(models) >= LEAST)
                few.append(f"{kind} on {dataset} has {len(models)}{of}")
                continue
            enough = True
            own = means[means["dataset"] == dataset]
            scores = own.pivot_table(index="model", columns=CONDITION, values="score")
            scores = scores.reindex(models).dropna(axis=1)
            shared = [column for column in values.columns if column in scores.columns]
            points = pd.DataFrame({"value": values.mean(axis=1), "ood": overall[models]})
            mine, theirs = (points[[column]].to_numpy().T for column in ("value", "ood"))
            ours, scored = (table[shared].to_numpy().T for table in (values, scores))
            yield Prediction(
                str(dataset),
                kind,
                points,
                correlation(mine, theirs, seed),
                correlation(ours, scored, seed),
                len(shared),
            )
    needs = (
        f"a rank correlation needs {LEAST} networks with both an analysis, of the same noise, and "
        f"scores on the same dataset; {', '.join(few) or 'there are none'}"
    )
    if not enough:
        raise ValueError(needs)
    if few:
        log.info(needs)


def correlation(left: np.ndarray, right: np.ndarray, seed: int = 0) -> Correlation:
    """The mean over conditions of Spearman's rank correlation over networks.

    Parameters
    ----------
    left, right
        (conditions, networks) each.
    """
    conditions, count = left.shape
    if not conditions:
        return Correlation(np.nan, np.nan, np.nan)
    places = np.random.default_rng(seed).integers(count, size=(RESAMPLES, count))
    drawn = _spearman(left[:, places], right[:, places])  # (conditions, resamples)
    means = drawn.mean(axis=0)
    told = means[np.isfinite(means)]  # a resample of one network alone has no order
    low, high = np.percentile(told, (2.5, 97.5)) if told.size else (np.nan, np.nan)
    return Correlation(float(_spearman(left, right).mean()), float(low), float(high))


def _spearman(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Along the last axis; NaN where all are equal."""
    from scipy.stats import rankdata

    ranks = [rankdata(values, axis=-1) for values in (left, right)]
    ours, theirs = (values - values.mean(-1, keepdims=True) for values in ranks)
    size = np.sqrt((ours**2).sum(-1) * (theirs**2).sum(-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(size > 0, (ours * theirs).sum(-1) / size, np.nan)


def _of_cka(lines: pd.DataFrame) -> pd.DataFrame:
    """Of each network with itself under another noise, the mean over its layers."""
    same = lines["left_model"] == lines["right_model"]
    lines = lines[same & (lines["left_layer"] == lines["right_layer"])]
    names = {"right_model": "model", "right_noise": "noise", "right_level": "level", "cka": "value"}
    lines = lines.rename(columns=names)
    return lines.groupby(["dataset", "model", *CONDITION])["value"].mean().reset_index()


def _of_srga(lines: pd.DataFrame) -> pd.DataFrame:
    most = lines.groupby(["dataset", "model", *CONDITION])["patches"].transform("max")
    return lines[lines["patches"] == most].rename(columns={"srga": "value"})


def _of_features(lines: pd.DataFrame) -> pd.DataFrame:
    return lines.rename(columns={"distance": "value"})


_SIDES = [f"{side}_{what}" for side in ("left", "right") for what in ("model", "layer")]
_READERS = {  # what gives the lines, and the columns of which
    "cka": (_of_cka, ["dataset", *_SIDES, "right_noise", "right_level", "cka"]),
    "srga": (_of_srga, ["dataset", "model", *CONDITION, "patches", "srga"]),
    "features": (_of_features, ["dataset", "model", *CONDITION, "distance"]),
}


def write_pages(
    found: Sequence[Prediction],
    out: Path,
    command: str,
    scores: str,
    formats: Sequence[str] = ("svg",),
    look: Look = PLAIN,
) -> list[Path]:
    """Write ``predict.md``, ``predict.csv`` and a figure for each dataset."""
    lines = [
        one.points.rename_axis("model")
        .reset_index()
        .assign(dataset=one.dataset, measure=one.measure)
        for one in found
    ]
    order = ["dataset", "measure", "model", "value", "ood"]
    write_whole(out / "predict.csv", pd.concat(lines)[order].to_csv(index=False))
    figures = []
    for dataset in dict.fromkeys(one.dataset for one in found):
        shown = [_scatter(one) for one in found if one.dataset == dataset]
        words = {"caption": CAPTION, "columns": look.columns}
        figures += save_figure(out / f"predict_{dataset}", formats, scatter, shown, look, **words)
    page = render(
        "predict.md",
        command=command,
        scores=scores,
        table=table(found),
        figures=pictures(figures),
        resamples=RESAMPLES,
    )
    write_whole(out / "predict.md", page)
    return [out / "predict.md", out / "predict.csv", *figures]


def _scatter(one: Prediction) -> Scatter:
    points = {str(m): (float(x), float(y)) for m, x, y in one.points.itertuples()}
    return Scatter(MEASURES[one.measure], points, f"rho {one.overall.text}")


def table(found: Sequence[Prediction]) -> Table:
    """Of each measure, both correlations."""
    header = ["dataset", "measure", "should be", "networks", "rho with the OOD mean (95 %)"]
    header += ["noises and levels", "rho with their scores (95 %)"]
    rows = [
        [
            one.dataset,
            MEASURES[one.measure],
            "positive" if CLOSER[one.measure] == "higher" else "negative",
            str(len(one.points)),
            one.overall.text,
            str(one.conditions),
            one.within.text,
        ]
        for one in found
    ]
    return Table(header, rows, left=header[:3])
