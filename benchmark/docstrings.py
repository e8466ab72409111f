"""Docstrings in numpydoc's form, taken apart for pages which show them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass

SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)  # a heading of numpydoc


@dataclass(frozen=True)
class Docstring:
    """What a class says of itself; texts still have their marks, ``x`` and [1]_.

    Parameters
    ----------
    paragraphs
        The description, its first paragraph the summary; those of code are indented.
    parameters
        Names and texts.
    references
        Numbers and texts.
    """

    paragraphs: Sequence[str]
    parameters: Sequence[tuple[str, str]] = ()
    references: Sequence[tuple[str, str]] = ()


def read(kind: type) -> Docstring:
    """The description, the parameters and the references of a class; without other sections."""
    about, *rest = SECTION.split(inspect.cleandoc(kind.__doc__ or ""))
    sections = dict(zip(rest[::2], rest[1::2], strict=True))
    blocks = re.split(r"\n(?=\S)", sections.get("Parameters", "").strip())
    items = [block.partition("\n") for block in blocks if block]
    marked = sections.get("References", "")
    _, *entries = re.split(r"^\.\. \[(\d+)\]", marked, flags=re.MULTILINE)
    return Docstring(
        [text for text in re.split(r"\n\s*\n", about.strip()) if text],
        [(name, _joined(text)) for name, _, text in items],
        [(n, _joined(text)) for n, text in zip(entries[::2], entries[1::2], strict=True)],
    )


def without_marks(text: str) -> str:
    """A text of a docstring without ``x``, `x` and [1]_."""
    return re.sub(r" \[\d+\]_|``|`", "", text)


def _joined(text: str) -> str:
    return " ".join(text.split())
