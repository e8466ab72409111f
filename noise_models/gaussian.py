"""Gaussian noise which ignores the image: white, and smoothed into grain."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy  # loads ndimage when it is first used

from benchmark.noise import NOISE_MODELS, NoiseModel

if TYPE_CHECKING:
    from torch import Generator, Tensor


@NOISE_MODELS.register("gaussian")
@dataclass(frozen=True)
class Gaussian(NoiseModel):
    """White Gaussian noise, ``x + N(0, (level / 255)^2)``, independent in every value.

    The level 15 is the training noise of masked training [1]_; 15, 25 and 50 are the usual test
    levels, those of CLIPDenoising [2]_ among others. One normal number is drawn per value, in
    (H, W, C) order.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
       section 4.
    .. [2] Cheng et al., "Transfer CLIP for Generalizable Image Denoising", CVPR 2024; code:
       github.com/alwaysuu/CLIPDenoising.
    """

    cites = ("chen2023masked", "cheng2024clip")
    family = "additive"
    unit = "sigma, in 8-bit steps"
    suites = ("paper",)
    constant_variance = 1
    levels: tuple[float, ...] = (15, 25, 50)

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        noisy = rng.standard_normal(clean.shape)
        noisy *= level / 255
        noisy += clean
        return noisy

    def sample_batch(self, clean: "Tensor", level: float, generator: "Generator") -> "Tensor":
        noise = clean.new_empty(clean.shape).normal_(0, level / 255, generator=generator)
        return noise.add_(clean)


@NOISE_MODELS.register("correlated")
@dataclass(frozen=True)
class Correlated(NoiseModel):
    """Gaussian noise filtered with a 3x3 average, like the residue of a flawed denoiser [1]_.

    Each channel is averaged by itself. Away from the border the standard deviation is a third of
    the level, and the correlation with the neighbours at distance 1 and 2 along an axis is 2/3 and
    1/3. The border reflects, as in CLIPDenoising's code [2]_, where the levels come from: a row at
    the border has 5/3 of the variance inside. One normal number is drawn per value, in (H, W, C)
    order, before the filter.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
       section 4, "spatially-correlated noise".
    .. [2] Cheng et al., "Transfer CLIP for Generalizable Image Denoising", CVPR 2024; code:
       github.com/alwaysuu/CLIPDenoising.
    """

    cites = ("chen2023masked", "cheng2024clip")
    family = "correlated"
    unit = "sigma before the 3x3 average, in 8-bit steps"
    suites = ("paper",)
    constant_variance = 1 / 9
    levels: tuple[float, ...] = (40, 45, 50, 55)

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        white = rng.standard_normal(clean.shape)
        noisy = scipy.ndimage.uniform_filter(white, size=(3, 3, 1), mode="reflect")
        noisy *= level / 255
        noisy += clean
        return noisy
