"""The GitHub action and the GitLab job which a lab copies: well formed, and run as they stand."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from benchmark.cli.command import all_commands

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = ACTION["runs"]["steps"]
PAGE = (ROOT / "docs/ci.md").read_text()
RECORDING = '#!/usr/bin/env bash\nprintf "%s\\n" "$@" > words\nexit 1\n'


def test_it_is_a_composite_action_whose_steps_have_what_they_need():
    assert ACTION["name"] and ACTION["description"] and ACTION["runs"]["using"] == "composite"
    for step in STEPS:
        assert ("run" in step) != ("uses" in step)
        assert ("shell" in step) == ("run" in step)  # a composite action has no default


def test_other_actions_are_pinned_by_their_major_version():
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert used and all(re.fullmatch(r"actions/[\w-]+@v\d+", name) for name in used)


def test_every_input_is_declared_described_and_used():
    used = set(re.findall(r"\$\{\{ inputs\.([\w-]+) \}\}", str(STEPS)))
    assert used == set(ACTION["inputs"])
    assert all(given["description"] and "default" in given for given in ACTION["inputs"].values())


def test_the_noisebench_which_is_installed_is_the_one_of_the_action():
    lines = ACTION["inputs"]["install"]["default"].splitlines()
    assert lines[-2:] == ['pip install "$GITHUB_ACTION_PATH"', "pip install ."]


def test_nothing_a_caller_gives_is_pasted_into_a_script():
    assert not [step for step in STEPS if "${{" in step.get("run", "")]


@pytest.fixture
def run(tmp_path):
    """A step of the action in bash as GitHub calls it, ``bench`` being one which notes its words
    and fails; the status and the words."""
    stub = tmp_path / "bin/bench"
    stub.parent.mkdir()
    stub.write_text(RECORDING)
    stub.chmod(0o755)

    def call(name: str, **given: str) -> tuple[int, list[str]]:
        step = next(step for step in STEPS if step.get("name") == name)
        environment = dict.fromkeys(step["env"], "") | given | {"FOLDER": str(tmp_path / "f")}
        path = f"{stub.parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=tmp_path,
            env={**os.environ, **environment, "PATH": path},
        )
        words = tmp_path / "words"
        return done.returncode, words.read_text().splitlines() if words.exists() else []

    return call


def test_the_check_gets_the_inputs_which_are_given_and_its_status_is_the_steps(run, tmp_path):
    settings = "max_slowdown=1.5\n\nmodel.mine.weights=my file.pth\n"
    status, words = run(
        "bench check", MODEL="[mine,identity]", BASELINE="tests/b.csv", SETTINGS=settings
    )
    assert status == 1
    assert words == [
        "check",
        "baseline=tests/b.csv",
        f"junit={tmp_path}/f/check.xml",
        f"summary={tmp_path}/f/check.md",
        "model=[mine,identity]",
        "max_slowdown=1.5",
        "model.mine.weights=my file.pth",
    ]


def test_the_summary_is_appended_where_there_is_one(run, tmp_path):
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    assert run("Summary", GITHUB_STEP_SUMMARY=str(summary))[0] == 0
    (tmp_path / "f").mkdir()
    (tmp_path / "f/check.md").write_text("passed\n")
    assert run("Summary", GITHUB_STEP_SUMMARY=str(summary))[0] == 0
    assert summary.read_text() == "before\npassed\n"


@pytest.fixture(params=re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def example(request) -> dict:
    return yaml.safe_load(request.param)


def test_what_the_page_shows_is_yaml_with_inputs_and_settings_that_there_are(example):
    known = {*all_commands()["check"].settings, *all_commands()["check"].groups}
    if "jobs" in example:
        steps = [step for job in example["jobs"].values() for step in job["steps"]]
        (step,) = (step for step in steps if "noisebench" in step.get("uses", ""))
        assert set(step["with"]) <= set(ACTION["inputs"])
    else:
        (job,) = example.values()
        (check,) = (line for line in job["script"] if line.startswith("bench check"))
        assert {word.partition("=")[0] for word in check.split()[2:]} <= known
        assert f"junit={job['artifacts']['reports']['junit']}" in check.split()


def test_the_page_shows_both():
    assert "uses: " in PAGE and "artifacts:" in PAGE


def test_our_own_ci_runs_the_check():
    assert re.search(r"^\.venv/bin/bench check\b", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert (ROOT / all_commands()["check"].settings["baseline"][1]).is_file()
