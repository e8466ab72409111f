"""What an analysis leaves: its numbers as CSV, its figures, and the page which shows them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.files.whole import write_whole
from benchmark.reporting.figures.saving import pictures, save_figure
from benchmark.reporting.pages import render
from benchmark.reporting.tables import Table
from benchmark.studies.analyses.look import Look
from benchmark.studies.analyses.setup import Setup


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
    """Save ``KIND_DATASET``, a figure for each dataset.

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
