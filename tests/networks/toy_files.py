"""Files of other libraries, each of a network of a few weights."""

import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from baselines.adapters import ONNX, Adapter, DeepInverse, Spandrel, TorchScript


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
