"""The README's plugin, word for word: a package of its own, installed in a fresh environment."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

README = (ROOT / "README.md").read_text()


def blocks(language: str) -> str:
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL))


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """The interpreter of a fresh environment which has the plugin, and ours through a ``.pth``."""
    folder = tmp_path_factory.mktemp("plugin")
    package = folder / "acme-noise"
    package.mkdir()
    (package / "pyproject.toml").write_text(blocks("toml"))
    (package / "acme_noise.py").write_text(blocks("python"))

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


@pytest.mark.slow
def test_a_plugins_noise_and_denoiser_run_with_their_settings(python, tmp_path):
    small = ["data.photos.limit=1", "data.photos.crop=64", "out=o"]
    overrides = ["noise.stripe.period=4", "model.median.radius=2"]
    out = bench(python, tmp_path, "run", "model=median", "noise=stripe", *overrides, *small)
    assert "stripe" in out
    cell = (tmp_path / "o" / "cells" / "median" / "photos" / "stripe-5-0.json").read_text()
    assert '"period": 4' in cell
    assert '"radius": 2' in cell
    assert '"unit": "sigma, in 8-bit steps"' in cell
    assert [path.name for path in tmp_path.iterdir()] == ["o"]


@pytest.mark.slow
def test_a_plugins_noise_is_listed_beside_ours(python, tmp_path):
    lines = bench(python, tmp_path, "list", "noise").splitlines()
    place = next(i for i, line in enumerate(lines) if line.split()[:1] == ["stripe"])
    assert "Row offsets of a cheap sensor" in lines[place]
    assert "levels 5 10: sigma, in 8-bit steps" in lines[place + 1]
    assert any(line.split()[:1] == ["gaussian"] for line in lines)


@pytest.mark.slow
def test_all_includes_the_plugins(python, tmp_path):
    config = bench(python, tmp_path, "run", "model=all", "noise=all", "--cfg", "job")
    for name in ("stripe", "gaussian", "median", "identity"):
        assert f"\n  {name}:\n    of: {name}\n" in config
