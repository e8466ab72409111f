"""A results folder that a test file's own ``bench run`` made, once for all of its tests."""

import shutil
import sys
import warnings
from pathlib import Path

import pytest

from benchmark import cli


@pytest.fixture(scope="module")
def folder_of_results(request, tmp_path_factory) -> Path:
    """The folder which ``RUN`` of the test file writes: words of ``bench``, ``out=out`` in them."""
    place = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("COLUMNS", "120")
        patch.setattr(warnings, "showwarning", warnings.showwarning)
        patch.setattr(sys, "argv", ["bench", *request.module.RUN])
        cli.main()
    return place / "out"


@pytest.fixture
def finished(folder_of_results, bench, tmp_path) -> Path:
    """A copy of it, as ``out`` of the folder in which ``bench`` is called."""
    return shutil.copytree(folder_of_results, tmp_path / "out")
