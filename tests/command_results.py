"""What tests of whole commands share: a small run, the process of a command, results as written."""

import csv
import os
import subprocess
import sys
import warnings
from contextlib import redirect_stderr, suppress
from io import StringIO
from pathlib import Path

import pytest

from benchmark import cli

ROOT = Path(__file__).parents[1]
SMALL = ["data.photos.limit=1", "data.photos.crop=64"]
ENTRY = [sys.executable, "-m", "benchmark.cli"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}


def bench_process(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*ENTRY, *arguments], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True
    )


def bench_in(folder: Path, *arguments: str) -> str:
    """Call ``bench`` in this process, where a fixture of several tests does; what it complains of.

    Raises
    ------
    SystemExit
        If it fails.
    """
    with pytest.MonkeyPatch.context() as patch, redirect_stderr(StringIO()) as said:
        patch.chdir(folder)
        patch.setenv("COLUMNS", "120")
        patch.setattr(warnings, "showwarning", warnings.showwarning)
        patch.setattr(sys, "argv", ["bench", *arguments])
        cli.main()
    return said.getvalue()


def without_seconds(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0][-1] == "seconds"
    return [line[:-1] for line in lines]


def cells(out: Path) -> dict[str, int]:
    """Every finished cell, and when it was written."""
    found = sorted((out / "cells").rglob("*.json"))
    return {path.relative_to(out).as_posix(): path.stat().st_mtime_ns for path in found}


def finished(out: Path) -> int:
    """How many images are scored, in whole cells and in half ones."""
    whole = sum(path.read_text().count('"seconds"') for path in out.rglob("cells/*/*/*.json"))
    for path in out.rglob("*.part"):
        with suppress(FileNotFoundError):  # finished since it was listed
            whole += path.read_text().count('"seconds"')
    return whole
