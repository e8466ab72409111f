"""A leaderboard as lines of text, set for Markdown and for the terminal, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from benchmark.protocol import IN_DISTRIBUTION, REFERENCE
from benchmark.reporting.board import (
    comparison,
    is_higher_better,
    label,
    leaderboard,
    metric_label,
    with_values,
)
from benchmark.reporting.intervals import CELL, RESAMPLES, shared_rows

if TYPE_CHECKING:
    from rich.table import Table

PROTOCOL = "noisy and restored images are clipped and rounded to 8 bits"
ABSENT = "–"
MOST_NOTES = 4  # caveats of noises below a table in the terminal
MOST_COLUMNS = 6  # noises beside each other in Markdown; more of them stand below each other

Line = list[tuple[str, str]]  # text of each cell, and how it is set: "bold", "italic" or ""


def markdown_section(
    table: pd.DataFrame,
    dataset: str,
    metric: str,
    higher_is_better: Mapping[str, bool] | None,
) -> list[str]:
    """One dataset and one metric: its leaderboard, its sentences, its paired differences."""
    better = is_higher_better(table, metric, higher_is_better)
    title = f"### {heading_of(metric, better)}"
    if shared_rows(with_values(table, metric)).empty:
        return [title, "No cell is shared by all models, so none can be compared."]
    scores = leaderboard(table, metric, higher_is_better=higher_is_better).loc[dataset]
    board = grid(scores, metric, better, brief=False)
    references = scores.index.isin(REFERENCE).sum()
    if len(_noises(scores)) > MOST_COLUMNS:
        board = turned(board)
    elif 0 < references < len(scores):  # an empty line: Markdown knows no rule inside a table
        board.insert(1 + references, [("", "")] * len(board[0]))
    paragraphs = [title, markdown_table(board)]
    paragraphs.append(" ".join(sentences(table, dataset, metric, scores, brief=False)))
    if noted := _notes(table, scores):
        paragraphs.append("\n".join(f"- {noise}: {note}." for noise, note in noted.items()))
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
    return [*paragraphs, markdown_table(lines)]


def grid(scores: pd.DataFrame, metric: str, better: bool, brief: bool) -> list[Line]:
    """Headings and lines of one dataset as text; brief for the terminal."""
    digits = _digits(metric)
    trained = f"{IN_DISTRIBUTION[0]} {IN_DISTRIBUTION[1]:g}"
    bounds = zip(scores["ood_low"], scores["ood_high"], strict=True)
    columns = {"model": [(label(model), "") for model in scores.index]}
    means = {"in_distribution": trained, "ood": "OOD mean"} | {n: n for n in _noises(scores)}
    for name, heading in means.items():
        texts = [_number(value, digits) for value in scores[name]]
        columns[heading] = list(zip(texts, _marks(texts, scores.index, better), strict=True))
        if name == "ood":
            interval = "±" if brief else "95 % interval"
            columns[interval] = [(_interval(*bound, digits, brief), "") for bound in bounds]
    columns["s/image"] = [(_seconds(value), "") for value in scores["seconds"]]
    lines = zip(*columns.values(), strict=True)
    return [[(text, "bold") for text in columns], *map(list, lines)]


def turned(lines: list[Line]) -> list[Line]:
    """A table with a line for each of its columns, and only its first line set as headings."""
    (_, *headings), *rows = lines
    bodies = zip(*(row[1:] for row in rows), strict=True)
    turned_rows = [[(text, ""), *body] for (text, _), body in zip(headings, bodies, strict=True)]
    return [[(text, "bold") for text in ["", *(row[0][0] for row in rows)]], *turned_rows]


def _notes(table: pd.DataFrame, scores: pd.DataFrame) -> dict[str, str]:
    """The caveats of the noises in a dataset's part of the leaderboard, without their full stop."""
    notes = table.attrs.get("note", {})
    return {name: notes[name].rstrip(".") for name in _noises(scores) if notes.get(name)}


def _noises(scores: pd.DataFrame) -> list[str]:
    """The noises of a dataset's part of the leaderboard which have a score beyond training."""
    return [name for name in scores.columns[4:-1] if scores[name].notna().any()]


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


