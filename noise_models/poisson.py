"""Photon noise: the brighter, the noisier."""

import math
from dataclasses import dataclass

import numpy as np

from benchmark.noise import NOISE_MODELS, NoiseModel, to_uint8

PHOTONS = 256  # at white; 2^ceil(log2(distinct 8-bit values)) of nearly every photograph


@NOISE_MODELS.register("poisson")
@dataclass(frozen=True)
class Poisson(NoiseModel):
    """Amplified photon noise, ``x + level * (Poisson(x * p) / p - x)`` with ``p = 256``.

    The level is the factor alpha of the published tests [1]_ [2]_. On the scale 0 to 255 the
    variance is ``level^2 * 255 / p * x`` and the third central moment
    ``level^3 * (255 / p)^2 * x``. Channels are independent; one Poisson number is drawn per value,
    in (H, W, C) order.

    Parameters
    ----------
    levels
        Values of alpha; the default is CLIPDenoising's.
    adaptive
        Take ``p = 2^ceil(log2(n))``, where ``n`` counts the image's distinct 8-bit values over all
        channels, as the published generators do (scikit-image's ``random_noise`` is the origin).
        For every image of Kodak24, CBSD68, McMaster and Urban100 that is 256 and nothing changes
        by a bit. An image with 128 distinct values or fewer, a dark crop or a drawing, gets at
        least twice the variance at the same level, a flat one 256 times: hence off by default.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023;
       code: github.com/haoyuc/MaskedDenoising.
    .. [2] Cheng et al., "Transfer CLIP for Generalizable Image Denoising", CVPR 2024; code:
       github.com/alwaysuu/CLIPDenoising.
    """

    cites = ("chen2023masked", "cheng2024clip")
    family = "signal-dependent"
    unit = "alpha, a factor on the noise of 256 photons at white"
    suites = ("paper",)
    levels: tuple[float, ...] = (2, 2.5, 3, 3.5)
    adaptive: bool = False

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        photons = _power_of_two(clean) if self.adaptive else PHOTONS
        noisy = rng.poisson(clean * photons) / photons  # a power of two: the product is exact
        noisy -= clean
        noisy *= level
        noisy += clean
        return noisy

    def variance(self, intensity: np.ndarray, level: float) -> np.ndarray | None:
        return None if self.adaptive else level**2 / PHOTONS * intensity


@NOISE_MODELS.register("poisson_gaussian")
@dataclass(frozen=True)
class PoissonGaussian(NoiseModel):
    """Photon and read noise of a sensor, ``level * Poisson(x / level) + N(0, read)`` [1]_.

    The variance is ``level * x + read``: the level is the slope, which Foi et al. call a, the
    amplification of one photon; white has ``1 / level`` photons. All normal numbers are drawn
    in (H, W, C) order, then all Poisson ones; channels are independent.

    The levels are ours, in the usual range of a photograph's raw data. Under 1e-6, a million
    photons at white, there is no level: what is left is ``gaussian``.

    Parameters
    ----------
    read
        Variance of the read noise on the scale of [0, 1], b of Foi et al., the same at all levels:
        one number then says how hard a level is. 0.0004 is a sigma of 5.1 8-bit steps, our choice.

    Raises
    ------
    ValueError
        If the read variance is negative or not finite, or a level is under 1e-6.

    References
    ----------
    .. [1] Foi et al., "Practical Poissonian-Gaussian noise modeling and fitting for single-image
       raw-data", IEEE TIP 17(10), 2008, section 2.
    """

    cites = ("foi2008poissonian",)
    family = "signal-dependent"
    unit = "slope of the variance, the amplification of a photon"
    note = "levels and read noise are our choice"
    domain = (1e-6, math.inf)
    levels: tuple[float, ...] = (0.005, 0.01, 0.02)
    read: float = 0.0004

    def __post_init__(self) -> None:
        if not 0 <= self.read < math.inf:
            raise ValueError(
                f"poisson_gaussian needs a finite read variance >= 0, got {self.read:g}"
            )
        super().__post_init__()

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        noisy = rng.standard_normal(clean.shape, np.float32)
        noisy *= np.float32(math.sqrt(self.read))
        noisy += np.float32(level) * rng.poisson(clean.astype(np.float64) / level)
        return noisy

    def variance(self, intensity: np.ndarray, level: float) -> np.ndarray:
        return level * intensity + self.read


def _power_of_two(clean: np.ndarray) -> int:
    """The smallest power of two that is not below the number of distinct 8-bit values."""
    distinct = np.unique(to_uint8(clean)).size
    return 1 << (distinct - 1).bit_length()
