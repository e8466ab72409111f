"""The views of the explorer, and how a browser gets to one."""

import re

from benchmark.reporting.explorer.page import ASSETS

VIEWS = [
    name
    for script in sorted(ASSETS.rglob("*.js"))
    for name in re.findall(r'views\.push\(\{\s*name: "(\w+)"', script.read_text())
]
NEXT_FRAME = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"


def go(tab, view: str) -> None:
    """Show a view as it is at first."""
    tab.evaluate("() => { location.hash = '#view=none'; }")  # no view: the first is shown
    tab.evaluate(NEXT_FRAME)
    tab.evaluate("(view) => { location.hash = `#view=${view}`; }", view)
    tab.wait_for_selector(f"#view[data-view={view}]")
    tab.evaluate(NEXT_FRAME)


def column(tab, title: str, table: str = "#view") -> list[str]:
    """The texts of the column with this title."""
    heads = tab.locator(f"{table} thead th").all_inner_texts()
    place = [head.splitlines()[0].rstrip("↑↓ ") for head in heads].index(title)
    return tab.locator(f"{table} tbody tr > :nth-child({place + 1})").all_inner_texts()
