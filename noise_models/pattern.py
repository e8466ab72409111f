"""Patterns of a sensor's readout: rows and columns with an offset, waves of interference."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from benchmark.noise import NOISE_MODELS, NoiseModel


@dataclass(frozen=True)
class Stripes(NoiseModel):
    """One Gaussian offset for each place along ``axis``, the same all along the other axis."""

    axis: ClassVar[int]
    family = "pattern"
    unit = "sigma of the offsets, in 8-bit steps"
    constant_variance = 1
    levels: tuple[float, ...] = (5, 10, 20)
    per_channel: bool = False

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        shape = [1, 1, clean.shape[2] if self.per_channel else 1]
        shape[self.axis] = clean.shape[self.axis]
        return clean + level / 255 * rng.standard_normal(shape)


@NOISE_MODELS.register("row_stripe")
@dataclass(frozen=True)
class RowStripe(Stripes):
    """One offset for each row, ``x + N(0, (level / 255)^2)``, constant along the row.

    The row noise of a sensor, as in ELD's model [1]_, but on the finished image. Rows are
    independent; one normal number is drawn per row. The levels are ours.

    Parameters
    ----------
    per_channel
        Draw for each channel by itself: stripes are then coloured. Otherwise the channels share
        the offset.

    References
    ----------
    .. [1] Wei et al., "A Physics-based Noise Formation Model for Extreme Low-light Raw Denoising",
       CVPR 2020, section 3.
    """

    cites = ("wei2020eld",)
    axis = 0


@NOISE_MODELS.register("column_stripe")
@dataclass(frozen=True)
class ColumnStripe(Stripes):
    """One offset for each column, ``x + N(0, (level / 255)^2)``, constant along the column.

    Columns have an amplifier each in many sensors, so their offsets differ. Columns are
    independent; one normal number is drawn per column. The levels are ours.

    Parameters
    ----------
    per_channel
        Draw for each channel by itself: stripes are then coloured. Otherwise the channels share
        the offset.
    """

    axis = 1


@NOISE_MODELS.register("periodic")
@dataclass(frozen=True)
class Periodic(NoiseModel):
    """A wave across the image, ``x + A sin(2 pi (fx * column + fy * row) + phase)``.

    ``A = level / 255``. The phase is uniform, one draw for each image, and shared by the channels.
    Over phases the variance is ``A^2 / 2`` everywhere; over one image it is that where the wave
    has many periods and no frequency is at 0.5. The levels and frequencies are ours.

    Parameters
    ----------
    frequency_x, frequency_y
        Cycles per pixel along a row and along a column, -0.5 to 0.5, not both 0; a sign turns the
        wave's direction.

    Raises
    ------
    ValueError
        If a frequency is beyond 0.5, where it would look like a lower one, or both are 0, or a
        level is negative.
    """

    family = "pattern"
    unit = "amplitude, in 8-bit steps"
    constant_variance = 1 / 2
    levels: tuple[float, ...] = (10, 20)
    frequency_x: float = 0.1
    frequency_y: float = 0.25

    def __post_init__(self) -> None:
        frequencies = (self.frequency_x, self.frequency_y)
        if not (any(frequencies) and all(abs(cycles) <= 0.5 for cycles in frequencies)):
            raise ValueError(
                "periodic needs frequencies from -0.5 to 0.5 cycles per pixel, not both 0, "
                f"got {self.frequency_x:g} and {self.frequency_y:g}"
            )
        super().__post_init__()

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        height, width, _ = clean.shape
        cycles = self.frequency_x * np.arange(width) + self.frequency_y * np.arange(height)[:, None]
        phase = rng.uniform(0, 2 * math.pi)
        return clean + level / 255 * np.sin(2 * math.pi * cycles + phase)[..., None]
