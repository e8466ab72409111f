"""An explorer of a small made-up results folder, and a browser to open it in."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import made_up
import pytest

from benchmark.files.whole import write_whole
from benchmark.reporting.explorer.page import page

PATIENCE = 120_000  # ms: a loaded machine may need many seconds to begin, or to save a picture


@pytest.fixture(scope="session")
def explorer_page(tmp_path_factory) -> Path:
    """The page of made-up facts."""
    lines: list[str] = []
    path = tmp_path_factory.mktemp("explorer") / "explorer.html"
    write_whole(path, page(made_up.facts(lines), lines))
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium without a window, or a skip which says what is missing."""
    reason = "needs playwright: pip install 'noisebench[test]'"
    driving = pytest.importorskip("playwright.sync_api", reason=reason)
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if path is None:
        pytest.skip("needs a browser: apt-get install chromium")
    with driving.sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"], timeout=PATIENCE
        )
        yield running
        running.close()


@pytest.fixture(scope="session")
def free_tabs(browser) -> dict[str, list[Any]]:
    """Tabs that earlier tests had, by the options of their contexts: to begin one takes longest."""
    return {}


@pytest.fixture
def open_page(browser, free_tabs, explorer_page) -> Iterator[Callable[..., Any]]:
    """Open the page at an address after its #, so many pixels wide.

    At the end nothing was written to the console as wrong, and nothing was asked of anyone.
    """
    taken, wrong = [], []

    def opened(
        address: str = "", width: int = 1400, path: Path = explorer_page, **options: Any
    ) -> Any:
        free = free_tabs.setdefault(repr(sorted(options.items())), [])
        tab = free.pop() if free else browser.new_context(**options).new_page()
        tab.set_default_timeout(PATIENCE)
        tab.set_viewport_size({"width": width, "height": 900})

        def note(text: str, expected: bool = False) -> None:
            if not expected:
                wrong.append(f"{tab.url}: {text}")

        mine = (path.as_uri(), "data:", "blob:")
        heard = {
            "console": lambda said: note(said.text, said.type not in ("error", "warning")),
            "pageerror": lambda error: note(str(error)),
            "request": lambda asked: note(asked.url, asked.url.startswith(mine)),
        }
        for event, hear in heard.items():
            tab.on(event, hear)
        taken.append((free, tab, heard))
        tab.goto(f"{path.as_uri()}{address}")
        tab.wait_for_selector("#view[data-view]")
        return tab

    yield opened
    for free, tab, heard in taken:
        for event, hear in heard.items():
            tab.remove_listener(event, hear)
        tab.mouse.up()
        tab.mouse.move(0, 0)
        tab.emulate_media(media="null")
        tab.goto("about:blank")
        free.append(tab)
    assert wrong == []
