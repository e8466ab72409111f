"""Figures as files, each drawn only where what it shows, or what draws it, has changed."""

from __future__ import annotations

import ast
import hashlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from benchmark.reporting.figures.latex import latex_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# where helpers of drawing are; what a figure shows comes from other rooms, and is hashed itself
DRAWING = ("benchmark.reporting", "benchmark.studies", "benchmark.pixels")
RENDERED: dict[Any, object] = {
    "svg.hashsalt": "noisebench",  # else identifiers are random
    "svg.fonttype": "none",  # text stays text: searchable, and a tenth of the bytes of outlines
    "pdf.fonttype": 42,  # text as well, in a kind of font which publishers take
    "font.sans-serif": ["DejaVu Sans", "Verdana"],  # which the layout is made for; equally wide
}
NO_DATES = {
    "svg": dict.fromkeys(("Date", "Creator", "Format", "Type")),
    "pdf": dict.fromkeys(("CreationDate", "Creator", "Producer")),
}
DOTS = 200  # of a PNG, per inch
FORMATS = ("svg", "pdf", "png", "tex")  # of a figure; LaTeX takes the PDF
COMMENT = {"svg": ("<!--", " -->"), "pdf": ("%", ""), "tex": ("%", "")}  # begins, ends
MARK = "{} noisebench: drawn from {}, whole as {}{}\n"
MARKED = re.compile(
    rb"(.*\n)(?:<!--|%) noisebench: drawn from (\w+), whole as (\w+)(?: -->)?\n", re.DOTALL
)
PLACES = re.compile(r'(?<= )(?:d|x|y|x1|x2|y1|y2|transform|points)="[^"]*"')  # of anything drawn
LONG = re.compile(r"\d+\.\d{3,}")
INDENT = re.compile(r"(?<=\n) +")


def save_figure(
    stem: Path,
    formats: Iterable[str],
    draw: Callable[..., Figure],
    *shown: object,
    caption: str = "",
    columns: int = 0,
) -> list[Path]:
    """Write ``draw(*shown)`` in some formats, unless each was drawn from the same by the same code.

    A file holds the fingerprint of what it was drawn from and its own; one that is damaged or
    foreign is drawn again.

    Parameters
    ----------
    stem
        The files' name without the end.
    formats
        Of `FORMATS`; words which are none of them are for tables, and left out. ``tex`` is a
        figure with the caption, see `latex_figure`, and its PDF.
    caption
        What stands below the figure in LaTeX.
    columns
        Of a page with two, how many the figure fills there: 1, or both.

    Returns
    -------
    list of pathlib.Path
        The files asked for.
    """
    asked = {word for word in formats if word in FORMATS}
    asked |= {"pdf"} if "tex" in asked else set()
    text = latex_figure(stem.name, caption, columns).encode()
    drawn, written = _fingerprint(draw, shown, "matplotlib"), []
    for word in (word for word in FORMATS if word in asked):
        path = stem.with_name(f"{stem.name}.{word}")
        fingerprint = _short(text) if word == "tex" else drawn
        if _drawn_from(path) != fingerprint:
            content = text if word == "tex" else _rendered(draw(*shown), word, fingerprint)
            write_whole(path, _marked(content, word, fingerprint))
        written.append(path)
    return written


def is_drawn(path: Path) -> bool:
    """Whether a file is a figure which was drawn here."""
    return _drawn_from(path) is not None


def pictures(paths: Sequence[Path]) -> list[str]:
    """The names of the files which a page of Markdown can show, each figure once."""
    for word in ("svg", "png"):
        if names := [path.name for path in paths if path.suffix == f".{word}"]:
            return names
    return []


def save_png(path: Path, draw: Callable[..., np.ndarray], *shown: object) -> Path:
    """Write ``draw(*shown)``, (H, W, 3) uint8, as `small_png_bytes`, unless it is there already.

    As in `save_figure`; the fingerprint is the note in the PNG.
    """
    fingerprint = _fingerprint(draw, shown, "pillow")
    if png_note(path) != fingerprint:
        write_whole(path, small_png_bytes(draw(*shown), fingerprint))
    return path


def _rendered(figure: Figure, word: str, fingerprint: str) -> bytes:
    """A figure in one format, without its mark; a PNG has it already."""
    import matplotlib

    with matplotlib.rc_context(RENDERED):
        if word == "png":
            return small_png_bytes(_pixels(figure), fingerprint)
        content = BytesIO()
        figure.savefig(content, format=word, metadata=NO_DATES[word])
    if word == "pdf":
        return content.getvalue()
    return PLACES.sub(_rounded, INDENT.sub("", content.getvalue().decode())).encode()


def _pixels(figure: Figure) -> np.ndarray:
    """(H, W, 3) uint8."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(DOTS)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]


def _marked(content: bytes, word: str, fingerprint: str) -> bytes:
    if word == "png":
        return content
    begins, ends = COMMENT[word]
    return content + MARK.format(begins, fingerprint, _short(content), ends).encode()


def _drawn_from(path: Path) -> str | None:
    """What a whole file was drawn from; None if it does not say, or is damaged or missing."""
    if path.suffix == ".png":
        return png_note(path)
    if not path.is_file():
        return None
    content = path.read_bytes()
    if path.suffix != ".pdf":  # git on Windows changes the ends of lines
        content = content.replace(b"\r\n", b"\n")
    marked = MARKED.fullmatch(content)
    if marked is None or _short(marked[1]).encode() != marked[3]:
        return None
    return marked[2].decode()


def _rounded(places: re.Match) -> str:
    """An attribute with its places to a hundredth of a point."""
    return LONG.sub(lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), places[0])


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
