"""Processes which share the work of a command: when they start, what is said, when they end."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from benchmark.environment import helpers as module
from benchmark.environment.helpers import PLACE, helpers, place_of_helper


@pytest.fixture
def said(monkeypatch) -> list[str]:
    monkeypatch.setattr(module, "DELAY", 0.0)
    monkeypatch.setattr(module, "PAUSE", 0.02)
    return []


@pytest.fixture
def started(monkeypatch) -> list[str]:
    """The places of those that are started: each is a process which waits for its end."""
    places = []

    def start(words, place, log):
        waits = "import time; print(flush=True); time.sleep(60)"
        process = subprocess.Popen([sys.executable, "-c", waits], stdout=subprocess.PIPE)
        process.stdout.read(1)  # a signal while Python starts would be no signal to the script
        places.append(place)
        return process

    monkeypatch.setattr(module, "_start", start)
    return places


def until(condition) -> None:
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < 60
        time.sleep(0.01)


def test_each_has_a_place_and_all_end_with_the_block(said, started):
    me = psutil.Process()
    before = set(me.children())
    with helpers([], 2, said.append):
        until(lambda: len(started) == 2)
    assert started == [f"2/3 {os.getpid()}", f"3/3 {os.getpid()}"]
    assert set(me.children()) == before and not said


def test_what_is_done_at_once_starts_none(said, started, monkeypatch):
    monkeypatch.setattr(module, "DELAY", 60.0)
    begin = time.monotonic()
    with helpers([], 2, said.append):
        pass
    assert not started and time.monotonic() - begin < 30


def test_an_exception_of_the_block_ends_them_too(said, started):
    me = psutil.Process()
    before = set(me.children())
    with pytest.raises(KeyError), helpers([], 1, said.append):
        until(lambda: started)
        raise KeyError
    assert set(me.children()) == before


def test_a_mistake_of_one_is_said_in_its_words(said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")  # as `bench` does for itself
    with helpers(["run", "model=nosuch"], 1, said.append):
        until(lambda: said)
    (sentence,) = said
    assert sentence.startswith("a process that shares the work ended: unknown denoiser 'nosuch'")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_which_was_told_to_end_with_all_others_is_not_spoken_of(said, started, number):
    me = psutil.Process()
    before = set(me.children())
    with helpers([], 2, said.append):
        until(lambda: len(started) == 2)
        one, other = set(me.children()) - before
        one.send_signal(number)
        until(lambda: not one.is_running())
        other.kill()
        until(lambda: said)
    assert said == ["a process that shares the work ended: status -9"]


def test_what_cannot_be_started_is_said_and_the_block_goes_on(said, monkeypatch):
    def start(*_):
        raise OSError("too many processes")

    monkeypatch.setattr(module, "_start", start)
    with helpers([], 3, said.append):
        until(lambda: said)
    assert said == ["no further process shares the work: too many processes"]


def test_a_folder_named_as_a_package_is_not_imported(said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place])
    (tmp_path / "benchmark").mkdir()
    (tmp_path / "benchmark/__init__.py").write_text("raise ImportError('of the folder')")
    with helpers(["run", "model=nosuch"], 1, said.append):
        until(lambda: said)
    assert "nosuch" in said[0]


def test_only_a_helper_has_a_place(monkeypatch):
    monkeypatch.delenv(PLACE, raising=False)
    assert place_of_helper() is None
    monkeypatch.setattr(module, "end_with", lambda parent: None)
    monkeypatch.setenv(PLACE, "2/4 17")
    assert place_of_helper() == "2/4"


def test_a_helper_ends_once_the_one_that_it_helps_is_gone(tmp_path):
    code = "import os, subprocess, sys; from benchmark.environment.helpers import PLACE; "
    helper = "import time; from benchmark.environment.helpers import place_of_helper as p; "
    helper += "assert p() == '2/2'; print('up', flush=True); time.sleep(600)"
    code += "own = {**os.environ, PLACE: f'2/2 {os.getpid()}'}; "
    code += f"one = subprocess.Popen([sys.executable, '-c', {helper!r}], env=own, "
    code += "stdout=subprocess.PIPE); one.stdout.readline(); print(one.pid)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    until(lambda: not psutil.pid_exists(int(done.stdout)))


def test_a_process_ends_with_another_which_has_not_started_it(tmp_path):
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    script = (
        "import sys, time; from benchmark.environment.helpers import end_with;"
        "end_with(int(sys.argv[1])); print(flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(other.pid)], stdout=subprocess.PIPE
    ) as watching:
        watching.stdout.read(1)
        assert watching.poll() is None
        other.kill()
        other.wait()
        assert watching.wait(60) == 1
