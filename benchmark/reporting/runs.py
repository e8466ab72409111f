"""Trainings in a folder of results: their validations and logs, read and checked."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.protocol import IN_DISTRIBUTION

VALIDATION = ("step", "noise", "level", "psnr")
LOG = ("step", "loss", "images_per_second", "data_wait", "seconds")

Runs = Mapping[str, pd.DataFrame]
Condition = tuple[str, float]  # noise and level


def read_runs(out: Path) -> dict[str, pd.DataFrame]:
    """The validations of each ``out/NAME/validation.csv`` by NAME; empty if there is none.

    A line is a step, a noise, a level and the PSNR (dB) of the averaged weights there. The first
    line of a file is about the noise and level of training, which ``attrs["trained_on"]`` holds.

    Raises
    ------
    ValueError
        If a file is empty or damaged, lacks a column, or has a line twice.
    """
    runs = {}
    for name, table in _read(out, "validation.csv", VALIDATION, key=["noise", "level", "step"]):
        runs[name] = table.sort_values(["noise", "level", "step"], ignore_index=True)
        runs[name].attrs["trained_on"] = (table["noise"].iloc[0], float(table["level"].iloc[0]))
    return runs


def read_logs(out: Path) -> dict[str, pd.DataFrame]:
    """The lines of each ``out/NAME/log.csv`` by NAME; empty if there is none.

    ``data_wait`` is the share of the time, in [0, 1], which the network waited for data.

    Raises
    ------
    ValueError
        As in `read_runs`.
    """
    found = _read(out, "log.csv", LOG, key=["step"])
    return {name: table.sort_values("step", ignore_index=True) for name, table in found}


def conditions(runs: Runs) -> list[Condition]:
    """The noises and levels which any run was validated on, those of training first."""
    found = {pair for run in runs.values() for pair in zip(run["noise"], run["level"], strict=True)}
    trained = {_trained_on(run) for run in runs.values()}
    noises = {noise for noise, _ in trained}
    return sorted(found, key=lambda pair: (pair not in trained, pair[0] not in noises, pair))


def trained_on_by(runs: Runs, condition: Condition) -> str:
    """What a title says of a noise and level beside their name."""
    count = sum(_trained_on(run) == condition for run in runs.values())
    if not count:
        return ""
    return ", trained on" if count == len(runs) else f", trained on by {count}"


def at_condition(runs: Runs, condition: Condition) -> dict[str, pd.DataFrame]:
    """The validations at one noise and level, of the runs which have some."""
    found = {
        name: run[(run["noise"] == condition[0]) & (run["level"] == condition[1])]
        for name, run in runs.items()
    }
    return {name: rows for name, rows in found.items() if len(rows)}


def spelled(condition: Condition) -> str:
    """A noise and level as people read them."""
    return f"{condition[0]} {condition[1]:g}"


def _trained_on(run: pd.DataFrame) -> Condition:
    return run.attrs.get("trained_on", IN_DISTRIBUTION)


def _read(
    out: Path, file: str, columns: tuple[str, ...], key: list[str]
) -> Iterator[tuple[str, pd.DataFrame]]:
    for path in sorted(out.glob(f"*/{file}")):
        yield path.parent.name, _read_csv(path, columns, key)


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
    table = table[list(columns)].assign(**values.astype(float))
    double = table[table.duplicated(key)]
    if len(double):
        first = " ".join(f"{name}={double.iloc[0][name]}" for name in key)
        raise ValueError(f"{path} has {first} more than once; keep one line of it")
    return table
