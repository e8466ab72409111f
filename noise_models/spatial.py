"""Gaussian noise whose strength changes over the image."""

from dataclasses import dataclass

import numpy as np

from benchmark.noise import NOISE_MODELS, NoiseModel

PEAKS = (-6.551133, 8.106214)  # lowest and highest value of the surface, between any grid points


@NOISE_MODELS.register("spatially_variant")
@dataclass(frozen=True)
class SpatiallyVariant(NoiseModel):
    """White Gaussian noise with a standard deviation of its own at each pixel, ``level`` at most.

    The map of standard deviations depends on the image's size alone, is scaled to the level and is
    shared by the channels. One normal number is drawn per value, in (H, W, C) order. The variance
    is a law of the place, not of the intensity. Tests with such maps are those of VDN [1]_; these
    levels, and a lowest value of 0, are ours.

    Parameters
    ----------
    profile
        ``"ramp"``: from 0 in the first column to the level in the last, over the image's width;
        a mean square of a third of the level's. ``"peaks"``: MATLAB's surface ``peaks``, hills and
        a hollow on [-3, 3] x [-3, 3], as in VDN [1]_, moved and scaled to run from 0 to the level.

    Raises
    ------
    ValueError
        If the profile is neither, or a level is negative.

    References
    ----------
    .. [1] Yue et al., "Variational Denoising Network: Toward Blind Noise Modeling and Removal",
       NeurIPS 2019; code: github.com/zsyOAOA/VDNet.
    """

    cites = ("yue2019vdn",)
    family = "additive"
    unit = "highest sigma, in 8-bit steps"
    levels: tuple[float, ...] = (25, 50)
    profile: str = "ramp"

    def __post_init__(self) -> None:
        self.check_choice("profile", PROFILES)
        super().__post_init__()

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        height, width, _ = clean.shape
        sigma = level / 255 * PROFILES[self.profile](height, width)
        return clean + sigma[..., None] * rng.standard_normal(clean.shape)


def _ramp(height: int, width: int) -> np.ndarray:
    return np.tile(np.linspace(0, 1, width), (height, 1))


def _peaks(height: int, width: int) -> np.ndarray:
    x, y = np.linspace(-3, 3, width), np.linspace(-3, 3, height)[:, None]
    surface = 3 * (1 - x) ** 2 * np.exp(-(x**2) - (y + 1) ** 2)
    surface = surface - 10 * (x / 5 - x**3 - y**5) * np.exp(-(x**2) - y**2)
    surface = surface - np.exp(-((x + 1) ** 2) - y**2) / 3
    lowest, highest = PEAKS
    return np.clip((surface - lowest) / (highest - lowest), 0, 1)


PROFILES = {"ramp": _ramp, "peaks": _peaks}
