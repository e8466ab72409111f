"""Gaussian noise with correlation: between the channels, and between neighbours (grain)."""

import math
from dataclasses import dataclass

import numpy as np
import scipy  # loads ndimage when it is first used

from benchmark.noise import NOISE_MODELS, NoiseModel

WIDEST = 100  # pixels; a wider blur is no noise any more, and would take long


@NOISE_MODELS.register("chroma_correlated")
@dataclass(frozen=True)
class ChromaCorrelated(NoiseModel):
    """Gaussian noise, white over the image, with a full covariance between the channels.

    By default the covariance is that of BSRGAN's training data [1]_, ``|L^2 * U^T D U|`` element by
    element, with ``L = level / 255``, random for each image: ``D`` is diagonal with three numbers
    of U(0, 1), drawn first; ``U`` has the left singular vectors of a 3x3 matrix of U(0, 1), drawn
    next. Then one normal number is drawn per value, in (H, W, C) order. Each channel's variance
    differs from image to image; its mean over images is ``L^2 / 2``.

    Parameters
    ----------
    levels
        25 is BSRGAN's only one, 15 is ours.
    correlation
        Instead, the correlation between every two channels, 0 to 1 (one grey field); each channel
        then has the standard deviation L.

    Raises
    ------
    ValueError
        If the correlation is outside its range, a level is negative, or the image has not 3
        channels where BSRGAN's covariance is drawn.

    References
    ----------
    .. [1] Zhang et al., "Designing a Practical Degradation Model for Deep Blind Image
       Super-Resolution", ICCV 2021; code: github.com/cszn/BSRGAN.
    """

    cites = ("zhang2021bsrgan",)
    family = "correlated"
    unit = "L, the root of the largest possible variance, in 8-bit steps"
    constant_variance = 1
    levels: tuple[float, ...] = (15, 25)
    correlation: float | None = None

    def __post_init__(self) -> None:
        if self.correlation is not None and not 0 <= self.correlation <= 1:
            raise ValueError(
                f"chroma_correlated needs a correlation from 0 to 1, got {self.correlation:g}"
            )
        super().__post_init__()

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        values, vectors = np.linalg.eigh(self._covariance(clean.shape[2], rng))
        # the symmetric root: it does not depend on the signs of the eigenvectors
        root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
        return clean + level / 255 * (rng.standard_normal(clean.shape) @ root)

    def _covariance(self, channels: int, rng: np.random.Generator) -> np.ndarray:
        if self.correlation is not None:
            return np.where(np.eye(channels, dtype=bool), 1, self.correlation)
        if channels != 3:
            raise ValueError(
                f"chroma_correlated draws the covariance of 3 channels, got an image of {channels};"
                " set correlation to a number"
            )
        weights = rng.random(3)
        basis = np.linalg.svd(rng.random((3, 3)))[0]
        return np.abs(basis.T @ (weights[:, None] * basis))

    def variance(self, intensity: np.ndarray, level: float) -> np.ndarray | None:
        return None if self.correlation is None else super().variance(intensity, level)


@NOISE_MODELS.register("low_frequency")
@dataclass(frozen=True)
class LowFrequency(NoiseModel):
    """White noise smoothed by a Gaussian, then scaled to a standard deviation of ``level / 255``.

    It differs from ``gaussian`` at the same level in the correlation alone: that of neighbours at
    distance d along an axis is ``exp(-d^2 / (4 * blur^2))`` for blurs of 1 and more. The field is
    drawn with a margin as wide as the filter, and cut: the law holds up to the border, with no rule
    for what lies beyond. Channels are independent; one normal number is drawn per value of the
    wider field, in (H, W, C) order. The levels are two of those of ``gaussian``.

    Parameters
    ----------
    blur
        Standard deviation of the filter in pixels, above 0 and at most 100; 1 is our choice. The
        filter is cut at 4 standard deviations.

    Raises
    ------
    ValueError
        If the blur is outside its range, or a level is negative.
    """

    family = "correlated"
    unit = "sigma, in 8-bit steps"
    note = "the blur of 1 pixel is our choice"
    constant_variance = 1
    levels: tuple[float, ...] = (15, 25)
    blur: float = 1

    def __post_init__(self) -> None:
        _check_blur(self.name, self.blur)
        super().__post_init__()

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        return clean + level / 255 * _grain(clean.shape, self.blur, rng)


@NOISE_MODELS.register("film_grain")
@dataclass(frozen=True)
class FilmGrain(NoiseModel):
    """Grain, ``x + level / 255 * g * sqrt(4 x (1 - x))``: none in black and white, most in grey.

    ``g`` is the smoothed noise of ``low_frequency`` with its margin, of variance 1. The factor is
    the standard deviation of a binary film, where a grain covers a point with probability ``x``;
    real grain has a texture and a curve of its own, which this simple law leaves out. One normal
    number is drawn per value of the wider field, in (H, W, C) order.

    Parameters
    ----------
    blur
        Size of the grain: the filter's standard deviation in pixels, above 0 and at most 100.
    per_channel
        Draw for each channel by itself, as the layers of a colour film; otherwise the channels
        share ``g``.

    Raises
    ------
    ValueError
        If the blur is outside its range, or a level is negative.
    """

    family = "correlated"
    unit = "sigma at mid-grey, in 8-bit steps"
    note = "a simple law; its levels and its blur are our guess"
    levels: tuple[float, ...] = (10, 20)
    blur: float = 0.8
    per_channel: bool = True

    def __post_init__(self) -> None:
        _check_blur(self.name, self.blur)
        super().__post_init__()

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        height, width, channels = clean.shape
        shape = (height, width, channels if self.per_channel else 1)
        scale = level / 255 * np.sqrt(4 * clean * (1 - clean))
        return clean + scale * _grain(shape, self.blur, rng)

    def variance(self, intensity: np.ndarray, level: float) -> np.ndarray:
        return (level / 255) ** 2 * 4 * intensity * (1 - intensity)


def _check_blur(name: str, blur: float) -> None:
    if not 0 < blur <= WIDEST:
        raise ValueError(f"{name} needs a blur above 0 and at most {WIDEST} pixels, got {blur:g}")


def _grain(shape: tuple[int, int, int], blur: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise of variance 1 at every place, smoothed by a Gaussian of ``blur`` pixels."""
    radius = math.ceil(4 * blur)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / blur) ** 2)
    kernel /= np.sqrt(np.square(kernel).sum())  # keeps the variance
    height, width, channels = shape
    field = rng.standard_normal((height + 2 * radius, width + 2 * radius, channels))
    for axis in (0, 1):
        field = scipy.ndimage.convolve1d(field, kernel, axis=axis)
    return field[radius:-radius, radius:-radius]
