"""How the values of a network's features are distributed under each noise, and how far apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS = 121
RANGE = 4.0  # standard deviations of the reference that a histogram reaches to either side


@dataclass(frozen=True)
class Histogram:
    """Shares of values in equal bins; what lies outside counts in none.

    Parameters
    ----------
    low, high
        Where the first bin begins and the last one ends.
    shares
        (bins,) of all values.
    """

    low: float
    high: float
    shares: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, low: float, high: float, bins: int = BINS) -> Histogram:
        counts, _ = np.histogram(values, bins, (low, high))
        return cls(low, high, counts / max(1, values.size))

    @property
    def centres(self) -> np.ndarray:
        """The middle of each bin."""
        edges = np.linspace(self.low, self.high, len(self.shares) + 1)
        return (edges[1:] + edges[:-1]) / 2


def limits(reference: np.ndarray) -> tuple[float, float]:
    """From where to where histograms are drawn: four deviations around the reference's mean."""
    middle = float(reference.mean(dtype=np.float64))
    reach = RANGE * float(reference.std(dtype=np.float64))
    return middle - reach, middle + reach


def distance(values: np.ndarray, reference: np.ndarray) -> float:
    """Wasserstein's distance to the reference, in standard deviations of the reference.

    Both of any shape and size; NaN for a reference of equal values.
    """
    deviation = float(reference.std(dtype=np.float64))
    if not deviation:
        return float("nan")
    if values.size == reference.size:  # the same, in half of the memory and a tenth of the time
        apart = np.sort(values, axis=None) - np.sort(reference, axis=None)
        return float(np.abs(apart).mean(dtype=np.float64)) / deviation
    from scipy.stats import wasserstein_distance

    return float(wasserstein_distance(values.ravel(), reference.ravel())) / deviation
