"""How well an image is completed of which most pixels are hidden: inpainting without training it.

Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023, Figure 3,
shows it of a network which is trained to; any network can be asked.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from benchmark.pixels import psnr

SPREAD = 0.5  # sigma of the blur, in mean distances between visible pixels: a guess of ours


def hidden_pixels(shape: tuple[int, int], percent: int, rng: np.random.Generator) -> np.ndarray:
    """Which pixels of (H, W) are hidden, each by itself with this chance: (H, W) bool.

    Of equal generators, those of a higher percentage hold those of a lower one.
    """
    return rng.random(shape) < percent / 100


def hide(image: np.ndarray, hidden: np.ndarray, value: float) -> np.ndarray:
    """An (H, W, C) float32 image in which hidden pixels are ``value`` in all channels."""
    return np.where(hidden[..., None], np.float32(value), image)


def interpolated(image: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """An (H, W, C) image in [0, 1] with hidden pixels filled by a blur of the visible ones.

    It is a Gaussian's, by half of the mean distance between visible pixels, divided by what of the
    Gaussian is visible: what a network has to be better than. Visible pixels stay as they are;
    where none is, all are the grey in the middle.
    """
    visible = (~hidden).astype(float)
    share = visible.mean()
    if share in (0, 1):
        return image if share else np.full_like(image, 0.5)
    sigma = SPREAD / np.sqrt(share)
    light, weight = (
        gaussian_filter(values, (sigma, sigma, 0), truncate=8)
        for values in (image * visible[..., None], visible[..., None])
    )
    filled = light / np.maximum(weight, np.finfo(float).tiny)
    return np.where(hidden[..., None], filled, image).astype(np.float32)


def psnr_of(image: np.ndarray, clean: np.ndarray, pixels: np.ndarray) -> float:
    """PSNR in dB of some pixels of two (H, W, C) uint8 images; NaN of none.

    Parameters
    ----------
    pixels
        (H, W) bool: those which count.
    """
    if not pixels.any():
        return float("nan")
    return psnr(image[pixels][:, None], clean[pixels][:, None])
