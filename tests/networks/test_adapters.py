"""What holds for the networks of all other libraries: the contract, colours, levels, sides."""

import json
import sys
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from torch import Tensor, nn
from toy_files import adapter, grey_dncnn, halving, noisy, scripted

from baselines.adapters import ONNX, DeepInverse, Spandrel, TorchScript
from benchmark.cli.objects.specs import spec_of
from benchmark.cli.registered.catalogue import unavailable
from benchmark.cli.registered.entries import entry_of
from benchmark.denoiser.inference import Inference
from benchmark.denoiser.promises import CHECKS, outcome
from benchmark.files.whole import file_hash
from benchmark.objects.building import build_one, recorded_settings

every_adapter = pytest.mark.parametrize("name", ["spandrel", "deepinv", "onnx", "torchscript"])


@every_adapter
@pytest.mark.parametrize("promise", CHECKS, ids=lambda one: one.__name__)
def test_the_contract_is_kept(name, promise, tmp_path):
    found = outcome(promise, adapter(name, tmp_path))
    assert found.kept, found


@every_adapter
def test_all_leaves_it_out_and_says_what_it_needs(name, tmp_path):
    cls = type(adapter(name, tmp_path))
    assert unavailable("model", entry_of("model", cls)) == f"needs {cls.needs}"
    with pytest.raises(ValueError, match=f"^{name} needs {cls.needs}$"):
        cls()


@every_adapter
def test_a_missing_file_is_one_sentence(name, tmp_path):
    cls = type(adapter(name, tmp_path))
    given = {"denoiser": "DnCNN"} if name == "deepinv" else {}
    with pytest.raises(ValueError, match=r"none\.pth"):
        cls(**given, **{cls.files[0]: str(tmp_path / "none.pth")})


@pytest.mark.parametrize(
    ("cls", "extra"), [(Spandrel, "spandrel"), (DeepInverse, "deepinv"), (ONNX, "onnx")]
)
def test_a_missing_package_is_one_sentence_with_the_remedy(cls, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, cls.package, None)
    with pytest.raises(ValueError, match=rf"^{cls.package} is not installed; pip install 'noise"):
        cls()
    assert cls.extra == extra
    assert extra in (Path(__file__).parents[2] / "pyproject.toml").read_text()


def test_a_cell_records_the_hash_of_the_file_and_not_its_place(tmp_path):
    path = scripted(tmp_path / "net.pt", halving())
    node = OmegaConf.create({"of": "torchscript", "file": str(path)})
    found = recorded_settings(spec_of("model", "mine", node))
    assert found["file"] == f"sha256:{file_hash(path)}"
    assert str(tmp_path) not in json.dumps(found)
    assert isinstance(build_one(spec_of("model", "mine", node)), TorchScript)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"sigma": -1.0}, "needs a sigma from 0 to 255, got -1"),
        ({"sigma": float("nan")}, "needs a sigma from 0 to 255, got nan"),
        ({"channels": 5}, "needs channels from 1 to 4, got 5"),
        ({"multiple": 0}, "needs a multiple of 1 or more, got 0"),
    ],
)
def test_a_setting_out_of_range_is_one_sentence(settings, sentence):
    with pytest.raises(ValueError, match=f"^torchscript {sentence}"):
        TorchScript(**settings)


# what a network is given


def test_a_grey_network_restores_each_colour_by_itself(tmp_path):
    pytest.importorskip("spandrel", reason="needs the package spandrel")
    residual = grey_dncnn(tmp_path / "grey.pth")
    image = noisy()
    found = Spandrel(weights=str(tmp_path / "grey.pth")).denoise(image)
    with torch.inference_mode():
        colours = [image[:, k : k + 1] for k in range(3)]
        expected = torch.cat([one - residual(one) for one in colours], dim=1).clamp(0, 1)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


class LevelOf(nn.Module):
    """A network which shows the level that it is told."""

    def forward(self, told: Tensor) -> Tensor:
        return told[:, -1:].expand(-1, told.shape[1] - 1, -1, -1)


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("sigma", [15.0, 50.0])
def test_a_network_which_demands_a_level_gets_the_same_one_for_every_image(
    channels, sigma, tmp_path
):
    file = str(scripted(tmp_path / "level.pt", LevelOf()))
    model = TorchScript(file=file, channels=channels, sigma=sigma)
    for image in (noisy(), noisy(7, 9, images=2) / 10):
        assert torch.equal(model.denoise(image), torch.full_like(image, sigma / 255))


class SidesOf(nn.Module):
    """A network for sides which are multiples of 8, and which shows the height."""

    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[2], images.shape[3]
        if height % 8 or width % 8:
            raise ValueError("not a multiple of 8")
        return torch.full_like(images, height / 100)


def test_sides_are_filled_up_to_a_multiple(tmp_path):
    file = str(scripted(tmp_path / "sides.pt", SidesOf()))
    assert TorchScript(file=file, multiple=8).denoise(noisy(9, 9)).unique() == pytest.approx(0.16)


def test_a_network_with_another_size_of_output_is_one_sentence(tmp_path):
    file = str(scripted(tmp_path / "up.pt", nn.Upsample(scale_factor=2)))
    with pytest.raises(ValueError, match=r"up\.pt returned \(1, 3, 40, 56\) for \(1, 3, 20, 28\)"):
        TorchScript(file=file).denoise(noisy())


# networks that raise


@pytest.mark.parametrize("said", ["CUDA out of memory. Tried", "DefaultCPUAllocator: can't"])
def test_memory_that_ran_out_in_a_stranger_s_network_leads_to_tiles(said, tmp_path, monkeypatch):
    model = adapter("torchscript", tmp_path)

    def call(images: Tensor) -> Tensor:
        if images.shape[-1] > 64:
            raise RuntimeError(said)
        return images

    monkeypatch.setattr(model, "call", call)
    with pytest.warns(UserWarning, match="torchscript ran out of memory as a whole"):
        assert Inference().run(model, noisy(100, 128), 0).tile == 64
