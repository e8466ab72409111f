"""What several test files need: a small image, real data where there is some, and the command."""

import gc
import os
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmark import cli
from benchmark.cli.command import COMMANDS, all_commands
from benchmark.registry import load_plugins

os.environ.setdefault("GOMP_SPINCOUNT", "3000")  # as `bench` does; read when torch is loaded
# several processes of tests share the cores, and no run in one of them starts further processes
os.environ.setdefault("OMP_NUM_THREADS", "1")
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # of what a shell's script starts by &
    signal.signal(signal.SIGINT, signal.default_int_handler)
load_plugins()

Bench = Callable[..., tuple[int, str, str]]


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark ``data`` whatever asks for published images, and ``slow`` what is not in a sample."""
    cases = Counter()
    for item in items:
        if "data_root" in getattr(item, "fixturenames", ()):
            item.add_marker("data")
        if sampled := item.get_closest_marker("sampled"):
            function = item.nodeid.partition("[")[0]
            if cases[function] % sampled.kwargs["every"]:
                item.add_marker("slow")
            cases[function] += 1


def pytest_collection_finish() -> None:
    """What was imported and collected is not searched for garbage: a third of some tests' time."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what is marked ``gpu`` where there is none."""
    import torch

    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a GPU with CUDA")


@pytest.fixture
def ramp() -> np.ndarray:
    """A 13x21 colour ramp; its sides share no factor with any window."""
    rows, columns = np.linspace(0.1, 0.9, 13), np.linspace(0.2, 0.8, 21)
    red = np.broadcast_to(rows[:, None], (13, 21))
    green = np.broadcast_to(columns, (13, 21))
    return np.stack([red, green, (red + green) / 2], axis=-1).astype(np.float32)


@pytest.fixture
def data_root() -> Path:
    """The folder ``NOISEBENCH_DATA``, or a skip which says that it is missing."""
    root = os.environ.get("NOISEBENCH_DATA")
    if not root or not Path(root).is_dir():
        pytest.skip("needs NOISEBENCH_DATA, a folder with kodak24/, cbsd68/ and mcmaster/")
    return Path(root)


@pytest.fixture
def bench(tmp_path, monkeypatch, capsys) -> Bench:
    """Call ``bench`` in an empty folder, in this process: exit status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bench", *arguments])
        monkeypatch.setenv("HYDRA_FULL_ERROR", "0")
        status = 0
        try:
            cli.main()
        except SystemExit as stopped:
            status = stopped.code
        return status, *capsys.readouterr()

    return call


@pytest.fixture
def called(monkeypatch) -> Callable[..., list[tuple]]:
    """Let a command do something else, or nothing; a list of what its function is given."""

    def instead(name: str, function: Callable[..., object] = lambda *_: None) -> list[tuple]:
        given: list[tuple] = []

        def noting(*arguments: object) -> None:
            given.append(arguments)
            function(*arguments)

        monkeypatch.setitem(COMMANDS, name, replace(all_commands()[name], function=noting))
        return given

    return instead
