"""A table of scores as people read it: Markdown, CSV, figures, and a table in the terminal."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.cells import pictures as kept
from benchmark.cells.provenance import some_of
from benchmark.cells.scores import Scores
from benchmark.files.whole import file_name, write_whole
from benchmark.protocol import REFERENCE
from benchmark.reporting import generalization, published
from benchmark.reporting.board import Board, label
from benchmark.reporting.certainty import differences, spreads
from benchmark.reporting.figures.curves import save_figure11
from benchmark.reporting.figures.ranks import CAPTION, Diagram, ranks_figure
from benchmark.reporting.figures.saving import save_png, save_svg
from benchmark.reporting.figures.strips import strip
from benchmark.reporting.leaderboard import (
    MOST_COLUMNS,
    brief_notes,
    notes,
    sentences,
    standings,
)
from benchmark.reporting.pages import render
from benchmark.reporting.ranking import Ranking
from benchmark.reporting.statistics import mild_to_hard
from benchmark.reporting.statistics.trainings import by_network
from benchmark.reporting.tables import Table

NAMED = 5  # pictures named in a sentence
LANGUAGES = {"tex": Table.latex, "html": Table.html}  # beside Markdown, by the end of a file's name
MOST_PANELS = 8  # noises in a figure of two metrics; more of them get a figure each

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
            said.append("The single noises are in leaderboard.md: this window is too narrow.")
        screen.print(Text(" ".join(said), style="dim"))
    if caveats := brief_notes(board.scores, rankings):
        screen.print(Text(f"\n{' '.join(caveats)}", style="dim"))


def write(
    table: Shown,
    out: Path,
    pictures: Path | None = None,
    higher_is_better: Mapping[str, bool] | None = None,
    also: Sequence[str] = (),
    excerpt: str = "",
) -> list[Path]:
    """Write all that is shown of a table: the same bytes for the same lines, in any order.

    ``scores.csv`` is the table itself, a line per image; ``leaderboard.csv`` has a line per
    model, dataset, noise and level which all models share, timings last; ``ranking.csv`` a line
    per model, dataset and metric, with its mean, interval, ranks and group and how far it
    generalizes, and ``pairs.csv`` one per two models. ``leaderboard.md`` shows them with
    ``figure11_<dataset>.svg``, ``ranks_<dataset>.svg`` and ``strip_<noise>_<dataset>.png``. The
    tables are written before anything is drawn, and a figure is drawn only where what it shows has
    changed.

    Parameters
    ----------
    pictures
        A folder with ``<dataset>/<noise>-<level>-<seed>/{clean,noisy,<model>}.png``. A noise gets
        a strip if the pictures of the third of its levels (or the last) are there. One warning
        for each dataset names those which are missing or damaged.
    also
        ``"tex"`` and ``"html"``: the leaderboards as ``leaderboard.tex``, for the package booktabs,
        and as ``leaderboard.html``.
    excerpt
        As in `markdown`.

    Returns
    -------
    list of pathlib.Path
        The files of the report.

    Raises
    ------
    ValueError
        If the table is empty or incomplete, or the direction of a metric or a word of ``also`` is
        unknown.
    """
    if unknown := [word for word in also if word not in LANGUAGES]:
        raise ValueError(f"a report is not written as {unknown[0]}; take {', '.join(LANGUAGES)}")
    board = Board.of(table, higher_is_better)
    _warn_of_old_strips(out, pictures)
    figures: dict[str, list[str]] = {}
    drawings: list[Callable[[], Path]] = []
    for dataset, rankings in board.rankings.items():
        part = board.rows[board.rows["dataset"] == dataset]
        drawn = [name for name in ("psnr", "ssim") if name in rankings] or [*rankings][:2]
        figures[dataset] = []
        for name, metrics in _figures11(part, dataset, drawn):
            scores = replace(board.scores, rows=by_network(part))
            drawings.append(partial(save_figure11, out / f"{name}.svg", scores, metrics))
            figures[dataset] += [f"![Quality against level]({name}.svg)"]
        if figures[dataset]:
            figures[dataset].insert(0, "### Quality against level")
        shown = [rankings[name] for name in drawn if _is_a_diagram(rankings[name])]
        if shown:
            name = f"ranks_{dataset}.svg"
            diagrams = [Diagram.of(ranking) for ranking in shown]
            drawings.append(partial(save_svg, out / name, ranks_figure, diagrams))
            figures[dataset] += ["### Mean ranks", f"![Mean ranks, tied models joined]({name})"]
            figures[dataset] += [CAPTION]
        for noise, crops, title in _strips(part, dataset, pictures):
            name = f"strip_{file_name(noise)}_{dataset}.png"
            drawings.append(partial(save_png, out / name, strip, crops, title))
            figures[dataset].append(f"![{noise}: clean, noisy and restored crops]({name})")
    tables = {
        "leaderboard.md": markdown(board, figures, excerpt=excerpt),
        "leaderboard.csv": board.cell_means.to_csv(index=False, lineterminator="\n"),
        "scores.csv": board.rows.to_csv(index=False, lineterminator="\n"),
        "ranking.csv": _standings(board).to_csv(index=False, lineterminator="\n"),
        "pairs.csv": board.pairs.to_csv(index=False, lineterminator="\n"),
        **{f"leaderboard.{word}": _in(LANGUAGES[word], board) for word in also},
    }
    for name, text in tables.items():
        write_whole(out / name, text)
    return [*(out / name for name in tables), *(draw() for draw in drawings)]


def _standings(board: Board) -> pd.DataFrame:
    """`Board.standings` with the indices of generalization which it lacks."""
    known, key = board.standings, ["dataset", "metric", "model"]
    further = generalization.indices(board)
    return known.merge(further.drop(columns=set(further) & set(known) - set(key)), "left", key)


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
        label=label,
        published=published.section(board.scores),
    )


def _in(language: Callable[[Table], str], board: Board) -> str:
    """The leaderboard of every dataset and metric, one after the other."""
    rankings = [ranking for of in board.rankings.values() for ranking in of.values()]
    return "\n".join(language(standings(one)) for one in rankings if not one.shared.empty)


def _markdown_standings(ranking: Ranking) -> Table:
    """The standings, with many noises below each other."""
    table = standings(ranking)
    return table.transposed if len(ranking.noises) > MOST_COLUMNS else table


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


def _is_a_diagram(ranking: Ranking) -> bool:
    """Whether mean ranks are worth a figure: of three models or more, not all of them tied."""
    if ranking.shared.empty or not ranking.tells_apart or len(ranking.table) < 3:
        return False
    return ranking.pairs.measured.of_images.shape[1] > 0


def _warn_of_old_strips(out: Path, pictures: Path | None) -> None:
    """Where pictures are no longer there: they are not copied by git, say, but their strips are."""
    old = sorted(path.name for path in out.glob("strip_*.png"))
    if old and pictures is not None and not pictures.is_dir():
        warnings.warn(
            f"there are no pictures in {pictures}: {some_of(old)} cannot be drawn again, and "
            f"leaderboard.md shows no strips; the bench run of README.md makes the pictures",
            stacklevel=3,
        )


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
