"""How trainings went, as numbers: what runs wrote of themselves, read and set as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.cells.scores import label_of
from benchmark.reporting.leaderboard import MOST_COLUMNS
from benchmark.reporting.pages import render
from benchmark.reporting.tables import ABSENT, Table

VALIDATION = ("step", "noise", "level", "psnr")
LOG = ("step", "loss", "images_per_second", "data_wait", "seconds")

Condition = tuple[str, float]  # noise and level


@dataclass(frozen=True, eq=False)
class Run:
    """What a training wrote of itself.

    Parameters
    ----------
    validation
        A line per ``step``, ``noise`` and ``level``: the ``psnr`` (dB) of the averaged weights.
    trained_on
        The noise and level of training.
    log
        Lines of ``step``, ``loss``, ``images_per_second``, ``data_wait`` (the share of the time, in
        [0, 1], which the network waited for data) and ``seconds``; None where there is no log.
    """

    validation: pd.DataFrame
    trained_on: Condition
    log: pd.DataFrame | None = None

    def at(self, condition: Condition) -> pd.DataFrame:
        """The validations at one noise and level, by step."""
        noise, level = condition
        rows = self.validation
        return rows[(rows["noise"] == noise) & (rows["level"] == level)]


Runs = Mapping[str, Run]


def read_runs(out: Path) -> dict[str, Run]:
    """The run of each ``out/NAME/validation.csv``, and its ``log.csv``, by NAME.

    The first line of a file of validations is about the noise and level of training.

    Raises
    ------
    ValueError
        If a file is empty or damaged, lacks a column, or has a line twice.
    """
    runs = {}
    for path in sorted(out.glob("*/validation.csv")):
        table = _read_csv(path, VALIDATION, ["noise", "level", "step"])
        trained_on = table["noise"].iloc[0], float(table["level"].iloc[0])
        table = table.sort_values(["noise", "level", "step"], ignore_index=True)
        log = path.with_name("log.csv")
        lines = _read_csv(log, LOG, ["step"]) if log.exists() else None
        if lines is not None:
            lines = lines.sort_values("step", ignore_index=True)
        runs[path.parent.name] = Run(table, trained_on, lines)
    return runs


def conditions(runs: Runs) -> list[Condition]:
    """The noises and levels which any run was validated on, those of training first."""
    found = {
        pair
        for run in runs.values()
        for pair in zip(run.validation["noise"], run.validation["level"], strict=True)
    }
    trained = {run.trained_on for run in runs.values()}
    noises = {noise for noise, _ in trained}
    return sorted(found, key=lambda pair: (pair not in trained, pair[0] not in noises, pair))


def title(runs: Runs, condition: Condition) -> str:
    """A noise and level as text, and how many runs were trained on it, if any was."""
    count = sum(run.trained_on == condition for run in runs.values())
    trained = ", trained on" if count == len(runs) else f", trained on by {count}"
    return _spelled(condition) + (trained if count else "")


def page(runs: Runs, command: str) -> str:
    """The curves and their numbers as Markdown: quality last and at best, and what it cost."""
    trained = {run.trained_on for run in runs.values()}
    return render(
        "training.md",
        command=command,
        trained=[title(runs, place) for place in conditions(runs) if place in trained],
        last=_quality(runs, best=False),
        best=_quality(runs, best=True),
        cost=_costs(runs),
    )


def _read_csv(path: Path, columns: tuple[str, ...], key: list[str]) -> pd.DataFrame:
    """The named columns of a file in the order of its lines, each of another key."""
    hint = "resume or delete that run"
    try:
        table = pd.read_csv(path, dtype={"noise": str})
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read as CSV ({error}); {hint}") from None
    missing = [name for name in columns if name not in table]
    if missing:
        raise ValueError(f"{path} has no column {', '.join(missing)}; {hint}")
    if table.empty:
        raise ValueError(f"{path} has no line yet; wait for its first one or delete that run")
    numbers = [name for name in columns if name != "noise"]
    values = table[numbers].apply(pd.to_numeric, errors="coerce")
    damaged = values.isna().any(axis=1) | table[list(columns)].isna().any(axis=1)
    if damaged.any():
        line = int(np.flatnonzero(damaged)[0]) + 2  # the first has the headings
        raise ValueError(f"{path} is damaged in line {line}; {hint}")
    table = table[list(columns)].assign(**{name: values[name].astype(float) for name in numbers})
    double = table[table.duplicated(key)]
    if len(double):
        first = " ".join(f"{name}={double.iloc[0][name]}" for name in key)
        raise ValueError(f"{path} has {first} more than once; keep one line of it")
    return table


def _quality(runs: Runs, best: bool) -> Table:
    """PSNR of each run at each noise and level; the best run's is bold."""
    columns, marks = [list(map(label_of, runs))], {}
    for column, place in enumerate(conditions(runs), start=1):
        scores = [_score(run.at(place), best) for run in runs.values()]
        texts = [ABSENT if np.isnan(psnr) else f"{psnr:.2f}" for psnr, _ in scores]
        values = [float(text) for text in texts if text != ABSENT]
        for row, text in enumerate(texts):
            if len(values) > 1 and text != ABSENT and float(text) == max(values):
                marks[row, column] = "bold"
        steps = [f" ({step})" if best and step else "" for _, step in scores]
        columns.append([text + step for text, step in zip(texts, steps, strict=True)])
    header = ["model", *map(_spelled, conditions(runs))]
    table = Table(header, list(zip(*columns, strict=True)), marks)
    return table.transposed if len(header) - 1 > MOST_COLUMNS else table


def _score(rows: pd.DataFrame, best: bool) -> tuple[float, int]:
    """The PSNR of the last step or the best, and that step; NaN and 0 where there is none."""
    if rows.empty:
        return np.nan, 0
    line = rows.iloc[rows["psnr"].argmax()] if best else rows.iloc[-1]
    return float(line["psnr"]), int(line["step"])


def _costs(runs: Runs) -> Table:
    header = ["model", "steps", "hours", "images/s", "data wait", "loss"]
    return Table(header, [[label_of(name), *_cost(run)] for name, run in runs.items()])


def _cost(run: Run) -> Iterator[str]:
    if run.log is None:
        yield from (f"{run.validation['step'].max():.0f}", *[ABSENT] * 4)
        return
    last = run.log.iloc[-1]
    yield f"{last['step']:.0f}"
    yield f"{last['seconds'] / 3600:.2f}"
    yield f"{run.log['images_per_second'].median():.1f}"
    yield f"{100 * run.log['data_wait'].median():.1f} %"
    yield f"{last['loss']:.4f}"


def _spelled(condition: Condition) -> str:
    return f"{condition[0]} {condition[1]:g}"
