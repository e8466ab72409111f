"""Training: resumable to the bit, refuses to go on as something else, exports an average."""

import csv
import itertools
import logging
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from command_results import bench_in
from torch import nn

from benchmark.console.log import log
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.denoiser.weights.load import load_network, read_header
from benchmark.files import whole as files
from benchmark.files.lease import Leases
from benchmark.files.owner import new_token
from benchmark.noise import NOISE_MODELS
from benchmark.training import loop
from benchmark.training.loop import Training, TrainingResult
from benchmark.training.patches import Patches
from benchmark.training.recipe import Execution, Recipe
from benchmark.training.state import load_state, save_state
from benchmark.training.validation import Validation

RECIPE = Recipe(steps=8, batch=2, patch=16, learning_rate=1e-2, ema=0.9)
EXECUTION = Execution(log_every=2, validate_every=4)
FACTS = {"model": {"of": "tiny", "depths": (2,)}, "level": 15.0}
NETWORKS = {
    "dncnn": {"width": 8, "depth": 3},
    "masked": {"embed_dim": 8, "depths": (2,), "num_heads": 2, "window_size": 4},
}


@pytest.fixture(autouse=True)
def callers_random_numbers():
    with torch.random.fork_rng([]):
        yield


@pytest.fixture
def images() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, size, np.uint8) for size in ((20, 31, 3), (40, 16, 3))]


def training(
    folder: Path,
    images: list[np.ndarray],
    recipe: Recipe = RECIPE,
    name: str = "dncnn",
    facts: dict = FACTS,
    patches: type[Patches] = Patches,
    execution: Execution = EXECUTION,
    **options: object,
) -> Training:
    torch.manual_seed(recipe.seed)
    network, noise = DENOISERS[name](**NETWORKS[name]), NOISE_MODELS["gaussian"]()
    made = patches(images, noise, 15, recipe)
    validation = Validation([images[0][:16, :16]], [("gaussian", noise, 15.0)])
    options = {"validation": validation, **options}
    return Training(
        network, NETWORKS[name], made, recipe, folder, facts, execution=execution, **options
    )


def trained(*arguments: object, **options: object) -> TrainingResult:
    return training(*arguments, **options).run()


