"""Further processes of one command, which do the same work and end with the process they help."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import IO

import psutil

PLACE = "NOISEBENCH_HELPER"  # in the environment of one: its place, and the process that it helps
DELAY = 1.0  # seconds of work before any is started: what is done sooner needs none
PAUSE = 1.0  # seconds between two looks at whether a parent, or a helper, lives
PATIENCE = 10.0  # seconds in which a helper that was told to end may put away what it has

TOLD_TO_END = (130, 143, -signal.SIGINT, -signal.SIGTERM)  # as all processes are, by Ctrl-C

Started = list[tuple[subprocess.Popen[bytes], IO[bytes]]]


def place_of_helper() -> str | None:
    """``"2/4"`` in the second of four processes which share a work; None in one with no such place.

    A helper ends, from here on, once the process which started it has.
    """
    place, _, parent = os.environ.get(PLACE, "").partition(" ")
    if not parent.isdecimal():
        return None
    end_with(int(parent))
    return place


def end_with(other: int) -> None:
    """From here on, end this process once another one here has, of whatever."""

    def watch() -> None:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(other)
            while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                time.sleep(PAUSE)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def helpers(words: Sequence[str], count: int, say: Callable[[str], object]) -> Iterator[None]:
    """Have so many processes do what ``bench`` does with these words while a block runs.

    They start when it has run for `DELAY` seconds. What they say is not shown; one which ends by
    itself before the block does, other than being done, is spoken of.

    Parameters
    ----------
    say
        What to do with a sentence about a helper which has failed.
    """
    ended = threading.Event()
    with ExitStack() as files:
        started: Started = []

        def watch() -> None:
            if ended.wait(DELAY):
                return
            for number in range(2, count + 2):
                place = f"{number}/{count + 1} {os.getpid()}"
                log = files.enter_context(tempfile.TemporaryFile())
                try:
                    started.append((_start(words, place, log), log))
                except OSError as error:
                    say(f"no further process shares the work: {error}")
                    break
            working = list(started)
            while working and not ended.wait(PAUSE):
                for helper in [one for one in working if one[0].poll() is not None]:
                    working.remove(helper)
                    if helper[0].returncode not in (0, *TOLD_TO_END):
                        say(f"a process that shares the work ended: {_last_line(helper)}")

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()
            _end(started)


def variables() -> dict[str, str]:
    """Those of a process which gives a further command: its mistakes are sentences."""
    return {key: value for key, value in os.environ.items() if key != "HYDRA_FULL_ERROR"}


def _start(words: Sequence[str], place: str, log: IO[bytes]) -> "subprocess.Popen[bytes]":
    # what this process would import is what a helper imports, and not what lies in the folder
    safe = [] if {"", os.getcwd()} & set(sys.path) else ["-P"]
    return subprocess.Popen(
        [sys.executable, *safe, "-m", "benchmark.cli", *words],
        env={**variables(), PLACE: place},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=log,
    )


def _end(started: Started) -> None:
    for process, _ in started:
        process.terminate()
    end = time.monotonic() + PATIENCE
    for process, _ in started:
        try:
            process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _last_line(helper: "tuple[subprocess.Popen[bytes], IO[bytes]]") -> str:
    process, log = helper
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    return lines[-1].removeprefix("bench: ") if lines else f"status {process.returncode}"
