"""Training: resumable to the bit, refuses to go on as something else, exports an average."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from benchmark.datasets import DATASETS, Folder
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.noise import NOISE_MODELS
from benchmark.train import Patches, Progress, Recipe, read_training_images, train

RECIPE = Recipe(steps=8, batch=2, patch=16, learning_rate=1e-2, ema=0.9)
FACTS = {"model": {"of": "tiny", "depths": (2,)}, "level": 15.0}
NETWORKS = {
    "dncnn": {"width": 8, "depth": 3},
    "masked": {"embed_dim": 8, "depths": (2,), "num_heads": 2, "window_size": 4},
}


@pytest.fixture(autouse=True)
def callers_random_numbers():
    with torch.random.fork_rng([]):
        yield


@pytest.fixture
def images() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, size, np.uint8) for size in ((20, 31, 3), (40, 16, 3))]


def patches_of(images: list[np.ndarray], recipe: Recipe = RECIPE) -> Patches:
    return Patches(images, NOISE_MODELS["gaussian"](), 15, recipe)


def fresh(name: str = "dncnn") -> Denoiser:
    torch.manual_seed(RECIPE.seed)
    return DENOISERS[name](**NETWORKS[name])


def trained(folder, images, recipe: Recipe = RECIPE, name: str = "dncnn", **options: object):
    options = {"facts": FACTS, "log_every": 2, **options}
    return train(fresh(name), patches_of(images, recipe), recipe, folder, **options)


def assert_same_weights(one: Denoiser, other: Denoiser) -> None:
    for (name, a), b in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


class Interrupted(Exception):
    """The power went off."""


def stop_at(step: int):
    def report(progress: Progress) -> None:
        if progress.step == step:
            raise Interrupted

    return report


@pytest.mark.parametrize("name", NETWORKS)
def test_interrupted_and_resumed_ends_with_the_weights_of_an_undisturbed_training(
    tmp_path, images, name
):
    whole, last = trained(tmp_path / "whole", images, name=name)
    for step in (4, 6):
        with pytest.raises(Interrupted):
            trained(tmp_path / "cut", images, name=name, save_seconds=0.0, report=stop_at(step))
    torch.rand(5)
    seen = []
    resumed, resumed_last = trained(tmp_path / "cut", images, name=name, report=seen.append)
    assert [line.step for line in seen] == [6, 8]  # the checkpoint of step 4 was the last
    assert_same_weights(resumed, whole)
    assert resumed_last.loss == last.loss
    steps = [line.split(",")[0] for line in (tmp_path / "cut/log.csv").read_text().splitlines()]
    assert steps == ["step", "2", "4", "6", "8"]


def test_a_finished_training_is_not_done_again(tmp_path, images):
    whole, last = trained(tmp_path, images)
    again, same = trained(tmp_path, images, report=stop_at(8))
    assert_same_weights(again, whole)
    assert same == last


def test_time_and_log_go_on_after_an_interruption(tmp_path, images):
    with pytest.raises(Interrupted):
        trained(tmp_path, images, save_seconds=0.0, report=stop_at(4))
    _, last = trained(tmp_path, images)
    assert last.step == RECIPE.steps
    assert last.seconds > 0
    assert last.images_per_second > 0


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"recipe": replace(RECIPE, batch=3)}, r"recipe\.batch 2 \(now 3\)"),
        ({"recipe": replace(RECIPE, betas=(0.9, 0.999))}, r"recipe\.betas \[0\.9, 0\.99\]"),
        ({"facts": {**FACTS, "level": 25.0}}, r"level 15\.0 \(now 25\.0\)"),
        ({"facts": {**FACTS, "model": {"of": "tiny", "depths": (4,)}}}, r"model\.depths \[2\]"),
    ],
)
def test_another_recipe_is_refused_naming_the_difference(tmp_path, images, change, named):
    trained(tmp_path, images)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    with pytest.raises(ValueError, match=rf"was trained with {named}.*; choose another folder"):
        trained(tmp_path, images, **change)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_a_loss_that_is_not_finite_stops_and_keeps_the_checkpoint(tmp_path, images):
    class Poisoned(Patches):
        def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
            noisy, clean = super().batch(step)
            return noisy, clean * float("nan") if step == 6 else clean

    patches = Poisoned(images, NOISE_MODELS["gaussian"](), 15, RECIPE)
    with pytest.raises(ValueError, match=r"the loss became nan before step 8; .*learning_rate"):
        train(fresh(), patches, RECIPE, tmp_path, FACTS, log_every=2, save_seconds=0.0)
    checkpoint = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert checkpoint["log"][-1]["step"] == 6
    assert all(value.isfinite().all() for value in checkpoint["network"].values())


def test_the_export_is_the_average_and_not_the_last_weights(tmp_path, images):
    average, _ = trained(tmp_path, images)
    checkpoint = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    raw, name = checkpoint["network"], "model.0.weight"
    assert not torch.equal(average.state_dict()[name], raw[name])
    assert torch.equal(average.state_dict()[name], checkpoint["average"][f"module.{name}"])
    assert not average.training
    unaveraged, _ = trained(tmp_path / "raw", images, replace(RECIPE, ema=0.0))
    assert torch.equal(unaveraged.state_dict()[name], raw[name])


def test_training_lowers_the_loss(tmp_path, images):
    recipe = replace(RECIPE, steps=60)
    seen: list[Progress] = []
    trained(tmp_path, images, recipe, log_every=10, report=seen.append)
    assert seen[-1].loss < seen[0].loss


def test_the_learning_rate_is_halved_after_each_milestone(tmp_path, images):
    seen: list[Progress] = []
    trained(tmp_path, images, log_every=1, report=seen.append)
    rates = [line.learning_rate for line in seen]  # as it is for the step that follows
    assert rates == [1e-2] * 3 + [5e-3] * 2 + [2.5e-3] * 3


def test_a_batch_depends_on_seed_and_step_alone(images):
    first, second = patches_of(images), patches_of(images)
    for step in (5, 0, 3):
        second.batch(step)
    for one, other in zip(first.batch(4), second.batch(4), strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(first.batch(4)[1], first.batch(5)[1])
    other_seed = patches_of(images, replace(RECIPE, seed=2))
    assert not torch.equal(first.batch(4)[1], other_seed.batch(4)[1])
    late = 10_000_000
    assert not torch.equal(first.batch(late)[1], first.batch(late + 1)[1])


def test_a_batch_holds_crops_of_the_images_and_their_noisy_versions(images):
    noisy, clean = patches_of(images, replace(RECIPE, batch=64)).batch(0)
    assert noisy.shape == clean.shape == (64, 3, 16, 16)
    assert noisy.dtype == clean.dtype == torch.float32
    assert 0 <= noisy.min() <= noisy.max() <= 1
    inside = (clean > 0.25) & (clean < 0.75)  # where nothing is clipped
    assert (noisy - clean)[inside].std().item() == pytest.approx(15 / 255, rel=0.05)
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


@pytest.mark.parametrize("name", ["steps", "batch", "patch", "learning_rate"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_recipe_needs_positive_numbers(name, value):
    with pytest.raises(ValueError, match=f"^{name} must be above 0, got {value}"):
        Recipe(**{name: value})


@pytest.mark.parametrize("ema", [-0.1, 1, 1.5])
def test_an_average_needs_a_decay_below_one(ema):
    with pytest.raises(ValueError, match="^ema must be in"):
        Recipe(ema=ema)


def test_the_defaults_are_the_published_recipe():
    recipe = Recipe()
    assert (recipe.steps, recipe.batch, recipe.patch) == (200_000, 64, 64)
    assert (recipe.learning_rate, recipe.betas) == (1e-4, (0.9, 0.99))
    assert [fraction * recipe.steps for fraction in recipe.milestones] == [100_000, 150_000]
    assert recipe.ema == 0.999


def test_training_images_are_read_with_the_size_and_digest_of_each_set(tmp_path, images):
    for place, image in enumerate(images):
        cv2.imwrite(str(tmp_path / f"{place}.png"), image[..., ::-1])
    dataset = Folder(path=str(tmp_path))
    found, facts = read_training_images([dataset], 16)
    for image, expected in zip(found, images, strict=True):
        np.testing.assert_array_equal(image, expected)
    assert facts == {"folder": {"images": 2, "sha256": dataset.digest()}}


def test_images_smaller_than_a_patch_are_an_error_naming_the_file(tmp_path, images):
    cv2.imwrite(str(tmp_path / "small.png"), images[0])
    with pytest.raises(ValueError, match=r"small\.png gives an image of 31x20 pixels.*24x24"):
        read_training_images([Folder(path=str(tmp_path))], 24)


def test_no_images_are_an_error_which_says_what_to_name():
    with pytest.raises(ValueError, match="no images to train on; name a dataset"):
        patches_of([])


@pytest.mark.parametrize("name", ["photos", "kodak24", "cbsd68", "mcmaster", "urban100"])
def test_nothing_is_trained_on_a_published_test_set(name):
    with pytest.raises(ValueError, match=f"'{name}' is a test set"):
        read_training_images([DATASETS[name]()], 16)
