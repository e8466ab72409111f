"""The classical denoisers remove Gaussian noise without being told of it, at any size."""

import sys
import warnings

import numpy as np
import pytest
import torch
from skimage import data
from torch import Tensor

from baselines.classical import BM3D, NonLocalMeans, TotalVariation, WaveletShrinkage
from baselines.identity import Identity

LIBRARY_ONLY = [NonLocalMeans, TotalVariation, WaveletShrinkage]

every_filter = pytest.mark.parametrize(
    "cls", [*LIBRARY_ONLY, pytest.param(BM3D, marks=pytest.mark.slow)]
)


@pytest.fixture(autouse=True)
def bm3d_where_it_is_used(request: pytest.FixtureRequest) -> None:
    """Skip the tests of BM3D where its package is not installed."""
    if getattr(request.node, "callspec", None) and request.node.callspec.params.get("cls") is BM3D:
        pytest.importorskip("bm3d", reason="needs the package bm3d")


@pytest.fixture(scope="module")
def clean() -> Tensor:
    photograph = data.astronaut()[80:144, 180:244]
    return torch.from_numpy(photograph / np.float32(255)).permute(2, 0, 1)[None]


def with_noise(clean: Tensor, sigma: float) -> Tensor:
    noise = np.random.default_rng(0).normal(0, sigma / 255, clean.shape)
    return ((clean + torch.from_numpy(noise).float()).clamp(0, 1) * 255).round() / 255


def psnr(restored: Tensor, clean: Tensor) -> float:
    return -10 * torch.log10(torch.mean((restored - clean) ** 2)).item()


@every_filter
def test_noise_of_sigma_25_is_removed_without_being_told(cls, clean):
    noisy = with_noise(clean, 25)
    gain = psnr(cls().denoise(noisy), clean) - psnr(noisy, clean)
    assert gain > 4


@every_filter
def test_a_fixed_sigma_replaces_the_estimate(cls, clean):
    noisy = with_noise(clean, 25)
    told_right, told_little = (
        psnr(cls(sigma=s).denoise(noisy), clean) - psnr(noisy, clean) for s in (25, 2)
    )
    assert told_right > 4
    assert told_little < 2


@every_filter
def test_sigma_0_leaves_the_image_alone(cls, clean):
    noisy = with_noise(clean, 25)
    assert torch.equal(cls(sigma=0).denoise(noisy), noisy)


@every_filter
@pytest.mark.parametrize("size", [(1, 1), (2, 40), (7, 9), (8, 8)])
def test_tiny_images_come_back_in_their_size(cls, size, clean):
    noisy = with_noise(clean, 25)[..., : size[0], : size[1]]
    for sigma in (None, 25):
        restored = cls(sigma=sigma).denoise(noisy)
        assert restored.shape == noisy.shape
        assert torch.isfinite(restored).all()


@every_filter
@pytest.mark.parametrize("colour", [(0.0, 0.0, 0.0), (1.0, 0.6, 0.1)])
def test_a_flat_image_comes_back_unchanged(cls, colour):
    flat = torch.tensor(colour).reshape(1, 3, 1, 1).repeat(1, 1, 20, 24)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(cls().denoise(flat), flat)
    assert torch.allclose(cls(sigma=25).denoise(flat), flat, atol=1e-3)


@every_filter
def test_a_grey_image_with_grey_noise_is_restored(cls, clean):
    grey = clean.mean(1, keepdim=True)
    noisy = with_noise(grey, 25).repeat(1, 3, 1, 1)
    assert psnr(cls().denoise(noisy), grey) - psnr(noisy, grey) > 2


@every_filter
def test_the_estimate_ignores_a_channel_without_details(cls, clean):
    noisy = with_noise(clean, 25)
    noisy[:, 2] = 0
    restored = cls().denoise(noisy)
    assert torch.isfinite(restored).all()
    assert not torch.equal(restored, noisy)


@every_filter
def test_images_of_a_batch_do_not_know_each_other(cls, clean):
    pair = torch.cat([with_noise(clean, 25), with_noise(clean, 5)])[..., :20, :20]
    assert torch.equal(cls().denoise(pair)[1:], cls().denoise(pair[1:]))


@every_filter
def test_an_image_of_one_channel_is_restored(cls, clean):
    grey = clean.mean(1, keepdim=True)
    noisy = with_noise(grey, 25)
    assert psnr(cls().denoise(noisy), grey) - psnr(noisy, grey) > 3.5


@every_filter
@pytest.mark.parametrize("sigma", [-1.0, float("nan"), float("inf")])
def test_a_senseless_sigma_is_refused(cls, sigma):
    with pytest.raises(ValueError, match=f"{cls.name} needs a finite sigma >= 0"):
        cls(sigma=sigma)


@pytest.mark.slow
def test_bm3d_s_normal_profile_is_another_filter(clean):
    pytest.importorskip("bm3d", reason="needs the package bm3d")
    noisy = with_noise(clean, 25)[..., :32, :32]
    fast, normal = BM3D().denoise(noisy), BM3D(profile="np").denoise(noisy)
    assert not torch.equal(fast, normal)
    assert psnr(normal, clean[..., :32, :32]) > psnr(noisy, clean[..., :32, :32]) + 4


def test_bm3d_prints_nothing(clean, capfd):
    pytest.importorskip("bm3d", reason="needs the package bm3d")
    BM3D().denoise(with_noise(clean, 25)[..., :20, :20])
    assert capfd.readouterr() == ("", "")


def test_an_unknown_profile_is_refused():
    with pytest.raises(ValueError, match="bm3d knows the profiles lc and np, got 'fast'"):
        BM3D(profile="fast")


def test_a_missing_bm3d_is_one_sentence_with_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "bm3d", None)
    with pytest.raises(ValueError, match=r"pip install 'noisebench\[bm3d\]'.*non-commercial"):
        BM3D()


def test_more_strength_smooths_more(clean):
    noisy = with_noise(clean, 25)
    mild, strong = (TotalVariation(strength=s).denoise(noisy).std() for s in (0.5, 5))
    assert strong < mild


def test_a_strength_of_zero_is_refused():
    with pytest.raises(ValueError, match="tv needs a finite strength > 0, got 0"):
        TotalVariation(strength=0)


def test_identity_returns_its_input(clean):
    noisy = with_noise(clean, 25)
    assert torch.equal(Identity().denoise(noisy), noisy)
