"""How trainings went: quality and loss against the steps done, as curves and as tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.files.whole import write_whole
from benchmark.reporting.board import label
from benchmark.reporting.figures.saving import save_svg
from benchmark.reporting.figures.training import training_curves
from benchmark.reporting.runs import (
    Condition,
    Runs,
    at_condition,
    conditions,
    read_logs,
    read_runs,
    spelled,
    trained_on_by,
)
from benchmark.reporting.tables import ABSENT, MOST_COLUMNS, Line, markdown_table, turned


def write_curves(out: Path) -> list[Path]:
    """Write ``training_curves.svg`` and ``training.md`` beside the runs of a folder.

    The same runs give the same bytes.

    Returns
    -------
    list of pathlib.Path
        The files written.

    Raises
    ------
    ValueError
        As in `read_runs`, or if the folder has no run.
    """
    runs, logs = read_runs(out), read_logs(out)
    if not runs:
        raise ValueError(
            f"{out} has no NAME/validation.csv, so there is no training to draw; "
            f"begin one with: bench train model=NAME out={out}"
        )
    write_whole(out / "training.md", page(runs, logs, f"bench report out={out}"))
    drawn = save_svg(out / "training_curves.svg", training_curves, runs, logs)
    return [drawn, out / "training.md"]


def page(runs: Runs, logs: Runs, command: str) -> str:
    """The curves and their numbers as Markdown: quality last and at best, and what it cost."""
    places = conditions(runs)
    trained = [spelled(place) + said for place in places if (said := trained_on_by(runs, place))]
    return (
        "\n\n".join(
            [
                "# Training",
                f"Made with `{command}`.",
                "![PSNR against training steps](training_curves.svg)",
                f"PSNR (dB) of the averaged weights on crops held out from training; "
                f"{' and '.join(trained)}. A ring marks the best step of a curve. Losses of "
                f"networks which hide pixels in training are not comparable with those of others.",
                "## After the last step",
                _quality_table(runs, places, best=False),
                "## At the best step",
                _quality_table(runs, places, best=True),
                "Each number at the best of the run's validated steps, in brackets: chosen by "
                "the very images it is measured on, so an upper bound.",
                "## Cost",
                _cost_table(runs, logs),
                "Speed and data wait, the share of the time in which the network waited for its "
                "crops, are medians over the lines of the log; the loss is the mean of its last "
                "line.",
            ]
        )
        + "\n"
    )


def _quality_table(runs: Runs, places: list[Condition], best: bool) -> str:
    """PSNR of each run at each noise and level; the best run's is bold."""
    columns = [
        _bold_highest([_score(at_condition(runs, place).get(name), best) for name in runs], best)
        for place in places
    ]
    names = [(label(name), "") for name in runs]
    headings = [(text, "bold") for text in ("model", *map(spelled, places))]
    lines: list[Line] = [headings, *map(list, zip(names, *columns, strict=True))]
    return markdown_table(turned(lines) if len(places) > MOST_COLUMNS else lines)


def _score(rows: pd.DataFrame | None, best: bool) -> tuple[float, int]:
    """The PSNR of the last step or the best, and that step; NaN where there is none."""
    if rows is None:
        return np.nan, 0
    line = rows.loc[rows["psnr"].idxmax()] if best else rows.iloc[-1]
    return float(line["psnr"]), int(line["step"])


def _bold_highest(scores: list[tuple[float, int]], with_step: bool) -> Line:
    texts = [ABSENT if np.isnan(psnr) else f"{psnr:.2f}" for psnr, _ in scores]
    values = [float(text) for text in texts if text != ABSENT]
    cells = []
    for text, (_, step) in zip(texts, scores, strict=True):
        highest = len(values) > 1 and text != ABSENT and float(text) == max(values)
        said = f"{text} ({step})" if with_step and text != ABSENT else text
        cells.append((said, "bold" if highest else ""))
    return cells


def _cost_table(runs: Runs, logs: Runs) -> str:
    headings = ["model", "steps", "hours", "images/s", "data wait", "loss"]
    rows = [[label(name), *_cost(runs[name], logs.get(name))] for name in runs]
    return markdown_table([[(text, "") for text in row] for row in [headings, *rows]])


def _cost(run: pd.DataFrame, log: pd.DataFrame | None) -> Iterator[str]:
    if log is None:
        yield from (f"{run['step'].max():.0f}", *[ABSENT] * 4)
        return
    last = log.iloc[-1]
    yield f"{last['step']:.0f}"
    yield f"{last['seconds'] / 3600:.2f}"
    yield f"{log['images_per_second'].median():.1f}"
    yield f"{100 * log['data_wait'].median():.1f} %"
    yield f"{last['loss']:.4f}"
