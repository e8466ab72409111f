"""What a command says of what it wrote; and the report which several commands end with."""

import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.cli.registered.catalogue import open_catalogue
from benchmark.console.log import log
from benchmark.files.output import is_ours
from benchmark.files.whole import write_whole

if TYPE_CHECKING:
    from benchmark.cells import ResultStore
    from benchmark.cells.records import Record
    from benchmark.cells.scores import Scores

REPORT = {
    "leaderboard.md": "leaderboard",
    "leaderboard.csv": "means",
    "scores.csv": "scores",
    "ranking.csv": "ranking",
    "pairs.csv": "pairs",
}
FIGURES = ("figure11_*", "ranks_*.svg", "strip_*.png")  # of a report


def publish(scores: "Scores", store: "ResultStore", out: Path, command: str | None = None) -> None:
    """Write the report, then show it: what becomes of the terminal costs no file.

    The folder of the cells gets a README as well.

    Parameters
    ----------
    command
        The one which filled the folder, if one did.
    """
    from benchmark.cells.scores import CELL
    from benchmark.reporting import report
    from benchmark.reporting.board import Board

    board, of_folder = Board(scores), out.resolve() == store.root.resolve()
    shown, there = len(scores.rows[["model", *CELL]].drop_duplicates()), len(scores.records)
    excerpt = ""
    if of_folder and shown < there:
        excerpt = f"A part: {shown} of the {there} cells of this folder. `bench report` shows all."
    written = report.write(board, out, store.root / "pictures", excerpt=excerpt)
    if of_folder:
        written += _write_readme(scores, written, out, command)
    report.print_leaderboard(board)
    pages = [path.name for path in written if "strip" not in path.name]
    others = len(written) - len(pages)
    more = f" and {others} more file{'s' * (others > 1)}" if others else ""
    log.info(f"written to {out}: {', '.join(pages)}{more}")
    if excerpt:
        log.info(
            f"{out} holds {there} cells, of which these tables and figures show {shown}; all of "
            f"them: {shlex.join(['bench', 'report', f'out={out}'])}"
        )


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


def partners() -> dict[str, str]:
    """Whom the class of each denoiser, by its registered name, is to be compared with."""
    models = open_catalogue().groups["model"]
    return {name: entry.compared_with for name, entry in models.items() if entry.compared_with}


def families() -> dict[str, str]:
    """The family of each noise, by its registered name, where its class says one."""
    noises = open_catalogue().groups["noise"]
    return {name: entry.family for name, entry in noises.items() if entry.family}


def suites() -> dict[str, list[str]]:
    """The noises of each suite."""
    noises, names = open_catalogue().groups["noise"], open_catalogue().suites
    return {suite: [n for n, entry in noises.items() if suite in entry.suites] for suite in names}
