"""How trainings went: quality and loss against the steps done, as curves and as tables."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmark.files.whole import write_whole
from benchmark.protocol import IN_DISTRIBUTION
from benchmark.reporting.board import label
from benchmark.reporting.figures import (
    MOST_ABREAST,
    WIDTH,
    legend_above,
    line_styles,
    open_panel,
    save_figure,
)
from benchmark.reporting.tables import ABSENT, MOST_COLUMNS, Line, markdown_table, turned

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

VALIDATION = ("step", "noise", "level", "psnr")
LOG = ("step", "loss", "images_per_second", "data_wait", "seconds")
MARKS = 6  # symbols along a curve, however many points it has
STRETCHES = 150  # points of a curve of losses; the lines of a longer log are averaged
TITLE = 28  # characters of a panel's title in a line

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


def training_curves(runs: Runs, logs: Runs | None = None) -> Figure:
    """PSNR against training steps: a panel per noise and level, a line per run [1]_.

    A ring marks the best step of a curve: where it is not the last one, training on went too far
    for that noise. The noise and level of training come first, the loss, if there are logs, last.

    Raises
    ------
    ValueError
        If there is no run.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
       Figure 13.
    """
    from matplotlib.figure import Figure

    places = conditions(runs)
    if not places:
        raise ValueError("training curves need the validations of at least one run, got none")
    losses = {name: log for name, log in (logs or {}).items() if name in runs}
    panels = len(places) + bool(losses)
    bands = ceil(panels / MOST_ABREAST)
    columns = ceil(panels / bands)
    figure = Figure(figsize=(min(max(columns, 2) * WIDTH / 3, WIDTH), 0.7 + 2.1 * bands))
    figure.set_layout_engine("constrained", h_pad=0.06, w_pad=0.05)
    axes = figure.subplots(bands, columns, squeeze=False)
    styles = line_styles(list(runs))
    last = max(int(run["step"].max()) for run in runs.values())
    for place, (panel, condition) in enumerate(zip(axes.flat, places, strict=False)):
        _quality(panel, _at(runs, condition), styles)
        title = textwrap.fill(_spelled(condition) + _trained(runs, condition), TITLE)
        panel.set_title(title, fontsize=10, fontweight="bold")
        if place % columns == 0:
            panel.set_ylabel("PSNR (dB)")
    if losses:
        _losses(axes.flat[len(places)], losses, styles)
    for place, panel in enumerate(axes.flat):
        if place >= panels:
            panel.set_axis_off()
            continue
        _step_axis(panel, last)
        if place + columns >= panels:  # nothing below it
            panel.set_xlabel("step", fontsize=8)
    figure.align_ylabels(axes[:, 0])
    legend_above(figure, axes, styles)
    return figure


def write_curves(out: Path) -> list[Path]:
    """Write ``training_curves.png``, ``.svg`` and ``training.md`` beside the runs of a folder.

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
    figure = training_curves(runs, logs)
    drawn = save_figure(figure, [out / f"training_curves.{end}" for end in ("png", "svg")])
    return [*drawn, out / "training.md"]


def page(runs: Runs, logs: Runs, command: str) -> str:
    """The curves and their numbers as Markdown: quality last and at best, and what it cost."""
    places = conditions(runs)
    trained = [_spelled(place) + said for place in places if (said := _trained(runs, place))]
    return (
        "\n\n".join(
            [
                "# Training",
                f"Made with `{command}`.",
                "![PSNR against training steps](training_curves.png)",
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


def conditions(runs: Runs) -> list[Condition]:
    """The noises and levels which any run was validated on, those of training first."""
    found = {pair for run in runs.values() for pair in zip(run["noise"], run["level"], strict=True)}
    trained = {_trained_on(run) for run in runs.values()}
    noises = {noise for noise, _ in trained}
    return sorted(found, key=lambda pair: (pair not in trained, pair[0] not in noises, pair))


def _trained_on(run: pd.DataFrame) -> Condition:
    return run.attrs.get("trained_on", IN_DISTRIBUTION)


def _trained(runs: Runs, condition: Condition) -> str:
    """What a title says of a noise and level beside their name."""
    count = sum(_trained_on(run) == condition for run in runs.values())
    if not count:
        return ""
    return ", trained on" if count == len(runs) else f", trained on by {count}"


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


def _at(runs: Runs, condition: Condition) -> dict[str, pd.DataFrame]:
    """The validations at one noise and level, of the runs which have some."""
    found = {
        name: run[(run["noise"] == condition[0]) & (run["level"] == condition[1])]
        for name, run in runs.items()
    }
    return {name: rows for name, rows in found.items() if len(rows)}


def _quality(panel: Axes, rows: Runs, styles: Mapping[str, dict[str, object]]) -> None:
    for name, style in styles.items():
        if name not in rows:
            continue
        steps, psnr = rows[name]["step"], rows[name]["psnr"]
        panel.plot(steps, psnr, label=label(name), markevery=ceil(len(steps) / MARKS), **style)
        best = psnr.idxmax()
        ring = {"markerfacecolor": "none", "markeredgecolor": style["color"], "clip_on": False}
        panel.plot(steps[best], psnr[best], "o", markersize=9, markeredgewidth=1.3, **ring)
    panel.margins(y=0.1)
    open_panel(panel)


def _losses(panel: Axes, logs: Runs, styles: Mapping[str, dict[str, object]]) -> None:
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    for name, style in styles.items():
        if name in logs:
            lines = logs[name][["step", "loss"]]
            means = lines.groupby(np.arange(len(lines)) // ceil(len(lines) / STRETCHES)).mean()
            panel.plot(*means.T.to_numpy(), **{**style, "linewidth": 1.2, "marker": ""})
    panel.set_yscale("log")
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    panel.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    panel.yaxis.set_minor_locator(NullLocator())
    panel.set_title("training loss (L1)", fontsize=10, fontweight="bold")
    open_panel(panel)


def _step_axis(panel: Axes, last: int) -> None:
    """Steps from 0 to the last of any run: 50k is fifty thousand."""
    from matplotlib.ticker import EngFormatter, MaxNLocator

    panel.set_xlim(0, 1.04 * last)
    panel.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    panel.xaxis.set_major_formatter(EngFormatter(sep=""))


def _quality_table(runs: Runs, places: list[Condition], best: bool) -> str:
    """PSNR of each run at each noise and level; the best run's is bold."""
    columns = [
        _bold_highest([_score(_at(runs, place).get(name), best) for name in runs], best)
        for place in places
    ]
    names = [(label(name), "") for name in runs]
    headings = [(text, "bold") for text in ("model", *map(_spelled, places))]
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


def _spelled(condition: Condition) -> str:
    return f"{condition[0]} {condition[1]:g}"
