"""A table of scores as people read it: Markdown, CSV, figures, and a table in the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmark.leaderboard import (
    IN_DISTRIBUTION,
    REFERENCE,
    cell_means,
    comparison,
    is_higher_better,
    label,
    leaderboard,
    metric_label,
    present_metrics,
    with_values,
)
from benchmark.plots import figure11, strip
from benchmark.statistics import (
    CELL,
    RESAMPLES,
    ROW,
    check_table,
    metric_names,
    mild_to_hard,
    shared_rows,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console
    from rich.table import Table

__all__ = ["comparison", "leaderboard", "markdown", "print_leaderboard", "write"]

PROTOCOL = "noisy and restored images are clipped and rounded to 8 bits, a 1-pixel border left out"
ABSENT = "–"
DOTS_PER_INCH = 200  # twice the size at which a README shows a figure

Line = list[tuple[str, str]]  # text of each cell, and how it is set: "bold", "italic" or ""


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
    for dataset in board.index.unique("dataset"):
        scores = board.loc[dataset]
        grid = _grid(scores, metric, better, brief=True)
        references = scores.index.isin(REFERENCE).sum()
        full = _rich_table(grid, references)
        turned = _rich_table([list(line) for line in zip(*grid, strict=True)], rule_after=3)
        short = _rich_table([[*line[:4], line[-1]] for line in grid], references)
        unlimited = console.options.update(width=10_000)
        widths = {choice: console.measure(choice, options=unlimited) for choice in (full, turned)}
        fitting = [choice for choice in widths if widths[choice].minimum <= console.width]
        console.print(Text(f"\n{dataset}: {_heading(metric, better)}", style="bold"))
        console.print(fitting[0] if fitting else short)
        said = _sentences(table, dataset, metric, scores, brief=True)
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
    figures: dict[str, list[str]] = {}
    out.mkdir(parents=True, exist_ok=True)
    written = [out / "leaderboard.md", out / "leaderboard.csv", out / "scores.csv"]
    cell_means(table).to_csv(written[1], index=False, lineterminator="\n")
    table.to_csv(written[2], index=False, lineterminator="\n")
    for dataset, part in table.groupby("dataset"):
        present = present_metrics(part)
        drawn = [name for name in ("psnr", "ssim") if name in present] or present[:2]
        name = f"figure11_{dataset}"
        written += _save(figure11(part, drawn), [out / f"{name}.png", out / f"{name}.svg"])
        figures[dataset] = [f"![Quality against level]({name}.png)"]
        for noise, figure in _strips(part, dataset, pictures):
            name = f"strip_{noise}_{dataset}.png"
            written += _save(figure, [out / name])
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
        Markdown images by dataset, to stand after its tables.
    """
    table = check_table(table)
    present = present_metrics(table)
    absent = [name for name in metric_names(table) if name not in present]
    sections = [f"{metric_label(name)} is left out: no image has a value." for name in absent]
    for dataset, part in table.groupby("dataset"):
        sections.append(f"## {dataset}")
        for metric in present_metrics(part):
            sections += _markdown_section(part, dataset, metric, higher_is_better)
        sections += (figures or {}).get(dataset, [])
    return "\n\n".join(["# Leaderboard", *sections]) + "\n"


