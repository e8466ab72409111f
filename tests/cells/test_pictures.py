"""Pictures of scored images: where they are, what they show, and the scenes that are read."""

import json

import numpy as np
import pytest
from PIL import Image

from benchmark.cells import Cell, ResultStore, pictures
from benchmark.pixels import NOTE, png_bytes
from benchmark.scoring.evaluate import Evaluated

CELLS = [Cell(model, "toy", "a>>b", 25.0, 0) for model in ("mine", "yours")]
IMAGES = ["one", "sub/two"]
SETTINGS = {
    **{"model": {"of": "identity"}, "noise": {"of": "gaussian"}, "dataset": {"of": "photos"}},
    **{"metrics": {"psnr": {"of": "psnr"}}, "protocol": {"noisy": "clipped, 8 bits"}},
}


@pytest.fixture
def store(tmp_path) -> ResultStore:
    """Two cells of two images, without pictures."""
    rows = [{"image": image, "psnr": 30.0, "seconds": 0.5} for image in IMAGES]
    for cell in CELLS:
        labels = {"higher_is_better": {"psnr": True}}
        ResultStore(tmp_path).write(cell, rows, SETTINGS, labels=labels)
    return ResultStore(tmp_path)


def done(seed: int = 0, height: int = 20, width: int = 31) -> Evaluated:
    """Random pixels in three pictures of an image."""
    rng = np.random.default_rng(seed)
    return Evaluated({}, *rng.integers(0, 256, (3, height, width, 3), np.uint8))


def keep(store: ResultStore, cell: Cell, image: str, of: Evaluated, side: int | None) -> None:
    pictures.keep(store.pictures(cell, image), cell.model, of, side)


def test_a_scene_has_the_pictures_of_an_image_and_says_what_they_show_of_it(store):
    of = done()
    for cell in CELLS:
        keep(store, cell, "sub/two", of, 8)
    (scene,) = pictures.scenes(store)
    assert (scene.dataset, scene.noise, scene.level, scene.seed) == ("toy", "a>>b", 25.0, 0)
    assert (scene.image, scene.size, scene.box) == ("sub/two", (20, 31), (6, 11, 8, 8))
    assert list(scene.paths) == ["clean", "noisy", "mine", "yours"]
    assert np.array_equal(scene.read("mine"), of.restored[6:14, 11:19])
    assert np.array_equal(scene.read("clean"), of.clean[6:14, 11:19])


def test_scenes_come_in_the_order_of_the_images_and_only_of_wanted_cells(store):
    for image in reversed(IMAGES):
        keep(store, CELLS[0], image, done(), None)
    assert [scene.image for scene in pictures.scenes(store)] == IMAGES
    assert [*pictures.scenes(store, lambda cell: cell.model == "yours")][0].paths.keys() == {
        "clean",
        "noisy",
    }
    assert not [*pictures.scenes(store, lambda cell: cell.level == 50)]


def test_an_image_is_kept_whole_where_no_side_is_given_or_it_is_smaller(store):
    keep(store, CELLS[0], "one", done(), None)
    keep(store, CELLS[0], "sub/two", done(), 25)
    first, second = pictures.scenes(store)
    assert first.box == (0, 0, 20, 31)
    assert second.box == (0, 3, 20, 25)


def test_larger_pictures_stay_and_those_of_other_models_become_as_large(store):
    keep(store, CELLS[0], "one", done(), None)
    keep(store, CELLS[1], "one", done(), 8)
    (scene,) = pictures.scenes(store)
    assert scene.box == (0, 0, 20, 31)
    assert list(scene.paths) == ["clean", "noisy", "mine", "yours"]


def test_pictures_that_are_too_small_are_lacking_and_larger_ones_are_not(store):
    folder = store.pictures(CELLS[0], "one")
    assert pictures.is_lacking(folder, "mine", 8)
    keep(store, CELLS[0], "one", done(), 8)
    assert not pictures.is_lacking(folder, "mine", 8)
    assert not pictures.is_lacking(folder, "mine", 4)
    assert pictures.is_lacking(folder, "mine", 9)
    assert pictures.is_lacking(folder, "mine", None)
    assert pictures.is_lacking(folder, "yours", 8)


def test_a_model_whose_picture_shows_another_part_is_left_out(store):
    for cell, side in zip(CELLS, (8, None), strict=True):
        keep(store, cell, "one", done(), side)
    (scene,) = pictures.scenes(store)
    assert list(scene.paths) == ["clean", "noisy", "yours"]


def test_what_is_there_with_the_same_pixels_is_not_written_again(store, monkeypatch):
    keep(store, CELLS[0], "one", done(), 8)
    monkeypatch.setattr(pictures, "write_whole", None)
    keep(store, CELLS[0], "one", done(), 8)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "no JSON",
        "[]",
        '{"size": [20, 31]}',
        '{"size": [20, 31], "box": [6, 11, 8, 9]}',
        '{"size": [10, 31], "box": [6, 11, 8, 8]}',
        '{"size": ["a", 31], "box": [6, 11, 8, 8]}',
    ],
)
def test_a_clean_picture_with_another_note_makes_no_scene(store, note):
    keep(store, CELLS[0], "one", done(), 8)
    path = store.pictures(CELLS[0], "one") / "clean.png"
    with Image.open(path) as image:
        pixels, own = np.asarray(image), image.info[NOTE]
    path.write_bytes(png_bytes(pixels, own))
    assert [*pictures.scenes(store)]
    path.write_bytes(png_bytes(pixels, note))
    assert not [*pictures.scenes(store)]


def test_the_clean_picture_says_of_what_size_the_image_is(store):
    keep(store, CELLS[0], "one", done(), 8)
    with Image.open(store.pictures(CELLS[0], "one") / "clean.png") as image:
        assert json.loads(image.info[NOTE]) == {"size": [20, 31], "box": [6, 11, 8, 8]}
