"""Published checkpoints rebuild their network by their shapes; others get one sentence."""

import argparse
import pickle
import random
import warnings

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel
from toy_checkpoints import SWIN, Other, Small, refusal

from benchmark.denoiser import DENOISERS
from benchmark.denoiser.weights.load import (
    all_shipped,
    load_network,
    read_header,
)
from benchmark.denoiser.weights.sizes import own_settings, size_of


def test_settings_of_a_training_which_are_ours_are_named_beside_the_published_ones():
    cls = DENOISERS["masked"]
    published = read_header(all_shipped(cls)["masked_80_90_tiny"])
    assert own_settings(published) == ""
    ours = {**published, "arguments": {**published["arguments"], "input_ratio": [0, 90]}}
    assert own_settings(ours) == "input_ratio=[0,90] (published: [80,90])"
    assert "input_ratio=[0,90]" in size_of(ours)


def prefixed(prefix: str, state: dict) -> dict:
    return {prefix + key: value for key, value in state.items()}


def without_counters(state: dict) -> dict:
    return {key: value for key, value in state.items() if "num_batches" not in key}


def of_lightning(network: Small) -> dict:
    """A checkpoint with a loss network's tensors beside those of the network."""
    state = {"loss.weight": torch.ones(3, 1), **prefixed("model.", network.state_dict())}
    optimizer = torch.optim.Adam(network.parameters()).state_dict()
    return {"epoch": 3, "state_dict": state, "optimizer_states": [optimizer]}


PUBLISHED = {
    "bare": lambda n: n.state_dict(),
    "before counters": lambda n: without_counters(n.state_dict()),
    "with what we derive": lambda n: {**n.state_dict(), "first.index": torch.arange(3)},
    "half precision": lambda n: {k: v.half() for k, v in n.state_dict().items()},
    "BasicSR": lambda n: {"params": n.state_dict()},
    "state_dict": lambda n: {"arch": "small", "state_dict": n.state_dict(), "best": 31.5},
    "model": lambda n: {"model": n.state_dict(), "optimizer": {"state": {0: torch.ones(2)}}},
    "net": lambda n: {"net": n.state_dict(), "epoch": 5},
    "twice wrapped": lambda n: {"model": {"state_dict": n.state_dict()}},
    "DataParallel": lambda n: prefixed("module.", n.state_dict()),
    "compiled and parallel": lambda n: {"net": prefixed("_orig_mod.module.", n.state_dict())},
    "Lightning": of_lightning,
    "our own training": lambda n: {
        "network": Small(width=6).state_dict(),
        "average": AveragedModel(n).state_dict(),
    },
}


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("form", PUBLISHED)
@pytest.mark.filterwarnings("ignore:.*took its averaged weights")
def test_a_published_checkpoint_rebuilds_its_network_whatever_it_is_wrapped_in(
    form, legacy, small, tmp_path
):
    path = tmp_path / "published.pth"
    stored = PUBLISHED[form](small)
    torch.save(stored, path, _use_new_zipfile_serialization=not legacy)
    found = load_network(Small, path, {"passes": 3})
    assert found.passes == 3
    expected = small.half().float() if form == "half precision" else small
    for key, value in expected.state_dict().items():
        assert torch.equal(found.state_dict()[key], value), key


@pytest.mark.parametrize("name", ["a.safetensors", "a.pth", "a.bin"])
def test_safetensors_without_our_header_are_read_by_their_shapes(name, small, tmp_path):
    save_file(prefixed("module.", small.state_dict()), tmp_path / name)
    found = load_network(Small, tmp_path / name, {})
    assert torch.equal(found.first.weight, small.first.weight)
    with pytest.raises(ValueError, match="does not say which network it holds; use a file written"):
        read_header(tmp_path / name)


def test_averaged_weights_are_preferred_and_a_warning_says_so(small, tmp_path):
    path = tmp_path / "both.pth"
    torch.save({"params": Small(width=6).state_dict(), "params_ema": small.state_dict()}, path)
    with pytest.warns(UserWarning) as caught:
        found = load_network(Small, path, {})
    assert [str(w.message) for w in caught] == [
        f"{path}: took its averaged weights, 'params_ema', and not 'params'"
    ]
    assert torch.equal(found.first.weight, small.first.weight)


