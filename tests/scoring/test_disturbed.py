"""What somebody changes under a run while it works is said, and no score is of something else."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawing import leave_undrawn

from benchmark.cells import Cell, pictures

NAMES = "abcdefgh"  # a few are read ahead
LAST = "images/h.png"
RUN = ("run", "model=identity", "noise=gaussian", "noise.gaussian.levels=[25,50]", "metric=psnr")
OF_FOLDER = ("data=folder", "data.folder.path=images")


@pytest.fixture(autouse=True)
def undrawn(monkeypatch) -> None:
    leave_undrawn(monkeypatch)


@pytest.fixture
def images(tmp_path) -> Path:
    (tmp_path / "images").mkdir()
    for seed, name in enumerate(NAMES):
        write(tmp_path / f"images/{name}.png", seed)
    return tmp_path / "images"


def write(path: Path, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    cv2.imwrite(str(path), pixels)


def disturb(monkeypatch, number: int, disturbance: Callable[[Path], object], folder: Path) -> None:
    """Do something to the folder once, when a run keeps the pictures of so many cells."""
    keep, kept = pictures.keep, []

    def disturbed(*arguments: object) -> None:
        keep(*arguments)
        kept.append(arguments)
        if len(kept) == number:
            disturbance(folder)

    monkeypatch.setattr(pictures, "keep", disturbed)


def rewritten(folder: Path) -> None:
    content = (folder / LAST).read_bytes()
    (folder / LAST).unlink()
    (folder / LAST).write_bytes(content)


CHANGES = {
    "another image": lambda folder: write(folder / LAST, 99),
    "another image of the same age": lambda folder: (
        before := (folder / LAST).stat(),
        write(folder / "new.png", 99),
        os.replace(folder / "new.png", folder / LAST),
        os.utime(folder / LAST, ns=(before.st_atime_ns, before.st_mtime_ns)),
    ),
    "one of another name": lambda folder: shutil.copy(folder / "images/a.png", folder / LAST),
}
KEPT = {
    "touched": lambda folder: os.utime(folder / LAST, (0, 0)),
    "written again": rewritten,
}


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("change", CHANGES)
def test_an_image_that_changes_during_a_run_is_never_scored(
    bench, images, tmp_path, monkeypatch, change
):
    disturb(monkeypatch, 1, CHANGES[change], tmp_path)
    status, _, said = bench(*RUN, *OF_FOLDER, "out=out")
    assert status == 2
    assert "h.png was changed while this was running" in said
    assert not list((tmp_path / "out/cells").rglob("*.json"))
    assert bench(*RUN, *OF_FOLDER, "out=out")[0] == 0


@pytest.mark.slow
@pytest.mark.parametrize("change", KEPT)
def test_an_image_with_the_same_content_is_the_same(bench, images, tmp_path, monkeypatch, change):
    disturb(monkeypatch, 1, KEPT[change], tmp_path)
    assert bench(*RUN, *OF_FOLDER, "out=out")[0] == 0


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("gone", ["out", "out/cells", "out/cells/identity/folder"])
def test_cells_that_vanish_during_a_run_are_said_and_made_again(
    bench, images, tmp_path, monkeypatch, gone
):
    disturb(monkeypatch, 2, lambda folder: shutil.rmtree(folder / gone), tmp_path)
    status, _, said = bench(*RUN, *OF_FOLDER, "out=out")
    assert status == 2
    assert "1 of 2 cells are not there any more" in said
    assert "gaussian 25" in said
    assert bench(*RUN, *OF_FOLDER, "out=out")[0] == 0


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("command", [RUN, ("noise", "gaussian(25)")])
@pytest.mark.parametrize("out", ["images", "./images/", "link"])
def test_results_are_not_put_among_the_images(bench, images, tmp_path, command, out):
    (tmp_path / "link").symlink_to("images")
    before = sorted(images.iterdir())
    status, _, said = bench(*command, *OF_FOLDER, f"out={out}")
    assert status == 2
    assert "is the folder of dataset 'folder'" in said
    assert sorted(images.iterdir()) == before


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("place", ["cells", "cells/identity", "cells/identity/folder"])
def test_a_file_where_cells_have_to_be_is_a_sentence(bench, images, tmp_path, place):
    (tmp_path / "out" / place).parent.mkdir(parents=True)
    (tmp_path / "out" / place).write_text("mine")
    status, _, said = bench(*RUN, *OF_FOLDER, "out=out")
    assert status == 2
    assert "a file stands where a folder has to be" in said
    assert (tmp_path / "out" / place).read_text() == "mine"


def test_levels_that_differ_never_share_a_file():
    levels = [25.0, 25.000000000000004, 24.999999999999996, 0.1, 0.3, 0.30000000000000004, 1e300]
    cells = {Cell("identity", "photos", "gaussian", level, 0) for level in levels}
    assert len({cell.path for cell in cells}) == len(levels)
    assert Cell("identity", "photos", "gaussian", 25.0, 0).path.name == "gaussian-25-0.json"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "variant"),
    [("metric.psnr.border=3", "+metric.NAME"), ("data.folder.crop=8", "+data.NAME")],
)
def test_a_refusal_names_the_variant_to_make(bench, images, setting, variant):
    assert bench(*RUN, *OF_FOLDER, "out=out")[0] == 0
    status, _, said = bench(*RUN, *OF_FOLDER, "out=out", setting)
    assert status == 2
    assert [word for word in said.split("'") if word.startswith("+")] == [f"{variant}={{of: ...}}"]
