"""CKA, how alike two layers see the same images: their similarities between images, correlated.

Kornblith et al., "Similarity of Neural Network Representations Revisited", ICML 2019,
https://arxiv.org/abs/1905.00414; over minibatches, with the unbiased estimator of Song et al.
(JMLR 2012), as Nguyen, Raghu and Kornblith, "Do Wide and Deep Networks Learn the Same Things?",
ICLR 2021, https://arxiv.org/abs/2010.15327.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

LEAST = 4  # images of a batch: the unbiased estimator divides by n - 3
CHUNK = (
    1 << 14
)  # values of an image which are multiplied at once: a whole layer in float64 is large


@dataclass
class MinibatchCKA:
    """CKA of all pairs of layers of two sides, from sums over batches.

    The ratio is that of the sums, not a mean of ratios. It is at most about 1, and can be a little
    below 0, as the estimator can: nothing is clipped.
    """

    batches: int = 0
    cross: np.ndarray = field(default_factory=lambda: np.zeros(()))
    left: np.ndarray = field(default_factory=lambda: np.zeros(()))
    right: np.ndarray = field(default_factory=lambda: np.zeros(()))

    def add(self, left: Sequence[Tensor], right: Sequence[Tensor]) -> None:
        """Count one batch.

        Parameters
        ----------
        left, right
            Of each layer (images, values); the same images on both sides, four or more.

        Raises
        ------
        ValueError
            If a batch has fewer than four images or the sides have other numbers of them.
        """
        self.add_grams([gram(layer) for layer in left], [gram(layer) for layer in right])

    def add_grams(self, left: Sequence[np.ndarray], right: Sequence[np.ndarray]) -> None:
        """Count one batch by the `gram` of each layer, which is all that CKA needs of it.

        Raises
        ------
        ValueError
            As `add` does.
        """
        ours, theirs = np.stack(left), np.stack(right)
        if ours.shape[1] != theirs.shape[1] or ours.shape[1] < LEAST:
            raise ValueError(
                f"CKA needs batches of {LEAST} images or more, the same on both sides; got "
                f"{ours.shape[1]} and {theirs.shape[1]}"
            )
        self.cross = self.cross + hsic(ours, theirs)
        self.left = self.left + np.array([hsic(one[None], one[None])[0, 0] for one in ours])
        self.right = self.right + np.array([hsic(one[None], one[None])[0, 0] for one in theirs])
        self.batches += 1

    @property
    def values(self) -> np.ndarray:
        """CKA of each layer of the left side, a line, with each of the right, a column.

        NaN where a layer says the same of all images.
        """
        scale = np.outer(self.left, self.right)
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.cross / np.sqrt(np.where(scale > 0, scale, np.nan))


def cka(batches: Iterable[tuple[Sequence[Tensor], Sequence[Tensor]]]) -> np.ndarray:
    """`MinibatchCKA.values` of batches; see `MinibatchCKA.add`."""
    found = MinibatchCKA()
    for left, right in batches:
        found.add(left, right)
    return found.values


def gram(features: Tensor) -> np.ndarray:
    """The products of every two images' features, (images, images) float64."""
    products = features.new_zeros(len(features), len(features), dtype=torch.float64)
    for values in features.flatten(1).split(CHUNK, 1):
        part = values.double()
        products += part @ part.T
    return products.cpu().numpy()


def hsic(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """The unbiased HSIC of every two Gram matrices, (a, n, n) and (b, n, n) to (a, b).

    Equation 3 of Nguyen et al. (2021), from Song et al., "Feature Selection via Dependence
    Maximization", JMLR 13, 2012, equation 5.
    """
    count = ours.shape[-1]
    ours, theirs = (_without_diagonal(matrices) for matrices in (ours, theirs))
    products = np.einsum("aij,bij->ab", ours, theirs)  # traces: both are symmetric
    totals = np.outer(ours.sum((1, 2)), theirs.sum((1, 2)))
    lines = ours.sum(2) @ theirs.sum(2).T
    found = products + totals / ((count - 1) * (count - 2)) - 2 * lines / (count - 2)
    return found / (count * (count - 3))


def _without_diagonal(matrices: np.ndarray) -> np.ndarray:
    return matrices * (1 - np.eye(matrices.shape[-1]))
