"""The house: its floors, its rooms' sizes, and what loads fast."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("noise_models", "baselines", "masked_model")


def test_the_floors_are_kept():
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as l; l()"]
    done = subprocess.run([*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert not done.returncode, done.stdout


def test_the_registry_names_the_parts_and_none_is_forgotten():
    from benchmark.registry import OURS

    assert {name for name in OURS if "." not in name} == set(PARTS)


def test_only_the_command_line_knows_hydra():
    files = [path for part in ("benchmark", *PARTS) for path in (ROOT / part).rglob("*.py")]
    others = [path for path in files if ROOT / "benchmark" / "cli" not in path.parents]
    assert not [path for path in others if re.search("hydra|omegaconf", path.read_text().lower())]


@pytest.mark.parametrize(
    ("module", "heavy"),
    [("benchmark.noise", "torch"), ("noise_models", "torch"), ("benchmark.cli", "torch hydra cv2")],
)
def test_what_should_load_fast_loads_nothing_heavy(module, heavy):
    code = f"import {module}, sys; print([n for n in {heavy.split()} if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert found.stdout.strip() == "[]", found.stderr
