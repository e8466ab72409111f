"""The explorer's page: what it shows, its pictures and its code in one HTML file."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).parent / "assets"
STYLES = ("style.css", "images/images.css")
LIBRARIES = ("d3.min.js", "plot.umd.min.js")  # in this order; their licences are in vendor/
# one module of all these: their top-level names share one scope
SCRIPTS = (
    *("frame/state", "frame/widgets", "charts/save", "charts/charts"),
    *("views/leaderboard", "views/cells"),
    *("charts/heatmap", "charts/curves", "charts/pareto", "charts/scatter"),
    *("images/pixels", "images/viewer", "images/scenes", "images/tiles", "images/images"),
    *("views/sheets", "views/provenance", "frame/main"),
)


def page(facts: Mapping[str, Any], pictures: Sequence[str] = ()) -> str:
    """The page: the same bytes for the same facts and pictures.

    Facts stand in it as base64 of their JSON, compressed: a third of the size, and nothing in a
    name or a note can end the element that holds them.

    Parameters
    ----------
    facts
        As `benchmark.reporting.explorer.facts.facts` gives them.
    pictures
        As `benchmark.reporting.explorer.pictures.embed` gives them.

    Raises
    ------
    ValueError
        If a number among the facts is NaN or infinite, which JSON does not know.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=True,
    )
    text = json.dumps(facts, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    packed = gzip.compress(text.encode(), mtime=0)
    return environment.get_template("page.html.j2").render(
        title=facts["title"],
        style=Markup(_joined(ASSETS / name for name in STYLES)),
        libraries=[Markup(_joined([ASSETS / "vendor" / name])) for name in LIBRARIES],
        script=Markup(_joined(ASSETS / f"{name}.js" for name in SCRIPTS)),
        facts_type="text/plain",
        facts=Markup(b64encode(packed).decode()),
        pictures=Markup("\n".join(pictures)),
    )


def _joined(paths: Iterable[Path]) -> str:
    return "\n".join(path.read_text("utf-8") for path in paths)
