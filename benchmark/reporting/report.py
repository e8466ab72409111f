"""A table of scores as people read it: Markdown, CSV, figures, and a table in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from benchmark.cells.scores import Scores
from benchmark.files.whole import write_whole
from benchmark.registry import did_you_mean
from benchmark.reporting import generalization, published
from benchmark.reporting.board import Board
from benchmark.reporting.certainty import differences, spreads
from benchmark.reporting.figures.of_board import drawings, remove_stale
from benchmark.reporting.figures.style import Style
from benchmark.reporting.latex.leaderboards import html, latex
from benchmark.reporting.leaderboard import (
    MOST_COLUMNS,
    brief_notes,
    notes,
    sentences,
    standings,
)
from benchmark.reporting.pages import render
from benchmark.reporting.ranking import Ranking
from benchmark.reporting.strips import warn_of_old_strips
from benchmark.reporting.tables import Table

FORMATS = ("md", "csv", "tex", "pdf", "svg", "png", "html")
FIGURES = ("tex", "pdf", "svg", "png")  # those in which figures are drawn

Shown = Board | Scores | pd.DataFrame  # a table without labels can be reported as well


def print_leaderboard(
    table: Shown,
    metric: str | None = None,
    higher_is_better: Mapping[str, bool] | None = None,
) -> None:
    """Print the leaderboard of each dataset, as wide as the console allows.

    Models are lines; where that is too wide they are columns; where that is too wide as well,
    the single noises are left to ``leaderboard.md``.

    Parameters
    ----------
    metric, higher_is_better
        As in `Board.by` and `benchmark.cells.scores.as_scores`.
    """
    from rich.text import Text

    from benchmark.console.log import console, fits

    board, screen = Board.of(table, higher_is_better), console()
    rankings = board.by(metric)
    for ranking in rankings:
        wide = standings(ranking, brief=True)
        summary = len(wide.header) - len(ranking.noises) - 1  # columns before the single noises
        full, upright = wide.terminal(), replace(wide.transposed, rule=summary - 1).terminal()
        fitting = [choice for choice in (full, upright) if fits(choice)]
        screen.print(Text(f"\n{wide.caption}", style="bold"))
        short = wide.only([*range(summary), len(wide.header) - 1])
        screen.print(fitting[0] if fitting else short.terminal(), crop=False)
        said = sentences(board.scores, ranking, brief=True)
        if not fitting:
            said.append("This window is too narrow for the single noises.")
        screen.print(Text(" ".join(said), style="dim"))
    if caveats := brief_notes(board.scores, rankings):
        screen.print(Text(f"\n{' '.join(caveats)}", style="dim"))


def write(
    table: Shown,
    out: Path,
    pictures: Path | None = None,
    higher_is_better: Mapping[str, bool] | None = None,
    *,
    formats: Sequence[str] = ("md", "csv", "svg"),
    style: Style | None = None,
    excerpt: str = "",
) -> list[Path]:
    """Write all that is shown of a table: the same bytes for the same lines, in any order.

    ``scores.csv`` is the table itself, a line per image; ``leaderboard.csv`` has a line per
    model, dataset, noise and level which all models share, timings last; ``ranking.csv`` a line
    per model, dataset and metric, with its mean, interval, ranks and group and how far it
    generalizes, and ``pairs.csv`` one per two models. ``leaderboard.md`` shows them with
    ``figure11_<dataset>.svg``, ``ranks_<dataset>.svg`` and ``strip_<noise>_<dataset>.png``. The
    tables are written before anything is drawn, and a figure is drawn only where what it shows has
    changed. A figure in one of the formats which an earlier report drew there, and this one does
    not, is removed.

    Parameters
    ----------
    pictures
        A folder with ``<dataset>/<noise>-<level>-<seed>/<image>/{clean,noisy,<model>}.png``, of
        which `benchmark.reporting.strips` shows some. One warning for each dataset names those
        which are missing or damaged.
    formats
        Of `FORMATS` those which are written: ``csv`` is all four; ``tex`` is ``leaderboard.tex``,
        for the package booktabs, and each figure with its caption; ``html`` is a page; ``pdf``,
        ``svg`` and ``png`` are the figures; strips, which are PNG, come with any of these three.
    style
        How figures look.
    excerpt
        As in `markdown`.

    Returns
    -------
    list of pathlib.Path
        The files of the report.

    Raises
    ------
    ValueError
        If the table is empty or incomplete, or the direction of a metric or a format is unknown.
    """
    for word in formats:
        if word not in FORMATS:
            hint = did_you_mean(word, FORMATS)
            raise ValueError(f"a report is not written as '{word}'{hint} Take {', '.join(FORMATS)}")
    board = Board.of(table, higher_is_better)
    style = style or Style()
    style = replace(style, everyone=style.everyone or board.scores.models)
    drawn = {}
    if ends := [word for word in formats if word in FIGURES]:
        warn_of_old_strips(out, pictures)
        drawn = {name: [*drawings(board, name, pictures, style)] for name in board.rankings}
    figures = {name: [p for one in of for p in one.markdown(ends)] for name, of in drawn.items()}
    texts = {
        "leaderboard.md": partial(markdown, board, figures, excerpt=excerpt),
        "leaderboard.csv": lambda: _csv(board.cell_means),
        "scores.csv": lambda: _csv(board.shown),
        "ranking.csv": lambda: _csv(_standings(board)),
        "pairs.csv": lambda: _csv(board.pairs),
        "leaderboard.tex": lambda: latex(board, style, excerpt),
        "leaderboard.html": lambda: html(board, excerpt),
    }
    written = [out / name for name in texts if name.partition(".")[2] in formats]
    for path in written:
        write_whole(path, texts[path.name]())
    saved = [path for of in drawn.values() for one in of for path in one.save(out / one.name, ends)]
    remove_stale(board, out, saved, ends)
    return [*written, *saved]


def _csv(table: pd.DataFrame) -> str:
    return table.to_csv(index=False, lineterminator="\n")


def _standings(board: Board) -> pd.DataFrame:
    """`Board.standings` with the indices of generalization which it lacks."""
    known, key = board.standings, ["dataset", "metric", "model"]
    further = generalization.indices(board)
    lacking = [name for name in further if name not in known]
    if known.empty:  # columns without lines have no type by which they could be joined
        return known.reindex(columns=[*known, *lacking])
    return known.merge(further[[*key, *lacking]], "left", key)


def markdown(
    table: Shown,
    figures: Mapping[str, Sequence[str]] | None = None,
    higher_is_better: Mapping[str, bool] | None = None,
    excerpt: str = "",
) -> str:
    """The leaderboards of all datasets and metrics, with what is said under each.

    Parameters
    ----------
    figures
        Markdown paragraphs by dataset, to stand after its tables.
    excerpt
        A sentence which begins with "A part: ", where the table is not all that there is.
    """
    board, figures = Board.of(table, higher_is_better), figures or {}
    return render(
        "leaderboard.md",
        excerpt=excerpt,
        empty_metrics=[board.scale(name).label for name in board.empty_metrics],
        datasets=[
            {"name": name, "rankings": list(of.values()), "figures": figures.get(name, [])}
            for name, of in board.rankings.items()
        ],
        standings=_markdown_standings,
        sentences=partial(sentences, board.scores),
        notes=notes(board.scores, (one for of in board.rankings.values() for one in of.values())),
        differences=differences,
        generalization=partial(generalization.section, board.scores),
        spreads=spreads,
        published=published.section(board.scores),
    )


def _markdown_standings(ranking: Ranking) -> Table:
    """The standings, with many noises below each other."""
    table = standings(ranking)
    return table.transposed if len(ranking.noises) > MOST_COLUMNS else table
