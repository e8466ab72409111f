"""The leaderboards of a paper: each a table of LaTeX or HTML with a caption that says it all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import numpy as np

from benchmark.cells.scores import Scores
from benchmark.reporting.board import Board
from benchmark.reporting.certainty import reference_words, tie_words
from benchmark.reporting.figures.style import Style
from benchmark.reporting.leaderboard import (
    caveats,
    counts,
    mean_words,
    notes,
    protocol_words,
    standings,
    trained_words,
)
from benchmark.reporting.pages import render
from benchmark.reporting.ranking import Ranking
from benchmark.reporting.tables import ABSENT, Table

INCH = 72.27  # TeX's points
WIDTHS = {1: 3.25 * INCH, 2: 6.875 * INCH}  # of one column of CVPR's pages, and of both


def latex(board: Board, style: Style, excerpt: str = "") -> str:
    r"""The leaderboard of each dataset and metric, to ``\input`` where booktabs is loaded.

    Those of a dataset have models as lines, or noises if they fit the page better so; what is
    wider than the page is split. Widths are those of the texts, see `texts.width`.

    Parameters
    ----------
    style
        Of its looks, ``columns``: 1 for tables in one of a page's two, where they fit it whole.
    excerpt
        What a comment says where the table is not all that there is.
    """
    texts: list[str] = []
    for rankings in _rankings(board):
        laid_out = _laid_out(rankings, style.columns)
        for ranking, parts in zip(rankings, laid_out, strict=True):
            label = "tab:" + re.sub(r"[^\w-]", "-", f"{ranking.dataset}-{ranking.scale.metric}")
            texts.append(_float(parts[0], _caption(board.scores, ranking), label))
            for number, part in enumerate(parts[1:], 2):
                caption = f"{_title(ranking)}, continued: part {number} of {len(parts)}."
                texts.append(_float(part, caption, f"{label}-{number}"))
            texts += [f"% {' '.join(line.split())}\n" for line in caveats(board.scores, ranking)]
    return render("leaderboard.tex", texts=texts, notes=_notes(board), excerpt=excerpt)


def html(board: Board, excerpt: str = "") -> str:
    """The same as a page of HTML, each table whole, with what is said of single models."""
    tables = []
    for ranking in chain(*_rankings(board)):
        said = [_caption(board.scores, ranking), *caveats(board.scores, ranking)]
        tables.append(replace(_table(ranking), caption=" ".join(said)))
    return render("leaderboard.html", tables=tables, notes=_notes(board), excerpt=excerpt)


def _rankings(board: Board) -> list[list[Ranking]]:
    """By dataset, the rankings of models which share something."""
    found = [[one for one in of.values() if not one.shared.empty] for of in board.rankings.values()]
    return [rankings for rankings in found if rankings]


def _notes(board: Board) -> dict[str, str]:
    return notes(board.scores, chain(*_rankings(board)))


def _laid_out(rankings: Sequence[Ranking], columns: int) -> list[list[Table]]:
    """The parts of each table of a dataset, all turned the way in which they are fewest."""
    tables = [_table(ranking) for ranking in rankings]
    ways = [tables, [_noises_as_lines(*pair) for pair in zip(tables, rankings, strict=True)]]
    parts = []
    for width in [WIDTHS[1], WIDTHS[2]] if columns == 1 else [WIDTHS[2]]:
        parts += [[_parts(table, width) for table in way] for way in ways]
    return min(parts, key=lambda way: sum(map(len, way)))


def _parts(table: Table, width: float) -> list[Table]:
    """The table cut between columns into the fewest even parts that fit, each with the first."""
    columns = range(1, len(table.header))
    for count in columns:
        cuts = np.array_split(columns, count)
        parts = [table.only([0, *map(int, cut)]) for cut in cuts]
        if all(part.latex_width <= width for part in parts):
            break
    return parts


def _float(table: Table, caption: str, label: str) -> str:
    """The table, over both columns of a page if it has to be."""
    return replace(table, caption=caption).latex(label, table.latex_width > WIDTHS[1])


def _table(ranking: Ranking) -> Table:
    """The standings with the time before the single noises, and with the metric as a corner."""
    table = standings(ranking, brief=True, underlined=True)
    *others, seconds = range(len(table.header))
    noises = others[len(others) - len(ranking.noises) :]
    summary = [n for n in others if n not in noises and {row[n] for row in table.rows} != {ABSENT}]
    _, *headings = (table.header[n] for n in [*summary, seconds, *noises])
    headings[len(summary) - 1] += " ↓"
    table = table.only([*summary, seconds, *noises])
    return replace(table, header=[ranking.scale.heading, *headings])


def _noises_as_lines(table: Table, ranking: Ranking) -> Table:
    """The same with models as columns, a rule above the noises."""
    turned = table.transposed
    header = [table.header[0], *turned.header[1:]]
    return replace(turned, header=header, rule=len(turned.rows) - len(ranking.noises))


def _title(ranking: Ranking) -> str:
    return f"{ranking.scale.heading} on {ranking.dataset}"


def _caption(scores: Scores, ranking: Ranking) -> str:
    """What stands behind the numbers, and what marks mean, for columns and for lines."""
    counted = counts(scores, ranking)
    levels = len(ranking.shared[["noise", "level"]].drop_duplicates())
    noises = ranking.shared["noise"].nunique()
    said = [
        f"{_title(ranking)}: {noises} noise{'s' * (noises != 1)} at {levels} "
        f"level{'s' * (levels != 1)}, {counted[0]}",
        *counted[1:],
        *mean_words(ranking, brief=True),
        *protocol_words(scores, ranking),
        *tie_words(ranking, brief=True),
        *_mark_words(ranking),
    ]
    return " ".join(said)


def _mark_words(ranking: Ranking) -> list[str]:
    """What bold, underlined and italic mean."""
    said = []
    if any(ranking.best.values()):
        said.append(
            "Bold: the best model of a column or line of means, and those which cannot be told "
            "apart from it; underlined: the best of the others, and those which cannot be told "
            "apart from that."
        )
    known = {"in_distribution": trained_words(ranking), "ood": "OOD mean"}
    alone = [
        known.get(name) or ranking.label(name)
        for name, best in ranking.best.items()
        if not best and ranking.table[name].notna().any()
    ]
    if len(ranking.table) - len(ranking.references) > 1 and alone:
        where = f"Where no two models can be told apart ({', '.join(alone)})" if said else "Here"
        said.append(f"{where}, bold and underlined are the first and the second value alone.")
    return [*said, *reference_words(ranking)]
