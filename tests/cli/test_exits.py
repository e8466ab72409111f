"""Exit statuses: what a shell or a queue is told when a command is interrupted or not read."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.cli.command import all_commands
from benchmark.console.streams import CLOSED_PIPE

ROOT = Path(__file__).parents[2]


@pytest.mark.sampled(every=5)
@pytest.mark.parametrize(
    ("command", "number", "status"),
    [(command, signal.SIGTERM, 143) for command in all_commands()]
    + [(command, signal.SIGINT, 130) for command in ("run", "train", "list")],
)
def test_an_interrupted_command_says_so_in_a_line_with_the_signals_status(
    bench, called, command, number, status
):
    before = signal.getsignal(number)
    called(command, lambda *_: os.kill(os.getpid(), number))
    found, _, err = bench(command)
    assert (found, err.count("\n")) == (status, 1)
    assert err.startswith("bench: stopped")
    assert ("the same command goes on from here" in err) == all_commands()[command].goes_on
    assert signal.getsignal(number) is before


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["list", "noise"], ["run", "--help"]])
def test_a_closed_pipe_is_no_traceback(tmp_path, arguments):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "benchmark.cli", *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (CLOSED_PIPE, "")


def test_every_exit_status_is_listed_in_the_help(bench):
    _, out, _ = bench("--help")
    text = out[out.index("Exit status") :]
    assert all(status in text for status in ("0;", "1 ", "2 ", "130", "143", str(CLOSED_PIPE)))
