"""What was measured of a network, kept on disk: a command that is given again chooses the same."""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from benchmark.files.owner import new_token

Measured = TypeVar("Measured")


def measured_once(path: Path, kind: type[Measured], measure: Callable[[], Measured]) -> Measured:
    """What was measured first, by whoever shares the folder; it is measured where nobody did.

    Parameters
    ----------
    path
        A file of JSON. Where it cannot be written, the next process measures anew.
    kind
        A dataclass of numbers and texts.
    """
    if (known := _read(path, kind)) is not None:
        return known
    found = measure()
    _write_first(path, found)
    known = _read(path, kind)
    return found if known is None else known


def _read(path: Path, kind: type[Measured]) -> Measured | None:
    try:
        return kind(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _write_first(path: Path, found: object) -> None:
    """Write a file whole, unless it is there or cannot be written: then it is measured again."""
    aside = path.with_name(f".{path.name}.{new_token()}.tmp")
    with suppress(OSError):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            aside.write_text(json.dumps(vars(found)))
            if _read(path, type(found)) is None:  # damaged
                path.unlink(missing_ok=True)
            os.link(aside, path)  # fails where another process was faster
        finally:
            aside.unlink(missing_ok=True)
