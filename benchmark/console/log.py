"""What a command says: one logger, and the one console which shows it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.text import Text

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


def fits(shown: RenderableType) -> bool:
    """Whether the console is wide enough for something as a whole."""
    screen = console()
    unlimited = screen.options.update(width=10_000)
    return screen.measure(shown, options=unlimited).maximum <= screen.width


class _Printed(logging.Handler):
    """Lines as they are: sentences and names may have brackets, and no line is broken."""

    def emit(self, record: logging.LogRecord) -> None:
        _current.print(Text(self.format(record)), highlight=False, soft_wrap=True)