def test_a_network_whose_own_names_begin_with_model_keeps_them(tmp_path):
    network = DENOISERS["dncnn"]()
    for state in (network.state_dict(), prefixed("model.", network.state_dict())):
        torch.save(state, tmp_path / "dncnn.pth")
        found = load_network(DENOISERS["dncnn"], tmp_path / "dncnn.pth", {})
        assert torch.equal(found.model[0].weight, network.model[0].weight)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("dncnn", {"depth": 5, "width": 8, "batch_norm": False, "channels": 1}),
        ("ridnet", {"width": 16, "rgb_range": 255.0}),
        ("ridnet", {"width": 16, "batch_norm": True}),
        ("rnan", {"groups": 3, "width": 8, "rgb_range": 255.0}),
    ],
    ids=["grey", "ridnet", "ridnet-norm", "rnan"],
)
def test_a_bare_state_dict_of_another_size_is_rebuilt_to_the_bit(name, arguments, tmp_path):
    cls, path = DENOISERS[name], tmp_path / "published.pth"
    network = cls(**arguments)
    torch.save(network.state_dict(), path)
    image = torch.rand(1, 3, 11, 13)
    assert torch.equal(load_network(cls, path, {}).denoise(image), network.denoise(image))


@pytest.mark.slow
def test_one_architecture_under_two_names_is_what_the_user_says_it_is(tmp_path):
    masked, baseline = DENOISERS["masked"], DENOISERS["baseline"]
    torch.save(baseline().state_dict(), tmp_path / "either.pth")
    assert load_network(masked, tmp_path / "either.pth", {"passes": 2}).passes == 2
    assert load_network(baseline, tmp_path / "either.pth", {}).name == "baseline"


