"""Networks of spandrel, deepinv, ONNX and TorchScript restore images as ours do, or say why not."""

import json
import os
import sys
import warnings
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from torch import Tensor, nn

from baselines.adapters import ONNX, Adapter, DeepInverse, Spandrel, TorchScript
from benchmark.cli.objects.specs import spec_of
from benchmark.cli.registered.catalogue import unavailable
from benchmark.cli.registered.entries import entry_of
from benchmark.denoiser.contract import RestorationError
from benchmark.denoiser.inference import Inference
from benchmark.denoiser.promises import CHECKS, outcome
from benchmark.files.whole import file_hash
from benchmark.objects.building import build_one, recorded_settings


def noisy(height: int = 20, width: int = 28, images: int = 1) -> Tensor:
    return torch.rand(images, 3, height, width, generator=torch.Generator().manual_seed(0))


def grey_dncnn(path: Path) -> nn.Module:
    """A file with the names of KAIR's grey DnCNN of 8 convolutions; returns what it subtracts."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 8, 3, padding=1), nn.ReLU()]
    for _ in range(6):
        layers += [nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Conv2d(8, 1, 3, padding=1))
    torch.save({f"model.{key}": value for key, value in model.state_dict().items()}, path)
    return model


def halving(channels: int = 3, outputs: int | None = None) -> nn.Module:
    """Each output channel is half of the input channel of its number."""
    outputs = outputs or channels
    layer = nn.Conv2d(channels, outputs, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(outputs, channels)[:, :, None, None] / 2)
    return nn.Sequential(layer).eval()


def scripted(path: Path, network: nn.Module) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        torch.jit.script(network).save(path)
    return path


def exported(path: Path, channels: object = 3, outputs: int = 3, **changes: object) -> Path:
    """An ONNX file of one 1x1 convolution which halves each channel."""
    onnx = pytest.importorskip("onnx", reason="needs the package onnx")
    pytest.importorskip("onnxruntime", reason="needs the package onnxruntime")
    told = {
        "sides": ["height", "width"],
        "kind": onnx.TensorProto.FLOAT,
        "beside": False,
        **changes,
    }
    helper = onnx.helper
    number = channels if isinstance(channels, int) else outputs
    kernel = torch.eye(outputs, number)[:, :, None, None].numpy() / 2
    if told["kind"] != onnx.TensorProto.FLOAT:
        kernel = kernel.astype("float16")
    ends = [
        helper.make_tensor_value_info(name, told["kind"], ["batch", count, *told["sides"]])
        for name, count in (("noisy", channels), ("restored", outputs))
    ]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["noisy", "kernel"], ["restored"])],
        "halved",
        ends[:1],
        ends[1:],
        [onnx.numpy_helper.from_array(kernel, "kernel")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path, save_as_external_data=told["beside"], size_threshold=0)
    return path


@pytest.fixture
def tv() -> Adapter:
    pytest.importorskip("deepinv", reason="needs the package deepinv")
    return DeepInverse(denoiser="TVDenoiser", arguments={"n_it_max": 20})


def adapter(name: str, folder: Path) -> Adapter:
    """A tiny one of each kind."""
    if name == "spandrel":
        pytest.importorskip("spandrel", reason="needs the package spandrel")
        grey_dncnn(folder / "grey.pth")
        return Spandrel(weights=str(folder / "grey.pth"))
    if name == "deepinv":
        models = pytest.importorskip("deepinv.models", reason="needs the package deepinv")
        size = {"depth": 3, "nf": 8}
        torch.manual_seed(0)
        network = models.DnCNN(pretrained=None, **size)
        torch.save(network.state_dict(), folder / "net.pth")
        return DeepInverse(denoiser="DnCNN", arguments=size, weights=str(folder / "net.pth"))
    if name == "onnx":
        return ONNX(file=str(exported(folder / "net.onnx")))
    return TorchScript(file=str(scripted(folder / "net.pt", halving())))


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


def test_a_deepinv_network_that_raises_is_one_sentence_with_a_cure(tv, monkeypatch):
    def fail(*_: object, **__: object) -> Tensor:
        raise RuntimeError("The size of tensor a (5) must match the size of tensor b (4)")

    monkeypatch.setattr(tv.network, "forward", fail)
    with pytest.raises(RestorationError, match=r"TVDenoiser fails .*model\.deepinv\.multiple=4, 8"):
        tv.denoise(noisy())


def test_a_spandrel_network_that_raises_is_one_sentence(tmp_path, monkeypatch):
    model = adapter("spandrel", tmp_path)

    def fail(_: Tensor) -> Tensor:
        raise IndexError("no such layer")

    monkeypatch.setattr(model, "described", fail)
    with pytest.raises(RestorationError, match=r"grey\.pth fails on \(3, 1, 20, 28\): no such"):
        model.denoise(noisy())


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


# deepinv


def test_deepinv_s_denoiser_gets_sigma_of_255(tv):
    from deepinv.models import TVDenoiser

    expected = TVDenoiser(n_it_max=20)(noisy(), 15 / 255).clamp(0, 1)
    torch.testing.assert_close(tv.denoise(noisy()), expected)
    strong = DeepInverse(denoiser="TVDenoiser", arguments={"n_it_max": 20}, sigma=60)
    assert strong.denoise(noisy()).std() < tv.denoise(noisy()).std()


def test_deepinv_s_warm_start_does_not_reach_the_next_image(tv):
    first = tv.denoise(noisy())
    tv.denoise(1 - noisy())
    assert torch.equal(tv.denoise(noisy()), first)


def test_deepinv_s_grey_networks_restore_each_colour(tmp_path):
    models = pytest.importorskip("deepinv.models", reason="needs the package deepinv")
    size = {"n_conv_layers": 3, "nf": 8}
    network = models.FFDNet(pretrained=None, **size).eval()
    torch.save(network.state_dict(), tmp_path / "ffdnet.pth")
    weights = str(tmp_path / "ffdnet.pth")
    model = DeepInverse(denoiser="FFDNet", arguments=size, weights=weights, multiple=2)
    image = noisy(20, 28)
    with torch.inference_mode():
        expected = network(image.transpose(0, 1), 15 / 255).transpose(0, 1).clamp(0, 1)
    torch.testing.assert_close(model.denoise(image), expected)
    assert model.denoise(noisy(7, 9)).shape == (1, 3, 7, 9)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"denoiser": "DRUnet"}, "deepinv has no denoiser 'DRUnet'; did you mean 'DRUNet'?"),
        ({"denoiser": "AnscombeDenoiser"}, "deepinv has no denoiser 'AnscombeDenoiser'"),
        ({"denoiser": "DRUNet"}, "deepinv's DRUNet needs a file: model.deepinv.weights=FILE"),
        ({"denoiser": "UNet"}, "deepinv's UNet needs a file: model.deepinv.weights=FILE"),
        (
            {"denoiser": "MedianFilter", "arguments": {"kernal": 3}},
            "deepinv's MedianFilter: ",
        ),
        (
            {"denoiser": "DnCNN", "arguments": {"pretrained": "download"}},
            "got multiple values for keyword argument 'pretrained'",
        ),
    ],
)
def test_what_deepinv_does_not_have_is_one_sentence(settings, sentence):
    pytest.importorskip("deepinv", reason="needs the package deepinv")
    with pytest.raises(ValueError) as refused:
        DeepInverse(**settings)
    assert sentence in str(refused.value)


def test_weights_of_another_network_are_one_sentence(tmp_path):
    pytest.importorskip("deepinv", reason="needs the package deepinv")
    grey_dncnn(tmp_path / "grey.pth")
    with pytest.raises(ValueError, match=r"grey\.pth does not fit: Error.* for DnCNN: Missing key"):
        DeepInverse(denoiser="DnCNN", weights=str(tmp_path / "grey.pth"))


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
