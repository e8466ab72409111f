"""Interrupted and resumed, a training ends as an undisturbed one does, to the bit."""

import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from command_results import bench_in
from toy_training import (
    ENTRY,
    EXECUTION,
    NETWORKS,
    RECIPE,
    Interrupted,
    assert_same_weights,
    command,
    lines,
    power_off_at,
    trained,
)

from benchmark.denoiser import DENOISERS
from benchmark.denoiser.weights.load import load_network, read_header
from benchmark.files.owner import new_token
from benchmark.training import loop
from benchmark.training.log import Speedometer
from benchmark.training.patches import Patches
from benchmark.training.state import load_state


def power_off_after_four_steps(folder, images, listen) -> None:
    """Leave a training as a power failure does after its fourth step, which was saved."""
    listen(power_off_at(4))
    with pytest.raises(Interrupted):
        trained(folder, images, execution=replace(EXECUTION, save_minutes=0))
    listen(None)


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
    assert (stopped.history.step, stopped.is_finished, stopped.signal) == (5, False, number)
    assert load_state(tmp_path / "cut")[1]["diary"]["step"] == 5
    assert signal.getsignal(number) is before
    resumed = trained(tmp_path / "cut", images)
    assert (resumed.history.step, resumed.is_finished, resumed.signal) == (8, True, None)
    assert_same_weights(resumed.average, whole.average)
    assert [line.loss for line in resumed.history.log] == [line.loss for line in whole.history.log]


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


def test_a_finished_training_is_not_done_again(tmp_path, images, listen):
    whole = trained(tmp_path, images)
    listen(power_off_at(8))
    again = trained(tmp_path, images)
    assert_same_weights(again.average, whole.average)
    assert again.history.log == whole.history.log


def test_the_header_says_what_each_session_computed_in(tmp_path, images, listen):
    power_off_after_four_steps(tmp_path, images, listen)
    trained(tmp_path, images, execution=replace(EXECUTION, precision="bf16"))
    training = read_header(tmp_path / f"{tmp_path.name}.safetensors")["training"]
    assert (training["precision"], training["accumulate"]) == ("fp32, then bf16", 1)


def test_a_signal_which_comes_with_the_last_step_is_handed_on(tmp_path, images):
    class Signalled(Patches):
        def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
            if step == RECIPE.steps - 1:
                signal.raise_signal(signal.SIGTERM)
            return super().batch(step)

    result = trained(tmp_path, images, patches=Signalled)
    assert (result.is_finished, result.signal) == (True, signal.SIGTERM)


def test_states_and_logs_have_the_keys_of_those_which_were_written_before(tmp_path, images):
    trained(tmp_path, images)
    _, state = load_state(tmp_path)
    assert state.keys() == {"settings", "diary", "network", "average", "optimizer"}
    entry = ["step", "loss", "learning_rate", "steps_per_second", "images_per_second"]
    entry += ["data_wait", "matmul_share", "seconds"]
    assert state["diary"].keys() == {
        *("log", "validation", "losses", "step", "seconds", "best", "precisions")
    }
    assert list(state["diary"]["log"][0]) == list(lines(tmp_path / "log.csv")[0]) == entry


def test_speed_is_of_the_steps_which_this_session_timed(tmp_path, images, listen, monkeypatch):
    speeds, counted = Speedometer.speeds, []

    def noted(self: Speedometer, steps: int, seconds: float, waited: float) -> dict[str, float]:
        counted.append(steps)
        return speeds(self, steps, seconds, waited)

    monkeypatch.setattr(Speedometer, "speeds", noted)
    rarely = replace(EXECUTION, log_every=4, save_every=3)
    listen(power_off_at(4))
    with pytest.raises(Interrupted):
        trained(tmp_path, images, execution=rarely)
    listen(None)
    trained(tmp_path, images, execution=rarely)
    assert counted == [4, 1, 4]  # the second session began after three of the first four


def test_time_goes_on_after_an_interruption(tmp_path, images, listen):
    power_off_after_four_steps(tmp_path, images, listen)
    spent = load_state(tmp_path)[1]["diary"]["seconds"]
    last = trained(tmp_path, images).history.log[-1]
    assert last.step == RECIPE.steps
    assert last.seconds > spent > 0
    assert last.images_per_second == last.steps_per_second * RECIPE.batch > 0
    assert 0 <= last.data_wait < 1
