"""A training of several processes, and several trainings of one folder."""

import re
import signal
import subprocess

import pytest
from toy_training import (
    ENTRY,
    RECIPE,
    command,
    lines,
    trained,
)

from benchmark.denoiser.weights.load import read_header
from benchmark.files.lease import Leases
from benchmark.files.owner import new_token
from benchmark.training.loop import Training


def test_where_another_process_was_told_to_stop_this_one_stops_as_by_sigterm(
    tmp_path, images, monkeypatch
):
    monkeypatch.setattr(Training, "_is_stopped", lambda self, _: self.history.step == 3)
    stopped = trained(tmp_path, images)
    assert (stopped.history.step, stopped.signal) == (3, signal.SIGTERM)
    assert not stopped.is_finished


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
