"""Noise models, the random keys of noisy images, and formulas of noises. Loads no torch."""

from benchmark.noise.formula import Formula
from benchmark.noise.keys import Key, rng_for, stream
from benchmark.noise.model import NOISE_MODELS, NoiseModel, in_range, to_uint8

__all__ = [
    "NOISE_MODELS",
    "Formula",
    "Key",
    "NoiseModel",
    "in_range",
    "rng_for",
    "stream",
    "to_uint8",
]
