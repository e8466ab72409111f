"""Noises with settings of every type, with a file, and with a development of the image."""

from dataclasses import dataclass

import numpy as np

from benchmark.noise import NoiseModel


@dataclass(frozen=True)
class Fussy(NoiseModel):
    """A setting of every type; does nothing."""

    unit = "nothing"
    note = "a note"
    deterministic = True
    levels: tuple[float, ...] = (1, 2)
    flag: bool = False
    count: int = 3
    share: float = 0.5
    mode: str = "mean"
    path: str | None = None
    limit: int | None = None
    weights: tuple[float, ...] = (1, 2)

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        return clean.copy()


@dataclass(frozen=True)
class Filed(NoiseModel):
    """A setting which names a file; does nothing."""

    unit = "nothing"
    files = ("path",)
    levels: tuple[float, ...] = (1,)
    path: str = ""

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        return clean.copy()


@dataclass(frozen=True)
class Darkroom(NoiseModel):
    """Develops the image with a gain drawn first, then adds Gaussian noise."""

    unit = "sigma"
    levels: tuple[float, ...] = (0.01,)

    def sample_pair(
        self, clean: np.ndarray, level: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        target = rng.uniform(0.4, 0.6) * clean
        return target, target + level * rng.standard_normal(clean.shape)


def rng() -> np.random.Generator:
    return np.random.default_rng(5)
