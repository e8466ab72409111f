"""What a training refuses, and what it keeps where something fails."""

from dataclasses import replace

import pytest
import torch
from toy_training import EXECUTION, FACTS, RECIPE, assert_same_weights, command, trained, training

from benchmark.files import whole as files
from benchmark.training.patches import Patches
from benchmark.training.recipe import Execution
from benchmark.training.state import load_state, save_state


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"recipe": replace(RECIPE, batch=4)}, r"recipe\.batch 2 \(now 4\)"),
        ({"recipe": replace(RECIPE, betas=(0.9, 0.999))}, r"recipe\.betas \[0\.9, 0\.99\]"),
        ({"execution": replace(EXECUTION, accumulate=2)}, r"accumulate 1 \(now 2\)"),
        ({"facts": {**FACTS, "level": 25.0}}, r"level 15\.0 \(now 25\.0\)"),
        ({"facts": {**FACTS, "model": {"of": "tiny", "depths": (4,)}}}, r"model\.depths \[2\]"),
    ],
)
def test_another_recipe_is_refused_naming_the_difference(tmp_path, images, change, named):
    trained(tmp_path, images)
    (state,) = tmp_path.glob("state-*")
    before = state.read_bytes()
    with pytest.raises(ValueError, match=rf"was trained with {named}.*; train into another folder"):
        trained(tmp_path, images, **change)
    assert state.read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.pop("network"),
        lambda state: state.pop("settings"),
        lambda state: state.update(settings=None),
        lambda state: state.update(diary=[]),
        lambda state: state["diary"].update(unknown=3),
        lambda state: state["diary"].pop("log"),
        lambda state: state.update(average={}),
        lambda state: state.update(optimizer={}),
        lambda state: state["network"].popitem(),
        lambda state: state["optimizer"]["param_groups"].append({"params": []}),
        lambda state: state.clear(),
    ],
)
def test_a_state_of_another_kind_is_one_sentence_and_stays(tmp_path, images, change):
    trained(tmp_path, images)
    path, state = load_state(tmp_path)
    change(state)
    save_state(tmp_path, 8, state)
    with pytest.raises(ValueError, match=r"state-000000008\.pt (is no state of|was trained with)"):
        trained(tmp_path, images)
    assert path.is_file()


def test_a_loss_that_is_not_finite_stops_and_keeps_the_state(tmp_path, images):
    class Poisoned(Patches):
        def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
            noisy, clean = super().batch(step)
            return noisy, clean * float("nan") if step == 6 else clean

    often = replace(EXECUTION, save_every=2)
    with pytest.raises(ValueError, match=r"the loss became nan before step 8; .*learning_rate"):
        trained(tmp_path, images, patches=Poisoned, execution=often)
    _, state = load_state(tmp_path)
    assert state["diary"]["step"] == 6
    assert all(value.isfinite().all() for value in state["network"].values())


def test_a_loss_that_is_not_finite_is_named_before_a_validation_fails(tmp_path, images):
    diverging = replace(RECIPE, learning_rate=1e30)
    rarely = replace(EXECUTION, log_every=100)
    with pytest.raises(ValueError, match=r"the loss became (nan|inf) before step 4; .*learning_r"):
        trained(tmp_path, images, recipe=diverging, execution=rarely)


def test_a_state_is_not_saved_after_a_loss_that_is_not_finite(tmp_path, images):
    class Poisoned(Patches):
        def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
            noisy, clean = super().batch(step)
            return noisy, clean * float("nan") if step == 6 else clean

    with pytest.raises(ValueError) as raised:
        trained(tmp_path / "new", images, patches=Poisoned, execution=EXECUTION)
    assert "is kept" not in str(raised.value)
    every = replace(EXECUTION, save_every=1, log_every=100)
    with pytest.raises(ValueError, match=r"the loss became nan before step 7"):
        trained(tmp_path, images, patches=Poisoned, execution=every)
    assert load_state(tmp_path)[1]["diary"]["step"] == 6


def test_weights_whose_state_is_gone_are_not_replaced(tmp_path, images):
    trained(tmp_path, images)
    for state in tmp_path.glob("state-*"):
        state.unlink()
    weights = tmp_path / f"{tmp_path.name}.safetensors"
    before = weights.read_bytes()
    with pytest.raises(ValueError, match=r"was trained earlier, and no state is left to go on"):
        trained(tmp_path, images)
    assert weights.read_bytes() == before


def test_a_training_does_not_start_from_a_file_it_writes(bench, tmp_path, photographs):
    words = command(tmp_path / "o", photographs, f"start={tmp_path}/o/dncnn/dncnn.safetensors")
    status, _, err = bench(*words)
    assert status == 2 and "is a file which this training writes itself" in err


def test_a_training_is_not_called_as_its_best_weights_are(bench, tmp_path, photographs):
    words = command(tmp_path / "o", photographs)
    named = ["model=[]", "+model.best={of: dncnn, width: 8, depth: 3}"]
    status, _, err = bench("train", *named, *(word for word in words[1:] if "model" not in word))
    assert status == 2 and "a training is not called 'best'" in err
    assert not (tmp_path / "o").exists()


def test_a_full_disk_stops_and_keeps_the_state(tmp_path, images, monkeypatch):
    def full(descriptor: int) -> None:
        if any(tmp_path.glob("state-*4.pt")):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    often = replace(EXECUTION, save_every=4)
    with pytest.raises(OSError, match=r"cannot write .*: No space left on device; what was there"):
        trained(tmp_path, images, execution=often)
    monkeypatch.undo()
    assert load_state(tmp_path)[1]["diary"]["step"] == 4
    resumed = trained(tmp_path, images)
    assert_same_weights(resumed.average, trained(tmp_path / "whole", images).average)


@pytest.mark.parametrize("name", ["accumulate", "log_every", "validate_every", "save_every"])
def test_an_execution_needs_positive_numbers(name):
    with pytest.raises(ValueError, match=f"^{name} must be above 0, got 0"):
        Execution(**{name: 0})


def test_pieces_have_to_be_equal(tmp_path, images):
    with pytest.raises(ValueError, match="2 crops a step have no equal pieces for accumulate=3"):
        training(tmp_path, images, execution=replace(EXECUTION, accumulate=3))