def _markdown_section(
    table: pd.DataFrame,
    dataset: str,
    metric: str,
    higher_is_better: Mapping[str, bool] | None,
) -> list[str]:
    """One dataset and one metric: its leaderboard, its sentences, its paired differences."""
    better = is_higher_better(table, metric, higher_is_better)
    title = f"### {_heading(metric, better)}"
    if shared_rows(with_values(table, metric)).empty:
        return [title, "No cell is shared by all models, so none can be compared."]
    scores = leaderboard(table, metric, higher_is_better=higher_is_better).loc[dataset]
    grid = _grid(scores, metric, better, brief=False)
    references = scores.index.isin(REFERENCE).sum()
    if 0 < references < len(scores):  # an empty line: Markdown knows no rule inside a table
        grid.insert(1 + references, [("", "")] * len(grid[0]))
    paragraphs = [title, _markdown_table(grid)]
    paragraphs.append(" ".join(_sentences(table, dataset, metric, scores, brief=False)))
    found = comparison(table, metric, higher_is_better=higher_is_better)
    if found.empty:
        return paragraphs
    lines = [[(text, "") for text in ("model", "difference", "95 % interval", "p")]]
    for (_, model), line in found.iterrows():
        difference, low, high = (
            f"{line[name]:+.{_digits(metric)}f}" for name in ("difference", "low", "high")
        )
        p = "<0.001" if line["p"] < 0.001 else f"{line['p']:.3f}"
        lines.append([(text, "") for text in (label(model), difference, f"{low} to {high}", p)])
    against = label(found["against"].iloc[0])
    paragraphs.append(
        f"Paired with {against}: the OOD mean of each less that of {against}, on the same images. "
        f"{'Above' if better else 'Below'} zero is better than {against}. p: Wilcoxon's "
        f"signed-rank test over images, two-sided, not corrected for the number of lines."
    )
    return [*paragraphs, _markdown_table(lines)]


def _grid(scores: pd.DataFrame, metric: str, better: bool, brief: bool) -> list[Line]:
    """Headings and lines of one dataset as text; brief for the terminal."""
    digits = _digits(metric)
    trained = f"{IN_DISTRIBUTION[0]} {IN_DISTRIBUTION[1]:g}"
    noises = [name for name in scores.columns[4:-1] if scores[name].notna().any()]
    interval = "±" if brief else "95 % interval"
    headings = ["model", trained, "OOD mean", interval, *noises, "s/image"]
    columns = [[(label(model), "") for model in scores.index]]
    for name in ["in_distribution", "ood", *noises]:
        texts = [_number(value, digits) for value in scores[name]]
        columns.append(list(zip(texts, _marks(texts, scores.index, better), strict=True)))
    bounds = zip(scores["ood_low"], scores["ood_high"], strict=True)
    columns.insert(3, [(_interval(low, high, digits, brief), "") for low, high in bounds])
    columns.append([(_seconds(value), "") for value in scores["seconds"]])
    return [[(text, "bold") for text in headings], *map(list, zip(*columns, strict=True))]


def _marks(texts: list[str], models: pd.Index, better: bool) -> list[str]:
    """Bold for the best models as printed, italic for references which no model reaches."""
    values = pd.to_numeric(pd.Series(texts, index=models), errors="coerce")
    values = values if better else -values
    competing = values[~models.isin(REFERENCE)]
    marks = []
    for model, value in values.items():
        if model in REFERENCE:
            marks.append("italic" if value > competing.max() else "")
        else:
            marks.append("bold" if len(competing) > 1 and value == competing.max() else "")
    return marks


