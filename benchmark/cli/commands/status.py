"""``bench status``: how far the runs of a folder are, and who works at what."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from benchmark.cli.command import CommandLine, command

if TYPE_CHECKING:
    from pathlib import Path

    from benchmark.cells.running.plans import Plan
    from benchmark.cells.running.status import Counts, Folder, Work


@dataclass(frozen=True)
class StatusOptions:
    """What is looked at.

    Parameters
    ----------
    out
        The results folder, in which runs may be at work.
    """

    out: str = "results/local"


@command("status", loads=False)
def status(options: StatusOptions, line: CommandLine) -> None:
    """How far the runs of a folder are: done, running, dead, left, and the time that is left.

      bench status out=results/kodak24

    A run keeps its plan in the folder, in plans/, until all of it is there. A cell is running while
    its process says so every few seconds, and dead after a minute without: others take it over.
    Time left is that of restoring the images which are left, as finished cells recorded it, divided
    by the processes which are running. Nothing is changed.
    """
    from benchmark.cells import ResultStore
    from benchmark.cells.running.plans import read_plans
    from benchmark.cells.running.status import Folder
    from benchmark.console.log import log

    store = ResultStore(options.out)
    plans = read_plans(store)
    folder = Folder(store)
    if not (plans or folder.done or folder.work):
        raise ValueError(
            f"no cells and no plan of a run in {options.out}; name a results folder (out=FOLDER), "
            f"or fill one: bench run"
        )
    running, dead = folder.running, folder.dead
    cells = f"{folder.done} cell{'s' * (folder.done != 1)}"
    open_plans = "" if plans else "; no plan is open"
    log.info(f"{options.out}: {cells} done, {len(running)} running, {len(dead)} dead{open_plans}")
    for path, plan in plans.items():
        _show_plan(path, plan, folder)
    if folder.work:
        _show_work([*running, *dead])


def _show_plan(path: "Path", plan: "Plan", folder: "Folder") -> None:
    from benchmark.cells.running.status import Counts
    from benchmark.console.log import log
    from benchmark.reporting.tables import Table

    models, workers = folder.of(plan), len(folder.running)

    def row(name: str, counts: Counts) -> list[str]:
        numbers = [counts.done, counts.running, counts.dead, counts.left, counts.images]
        return [name, *map(str, numbers), _time_left(counts, workers)]

    rows = [row(name, counts) for name, counts in models.items()]
    header = ["model", "done", "running", "dead", "left", "images left", "time left"]
    log.info(f"\n{plan.command}   ({path})")
    Table(header, [*rows, row("all", sum(models.values(), Counts()))], rule=len(rows)).show()


def _time_left(counts: "Counts", workers: int) -> str:
    if counts.images == 0:
        return ""
    if counts.unknown == counts.images:
        return "unknown"
    more = "more than " if counts.unknown else ""
    return f"{more}{_duration(counts.seconds / max(1, workers))}"


def _show_work(work: "list[Work]") -> None:
    from benchmark.reporting.tables import ABSENT, Table

    rows = [
        [
            one.place,
            "running" if one.is_running else "dead",
            str(one.scored),
            one.held.who if one.held else ABSENT,
            _time_of_day(one.held.since) if one.held else ABSENT,
            _duration(max(0, one.silent)) if one.held else ABSENT,
        ]
        for one in work
    ]
    header = ["cell", "", "images", "who", "since (UTC)", "silent for"]
    Table(header, rows, left=["cell", "", "who", "since (UTC)"]).show()


def _time_of_day(text: str) -> str:
    """``16:11:02`` of ``2026-11-29T16:11:02+00:00``, after the date where that is not today."""
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return text
    time = f"{moment:%H:%M:%S}"
    return time if moment.date() == datetime.now(UTC).date() else f"{moment:%Y-%m-%d} {time}"


def _duration(seconds: float) -> str:
    """``2 d 3 h``, ``5 min``, ``12 s``: two units at most."""
    parts, rest = [], round(seconds)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])
