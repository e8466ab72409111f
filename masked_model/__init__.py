"""Masked training: a network with its two masks."""

from benchmark.denoiser import DENOISERS
from masked_model import swinir

__all__ = ["DENOISERS", "swinir"]
