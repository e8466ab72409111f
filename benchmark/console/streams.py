"""Standard output and standard error: they never end a command before its files are written."""

import contextlib
import io
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any, TextIO

CLOSED_PIPE = 128 + 13  # SIGPIPE, which Windows does not name
SILENCE = threading.Lock()  # file descriptors belong to the whole process


class ForgivingStream:
    """A text stream whose first error of writing is kept; from then on it writes nowhere.

    What its encoding lacks is written as a question mark.
    """

    def __init__(self, stream: TextIO):
        self._stream = stream
        self.error: OSError | ValueError | None = None
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write as the stream does, or not at all; the length of the text."""
        if self.error is None:
            with self._noting_errors():
                self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush as the stream does."""
        if self.error is None:
            with self._noting_errors():
                self._stream.flush()

    @contextlib.contextmanager
    def _noting_errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:  # ValueError: the stream was closed
            self.error = error
            with contextlib.suppress(OSError, ValueError):  # what is buffered has to go somewhere
                _redirect(self._stream.fileno(), os.devnull)


@contextlib.contextmanager
def forgiving_streams() -> Iterator[None]:
    """Let nothing that happens to the terminal, a pipe or a log stop what is being done.

    Where the reader of standard output has gone, as ``head`` has, the command ends as quietly as
    others do, with exit status 141; where it cannot be written for another reason, on a full disk
    say, with one sentence and exit status 2; if the command itself has come to no other.
    """
    _open_closed_descriptors()
    before = sys.stdout, sys.stderr
    out, err = (ForgivingStream(stream or io.StringIO()) for stream in before)
    sys.stdout, sys.stderr = out, err
    status: object = None
    try:
        yield
    except SystemExit as stopped:
        status = stopped.code
    finally:
        out.flush()
        err.flush()
        sys.stdout, sys.stderr = before
    if isinstance(out.error, BrokenPipeError):
        status = status or CLOSED_PIPE
    elif out.error is not None and not status:
        print(
            f"bench: not everything could be shown: standard output cannot be written "
            f"({getattr(out.error, 'strerror', None) or out.error}); all files are written",
            file=err,
        )
        status = 2
    if status is not None:
        sys.exit(status)


@contextlib.contextmanager
def silent_stderr() -> Iterator[None]:
    """Drop what libraries in C and C++ write to standard error; for calls of milliseconds."""
    with SILENCE:
        kept = os.dup(2)
        try:
            _redirect(2, os.devnull)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _open_closed_descriptors() -> None:
    """Give what the caller closed (``>&-``) a place, so that no file of results gets its number."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one


def _redirect(descriptor: int, path: str) -> None:
    target = os.open(path, os.O_WRONLY)
    os.dup2(target, descriptor)
    os.close(target)
