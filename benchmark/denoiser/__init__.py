"""What a denoiser is: pixels in, pixels out, and never a word about the noise."""

from benchmark.denoiser.model import DENOISERS, Denoiser, ImageFilter
from benchmark.denoiser.padding import pad_to_multiple

__all__ = ["DENOISERS", "Denoiser", "ImageFilter", "pad_to_multiple"]
