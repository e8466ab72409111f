"""Figures as files, each drawn only where what it shows, or what draws it, has changed."""

from __future__ import annotations

import ast
import hashlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmark.files.whole import write_whole
from benchmark.pixels import png_note, small_png_bytes
from benchmark.reporting.figures import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# where helpers of drawing are; what a figure shows comes from other rooms, and is hashed itself
DRAWING = ("benchmark.reporting", "benchmark.studies", "benchmark.pixels")
SVG: dict[Any, object] = {
    "svg.hashsalt": "noisebench",  # else identifiers are random
    "svg.fonttype": "none",  # text stays text: searchable, and a tenth of the bytes of outlines
    "font.sans-serif": ["DejaVu Sans", "Verdana"],  # which the layout is made for; equally wide
}
MARK = "<!-- noisebench: drawn from {}, whole as {} -->\n"
MARKED = re.compile(rf"(.*)(?<=\n){MARK.format('(.*)', '(.*)')}", re.DOTALL)
PLACES = re.compile(r'(?<= )(?:d|x|y|x1|x2|y1|y2|transform|points)="[^"]*"')  # of anything drawn
LONG = re.compile(r"\d+\.\d{3,}")
INDENT = re.compile(r"(?<=\n) +")


def save_svg(path: Path, draw: Callable[..., Figure], *shown: object) -> Path:
    """Write ``draw(*shown)`` as SVG, unless the file was drawn from the same by the same code.

    The file ends in a comment which holds the fingerprint of what it was drawn from and its own;
    a damaged or foreign file is drawn again. A PNG of the same name, which older versions wrote
    beside it, is removed: it would go on showing old numbers.
    """
    fingerprint = _fingerprint(draw, shown, "matplotlib")
    if _svg_fingerprint(path) != fingerprint:
        content = _svg(draw(*shown))
        write_whole(path, content + MARK.format(fingerprint, _short(content.encode())))
    path.with_suffix(".png").unlink(missing_ok=True)
    return path


def save_png(path: Path, draw: Callable[..., np.ndarray], *shown: object) -> Path:
    """Write ``draw(*shown)``, (H, W, 3) uint8, as `small_png_bytes`, unless it is there already.

    As in `save_svg`; the fingerprint is the note in the PNG.
    """
    fingerprint = _fingerprint(draw, shown, "pillow")
    if png_note(path) != fingerprint:
        write_whole(path, small_png_bytes(draw(*shown), fingerprint))
    return path


def _svg(figure: Figure) -> str:
    import matplotlib

    content = BytesIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with matplotlib.rc_context(SVG):
        figure.savefig(content, format="svg", metadata=nothing)
    return PLACES.sub(_rounded, INDENT.sub("", content.getvalue().decode()))


def _rounded(places: re.Match) -> str:
    """An attribute with its places to a hundredth of a point."""
    return LONG.sub(lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), places[0])


def _svg_fingerprint(path: Path) -> str | None:
    """What a whole SVG was drawn from; None if it does not say, or is damaged or missing."""
    if not path.is_file():
        return None
    marked = MARKED.fullmatch(path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n"))
    if marked is None or _short(marked[1].encode()) != marked[3]:
        return None
    return marked[2]


def _fingerprint(draw: Callable, shown: tuple, library: str) -> str:
    """A hash of what a figure shows, of the code which draws it, and of the library's version.

    The code is that of the drawing function's file and of what it imports of `DRAWING`, or what
    that does.
    """
    modules = {draw.__module__, style.__name__, __name__}
    while more := {name for module in modules for name in _imported(module)} - modules:
        modules |= more
    code = map(_source, sorted(modules))
    parts = [version(library).encode(), draw.__qualname__.encode(), *code, *_content(shown)]
    return _short(b"\0".join(parts))


@cache
def _source(module: str) -> bytes:
    """The text of a module, which need not be loaded."""
    if module in sys.modules:
        return inspect.getsource(sys.modules[module]).encode()
    spec = find_spec(module)
    return Path(spec.origin).read_bytes() if spec and spec.origin else b""


@cache
def _imported(module: str) -> frozenset[str]:
    """The modules of `DRAWING` which a module names at its top."""
    tree = ast.parse(_source(module))
    names = {node.module for node in tree.body if isinstance(node, ast.ImportFrom) and node.module}
    return frozenset(name for name in names if name.startswith(DRAWING))


def _content(value: object) -> Iterator[bytes]:
    """Everything in a value as bytes: equal ones for equal values, on any machine."""
    if isinstance(value, pd.DataFrame):
        yield value.to_csv(lineterminator="\n").encode()
    elif is_dataclass(value):
        yield from _content({field.name: getattr(value, field.name) for field in fields(value)})
    elif isinstance(value, np.ndarray):
        yield f"{value.shape} {value.dtype}".encode()
        yield value.tobytes()
    elif isinstance(value, Mapping):
        yield f"{len(value)} by name".encode()
        yield from _content([*value.items()])
    elif isinstance(value, list | tuple):
        yield f"{len(value)} in order".encode()
        for part in value:
            yield from _content(part)
    else:
        yield repr(value).encode()


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
