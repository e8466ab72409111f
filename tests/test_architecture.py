"""The house: its floors, its rooms' sizes, and what loads fast."""

import re
import subprocess
import sys
from pathlib import Path
from statistics import quantiles

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("noise_models", "baselines", "masked_model")
FILES = [path for part in ("benchmark", *PARTS) for path in (ROOT / part).rglob("*.py")]
LISTS = {  # no rooms: a file each, found by its name
    "noise_models": "family of noises",
    "baselines": "network",
    "benchmark/cli/commands": "command",
}


def test_the_floors_are_kept():
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as l; l()"]
    done = subprocess.run([*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert not done.returncode, done.stdout


def test_no_folder_has_more_files_than_can_be_seen_at_once():
    folders = {path.parent for path in FILES} - {ROOT / name for name in LISTS}
    sizes = {str(f.relative_to(ROOT)): len(list(f.glob("[!_]*.py"))) for f in folders}
    assert {folder: count for folder, count in sizes.items() if count > 12} == {}


def test_nine_files_of_ten_are_under_300_lines():
    lengths = {path: len(path.read_text().splitlines()) for path in FILES}
    longest = sorted(lengths, key=lengths.__getitem__, reverse=True)[: len(FILES) // 10]
    named = [f"{path.relative_to(ROOT)} {lengths[path]}" for path in longest]
    assert quantiles(lengths.values(), n=10)[-1] < 300, named


def test_the_registry_names_the_parts_and_none_is_forgotten():
    from benchmark.registry import OURS

    assert {name for name in OURS if "." not in name} == set(PARTS)


def test_only_the_command_line_knows_hydra():
    others = [path for path in FILES if ROOT / "benchmark" / "cli" not in path.parents]
    known = re.compile(r"^\s*(from|import) (hydra|omegaconf)", re.MULTILINE)
    assert not [path for path in others if known.search(path.read_text())]


@pytest.mark.parametrize(
    ("module", "heavy"),
    [("benchmark", "torch cv2 hydra pandas"), ("benchmark.cli", "torch hydra cv2")]
    + [(room, "torch cv2 hydra") for room in ("benchmark.noise", "noise_models")],
)
def test_what_should_load_fast_loads_nothing_heavy(module, heavy):
    code = f"import {module}, sys; print([n for n in {heavy.split()} if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert found.stdout.strip() == "[]", found.stderr
