"""Training data: crops that depend on seed and step alone, and images that may be trained on."""

from dataclasses import replace
from itertools import islice

import cv2
import numpy as np
import pytest
import torch
from doubles import Darkened

from benchmark.datasets import DATASETS
from benchmark.datasets.clean import Folder
from benchmark.noise import NOISE_MODELS
from benchmark.pixels import as_grey
from benchmark.protocol import MASKED
from benchmark.training.patches import Patches, hold_out, read_training_images
from benchmark.training.recipe import Recipe

RECIPE = Recipe(batch=4, patch=16)
NOISES = {"batched": ("gaussian", 15), "one by one": ("poisson", 3.5)}
every_noise = pytest.mark.parametrize("noise", NOISES)


@pytest.fixture
def images() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, size, np.uint8) for size in ((20, 31, 3), (40, 16, 3))]


def patches_of(
    images: list[np.ndarray], noise: str = "batched", recipe: Recipe = RECIPE, **share: int
) -> Patches:
    name, level = NOISES[noise]
    return Patches(images, NOISE_MODELS[name](), level, recipe, **share)


def equal(one: tuple[torch.Tensor, ...], other: tuple[torch.Tensor, ...]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_both_ways_of_making_noise_are_tried_here(images):
    assert patches_of(images, "batched").batched
    assert not patches_of(images, "one by one").batched


@every_noise
def test_a_batch_depends_on_seed_and_step_alone(images, noise):
    first, second = patches_of(images, noise), patches_of(images, noise)
    for step in (5, 0, 3):
        second.batch(step)
    assert equal(first.batch(4), second.batch(4))
    other_seed = patches_of(images, noise, replace(RECIPE, seed=2))
    for side in (0, 1):
        assert not torch.equal(first.batch(4)[side], first.batch(5)[side])
        assert not torch.equal(first.batch(4)[side], other_seed.batch(4)[side])
        late = 10_000_000
        assert not torch.equal(first.batch(late)[side], first.batch(late + 1)[side])


@every_noise
def test_a_sequence_of_batches_begins_at_any_step(images, noise):
    patches = patches_of(images, noise)
    for step, batch in enumerate(islice(patches.from_step(7), 3), start=7):
        assert equal(batch, patches.batch(step))


@every_noise
def test_the_shares_of_several_processes_make_up_the_batch_of_one(images, noise):
    whole = patches_of(images, noise).batch(3)
    shares = [patches_of(images, noise, rank=rank, processes=2).batch(3) for rank in (0, 1)]
    assert equal([torch.cat(side) for side in zip(*shares, strict=True)], whole)


def test_a_batch_without_equal_shares_is_refused(images):
    with pytest.raises(ValueError, match="batch=4 has no equal shares for 3 processes; choose a"):
        patches_of(images, processes=3)


@every_noise
def test_a_batch_holds_crops_of_the_images_and_their_noisy_versions(images, noise):
    noisy, clean = patches_of(images, noise, replace(RECIPE, batch=64)).batch(0)
    assert noisy.shape == clean.shape == (64, 3, 16, 16)
    assert noisy.dtype == clean.dtype == torch.float32
    assert 0 <= noisy.min() <= noisy.max() <= 1
    name, level = NOISES[noise]
    intensity = np.linspace(0.25, 0.75, 101)  # where nothing is clipped
    inside = (clean > 0.25) & (clean < 0.75)
    promised = NOISE_MODELS[name]().variance(intensity, level).mean()
    assert (noisy - clean)[inside].var().item() == pytest.approx(promised, rel=0.1)
    known = {
        view[top : top + 16, left : left + 16].tobytes()
        for image in images
        for turn in range(4)
        for view in (np.rot90(image, turn), np.rot90(image, turn)[:, ::-1])
        for top in range(view.shape[0] - 15)
        for left in range(view.shape[1] - 15)
    }
    crops = (clean * 255).round().byte().permute(0, 2, 3, 1).numpy()
    assert all(np.ascontiguousarray(crop).tobytes() in known for crop in crops)


def test_every_image_place_flip_and_turn_is_drawn():
    image = np.arange(5 * 6 * 3, dtype=np.uint8).reshape(5, 6, 3)
    other = image + 100
    patches = patches_of([image, other], recipe=Recipe(batch=4000, patch=4))
    crops = (patches.crops(0) * 255).round().byte().permute(0, 2, 3, 1).numpy()
    found = {np.ascontiguousarray(crop).tobytes() for crop in crops}
    assert len(found) == 2 * (2 * 3) * 8


def test_a_noise_that_redevelops_the_image_gives_its_own_target(images):
    patches = Patches(images, Darkened(), 0.1, RECIPE)
    noisy, target = patches.batch(0)
    torch.testing.assert_close(target, patches.crops(0) / 2)
    torch.testing.assert_close(noisy, patches.crops(0) / 2 + 0.1)


def test_no_images_are_an_error_which_says_what_to_name():
    with pytest.raises(ValueError, match="no images to train on; name a dataset"):
        patches_of([])


def test_training_images_are_read_with_the_size_and_digest_of_each_set(tmp_path, images):
    for place, image in enumerate(images):
        cv2.imwrite(str(tmp_path / f"{place}.png"), image[..., ::-1])
    dataset = Folder(path=str(tmp_path))
    found, facts = read_training_images({"mine": dataset}, 16)
    for image, expected in zip(found, images, strict=True):
        np.testing.assert_array_equal(image, expected)
    assert facts == {"mine": {"images": 2, "sha256": dataset.digest()}}


def test_two_sets_of_one_kind_are_two_and_the_order_of_names_changes_nothing(tmp_path, images):
    sets = {}
    for name, image in zip("ba", images, strict=True):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "0.png"), image[..., ::-1])
        sets[name] = Folder(path=str(tmp_path / name))
    found, facts = read_training_images(sets, 16)
    assert list(facts) == ["a", "b"]
    assert facts["b"]["sha256"] == sets["b"].digest() != facts["a"]["sha256"]
    np.testing.assert_array_equal(found[1], images[0])


