"""Rician noise: the magnitude of a complex signal, as magnetic resonance measures it."""

from dataclasses import dataclass

import numpy as np
import scipy  # loads special when it is first used

from benchmark.noise import NOISE_MODELS, NoiseModel


@NOISE_MODELS.register("rician")
@dataclass(frozen=True)
class Rician(NoiseModel):
    """The magnitude of a complex value with noise, ``sqrt((x + s e1)^2 + (s e2)^2)`` [1]_.

    ``e1`` and ``e2`` are standard normal and ``s = level / 255``. The noise is biased upward, most
    in the dark: black has the mean ``s * sqrt(pi / 2)`` and the variance ``(2 - pi / 2) * s^2``
    (Rayleigh); where ``x`` is far above ``s`` it is nearly Gaussian, of variance ``s^2``.

    ``(e1, e2)`` is drawn in polar coordinates [2]_: all radii in (H, W, C) order, at most 5.8 since
    24 bits decide them, then all angles; channels are independent. The levels are those of
    ``gaussian``: no publication names them for photographs.

    References
    ----------
    .. [1] Gudbjartsson and Patz, "The Rician distribution of noisy MRI data", Magnetic Resonance
       in Medicine 34(6), 1995.
    .. [2] Box and Muller, "A Note on the Generation of Random Normal Deviates", Annals of
       Mathematical Statistics 29(2), 1958.
    """

    cites = ("gudbjartsson1995rician",)
    family = "signal-dependent"
    unit = "sigma of the real and the imaginary part, in 8-bit steps"
    levels: tuple[float, ...] = (15, 25, 50)

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        sigma = np.float32(level / 255)
        radius = rng.random(clean.shape, np.float32)  # of (e1, e2), in polar coordinates
        np.subtract(1, radius, out=radius)  # from [0, 1) to (0, 1], which has a logarithm
        np.log(radius, out=radius)
        radius *= -2
        np.sqrt(radius, out=radius)
        radius *= sigma
        along = rng.random(clean.shape, np.float32)
        along *= np.float32(2 * np.pi)
        np.cos(along, out=along)
        along *= clean
        along *= 2
        along += radius
        along *= radius
        along += clean * clean  # |x + s (e1 + i e2)|^2 = x^2 + 2 x s r cos + s^2 r^2
        np.maximum(along, 0, out=along)  # rounding
        return np.sqrt(along, out=along)

    def variance(self, intensity: np.ndarray, level: float) -> np.ndarray:
        if not level:
            return np.zeros_like(intensity)
        x, sigma = np.asarray(intensity, np.float64), level / 255
        half = (x / sigma) ** 2 / 4
        bessel = scipy.special.ive  # scaled by exp(-half), which would overflow
        mean = sigma * np.sqrt(np.pi / 2)
        mean = mean * ((1 + 2 * half) * bessel(0, half) + 2 * half * bessel(1, half))
        return x**2 + 2 * sigma**2 - mean**2
