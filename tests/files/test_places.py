"""A path is looked at before it is opened: whatever is there, one sentence answers at once."""

import os
import socket
from pathlib import Path

import pytest
import torch

from baselines.adapters import ONNX, Adapter, DeepInverse, Spandrel, TorchScript
from benchmark.cli.objects.training import start_from
from benchmark.denoiser import DENOISERS
from benchmark.denoiser.weights.load import (
    all_shipped,
    load_network,
    read_header,
    save_weights,
    weights_path,
)
from benchmark.files.places import named_file
from benchmark.files.whole import file_hash

ADDRESSES = [
    "https://example.org/a.pth",
    "HTTP://example.org/a.pth",
    "ftp://example.org/a.pth",
    "hf://owner/name/a.safetensors",
    "hf:owner/name",
    "s3://bucket/a.pth",
    "gs://bucket/a.pth",
    "file:///tmp/a.pth",
    "https://drive.google.com/file/d/1a2b/view?usp=sharing",
    "gdrive:1a2b",
    "www.example.org/a.pth",
]


def folder(path: Path) -> None:
    path.mkdir()
    for name in ("b.pth", "a.ckpt", "c.safetensors", "notes.txt"):
        (path / name).touch()


def sockets(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


def loop(path: Path) -> None:
    path.symlink_to(path)


KINDS = {
    "a folder": (folder, "is a folder, not a file; give one of those in it: a.ckpt, b.pth, c.safe"),
    "an empty folder": (Path.mkdir, "is a folder, not a file; there is none in it that ends in"),
    "a FIFO": (os.mkfifo, "is a FIFO, a socket or a device; give a file"),
    "a socket": (sockets, "is a FIFO, a socket or a device; give a file"),
    "a dead link": (
        lambda p: p.symlink_to("gone.pth"),
        "is a link to gone.pth, which is not there",
    ),
    "a link to a FIFO": (
        lambda p: (os.mkfifo(p.with_name("fifo")), p.symlink_to("fifo")),
        "is a FIFO, a socket or a device",
    ),
    "a link to itself": (loop, "is "),
}


def doors(given: str) -> list:
    """Everything that opens weights, of a named path."""
    return [
        lambda: load_network(DENOISERS["dncnn"], weights_path(DENOISERS["dncnn"], given), {}),
        lambda: read_header(Path(given)),
        lambda: Spandrel(weights=given),
        lambda: DeepInverse(denoiser="DnCNN", weights=given),
        lambda: ONNX(file=given),
        lambda: TorchScript(file=given),
        lambda: start_from(DENOISERS["dncnn"](), given),
    ]


@pytest.fixture(autouse=True)
def _packages(monkeypatch):
    monkeypatch.setattr(Adapter, "package", "")


@pytest.mark.parametrize("place", range(7))
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_called_by_its_kind_and_never_opened(kind, place, tmp_path):
    make, sentence = KINDS[kind]
    make(tmp_path / "a.pth")
    if place == 3:
        pytest.importorskip("deepinv", reason="needs the package deepinv")
    if kind.endswith("folder") and place in (4, 5):
        sentence = "is a folder, not a file; "
    with pytest.raises(ValueError) as refused:
        doors(str(tmp_path / "a.pth"))[place]()
    assert str(tmp_path / "a.pth") in str(refused.value)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("given", ADDRESSES)
def test_an_address_is_not_downloaded(given):
    said = "is an address, and nothing is downloaded; download the file and give its path"
    with pytest.raises(ValueError, match=said):
        weights_path(DENOISERS["dncnn"], given)
    with pytest.raises(ValueError, match=said):
        named_file(Path(given))  # which has one slash less


@pytest.mark.parametrize(
    "given", ["a.pth", "x/y.pth", "C:weights.pth", "a:b.pth", "~/a.pth", "hf.pth"]
)
def test_a_path_is_no_address_and_need_not_exist(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert named_file(given) == Path(given.replace("~", str(tmp_path)))


@pytest.mark.parametrize("given", ["~nobody-of-this-name/a.pth", "x" * 5000])
def test_a_path_that_cannot_be_is_one_sentence(given):
    with pytest.raises(ValueError, match="is no path of a file"):
        named_file(given)


def test_a_file_that_may_not_be_read_is_one_sentence(tmp_path, monkeypatch):
    torch.save({}, tmp_path / "a.pth")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may read anything
    with pytest.raises(ValueError, match="may not be read; change its permissions"):
        named_file(tmp_path / "a.pth")


def test_a_training_starts_from_a_file_of_its_own_network_alone(tmp_path, recwarn):
    small, path = {"depth": 3, "width": 8}, tmp_path / "a.pth"
    cls = DENOISERS["dncnn"]
    given, network = cls(**small), cls(**small)
    torch.save({"params_ema": given.state_dict()}, path)
    assert start_from(network, str(path)) == file_hash(path)
    assert torch.equal(network.model[0].weight, given.model[0].weight)
    assert not recwarn
    with pytest.raises(ValueError, match=r"start=.* holds a 'dncnn' of another size than the one"):
        start_from(cls(depth=4, width=8), str(path))
    with pytest.raises(ValueError, match=r"there is no file .*none\.pth; give .*start=FILE"):
        start_from(network, str(tmp_path / "none.pth"))
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="is empty; download it again"):
        start_from(network, str(path))


def test_a_training_starts_from_weights_which_ship_by_their_name():
    cls = DENOISERS["idf"]
    network, path = cls(), all_shipped(cls)["idf_tiny"]
    assert start_from(network, "idf_tiny") == file_hash(path)
    shipped = load_network(cls, path, {}).state_dict()
    assert all(torch.equal(value, shipped[key]) for key, value in network.state_dict().items())
    with pytest.raises(ValueError, match=r"there is no file dncnn_tiny; .* \(of 'idf': .*idf_tiny"):
        start_from(network, "dncnn_tiny")


def test_a_start_from_a_network_which_computes_otherwise_is_said(tmp_path):
    cls, path = DENOISERS["idf"], tmp_path / "a.safetensors"
    trained = {"noise": {"of": "gaussian"}, "level": 15.0}
    save_weights(path, cls(width=8, iterations=4), {"width": 8, "iterations": 4}, trained)
    with pytest.warns(UserWarning, match=r"a network with iterations=4 \(here 10\); give this"):
        start_from(cls(width=8), str(path))
