"""Our weights files say what they hold and rebuild their network; damaged ones are refused."""

import sys
from pathlib import Path

import pytest
import torch
from toy_checkpoints import ARGUMENTS, SWIN, TRAINING, Small, refusal

from benchmark.cli.objects.grid import stand_ins
from benchmark.cli.objects.specs import spec_of
from benchmark.denoiser import DENOISERS
from benchmark.denoiser.weights.load import (
    all_shipped,
    load_network,
    read_header,
    save_weights,
    shipped,
    weights_path,
)


@pytest.fixture
def path(tmp_path):
    """A weights file of a tiny DnCNN."""
    torch.manual_seed(0)
    path = tmp_path / "weights" / "dncnn.safetensors"
    save_weights(path, DENOISERS["dncnn"](**ARGUMENTS), ARGUMENTS, TRAINING)
    return path


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
    assert not found.layers[0].residual_group.blocks[0].attn.token_drop.at_test


def test_a_network_knows_on_which_noise_its_file_was_trained_if_that_says_so(path, tmp_path):
    cls, noise = DENOISERS["dncnn"], {"of": "speckle", "distribution": "uniform"}
    training = {**TRAINING, "noise": noise, "level": 0.03, "seed": 1}
    said = tmp_path / "said.safetensors"
    save_weights(said, cls(**ARGUMENTS), ARGUMENTS, training)
    assert load_network(cls, said, {}).trained_on == {"noise": noise, "level": 0.03}
    assert load_network(cls, path, {}).trained_on is None


def test_weights_on_their_way_to_disk_leave_no_second_file(path):
    assert list(path.parent.iterdir()) == [path]


def test_a_missing_file_is_answered_with_how_to_train_one(tmp_path):
    missing = tmp_path / "none.safetensors"
    assert refusal(DENOISERS["dncnn"], missing) == (
        f"no weights for 'dncnn' at {missing}; noisebench comes with: dncnn_small, dncnn_tiny; "
        f"train it with: bench train model=dncnn, then pass model.dncnn.weights=FILE"
    )
    with pytest.raises(ValueError, match="^no weights file at "):
        read_header(missing)


def test_another_networks_file_is_refused_naming_both(path):
    assert refusal(DENOISERS["swinir"], path) == (
        f"{path} holds weights of 'dncnn', not of 'swinir'; use model=dncnn or another file"
    )


def test_a_damaged_safetensors_file_is_refused(tmp_path):
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(b"\xff" * 8 + b"{" + b"\x00" * 100)
    message = refusal(DENOISERS["dncnn"], path)
    assert message.startswith(f"{path} is no safetensors file (")
    assert message.endswith("; was it downloaded whole?")
    assert "\n" not in message


def test_a_truncated_file_is_refused(path):
    path.write_bytes(path.read_bytes()[:-100])
    assert "was it downloaded whole?" in refusal(DENOISERS["dncnn"], path)


def test_tensors_that_do_not_fit_are_refused_in_one_line(tmp_path):
    path = tmp_path / "dncnn.safetensors"
    save_weights(path, DENOISERS["dncnn"](**ARGUMENTS), {**ARGUMENTS, "width": 9}, {})
    assert refusal(DENOISERS["dncnn"], path) == (
        f"{path} does not fit 'dncnn': of its tensors 9 of another shape (model.0.weight is "
        f"(8, 3, 3, 3), not (9, 3, 3, 3))"
    )


def test_a_keyword_the_class_no_longer_has_is_refused_in_one_line(tmp_path):
    path = tmp_path / "dncnn.safetensors"
    save_weights(path, DENOISERS["dncnn"](**ARGUMENTS), {**ARGUMENTS, "dilation": 2}, {})
    message = refusal(DENOISERS["dncnn"], path)
    assert message.startswith(f"{path} does not fit 'dncnn': ")
    assert "dilation" in message


def test_what_ships_lies_beside_its_class_and_smaller_weights_stand_in(tmp_path, monkeypatch):
    cls = DENOISERS["dncnn"]
    assert shipped(cls).parts[-3:-1] == ("baselines", "weights")
    assert shipped(DENOISERS["baseline"]).parts[-3:-1] == ("baselines", "weights")
    assert shipped(DENOISERS["masked"]).parts[-3:-1] == ("masked_model", "weights")
    monkeypatch.setattr(sys.modules[cls.__module__], "__file__", str(tmp_path / "dncnn.py"))
    (tmp_path / "weights").mkdir()
    assert shipped(cls).name == "dncnn.safetensors"
    assert stand_ins({"dncnn": spec_of("model", "dncnn")}) == ""
    tiny = tmp_path / "weights" / "dncnn_tiny.safetensors"
    save_weights(tiny, cls(**ARGUMENTS), ARGUMENTS, {})
    assert shipped(cls).name == "dncnn_tiny.safetensors"
    assert stand_ins({"dncnn": spec_of("model", "dncnn")}).startswith("dncnn: tiny networks, ")
    save_weights(tiny.with_stem("dncnn_small"), cls(**ARGUMENTS), ARGUMENTS, {})
    assert shipped(cls).name == "dncnn_small.safetensors"
    asked = {name: spec_of("model", name) for name in ("dncnn", "rnan", "identity")}
    assert stand_ins(asked).startswith("dncnn: small networks; rnan: tiny networks, trained on")
    (tmp_path / "weights" / "dncnn.safetensors").touch()
    assert shipped(cls).name == "dncnn.safetensors"


def test_weights_that_ship_are_known_by_name_and_any_file_by_its_path(tmp_path, monkeypatch):
    cls = DENOISERS["masked"]
    assert weights_path(cls, None) == shipped(cls)
    assert weights_path(cls, "masked_80_90_tiny") == all_shipped(cls)["masked_80_90_tiny"]
    assert "baseline_tiny" not in all_shipped(cls)
    monkeypatch.chdir(tmp_path)
    Path("masked_80_90_tiny").touch()  # what lies there wins
    assert weights_path(cls, "masked_80_90_tiny") == Path("masked_80_90_tiny")
    assert weights_path(cls, "mine.safetensors") == Path("mine.safetensors")
    with pytest.raises(ValueError, match="masked_80_90_tiny"):
        load_network(cls, weights_path(cls, "masked_tinny"), {})


def test_a_mistaken_setting_is_not_blamed_on_the_file(small, tmp_path):
    torch.save(small.state_dict(), tmp_path / "a.pth")
    assert refusal(Small, tmp_path / "a.pth", {"passes": 0}) == (
        "small needs one pass or more, got 0"
    )
