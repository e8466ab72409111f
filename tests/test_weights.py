"""Weights files rebuild their own network; any other file is refused in one sentence."""

import pytest
import torch
from safetensors.torch import save_file

from benchmark.denoiser import DENOISERS
from benchmark.weights import load_network, read_header, save_weights, shipped

ARGUMENTS = {"depth": 3, "width": 8, "batch_norm": True}
TRAINING = {"recipe": {"steps": 7}, "final_loss": 0.25}
SWIN = {"embed_dim": 12, "depths": (2,), "num_heads": 2, "window_size": 4}


@pytest.fixture
def path(tmp_path):
    """A weights file of a tiny DnCNN."""
    torch.manual_seed(0)
    path = tmp_path / "weights" / "dncnn.safetensors"
    save_weights(path, DENOISERS["dncnn"](**ARGUMENTS), ARGUMENTS, TRAINING)
    return path


def refusal(cls: type, path, settings: dict[str, object] | None = None) -> str:
    with pytest.raises(ValueError) as caught:
        load_network(cls, path, settings or {})
    return str(caught.value)


def test_a_file_rebuilds_its_network_from_its_header_to_the_bit(path):
    torch.manual_seed(0)
    expected = DENOISERS["dncnn"](**ARGUMENTS)
    found = load_network(DENOISERS["dncnn"], path, {})
    assert found.state_dict().keys() == expected.state_dict().keys()
    for name, value in expected.state_dict().items():
        assert torch.equal(found.state_dict()[name], value)


def test_the_header_says_which_network_it_is_and_how_it_was_trained(path):
    header = {"model": "dncnn", "arguments": ARGUMENTS, "training": TRAINING}
    assert read_header(path) == header


def test_tuples_survive_and_test_time_settings_win_over_the_training(tmp_path):
    cls, path = DENOISERS["masked"], tmp_path / "masked.safetensors"
    arguments = {**SWIN, "input_ratio": (70, 80), "mask": True, "passes": 1}
    save_weights(path, cls(**arguments), arguments, {})
    found = load_network(cls, path, {"mask": False, "passes": 3})
    assert found.passes == 3
    assert found.input_mask.ratio == (70, 80)
    assert not found.layers[0].residual_group.blocks[0].attn.token_mask.at_test


def test_weights_on_their_way_to_disk_leave_no_second_file(path):
    assert list(path.parent.iterdir()) == [path]


def test_a_missing_file_is_answered_with_how_to_train_one(tmp_path):
    missing = tmp_path / "none.safetensors"
    assert refusal(DENOISERS["dncnn"], missing) == (
        f"no weights for 'dncnn' at {missing}; train it with: bench train model=dncnn, then pass "
        f"model.dncnn.weights=FILE"
    )
    with pytest.raises(ValueError, match="^no weights file at "):
        read_header(missing)


def test_another_networks_file_is_refused_naming_both(path):
    assert refusal(DENOISERS["swinir"], path) == (
        f"{path} holds weights of 'dncnn', not of 'swinir'; use model=dncnn or another file"
    )


@pytest.mark.parametrize("content", [b"<!DOCTYPE html><html>404</html>", b"", b"\x00" * 100])
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    path = tmp_path / "page.safetensors"
    path.write_bytes(content)
    message = refusal(DENOISERS["dncnn"], path)
    assert message.startswith(f"{path} is no safetensors file (")
    assert message.endswith("; was it downloaded whole?")
    assert "\n" not in message


def test_a_truncated_file_is_refused(path):
    path.write_bytes(path.read_bytes()[:-100])
    assert "was it downloaded whole?" in refusal(DENOISERS["dncnn"], path)


def test_a_file_without_our_header_is_refused(tmp_path):
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    assert "does not say which network it holds; use a file written by" in refusal(
        DENOISERS["dncnn"], path
    )


def test_tensors_that_do_not_fit_are_refused_in_one_line(tmp_path):
    path = tmp_path / "dncnn.safetensors"
    save_weights(path, DENOISERS["dncnn"](**ARGUMENTS), {**ARGUMENTS, "width": 9}, {})
    message = refusal(DENOISERS["dncnn"], path)
    assert message.startswith(f"{path} does not fit 'dncnn': ")
    assert "size mismatch" in message
    assert "\n" not in message


def test_shipped_weights_lie_beside_the_module_of_their_network():
    assert shipped(DENOISERS["dncnn"]).parts[-3:] == ("baselines", "weights", "dncnn.safetensors")
    assert shipped(DENOISERS["masked"]).parts[-3:-1] == ("masked_model", "weights")
