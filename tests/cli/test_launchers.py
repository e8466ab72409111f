"""Processes share a run, a launcher's or on this machine: it ends as that of one process does."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from bad_inputs.plugins import plugin
from command_results import ENTRY, ENVIRONMENT, ROOT, SMALL, without_seconds

from benchmark.cli.command import all_commands
from benchmark.cli.workers import workers_of
from benchmark.environment.helpers import PLACE
from benchmark.files.lease import holder

WAITING = """
import os
import time
from pathlib import Path

from benchmark.denoiser import DENOISERS, Denoiser

@DENOISERS.register("waiting")
class Waiting(Denoiser):
    "Half as bright; a process waits with its second image until the file GO is there."
    images = 0
    def forward(self, noisy):
        Waiting.images += noisy.shape[-1] == 64  # others are no image of the run
        while Waiting.images > 1 and "GO" in os.environ and not Path(os.environ["GO"]).exists():
            time.sleep(0.02)
        return noisy / 2

@DENOISERS.register("broken")
class Broken(Denoiser):
    "No image at all."
    def forward(self, noisy):
        return noisy * float("nan")
"""
RUN = ["run", "model=waiting", "noise=gaussian", "seeds=[0,1,2,3]", *SMALL[1:]]
RUN += ["data.photos.limit=2", "threads=1"]
LAUNCHERS = {  # the plugin of each, how many workers, and what starts them at once on two cores
    "joblib": ("hydra_joblib_launcher", 2, []),
    "submitit_local": ("hydra_submitit_launcher", 2, []),
    "ray": ("hydra_ray_launcher", 4, ["+hydra.launcher.ray.remote.num_cpus=0"]),
}
PATIENCE = 600  # seconds


def environment(folder: Path, **more: str) -> dict[str, str]:
    """With the plugin that is in a folder."""
    places = [str(folder / "plugins"), ENVIRONMENT["PYTHONPATH"]]
    own = {"PYTHONPATH": os.pathsep.join(places), "HOME": str(folder)}  # Ray writes into a home
    return {**ENVIRONMENT, **own, "OMP_NUM_THREADS": "1", **more}


def images(out: Path) -> dict[str, list]:
    """The rows of each cell, but for the seconds."""
    found = {}
    for path in sorted((out / "cells").rglob("*.json")):
        rows = json.loads(path.read_text())["images"]
        found[path.relative_to(out).as_posix()] = [{**row, "seconds": 0} for row in rows]
    return found


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Path:
    """What one process makes of the run, beside the plugin."""
    folder = tmp_path_factory.mktemp("alone")
    plugin(WAITING)(folder)
    subprocess.run([*ENTRY, *RUN, "out=o"], cwd=folder, env=environment(folder), check=True)
    return folder


def workers(out: Path) -> set[int]:
    """The processes which are in work at cells."""
    tokens = (holder(lease) or "" for lease in out.rglob("*.lease"))
    return {int(token.split("-")[1]) for token in tokens if token}


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE)
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_run_of_workers_of_which_half_are_killed_ends_as_that_of_one_process(
    alone, tmp_path, launcher
):
    package, number, more = LAUNCHERS[launcher]
    pytest.importorskip(f"hydra_plugins.{package}")
    out, go = tmp_path / "o", tmp_path / "go"
    words = [*RUN, "-m", f"hydra/launcher={launcher}", *more, f"shards={number}"]
    words += [f"out={out}"]
    with (tmp_path / "log").open("w") as log:
        own = environment(alone, GO=str(go))
        run = subprocess.Popen([*ENTRY, *words], cwd=alone, env=own, stdout=log, stderr=log)
    try:
        begin = time.monotonic()
        while len(found := workers(out)) <= number // 2:
            assert run.poll() is None and time.monotonic() - begin < PATIENCE
            time.sleep(0.02)
        assert run.pid not in found
        for worker in sorted(found)[: number // 2]:
            os.kill(worker, signal.SIGKILL)
        go.touch()
        status = run.wait(PATIENCE)
    finally:
        run.kill()
    assert status == 0, (tmp_path / "log").read_text()
    assert images(out) == images(alone / "o")
    assert without_seconds(out / "scores.csv") == without_seconds(alone / "o/scores.csv")
    names = {path.name for path in out.iterdir()} - {path.name for path in (alone / "o").iterdir()}
    assert not names and not [*out.rglob("*.lease"), *out.rglob("*.part")]
    assert "shards" not in (out / "README.md").read_text()


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE)
def test_two_processes_on_this_machine_share_a_run_and_end_it_as_one_does(alone, tmp_path):
    out, go = tmp_path / "o", tmp_path / "go"
    words = [*ENTRY, *RUN, "workers=2", f"out={out}"]
    with (tmp_path / "log").open("w") as log:
        own = environment(alone, GO=str(go))
        run = subprocess.Popen(words, cwd=alone, env=own, stdout=log, stderr=log)
    begin = time.monotonic()
    while len(found := workers(out)) < 2:
        assert run.poll() is None and time.monotonic() - begin < PATIENCE
        time.sleep(0.02)
    assert run.pid in found
    go.touch()
    assert run.wait(PATIENCE) == 0, (tmp_path / "log").read_text()
    assert "2 processes of 1 thread share the cells" in (tmp_path / "log").read_text()
    assert images(out) == images(alone / "o")
    assert without_seconds(out / "scores.csv") == without_seconds(alone / "o/scores.csv")
    assert {path.name for path in out.iterdir()} == {path.name for path in (alone / "o").iterdir()}
    assert not [*out.rglob("*.lease"), *out.rglob("*.part")]
    assert "workers" not in (out / "README.md").read_text()


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize(
    "shared", [["-m", "hydra/launcher=joblib", "shards=1"], ["workers=2"]], ids=["joblib", "here"]
)
def test_with_the_command_its_workers_end(alone, tmp_path, how, shared):
    if "-m" in shared:
        pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    words = [*RUN, *shared, f"out={tmp_path}/o"]
    run = subprocess.Popen(
        [*ENTRY, *words],
        cwd=alone,
        env=environment(alone, GO=str(go := tmp_path / "go")),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    itself = {run.pid} if "workers=2" in shared else set()  # joblib's only worker is the command
    while not (found := workers(tmp_path / "o") - itself):
        assert run.poll() is None
        time.sleep(0.02)
    run.send_signal(how)
    if how == signal.SIGINT:
        if "workers=2" in shared:  # the command is at an image itself, and ends with it
            go.touch()
        assert "bench: stopped; the same command goes on from here" in run.communicate()[1]
        assert run.returncode == 130
    else:
        run.wait()
    (worker,) = found
    begin = time.monotonic()
    while psutil.pid_exists(worker):
        assert time.monotonic() - begin < PATIENCE / 2
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["workers=0"], "workers=0 should be a number of processes, from 1"),
        (["workers=100000"], "workers=100000 should be a number of processes, from 1 to"),
        (["workers=2", "shard=1/2"], "workers=2 cannot be here, since shard= is for processes"),
        (["workers=2", "rescore=all"], "since rescore= is done by one process; leave it out"),
        (["workers=2", "metric.psnr.border=${oc.env:BORDER,1}"], "some are more than settings"),
    ],
)
def test_processes_that_cannot_be_are_refused_in_one_sentence(bench, tmp_path, words, says):
    status, _, err = bench("run", "model=tv", "noise=gaussian", *SMALL, *words, "out=o")
    assert status == 2 and says in err
    assert not (tmp_path / "o/cells").exists()


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE)
def test_a_mistake_which_only_workers_meet_is_one_sentence(alone, tmp_path):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    words = [*RUN, "-m", "hydra/launcher=joblib", "shards=1", "model=broken", f"out={tmp_path}/o"]
    done = subprocess.run(
        [*ENTRY, *words[:1], *words[2:]],
        cwd=alone,
        env=environment(alone),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("bench: ")]
    assert "broken" in sentence and "Traceback" not in done.stderr


def test_what_networks_are_of_is_said_by_the_command_and_not_by_its_workers(bench, monkeypatch):
    words = ["run", "model=dncnn", "noise=gaussian(25)", *SMALL, "metric=psnr", "pictures=none"]
    monkeypatch.setenv(PLACE, f"2/2 {os.getppid()}")
    assert "stand in until" not in bench(*words, "out=o")[1]
    monkeypatch.delenv(PLACE)
    assert bench(*words, "out=o")[1].count("stand in until") == 1


def test_a_setting_which_a_launcher_lacks_is_said_before_anything_is_scored(bench, tmp_path):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    words = ["-m", "hydra/launcher=joblib", "hydra.launcher.n_jbs=3", "shards=2", "out=o"]
    status, _, err = bench("run", "model=tv", *RUN[2:], *words)
    assert status == 2 and "n_jbs" in err and "workers" not in err
    assert not (tmp_path / "o").exists()


def test_the_job_of_the_page_is_a_script_which_slurm_takes_and_sh_runs(tmp_path):
    page = (ROOT / "docs/clusters.md").read_text()
    (script,) = re.findall(r"```sh\n(#!/bin/sh\n.*?)```", page, re.DOTALL)
    first, *options = [line for line in script.splitlines() if line.startswith("#")]
    assert all(re.fullmatch(r"#SBATCH --[a-z-]+=[\w%:.-]+", line) for line in options)
    assert script.startswith("\n".join([first, *options, "."]))  # later ones are not read
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/activate").write_text('bench() { echo "$NOISEBENCH_DATA" "$@"; }\n')
    (tmp_path / "job.sh").write_text(script)
    slurm = {**os.environ, "SLURM_CPUS_PER_TASK": "4", "SLURM_ARRAY_TASK_ID": "2"}
    done = subprocess.run(
        ["sh", "-eu", "job.sh"], cwd=tmp_path, env=slurm, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("/scratch/denoising run model=all ")
    assert " threads=4 " in done.stdout


def of_words(*words: str):
    return workers_of(all_commands()["run"], list(words))


def test_words_without_workers_stay_as_they_are():
    words = ["-m", "hydra/launcher=joblib", "model=a,b"]
    assert of_words(*words) == (None, words)


def test_each_worker_is_a_job_which_begins_at_another_share():
    found, own = of_words("-m", "hydra/launcher=submitit_slurm", "model=a", "shards=2")
    assert own == ["model=a"]
    assert found.words == ["hydra/launcher=submitit_slurm", "shards=2", "shard=1/2,2/2", "-m"]


def test_joblib_starts_all_workers_at_once_unless_it_is_told_otherwise():
    launcher = ["-m", "hydra/launcher=joblib", "shards=3"]
    assert "hydra.launcher.n_jobs=3" in of_words(*launcher)[0].words
    (number,) = [w for w in of_words(*launcher, "hydra.launcher.n_jobs=2")[0].words if "jobs" in w]
    assert number == "hydra.launcher.n_jobs=2"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["shards=4"], "for the workers that one of Hydra's launchers starts"),
        (["+shards=4"], "for the workers that one of Hydra's launchers starts"),
        (["-m", "shards=4"], "for the workers that one of Hydra's launchers starts"),
        (["-m", "hydra/launcher=joblib", "shards=0"], "a number of workers, from 1"),
        (["-m", "hydra/launcher=joblib", "shards=many"], "a number of workers, from 1"),
        (["-m", "hydra/launcher=joblib", "shards=2", "shard=1/2"], "exclude each other"),
        (["-m", "hydra/launcher=joblib", "shards=2", "rescore=all"], "exclude each other"),
        (["-m", "hydra/launcher=joblib", "shards=2", "workers=2"], "exclude each other"),
    ],
)
def test_workers_that_cannot_be_are_refused_in_one_sentence(words, says):
    with pytest.raises(ValueError, match=says):
        of_words(*words)
