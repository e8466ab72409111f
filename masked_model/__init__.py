"""Masked training: a network with its two masks, and the same one without."""

from benchmark.denoiser import DENOISERS
from masked_model import swinir

__all__ = ["DENOISERS", "swinir"]