def sentences(
    table: pd.DataFrame, dataset: str, metric: str, scores: pd.DataFrame, brief: bool
) -> list[str]:
    """What stands under a leaderboard: how much is behind it, what its columns mean.

    For the terminal with the caveats of the noises, which Markdown lists by themselves.

    Parameters
    ----------
    table
        All scores of all datasets.
    scores
        The dataset's part of the `leaderboard`.
    brief
        For the terminal: fewer words, the interval as half its width.
    """
    everything = table[table["dataset"] == dataset]
    rows = with_values(everything, metric)
    shared = shared_rows(rows)
    cells = rows[CELL].drop_duplicates()
    kept = len(shared[CELL].drop_duplicates())
    images, all_images = shared["image"].nunique(), rows["image"].nunique()
    of_all = "" if images == all_images else f" of {all_images}"
    models = rows["model"].nunique()
    who = f"all {models} models" if models > 1 else "1 model"
    pictures = f"{images}{of_all} image{'s' * (images != 1)}"
    said = [f"{pictures}; {kept} of {len(cells)} cells shared by {who}."]
    if kept < len(cells):
        own = rows.drop_duplicates(["model", *CELL]).groupby("model").size()
        lacking = [f"{label(m)} lacks {len(cells) - n}" for m, n in own.items() if n < len(cells)]
        why = ", ".join(lacking) or "their images differ"
        said.append(f"{len(cells) - kept} cells of others are left out: {why}.")
    if absent := sorted(set(everything["model"]) - set(rows["model"])):
        names = ", ".join(label(model) for model in absent)
        said.append(f"Without a value of {metric_label(metric)}, so not shown: {names}.")
    if unusual := _unusual(table, dataset, scores):
        said.append(f"Not in fp32 with whole images: {unusual}.")
    noted = table.attrs.get("model_note", {})
    said += [f"{label(model)}: {noted[model]}." for model in scores.index if model in noted]
    if (made := table.attrs.get("made")) and (mixed := made.sentence(shared)):
        said.append(mixed)
    noises = _noises(scores)
    trained = f"{IN_DISTRIBUTION[0]} {IN_DISTRIBUTION[1]:g}"
    several = f"{len(noises)} noise{'s' * (len(noises) != 1)}"
    seen = scores["in_distribution"].notna().any()
    references = [label(model) for model in scores.index if model in REFERENCE]
    if brief:
        apart = f", without {trained}, the training level" if seen else ""
        said.append(
            f"OOD mean: over {several}, each over its levels{apart}; ± is half its 95 % bootstrap "
            f"interval over images."
        )
    else:
        apart = f"; {trained}, the training level, counts in its own column only" if seen else ""
        said += [
            f"OOD mean: unweighted mean over {several}, each the unweighted mean over its levels"
            f"{apart}.",
            f"95 % interval: percentile bootstrap over images, {RESAMPLES} resamples.",
            f"Protocol: {PROTOCOL}{_border(table, dataset, metric)}.",
        ]
    if references:
        said.append(
            f"Bold: the best model; {' and '.join(references)} for reference, never bold, "
            f"italic where no model reaches it."
        )
    noted = _notes(table, scores) if brief else {}
    if len(noted) > MOST_NOTES:
        return [*said, f"What is a guess or an estimate: leaderboard.md, {', '.join(noted)}."]
    return said + [f"{noise}: {note}." for noise, note in noted.items()]


def _unusual(table: pd.DataFrame, dataset: str, scores: pd.DataFrame) -> str:
    """The models whose images were tiled or in bf16, where the table knows it."""
    known = table.attrs.get("inference", {}).get(dataset, {})
    found = [f"{label(m)} ({', '.join(known[m])})" for m in scores.index if m in known]
    return ", ".join(found)


def _border(table: pd.DataFrame, dataset: str, metric: str) -> str:
    """How many pixels a metric left out at a dataset's borders, where the table knows it."""
    border = table.attrs.get("border", {}).get(dataset, {}).get(metric)
    return f", a {border}-pixel border left out" if border else ""


def rich_table(lines: list[Line], rule_after: int) -> Table:
    """Lines of cells as a table which is as narrow as its numbers and single words allow."""
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


def markdown_table(lines: list[Line]) -> str:
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


def heading_of(metric: str, better: bool) -> str:
    """A metric, its unit and its direction: ``PSNR (dB) ↑``."""
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
