"""The noises of this benchmark; importing the package registers them."""

from benchmark.noise import NOISE_MODELS
from noise_models.gaussian import Correlated, Gaussian
from noise_models.impulse import SaltAndPepper
from noise_models.mixture import Mixture
from noise_models.poisson import Poisson
from noise_models.speckle import Speckle

__all__ = [
    "NOISE_MODELS",
    "Correlated",
    "Gaussian",
    "Mixture",
    "Poisson",
    "SaltAndPepper",
    "Speckle",
]
