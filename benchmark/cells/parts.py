"""Half-done cells: each writer has a file of its own, a line of settings and one for each image."""

import contextlib
import json
import os
import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

from benchmark.cells.records import Complete, Damaged, Row, check_row, check_settings
from benchmark.files.owner import new_token
from benchmark.files.whole import writing

NAME = re.compile(r"(.+\.json)(?:\.[0-9a-f-]+)?\.part")  # version 0.1: gaussian-25-0.json.part


def new_part(path: Path) -> Path:
    """A new name for a half of the cell with this file: ``gaussian-25-0.json.TOKEN.part``."""
    return path.with_name(f"{path.name}.{new_token()}.part")


def parts_of(path: Path) -> list[Path]:
    """The parts of the cell with this file, of all writers."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        names = os.listdir(path.parent)  # a folder may have very many others
        ours = [name for name in names if name.startswith(f"{path.name}.")]
        return [path.with_name(name) for name in sorted(ours) if name.endswith("part")]
    return []


def cell_file_of(part: Path) -> Path:
    """The file of the cell which a part belongs to."""
    match = NAME.fullmatch(part.name)
    return part.with_name(match[1] if match else part.name)


def read_part(part: Path, complete: Complete) -> tuple[dict[str, Any], list[Row]] | None:
    """The settings of a part and its rows, without lines that are torn; None without settings."""
    try:
        head, *lines = part.read_bytes().splitlines(keepends=True) or [b""]
    except FileNotFoundError:  # its writer has just finished
        return None
    settings = _line(head)
    try:
        check_settings(settings)
    except ValueError:
        return None
    rows = {}
    for row in map(_line, lines):
        try:
            check_row(row, settings, complete)
        except Damaged:  # the last line of a killed writer: the image is scored again
            continue
        rows[row["image"]] = row
    return settings, list(rows.values())


def start_part(part: Path, settings: Mapping[str, object], rows: Iterable[Row]) -> TextIO:
    """A new part, open: it keeps its first line whatever happens to its name."""
    with writing(part):
        part.parent.mkdir(parents=True, exist_ok=True)
        file = part.open("x", encoding="utf-8", newline="\n")
        file.write("".join(f"{json.dumps(line)}\n" for line in [settings, *rows]))
        file.flush()
    return file


def append_row(part: Path, file: TextIO, row: Row) -> None:
    """Add a line to an open part, and hand it to the system at once."""
    with writing(part):
        file.write(f"{json.dumps(row)}\n")
        file.flush()


def remove_part(part: Path, headless: bool = False) -> None:
    """Remove a part, with a word where it had no settings.

    A writer that lives all the same, having lost its lease, goes on in a file without a name.
    """
    if headless:
        warnings.warn(f"{part} does not say what it was scored with and is dropped", stacklevel=2)
    with contextlib.suppress(PermissionError):  # Windows, while its writer has it open
        part.unlink(missing_ok=True)


def _line(line: bytes) -> Any:
    if not line.endswith(b"\n"):
        return None
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
