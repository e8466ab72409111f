"""Intervals of means by the bootstrap: images drawn anew, and trainings where there are several."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd

from benchmark.reporting.statistics.means import Measured

RESAMPLES = 10_000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean over images and the bounds of its 95 % interval; NaN where images are too few."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """How far the means of models lie from themselves when images and trainings are drawn anew.

    Images are drawn with replacement [1]_, each with all its cells and seeds, since one image is
    hard or easy under every noise, and the same for all models, so that their differences are
    paired. Seeds are not drawn again within an image: the spread of images has theirs already, and
    would count it twice [2]_. Trainings of a model are drawn with replacement, crossed with the
    images. Each of the two parts is stretched to the width of Student's t for as many images or
    trainings, with their unbiased variance: a plain percentile bootstrap of 12 images covers 90 %
    instead of 95, and one of two trainings 60. The sum of both parts covers at least 95 % [3]_, and
    more where neither rules.

    Where cells have unequal images, each deviates by its own, of which the fewest set the stretch.

    Parameters
    ----------
    measured
        The scores.
    seed
        Of the draws.

    References
    ----------
    .. [1] Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    .. [2] Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8.
    .. [3] Banerjee, "Approximate confidence interval for linear functions of means of k populations
       when the population variances are not equal", Sankhya 22, 1960.
    """

    measured: Measured
    seed: int = 0

    @cached_property
    def deviations(self) -> np.ndarray:
        """Of every draw, (draws, models)."""
        moved = self._by_images * _stretch(self.fewest)
        for place, means in enumerate(self.measured.of_trainings):
            if (count := len(means)) > 1:
                draws = _draws(count, self.seed + 1 + place)
                moved[:, place] += draws @ (means - means.mean()) * (_stretch(count) / count)
        return moved

    @cached_property
    def fewest(self) -> int:
        """How many images there are of the cell which has the fewest."""
        return int(self._seen.sum(axis=0).min(initial=len(self._seen)))

    def bounds(self, contrasts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The 95 % intervals of linear combinations of the means, less the combinations themselves.

        Parameters
        ----------
        contrasts
            (models, combinations): a column with 1 and -1 is a difference.

        Returns
        -------
        tuple of numpy.ndarray
            Lower and upper ends, (combinations,); NaN where a cell has a single image.
        """
        if self.fewest < 2:
            nothing = np.full(contrasts.shape[1], np.nan)
            return nothing, nothing
        moved = np.ascontiguousarray((self.deviations @ contrasts).T)
        low, high = np.quantile(moved, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=1)
        return low, high

    @property
    def _seen(self) -> np.ndarray:
        """Which image is in which cell, (images, cells), the same for all models."""
        return ~np.isnan(self.measured.pooled[0])

    @property
    def _by_images(self) -> np.ndarray:
        """Draws of images alone, (draws, models)."""
        scores, weights = self.measured.pooled, self.measured.weights
        images, seen = scores.shape[1], self._seen
        draws = _draws(images, self.seed)
        if seen.all():
            return draws @ (scores @ weights).T / images - self.measured.means
        apart = scores - np.nanmean(scores, axis=1, keepdims=True)
        return draws @ (np.where(seen, apart, 0) / seen.sum(axis=0) @ weights).T


def estimate(scores: pd.DataFrame, seed: int = 0) -> Estimate:
    """The unweighted mean over noises of one of `score_matrices`, with its interval over images.

    See `Bootstrap`.
    """
    if not scores.size:
        return Estimate(np.nan, np.nan, np.nan)
    measured = Measured({"": scores.to_numpy(float)[None]}, scores.columns)
    (mean,) = measured.means
    (low,), (high,) = Bootstrap(measured, seed).bounds(np.eye(1))
    return Estimate(float(mean), float(mean + low), float(mean + high))


@lru_cache(maxsize=8)
def _draws(count: int, seed: int) -> np.ndarray:
    """How often each of ``count`` things is in each resample, (RESAMPLES, count)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(count, np.full(count, 1 / count), RESAMPLES).astype(float)


def _stretch(count: int) -> float:
    """What makes the spread of a resampled mean of ``count`` numbers that of Student's t."""
    from scipy.special import ndtri, stdtrit

    if count < 2:
        return 1.0
    tail = (1 + CONFIDENCE) / 2
    return float(stdtrit(count - 1, tail) / ndtri(tail) * np.sqrt(count / (count - 1)))
