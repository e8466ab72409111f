"""Files of spandrel: which are restored with, which are refused, and that none is executed."""

import os
from pathlib import Path

import pytest
import torch
from torch import Tensor
from toy_files import adapter, noisy

from baselines.adapters import Adapter, Spandrel
from benchmark.denoiser.contract import RestorationError

# networks that raise


def test_a_spandrel_network_that_raises_is_one_sentence(tmp_path, monkeypatch):
    model = adapter("spandrel", tmp_path)

    def fail(_: Tensor) -> Tensor:
        raise IndexError("no such layer")

    monkeypatch.setattr(model, "described", fail)
    with pytest.raises(RestorationError, match=r"grey\.pth fails on \(3, 1, 20, 28\): no such"):
        model.denoise(noisy())


# spandrel


def spandrel_from(path: Path) -> Adapter:
    pytest.importorskip("spandrel", reason="needs the package spandrel")
    return Spandrel(weights=str(path))


@pytest.mark.parametrize("channels", [2, 4])
def test_spandrel_s_drunet_is_told_sigma(channels, tmp_path):
    pytest.importorskip("spandrel", reason="needs the package spandrel")
    from spandrel.architectures.DRUNet import DRUNet

    torch.manual_seed(0)
    network = DRUNet(in_nc=channels, out_nc=channels - 1, nc=[4, 8, 8, 8], nb=2).eval()
    path = tmp_path / "drunet.pth"
    torch.save(network.state_dict(), path)
    image = noisy(16, 24, images=2)
    folded = image if channels == 4 else image.flatten(0, 1)[:, None]
    for sigma in (15.0, 50.0):
        told = torch.cat([folded, torch.full_like(folded[:, :1], sigma / 255)], dim=1)
        with torch.inference_mode():
            expected = network(told).reshape(image.shape).clamp(0, 1)
        found = Spandrel(weights=str(path), sigma=sigma).denoise(image)
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    assert Spandrel(weights=str(path)).denoise(noisy(7, 9)).shape == (1, 3, 7, 9)


def test_a_file_spandrel_does_not_recognise_is_one_sentence(tmp_path):
    torch.save({"some.weight": torch.ones(3)}, tmp_path / "some.pth")
    with pytest.raises(ValueError, match=r"^spandrel recognises no network in .*some\.pth$"):
        spandrel_from(tmp_path / "some.pth")


def test_a_super_resolution_network_is_one_sentence(tmp_path):
    pytest.importorskip("spandrel", reason="needs the package spandrel")
    from spandrel.architectures.Compact import Compact

    torch.save(Compact(num_feat=8, num_conv=1, upscale=2).state_dict(), tmp_path / "up.pth")
    with pytest.raises(ValueError, match=r"holds RealESRGAN Compact, which makes another image"):
        spandrel_from(tmp_path / "up.pth")


class Stranger:
    def __init__(self, folder: Path):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_spandrel_s_files_are_never_executed(tmp_path):
    evil = {"model.0.weight": torch.ones(1), "extra": Stranger(tmp_path / "made")}
    torch.save(evil, tmp_path / "evil.pth")
    with pytest.raises(ValueError, match=r"holds Python objects .*mkdir"):
        spandrel_from(tmp_path / "evil.pth")
    assert not (tmp_path / "made").exists()
