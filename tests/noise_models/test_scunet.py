"""SCUNet's pipeline: the law of each stage, the shuffle, and what becomes of the target."""

from collections import Counter
from itertools import pairwise

import cv2
import numpy as np
import pytest

from benchmark.noise import Formula
from noise_models import scunet
from noise_models.camera import process, random_camera, unprocess
from noise_models.scunet import SCUNet

SIDE = 200
ADDED = {"gaussian": scunet.add_gaussian, "speckle": scunet.add_speckle}
STAGES = (
    "add_gaussian",
    "add_poisson",
    "add_speckle",
    "compress",
    "add_sensor_noise",
    "resize_and_back",
)


def rng_of(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def flat(value: float, side: int = SIDE) -> np.ndarray:
    return np.full((side, side, 3), value, np.float32)


def waves(height: int, width: int) -> np.ndarray:
    """A smooth colour image whose values keep away from 0 and 1."""
    rows, columns = np.sin(np.linspace(0, 6, height)), np.cos(np.linspace(0, 5, width))
    plane = 0.5 + 0.1 * np.add.outer(rows, columns)
    return np.stack([plane, plane[::-1], 1 - plane], axis=-1).astype(np.float32)


def kind_of(noise: np.ndarray) -> str:
    """Whether noise is the same in all channels, independent in them, or something between."""
    if np.ptp(noise, axis=2).max() < 1e-6:
        return "grey"
    correlations = np.corrcoef(noise.reshape(-1, 3).T)[np.triu_indices(3, 1)]
    return "colour" if np.abs(correlations).max() < 5 / noise.shape[0] else "correlated"


@pytest.mark.parametrize(("name", "scale", "highest"), [("gaussian", 1, 50), ("speckle", 0.5, 25)])
def test_sigmas_are_whole_8_bit_steps_up_to_the_highest(name, scale, highest):
    sigmas, bounded = [], []
    for seed in range(60):
        _, noisy = ADDED[name](flat(0.5), flat(0.5), rng_of(seed))
        noise = (noisy - 0.5) / scale * 255
        (bounded if kind_of(noise) == "correlated" else sigmas).append(noise.std())
    small = np.array([sigma for sigma in sigmas if sigma < 10])
    assert small.size
    assert np.abs(small - np.rint(small)).max() < 4 * 10 / np.sqrt(2 * SIDE**2)
    assert min(sigmas) > 1.9
    assert highest * 0.8 < max(sigmas) < highest + 1
    assert max(bounded) < highest


@pytest.mark.parametrize("name", ADDED)
def test_noise_is_grey_coloured_or_correlated_as_2_to_2_to_1(name):
    draws, half = 300, flat(0.5, 40)
    kinds = Counter(kind_of(ADDED[name](half, half, rng_of(s))[1] - half) for s in range(draws))
    for kind, share in [("grey", 0.4), ("colour", 0.4), ("correlated", 0.2)]:
        tolerance = 4 * np.sqrt(draws * share * (1 - share))
        assert kinds[kind] == pytest.approx(draws * share, abs=tolerance)


def test_speckle_grows_with_the_noisy_image_and_leaves_black_alone():
    noisy = np.concatenate([flat(0), flat(0.25), flat(0.5)])
    for seed in range(5):
        _, result = scunet.add_speckle(flat(0), noisy, rng_of(seed))
        black, dark, bright = np.split(result - noisy, 3)
        assert not black.any()
        assert bright.std() / dark.std() == pytest.approx(2, rel=0.03)


def test_poisson_counts_the_photons_of_the_target_not_of_the_noisy_image():
    target, kinds = np.concatenate([flat(0.2), flat(0.8)]), set()
    for seed in range(8):
        _, noisy = scunet.add_poisson(target, np.full_like(target, 0.5), rng_of(seed))
        dark, bright = np.split(noisy - 0.5, 2)
        assert bright.var() / dark.var() == pytest.approx(4, rel=0.05)
        assert 95 < 0.2 / dark.var() < 10_500  # photons at white
        kinds.add(kind_of(dark))
    assert kinds == {"grey", "colour"}


def test_grey_poisson_noise_has_the_variance_of_the_luma():
    colour = np.broadcast_to(np.float32([1, 0.25, 0.5]), (SIDE, SIDE, 3))
    seeds = [s for s in range(20) if kind_of(poisson_of(colour, s)) == "grey"]
    for seed in seeds[:3]:
        luma, grey = poisson_of(colour, seed), poisson_of(flat(0.299 + 0.587 / 4 + 0.114 / 2), seed)
        assert luma.var() == pytest.approx(grey.var(), rel=0.04)


def poisson_of(target: np.ndarray, seed: int) -> np.ndarray:
    return scunet.add_poisson(target, flat(0.5), rng_of(seed))[1] - 0.5


def test_compression_is_jpeg_of_a_quality_from_30_to_95():
    clean = waves(48, 64)
    noisy = scunet.add_gaussian(clean, clean, rng_of(3))[1]
    bgr = np.rint(noisy * 255).astype(np.uint8)[..., ::-1]
    for seed in range(5):
        target, result = scunet.compress(clean, noisy, rng_of(seed))
        assert target is clean
        rounded = np.rint(result * 255).astype(np.uint8)[..., ::-1]
        files = [cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, q])[1] for q in range(1, 101)]
        found = [q for q, f in enumerate(files, 1) if (cv2.imdecode(f, 1) == rounded).all()]
        assert found
        assert all(30 <= quality <= 95 for quality in found)


