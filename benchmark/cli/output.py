"""What a command says of what it wrote; and the report which several commands end with."""

from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.cli.registered.catalogue import open_catalogue
from benchmark.console.log import log
from benchmark.files.output import is_ours
from benchmark.files.whole import write_whole

if TYPE_CHECKING:
    from benchmark.cells import ResultStore
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
    from benchmark.reporting import report
    from benchmark.reporting.board import Board

    board = Board(scores)
    written = report.write(board, out, store.root / "pictures")
    if out.resolve() == store.root.resolve():
        written += _write_readme(scores, written, out, command)
    report.print_leaderboard(board)
    pages = [path.name for path in written if "strip" not in path.name]
    others = len(written) - len(pages)
    more = f" and {others} more file{'s' * (others > 1)}" if others else ""
    log.info(f"written to {out}: {', '.join(pages)}{more}")


def _write_readme(
    scores: "Scores", written: list[Path], out: Path, command: str | None
) -> list[Path]:
    """The README of the folder, with the commands that it named before, unless it is not ours."""
    from benchmark.reporting import readme

    path = out / "README.md"
    try:
        before = path.read_text("utf-8", "replace") if is_ours(path, "results") else ""
    except ValueError:
        log.info(f"{path} was not written by bench run, and stays as it is")
        return []
    commands = [*readme.commands_of(before), *([command] if command else [])]
    names = [file.name for file in written]
    write_whole(path, readme.page(out.resolve().name, commands, scores, names))
    return [path]


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
