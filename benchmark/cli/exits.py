"""How a command ends: the exit statuses of a failed check, a mistake and an interruption."""

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

FAILED = 1  # a check did not hold
MISTAKE = 2
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM


class Terminated(KeyboardInterrupt):
    """SIGTERM, as an exception which lets every ``finally`` run, as one of SIGINT does."""


@contextlib.contextmanager
def sigterm_raises() -> Iterator[None]:
    """SIGTERM raises `Terminated`."""
    before = None
    with contextlib.suppress(ValueError):  # only the main thread may handle signals
        before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def stop(sentence: str, status: int = MISTAKE) -> NoReturn:
    """End with one line on stderr."""
    print(f"bench: {' '.join(sentence.split())}", file=sys.stderr)
    sys.exit(status)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated
