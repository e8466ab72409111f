"""The noises of this benchmark; importing the package registers them."""

from benchmark.noise import NOISE_MODELS
from noise_models.coloured import ChromaCorrelated, FilmGrain, LowFrequency
from noise_models.compression import GaussianJpeg, Jpeg, Quantization
from noise_models.eld import ELD
from noise_models.gaussian import Correlated, Gaussian
from noise_models.impulse import DeadPixels, RandomImpulse, SaltAndPepper
from noise_models.isp import ISP
from noise_models.mixture import Mixture
from noise_models.pattern import ColumnStripe, Periodic, RowStripe
from noise_models.poisson import Poisson, PoissonGaussian
from noise_models.render import MonteCarlo
from noise_models.rician import Rician
from noise_models.scenes import Caustic, DepthOfField, Fog, Glossy, Indirect, Textured
from noise_models.scunet import SCUNet
from noise_models.spatial import SpatiallyVariant
from noise_models.speckle import GammaSpeckle, RayleighSpeckle, Speckle
from noise_models.tails import Laplace, StudentT, Uniform

__all__ = [
    "NOISE_MODELS",
    "Caustic",
    "ChromaCorrelated",
    "ColumnStripe",
    "Correlated",
    "DeadPixels",
    "DepthOfField",
    "ELD",
    "FilmGrain",
    "Fog",
    "GammaSpeckle",
    "Gaussian",
    "GaussianJpeg",
    "Glossy",
    "ISP",
    "Indirect",
    "Jpeg",
    "Laplace",
    "LowFrequency",
    "Mixture",
    "MonteCarlo",
    "Periodic",
    "Poisson",
    "PoissonGaussian",
    "Quantization",
    "RandomImpulse",
    "RayleighSpeckle",
    "Rician",
    "RowStripe",
    "SCUNet",
    "SaltAndPepper",
    "SpatiallyVariant",
    "Speckle",
    "StudentT",
    "Textured",
    "Uniform",
]
