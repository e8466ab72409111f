"""Pages of Markdown: a template of the folder ``templates``, filled with values.

A page ``name.md`` is the template ``name.md.j2``: the words that always stand there, with
``{{ value }}`` where a value goes; ``{% if %}`` and ``{% for %}`` stand on lines of their own and
leave none behind. Numbers come as texts, tables as `benchmark.reporting.tables.Table`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: object) -> str:
    """The page of a template, such as ``"leaderboard.md"``, ending with a line feed.

    Raises
    ------
    jinja2.TemplateNotFound
        If there is no such template.
    jinja2.UndefinedError
        If the template uses a value which is not given.
    """
    return _environment().get_template(f"{template}.j2").render(values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown is no HTML
    )
