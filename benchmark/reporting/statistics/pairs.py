"""Every pair of models: their paired difference, its interval, and whether it tells them apart."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd

from benchmark.reporting.statistics.bootstrap import CONFIDENCE, Bootstrap, Estimate, estimate
from benchmark.reporting.statistics.means import Measured

LEVEL = 1 - CONFIDENCE  # of all tests of a family together
MOST_EXACT = 50  # images, as in SciPy: beyond it the normal approximation
DECIMALS = 9  # differences equal to so many are equal: what is left is the order of additions


@dataclass(frozen=True)
class Difference(Estimate):
    """A paired difference and the two-sided p of Wilcoxon's signed-rank test over its images."""

    p: float


@dataclass(frozen=True, eq=False)
class Pairs:
    """Every two of some models, compared image by image.

    Matrices are (models, models); line less column.

    Parameters
    ----------
    reference
        Models which are not ranked. Pairs with one are another question than those of the ranked
        models, and a family of tests of their own.
    """

    measured: Measured
    reference: Collection[str] = ()

    @cached_property
    def difference(self) -> np.ndarray:
        """Differences of the means."""
        return np.subtract.outer(self.measured.means, self.measured.means)

    @cached_property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """The ends of the differences' 95 % intervals, each pair's by itself; NaN for one image."""
        one, other = self._places
        contrasts = np.zeros((len(self.measured.names), len(one)))
        contrasts[one, range(len(one))], contrasts[other, range(len(one))] = 1, -1
        low, high = Bootstrap(self.measured).bounds(contrasts)
        ends = np.zeros_like(self.difference), np.zeros_like(self.difference)
        for end, there, back in ((ends[0], low, -high), (ends[1], high, -low)):
            end[one, other], end[other, one] = there, back
        return self.difference + ends[0], self.difference + ends[1]

    @cached_property
    def p(self) -> np.ndarray:
        """Two-sided p: Wilcoxon's over images, or the larger one with trainings counted.

        That is Student's t of the mean, with the variance of images and of trainings each at its
        own degrees of freedom (Banerjee 1960, see `Bootstrap`), where a model has several.
        """
        one, other = self._places
        images = self.measured.of_images.shape[1]
        p = np.array([_wilcoxon(ranks) if images else np.nan for ranks in self._signed_ranks])
        for place in np.flatnonzero(np.maximum(*self.measured.counts[[one, other]]) > 1):
            p[place] = max(p[place], self._p_with_trainings(one[place], other[place]))
        return self._symmetric(p)

    @cached_property
    def p_holm(self) -> np.ndarray:
        """The same, corrected by Holm for all pairs of ranked models, and for all with another."""
        p = self.p[self._places]
        for family in (self._ranked, ~self._ranked):
            p[family] = holm(p[family])
        return self._symmetric(p)

    @cached_property
    def significant(self) -> np.ndarray:
        """Which pairs are told apart: the chance of one false in a family is 5 % at most.

        None whose mean difference, by which models are ranked, has another sign than the ranks of
        the test have: one image far from all others turns a mean, and hardly a rank.
        """
        ranks = [ranks.sum() for ranks in self._signed_ranks]
        agree = np.sign(ranks) == np.sign(self.difference[self._places])
        return (self.p_holm < LEVEL) & (self._symmetric(agree) > 0)

    @property
    def counts(self) -> tuple[int, int]:
        """How many pairs of ranked models there are, and how many with a reference."""
        return int(self._ranked.sum()), int((~self._ranked).sum())

    @cached_property
    def _signed_ranks(self) -> list[np.ndarray]:
        """Of each pair the ranks of its differences, image by image."""
        one, other = self._places
        images = self.measured.of_images
        return [_signed_ranks(line) for line in images[one] - images[other]]

    @property
    def _ranked(self) -> np.ndarray:
        """Which pairs are of ranked models alone."""
        known = np.array([name in self.reference for name in self.measured.names])
        one, other = self._places
        return ~(known[one] | known[other])

    @property
    def least_p(self) -> float:
        """The least p which Wilcoxon's test can give with so many images."""
        return min(1.0, 2.0 ** (1 - self.measured.of_images.shape[1]))

    @property
    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        return np.triu_indices(len(self.measured.names), 1)

    def _symmetric(self, values: np.ndarray) -> np.ndarray:
        matrix = np.ones_like(self.difference)
        one, other = self._places
        matrix[one, other] = matrix[other, one] = values
        return matrix

    def _p_with_trainings(self, one: int, other: int) -> float:
        measured = self.measured
        images = measured.of_images[one] - measured.of_images[other]
        parts = [(images.var(ddof=1) / len(images), len(images) - 1)] if len(images) > 1 else []
        for place in (one, other):
            if measured.counts[place] > 1:
                parts.append((measured.training_variance[place], measured.counts[place] - 1))
        return _t_of_parts(float(self.difference[one, other]), parts) if len(images) > 1 else 1.0


