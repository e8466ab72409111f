"""What a training computes, writes and says."""

import itertools
from dataclasses import replace

import pytest
import torch
from torch import nn
from toy_training import EXECUTION, NETWORKS, RECIPE, assert_same_weights, lines, trained, training

from benchmark.cli.objects import training as objects
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.denoiser.weights.load import load_network, read_header
from benchmark.training import step
from benchmark.training.patches import Patches
from benchmark.training.state import load_state


def test_the_export_is_the_average_and_not_the_last_weights(tmp_path, images):
    average = trained(tmp_path, images).average
    _, state = load_state(tmp_path)
    raw, name = state["network"], "model.0.weight"
    assert not torch.equal(average.state_dict()[name], raw[name])
    assert torch.equal(average.state_dict()[name], state["average"][f"module.{name}"])
    assert not average.training
    trained(tmp_path / "raw", images, replace(RECIPE, ema=0.0))
    _, state = load_state(tmp_path / "raw")
    assert torch.equal(state["network"][name], state["average"][f"module.{name}"])


class Looking(Denoiser):
    """It looks at values, and one of its convolutions has two names."""

    name = "looking"

    def __init__(self):
        super().__init__()
        self.first = self.last = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, noisy: torch.Tensor) -> torch.Tensor:
        return self.last(self.first(noisy / 255 if noisy.max().item() > 2 else noisy))


def test_a_network_which_looks_at_values_and_shares_weights_is_trained(
    tmp_path, images, monkeypatch, listen
):
    monkeypatch.setitem(DENOISERS, "looking", Looking)
    monkeypatch.setitem(NETWORKS, "looking", {})
    said: list[str] = []
    listen(said.append)
    average = trained(tmp_path, images, name="looking").average
    steps = [line for line in said if line.startswith("step")]
    assert len(steps) == 4 and not any("nan" in line or "peak" in line for line in steps)
    path = tmp_path / f"{tmp_path.name}.safetensors"
    assert_same_weights(load_network(Looking, path, {}), average)


def test_statistics_of_batches_are_averaged_as_weights_are(tmp_path, images):
    seen = []

    class Noting(Patches):
        def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
            seen.append({key: made.network.state_dict()[key].clone() for key in keys})
            return super().batch(step)

    keys = [f"model.{layer}" for layer in ("3.running_mean", "3.running_var", "2.weight")]
    made = training(tmp_path, images, patches=Noting)
    average = made.run().average.state_dict()
    seen.append(made.network.state_dict())
    for key in keys:
        expected = seen[1][key]  # after the first step
        for one in seen[2:]:
            expected = torch.lerp(expected, one[key], 1 - RECIPE.ema)
        assert not torch.equal(expected, seen[-1][key]), key
        torch.testing.assert_close(average[key], expected)


class Renewing(Denoiser):
    """It puts new statistics in place of the old ones, where torch writes into them."""

    name = "renewing"

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 3, padding=1)
        self.register_buffer("running_mean", torch.zeros(3))

    def forward(self, noisy: torch.Tensor) -> torch.Tensor:
        if self.training:
            mean = noisy.detach().mean((0, 2, 3))
            self.running_mean = torch.lerp(self.running_mean, mean, 0.5)
        return self.layer(noisy - self.running_mean[:, None, None])


def test_statistics_which_a_network_puts_anew_are_those_which_are_averaged(
    tmp_path, images, monkeypatch
):
    monkeypatch.setitem(DENOISERS, "renewing", Renewing)
    monkeypatch.setitem(NETWORKS, "renewing", {})
    made = training(tmp_path, images, name="renewing")
    average = made.run().average
    assert made.network.running_mean.min() > 0.3
    torch.testing.assert_close(average.running_mean, made.network.running_mean, atol=0.2, rtol=0)
    assert not torch.equal(average.running_mean, made.network.running_mean)


