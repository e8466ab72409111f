"""Photographs, a noise of a plugin and recorded noise, to be measured and drawn."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.datasets import Folder, Recorded
from benchmark.noise import NoiseModel, to_uint8


@pytest.fixture
def photos(tmp_path) -> Folder:
    """Two photograph-like images of 64x48 pixels."""
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    for name in ("first", "second"):
        waves = np.sin(np.arange(64)[:, None] / 9) + np.cos(np.arange(48) / 7)
        values = 0.5 + 0.2 * waves[..., None] + rng.uniform(-0.05, 0.05, (64, 48, 3))
        Image.fromarray(to_uint8(values)).save(tmp_path / "images" / f"{name}.png")
    return Folder(path=str(tmp_path / "images"))


@dataclass(frozen=True)
class Stripe(NoiseModel):
    """Row offsets of a cheap sensor, the same in every column and channel [1]_.

    Nothing more is known.

    Parameters
    ----------
    period
        Rows with one
        offset.

    References
    ----------
    .. [1] A colleague, in the
       corridor.
    """

    name = "stripe"
    unit = "sigma, in 8-bit steps"
    note = "its width is a guess"
    levels: tuple[float, ...] = (5, 10)
    period: int = 1

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        offsets = level / 255 * rng.standard_normal(len(clean))
        return clean + np.repeat(offsets, self.period)[: len(clean), None, None]


@pytest.fixture
def stripe() -> type[Stripe]:
    return Stripe


@dataclass(frozen=True)
class Scans(Recorded):
    """Scans of one page, good and bad."""

    name = "scans"
    unit = "passes"
    source = "scan it"
    located = ("path",)
    levels: tuple[float, ...] = (8, 2)
    path: str = ""

    def searched(self) -> list[Path]:
        return [Path(self.path)]

    def listing(self, folder: Path) -> dict[str, tuple[Path, ...]]:
        return {"page": tuple(folder / f"{name}.png" for name in ("clean", "8", "2"))}


@pytest.fixture
def scans(tmp_path) -> Scans:
    """A page with noise of 5 and of 10 8-bit steps, 3 steps too bright."""
    rng = np.random.default_rng(1)
    clean = rng.integers(60, 190, (80, 90, 3))
    for name, sigma, bias in (("clean", 0, 0), ("8", 5, 3), ("2", 10, 3)):
        values = clean + bias + sigma * rng.standard_normal(clean.shape)
        Image.fromarray(to_uint8(values / 255)).save(tmp_path / f"{name}.png")
    return Scans(path=str(tmp_path))