@every_noise
def test_a_network_for_grey_images_is_trained_on_grey_ones(tmp_path, images, noise):
    cv2.imwrite(str(tmp_path / "colour.png"), images[0][..., ::-1])
    cv2.imwrite(str(tmp_path / "grey.png"), images[1][..., 0])
    found, _ = read_training_images(
        {"mine": Folder(path=str(tmp_path))}, 16, replace(MASKED, grey=True)
    )
    np.testing.assert_array_equal(found[0], as_grey(images[0]))
    np.testing.assert_array_equal(found[1], images[1][..., :1])
    noisy, clean = patches_of(found, noise).batch(0)
    assert noisy.shape == clean.shape == (4, 1, 16, 16)


def test_images_smaller_than_a_patch_are_an_error_naming_the_file(tmp_path, images):
    cv2.imwrite(str(tmp_path / "small.png"), images[0])
    with pytest.raises(ValueError, match=r"small\.png gives an image of 31x20 pixels.*24x24"):
        read_training_images({"mine": Folder(path=str(tmp_path))}, 24)


@pytest.mark.parametrize("name", ["photos", "kodak24", "cbsd68", "mcmaster", "urban100"])
def test_nothing_is_trained_on_a_published_test_set(name):
    with pytest.raises(ValueError, match=f"'{name}' is a test set"):
        read_training_images({name: DATASETS[name]()}, 16)


def test_images_held_out_are_evenly_spaced_and_not_trained_on():
    images = [np.full((40, 30 + place, 3), place, np.uint8) for place in range(10)]
    seen, crops = hold_out(images, 3)
    assert [image[0, 0, 0] for image in seen] == [1, 2, 4, 5, 7, 8, 9]
    assert [crop[0, 0, 0] for crop in crops] == [0, 3, 6]
    assert {crop.shape for crop in crops} == {(30, 30, 3)}
    assert hold_out(images, 0) == (images, [])


@pytest.mark.parametrize(("images", "held_out"), [(15, 0), (16, 1), (100, 6), (1000, 8)])
def test_a_sixteenth_of_the_images_is_held_out_and_never_more_than_eight(images, held_out):
    seen, crops = hold_out([np.zeros((16, 16, 3), np.uint8)] * images)
    assert (len(seen), len(crops)) == (images - held_out, held_out)


@pytest.mark.parametrize("count", [2, 5])
def test_holding_out_every_image_is_refused(images, count):
    with pytest.raises(ValueError, match=f"held_out={count} of 2 images leaves none to train on"):
        hold_out(images, count)
