"""The folder of a test file's own ``bench run``, made once for all of its tests; no figures."""

import shutil
from pathlib import Path

import pytest
from command_results import bench_in
from drawing import leave_undrawn


@pytest.fixture(scope="module")
def folder_of_results(request, tmp_path_factory) -> Path:
    """The folder which ``RUN`` of the test file writes: words of ``bench``, ``out=out`` in them."""
    place = tmp_path_factory.mktemp("results")
    bench_in(place, *request.module.RUN)
    return place / "out"


@pytest.fixture
def finished(folder_of_results, bench, tmp_path) -> Path:
    """A copy of it, as ``out`` of the folder in which ``bench`` is called."""
    return shutil.copytree(folder_of_results, tmp_path / "out")


@pytest.fixture
def undrawn(monkeypatch) -> list[str]:
    """Figures are not drawn; the names of those to be drawn."""
    return leave_undrawn(monkeypatch)
