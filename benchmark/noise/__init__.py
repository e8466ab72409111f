"""What a noise model is, the random numbers it may use, and formulas of noises. Loads no torch."""

from benchmark.noise.formula import Formula
from benchmark.noise.model import NOISE_MODELS, NoiseModel, in_range, rng_for, stream, to_uint8

__all__ = ["NOISE_MODELS", "Formula", "NoiseModel", "in_range", "rng_for", "stream", "to_uint8"]
