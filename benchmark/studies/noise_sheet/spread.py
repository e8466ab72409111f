"""How a residual is distributed: its moments, its correlations and its histogram."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

REACH = 7  # pixels up to which the autocorrelation is measured
STEP = 0.25  # of a histogram's grid, in 8-bit steps
HIGHEST = 512  # the end of that grid

Sums = dict[str, np.ndarray]  # over values of a residual; those of several residuals are added


@dataclass(frozen=True, eq=False)
class Spread:
    """How one residual is distributed: mean, width, shape, and what goes with what.

    All in 8-bit steps, or without unit. NaN where the residual is constant.
    """

    bias: float  # the mean
    std: float
    skewness: float
    kurtosis: float  # excess: 0 for a normal law
    correlation: np.ndarray  # (15, 15), rows and columns of lags from -7 to 7
    channels: np.ndarray  # (3, 3) correlations of R, G and B
    histogram: tuple[np.ndarray, np.ndarray]  # centres of bins of one width, and densities

    @property
    def neighbours(self) -> tuple[float, float, float]:
        """Correlation with the next pixel in the row, in the column, and diagonally."""
        near = self.correlation[REACH + 1]
        diagonal = (near[REACH + 1] + near[REACH - 1]) / 2
        return float(self.correlation[REACH, REACH + 1]), float(near[REACH]), float(diagonal)

    @property
    def between_channels(self) -> float:
        """The mean correlation of two channels."""
        return float(self.channels[np.triu_indices(3, 1)].mean())


def spread_sums(residual: np.ndarray) -> Sums:
    """The sums over an (H, W, 3) residual, in 8-bit steps, which make a `Spread`."""
    height, width = residual.shape[:2]
    values, pixels = residual.ravel(), residual.reshape(-1, 3)
    square = values**2
    powers = [values.size, values.sum(), square.sum(), square @ values, square @ square]
    inside = np.clip(values, -HIGHEST, HIGHEST - STEP)
    bins = ((inside + HIGHEST) / STEP + 0.5).astype(int)
    centred = residual - residual.mean(axis=(0, 1))
    shape = (height + REACH, width + REACH)  # room for every lag: nothing comes round the edge
    spectrum = np.fft.rfft2(centred, shape, axes=(0, 1))
    products = np.fft.irfft2(np.abs(spectrum) ** 2, shape, axes=(0, 1)).sum(axis=2)
    lags = np.arange(-REACH, REACH + 1)
    return {
        "powers": np.array(powers),
        "histogram": np.bincount(bins, minlength=int(2 * HIGHEST / STEP)),
        "products": products[np.ix_(lags, lags)],
        "overlaps": np.outer(height - np.abs(lags), width - np.abs(lags)) * 3.0,
        "channel": pixels.sum(axis=0),
        "channels": pixels.T @ pixels,
    }


def added(parts: Iterable[Sums]) -> Sums:
    """The sums of several residuals together."""
    total: Sums = {}
    for part in parts:
        for key, value in part.items():
            total[key] = total[key] + value if key in total else value
    return total


def spread_of(sums: Sums, finest: float) -> Spread:
    """The statistics of pooled `spread_sums`; ``finest`` is the step of values, in 8-bit steps."""
    count = sums["powers"][0]
    mean, second, third, fourth = sums["powers"][1:] / count
    variance = max(second - mean**2, 0)
    cubed = third - 3 * mean * second + 2 * mean**3
    fourthly = fourth - 4 * mean * third + 6 * mean**2 * second - 3 * mean**4
    pixels = count / 3
    average = sums["channel"] / pixels
    covariance = sums["channels"] / pixels - np.outer(average, average)
    with np.errstate(invalid="ignore", divide="ignore"):  # a constant residual has no shape
        products = sums["products"] / sums["overlaps"]
        deviations = np.sqrt(np.diag(covariance))
        return Spread(
            bias=float(mean),
            std=float(np.sqrt(variance)),
            skewness=float(np.divide(cubed, variance**1.5)),
            kurtosis=float(np.divide(fourthly, variance**2) - 3),
            correlation=products / products[REACH, REACH],
            channels=covariance / np.outer(deviations, deviations),
            histogram=_histogram(sums["histogram"], np.sqrt(second), finest),
        )


def _histogram(counts: np.ndarray, size: float, finest: float) -> tuple[np.ndarray, np.ndarray]:
    """Densities in bins around 0, wide enough to be smooth and narrow enough to show the shape.

    They reach to 4 times ``size``, the root mean square, or to where 99.9 % of the values are, but
    not to the end of the grid.
    """
    size = min(size, HIGHEST)
    width = finest * (2 * round(size / 12 / finest) + 1)  # odd, so that steps fall inside of bins
    group = round(width / STEP)
    values = np.abs(np.arange(len(counts)) * STEP - HIGHEST)
    order = np.argsort(values, kind="stable")
    reached = np.searchsorted(np.cumsum(counts[order]), 0.999 * counts.sum())
    reach = max(4 * size, 1.05 * values[order][reached] + width, 3 * width)
    side = int(min(reach, HIGHEST - 2 * width) / width)
    first = len(counts) // 2 - side * group - group // 2
    binned = counts[first : first + (2 * side + 1) * group].reshape(-1, group).sum(axis=1)
    return np.arange(-side, side + 1) * width, binned / (counts.sum() * width)
