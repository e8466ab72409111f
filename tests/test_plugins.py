"""A plugin as strangers write it: a package of its own, installed into a fresh environment."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "noisebench-stripes"
version = "1.0"

[project.entry-points."noisebench.plugins"]
stripes = "stripes"

[tool.hatch.build.targets.wheel]
only-include = ["stripes.py"]
"""

MODULE = '''
from dataclasses import dataclass
import numpy as np
from torch.nn.functional import avg_pool2d
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.noise import NOISE_MODELS, NoiseModel

@NOISE_MODELS.register("stripe")
@dataclass(frozen=True)
class Stripe(NoiseModel):
    """Dark columns at a regular distance, as a bad sensor has them."""

    unit = "depth of a stripe"
    levels: tuple[float, ...] = (0.1, 0.2)
    period: int = 8

    def sample(self, clean, level, rng):
        return clean - level * (np.arange(clean.shape[1]) % self.period == 0)[:, None]

@DENOISERS.register("box")
class Box(Denoiser):
    """The mean of a window."""

    def __init__(self, *, window: int = 3):
        super().__init__()
        self.window = window

    def forward(self, noisy):
        padding = self.window // 2
        return avg_pool2d(noisy, self.window, 1, padding, count_include_pad=False)
'''


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """The interpreter of a fresh environment which has the plugin, and ours through a ``.pth``."""
    folder = tmp_path_factory.mktemp("plugin")
    package = folder / "noisebench-stripes"
    package.mkdir()
    (package / "pyproject.toml").write_text(PYPROJECT)
    (package / "stripes.py").write_text(MODULE)

    builder = venv.EnvBuilder(with_pip=False)
    builder.create(folder / "env")
    context = builder.ensure_directories(folder / "env")
    python = Path(context.env_exe)
    scheme = {"base": str(folder / "env"), "platbase": str(folder / "env")}
    site_packages = Path(sysconfig.get_path("purelib", "venv", scheme))
    parent = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    (site_packages / "parent.pth").write_text("\n".join([*parent, str(ROOT)]) + "\n")
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", *offline, str(package)]
    installed = subprocess.run(pip, capture_output=True, text=True)
    assert installed.returncode == 0, installed.stderr
    return python


def bench(python: Path, folder: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(python), "-m", "benchmark.cli", *arguments],
        cwd=folder,
        env={**environment, "COLUMNS": "120"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_plugins_noise_and_denoiser_run_with_their_settings(python, tmp_path):
    small = ["data.photos.limit=1", "data.photos.crop=64", "out=o"]
    overrides = ["noise.stripe.period=4", "model.box.window=5"]
    out = bench(python, tmp_path, "run", "model=box", "noise=stripe", *overrides, *small)
    assert "stripe" in out
    cell = (tmp_path / "o" / "cells" / "box" / "photos" / "stripe-0.1-0.json").read_text()
    assert '"period": 4' in cell
    assert '"window": 5' in cell
    assert '"unit": "depth of a stripe"' in cell
    assert [path.name for path in tmp_path.iterdir()] == ["o"]


def test_a_plugins_noise_is_listed_beside_ours(python, tmp_path):
    lines = bench(python, tmp_path, "list", "noise").splitlines()
    place = next(i for i, line in enumerate(lines) if line.split()[:1] == ["stripe"])
    assert "Dark columns at a regular distance" in lines[place]
    assert "levels 0.1 0.2: depth of a stripe" in lines[place + 1]
    assert any(line.split()[:1] == ["gaussian"] for line in lines)


def test_all_includes_the_plugins(python, tmp_path):
    config = bench(python, tmp_path, "run", "model=all", "noise=all", "--cfg", "job")
    for name in ("stripe", "gaussian", "box", "identity"):
        assert f"\n  {name}:\n    of: {name}\n" in config
