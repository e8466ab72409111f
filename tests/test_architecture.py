"""The arrows between modules: contracts know no parts, and no module imports one below itself."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("noise_models", "baselines", "masked_model")
ORDER = (  # a module of benchmark imports only modules above itself
    "__init__",
    "registry",
    "owner",
    "exits",
    "signature",
    "files",
    "names",
    "lease",
    "environment",
    "cgroup",
    "streams",
    "ahead",
    "progress",
    "output",
    "settings",
    "noise",
    "tiling",
    "contract",
    "denoiser",
    "memory",
    "inference",
    "check",
    "places",
    "tiff",
    "image_kinds",
    "images",
    "dataset",
    "provenance",
    "matched",
    "render",
    "metrics",
    "datasets",
    "recorded",
    "inert",
    "wrappers",
    "averages",
    "checkpoint",
    "sizes",
    "weights",
    "submission",
    "records",
    "parts",
    "reuse",
    "cells",
    "sharing",
    "pictures",
    "evaluate",
    "precision",
    "recipe",
    "patches",
    "validation",
    "state",
    "team",
    "throughput",
    "train",
    "statistics",
    "leaderboard",
    "plots",
    "tables",
    "report",
    "curves",
    "zoo",
    "ablation",
    "measure",
    "sheet",
    "rescore",
    "run",
    "passes",
    "tiles",
    "options",
    "config",
    "plugins",
    "arguments",
    "composed",
    "compose",
    "study",
    "listing",
    "mistakes",
    "commands",
    "cli",
)


def every_module_of(*packages: str) -> pytest.MarkDecorator:
    paths = sorted(path for package in packages for path in (ROOT / package).glob("*.py"))
    names = [f"{path.parent.name}.{path.stem}" for path in paths]
    return pytest.mark.parametrize("path", paths, ids=names)


def imported(path: Path) -> set[str]:
    """Every module a file imports, in functions as well, but not for type checkers alone."""
    return set(_imports(ast.parse(path.read_text())))


def _imports(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert not child.level, "imports are absolute"
            names = [f"{child.module}.{alias.name}" for alias in child.names]
            modules = [name for name in names if (ROOT / f"{name.replace('.', '/')}.py").is_file()]
            yield from modules or [child.module]
        elif not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from _imports(child)


def of_package(path: Path, package: str) -> set[str]:
    """The modules of a package that a file imports, by their name in the package."""
    names = {name.partition(".") for name in imported(path)}
    return {module or "__init__" for top, _, module in names if top == package}


@every_module_of("benchmark")
def test_a_module_of_benchmark_imports_only_those_above_it(path):
    assert path.stem in ORDER, f"give {path.name} its place in ORDER"
    below = ORDER[ORDER.index(path.stem) :]
    assert not of_package(path, "benchmark") & set(below)


@every_module_of("benchmark", *PARTS)
def test_the_benchmark_knows_no_part_by_import(path):
    known = {part for part in PARTS if of_package(path, part)}
    allowed = {
        "benchmark": set(),
        "noise_models": {"noise_models"},
        "baselines": {"baselines"},
        "masked_model": {"baselines", "masked_model"},
    }
    assert known <= allowed[path.parent.name]


@every_module_of(*PARTS)
def test_a_part_knows_its_contract_and_nothing_else_of_the_benchmark(path):
    contract = {
        "noise_models": {"noise", "dataset", "render"},
        "baselines": {"denoiser"},
        "masked_model": {"denoiser"},
    }
    doors = {"averages", "checkpoint", "contract", "memory", "places", "registry"}
    strangers = doors if path.stem == "adapters" else set()
    assert of_package(path, "benchmark") <= contract[path.parent.name] | strangers


@every_module_of("noise_models")
def test_noises_need_no_torch_and_only_mixtures_are_made_of_others(path):
    assert not {name for name in imported(path) if name.partition(".")[0] == "torch"}
    if path.stem not in ("__init__", "mixture", "scunet"):
        assert of_package(path, "noise_models") <= {"camera"}  # it holds no noise


def test_the_registry_names_the_parts_and_none_is_forgotten():
    from benchmark.registry import OURS

    assert {name for name in OURS if "." not in name} == set(PARTS)


@pytest.mark.parametrize(
    ("module", "heavy"),
    [("benchmark.noise", "torch"), ("noise_models", "torch"), ("benchmark.cli", "torch hydra cv2")],
)
def test_what_should_load_fast_loads_nothing_heavy(module, heavy):
    code = f"import {module}, sys; print([n for n in {heavy.split()} if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert found.stdout.strip() == "[]", found.stderr
