"""What a command says of what it wrote; and the report which several commands end with."""

import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.console.log import log
from benchmark.files.output import is_ours
from benchmark.files.whole import write_whole

if TYPE_CHECKING:
    from benchmark.cells import ResultStore
    from benchmark.cells.records import Record
    from benchmark.cells.scores import Scores
    from benchmark.cli.registered.catalogue import Catalogue
    from benchmark.reporting.board import Board

REPORT = {
    "leaderboard.md": "leaderboard",
    "leaderboard.csv": "means",
    "scores.csv": "scores",
    "ranking.csv": "ranking",
    "pairs.csv": "pairs",
}
FOR_PAPERS = {"leaderboard.tex": "tex", "leaderboard.html": "html"}
FIGURES = ("figure11_*", "ranks_*", "strip_*.png")  # of a report


def prepare_report(out: Path, formats: Sequence[str]) -> None:
    """Prove that a report can be written to a folder, and that what it replaces is ours."""
    from benchmark.files.output import prepare
    from benchmark.reporting.figures.saving import is_drawn

    pages = {**REPORT, **FOR_PAPERS}
    pages = {name: kind for name, kind in pages.items() if name.partition(".")[2] in formats}
    found = [path for pattern in FIGURES for path in out.glob(pattern)]
    prepare(out, pages, [path.name for path in found if not is_drawn(path)])


def publish(
    shown: "Scores | Board",
    store: "ResultStore",
    out: Path,
    command: str | None = None,
    excerpt: str = "",
    **looks: Any,
) -> None:
    """Show the report and write it: what becomes of the terminal costs no file.

    The folder of the cells gets a README as well.

    Parameters
    ----------
    command
        The one which filled the folder, if one did.
    excerpt
        What the page says where the board is a part of the folder's cells by choice.
    looks
        ``formats`` and ``style`` of `benchmark.reporting.report.write`.
    """
    from benchmark.reporting import report
    from benchmark.reporting.board import Board

    board, of_folder = Board.of(shown), out.resolve() == store.root.resolve()
    cells, there = count_cells(board.scores), len(board.scores.records)
    is_part = of_folder and cells < there
    if is_part:
        excerpt = f"A part: {cells} of the {there} cells of this folder. `bench report` shows all."
    try:
        report.print_leaderboard(board)  # first: people wait for it
    finally:
        written = report.write(board, out, store.root / "pictures", excerpt=excerpt, **looks)
        if of_folder:
            written += _write_readme(board.scores, written, out, command)
    pages = [path.name for path in written if "strip" not in path.name]
    others = len(written) - len(pages)
    more = f" and {others} more file{'s' * (others > 1)}" if others else ""
    log.info(f"written to {out}: {', '.join(pages)}{more}")
    if is_part:
        log.info(
            f"{out} holds {there} cells, of which these tables and figures show {cells}; all of "
            f"them: {shlex.join(['bench', 'report', f'out={out}'])}"
        )


def count_cells(scores: "Scores") -> int:
    """How many cells the lines of a table are of."""
    from benchmark.cells.scores import CELL

    return len(scores.rows[["model", *CELL]].drop_duplicates())


def _write_readme(
    scores: "Scores", written: list[Path], out: Path, command: str | None
) -> list[Path]:
    """The README of a folder of cells, with the commands that it named before."""
    from benchmark.reporting import readme

    def page(before: str) -> str:
        commands = [*readme.commands_of(before), *([command] if command else [])]
        return readme.page(out.resolve().name, commands, scores, [file.name for file in written])

    return replace_readme(out, page)


def replace_readme(out: Path, page: Callable[[str], str]) -> list[Path]:
    """Write the README of a folder, made of what it was before, unless that is somebody else's.

    Returns
    -------
    list of pathlib.Path
        The file, if it was written.
    """
    path = out / "README.md"
    try:
        before = path.read_text("utf-8", "replace") if is_ours(path, "results") else ""
    except ValueError:
        log.info(f"{path} was not written by bench, and stays as it is")
        return []
    write_whole(path, page(before))
    return [path]


def write_study_readme(
    records: "Iterable[Record]", written: list[Path], out: Path, command: list[str]
) -> list[Path]:
    """The README of the folder of a study, as `replace_readme` writes it.

    Parameters
    ----------
    records
        What is known of its cells.
    written
        Its other files and folders.
    command
        The words of the one which made it.
    """
    from benchmark.reporting import readme

    names, line = [file.name for file in written], shlex.join(command)
    scores, verb = readme.facts_of(records), command[1]
    page = readme.page(out.resolve().name, [line], scores, names, verb)
    return replace_readme(out, lambda before: page)


def say_written(written: list[Path], out: Path) -> None:
    """Name the files that were written to a folder."""
    names = ", ".join(path.name for path in written)
    log.info(f"written to {out}: {names}")


def partners(catalogue: "Catalogue") -> dict[str, str]:
    """Whom the class of each denoiser, by its registered name, is to be compared with."""
    models = catalogue.groups["model"]
    return {name: entry.compared_with for name, entry in models.items() if entry.compared_with}


def families(catalogue: "Catalogue") -> dict[str, str]:
    """The family of each noise, by its registered name, where its class says one."""
    noises = catalogue.groups["noise"]
    return {name: entry.family for name, entry in noises.items() if entry.family}


def suites(catalogue: "Catalogue") -> dict[str, list[str]]:
    """The noises of each suite."""
    noises, names = catalogue.groups["noise"], catalogue.suites
    return {suite: [n for n, entry in noises.items() if suite in entry.suites] for suite in names}
