"""The data sheet of a noise as HTML: its docstring, with nothing of it taken for markup."""

from __future__ import annotations

import html
import re
from textwrap import dedent

from benchmark.docstrings import read

CODE = re.compile(r"``(.+?)``|`(.+?)`", re.DOTALL)
CITED = re.compile(r"\[(\d+)\]_")
ADDRESS = re.compile(r"https?://[^\s<>&\"']*[\w/]|\b(?:arxiv|github)\.(?:org|com)/[\w./-]*[\w/]")


def sheet(kind: type) -> str:
    """Description, parameters and references of a noise's class, as elements of HTML.

    Whatever stands in the docstring is text; of its marks only those for code, citations,
    parameters and references are read, and addresses become links.
    """
    doc = read(kind)
    parts = [
        f"<pre>{html.escape(dedent(text))}</pre>"
        if text.startswith(" ")
        else f"<p>{_inline(re.sub('::$', ':', text))}</p>"
        for text in doc.paragraphs
    ]
    if doc.parameters:
        items = [
            f"<dt><code>{html.escape(name)}</code></dt><dd>{_inline(text)}</dd>"
            for name, text in doc.parameters
        ]
        parts.append(f"<h4>Settings</h4><dl>{''.join(items)}</dl>")
    if doc.references:
        items = [f'<li value="{int(n)}">{_inline(text)}</li>' for n, text in doc.references]
        parts.append(f"<h4>References</h4><ol>{''.join(items)}</ol>")
    return "".join(parts)


def _inline(text: str) -> str:
    """A text with its code, citations and addresses marked, all else escaped."""
    pieces, end = [], 0
    for match in CODE.finditer(text):
        pieces += [_linked(text[end : match.start()])]
        pieces += [f"<code>{html.escape(match[1] or match[2])}</code>"]
        end = match.end()
    return " ".join("".join([*pieces, _linked(text[end:])]).split())


def _linked(text: str) -> str:
    pieces, end = [], 0
    for match in ADDRESS.finditer(text):
        address = match[0] if match[0].startswith("http") else f"https://{match[0]}"
        shown = html.escape(match[0])
        link = f'<a href="{html.escape(address)}" rel="noreferrer">{shown}</a>'
        pieces += [html.escape(text[end : match.start()]), link]
        end = match.end()
    return CITED.sub(r"[\1]", "".join([*pieces, html.escape(text[end:])]))
