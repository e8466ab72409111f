"""A table of scores as people read it: Markdown, CSV, figures, and a table in the terminal."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmark.cells import pictures as kept
from benchmark.files.whole import file_name, write_whole
from benchmark.protocol import REFERENCE
from benchmark.reporting.board import (
    cell_means,
    comparison,
    dataset_order,
    is_higher_better,
    leaderboard,
    metric_label,
    present_metrics,
)
from benchmark.reporting.figures.curves import save_figure11
from benchmark.reporting.figures.saving import save_png
from benchmark.reporting.figures.strips import strip
from benchmark.reporting.intervals import ROW, check_table, metric_names, mild_to_hard
from benchmark.reporting.tables import (
    grid,
    heading_of,
    markdown_section,
    rich_table,
    sentences,
    turned,
)

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["comparison", "leaderboard", "markdown", "print_leaderboard", "write"]

NAMED = 5  # pictures named in a sentence
MOST_PANELS = 8  # noises in a figure of two metrics; more of them get a figure each


def print_leaderboard(
    table: pd.DataFrame,
    console: Console,
    metric: str | None = None,
    higher_is_better: Mapping[str, bool] | None = None,
) -> None:
    """Print the leaderboard of each dataset, as wide as the console allows.

    Models are lines; where that is too wide they are columns; where that is too wide as well,
    the single noises are left to ``leaderboard.md``.

    Parameters
    ----------
    metric
        By default PSNR, or the first metric which has values.
    """
    from rich.text import Text

    metric = metric or present_metrics(check_table(table))[0]
    better = is_higher_better(table, metric, higher_is_better)
    board = leaderboard(table, metric, higher_is_better=higher_is_better)
    for dataset in dataset_order(table):
        if dataset not in board.index.unique("dataset"):
            continue  # its models have no cell in common
        scores = board.loc[dataset]
        lines = grid(scores, metric, better, brief=True)
        references = scores.index.isin(REFERENCE).sum()
        full = rich_table(lines, references)
        means = [text for text, _ in lines[0]].index("OOD mean") + 1
        upright = rich_table(turned(lines), rule_after=means)
        short = rich_table([[*line[: means + 1], line[-1]] for line in lines], references)
        unlimited = console.options.update(width=10_000)
        widths = {choice: console.measure(choice, options=unlimited) for choice in (full, upright)}
        fitting = [choice for choice in widths if widths[choice].minimum <= console.width]
        console.print(Text(f"\n{dataset}: {heading_of(metric, better)}", style="bold"))
        console.print(fitting[0] if fitting else short)
        said = sentences(table, dataset, metric, scores, brief=True)
        if not fitting:
            said.append("The single noises are in leaderboard.md: this window is too narrow.")
        console.print(Text(" ".join(said), style="dim"))


def write(
    table: pd.DataFrame,
    out: Path,
    pictures: Path | None = None,
    higher_is_better: Mapping[str, bool] | None = None,
) -> list[Path]:
    """Write all that is shown of a table: the same bytes for the same lines, in any order.

    ``scores.csv`` is the table itself, a line per image; ``leaderboard.csv`` has a line per
    model, dataset, noise and level which all models share, timings last; ``leaderboard.md``
    shows them with ``figure11_<dataset>.svg`` and ``strip_<noise>_<dataset>.png``. The tables are
    written before anything is drawn, and a figure is drawn only where what it shows has changed.

    Parameters
    ----------
    pictures
        A folder with ``<dataset>/<noise>-<level>-<seed>/{clean,noisy,<model>}.png``. A noise gets
        a strip if the pictures of the third of its levels (or the last) are there. One warning
        for each dataset names those which are missing or damaged.

    Returns
    -------
    list of pathlib.Path
        The files of the report.

    Raises
    ------
    ValueError
        If the table is empty or incomplete, or the direction of a metric is unknown.
    """
    table = check_table(table).sort_values([*ROW, "model"], ignore_index=True)
    for metric in present_metrics(table):
        is_higher_better(table, metric, higher_is_better)  # an unknown one leaves no files behind
    figures: dict[str, list[str]] = {}
    drawings: list[Callable[[], Path]] = []
    texts = [table.attrs.get(name, {}) for name in ("unit", "note")]
    for dataset in dataset_order(table):
        part = table[table["dataset"] == dataset]
        present = present_metrics(part)
        drawn = [name for name in ("psnr", "ssim") if name in present] or present[:2]
        figures[dataset] = []
        for name, metrics in _figures11(part, dataset, drawn):
            drawings.append(partial(save_figure11, out / f"{name}.svg", part, metrics, *texts))
            figures[dataset] += [f"![Quality against level]({name}.svg)"]
        if figures[dataset]:
            figures[dataset].insert(0, "### Quality against level")
        for noise, crops, title in _strips(part, dataset, pictures):
            name = f"strip_{file_name(noise)}_{dataset}.png"
            drawings.append(partial(save_png, out / name, strip, crops, title))
            figures[dataset].append(f"![{noise}: clean, noisy and restored crops]({name})")
    tables = {
        "leaderboard.md": markdown(table, figures, higher_is_better),
        "leaderboard.csv": cell_means(table).to_csv(index=False, lineterminator="\n"),
        "scores.csv": table.to_csv(index=False, lineterminator="\n"),
    }
    for name, text in tables.items():
        write_whole(out / name, text)
    return [*(out / name for name in tables), *(draw() for draw in drawings)]


def markdown(
    table: pd.DataFrame,
    figures: Mapping[str, Sequence[str]] | None = None,
    higher_is_better: Mapping[str, bool] | None = None,
) -> str:
    """The leaderboards of all datasets and metrics, with what is said under each.

    Parameters
    ----------
    figures
        Markdown paragraphs by dataset, to stand after its tables.
    """
    table = check_table(table)
    present = present_metrics(table)
    absent = [name for name in metric_names(table) if name not in present]
    sections = [f"{metric_label(name)} is left out: no image has a value." for name in absent]
    for dataset in dataset_order(table):
        part = table[table["dataset"] == dataset]
        sections.append(f"## {dataset}")
        for metric in present_metrics(part):
            sections += markdown_section(part, dataset, metric, higher_is_better)
        sections += (figures or {}).get(dataset, [])
    return "\n\n".join(["# Leaderboard", *sections]) + "\n"


def _figures11(
    table: pd.DataFrame, dataset: str, metrics: list[str]
) -> Iterator[tuple[str, list[str]]]:
    """Names of a dataset's figures and the metrics on each: one alone where noises are many."""
    if not (table.groupby("noise")["level"].nunique() > 1).any():
        return  # a single level is no curve
    name = f"figure11_{dataset}"
    if table["noise"].nunique() <= MOST_PANELS:
        yield name, metrics
        return
    for place, metric in enumerate(metrics):
        yield name if place == 0 else f"{name}_{metric}", [metric]


