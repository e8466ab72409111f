"""What an analysis leaves: its numbers as CSV, its figures, and the page which shows them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.cells.scores import read_names_as_text
from benchmark.files.whole import write_whole
from benchmark.reporting.figures.saving import is_drawn, pictures, save_figure
from benchmark.reporting.pages import render
from benchmark.reporting.tables import Table
from benchmark.studies.analyses.look import Look
from benchmark.studies.analyses.setup import Setup

WORDS = ("dataset", "model", "noise", "layer")  # ends of the names of columns without numbers


def read_table(path: Path, *columns: str) -> pd.DataFrame:
    """A table with these columns, names as text; an empty one where there is no file.

    Raises
    ------
    ValueError
        If the file is no such table.
    """
    names = [name for name in columns if name.endswith(WORDS)]
    if not path.is_file():
        return pd.DataFrame()
    try:
        rows = read_names_as_text(path, names)
    except ValueError as error:  # empty, or no CSV
        raise ValueError(f"{path} cannot be read as CSV ({error})") from None
    if lacking := [name for name in columns if name not in rows]:
        raise ValueError(f"{path} has no column {', '.join(lacking)}")
    values = rows[[name for name in columns if name not in names]]
    if len(rows) and (wrong := [*values.select_dtypes(exclude="number")]):
        raise ValueError(f"{path} has something else than numbers in its column {wrong[0]}")
    return rows


def save_by_dataset(
    kind: str,
    setup: Setup,
    formats: Sequence[str],
    draw: Callable[..., Any],
    shown: Callable[[str], Sequence[Any]],
    *more: object,
    look: Look,
    caption: str,
) -> list[Path]:
    """Save ``KIND_DATASET``, a figure for each dataset; those drawn of others before are removed.

    Parameters
    ----------
    draw
        Takes what is shown, ``more`` and the look.
    shown
        Gives what is shown of a dataset.
    """
    figures = []
    for dataset in setup.grid.datasets:
        stem, words = setup.out / f"{kind}_{dataset}", {"caption": caption, "columns": look.columns}
        figures += save_figure(stem, formats, draw, shown(dataset), *more, look, **words)
    for path in setup.out.glob(f"{kind}_*.*"):
        if path not in figures and path.suffix[1:] in formats and is_drawn(path):
            path.unlink()
    return figures


def write_analysis(
    kind: str,
    setup: Setup,
    command: str,
    lines: pd.DataFrame,
    table: Table,
    figures: Sequence[Path],
    **facts: object,
) -> list[Path]:
    """Write ``KIND.md``, by the template of that name, and ``KIND.csv``; their paths and figures.

    Parameters
    ----------
    lines
        All numbers.
    **facts
        What the template needs beside command, table, setup and figures.
    """
    page, numbers = setup.out / f"{kind}.md", setup.out / f"{kind}.csv"
    write_whole(numbers, lines.to_csv(index=False))
    shown = {"command": command, "table": table, "setup": setup, "figures": pictures(figures)}
    write_whole(page, render(page.name, **shown, **facts))
    return [page, numbers, *figures]
