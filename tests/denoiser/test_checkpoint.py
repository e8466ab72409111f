"""Headers, numbers and objects which a weights file should not have are one sentence each."""

import argparse
import importlib
import json
import os
import pickle
import shutil
import subprocess
from collections import defaultdict, deque
from datetime import datetime
from enum import Enum
from pathlib import Path

import numpy as np
import pytest
import torch
from doubles import Small
from omegaconf import OmegaConf
from safetensors.torch import load_file, save_file

from benchmark.denoiser import DENOISERS
from benchmark.denoiser.weights.load import load_network, read_header, save_weights

ARGUMENTS = {"depth": 3, "width": 8, "batch_norm": True}
TRAINING = {"recipe": {"steps": 7}, "final_loss": 0.25}
GOOD = {"model": "dncnn", "arguments": ARGUMENTS, "training": TRAINING}
SWIN = {"embed_dim": 12, "depths": (2,), "num_heads": 2, "window_size": 4}


@pytest.fixture
def small(monkeypatch) -> Small:
    monkeypatch.setattr(DENOISERS, "data", {"small": Small})
    torch.manual_seed(0)
    return Small(width=6)


@pytest.fixture
def path(tmp_path) -> Path:
    """A weights file of a tiny DnCNN."""
    path = tmp_path / "dncnn.safetensors"
    save_weights(path, DENOISERS["dncnn"](**ARGUMENTS), ARGUMENTS, TRAINING)
    return path


def refusal(cls: type, path: Path, settings: dict[str, object] | None = None) -> str:
    with pytest.raises(ValueError) as caught:
        load_network(cls, path, settings or {})
    return str(caught.value)


@pytest.mark.parametrize(
    "header",
    [
        "{model: dncnn",
        "",
        "null",
        "[]",
        "[[" * 50_000,
        '"dncnn"',
        "{}",
        {**GOOD, "model": None},
        {**GOOD, "model": ["dncnn"]},
        {**GOOD, "arguments": None},
        {**GOOD, "arguments": [3, 8]},
        {**GOOD, "training": "long"},
        {"model": "dncnn"},
        {"arguments": ARGUMENTS},
        {**GOOD, "arguments": {**ARGUMENTS, "width": "8"}},
        {**GOOD, "arguments": {**ARGUMENTS, "width": 8.5}},
        {**GOOD, "arguments": {**ARGUMENTS, "width": None}},
        {**GOOD, "arguments": {**ARGUMENTS, "width": -1}},
        {**GOOD, "arguments": {**ARGUMENTS, "width": 0}},
        {**GOOD, "arguments": {**ARGUMENTS, "depth": {}}},
        {**GOOD, "arguments": {**ARGUMENTS, "depth": [3]}},
        {**GOOD, "arguments": {**ARGUMENTS, "depht": 3}},
        {**GOOD, "arguments": {**ARGUMENTS, "self": 3}},
        {**GOOD, "arguments": {}},
        {**GOOD, "model": "dncnn2"},
    ],
)
def test_a_header_that_cannot_be_used_is_one_sentence_naming_the_file(header, path):
    text = header if isinstance(header, str) else json.dumps(header)
    save_file(load_file(path), path, metadata={"noisebench": text})
    message = refusal(DENOISERS["dncnn"], path)
    assert message.startswith(f"{path} ")
    assert "\n" not in message
    if not isinstance(header, dict) or not all(
        isinstance(header.get(key), kind) for key, kind in (("model", str), ("arguments", dict))
    ):
        with pytest.raises(ValueError, match="says in its header 'noisebench' nothing that can be"):
            read_header(path)


def test_a_mistaken_setting_is_not_blamed_on_a_file_of_ours(tmp_path):
    arguments = {**SWIN, "mask": True, "passes": 1}
    save_weights(tmp_path / "a.safetensors", DENOISERS["masked"](**arguments), arguments, {})
    assert not refusal(DENOISERS["masked"], tmp_path / "a.safetensors", {"passes": 0}).startswith(
        str(tmp_path)
    )


