"""Progress: a bar where there is a terminal, plain lines in a log."""

import io
import time
from collections.abc import Callable

import pytest
from rich.console import Console

from benchmark.console import progress as module
from benchmark.console.progress import progress, track


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "INTERVAL", 0.02)


@pytest.fixture
def screen(monkeypatch) -> Callable[..., Console]:
    """Let all that is shown go to a console of its own."""

    def made(**settings: object) -> Console:
        console = Console(file=io.StringIO(), **settings)
        monkeypatch.setattr(module, "console", lambda: console)
        return console

    return made


def test_a_log_has_plain_lines_with_count_percent_time_left_and_what_is_done_now(screen):
    console, begin = screen(width=20), time.monotonic()
    with progress("images", "cells") as shown:
        task = shown.add_task("", total=8, cells="0/2 cells", now="tv on photos, sum[1] [red]")
        for _ in range(2):
            time.sleep(0.03)
            shown.advance(task)
        shown.update(task, cells="1/2 cells")
        time.sleep(0.1)
    lines = console.file.getvalue().splitlines()
    assert lines[0].startswith("0/2 cells ")  # how many images by then is a matter of the machine
    assert lines[0].endswith(" images, left: -:--:-- tv on photos, sum[1] [red]")
    left, now = lines[-1].removeprefix("1/2 cells 25 % 2/8 images, left: 0:00:").split(" ", 1)
    assert now == "tv on photos, sum[1] [red]"
    assert 1 <= int(left) <= 1 + 3 * (time.monotonic() - begin)  # 6 are left of 8
    assert "\x1b" not in console.file.getvalue() and "\r" not in console.file.getvalue()


def test_lines_come_by_the_clock_also_while_one_step_lasts(screen):
    console, begin = screen(), time.monotonic()
    for _ in track([1], "images", 1, "one long image"):
        while console.file.getvalue().count("\n") < 3:  # as long as a loaded machine needs
            time.sleep(0.01)
    most = (time.monotonic() - begin) / module.INTERVAL
    count = console.file.getvalue().count("0 % 0/1 images, left: -:--:-- one long image")
    assert 3 <= count <= most


def test_a_short_computation_is_one_line_in_a_log(screen, monkeypatch):
    monkeypatch.setattr(module, "INTERVAL", 30)
    console = screen()
    assert list(track(range(5), "images", 5)) == [0, 1, 2, 3, 4]
    assert console.file.getvalue() == "100 % 5/5 images, left: 0:00:00\n"


def test_without_a_total_there_is_no_share_of_it(screen):
    console = screen()
    with progress("MB", "name") as shown:
        unknown = shown.add_task("", total=None, name="weights", now="")
        shown.update(unknown, completed=0.2048)
        small = shown.add_task("", total=2.5, name="small", now="")
        shown.update(small, completed=2.0)
    assert console.file.getvalue() == "weights 0.2 MB\nsmall 80 % 2/2.5 MB, left: -:--:--\n"


def test_the_lines_end_with_the_computation_also_where_it_fails(screen):
    console = screen()
    with pytest.raises(KeyboardInterrupt), progress("images") as shown:
        shown.add_task("", total=1, now="")
        raise KeyboardInterrupt
    before = console.file.getvalue()
    time.sleep(0.1)
    assert console.file.getvalue() == before


def test_a_quiet_console_stays_quiet(screen):
    console = screen(quiet=True)
    for _ in track([1], "images", 1):
        time.sleep(0.1)
    assert console.file.getvalue() == ""


def test_a_terminal_has_a_bar(screen):
    console = screen(force_terminal=True, width=80)
    for _ in track([1], "images", 1, "the last"):
        pass
    assert "\x1b" in console.file.getvalue() and "the last" in console.file.getvalue()
