"""Commands given one after the other: failures, interruptions, and what is found."""

import sys

import pytest
from parts_made_up import write_lines

from benchmark.studies.paper import making
from benchmark.studies.paper.making import call, make_runs
from benchmark.studies.paper.runs import Run

CHILD = """
import pathlib, signal, sys, time
what, path = sys.argv[1:]
if what == "fails":
    print("bench: some warning", file=sys.stderr)
    sys.exit("bench: there is no such thing; name another")
if what == "waits":
    def save(*_):
        pathlib.Path(path).write_text("saved")
        sys.exit(143)
    signal.signal(signal.SIGTERM, save)
    print("ready", file=sys.stderr, flush=True)
    time.sleep(60)
if what == "dies":
    import os
    os.kill(os.getpid(), signal.SIGKILL)
if what == "leaves":
    pathlib.Path(path).write_text("done")
"""


@pytest.fixture(autouse=True)
def child(monkeypatch):
    """A small program in place of bench."""
    monkeypatch.setattr(making, "ENTRY", (sys.executable, "-S", "-c", CHILD))


def run_of(tmp_path, what: str, name: str = "", **more) -> Run:
    name = name or what
    return Run(name, (what, str(tmp_path / name)), tmp_path, (name,), **more)


def made(runs, make: str = "missing") -> tuple[dict, list[list[str]]]:
    """The outcomes, and which runs there were outcomes of after each."""
    seen, last = [], {}

    def note(outcomes):
        seen.append([*outcomes])
        last.update(outcomes)

    make_runs(runs, make, note)
    return last, seen


def test_a_command_which_fails_is_told_by_its_last_sentence_and_stops_no_other(tmp_path):
    runs = [run_of(tmp_path, "fails"), run_of(tmp_path, "leaves")]
    outcomes, seen = made(runs)
    assert outcomes["fails"].status == "failed"
    assert outcomes["fails"].note == "there is no such thing; name another"
    assert outcomes["leaves"].status == "made"
    assert seen == [["fails"], ["fails", "leaves"]]


def test_what_reads_a_failed_run_is_not_given(tmp_path):
    reading = run_of(tmp_path, "leaves", after=("fails",))
    outcomes, _ = made([run_of(tmp_path, "fails"), reading])
    assert outcomes["leaves"].status == "missing"
    assert outcomes["leaves"].note == "it needs fails, which failed"
    assert not (tmp_path / "leaves").exists()


def test_pictures_of_trainings_whose_weights_are_gone_are_not_tried(tmp_path):
    outcomes, _ = made([run_of(tmp_path, "leaves", needs=(str(tmp_path / "weights"),))])
    assert outcomes["leaves"].status == "missing"
    assert "weights, which is not there; make=all makes it" in outcomes["leaves"].note


def test_a_command_which_leaves_nothing_failed(tmp_path):
    outcomes, _ = made([run_of(tmp_path, "nothing")])
    assert outcomes["nothing"].status == "failed"
    assert outcomes["nothing"].note == "the command left no nothing"


def test_a_killed_command_is_told_by_its_signal(tmp_path):
    outcomes, _ = made([run_of(tmp_path, "dies")])
    assert outcomes["dies"].note == "killed by SIGKILL"


@pytest.mark.parametrize(
    ("make", "trains", "other", "status", "content"),
    [
        ("missing", False, False, "made", "done"),  # ends within seconds where all is there
        ("missing", True, False, "found", "before"),
        ("missing", False, True, "found", "before"),
        ("all", True, True, "made", "done"),
    ],
)
def test_what_is_there_is_found_if_it_took_hours_or_another_command(
    tmp_path, make, trains, other, status, content
):
    (tmp_path / "leaves").write_text("before")
    if other:
        write_lines(tmp_path / "page.md", "Made with `bench leaves another`.")
    run = run_of(tmp_path, "leaves", trains=trains, page="page.md")
    outcomes, _ = made([run], make)
    assert outcomes["leaves"].status == status
    assert (tmp_path / "leaves").read_text() == content


def interrupted(monkeypatch, times: int = 1) -> None:
    """Let a signal come as soon as the child is ready."""
    listen, left = making._listen, [times]

    def listening(process, last):
        if left[0]:
            left[0] -= 1
            if left[0] == times - 1:
                assert process.stderr.readline() == "ready\n"
            raise KeyboardInterrupt
        listen(process, last)

    monkeypatch.setattr(making, "_listen", listening)


def test_a_signal_reaches_the_command_which_is_waited_for_and_then_ends_all(tmp_path, monkeypatch):
    interrupted(monkeypatch)
    seen = {}
    runs = [run_of(tmp_path, "waits"), run_of(tmp_path, "leaves")]
    with pytest.raises(KeyboardInterrupt):
        make_runs(runs, "missing", seen.update)
    assert (tmp_path / "waits").read_text() == "saved"
    assert {name: outcome.status for name, outcome in seen.items()} == {"waits": "stopped"}
    assert "goes on from there" in seen["waits"].note
    assert not (tmp_path / "leaves").exists()


def test_at_the_second_signal_the_command_is_killed(tmp_path, monkeypatch):
    interrupted(monkeypatch, times=2)
    with pytest.raises(KeyboardInterrupt):
        call(["waits", str(tmp_path / "waits")])


def test_a_command_does_not_take_over_that_errors_reach_the_one_which_gives_it(monkeypatch):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    code = "import os, sys; sys.exit('HYDRA_FULL_ERROR' in os.environ)"
    monkeypatch.setattr(making, "ENTRY", (sys.executable, "-S", "-c", code))
    assert call([])[0] == 0
