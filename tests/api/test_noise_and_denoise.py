"""Noise added to an image and an image restored: the pixels of the benchmark, in the type given."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import benchmark
from benchmark.api import images
from benchmark.cells.provenance import pixels_hash
from benchmark.datasets import DATASETS
from benchmark.denoiser import Denoiser

IMAGE = np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8)


def test_noise_of_a_key_is_what_scores_are_made_of():
    photos = {"limit": 1, "crop": 32}
    scores = benchmark.score("identity", ["poisson(2)"], {"photos": photos}, seeds=3)
    (row,) = scores.rows.to_dict("records")
    clean = DATASETS["photos"](**photos).read_uint8(row["image"])
    noisy = benchmark.add_noise(clean, "poisson(2)", key=("photos", row["image"]), seed=3)
    assert pixels_hash(noisy) == row["noisy"]


def test_noise_is_the_same_for_the_same_image_and_another_for_any_other():
    before = IMAGE.copy()
    noisy = benchmark.add_noise(IMAGE, "gaussian(25)")
    assert (noisy == benchmark.add_noise(IMAGE.copy(), "gaussian(25)")).all()
    assert (before == IMAGE).all()
    grey, other = np.full_like(IMAGE, 128), np.full_like(IMAGE, 127)
    added = [benchmark.add_noise(i, "gaussian(9)").astype(int) - i for i in (grey, other)]
    assert (added[0] != added[1]).any()
    assert (benchmark.add_noise(grey, "gaussian(9)", seed=1) != grey + added[0]).any()


def test_images_in_floating_point_become_float32_which_is_clipped_where_that_is_asked_for():
    floats = IMAGE / 255
    for made in (
        benchmark.add_noise(floats, "gaussian(25)"),
        benchmark.denoise(floats, nn.AvgPool2d(3, 1, 1)),
    ):
        assert made.dtype == np.float32
        assert 0 <= made.min() <= made.max() <= 1
    assert benchmark.add_noise(floats, "gaussian(25)", clip=False).max() > 1


@pytest.mark.parametrize("shape", [(24, 20), (24, 20, 1), (24, 20, 3)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_images_keep_their_type_and_shape(shape, kind):
    image = np.full(shape, 0.5 if kind == np.float32 else np.iinfo(kind).max // 2, kind)
    noisy = benchmark.add_noise(image, "gaussian(25)")
    for made in (noisy, benchmark.denoise(noisy, nn.AvgPool2d(3, 1, 1))):
        assert (made.dtype, made.shape) == (image.dtype, shape)
        assert abs(made.mean() / image.mean() - 1) < 0.1


def test_precision_and_runtime_are_chosen_as_for_scores(monkeypatch):
    asked = []

    def chosen(what, taken):
        return lambda *given: (asked.append((what, given[0])), (taken, ""))[1]

    monkeypatch.setattr(images, "choose_precision", chosen("precision", "bf16"))
    monkeypatch.setattr(images, "choose_runtime", chosen("runtime", "torch"))
    network = nn.Conv2d(3, 3, 1, bias=False)
    nn.init.dirac_(network.weight)
    made = benchmark.denoise(IMAGE, network, precision="auto", runtime="auto")
    assert asked == [("precision", "auto"), ("runtime", "auto")]
    assert (made == benchmark.denoise(IMAGE, network, precision="bf16")).all()
    assert len(asked) == 2
    with pytest.raises(ValueError, match="unknown runtime=onnx"):
        benchmark.denoise(IMAGE, network, runtime="onnx")


def test_an_rgb_network_does_not_restore_a_grey_image():
    with pytest.raises(ValueError, match=r"takes images of shape \(B, 3, H, W\)"):
        benchmark.denoise(IMAGE[..., 0], "masked")


@pytest.mark.parametrize(
    ("image", "noise", "message"),
    [
        (IMAGE, "poisson", "noises or levels; take one: poisson"),
        (IMAGE, "pois(2)", "did you mean 'poisson'"),
        (IMAGE, "polyu", "recorded noise"),
        (IMAGE, 25, "noise= is a text"),
        (IMAGE[..., :2], "poisson(2)", "has shape"),
        (IMAGE[..., 0], "isp(3)", "needs an RGB image"),
    ],
)
def test_a_mistake_is_one_sentence(image, noise, message):
    with pytest.raises(ValueError, match=message):
        benchmark.add_noise(image, noise)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"key": "photos"}, "names of a dataset and an image"),
        ({"key": ("mine", "0", "1")}, "names of a dataset and an image"),
        ({"key": ()}, "names of a dataset and an image"),
        ({"seed": -1}, "seed=-1 should be a whole number"),
        ({"seed": "x"}, "seed='x' should be a whole number"),
        ({"seed": 1.5}, "seed=1.5 should be a whole number"),
    ],
)
def test_a_key_and_a_seed_which_are_none_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        benchmark.add_noise(IMAGE, "poisson(2)", **given)


def test_an_image_is_restored_as_the_denoiser_does_it():
    model = benchmark.load_model("masked")
    given = torch.from_numpy(IMAGE).permute(2, 0, 1)[None] / 255
    torch.manual_seed(0)
    restored = model.denoise(given)[0].permute(1, 2, 0).numpy()
    assert (benchmark.denoise(IMAGE, "masked") == np.rint(restored * 255)).all()


@pytest.mark.parametrize(
    ("tile", "message"),
    [(True, "unknown tile=True"), (0, "tile=0 should"), ("x", "unknown tile")],
)
def test_tiles_are_what_they_are_for_scores(tile, message):
    with pytest.raises(ValueError, match=message):
        benchmark.denoise(IMAGE, "tv", tile=tile)
    wide = np.tile(IMAGE, (4, 4, 1))
    restored = [benchmark.denoise(wide, "dncnn", tile=side) for side in (64, "64", np.int64(64))]
    assert all((one == restored[0]).all() for one in restored)


def test_a_denoiser_without_a_name_runs_wherever_it_is_fastest(monkeypatch):
    class Unnamed(Denoiser):
        def forward(self, noisy: Tensor) -> Tensor:
            return noisy / 2

    monkeypatch.setattr("benchmark.scoring.precision.multiplies_bf16", lambda device: True)
    restored = benchmark.denoise(IMAGE, Unnamed(), runtime="auto")
    assert (restored == np.rint(IMAGE / 2)).all()
    benchmark.denoise(IMAGE, Unnamed(), precision="auto")


def test_threads_restore_what_one_after_the_other_does():
    class Dice(nn.Module):
        def forward(self, noisy: Tensor) -> Tensor:
            return sum(torch.rand_like(noisy) for _ in range(50)) / 50

    def restored(seed: int) -> np.ndarray:
        return benchmark.denoise(np.tile(IMAGE, (8, 8, 1)), Dice(), seed=seed)

    seeds = range(8)
    with ThreadPoolExecutor(4) as pool:
        found = [*pool.map(restored, seeds)]
    assert all((one == restored(seed)).all() for seed, one in zip(seeds, found, strict=True))


def test_restoring_draws_from_a_seed_and_leaves_torchs_generator_and_the_module_alone():
    class Dice(nn.Module):
        def forward(self, noisy: Tensor) -> Tensor:
            return torch.rand_like(noisy)

    model, state = Dice(), torch.get_rng_state()
    first, again = (benchmark.denoise(IMAGE, model, seed=1) for _ in range(2))
    assert (first == again).all()
    assert (first != benchmark.denoise(IMAGE, model, seed=2)).any()
    assert model.training
    assert (torch.get_rng_state() == state).all()


def test_names_are_those_of_the_registries_and_unknown_ones_are_said():
    assert {"masked", "bm3d"} <= set(benchmark.list_names("model"))
    assert "polyu" in benchmark.list_names("noise")
    with pytest.raises(ValueError, match="unknown kind 'models'; take one of model"):
        benchmark.list_names("models")
    with pytest.raises(ValueError, match="unknown setting 'mask_ratio'"):
        benchmark.load_model("masked", mask_ratio=0.5)
