"""A table of scores as people read it: Markdown, CSV, figures, and a table in the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmark.files import file_name
from benchmark.leaderboard import (
    REFERENCE,
    cell_means,
    comparison,
    dataset_order,
    is_higher_better,
    leaderboard,
    metric_label,
    present_metrics,
)
from benchmark.plots import figure11, save_figure, strip
from benchmark.statistics import ROW, check_table, metric_names, mild_to_hard
from benchmark.tables import (
    grid,
    heading_of,
    markdown_section,
    rich_table,
    sentences,
    turned,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console

__all__ = ["comparison", "leaderboard", "markdown", "print_leaderboard", "write"]

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
    shows them with ``figure11_<dataset>`` (PNG and SVG) and ``strip_<noise>_<dataset>.png``.

    Parameters
    ----------
    pictures
        A folder with ``<dataset>/<noise>-<level>-<seed>/{clean,noisy,<model>}.png``. A noise gets
        a strip if the pictures of the third of its levels (or the last) are there.

    Returns
    -------
    list of pathlib.Path
        The files written.

    Raises
    ------
    ValueError
        If the table is empty or incomplete, or the direction of a metric is unknown.
    """
    table = check_table(table).sort_values([*ROW, "model"], ignore_index=True)
    for metric in present_metrics(table):
        is_higher_better(table, metric, higher_is_better)  # an unknown one leaves no files behind
    figures: dict[str, list[str]] = {}
    out.mkdir(parents=True, exist_ok=True)
    written = [out / "leaderboard.md", out / "leaderboard.csv", out / "scores.csv"]
    cell_means(table).to_csv(written[1], index=False, lineterminator="\n")
    table.to_csv(written[2], index=False, lineterminator="\n")
    for dataset in dataset_order(table):
        part = table[table["dataset"] == dataset]
        present = present_metrics(part)
        drawn = [name for name in ("psnr", "ssim") if name in present] or present[:2]
        figures[dataset] = []
        for name, metrics in _figures11(part, dataset, drawn):
            written += save_figure(
                figure11(part, metrics), [out / f"{name}.png", out / f"{name}.svg"]
            )
            figures[dataset] += [f"![Quality against level]({name}.png)"]
        if figures[dataset]:
            figures[dataset].insert(0, "### Quality against level")
        for noise, figure in _strips(part, dataset, pictures):
            name = f"strip_{file_name(noise)}_{dataset}.png"
            written += save_figure(figure, [out / name])
            figures[dataset].append(f"![{noise}: clean, noisy and restored crops]({name})")
    text = markdown(table, figures, higher_is_better)
    written[0].write_text(text, encoding="utf-8", newline="\n")
    return written


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
) -> Iterator[tuple[str, Figure]]:
    """A strip for each noise which has pictures at the third of its levels, or the last."""
    if pictures is None:
        return
    from matplotlib.image import imread

    models = sorted(set(table["model"]), key=lambda model: (model not in REFERENCE, model))
    for noise in sorted(table["noise"].unique()):
        level = mild_to_hard(table, noise)[:3][-1]
        seed = table.loc[table["noise"] == noise, "seed"].min()
        folder = pictures / dataset / f"{file_name(noise)}-{level:.15g}-{seed}"
        names = [name for name in ("clean", "noisy", *models) if name != "identity"]
        found = {n: imread(folder / f"{n}.png") for n in names if (folder / f"{n}.png").is_file()}
        if not found:
            continue
        if "clean" not in found:
            raise ValueError(
                f"{folder} has pictures but no clean.png; save it or remove the folder"
            )
        scores = {name: _psnr(found["clean"], found[name]) for name in found if name != "clean"}
        title = f"{dataset}, {noise} {level:g}; PSNR of these crops"
        yield noise, strip(found, scores, title)


def _psnr(clean: np.ndarray, restored: np.ndarray) -> float:
    """PSNR in dB of two crops in [0, 1], capped at 100 as the metric is."""
    from skimage.metrics import mean_squared_error

    return float(-10 * np.log10(max(mean_squared_error(clean, restored), 1e-10)))