def test_the_sensor_develops_target_and_noisy_image_with_one_camera():
    clean = waves(41, 57)
    target, noisy = scunet.add_sensor_noise(clean, clean, rng_of(1))
    camera = random_camera(rng_of(1))
    np.testing.assert_allclose(target, process(unprocess(clean, camera), camera), atol=1e-6)
    noise = noisy - target
    assert noise.std() > 1e-3
    assert abs(noise.mean()) < 0.1 * noise.std()  # no shift of colour between the two


@pytest.mark.parametrize("size", [(8, 8), (37, 23)])
def test_resizing_treats_both_images_alike_and_keeps_their_size(size):
    clean = waves(*size)
    target, noisy = scunet.resize_and_back(clean, 1 - clean, rng_of(2))
    assert target.shape == noisy.shape == clean.shape
    np.testing.assert_allclose(noisy, 1 - target, atol=1e-5)
    assert 0 < np.abs(target - clean).max() < 0.2


def test_resizing_correlates_white_noise():
    noisy = np.clip(0.5 + 0.1 * rng_of(0).standard_normal((SIDE, SIDE, 3)), 0, 1)
    for seed in range(4):
        result = scunet.resize_and_back(flat(0.5), noisy.astype(np.float32), rng_of(seed))[1] - 0.5
        assert np.corrcoef(result[1:].ravel(), result[:-1].ravel())[0, 1] > 0.05


@pytest.fixture
def called(monkeypatch) -> list[str]:
    """The names of the stages in the order in which they were called."""
    names = []
    for name in STAGES:
        stage = getattr(scunet, name)

        def noted(target, noisy, rng, stage=stage, name=name):
            names.append(name)
            return stage(target, noisy, rng)

        monkeypatch.setattr(scunet, name, noted)
    return names


@pytest.mark.parametrize("level", [1, 2, 4])
def test_each_pass_has_every_stage_once_in_one_order(level, called, ramp):
    SCUNet()(ramp, level, rng_of(0))
    passes = [called[start : start + 6] for start in range(0, len(called), 6)]
    assert len(passes) == level
    assert sorted(passes[0]) == sorted(STAGES)
    assert all(one == other for one, other in pairwise(passes))


def test_the_order_is_drawn_for_each_image_and_any_stage_may_come_first(called, ramp):
    for seed in range(60):
        SCUNet()(ramp, 1, rng_of(seed))
    orders = [tuple(called[start : start + 6]) for start in range(0, len(called), 6)]
    assert len(set(orders)) > 40
    assert {order[0] for order in orders} == set(STAGES)


def test_passes_draw_new_parameters():
    half = flat(0.5, 64)
    once, twice = (SCUNet().sample(half, level, rng_of(4)) for level in (1, 2))
    assert not np.array_equal(once, twice)
    again = SCUNet().sample(half, 2, rng_of(4))
    np.testing.assert_array_equal(twice, again)


def test_without_sensor_and_resizing_the_target_is_the_clean_image_itself(called, ramp):
    target, noisy = SCUNet(sensor=False, resize=False).pair(ramp, 2, rng_of(0))
    assert target is ramp
    assert not np.array_equal(noisy, ramp)
    assert len(called) == 8
    assert not {"add_sensor_noise", "resize_and_back"} & set(called)


def test_target_and_noisy_image_share_brightness_and_colour():
    clean = waves(96, 96)
    for seed in range(6):
        target, noisy = SCUNet().pair(clean, 2, rng_of(seed))
        assert not np.array_equal(target, clean)
        assert np.abs((noisy - target).mean(axis=(0, 1))).max() < 0.05


@pytest.mark.parametrize("size", [(8, 8), (9, 31), (40, 8)])
def test_any_size_from_8_on_keeps_shape_and_range(size):
    for image in SCUNet().pair(waves(*size), 2, rng_of(0)):
        assert image.shape == (*size, 3)
        assert image.dtype == np.float32
        assert 0 <= image.min() <= image.max() <= 1


@pytest.mark.parametrize("level", [0, 5, 1.5])
def test_a_level_that_is_no_number_of_passes_is_an_error(level, ramp):
    message = f"scunet needs a whole level from 1 to 4 .passes of the shuffled stages., got {level}"
    with pytest.raises(ValueError, match=message):
        SCUNet()(ramp, level, rng_of(0))


@pytest.mark.parametrize("channels", [1, 4])
def test_an_image_without_three_channels_is_an_error(channels):
    image = np.full((8, 8, channels), 0.5, np.float32)
    with pytest.raises(ValueError, match=f"scunet needs 3 channels.* got {channels}; repeat"):
        SCUNet()(image, 1, rng_of(0))


def test_behind_another_noise_both_images_pass_the_same_cameras_and_sizes(monkeypatch):
    drawn = []
    monkeypatch.setattr(scunet, "random_camera", lambda rng: drawn.append(1) or random_camera(rng))
    clean = np.full((96, 96, 3), (0.5, 0.3, 0.4), np.float32)
    for seed in range(4):
        rng = np.random.default_rng(seed)
        target, noisy = Formula(formula="gaussian(5)>>scunet(2)").pair(clean, 1, rng)
        np.testing.assert_allclose(noisy.mean((0, 1)), target.mean((0, 1)), atol=0.1)
    assert len(drawn) == 4 * 2  # one camera a pass, for both


def test_it_says_what_is_ours():
    assert "not the authors' code" in SCUNet.note
