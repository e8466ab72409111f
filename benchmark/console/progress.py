"""How far a long computation is: a bar on a terminal, a plain line every half minute in a log."""

from collections.abc import Iterable, Iterator
from threading import Event, Thread
from typing import TypeVar

from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from benchmark.console.log import console

INTERVAL = 30.0  # seconds between two lines of a log
PERIOD = 3600.0  # seconds whose speed the time that is left is estimated from

Item = TypeVar("Item")


def progress(unit: str, *fields: str) -> Progress:
    """A bar with count and time left where standard output is a terminal, else plain lines.

    Parameters
    ----------
    unit
        What is counted: ``images``.
    fields
        Names of fields of its tasks which stand before it. The field ``now`` stands after it.
    """
    columns = [
        *(_text(f"{{task.fields[{name}]}}") for name in fields),
        BarColumn(),
        _Count(unit),
        TimeRemainingColumn(),
        _text("{task.fields[now]}"),
    ]
    kind = Progress if console().is_terminal else _Lines
    return kind(*columns, console=console(), speed_estimate_period=PERIOD)


def track(items: Iterable[Item], unit: str, total: int, now: str = "") -> Iterator[Item]:
    """The items, counted by `progress` as each one's turn ends."""
    with progress(unit) as shown:
        task = shown.add_task("", total=total, now=now)
        for item in items:
            yield item
            shown.advance(task)


class _Count(ProgressColumn):
    """How many of how many there are; the first alone where the second is not known."""

    def __init__(self, unit: str):
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        done = _number(task.completed)
        if task.total is None:
            return Text(f"{done} {self.unit}")
        return Text(f"{done}/{_number(task.total)} {self.unit}, left:")


class _Lines(Progress):
    """Rich's tasks, printed by a thread, also while one step takes minutes, and at the end."""

    def start(self) -> None:
        self.stopped = Event()
        self.thread = Thread(target=self._report, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.stopped.set()
        self.thread.join()
        self._print()

    def _report(self) -> None:
        while not self.stopped.wait(INTERVAL):
            self._print()

    def _print(self) -> None:
        for task in self.tasks:
            columns = [column for column in self.columns if isinstance(column, ProgressColumn)]
            parts = [_shown(column, task) for column in columns]
            line = Text(" ".join(part for part in parts if part))
            self.console.print(line, highlight=False, soft_wrap=True)

    def refresh(self) -> None:
        """Nothing is drawn: lines come by the clock alone."""


def _text(form: str) -> ProgressColumn:
    return TextColumn(form, markup=False)  # names and formulas may have brackets


def _number(count: float) -> str:
    """A count; megabytes of a small file with a decimal."""
    return f"{count:.1f}" if count % 1 and count < 10 else f"{count:.0f}"


def _shown(column: ProgressColumn, task: Task) -> str:
    if isinstance(column, BarColumn):
        return "" if task.total is None else f"{task.percentage:.0f} %"
    shown = column.render(task)
    return shown.plain if isinstance(shown, Text) else str(shown)