def _strips(
    table: pd.DataFrame, dataset: str, pictures: Path | None
) -> Iterator[tuple[str, dict[str, np.ndarray], str]]:
    """Each noise which has pictures at the third of its levels, or the last; they, and a title."""
    if pictures is None or not pictures.is_dir():
        return
    lacking: dict[str, list[str]] = {}  # by noise
    models_lacking: set[str] = set()
    for noise in sorted(table["noise"].unique()):
        rows = table[table["noise"] == noise]
        level, seed = mild_to_hard(table, noise)[:3][-1], rows["seed"].min()
        shown = set(rows.loc[(rows["level"] == level) & (rows["seed"] == seed), "model"])
        models = sorted(shown, key=lambda model: (model not in REFERENCE, model))
        names = [name for name in ("clean", "noisy", *models) if name != "identity"]
        folder = pictures / dataset / f"{file_name(noise)}-{level:.15g}-{seed}"
        found = kept.read(folder, names)
        absent = [name for name in names if name not in found]
        if absent:
            lacking[noise] = [f"{folder.name}/{name}.png" for name in absent if found]
            lacking[noise] = lacking[noise] or [f"{folder.name}/"]
            models_lacking.update(absent if found else models)
        if "clean" in found:
            title = f"{dataset}, {noise} {level:g}; PSNR of these crops"
            yield noise, found, title
    if lacking:
        files = [name for names in lacking.values() for name in names]
        more = f" and {len(files) - NAMED} more" if len(files) > NAMED else ""
        models = sorted(models_lacking - {"clean", "noisy"}) or [table["model"].min()]
        settings = {"model": models, "noise": list(lacking), "data": dataset}
        warnings.warn(
            f"strips of {dataset} lack pictures which are missing or damaged in "
            f"{pictures / dataset}: {', '.join(files[:NAMED])}{more}; make them again with: "
            f"{_run_command(settings, pictures.parent)}, and the other settings of that run",
            stacklevel=3,
        )


def _run_command(settings: Mapping[str, object], out: Path) -> str:
    """The ``bench run`` of these models, noises and dataset, quoted for a shell."""
    listed = {k: f"[{','.join(v)}]" if isinstance(v, list) else v for k, v in settings.items()}
    if settings["noise"] == [settings["data"]]:
        del listed["data"]  # recorded noise brings its own images
    return shlex.join(["bench", "run", *(f"{k}={v}" for k, v in listed.items()), f"out={out}"])
