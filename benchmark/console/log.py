"""What a command says: one logger, and the one console which shows it."""

import logging
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

Sentence = tuple[bool, str]  # whether it was a warning, and its text

log = logging.getLogger("noisebench")
_current = Console(quiet=True)  # as a library we draw no bars; the logger is the caller's


def console() -> Console:
    """Where bars and tables go: nowhere, until `show` was called."""
    return _current


def show(quiet: bool = False) -> Console:
    """From now on print what is logged, bars and tables on standard output, as a command does.

    Parameters
    ----------
    quiet
        Print nothing: of processes that train together, one speaks.
    """
    global _current
    _current = Console(quiet=quiet)
    log.handlers = [_Printed()]
    log.setLevel(logging.INFO)
    log.propagate = False
    log.disabled = False  # whoever configures logging anew disables the loggers that it finds
    return _current


@contextmanager
def shown() -> Iterator[None]:
    """Draw bars on standard output until a block ends, whatever `show` said; the logger stays."""
    global _current
    before, _current = _current, Console()
    try:
        yield
    finally:
        _current = before


@contextmanager
def heard() -> Iterator[list[Sentence]]:
    """What is logged and warned of until a block ends, which is said as ever."""
    sentences: list[Sentence] = []
    handler, warn = _Noted(sentences), warnings.showwarning

    def noting(message: Warning | str, *rest: Any, **more: Any) -> None:
        sentences.append((True, str(message)))
        warn(message, *rest, **more)

    log.addHandler(handler)
    warnings.showwarning = noting
    try:
        yield sentences
    finally:
        log.removeHandler(handler)
        warnings.showwarning = warn


def say_again(sentences: Iterable[Sentence]) -> None:
    """Say what was `heard` in another process."""
    for is_warning, text in sentences:
        if is_warning:
            warnings.showwarning(UserWarning(text), UserWarning, __file__, 0)
        else:
            log.info(text)


def fits(shown: RenderableType) -> bool:
    """Whether the console is wide enough for something as a whole."""
    screen = console()
    unlimited = screen.options.update(width=10_000)
    return screen.measure(shown, options=unlimited).maximum <= screen.width


class _Printed(logging.Handler):
    """Lines as they are: sentences and names may have brackets, and no line is broken."""

    def emit(self, record: logging.LogRecord) -> None:
        _current.print(Text(self.format(record)), highlight=False, soft_wrap=True)


class _Noted(logging.Handler):
    """Sentences which are kept in a list."""

    def __init__(self, sentences: list[Sentence]):
        super().__init__()
        self._sentences = sentences

    def emit(self, record: logging.LogRecord) -> None:
        self._sentences.append((False, record.getMessage()))
