"""``bench show`` draws stored cells, and makes the whole pictures which are not there, once."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmark.cells import Cell, ResultStore, pictures
from benchmark.pixels import psnr
from benchmark.reporting.figures import saving
from benchmark.scoring import grid as scoring

RUN = ["run", "model=[tv,wavelet]", "noise=gaussian", "noise.gaussian.levels=[10,50]"]
RUN += ["data.photos.limit=2", "data.photos.crop=48", "picture_size=32", "out=out"]
SHOW = ["show", "out", "model=[wavelet,tv]", "noise=gaussian"]


@pytest.fixture(scope="module")
def folder_of_results(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("finished")


@pytest.fixture
def finished(folder_of_results, bench, tmp_path, monkeypatch) -> Path:
    """A folder of two models, a reference and two levels, with crops of the first image."""
    if not (folder_of_results / "cells").is_dir():
        with monkeypatch.context() as patch:
            patch.setattr("benchmark.cli.output.publish", lambda *_: None)
            assert bench(*RUN)[0] == 0
        shutil.copytree(tmp_path / "out", folder_of_results, dirs_exist_ok=True)
    return shutil.copytree(folder_of_results, tmp_path / "out", dirs_exist_ok=True)


@pytest.fixture
def shown(monkeypatch) -> list[tuple]:
    """What is to be drawn, which is not."""
    found: list[tuple] = []

    def noted(stem, formats, draw, *what, **more):
        found.append((stem, *what, more))
        return [stem.with_suffix(f".{word}") for word in formats]

    monkeypatch.setattr(saving, "save_figure", noted)
    return found


@pytest.fixture
def denoised(monkeypatch) -> list[str]:
    """The models that restore anything."""
    evaluate, made = scoring.evaluate, []

    def noted(cell, *arguments):
        made.append(cell.model)
        return evaluate(cell, *arguments)

    monkeypatch.setattr(scoring, "evaluate", noted)
    return made


def test_whole_pictures_are_made_once_and_those_of_the_run_stay(bench, finished, shown, denoised):
    before = {path: path.read_bytes() for path in finished.rglob("*.png")}
    status, said, _ = bench(*SHOW, "image=astronaut")
    assert (
        status == 0
        and "Image astronaut of photos (crop=48, limit=2) under gaussian 50, seed 0." in said
    )
    assert denoised == ["wavelet", "tv"]
    assert bench(*SHOW, "image=astronaut", "crops=[3:4:16]")[0] == 0
    assert denoised == ["wavelet", "tv"]
    assert {path: path.read_bytes() for path in before} == before
    first, second = shown
    for one, two in zip(first[1][0].pictures, second[1][0].pictures, strict=True):
        assert one.pixels.shape == (48, 48, 3)
        assert np.array_equal(one.pixels, two.pixels)
    assert first[2] == ["noisy", "wavelet", "tv", "clean"]
    assert second[3] == [(4, 3, 16, 16)]


def test_whole_pictures_which_a_run_has_kept_are_used(
    bench, finished, shown, denoised, monkeypatch
):
    monkeypatch.setattr("benchmark.cli.output.publish", lambda *_: None)
    assert bench(*RUN, "picture_size=null")[0] == 0
    denoised.clear()
    assert bench(*SHOW, "image=astronaut")[0] == 0
    assert denoised == []
    assert not list(finished.rglob("whole"))


def test_the_pictures_are_those_that_were_scored(bench, finished, shown):
    assert bench(*SHOW, "level=10", "labels=[tv: Total variation]", "metric=psnr")[0] == 0
    ((stem, (row,), columns, *_),) = shown
    image = stem.name.removeprefix("comparison_photos_")
    assert columns == ["noisy", "wavelet", "Total variation", "clean"]
    border = ResultStore("out").scores().border["photos"]["psnr"]
    for picture in row.pictures[:-1]:
        assert picture.scores == [f"{psnr(picture.pixels, row.pictures[-1].pixels, border):.2f}"]
    rows = ResultStore("out").scores().rows.query("level == 10").set_index(["image", "model"])
    gaps = {
        i: abs(rows["psnr"][i, "tv"] - rows["psnr"][i, "wavelet"]) for i in rows.index.levels[0]
    }
    assert image == max(gaps, key=gaps.get)


def test_a_picture_of_other_pixels_than_were_scored_is_refused(bench, finished, shown):
    for path in finished.glob("cells/*/*/*.json"):
        path.write_text(re.sub('"noisy": "[0-9a-f]{16}"', '"noisy": "other"', path.read_text()))
    status, _, said = bench(*SHOW, "image=astronaut")
    assert status == 2 and "the noisy pixels of image astronaut are not those" in said


def test_damaged_whole_pictures_are_made_again(bench, finished, shown, denoised):
    assert bench(*SHOW, "image=astronaut")[0] == 0
    cell = Cell("tv", "photos", "gaussian", 50.0, 0)
    path = ResultStore("out").pictures(cell, "astronaut") / pictures.WHOLE / "tv.png"
    before = path.read_bytes()
    path.write_bytes(before[:-20])
    assert bench(*SHOW, "image=astronaut")[0] == 0
    assert denoised == ["wavelet", "tv", "tv"] and path.read_bytes() == before


def test_below_a_picture_stand_the_metrics_which_were_scored(bench, finished, shown):
    for path in finished.glob("cells/**/*.json"):
        record = json.loads(path.read_text())
        for row in record["images"]:
            del row["psnr"]
        path.write_text(json.dumps(record))
    status, said, _ = bench(*SHOW, "formats=[tex]")
    assert status == 0 and "Below each picture stands its SSIM, as in the tables" in said
    status, _, said = bench(*SHOW, "metric=[psnr,ssim]", "formats=[tex]")
    assert status == 2 and "no scores of metric 'psnr'" in said


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["protocol=kair"], "no finished cells under out by protocol kair"),
        (["image=moon"], "no scores of image moon"),
        (["crops=[40:0:16]"], "is not inside the image, which has 48x48"),
        (["crops=[40]"], "no X:Y:SIDE"),
        (["formats=[svg]"], "formats has svg"),
        (["model=[masked]"], "no scores of model 'masked'"),
        (["insets=left"], "insets=left is unknown"),
    ],
)
def test_what_cannot_be_shown_is_a_sentence(bench, finished, shown, words, says):
    status, _, said = bench("show", "out", "noise=gaussian", *words)
    assert status == 2 and says in said


def test_an_empty_folder_is_a_sentence(bench):
    assert "fill it with: bench run" in bench("show", "out=nowhere")[2]


@pytest.mark.slow
def test_the_figure_is_there_in_every_format_and_the_same_again(bench, finished):
    assert bench(*SHOW, "to=paper")[0] == 0
    files = {path.name: path.read_bytes() for path in Path("paper").iterdir()}
    assert {name.rpartition(".")[2] for name in files} == {"pdf", "png", "tex"}
    shutil.rmtree("paper")
    assert bench(*SHOW, "to=paper")[0] == 0
    assert {path.name: path.read_bytes() for path in Path("paper").iterdir()} == files


def test_a_figure_of_somebody_else_is_not_replaced(bench, finished, shown):
    Path("paper").mkdir()
    Path("paper/comparison_photos_astronaut.tex").write_text("mine\n")
    status, _, said = bench(*SHOW, "image=astronaut", "to=paper")
    assert status == 2 and not shown
    assert "comparison_photos_astronaut.tex was not written by bench, and would be replaced" in said
