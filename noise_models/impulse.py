"""Impulses: values replaced by black, white or any other, and pixels which are dead."""

from dataclasses import dataclass

import numpy as np

from benchmark.noise import NOISE_MODELS, NoiseModel


@NOISE_MODELS.register("salt_and_pepper")
@dataclass(frozen=True)
class SaltAndPepper(NoiseModel):
    """A fraction ``level`` of all values replaced, half of them by 0 and half by 1.

    The law of MATLAB's ``imnoise(image, "salt & pepper", level)``: one uniform ``u`` per value, in
    (H, W, C) order; 0 where ``u < level / 2``, 1 where ``level / 2 <= u < level``. The rest of the
    image is left as it is, to the bit.

    Parameters
    ----------
    levels
        Densities. 0.016 and 0.02 are those of IDF's tests [2]_; 0.008 and 0.012 stand in no
        publication and continue these in equal steps: they are our guess.
    per_channel
        Draw for each channel by itself, as published [1]_: an impulse is then a coloured dot, and
        up to three times ``level`` of the pixels have one. Otherwise whole pixels turn black or
        white, one ``u`` per pixel in (H, W) order.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023;
       code: github.com/haoyuc/MaskedDenoising, testset/add_noise.m.
    .. [2] Kim et al., "IDF: Iterative Dynamic Filtering Networks for Generalizable Image
       Denoising", ICCV 2025.
    """

    cites = ("chen2023masked", "kim2025idf")
    family = "impulse"
    unit = "density, the fraction of values replaced"
    note = "levels 0.008 and 0.012 are guesses, the others are published"
    suites = ("paper",)
    domain = (0, 1)
    levels: tuple[float, ...] = (0.008, 0.012, 0.016, 0.02)
    per_channel: bool = True

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        height, width, channels = clean.shape
        u = rng.random((height, width, channels if self.per_channel else 1))
        noisy = clean.copy()
        np.copyto(noisy, u >= level / 2, where=u < level)
        return noisy

    def variance(self, intensity: np.ndarray, level: float) -> np.ndarray:
        shift = 0.5 - intensity  # of a replaced value's mean
        return level * (0.25 + shift**2) - (level * shift) ** 2


@NOISE_MODELS.register("random_impulse")
@dataclass(frozen=True)
class RandomImpulse(NoiseModel):
    """A fraction ``level`` of all values replaced by one of the 256 8-bit values, all as likely.

    One uniform ``u`` per value is drawn in (H, W, C) order, then one of 0 to 255 for every value;
    it replaces those where ``u < level``. The rest of the image is left as it is, to the bit. The
    levels are ours.

    Parameters
    ----------
    per_channel
        Draw ``u`` for each channel by itself. Otherwise whole pixels take a random colour, one
        ``u`` per pixel in (H, W) order.
    """

    family = "impulse"
    unit = "density, the fraction of values replaced"
    domain = (0, 1)
    levels: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2)
    per_channel: bool = True

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        height, width, channels = clean.shape
        hit = rng.random((height, width, channels if self.per_channel else 1)) < level
        values = rng.integers(256, size=clean.shape).astype(np.float32) / np.float32(255)
        return np.where(hit, values, clean)

    def variance(self, intensity: np.ndarray, level: float) -> np.ndarray:
        spread = (256**2 - 1) / 12 / 255**2  # the variance of 256 equally likely values
        shift = 0.5 - intensity  # of a replaced value's mean
        return level * (spread + shift**2) - (level * shift) ** 2


@NOISE_MODELS.register("dead_pixels")
@dataclass(frozen=True)
class DeadPixels(NoiseModel):
    """A fraction ``level`` of the pixels is dead: 0 in all channels. The rest is left to the bit.

    One uniform number per pixel is drawn in (H, W) order, then one per column. The levels are
    ours, harder than a sensor which is sold and easier than a mask for inpainting.

    Parameters
    ----------
    columns
        The fraction of columns which are dead as well, from top to bottom, 0 to 1.

    Raises
    ------
    ValueError
        If the fraction of columns or a level is outside 0 to 1.
    """

    family = "impulse"
    unit = "fraction of pixels set to 0"
    note = "the levels are our guess"
    domain = (0, 1)
    levels: tuple[float, ...] = (0.01, 0.05, 0.2)
    columns: float = 0

    def __post_init__(self) -> None:
        if not 0 <= self.columns <= 1:
            raise ValueError(
                f"dead_pixels needs a fraction of columns from 0 to 1, got {self.columns:g}"
            )
        super().__post_init__()

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        height, width, _ = clean.shape
        dead = rng.random((height, width, 1)) < level
        dead = dead | (rng.random((width, 1)) < self.columns)
        return np.where(dead, np.float32(0), clean)

    def variance(self, intensity: np.ndarray, level: float) -> np.ndarray:
        dead = 1 - (1 - level) * (1 - self.columns)
        return dead * (1 - dead) * np.square(intensity)
