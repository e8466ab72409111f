"""Impulses: values replaced by black or white."""

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

    unit = "density, the fraction of values replaced"
    note = "levels 0.008 and 0.012 are guesses, the others are published"
    levels: tuple[float, ...] = (0.008, 0.012, 0.016, 0.02)
    per_channel: bool = True

    def check_level(self, level: float) -> None:
        """Raise ``ValueError`` for a density outside [0, 1]."""
        if not 0 <= level <= 1:
            raise ValueError(f"{self.name} needs a density from 0 to 1, got {level}")

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        height, width, channels = clean.shape
        u = rng.random((height, width, channels if self.per_channel else 1))
        impulses = np.where(u < level / 2, np.float32(0), np.float32(1))
        return np.where(u < level, impulses, clean)