class Several(Looking):
    def forward(self, noisy: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return super().forward(noisy), noisy


class OneChannel(Looking):
    def forward(self, noisy: torch.Tensor) -> torch.Tensor:
        return super().forward(noisy)[:, :1]


class Narrow(Looking):
    def forward(self, noisy: torch.Tensor) -> torch.Tensor:
        return super().forward(nn.functional.pad(noisy, [20] * 4, "reflect"))[..., 20:-20, 20:-20]


class OldNorm(Looking):
    def __init__(self):
        super().__init__()
        with pytest.warns(FutureWarning, match="parametrizations"):
            nn.utils.weight_norm(self.first)


@pytest.mark.parametrize(
    ("cls", "said"),
    [
        (Several, "'looking', training on crops of 16x16: returned a tuple of 2, not a tensor"),
        (OneChannel, r"'looking', training on crops of 16x16: returned \(2, 1, 16, 16\) for"),
        (OldNorm, "'looking' cannot be copied.*torch.nn.utils.parametrizations"),
    ],
)
def test_a_network_that_cannot_be_trained_is_refused_in_one_sentence(
    tmp_path, images, monkeypatch, cls, said
):
    monkeypatch.setitem(DENOISERS, "looking", cls)
    monkeypatch.setitem(NETWORKS, "looking", {})
    with pytest.raises(ValueError, match=said):
        trained(tmp_path, images, name="looking")
    assert not list(tmp_path.glob("state-*"))


def test_settings_are_tried_on_crops_of_the_training(monkeypatch):
    monkeypatch.setitem(DENOISERS, "narrow", Narrow)
    monkeypatch.setattr(objects, "changed_settings", lambda *_: "radius=20")
    assert isinstance(objects._tried("narrow", Narrow, {}, 32, 2), Narrow)
    said = r"cannot be trained with radius=20 on crops of 16x16 \(RuntimeError: "
    with pytest.raises(ValueError, match=said):
        objects._tried("narrow", Narrow, {}, 16, 2)


def test_parameters_that_a_step_leaves_unused_are_seen():
    network = Looking()
    assert not step._leaves_some_unused(network, 16)
    network.further = nn.Linear(2, 2)
    before = [parameter.clone() for parameter in network.parameters()]
    assert step._leaves_some_unused(network, 16)
    assert all(map(torch.equal, network.parameters(), before))
    assert all(one.grad is None for one in network.parameters())


def test_training_lowers_the_loss(tmp_path, images):
    log = trained(tmp_path, images, replace(RECIPE, steps=60)).history.log
    assert log[-1].loss < log[0].loss


def test_steps_follow_the_recipes_learning_rate(tmp_path, images):
    recipe = replace(RECIPE, schedule="cosine", warm_up=0.25)
    every = replace(EXECUTION, log_every=1)
    log = trained(tmp_path, images, recipe, execution=every).history.log
    assert [line.learning_rate for line in log] == [recipe.rate(step / 8) for step in range(8)]


def test_pieces_of_a_batch_make_the_step_of_the_whole(tmp_path, images, monkeypatch):
    monkeypatch.setitem(NETWORKS, "dncnn", {**NETWORKS["dncnn"], "batch_norm": False})
    recipe = replace(RECIPE, batch=6)
    whole = trained(tmp_path / "whole", images, recipe)
    pieces = trained(
        tmp_path / "pieces", images, recipe, execution=replace(EXECUTION, accumulate=3)
    )
    for one, other in zip(whole.history.log, pieces.history.log, strict=True):
        assert other.loss == pytest.approx(one.loss, rel=1e-5)
    for a, b in zip(whole.average.parameters(), pieces.average.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_a_budget_in_minutes_ends_by_the_clock(tmp_path, images, monkeypatch):
    looks = itertools.count()  # whatever the machine does, 0.01 s between two looks at the clock
    monkeypatch.setattr("benchmark.training.log.time.perf_counter", lambda: next(looks) / 100)
    recipe = replace(RECIPE, minutes=0.02, schedule="cosine")
    result = trained(tmp_path, images, recipe)
    assert result.history.step != recipe.steps
    assert result.history.log[-1].seconds == pytest.approx(1.2, abs=0.2)
    assert result.history.log[-1].learning_rate < recipe.learning_rate / 4


def test_validation_names_the_best_weights(tmp_path, images):
    result = trained(tmp_path, images, replace(RECIPE, steps=20))
    found = [(line["step"], line["psnr"]) for line in result.history.validation]
    assert [step for step, _ in found] == [4, 8, 12, 16, 20]
    assert result.history.best == max(psnr for _, psnr in found)
    best = read_header(tmp_path / "best.safetensors")["training"]["steps"]
    assert dict(found)[best] == result.history.best
    assert lines(tmp_path / "validation.csv")[0].keys() == {"step", "noise", "level", "psnr"}


def test_the_header_says_what_was_done(tmp_path, images):
    training(tmp_path, images, environment={"device": "a machine"}).run()
    header = read_header(tmp_path / f"{tmp_path.name}.safetensors")["training"]
    assert header["recipe"]["batch"] == 2
    assert (header["steps"], header["level"], header["device"]) == (8, 15.0, "a machine")
    assert header["final_loss"] == float(lines(tmp_path / "log.csv")[-1]["loss"])
    assert header["hours"] > 0


def test_tensorboard_gets_the_log_and_the_validation(tmp_path, images):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    result = trained(tmp_path, images, execution=replace(EXECUTION, tensorboard=True))
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert {"loss", "learning_rate", "psnr/gaussian 15"} <= set(events.Tags()["scalars"])
    written = {event.step: event.value for event in events.Scalars("loss")}
    assert written == pytest.approx({line.step: line.loss for line in result.history.log})
