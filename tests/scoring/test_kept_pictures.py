"""Which pictures a run keeps: the images, their size, and what is made of a finished folder."""

import shutil
from pathlib import Path

import pytest

from benchmark.cells import ResultStore
from benchmark.cells.pictures import scenes
from benchmark.scoring import grid as scoring
from benchmark.scoring.pictures import Kept

RUN = ["run", "model=[tv,wavelet]", "noise=gaussian", "noise.gaussian.levels=[10,50]"]
RUN += ["metric=psnr", "data.photos.limit=4", "data.photos.crop=48", "out=out"]
IMAGES = ["astronaut", "chelsea", "coffee", "motorcycle_left"]


@pytest.fixture(autouse=True)
def unpublished(monkeypatch) -> None:
    """No report is written."""
    monkeypatch.setattr("benchmark.cli.output.publish", lambda *_: None)


@pytest.fixture(scope="module")
def folder_without(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("finished")


@pytest.fixture
def finished(folder_without, bench, tmp_path) -> Path:
    """A folder of two models, a reference and two levels, without pictures."""
    if not (folder_without / "cells").is_dir():
        assert bench(*RUN, "pictures=none")[0] == 0
        shutil.copytree(tmp_path / "out", folder_without, dirs_exist_ok=True)
    return shutil.copytree(folder_without, tmp_path / "out", dirs_exist_ok=True)


@pytest.fixture
def denoised(monkeypatch) -> list[tuple[str, float, str]]:
    """Nothing can be scored; the model, level and image of each picture that is made."""
    evaluate, made = scoring.evaluate, []

    def noted(cell, model, dataset, noise, metrics, images, *how):
        assert not metrics
        made.extend((cell.model, cell.level, image) for image in images)
        return evaluate(cell, model, dataset, noise, metrics, images, *how)

    monkeypatch.setattr(scoring, "evaluate", noted)
    return made


def kept(folder: Path = Path("out")) -> dict[float, list[str]]:
    """By level the images with a scene, each of which has a picture of every model."""
    found: dict[float, list[str]] = {}
    for scene in scenes(ResultStore(folder)):
        assert set(scene.paths) == {"clean", "noisy", "identity", "tv", "wavelet"}
        found.setdefault(scene.level, []).append(scene.image)
    return found


def worst(folder: Path, count: int) -> dict[float, list[str]]:
    rows = ResultStore(folder).scores().rows
    means = rows[rows["model"] != "identity"].groupby(["level", "image"])["psnr"].mean()
    return {level: list(means[level].nsmallest(count).index) for level in (10.0, 50.0)}


def test_none_are_kept_where_none_are_wanted(finished):
    assert not (finished / "pictures").exists()


def test_the_first_image_has_its_picture_in_the_middle(finished, bench, denoised):
    assert bench(*RUN, "picture_size=32")[0] == 0
    assert kept() == {10.0: ["astronaut"], 50.0: ["astronaut"]}
    assert {scene.box for scene in scenes(ResultStore("out"))} == {(8, 8, 32, 32)}


def test_the_worst_images_are_those_of_the_runs_models_on_the_mean(finished, bench, denoised):
    assert bench(*RUN, "pictures=worst:2")[0] == 0
    expected = {level: {"astronaut", *images} for level, images in worst(finished, 2).items()}
    assert {level: set(images) for level, images in kept().items()} == expected
    assert len(denoised) == 3 * sum(map(len, expected.values()))


@pytest.mark.slow
def test_a_choice_which_grew_makes_the_further_pictures_alone(finished, bench, denoised):
    assert bench(*RUN)[0] == 0
    before = len(denoised)
    assert bench(*RUN, "pictures=all")[0] == 0
    assert kept() == dict.fromkeys([10.0, 50.0], IMAGES)
    assert {image for _, _, image in denoised[before:]} == {*IMAGES} - {"astronaut"}
    before = len(denoised)
    for choice in ("all", "first", "none", "worst:3"):
        assert bench(*RUN, f"pictures={choice}")[0] == 0
    assert len(denoised) == before


@pytest.mark.slow
def test_pictures_made_again_are_those_which_are_kept_while_scoring(finished, bench):
    assert bench(*RUN, "pictures=all")[0] == 0
    assert bench(*RUN, "pictures=all", "out=new")[0] == 0
    again, new = (
        {path.relative_to(out): path.read_bytes() for path in out.rglob("*.png")}
        for out in (Path("out"), Path("new"))
    )
    assert len(again) == 2 * 4 * 5 and again == new


@pytest.mark.slow
def test_pictures_of_older_versions_count_as_missing(finished, bench, denoised):
    old = finished / "pictures/photos/gaussian-10-0"
    old.mkdir(parents=True)
    for name in ("clean", "noisy", "tv"):
        (old / f"{name}.png").write_bytes(b"old")
    assert kept() == {}
    assert bench(*RUN)[0] == 0
    assert kept() == {10.0: ["astronaut"], 50.0: ["astronaut"]}


@pytest.mark.slow
def test_cells_of_older_versions_without_pictures_get_only_those_asked_for(
    finished, bench, denoised
):
    for path in finished.glob("cells/*/*/*.json"):
        path.write_text(path.read_text().replace('"picture"', '"was"'))
    assert bench(*RUN)[0] == 0
    assert kept() == {} and denoised == []
    assert bench(*RUN, "pictures=all")[0] == 0
    assert kept() == dict.fromkeys([10.0, 50.0], IMAGES)


@pytest.mark.slow
def test_the_worst_wait_until_all_models_are_scored(finished, bench):
    shutil.rmtree(finished / "cells/tv")
    assert bench(*RUN, "pictures=worst:1", "shard=2/6")[0] == 0  # wavelet alone
    names = {path.parent.name for path in Path("out").rglob("wavelet.png")}
    assert names == {"astronaut"}
    assert bench(*RUN, "pictures=worst:1")[0] == 0
    found = {level: {"astronaut", *images} for level, images in worst(finished, 1).items()}
    assert {level: set(images) for level, images in kept().items()} == found


@pytest.mark.sampled(every=6)
@pytest.mark.parametrize("word", ["last", "worst", "worst:0", "worst:x", "worst:-1", ""])
def test_an_unknown_choice_is_a_sentence_before_anything_is_scored(bench, word):
    status, _, said = bench(*RUN, f"pictures={word}")
    assert status == 2 and "worst:4" in said
    assert not Path("out").exists()


def test_a_side_is_one_pixel_or_more(bench):
    status, _, said = bench(*RUN, "picture_size=0")
    assert status == 2 and "picture_size must be 1 or more" in said


def test_what_is_kept_while_scoring_is_known_before_the_scores():
    assert Kept.of("first").at_once(IMAGES) == IMAGES[:1]
    assert Kept.of("worst:2").at_once(IMAGES) == IMAGES[:1]
    assert Kept.of("all").at_once(IMAGES) == IMAGES
    assert list(Kept.of("none").at_once(IMAGES)) == []


@pytest.mark.slow
def test_references_count_among_the_worst_only_where_there_is_nothing_else(finished, bench):
    assert bench("run", "model=identity", *RUN[2:], "pictures=worst:1")[0] == 0
    rows = ResultStore(finished).scores().rows
    rows = rows[rows["model"] == "identity"].set_index(["level", "image"])["psnr"]
    expected = {(level, rows[level].idxmin()) for level in (10.0, 50.0)}
    found = {(scene.level, scene.image) for scene in scenes(ResultStore("out"))}
    assert found == expected | {(10.0, "astronaut"), (50.0, "astronaut")}
