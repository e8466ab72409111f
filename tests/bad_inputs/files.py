"""Hostile files as weights, for every door that opens some, and the spellings of averages."""

import gzip
import io
import json
import os
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save

from bad_inputs.entry import WORKS, BadInput, typed
from baselines.dncnn import DnCNN

FILE = "w.pth"


class Shell:
    """Unpickling it runs a command, which leaves a file behind."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch executed",)


def network(**settings: int) -> dict[str, torch.Tensor]:
    return DnCNN(**{"depth": 3, "width": 8, **settings}).state_dict()


def stored(content: object, **how: object) -> bytes:
    """What ``torch.save`` makes of an object."""
    buffer = io.BytesIO()
    torch.save(content, buffer, **how)
    return buffer.getvalue()


def legacy(content: object) -> bytes:
    return stored(content, _use_new_zipfile_serialization=False)


def header(text: str | bytes, length: int | None = None, data: bytes = b"") -> bytes:
    """A safetensors file of this header."""
    text = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def ours(facts: object) -> bytes:
    """Weights whose header says these facts of ``bench train``."""
    return save(network(), metadata={"noisebench": json.dumps(facts)})


def around_itself() -> dict[str, object]:
    state: dict[str, object] = {}
    state["model"] = state
    return state


def around_each_other() -> dict[str, object]:
    first: dict[str, object] = {}
    first["state_dict"] = {"model": first}
    return first


def zipped(names: tuple[str, ...]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("archive/data.pkl"))
    return buffer.getvalue()


def array(save_array: Callable[..., None]) -> bytes:
    buffer = io.BytesIO()
    save_array(buffer, np.zeros(3))
    return buffer.getvalue()


def scripted() -> bytes:
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Conv2d(3, 3, 1)), buffer)
    return buffer.getvalue()


F32 = '{"a":{"dtype":"F32","shape":[%s],"data_offsets":[%s]}}'
FACTS = {"model": "dncnn", "arguments": {"depth": 3, "width": 8}, "training": {}}
CONTENTS: dict[str, Callable[[], bytes]] = {  # none of them is the weights of a DnCNN
    "empty": lambda: b"",
    "one byte": lambda: b"\x80",
    "zeros": lambda: bytes(1000),
    "text": lambda: b"hello\n",
    "html": lambda: b"<!DOCTYPE html><html><body>404</body></html>",
    "html after spaces": lambda: b"\n\n  <html>",
    "json": lambda: b'{"error": "not found"}',
    "LFS pointer": lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "cut torch file": lambda: stored(network())[:-500],
    "half a torch file": lambda: stored(network())[:600],
    "cut legacy file": lambda: legacy(network())[:-100],
    "cut safetensors": lambda: save(network())[:-100],
    "safetensors cut in its header": lambda: save(network())[:40],
    "os.system": lambda: stored({"state_dict": Shell()}),
    "os.system, legacy": lambda: legacy(Shell()),
    "os.system, plain pickle": lambda: pickle.dumps(Shell()),
    "os.system, protocol 0": lambda: pickle.dumps(Shell(), protocol=0),
    "plain pickle of a dict": lambda: pickle.dumps({"a": 1}),
    "a whole network": lambda: stored(torch.nn.Conv2d(3, 3, 1)),
    "TorchScript": scripted,
    "zip of nothing": lambda: zipped(()),
    "zip of text": lambda: zipped(("a.txt",)),
    "zip that leaves its folder": lambda: zipped(("../../x", "archive/data.pkl")),
    "tar": tarred,
    "gzip": lambda: gzip.compress(stored(network())),
    "npy": lambda: array(np.save),
    "npz": lambda: array(np.savez),
    "png": lambda: b"\x89PNG\r\n\x1a\n" + bytes(50),
    "around itself": lambda: stored(around_itself()),
    "around each other": lambda: stored(around_each_other()),
    "empty dict": lambda: stored({}),
    "empty state_dict": lambda: stored({"state_dict": {}}),
    "a list": lambda: stored([1, 2]),
    "a tensor": lambda: stored(torch.zeros(3)),
    "None": lambda: stored(None),
    "numbers as keys": lambda: stored({1: torch.zeros(3), (2, 3): torch.zeros(1)}),
    "words for tensors": lambda: stored({key: "x" for key in network()}),
    "tensors without axes": lambda: stored({key: torch.zeros(()) for key in network()}),
    "empty tensors": lambda: stored({key: torch.zeros(0) for key in network()}),
    "no finite number": lambda: stored({k: v * float("nan") for k, v in network().items()}),
    "complex tensors": lambda: stored({k: v.to(torch.complex64) for k, v in network().items()}),
    "sparse tensors": lambda: stored({k: v.to_sparse() for k, v in network().items()}),
    "tensors on meta": lambda: stored({k: v.to("meta") for k, v in network().items()}),
    "half of the tensors": lambda: stored(dict(list(network().items())[::2])),
    "another network": lambda: stored(torch.nn.Conv2d(3, 3, 1).state_dict()),
    "header no JSON": lambda: header("{no json at all"),
    "header a list": lambda: header("{[1, 2]"),
    "header not UTF-8": lambda: header(b'{"\xff\xfe": 1}'),
    "header of 5000 brackets": lambda: header("{" + '"a":[' * 5000),
    "header longer than the file": lambda: header("{}", length=2**40),
    "header of negative length": lambda: header("{}", length=2**63),
    "header beyond the data": lambda: header(F32 % ("1000000", "0,4000000")),
    "header with a negative shape": lambda: header(F32 % ("-1", "0,4"), data=bytes(4)),
    "header with a huge shape": lambda: header(
        F32 % ("99999999999,9999999999", "0,4"), data=b"abcd"
    ),
    "header empty": lambda: header("{}"),
    "our header no JSON": lambda: save(network(), metadata={"noisebench": "{no json"}),
    "our header a list": lambda: ours([]),
    "our header null": lambda: ours(None),
    "our header without arguments": lambda: ours({"model": "dncnn"}),
    "our header without a model": lambda: ours({"arguments": {}}),
    "our header of an unknown model": lambda: ours({**FACTS, "model": "nosuch"}),
    "our header of another model": lambda: ours({**FACTS, "model": "ridnet"}),
    "our header with a list for a model": lambda: ours({**FACTS, "model": ["dncnn"]}),
    "our header with unknown arguments": lambda: ours({**FACTS, "arguments": {"nosuch": 1}}),
    "our header with wrong arguments": lambda: ours({**FACTS, "arguments": {"width": "x"}}),
    "our header with width 0": lambda: ours({**FACTS, "arguments": {"width": 0}}),
    "our header with a list of arguments": lambda: ours({**FACTS, "arguments": [3, 8]}),
    "our header with a huge width": lambda: ours({**FACTS, "arguments": {"width": 10**9}}),
}


def _fifo(path: Path) -> None:
    os.mkfifo(path)


PLACES: dict[str, Callable[[Path], object]] = {
    "absent": lambda path: None,
    "folder": lambda path: path.mkdir(),
    "folder of a file": lambda path: (path.mkdir(), (path / "config.json").write_text("{}")),
    "FIFO": _fifo,
    "dead link": lambda path: path.symlink_to("gone"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "link to a folder": lambda path: path.symlink_to("."),
    "device": lambda path: path.symlink_to("/dev/zero"),
}
ADDRESSES = (
    "https://example.org/a.pth",
    "http://localhost:1/a.pth",
    "hf://user/model",
    "s3://bucket/a.pth",
    "file:///nowhere/a.pth",
)
DOORS = {  # how a file is given to each door
    "dncnn": ("check-model", "model=dncnn", "model.dncnn.weights=FILE"),
    "zoo": ("zoo", "weights=[FILE]"),
    "start": ("train", "start=FILE"),
    "onnx": ("check-model", "model=onnx", "model.onnx.file=FILE"),
    "torchscript": ("check-model", "model=torchscript", "model.torchscript.file=FILE"),
    "spandrel": ("check-model", "model=spandrel", "model.spandrel.weights=FILE"),
}
EVERYWHERE = ("empty", "html", "LFS pointer", "os.system", "around itself", "header no JSON")


def _through(door: str, file: str) -> tuple[str, ...]:
    command, *words = DOORS[door]
    return typed(command, *(word.replace("FILE", file) for word in words))


def _hostile() -> list[BadInput]:
    found = []
    for door in DOORS:
        for name, content in CONTENTS.items():
            if door != "dncnn" and name not in EVERYWHERE:
                continue

            def prepare(folder: Path, content: Callable[[], bytes] = content) -> None:
                (folder / FILE).write_bytes(content())

            words = _through(door, FILE)
            found.append(BadInput(f"4.2 {door}: {name}", words, prepare=prepare))
        for name, make in PLACES.items():

            def place(folder: Path, make: Callable[[Path], object] = make) -> None:
                make(folder / FILE)

            found.append(BadInput(f"4.4 {door}: {name}", _through(door, FILE), prepare=place))
        for address in ADDRESSES if door == "dncnn" else ADDRESSES[:1]:
            found.append(BadInput(f"4.4 {door}: {address}", _through(door, address)))
    return found


def _averaged(spelling: str) -> dict[str, object]:
    """A checkpoint with the raw weights of a network and their average, spelled in some way."""
    raw, average = network(), network()

    def named(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {f"{prefix}{key}": value for key, value in tensors.items()}

    raw_key, _, key = spelling.partition("/")
    if key.endswith("."):
        return {**named(raw_key, raw), **named(key, average)}
    return {raw_key: raw, key: average}


SPELLINGS = (
    *("model/ema", "model/model_ema", "state_dict/state_dict_ema", "state_dict/ema_state_dict"),
    *("online_model./ema_model.", "model./ema_model.", "params/params_ema", "net/net_ema"),
)


def _averages() -> list[BadInput]:
    found = []
    for spelling in SPELLINGS:

        def prepare(folder: Path, spelling: str = spelling) -> None:
            (folder / FILE).write_bytes(stored(_averaged(spelling)))

        words = typed("run", "model=dncnn", f"model.dncnn.weights={FILE}", "shard=1/9")
        name = f"1.4 {spelling}"
        found.append(BadInput(name, words, WORKS, "averag", prepare, warns=True))
    return found


ENTRIES = [*_hostile(), *_averages()]
