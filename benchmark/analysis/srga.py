"""SRGA, how far the deepest features of a network move when the noise is another one.

Liu et al., "Evaluating the Generalization Ability of Super-Resolution Networks", TPAMI 2023,
https://arxiv.org/abs/2205.07019. Constants from https://github.com/lyh-18/SRGA at 3066344; the PCA
scores come from the Gram matrix of the patches, equal to those of a PCA up to sign, which nothing
after them sees.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from os import SEEK_END
from typing import BinaryIO

import numpy as np

COMPONENTS = 300  # of each set's own PCA
OUTLIERS = 5  # standard deviations from the mean beyond which a score is dropped
SHAPES = np.arange(200, 10_001) / 1000  # which a fit chooses from
CHUNK = 1 << 13  # values of a patch which are read at once


@dataclass(frozen=True)
class GeneralizedGaussian:
    """A density proportional to exp(-(|x| / a)^shape), by its root mean square and its shape.

    A shape of 2 is a normal distribution, 1 a Laplace's.
    """

    scale: float
    shape: float

    @classmethod
    def fit(cls, values: np.ndarray) -> GeneralizedGaussian:
        """By moments: the root mean square, and the shape whose ratio of moments is nearest.

        Raises
        ------
        ValueError
            If all values are equal.
        """
        square, absolute = np.mean(values**2), np.mean(np.abs(values - values.mean()))
        if not absolute > 0:
            raise ValueError("a distribution of equal values has no width to be compared by")
        ratio = square / absolute**2
        nearest = int(np.argmin(np.abs(_ratios() - ratio)))
        return cls(float(np.sqrt(square)), float(SHAPES[nearest]))

    def divergence(self, other: GeneralizedGaussian) -> float:
        """Kullback and Leibler's divergence from this, the reference, to another, in nats."""
        from scipy.special import gammaln

        (s1, b1), (s2, b2) = ((of.scale, of.shape) for of in (self, other))
        a1, a2 = (
            s * np.exp((gammaln(1 / b) - gammaln(3 / b)) / 2) for s, b in ((s1, b1), (s2, b2))
        )
        constant = np.log(b1 / a1) - gammaln(1 / b1) - np.log(b2 / a2) + gammaln(1 / b2)
        moment = (a1 / a2) ** b2 * np.exp(gammaln((b2 + 1) / b1) - gammaln(1 / b1))
        return float(constant - 1 / b1 + moment)


def srga(reference: GeneralizedGaussian, other: GeneralizedGaussian) -> float:
    """The published scale: log10(KL + 1e-5) + 5, which is 0 where both are one distribution."""
    return float(np.log10(max(reference.divergence(other), 0.0) + 1e-5) + 5)


def distribution(features: np.ndarray, components: int = COMPONENTS) -> GeneralizedGaussian:
    """What is compared of a set of patches: a fit to the pooled scores of its own PCA.

    Parameters
    ----------
    features
        (patches, values) float32.

    Raises
    ------
    ValueError
        If there are fewer than two patches, or all of them are equal.
    """
    return fitted(gram(features), components)


def fitted(products: np.ndarray, components: int = COMPONENTS) -> GeneralizedGaussian:
    """`distribution` of the patches whose `gram` is known."""
    scores = pca_scores(products, components).ravel()
    near = np.abs(scores - scores.mean()) <= OUTLIERS * scores.std()
    return GeneralizedGaussian.fit(scores[near])


def gram(features: np.ndarray) -> np.ndarray:
    """The products of every two patches' features, each less its mean over patches, float64."""
    starts = range(0, features.shape[1], CHUNK)
    return gram_of(features[:, start : start + CHUNK] for start in starts)


def gram_of_file(file: BinaryIO, count: int) -> np.ndarray:
    """`gram` of the features of patches which lie in a file, float32, one patch after the other.

    A stretch of every patch's values is in memory at a time.
    """
    values = file.seek(0, SEEK_END) // count // np.dtype(np.float32).itemsize

    def read(start: int) -> np.ndarray:
        stretch = np.empty((count, min(CHUNK, values - start)), np.float32)
        for number, part in enumerate(stretch):  # a file mapped into memory would stay there
            file.seek((number * values + start) * stretch.itemsize)
            part[:] = np.frombuffer(file.read(part.nbytes), np.float32)
        return stretch

    return gram_of(map(read, range(0, values, CHUNK)))


def gram_of(stretches: Iterable[np.ndarray]) -> np.ndarray:
    """`gram` from stretches of all patches' values, (patches, some values) each.

    Raises
    ------
    ValueError
        If there are fewer than two patches.
    """
    products = np.zeros(())
    for stretch in stretches:
        if len(stretch) < 2:
            raise ValueError(f"a PCA needs two patches or more, got {len(stretch)}")
        part = stretch.astype(np.float64)
        part -= part.mean(axis=0)
        products = products + part @ part.T
    return products


def of_some(products: np.ndarray, patches: np.ndarray) -> np.ndarray:
    """The `gram` of some of the patches, by their places, from that of all."""
    part = products[np.ix_(patches, patches)]
    return part - part.mean(0) - part.mean(1, keepdims=True) + part.mean()


def pca_scores(products: np.ndarray, components: int = COMPONENTS) -> np.ndarray:
    """The scores of patches on their principal components, from `gram`: (patches, components).

    There are at most as many components as patches less one. Signs are arbitrary.
    """
    from scipy.linalg import eigh

    count = min(components, len(products) - 1)
    last = len(products) - 1
    values, vectors = eigh(products, subset_by_index=[last - count + 1, last])
    return vectors[:, ::-1] * np.sqrt(np.clip(values[::-1], 0, None))


@cache
def _ratios() -> np.ndarray:
    """The ratio of moments of each of `SHAPES`: mean square over squared mean absolute value."""
    from scipy.special import gammaln

    return np.exp(gammaln(1 / SHAPES) + gammaln(3 / SHAPES) - 2 * gammaln(2 / SHAPES))