def paired_difference(ours: pd.DataFrame, theirs: pd.DataFrame, seed: int = 0) -> Difference:
    """``ours - theirs``, two of `score_matrices` with the same images and cells.

    Wilcoxon's test takes one difference per image, the mean over its noises; images which lack
    a cell are not in it.

    Raises
    ------
    ValueError
        If the two do not have the same images and cells.
    """
    if not (ours.index.equals(theirs.index) and ours.columns.equals(theirs.columns)):
        raise ValueError(
            "a paired difference needs the same images and cells on both sides; take shared_rows"
        )
    difference = ours - theirs
    mean = estimate(difference, seed)
    measured = Measured({"": difference.to_numpy(float)[None]}, difference.columns)
    (p,) = wilcoxon_p(measured.of_images)
    return Difference(mean.mean, mean.low, mean.high, float(p))


def wilcoxon_p(differences: np.ndarray) -> np.ndarray:
    """The two-sided p of Wilcoxon's signed-rank test of each line, (lines, images) to (lines,).

    Equal to `scipy.stats.wilcoxon`, zeros left out: exact to 50 images, beyond them the normal
    approximation. Ties are counted exactly, which SciPy does by permutations, a second for each
    line. 1 where all differences are 0, and NaN where there is no image.
    """
    images = differences.shape[1]
    return np.array([_wilcoxon(_signed_ranks(x)) if images else np.nan for x in differences])


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's adjusted p of a family of tests [1]_; NaN, a test that was not made, counts as 1.

    References
    ----------
    .. [1] Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
       Statistics 6, 1979.
    """
    p = np.nan_to_num(p, nan=1.0)
    order = np.argsort(p, kind="stable")
    scaled = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty_like(scaled)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted


def _wilcoxon(ranks: np.ndarray) -> float:
    """The p of signed ranks, as `_signed_ranks` gives them."""
    count = len(ranks)
    if not count:
        return 1.0  # two equal models: no evidence either way
    lesser = min(ranks[ranks > 0].sum(), -ranks[ranks < 0].sum())
    if count <= MOST_EXACT:
        return min(1.0, 2 * float(_null(tuple(sorted(np.abs(ranks))))[lesser]))
    from scipy.special import ndtr

    sizes = np.unique(np.abs(ranks), return_counts=True)[1]  # of ties
    variance = count * (count + 1) * (2 * count + 1) / 24 - (sizes**3 - sizes).sum() / 48
    return float(2 * ndtr((lesser / 2 - count * (count + 1) / 4) / np.sqrt(variance)))


def _signed_ranks(differences: np.ndarray) -> np.ndarray:
    """Twice the rank of each absolute difference with its sign, (images,) to (those not 0,).

    Equal ones share the mean of their ranks, hence twice: these are whole numbers.
    """
    differences = np.round(differences, DECIMALS)
    differences = differences[differences != 0]
    sizes = np.abs(differences)
    ordered = np.sort(sizes)
    doubled = ordered.searchsorted(sizes) + ordered.searchsorted(sizes, "right") + 1
    return doubled * np.sign(differences).astype(int)


@lru_cache(maxsize=256)
def _null(doubled: tuple[int, ...]) -> np.ndarray:
    """How probable each sum of twice the positive ranks, or a lesser one, is by chance."""
    chances = np.ones(1)
    for rank in doubled:
        chances = (np.pad(chances, (0, rank)) + np.pad(chances, (rank, 0))) / 2
    return np.cumsum(chances)


def _t_of_parts(mean: float, parts: list[tuple[float, int]]) -> float:
    """The p at which a mean is as long as its parts, each a variance at some degrees of freedom."""
    from scipy.special import stdtrit

    variances, freedoms = np.array(parts).T
    if mean == 0:
        return 1.0
    low, high = -700.0, 0.0  # of the logarithm of p
    for _ in range(60):
        middle = (low + high) / 2
        reach = np.sqrt((stdtrit(freedoms, np.exp(middle) / 2) ** 2 * variances).sum())
        low, high = (middle, high) if reach > abs(mean) else (low, middle)
    return float(np.exp(high))