def with_first(network: Small, change) -> dict:
    return {**network.state_dict(), "first.weight": change(network.first.weight.detach().clone())}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda v: v.mul(9).to(torch.int8), "'first.weight' is stored as int8, as quantized"),
        (lambda v: v.to(torch.uint8), "'first.weight' is stored as uint8, as quantized"),
        (lambda v: v.bool(), "'first.weight' is stored as bool, as quantized"),
        (lambda v: v.to(torch.complex64), "'first.weight' is stored as complex64"),
        (lambda v: v.fill_(float("nan")), "'first.weight' has values which are not finite"),
        (lambda v: v.fill_(float("inf")), "'first.weight' has values which are not finite"),
        (lambda v: v.half().fill_(float("nan")), "'first.weight' has values which are not finite"),
        (lambda v: v.to_sparse(), "'first.weight' is a sparse tensor"),
        (lambda v: v.to("meta"), "'first.weight' is only a shape, without values"),
        (
            lambda v: torch.quantize_per_tensor(v, 0.1, 0, torch.qint8),
            "'first.weight' is a quantized tensor",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_weights_that_are_no_finite_real_numbers_are_one_sentence(
    change, sentence, small, tmp_path
):
    torch.save(with_first(small, change), tmp_path / "a.pth")
    message = refusal(Small, tmp_path / "a.pth")
    assert sentence in message
    assert str(tmp_path / "a.pth") in message


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_loaded_as_float32(kind, small, tmp_path):
    torch.save({k: v.to(kind) for k, v in small.state_dict().items()}, tmp_path / "a.pth")
    found = load_network(Small, tmp_path / "a.pth", {})
    assert found.first.weight.dtype == torch.float32
    torch.testing.assert_close(found.first.weight, small.first.weight, atol=1e-2, rtol=0)


def test_a_checkpoint_may_contain_itself(small, tmp_path):
    stored = {"state_dict": small.state_dict()}
    stored["self"] = stored
    torch.save(stored, tmp_path / "a.pth")
    assert torch.equal(load_network(Small, tmp_path / "a.pth", {}).first.weight, small.first.weight)
    nothing: dict = {}
    nothing["state_dict"] = nothing
    torch.save(nothing, tmp_path / "b.pth")
    assert "holds no tensors" in refusal(Small, tmp_path / "b.pth")


class Settings(dict):
    """A class of a training's own, as of mmengine or easydict."""


class Kind(Enum):
    ONE = 1


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize(
    "beside",
    [
        argparse.Namespace(width=6),
        Settings(width=6),
        Kind.ONE,
        Path("a"),
        datetime(2020, 1, 1),
        defaultdict(list, {1: [2]}),
        deque([1]),
        slice(1, 2),
        np.arange(3),
        np.float32(2),
        OmegaConf.create({"a": [1, {"b": 2}]}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_objects_of_any_class_beside_the_tensors_are_left_out(beside, legacy, small, tmp_path):
    path = tmp_path / "a.ckpt"
    stored = {"hyper_parameters": beside, "state_dict": small.state_dict()}
    torch.save(stored, path, _use_new_zipfile_serialization=not legacy)
    assert torch.equal(load_network(Small, path, {}).first.weight, small.first.weight)


class Call:
    """Unpickled, it calls a function."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


@pytest.mark.parametrize(
    "function",
    [os.mkdir, os.system, os.makedirs, eval, exec, getattr, open, print, subprocess.call]
    + [subprocess.Popen, shutil.rmtree, pickle.loads, torch.load, importlib.import_module],
    ids=lambda function: function.__name__,
)
@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_what_calls_a_function_of_a_program_is_refused_by_its_name(
    function, legacy, small, tmp_path
):
    path, made = tmp_path / "a.pth", tmp_path / "made"
    stored = {**small.state_dict(), "trap": Call(function, str(made))}
    torch.save(stored, path, _use_new_zipfile_serialization=not legacy)
    message = refusal(Small, path)
    assert "holds Python objects (" in message
    assert f"{function.__name__}) beside its tensors" in message
    assert "weights_only" not in message
    assert not made.exists()
