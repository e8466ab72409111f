"""Where results go: whole files, and folders that cannot be; reports of some models; figures."""

import errno
import os
from pathlib import Path

import pytest
from toy_finished import COMMANDS, RUN, content, forbid_computing

# files


class Stopped(BaseException):
    """What a kill is to a process: nothing handles it."""


@pytest.mark.slow
def test_a_report_stopped_at_any_file_leaves_every_file_whole(bench, finished, monkeypatch):
    before, replace, calls = content(finished), os.replace, []
    pages = [name for name in before if "/" not in name and name != "README.md"]

    def stopping(source: str, target: str) -> None:
        calls.append(Path(target))
        if len(calls) > stop_at:
            raise Stopped
        replace(source, target)

    for stop_at in (0, 3, 6):
        calls.clear()
        for name in pages:
            (finished / name).unlink(missing_ok=True)
        with monkeypatch.context() as patch, pytest.raises(Stopped):
            patch.setattr(os, "replace", stopping)
            bench("report", "out=out")
        assert content(finished).items() <= before.items()
        assert sum(name in pages for name in content(finished)) == stop_at
    assert [path.suffix for path in calls] == [".md", *[".csv"] * 4, ".svg", ".png"]
    bench("report", "out=out")
    assert content(finished) == before


ERRORS = [
    (errno.ENOSPC, "make room"),
    (errno.EDQUOT, "make room"),
    (errno.EACCES, "that you may write to"),
    (errno.EPERM, "that you may write to"),
    (errno.EROFS, "that you may write to"),
    (errno.ENAMETOOLONG, "shorter"),
    (errno.EIO, "give the same command again"),
]


@pytest.mark.parametrize(("number", "advice"), ERRORS, ids=lambda part: str(part))
@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_a_report_that_cannot_be_written_is_one_sentence_and_keeps_what_was_there(
    bench, finished, undrawn, monkeypatch, number, advice, call
):
    before = content(finished)

    def failing(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, failing)
    status, _, said = bench("report", "out=out")
    assert (status, said.count("\n")) == (2, 1)
    assert os.strerror(number) in said and advice in said
    assert ("make room" in said) == (advice == "make room")
    assert content(finished) == before


def file(place: Path) -> str:
    (place / "a").write_text("mine")
    return "a"


def dead_link(place: Path) -> str:
    (place / "a").symlink_to("nowhere")
    return "a"


PLACES = {
    "nothing": lambda _: "",
    "spaces": lambda _: "'  '",
    "a file": file,
    "below a file": lambda place: f"{file(place)}/b/c",
    "a dead link": dead_link,
    "a device": lambda _: "/dev/null",
    "below a device": lambda _: "/dev/null/a",
    "a name too long": lambda _: "a" * 300,
}


@pytest.mark.sampled(every=8)
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("place", PLACES)
def test_a_place_for_results_that_cannot_be_is_said_before_anything_is_computed(
    bench, tmp_path, monkeypatch, place, command
):
    forbid_computing(monkeypatch)
    out = PLACES[place](tmp_path)
    before = content(tmp_path)
    status, _, said = bench(command, *COMMANDS[command], f"out={out}")
    assert (status, said.count("\n")) == (2, 1)
    assert "out=FOLDER" in said or "names no folder" in said
    assert "make room" not in said
    assert content(tmp_path) == before


@pytest.mark.sampled(every=7)
@pytest.mark.parametrize(("number", "advice"), ERRORS, ids=lambda part: str(part))
def test_a_folder_that_cannot_be_written_is_said_before_anything_is_computed(
    bench, monkeypatch, number, advice
):
    def failing(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    forbid_computing(monkeypatch)
    monkeypatch.setattr(os, "fsync", failing)
    status, _, said = bench(*RUN)
    assert (status, said.count("\n")) == (2, 1)
    assert "cannot write out: " in said and advice in said
    assert not Path("out").exists()


# a report of some models


def test_a_report_of_some_models_leaves_the_one_of_all_alone(bench, finished, undrawn):
    before = content(finished)
    assert "out/report-tv" in bench("report", "out=out", "model=[tv]")[1]
    after = content(finished)
    assert before.items() <= after.items()
    some = (finished / "report-tv" / "leaderboard.md").read_text()
    assert "tv" in some and "noisy input" not in some


def test_a_report_of_all_models_by_name_is_the_one_of_all(bench, finished, undrawn):
    (finished / "leaderboard.md").unlink()
    bench("report", "out=out", "model=[tv,identity]")
    assert (finished / "leaderboard.md").is_file()
    assert not list(finished.glob("report-*"))


@pytest.mark.slow
def test_a_report_goes_where_it_is_told(bench, finished, tmp_path):
    before = content(finished)
    assert bench("report", "out=out", "model=tv", "to=elsewhere/some")[0] == 0
    assert content(finished) == before
    assert (tmp_path / "elsewhere/some/strip_gaussian_photos.png").is_file()


# figures


def test_a_finished_folder_draws_nothing_again(bench, finished, monkeypatch):
    from matplotlib.figure import Figure
    from PIL import ImageDraw

    before = content(finished)
    monkeypatch.setattr(Figure, "savefig", None)  # would be called to draw anything
    monkeypatch.setattr(ImageDraw, "Draw", None)
    assert bench("report", "out=out")[0] == 0
    assert content(finished) == before


def test_a_defect_in_drawing_costs_no_table(bench, finished, monkeypatch):
    before = content(finished)
    tables = ("leaderboard.md", "leaderboard.csv", "scores.csv")
    for name in tables:
        (finished / name).unlink()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("cannot draw")

    monkeypatch.setattr("benchmark.reporting.figures.of_board.save_figure", broken)
    with pytest.raises(RuntimeError, match="cannot draw"):
        bench("report", "out=out")
    assert all((finished / name).read_bytes() == before[name] for name in tables)
