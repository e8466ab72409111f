"""White noise of one standard deviation and several distributions: the tails alone differ."""

import math
from dataclasses import dataclass

import numpy as np

from benchmark.noise import NOISE_MODELS, NoiseModel


@NOISE_MODELS.register("uniform")
@dataclass(frozen=True)
class Uniform(NoiseModel):
    """White uniform noise, ``x + U(-a, a)`` with ``a = sqrt(3) * level / 255``.

    The level is its standard deviation, as that of ``gaussian``; the kurtosis is 1.8 instead of 3.
    One number is drawn per value, in (H, W, C) order: channels are independent. The levels are
    those of ``gaussian``.
    """

    family = "additive"
    unit = "sigma, in 8-bit steps"
    constant_variance = 1
    levels: tuple[float, ...] = (15, 25, 50)

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        noisy = rng.random(clean.shape, np.float32)
        noisy -= np.float32(0.5)
        noisy *= np.float32(math.sqrt(12) * level / 255)
        noisy += clean
        return noisy


@NOISE_MODELS.register("laplace")
@dataclass(frozen=True)
class Laplace(NoiseModel):
    """White Laplace noise of standard deviation ``level / 255``, with tails like ``exp(-|n|)``.

    Its kurtosis is 6, that of ``gaussian`` at the same level 3. One uniform number is drawn per
    value, in (H, W, C) order, and turned into Laplace's law by the inverse of its distribution
    function: channels are independent. The levels are two of those of ``gaussian``.
    """

    family = "additive"
    unit = "sigma, in 8-bit steps"
    constant_variance = 1
    levels: tuple[float, ...] = (15, 25)

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        signed = rng.random(clean.shape, np.float32)
        signed *= 2
        signed -= 1
        noisy = 1 - np.abs(signed)
        np.maximum(noisy, 2**-24, out=noisy)  # half of the least value above 0 that is drawn
        np.log(noisy, out=noisy)
        noisy *= np.float32(level / 255 / math.sqrt(2))
        np.copysign(noisy, signed, out=noisy)
        noisy += clean
        return noisy


@NOISE_MODELS.register("student_t")
@dataclass(frozen=True)
class StudentT(NoiseModel):
    """White noise with Student's t distribution, scaled to a standard deviation of ``level / 255``.

    Few values lie far out: the tails fall like a power of the distance. One number is drawn per
    value, in (H, W, C) order: channels are independent. The levels are two of those of
    ``gaussian``.

    Parameters
    ----------
    degrees
        Degrees of freedom, above 2, for the variance is infinite at 2. Fewer give heavier tails;
        the kurtosis is ``3 + 6 / (degrees - 4)``, infinite at 4 and below. 5, kurtosis 9, is our
        guess.

    Raises
    ------
    ValueError
        If there are 2 degrees of freedom or fewer, or a level is negative.
    """

    family = "additive"
    unit = "sigma, in 8-bit steps"
    note = "5 degrees of freedom are our guess"
    constant_variance = 1
    levels: tuple[float, ...] = (15, 25)
    degrees: float = 5

    def __post_init__(self) -> None:
        if not 2 < self.degrees < math.inf:
            raise ValueError(
                f"student_t needs finite degrees of freedom above 2, where its variance is finite, "
                f"got {self.degrees:g}"
            )
        super().__post_init__()

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        scale = level / 255 * math.sqrt((self.degrees - 2) / self.degrees)
        return clean + scale * rng.standard_t(self.degrees, clean.shape)
