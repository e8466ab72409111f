"""Conventions: each equals an independent implementation, and protocols are walked in steps."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from benchmark.metrics import METRICS
from benchmark.protocol import PROTOCOLS
from benchmark.scoring.conventions import (
    CONVENTIONS,
    Scoring,
    others,
    psnr_of,
    ssim_of,
    steps,
    values,
)
from benchmark.scoring.evaluate import as_tensor

BASE = Scoring()
PLAIN = BASE.changed({"border": 0})  # as functions of whole arrays compute
GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    """A restored and a clean image, 40x50, of 8 bits."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:40, :50]
    clean = np.stack([4 * rows, 3 * columns, rows + columns], axis=-1) + rng.integers(
        0, 60, (40, 50, 3)
    )
    restored = np.clip(clean + rng.normal(0, 12, clean.shape), 0, 255)
    return restored.astype(np.uint8), clean.astype(np.uint8)


def scored(pair: tuple[np.ndarray, np.ndarray], **changes: object) -> tuple[float, float]:
    scoring = PLAIN.changed(changes)
    compared = [values(as_tensor(image), scoring) for image in pair]
    return psnr_of(*compared, scoring), ssim_of(*compared, scoring)


def similarity(pair: tuple[np.ndarray, np.ndarray], **settings: object) -> float:
    """scikit-image's SSIM of colours from 0 to 255, population covariance in a Gaussian window."""
    floats = [image.astype(np.float64) for image in pair]
    given = {"data_range": 255, "channel_axis": -1, **GAUSSIAN, **settings}
    return structural_similarity(*floats, **given)


def in_torch(pair: tuple[np.ndarray, np.ndarray], mode: str) -> float:
    """SSIM with windows which reach over the border, by convolutions of padded images."""
    x, y = (torch.from_numpy(image).permute(2, 0, 1)[:, None].double() for image in pair)
    place = torch.arange(11).double() - 5
    window = torch.exp(-(place**2) / (2 * 1.5**2))
    window = torch.outer(window, window)[None, None] / window.sum() ** 2

    def mean(image: torch.Tensor) -> torch.Tensor:
        return F.conv2d(F.pad(image, [5] * 4, mode), window)

    mx, my = mean(x), mean(y)
    vx, vy, covariance = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    found = (2 * mx * my + c1) * (2 * covariance + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    return found.mean().item()


@pytest.mark.parametrize("border", [0, 1, 4])
def test_a_protocol_without_changes_scores_as_the_metrics_do_to_the_bit(pair, border):
    tensors = [as_tensor(image) for image in pair]
    metrics = [METRICS[name](border=border)(*tensors) for name in ("psnr", "ssim")]
    assert list(scored(pair, border=border)) == metrics


def test_luma_is_that_of_the_metrics_and_of_skimage(pair):
    tensors = [as_tensor(image) for image in pair]
    psnr, ssim = scored(pair, colour="y")
    assert psnr == pytest.approx(METRICS["psnr_y"](border=0)(*tensors), abs=1e-9)
    assert ssim == pytest.approx(METRICS["ssim_y"](border=0)(*tensors), abs=1e-9)
    luma = [rgb2ycbcr(image)[..., 0] for image in pair]
    assert psnr == pytest.approx(peak_signal_noise_ratio(*luma, data_range=255), abs=1e-3)
    full = [image @ [0.299, 0.587, 0.114] for image in pair]
    expected = peak_signal_noise_ratio(*full, data_range=255)
    assert scored(pair, colour="y_full")[0] == pytest.approx(expected, abs=1e-5)


def test_psnr_has_the_conventions_which_it_names(pair):
    restored, clean = pair
    channels = [
        peak_signal_noise_ratio(clean[..., c], restored[..., c], data_range=255) for c in range(3)
    ]
    assert scored(pair, mean_of_channels=True)[0] == pytest.approx(np.mean(channels), abs=1e-5)
    expected = peak_signal_noise_ratio(clean, restored, data_range=int(clean.max()))
    assert scored(pair, clean_peak=True)[0] == pytest.approx(expected, abs=1e-5)
    unit = [image.astype(np.float32) / 255 for image in pair]
    expected = peak_signal_noise_ratio(*unit, data_range=1)
    assert scored(pair, unit_range=True)[0] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("changes", "settings"),
    [
        ({}, {}),
        (
            {"window": "uniform", "sample_covariance": True},
            {"gaussian_weights": False, "use_sample_covariance": True},
        ),
        ({"window": "uniform"}, {"gaussian_weights": False}),
        ({"sample_covariance": True}, {"use_sample_covariance": True}),
        ({"ssim_range": 2.0}, {"data_range": 510}),
    ],
    ids=str,
)
def test_ssim_equals_scikit_image_with_the_settings_of_its_convention(pair, changes, settings):
    assert scored(pair, **changes)[1] == pytest.approx(similarity(pair, **settings), abs=1e-6)


