"""ONNX and TorchScript files restore images as networks do, or say why not."""

import warnings

import pytest
import torch
from torch import Tensor, nn
from toy_files import exported, halving, noisy, scripted

from baselines.adapters import ONNX, TorchScript
from benchmark.denoiser.contract import RestorationError

# networks that raise


class Upscaled(nn.Module):
    """A network for sides which are multiples of 8."""

    def forward(self, images: Tensor) -> Tensor:
        small = nn.functional.avg_pool2d(images, 8)
        return images + nn.functional.interpolate(small, scale_factor=8.0)


class Folded(nn.Module):
    """A network for 16x16 alone, as one that was traced."""

    def forward(self, images: Tensor) -> Tensor:
        return images.reshape(1, 3, 256).reshape(1, 3, 16, 16)


class Shuffled(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.pixel_shuffle(nn.functional.pixel_unshuffle(images, 8), 8)


class Concatenated(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        small = nn.functional.max_pool2d(images, 8)
        return torch.cat([images, nn.functional.interpolate(small, scale_factor=8.0)], 1)[:, :3]


class Told(nn.Module):
    def forward(self, images: Tensor, sigma: Tensor) -> Tensor:
        return images * sigma


class Two(nn.Module):
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return images, images


class Checking(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        if images.min() < 2:
            raise RuntimeError("not today")
        return images


RAISING = {
    "two scales": (Upscaled(), "model.torchscript.multiple=4, 8 or 16; if it was traced for one"),
    "one size": (Folded(), "traced for one size, export it with a dynamic height and width"),
    "shuffled": (Shuffled(), "model.torchscript.multiple=4, 8 or 16"),
    "concatenated": (Concatenated(), "model.torchscript.multiple=4, 8 or 16"),
    "padded": (nn.ReflectionPad2d(40), "its layers seem to take other sizes"),
    "half": (nn.Conv2d(3, 3, 3, padding=1).half(), "save it in float32"),
    "bfloat16": (nn.Conv2d(3, 3, 3, padding=1).bfloat16(), "save it in float32"),
    "double": (nn.Conv2d(3, 3, 3, padding=1).double(), "save it in float32"),
    "half layer": (nn.Linear(28, 28).half(), "save it in float32"),
    "a level": (Told(), "a second input, such as the noise's level: .*channels=4"),
    "grey": (nn.Conv2d(1, 1, 3, padding=1), "model.torchscript.channels=1"),
    "level map": (nn.Conv2d(4, 3, 3, padding=1), "model.torchscript.channels=4"),
    "its own": (Checking(), "not today; try the network by itself on a float32 tensor"),
    "two outputs": (Two(), r"returned a tuple of 2, not a tensor"),
}


@pytest.mark.parametrize(("network", "sentence"), RAISING.values(), ids=RAISING)
def test_a_torchscript_network_that_raises_is_one_sentence_with_a_cure(network, sentence, tmp_path):
    file = scripted(tmp_path / "net.pt", network.eval())
    with pytest.raises(RestorationError, match=rf"net\.pt .*{sentence}") as refused:
        TorchScript(file=str(file)).denoise(noisy())
    said = str(refused.value)
    assert "\n" not in said and "TorchScript interpreter" not in said
    assert "returned" in said or "fails on (1, 3, 20, 28): " in said


def test_the_cure_for_sizes_cures(tmp_path):
    for network in (Upscaled(), Shuffled(), Concatenated()):
        file = str(scripted(tmp_path / "net.pt", network))
        assert TorchScript(file=file, multiple=8).denoise(noisy()).shape == (1, 3, 20, 28)


def test_an_onnx_network_that_raises_is_one_sentence_with_a_cure(tmp_path):
    onnx = pytest.importorskip("onnx", reason="needs the package onnx")
    path = exported(tmp_path / "net.onnx")
    model = onnx.load(path)
    node = onnx.helper.make_node("Reshape", ["halved", "sides"], ["restored"])
    model.graph.node[0].output[0] = "halved"
    model.graph.node.append(node)
    sides = torch.tensor([1, 3, 16, 16]).numpy()
    model.graph.initializer.append(onnx.numpy_helper.from_array(sides, "sides"))
    onnx.save(model, path)
    with pytest.raises(
        RestorationError, match=r"net\.onnx fails on .*: .*; .*it was traced for one"
    ):
        ONNX(file=str(path)).denoise(noisy())
    assert ONNX(file=str(path)).denoise(noisy(16, 16)).shape == (1, 3, 16, 16)


# ONNX and TorchScript


@pytest.mark.parametrize("images", [1, 2])
def test_onnx_gives_what_the_network_gives(images, tmp_path):
    image = noisy(images=images)
    found = ONNX(file=str(exported(tmp_path / "net.onnx"))).denoise(image)
    torch.testing.assert_close(found, image / 2)


def test_onnx_is_told_the_level_where_its_file_has_a_channel_for_it(tmp_path):
    file = str(exported(tmp_path / "net.onnx", channels=4, outputs=3))
    torch.testing.assert_close(ONNX(file=file).denoise(noisy()), noisy() / 2)


def test_an_onnx_file_for_one_size_says_which(tmp_path):
    model = ONNX(file=str(exported(tmp_path / "net.onnx", sides=[16, 24])))
    assert model.denoise(noisy(16, 24)).shape == (1, 3, 16, 24)
    with pytest.raises(ValueError, match=r"takes images of 16x24 alone, got 20x28; export it with"):
        model.denoise(noisy(20, 28))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"channels": 5}, "export it with 1 to 4 channels"),
        ({"channels": "channels"}, "export it with 1 to 4 channels"),
        ({"kind": 10}, r"has noisy tensor\(float16\) .* export a network with one input"),
        ({"beside": True}, "is no ONNX file with its weights inside: .*External data"),
    ],
)
def test_an_onnx_file_that_does_not_fit_says_why(changes, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where weights beside a file would be found
    path = exported(tmp_path / "net.onnx", **changes)
    with pytest.raises(ValueError, match=sentence):
        ONNX(file=str(path))


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x08\x08"])
def test_another_file_than_onnx_is_one_sentence(content, tmp_path):
    pytest.importorskip("onnxruntime", reason="needs the package onnxruntime")
    (tmp_path / "net.onnx").write_bytes(content)
    with pytest.raises(ValueError, match=r"net\.onnx is no ONNX file with its weights inside"):
        ONNX(file=str(tmp_path / "net.onnx"))


def test_a_device_onnxruntime_cannot_use_is_one_sentence(tmp_path):
    model = ONNX(file=str(exported(tmp_path / "net.onnx")))
    with pytest.raises(ValueError, match="no METAExecutionProvider here; pip install onnxruntime-"):
        model.call(noisy().to("meta"))


@pytest.mark.parametrize("content", [b"", b"<html>"])
def test_another_file_than_torchscript_is_one_sentence(content, tmp_path):
    (tmp_path / "net.pt").write_bytes(content)
    with pytest.raises(ValueError, match=r"net\.pt is no TorchScript archive: "):
        TorchScript(file=str(tmp_path / "net.pt"))


def test_torchscript_warns_of_nothing(tmp_path):
    path = scripted(tmp_path / "net.pt", halving())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        torch.testing.assert_close(TorchScript(file=str(path)).denoise(noisy()), noisy() / 2)
