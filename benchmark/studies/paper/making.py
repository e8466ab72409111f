"""Runs of a plan, given one after the other as commands of their own, and what became of each."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.console.log import log
from benchmark.environment.helpers import variables
from benchmark.studies.paper.runs import Run

MAKE = ("missing", "all", "none")
ENTRY = (sys.executable, "-m", "benchmark.cli")


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Parameters
    ----------
    status
        ``made`` now, ``found``, ``missing``, ``failed`` or ``stopped``.
    note
        Why: of what failed the last sentence which the command said.
    """

    status: str
    note: str = ""

    @property
    def is_there(self) -> bool:
        return self.status in ("made", "found")


Outcomes = Mapping[str, Outcome]


def there(runs: Sequence[Run]) -> dict[str, Outcome]:
    """What is there of runs which are not given: found or missing."""
    return {run.name: Outcome("found" if run.is_there else "missing") for run in runs}


def make_runs(runs: Sequence[Run], make: str, after_each: Callable[[Outcomes], object]) -> None:
    """Give the runs' commands, one after the other; one that fails does not stop the others.

    Parameters
    ----------
    runs
        In an order in which none comes before those that it builds upon.
    make
        ``missing``: all but what trains and is there, and what another command made; ``all``:
        every one.
    after_each
        Gets the outcomes so far, after each run.

    Raises
    ------
    KeyboardInterrupt
        If a signal asks to stop; the command which was running has ended by then.
    """
    outcomes: dict[str, Outcome] = {}
    for run in runs:
        outcomes[run.name] = Outcome("stopped", "the same command goes on from there")
        try:
            outcomes[run.name] = _outcome(run, make, outcomes)
        finally:
            after_each(outcomes)


def _outcome(run: Run, make: str, before: Outcomes) -> Outcome:
    waits = [name for name in run.after if name in before and not before[name].is_there]
    if make == "missing" and run.is_there and (run.trains or run.other_commands):
        return Outcome("found")
    if waits:
        return Outcome("missing", f"it needs {waits[0]}, which {_SAID[before[waits[0]].status]}")
    if gone := [path for path in run.needs if not Path(path).exists()]:
        return Outcome("missing", f"it needs {gone[0]}, which is not there; make=all makes it")
    log.info(f"{run.name}: {run.command}")
    start = time.monotonic()
    status, said = call(run.words)
    if status:
        log.info(f"{run.name} failed: {said}")
        return Outcome("failed", said)
    if not run.is_there:
        return Outcome("failed", f"the command left no {' and no '.join(run.leaves)}")
    log.info(f"{run.name}: made in {time.monotonic() - start:.0f} s")
    return Outcome("made")


_SAID = {"missing": "is missing", "failed": "failed", "stopped": "was stopped"}


def call(words: Sequence[str]) -> tuple[int, str]:
    """Give a command of bench: its exit status, and the last line that it said of its failure.

    The command speaks on this terminal. A signal to stop reaches it once, as SIGTERM, and it is
    waited for; at the second one it is killed.
    """
    process = subprocess.Popen(
        [*ENTRY, *words],
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=variables(),
        process_group=0,  # else the terminal would send its signal as well
    )
    last: deque[str] = deque(maxlen=1)
    try:
        _listen(process, last)
    except KeyboardInterrupt:
        process.send_signal(signal.SIGTERM)
        try:
            _listen(process, last)
        except KeyboardInterrupt:
            process.kill()
            process.wait()
        raise
    finally:
        if process.stderr:
            process.stderr.close()
    if process.returncode < 0:
        return process.returncode, f"killed by {signal.Signals(-process.returncode).name}"
    said = last[0] if last else f"ended with exit status {process.returncode}, and said nothing"
    return process.returncode, said.removeprefix("bench: ")


def _listen(process: subprocess.Popen[str], last: deque[str]) -> None:
    """Pass on what a process says on standard error, until it ends."""
    for line in process.stderr or ():
        sys.stderr.write(line)
        if line.strip():
            last.append(line.strip())
    process.wait()
