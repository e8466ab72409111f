"""Stand-ins for noises, denoisers, datasets and metrics: each does one thing, known exactly."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.datasets import DND
from benchmark.denoiser import Denoiser
from benchmark.metrics import Metric
from benchmark.noise import NoiseModel


@dataclass(frozen=True)
class Offset(NoiseModel):
    """Add the level."""

    name = "offset"
    unit = "grey value"
    levels: tuple[float, ...] = (0.1, 0.2)

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        return clean.astype(np.float64) + level


@dataclass(frozen=True)
class Darkened(NoiseModel):
    """Redevelop the image at half its brightness, then add the level."""

    name = "darkened"
    unit = "grey value"
    levels: tuple[float, ...] = (0.1,)

    def sample_pair(
        self, clean: np.ndarray, level: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        return clean / 2, clean / 2 + np.float32(level)


class Dice(Denoiser):
    """A stochastic network, reduced to its randomness."""

    name = "dice"

    def forward(self, noisy: Tensor) -> Tensor:
        return torch.rand_like(noisy)


class Recorder(Denoiser):
    """Return the noisy image, and remember what came in."""

    name = "recorder"

    def __init__(self):
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, noisy: Tensor) -> Tensor:
        self.seen.append(noisy.clone())
        return noisy


class Constant(Denoiser):
    """Answer with one grey value."""

    name = "constant"

    def __init__(self, value: float):
        super().__init__()
        self.value = value

    def forward(self, noisy: Tensor) -> Tensor:
        return torch.full_like(noisy, self.value)


class Small(Denoiser):
    """Two convolutions around a normalisation: parameters, buffers and a counter."""

    name = "small"
    learned = True
    test_time = ("passes",)

    @classmethod
    def arguments_of(cls, shapes):
        return {"width": shapes["first.weight"][0]} if "first.weight" in shapes else {}

    def __init__(self, *, width: int = 4, passes: int = 1):
        super().__init__()
        if width % 2:
            raise ValueError(f"small needs an even width, got {width}")
        if passes < 1:
            raise ValueError(f"small needs one pass or more, got {passes}")
        self.passes = passes
        self.first = nn.Conv2d(3, width, 1)
        self.norm = nn.BatchNorm2d(width)
        self.last = nn.Conv2d(width, 3, 1)


@dataclass(frozen=True)
class Boxes(DND):
    """Two photographs with hidden clean images, which need no files: three small boxes each."""

    count = 2
    boxes = 3
    side = 8

    def crops(self) -> Iterator[tuple[str, list[np.ndarray]]]:
        for number in (1, 2):
            rng = np.random.default_rng(number)
            shape = (self.side, self.side, 3)
            yield f"000{number}", [rng.random(shape, np.float32) for _ in range(self.boxes)]


class Spy(Metric):
    """Remember what is scored."""

    name = "spy"
    higher_is_better = True

    def __init__(self):
        self.seen: list[tuple[Tensor, Tensor]] = []

    def __call__(self, restored: Tensor, clean: Tensor) -> float:
        self.seen.append((restored, clean))
        return 0.0