class Trap:
    """Unpickled, it makes a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return type(self.folder).mkdir, (self.folder,)


def test_what_a_pickle_wants_executed_is_not_and_a_sentence_names_it(small, tmp_path):
    path, sprung = tmp_path / "trap.pth", tmp_path / "sprung"
    state = {"state_dict": small.state_dict(), "trap": Trap(sprung)}
    for write in (
        lambda: torch.save(state, path),
        lambda: torch.save(state, path, _use_new_zipfile_serialization=False),
        lambda: path.write_bytes(pickle.dumps(Trap(sprung), protocol=2)),
        lambda: path.write_bytes(pickle.dumps(Trap(sprung), protocol=4)),
    ):
        write()
        refusal(Small, path)
        assert not sprung.exists()
    pickle.loads(pickle.dumps(Trap(sprung)))
    assert sprung.exists()  # the trap works


def test_objects_beside_the_tensors_are_left_out(small, tmp_path):
    path = tmp_path / "objects.ckpt"
    torch.save({"args": argparse.Namespace(width=6), "state_dict": small.state_dict()}, path)
    assert torch.equal(load_network(Small, path, {}).first.weight, small.first.weight)


def test_a_whole_module_and_a_script_are_no_state_dicts(small, tmp_path):
    path = tmp_path / "module.pt"
    torch.save(nn.Conv2d(1, 1, 1), path)
    assert "holds Python objects (torch.nn.modules.conv.Conv2d) beside" in refusal(Small, path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # scripts are deprecated, not yet rare
        torch.jit.save(torch.jit.script(nn.Conv2d(1, 1, 1)), path)
    assert "is a TorchScript archive, which is code beside weights; ask" in refusal(Small, path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty; download it again"),
        (b"\n<!DOCTYPE html><html>Virus scan", "is a web page, not weights; download it again"),
        (b"<HTML><head>", "is a web page, not weights; download it again"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
            "is a pointer of Git LFS, not weights; fetch the file itself: git lfs pull",
        ),
        (b"\x00" * 100, "is neither safetensors nor a checkpoint of PyTorch; was it downloaded"),
        (b"GIF89a", "is neither safetensors nor a checkpoint of PyTorch; was it downloaded"),
        (b"PK\x03\x04" + b"\x00" * 40, "is no whole checkpoint of PyTorch; was it downloaded"),
    ],
)
def test_what_is_no_checkpoint_at_all_is_called_by_its_name(content, sentence, tmp_path):
    for name in ("download.pth", "download.safetensors"):
        (tmp_path / name).write_bytes(content)
        assert refusal(Small, tmp_path / name).startswith(f"{tmp_path / name} {sentence}")


@pytest.mark.parametrize("write", ["zip", "legacy", "safetensors"])
def test_a_cut_or_damaged_download_is_one_sentence(write, small, tmp_path):
    path = tmp_path / "download"
    if write == "safetensors":
        save_file(small.state_dict(), path)
    else:
        torch.save(small.state_dict(), path, _use_new_zipfile_serialization=write == "zip")
    whole = path.read_bytes()
    for length in range(1, len(whole) - 1, len(whole) // 40):
        path.write_bytes(whole[:length])
        assert "\n" not in refusal(Small, path)
    for seed in range(100):
        generator = random.Random(seed)
        spoilt = bytearray(whole)
        spoilt[generator.randrange(len(whole))] = generator.randrange(256)
        path.write_bytes(spoilt)
        try:
            load_network(Small, path, {})
        except ValueError as error:
            assert "\n" not in str(error), seed


@pytest.mark.parametrize(
    ("stored", "sentence"),
    [
        ([torch.ones(3)], "holds a list, not the state dict of a network; ask for a file written"),
        ({}, "holds no tensors where a state dict is looked for (keys there: none)"),
        (
            {"epoch": 3, "generator": {"first.weight": "ones"}},
            "holds no tensors where a state dict is looked for (keys there: epoch, generator)",
        ),
    ],
)
def test_a_checkpoint_without_a_state_dict_says_what_it_holds(stored, sentence, tmp_path):
    torch.save(stored, tmp_path / "a.pth")
    assert refusal(Small, tmp_path / "a.pth").startswith(f"{tmp_path / 'a.pth'} {sentence}")


def test_a_published_file_of_another_network_is_told_by_its_shapes(small, tmp_path):
    path = tmp_path / "other.pth"
    torch.save({"params": Other(width=8).state_dict()}, path)
    assert refusal(Small, path) == (
        f"{path} holds weights that fit 'other', not 'small'; use model=other or another file"
    )


def test_a_published_file_of_no_known_network_says_what_differs(small, tmp_path):
    path = tmp_path / "unknown.pth"
    state = {**small.state_dict(), "last.weight": torch.ones(1, 6, 1, 1), "tail": torch.ones(2)}
    state.pop("norm.bias")
    torch.save(prefixed("module.", state), path)
    assert refusal(Small, path) == (
        f"{path} does not fit 'small': of its tensors 1 missing (norm.bias), 1 unexpected (tail), "
        f"1 of another shape (last.weight is (1, 6, 1, 1), not (3, 6, 1, 1))"
    )


def test_shapes_no_network_can_have_are_one_sentence(small, tmp_path):
    path = tmp_path / "odd.pth"
    torch.save({"first.weight": torch.ones(5, 3, 1, 1)}, path)
    assert refusal(Small, path) == f"{path} does not fit 'small': small needs an even width, got 5"


def test_no_class_stumbles_over_the_shapes_of_another():
    learned = [cls for cls in DENOISERS.values() if cls.learned]
    for cls in learned:
        shapes = {key: tuple(value.shape) for key, value in cls().state_dict().items()}
        for other in learned:
            assert isinstance(other.arguments_of(shapes), dict), other.name
        assert isinstance(cls.arguments_of({}), dict), cls.name


@pytest.mark.parametrize("name", ["swinir", "masked", "baseline"])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        SWIN,
        {"embed_dim": 24, "depths": (1, 3), "num_heads": 3, "mlp_ratio": 1.5},
        {"embed_dim": 36, "depths": (2,) * 6, "num_heads": 6, "resi_connection": "1conv"},
    ],
    ids=["default", "one group", "uneven groups", "the colour denoiser, narrower"],
)
def test_published_swinirs_load_whatever_their_size(tmp_path, name, arguments):
    torch.manual_seed(0)
    cls = DENOISERS[name]
    network = cls(**arguments)
    published = dict(network.state_dict())
    published["layers.0.residual_group.blocks.0.attn.relative_position_index"] = torch.zeros(64, 64)
    published["layers.0.residual_group.blocks.1.attn_mask"] = torch.zeros(64, 64, 64)
    torch.save({"params": published}, tmp_path / "published.pth")
    found = load_network(cls, tmp_path / "published.pth", {})
    assert cls.arguments_of({k: tuple(v.shape) for k, v in published.items()}).keys() == {
        "embed_dim",
        "depths",
        "num_heads",
        "window_size",
        "mlp_ratio",
        "resi_connection",
    }
    torch.testing.assert_close(found.state_dict(), network.state_dict(), rtol=0, atol=0)