def assert_same_weights(one: Denoiser, other: Denoiser) -> None:
    for (name, a), b in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def lines(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


class Interrupted(Exception):
    """The power went off."""


def power_off_at(step: int) -> Callable[[str], None]:
    def hear(line: str) -> None:
        if line.startswith(f"step {step}/"):
            raise Interrupted

    return hear


class Listener(logging.Handler):
    """Call a function with each line that is logged."""

    def __init__(self, hear: Callable[[str], None]):
        super().__init__()
        self.hear = hear

    def emit(self, record: logging.LogRecord) -> None:
        self.hear(record.getMessage())


@pytest.fixture
def listen(monkeypatch) -> Callable[[Callable[[str], None] | None], None]:
    """Have a function hear what is logged from now on, in place of another one; None: nobody."""
    monkeypatch.setattr(log, "handlers", [])
    monkeypatch.setattr(log, "disabled", False)
    before = log.level
    log.setLevel(logging.INFO)

    def begin(hear: Callable[[str], None] | None) -> None:
        log.handlers = [Listener(hear)] if hear else []

    yield begin
    log.setLevel(before)


# interrupted and resumed


@pytest.mark.parametrize("name", NETWORKS)
def test_interrupted_and_resumed_ends_with_the_weights_of_an_undisturbed_training(
    tmp_path, images, name, listen
):
    whole = trained(tmp_path / "whole", images, name=name)
    often = replace(EXECUTION, save_minutes=0)
    for step in (4, 6):
        listen(power_off_at(step))
        with pytest.raises(Interrupted):
            trained(tmp_path / "cut", images, name=name, execution=often)
    torch.rand(5)
    said: list[str] = []
    listen(said.append)
    resumed = trained(tmp_path / "cut", images, name=name)
    assert [line.split()[1] for line in said if line.startswith("step")] == ["6/8", "8/8"]
    assert_same_weights(resumed.average, whole.average)
    for file in ("log.csv", "validation.csv"):
        found, wanted = (lines(tmp_path / run / file) for run in ("cut", "whole"))
        for key in {"step", "loss", "learning_rate", "noise", "level", "psnr"} & set(wanted[0]):
            assert [line[key] for line in found] == [line[key] for line in wanted], key
    for file in ("cut.safetensors", "best.safetensors"):
        other = tmp_path / "whole" / file.replace("cut", "whole")
        cls = DENOISERS[name]
        assert_same_weights(
            load_network(cls, tmp_path / "cut" / file, {}), load_network(cls, other, {})
        )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_after_the_step_and_the_training_goes_on_from_there(
    tmp_path, images, number
):
    whole = trained(tmp_path / "whole", images)
    before = signal.getsignal(number)

    class Signalled(Patches):
        def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
            if step == 4:
                signal.raise_signal(number)  # to this thread: it is heard before the step ends
            return super().batch(step)

    stopped = trained(tmp_path / "cut", images, patches=Signalled)
    assert (stopped.history.step, stopped.stopped_by) == (5, number)
    assert load_state(tmp_path / "cut")[1]["diary"]["step"] == 5
    assert signal.getsignal(number) is before
    resumed = trained(tmp_path / "cut", images)
    assert (resumed.history.step, resumed.stopped_by) == (8, None)
    assert_same_weights(resumed.average, whole.average)
    assert [line.loss for line in resumed.history.log] == [line.loss for line in whole.history.log]


COMMAND = """
bench train model=dncnn model.dncnn.width=8 model.dncnn.depth=3 batch=2 patch=16 steps=400
log_every=10 validate_every=100 save_every=5 held_out=1 watch=[] threads=1 data=folder
"""


@pytest.fixture(scope="module")
def photographs(tmp_path_factory) -> Path:
    """A folder of three images."""
    folder = tmp_path_factory.mktemp("images")
    for place in range(3):
        rng = np.random.default_rng(place)
        cv2.imwrite(str(folder / f"{place}.png"), rng.integers(0, 256, (32, 40, 3), np.uint8))
    return folder


ENTRY = [sys.executable, "-m", "benchmark.cli"]


def command(out: Path, photographs: Path, *settings: str) -> list[str]:
    return [*COMMAND.split()[1:], f"data.folder.path={photographs}", f"out={out}", *settings]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, photographs) -> Path:
    """The weights of the command where nothing kills it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    bench_in(folder, *command(folder / "whole", photographs))
    return folder / "whole/dncnn/dncnn.safetensors"


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143)])
def test_a_killed_process_loses_nothing(bench, tmp_path, photographs, undisturbed, number, status):
    cut = command(tmp_path / "cut", photographs)
    process = subprocess.Popen([*ENTRY, *cut], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    folder = tmp_path / "cut" / "dncnn"
    deadline = time.monotonic() + 200
    while not list(folder.glob("state-*")) and time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    process.send_signal(number)
    assert process.wait(200) == status
    process.stderr.close()
    step = load_state(folder)[1]["diary"]["step"]
    assert 0 < step < 400
    assert bench(*cut)[0] == 0
    one, other = (
        load_network(DENOISERS["dncnn"], path, {})
        for path in (tmp_path / "cut/dncnn/dncnn.safetensors", undisturbed)
    )
    assert_same_weights(one, other)


def test_weights_which_a_full_disk_held_back_are_written_by_the_next_command(
    tmp_path, images, monkeypatch
):
    path, save = tmp_path / "cut/cut.safetensors", loop.save_weights

    def full(to: Path, *given: object) -> None:
        if to == path and load_state(path.parent)[1]["diary"]["step"] == RECIPE.steps:
            raise OSError(28, "No space left on device")
        save(to, *given)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "save_weights", full)
        with pytest.raises(OSError, match="No space left"):
            trained(path.parent, images, execution=replace(EXECUTION, save_every=4))
    machine, number, _, chance = new_token().split("-")
    left = path.with_name(f".state-000000009.pt.{machine}-{number}-1-{chance}.tmp")
    left.write_bytes(b"half of it")  # by a process which was killed
    assert read_header(path)["training"]["steps"] == 4
    trained(path.parent, images)
    assert read_header(path)["training"]["steps"] == RECIPE.steps and not left.exists()
    whole = trained(tmp_path / "whole", images).average
    assert_same_weights(load_network(DENOISERS["dncnn"], path, {}), whole)
    before = path.read_bytes()
    trained(path.parent, images)
    assert path.read_bytes() == before


def test_where_another_process_was_told_to_stop_this_one_stops_as_by_sigterm(
    tmp_path, images, monkeypatch
):
    monkeypatch.setattr(Training, "_is_stopped", lambda self, _: self.history.step == 3)
    stopped = trained(tmp_path, images)
    assert (stopped.history.step, stopped.stopped_by) == (3, signal.SIGTERM)


def test_a_finished_training_is_not_done_again(tmp_path, images, listen):
    whole = trained(tmp_path, images)
    listen(power_off_at(8))
    again = trained(tmp_path, images)
    assert_same_weights(again.average, whole.average)
    assert again.history.log == whole.history.log


def test_states_and_logs_have_the_keys_of_those_which_were_written_before(tmp_path, images):
    trained(tmp_path, images)
    _, state = load_state(tmp_path)
    assert state.keys() == {"settings", "diary", "network", "average", "optimizer"}
    entry = ["step", "loss", "learning_rate", "steps_per_second", "images_per_second"]
    entry += ["data_wait", "matmul_share", "seconds"]
    assert state["diary"].keys() == {"log", "validation", "losses", "step", "seconds", "best"}
    assert list(state["diary"]["log"][0]) == list(lines(tmp_path / "log.csv")[0]) == entry


def test_time_goes_on_after_an_interruption(tmp_path, images, listen):
    often = replace(EXECUTION, save_minutes=0)
    listen(power_off_at(4))
    with pytest.raises(Interrupted):
        trained(tmp_path, images, execution=often)
    listen(None)
    spent = load_state(tmp_path)[1]["diary"]["seconds"]
    last = trained(tmp_path, images).history.log[-1]
    assert last.step == RECIPE.steps
    assert last.seconds > spent > 0
    assert last.images_per_second == last.steps_per_second * RECIPE.batch > 0
    assert 0 <= last.data_wait < 1


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"recipe": replace(RECIPE, batch=4)}, r"recipe\.batch 2 \(now 4\)"),
        ({"recipe": replace(RECIPE, betas=(0.9, 0.999))}, r"recipe\.betas \[0\.9, 0\.99\]"),
        ({"facts": {**FACTS, "level": 25.0}}, r"level 15\.0 \(now 25\.0\)"),
        ({"facts": {**FACTS, "model": {"of": "tiny", "depths": (4,)}}}, r"model\.depths \[2\]"),
    ],
)
def test_another_recipe_is_refused_naming_the_difference(tmp_path, images, change, named):
    trained(tmp_path, images)
    (state,) = tmp_path.glob("state-*")
    before = state.read_bytes()
    with pytest.raises(ValueError, match=rf"was trained with {named}.*; choose another folder"):
        trained(tmp_path, images, **change)
    assert state.read_bytes() == before


# what can go wrong


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


def test_a_state_is_not_saved_after_a_loss_that_is_not_finite(tmp_path, images):
    class Poisoned(Patches):
        def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
            noisy, clean = super().batch(step)
            return noisy, clean * float("nan") if step == 6 else clean

    every = replace(EXECUTION, save_every=1, log_every=100)
    with pytest.raises(ValueError, match=r"the loss became nan before step 7"):
        trained(tmp_path, images, patches=Poisoned, execution=every)
    assert load_state(tmp_path)[1]["diary"]["step"] == 6


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


# what it computes


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


# several processes


@pytest.mark.slow
def test_two_processes_train_as_one_does(bench, tmp_path, photographs):
    settings = ["model.dncnn.batch_norm=false", "steps=20", "log_every=1", "batch=4"]
    assert bench(*command(tmp_path / "one", photographs, *settings))[0] == 0
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    together = command(tmp_path / "two", photographs, *settings)
    run = subprocess.run(
        [ENTRY[0], *launcher, *ENTRY[1:], *together], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert len(re.findall("step 20/20", run.stdout)) == 1  # one of them speaks for both
    one, two = (lines(tmp_path / run / "dncnn/log.csv") for run in ("one", "two"))
    assert len(one) == len(two) == 20
    for a, b in zip(one, two, strict=True):
        assert float(a["loss"]) == pytest.approx(float(b["loss"]), rel=1e-5)
    assert read_header(tmp_path / "two/dncnn/dncnn.safetensors")["training"]["processes"] == 2


def test_trainings_of_one_folder_come_one_after_the_other(tmp_path, images, listen):
    said: list[str] = []
    lease = Leases().take(tmp_path / "mine" / "training.lease")

    def hear(line: str) -> None:
        said.append(line)
        if line.startswith("waiting"):
            listen(None)
            trained(tmp_path / "other", images)
            listen(said.append)
            (tmp_path / "other" / "training.lease").unlink(missing_ok=True)
            for path in (tmp_path / "other").iterdir():
                path.rename(tmp_path / "mine" / path.name)
            lease.release()

    listen(hear)
    assert trained(tmp_path / "mine", images).history.step == RECIPE.steps
    assert re.match(r"waiting for process \d+ here, in work at .*mine", said[0])
    assert not [line for line in said if line.startswith("step")]  # nothing was done twice
    assert not (tmp_path / "mine" / "training.lease").exists()


def test_the_lease_of_a_killed_training_is_taken_over(tmp_path, images):
    machine, number, _, chance = new_token().split("-")
    (tmp_path / "training.lease").write_text(f"{machine}-{number}-1-{chance}")  # another start
    trained(tmp_path, images)
    assert not (tmp_path / "training.lease").exists()