def test_scikit_images_default_is_what_the_convention_of_that_name_computes(pair):
    changes = {c.who: c.changes for c in CONVENTIONS}["scikit-image by default"]
    default = structural_similarity(*pair, channel_axis=-1)
    assert scored(pair, **changes)[1] == pytest.approx(default, abs=1e-6)


@pytest.mark.parametrize(("padding", "mode"), [("zero", "constant"), ("reflect", "reflect")])
def test_ssim_beyond_the_image_is_that_of_padded_convolutions(pair, padding, mode):
    assert scored(pair, padding=padding)[1] == pytest.approx(in_torch(pair, mode), abs=1e-6)


@pytest.mark.parametrize(("side", "factor"), [(383, 1), (384, 2), (512, 2), (768, 3)])
def test_downsampling_averages_squares_as_wangs_code_does(side, factor):
    """Its window begins at each kept pixel where its side is even, and is around it where odd."""
    rng = np.random.default_rng(1)
    pair = [rng.integers(0, 256, (side, side + 8, 3)).astype(np.uint8) for _ in range(2)]
    small = []
    for image in pair:
        before = (factor - 1) // 2
        widths = [(before, factor - 1 - before)] * 2 + [(0, 0)]
        wide = np.pad(image.astype(np.float64), widths, mode="symmetric")
        windows = np.lib.stride_tricks.sliding_window_view(wide, (factor, factor), axis=(0, 1))
        small.append(windows[::factor, ::factor].mean(axis=(-1, -2)))
    assert scored(pair, downsampled=True)[1] == pytest.approx(similarity(small), abs=1e-6)


def test_every_convention_is_declared_once_with_who_follows_it():
    names = [convention.name for convention in CONVENTIONS]
    assert len(names) == len(set(names))
    assert all(convention.who and convention.changes for convention in CONVENTIONS)


@pytest.mark.parametrize("preset", PROTOCOLS)
def test_conventions_of_a_protocol_itself_are_no_changes_to_it(preset):
    base = Scoring(PROTOCOLS[preset])
    found = others(base)
    assert base not in found.values()
    assert len(found) < len(CONVENTIONS)
    if preset == "masked":
        own = {convention.name for convention in CONVENTIONS} - found.keys()
        assert own == {
            *("noisy: clipped, 8 bits", "noise by key", "restored: clipped, 8 bits"),
            *("border 1", "RGB"),
        }


@pytest.mark.parametrize("start", PROTOCOLS)
@pytest.mark.parametrize("end", PROTOCOLS)
def test_steps_lead_from_any_protocol_to_any_other_one_change_at_a_time(start, end):
    if PROTOCOLS[start].grey != PROTOCOLS[end].grey:
        with pytest.raises(ValueError, match="are of different images"):
            steps(PROTOCOLS[start], PROTOCOLS[end])
        return
    walk = list(steps(PROTOCOLS[start], PROTOCOLS[end]).values())
    if PROTOCOLS[start] == PROTOCOLS[end]:
        assert not walk
        return
    assert walk[-1] == Scoring(PROTOCOLS[end])
    assert len({scoring.protocol for scoring in walk} - {PROTOCOLS[start]}) == len(walk)


def test_the_name_of_a_step_says_what_was_and_what_is():
    masked, kair = PROTOCOLS["masked"], PROTOCOLS["kair"]
    assert list(steps(masked, replace(kair, border=2))) == [
        "noise drawn: key -> seed0",
        "noisy: clipped, 8 bits -> float",
        "border: 1 -> 2",
    ]