def _sentences(
    table: pd.DataFrame, dataset: str, metric: str, scores: pd.DataFrame, brief: bool
) -> list[str]:
    """What stands under a leaderboard: how much is behind it, what its columns mean."""
    everything = table[table["dataset"] == dataset]
    rows = with_values(everything, metric)
    shared = shared_rows(rows)
    cells = rows[CELL].drop_duplicates()
    kept = len(shared[CELL].drop_duplicates())
    images, all_images = shared["image"].nunique(), rows["image"].nunique()
    of_all = "" if images == all_images else f" of {all_images}"
    models = rows["model"].nunique()
    who = f"all {models} models" if models > 1 else "1 model"
    said = [f"{images}{of_all} images; {kept} of {len(cells)} cells shared by {who}."]
    if kept < len(cells):
        own = rows.drop_duplicates(["model", *CELL]).groupby("model").size()
        lacking = [f"{label(m)} lacks {len(cells) - n}" for m, n in own.items() if n < len(cells)]
        said.append(f"{len(cells) - kept} cells of others are left out: {', '.join(lacking)}.")
    if absent := sorted(set(everything["model"]) - set(rows["model"])):
        names = ", ".join(label(model) for model in absent)
        said.append(f"Without a value of {metric_label(metric)}, so not shown: {names}.")
    noises = scores.columns[4:-1][scores.iloc[:, 4:-1].notna().any()]
    trained = f"{IN_DISTRIBUTION[0]} {IN_DISTRIBUTION[1]:g}"
    several = f"{len(noises)} noise{'s' * (len(noises) != 1)}"
    references = [label(model) for model in scores.index if model in REFERENCE]
    if brief:
        said.append(
            f"OOD mean: over {several}, each over its levels, without {trained}, the training "
            f"level; ± is half its 95 % bootstrap interval over images."
        )
    else:
        said += [
            f"OOD mean: unweighted mean over {several}, each the unweighted mean over its levels; "
            f"{trained}, the training level, counts in its own column only.",
            f"95 % interval: percentile bootstrap over images, {RESAMPLES} resamples.",
            f"Protocol: {table.attrs.get('protocol', PROTOCOL)}.",
        ]
    if references:
        said.append(
            f"Bold: the best model; {' and '.join(references)} for reference, never bold, "
            f"italic where no model reaches it."
        )
    notes = table.attrs.get("note", {})
    return said + [f"{noise}: {notes[noise].rstrip('.')}." for noise in noises if notes.get(noise)]


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
        folder = pictures / dataset / f"{noise}-{level:g}-{seed}"
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


def _save(figure: Figure, paths: list[Path]) -> list[Path]:
    """Write a figure without the date and the random names which would differ in every run."""
    import matplotlib

    for path in paths:
        metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
        with matplotlib.rc_context({"svg.hashsalt": "noisebench"}):
            figure.savefig(path, dpi=DOTS_PER_INCH, metadata=metadata)
    return paths


def _rich_table(lines: list[Line], rule_after: int) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    for place, column in enumerate(zip(*lines, strict=True)):
        heading, *texts = (text for text, _ in column)
        heading = heading.replace("_", " ")  # a space is where rich may break the line
        width = max(map(len, [*heading.split(), *texts]))
        justify = "right" if place else "left"
        table.add_column(Text(heading, style="bold"), justify=justify, width=width)
    for place, line in enumerate(lines[1:], start=1):
        cells = [Text(text, style=mark) for text, mark in line]
        table.add_row(*cells, end_section=place == rule_after)
    return table


def _markdown_table(lines: list[Line]) -> str:
    """Lines of cells as a Markdown table, the first its headings, numbers to the right."""
    around = {"bold": "**", "italic": "*", "": ""}
    rows = [[text for text, _ in lines[0]]]
    rows += [[around[mark] + text + around[mark] for text, mark in line] for line in lines[1:]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(
        1, [("-" * (width - 1) + ":") if i else "-" * width for i, width in enumerate(widths)]
    )
    padded = [
        [
            text.rjust(width) if i else text.ljust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in rows
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in padded)


def _heading(metric: str, better: bool) -> str:
    return f"{metric_label(metric)} {'↑' if better else '↓'}"


def _digits(metric: str) -> int:
    return 2 if metric.startswith("psnr") else 4


def _number(value: float, digits: int) -> str:
    return ABSENT if pd.isna(value) else f"{value:.{digits}f}"


def _interval(low: float, high: float, digits: int, brief: bool) -> str:
    if pd.isna(low):
        return ABSENT
    if brief:
        return f"±{(high - low) / 2:.{digits}f}"
    return f"{low:.{digits}f} to {high:.{digits}f}"


def _seconds(value: float) -> str:
    if pd.isna(value):
        return ABSENT
    if value < 0.01:
        return "<0.01"
    return f"{value:.0f}" if value >= 10 else f"{value:.2f}"
