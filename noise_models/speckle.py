"""Speckle: noise which multiplies the image."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy  # loads special when it is first used

from benchmark.noise import NOISE_MODELS, NoiseModel

if TYPE_CHECKING:
    from torch import Generator, Tensor

DISTRIBUTIONS = ("uniform", "normal")


@NOISE_MODELS.register("speckle")
@dataclass(frozen=True)
class Speckle(NoiseModel):
    """Multiplicative noise, ``x * (1 + n)`` with ``n`` of mean 0 and variance ``level``.

    One ``n`` is drawn per value, in (H, W, C) order.

    Parameters
    ----------
    levels
        Variances. 0.024 is in the published generator [1]_, 0.03 and 0.04 in the tests of IDF
        [2]_; 0.02 stands in no publication and continues the pattern: it is our guess.
    distribution
        ``"uniform"``: ``n`` between ``-sqrt(3 * level)`` and ``sqrt(3 * level)``, which is what
        MATLAB's ``imnoise(image, "speckle", level)`` draws, the published generator [1]_.
        ``"normal"``: Gaussian, as in scikit-image's ``random_noise(mode="speckle")``.

    Raises
    ------
    ValueError
        If the distribution is neither, or a level is negative.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023;
       code: github.com/haoyuc/MaskedDenoising, testset/add_noise.m.
    .. [2] Kim et al., "IDF: Iterative Dynamic Filtering Networks for Generalizable Image
       Denoising", ICCV 2025.
    """

    cites = ("chen2023masked", "kim2025idf")
    family = "multiplicative"
    unit = "variance of the factor"
    note = "level 0.02 is a guess, the others are published"
    suites = ("paper",)
    levels: tuple[float, ...] = (0.02, 0.024, 0.03, 0.04)
    distribution: str = "uniform"

    def __post_init__(self) -> None:
        self.check_choice("distribution", DISTRIBUTIONS)
        super().__post_init__()

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        if self.distribution == "uniform":
            bound = np.sqrt(3 * level)
            factor = rng.uniform(-bound, bound, clean.shape)
        else:
            factor = np.sqrt(level) * rng.standard_normal(clean.shape)
        factor *= clean
        factor += clean
        return factor

    def sample_batch(self, clean: "Tensor", level: float, generator: "Generator") -> "Tensor":
        factor = clean.new_empty(clean.shape)
        if self.distribution == "uniform":
            factor.uniform_(-math.sqrt(3 * level), math.sqrt(3 * level), generator=generator)
        else:
            factor.normal_(0, math.sqrt(level), generator=generator)
        return factor.mul_(clean).add_(clean)

    def variance(self, intensity: np.ndarray, level: float) -> np.ndarray:
        return level * intensity**2


@NOISE_MODELS.register("gamma_speckle")
@dataclass(frozen=True)
class GammaSpeckle(NoiseModel):
    """Speckle of a radar's intensity, ``x * g`` with ``g ~ Gamma(level, 1 / level)`` [1]_.

    The level is the number of looks which are averaged, fewer is noisier; ``g`` has mean 1 and
    variance ``1 / level``. A measured ("equivalent") number of looks need not be whole. One ``g``
    is drawn per value, in (H, W, C) order; channels are independent. The levels are ours.

    References
    ----------
    .. [1] Argenti et al., "A Tutorial on Speckle Reduction in Synthetic Aperture Radar Images",
       IEEE Geoscience and Remote Sensing Magazine 1(3), 2013.
    """

    cites = ("argenti2013speckle",)
    family = "multiplicative"
    unit = "looks averaged"
    domain = (1, math.inf)
    levels: tuple[float, ...] = (50, 25, 10)

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        return clean * (rng.standard_gamma(level, clean.shape) / level)

    def variance(self, intensity: np.ndarray, level: float) -> np.ndarray:
        return np.square(intensity) / level


@NOISE_MODELS.register("rayleigh_speckle")
@dataclass(frozen=True)
class RayleighSpeckle(NoiseModel):
    """Speckle of an amplitude, ``x * r / E[r]``; at level 1 ``r`` is Rayleigh, variance 4/pi - 1.

    That is the speckle of an ultrasound image or of a single radar look. The Rayleigh law has no
    strength to choose; radar lowers it by averaging looks. So the level is the number of looks
    [1]_: ``r^2 ~ Gamma(level, 1 / level)``, the root of averaged intensities (a Nakagami law, which
    also fits ultrasound [2]_). Fewer looks are noisier; the variance is about ``1 / (4 * level)``.
    A measured number of looks need not be whole. One ``r`` is drawn per value, in (H, W, C) order;
    channels are independent. Levels other than 1 are ours.

    References
    ----------
    .. [1] Argenti et al., "A Tutorial on Speckle Reduction in Synthetic Aperture Radar Images",
       IEEE Geoscience and Remote Sensing Magazine 1(3), 2013.
    .. [2] Shankar, "A general statistical model for ultrasonic backscattering from tissues", IEEE
       Transactions on Ultrasonics, Ferroelectrics, and Frequency Control 47(3), 2000.
    """

    cites = ("argenti2013speckle", "shankar2000ultrasonic")
    family = "multiplicative"
    unit = "looks averaged"
    note = "Rayleigh at level 1; its extension to more looks is our choice"
    domain = (1, math.inf)
    levels: tuple[float, ...] = (16, 4, 1)

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        amplitude = np.sqrt(rng.standard_gamma(level, clean.shape) / level)
        return clean * (amplitude / _mean_amplitude(level))

    def variance(self, intensity: np.ndarray, level: float) -> np.ndarray:
        return np.square(intensity) * (1 / _mean_amplitude(level) ** 2 - 1)


def _mean_amplitude(looks: float) -> float:
    """The mean root of ``Gamma(looks, 1 / looks)``, ``sqrt(pi) / 2`` for one look."""
    return float(scipy.special.poch(looks, 0.5)) / math.sqrt(looks)
