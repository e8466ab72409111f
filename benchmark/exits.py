"""How a command ends: the exit statuses of a mistake, an interruption and a closed pipe."""

import contextlib
import os
import signal
import stat
import sys
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

MISTAKE = 2
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM
CLOSED_PIPE = 128 + 13  # SIGPIPE, which Windows does not name


class Terminated(KeyboardInterrupt):
    """SIGTERM, as an exception which lets every ``finally`` run, as one of SIGINT does."""


@contextlib.contextmanager
def as_shells_expect() -> Iterator[None]:
    """SIGTERM raises `Terminated`; a pipe that nobody reads any more ends the command quietly."""
    before = None
    with contextlib.suppress(ValueError):  # only the main thread may handle signals
        before = signal.signal(signal.SIGTERM, _terminate)
    try:
        with quiet_at_closed_pipe():
            yield
            sys.stdout.flush()
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def quiet_at_closed_pipe() -> Iterator[None]:
    """What is raised where the reader of our output has gone becomes an exit status."""
    try:
        yield
    except BrokenPipeError as error:
        if not _writes_to_pipe():
            raise
        _end_quietly(error)
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # rich turns it into status 1
            _end_quietly(error)
        raise


def stop(sentence: str, status: int = MISTAKE) -> NoReturn:
    """End with one line on stderr."""
    print(f"bench: {' '.join(sentence.split())}", file=sys.stderr)
    sys.exit(status)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


def _writes_to_pipe() -> bool:
    with contextlib.suppress(OSError, ValueError):  # a stdout without a file, as in a notebook
        return stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode)
    return False


def _end_quietly(error: BaseException) -> NoReturn:
    with contextlib.suppress(OSError, ValueError):
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, sys.stdout.fileno())  # the interpreter flushes it once more
    raise SystemExit(CLOSED_PIPE) from error
