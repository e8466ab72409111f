"""Photon noise: the brighter, the noisier."""

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

    unit = "alpha, a factor on the noise of 256 photons at white"
    levels: tuple[float, ...] = (2, 2.5, 3, 3.5)
    adaptive: bool = False

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        photons = _power_of_two(clean) if self.adaptive else PHOTONS
        clean = clean.astype(np.float64)
        return clean + level * (rng.poisson(clean * photons) / photons - clean)


def _power_of_two(clean: np.ndarray) -> int:
    """The smallest power of two that is not below the number of distinct 8-bit values."""
    distinct = np.unique(to_uint8(clean)).size
    return 1 << (distinct - 1).bit_length()
