"""Models which cannot be told apart: letters they share, and the ranks each may have."""

from __future__ import annotations

from itertools import count
from string import ascii_lowercase

import numpy as np


def tied_groups(significant: np.ndarray) -> list[list[int]]:
    """The largest sets of models of which no two are told apart, by Piepho's algorithm [1]_.

    Each pair that is told apart splits every set which has both, and sets inside another are
    absorbed by it.

    Parameters
    ----------
    significant
        (models, models), symmetric, of bool, in the order of the ranking.

    Returns
    -------
    list of list of int
        Places of models, rising; the set with the best model first. Every model is in one.

    References
    ----------
    .. [1] Piepho, "An algorithm for a letter-based representation of all-pairwise comparisons",
       Journal of Computational and Graphical Statistics 13, 2004.
    """
    sets = [frozenset(range(len(significant)))]
    for one, other in zip(*np.nonzero(np.triu(significant)), strict=True):
        parts = set()
        for members in sets:
            both = one in members and other in members
            parts |= {members - {one}, members - {other}} if both else {members}
        sets = [part for part in parts if not any(part < larger for larger in parts)]
    return sorted(sorted(int(place) for place in members) for members in sets)


def letters(groups: list[list[int]], models: int) -> list[str]:
    """The letters of each model: two which share one are not told apart. After z come a1, b1 ..."""
    names = (f"{letter}{number or ''}" for number in count() for letter in ascii_lowercase)
    found = [""] * models
    for name, members in zip(names, groups, strict=False):
        for place in members:
            found[place] += name
    return found


def rank_bounds(significant: np.ndarray, better: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best and the worst rank which each model may have.

    A model may not be better than those from which it is told apart and below which it stands.
    Where the tests of all pairs err with 5 % together, all ranks are right together in 95 % [1]_.

    Parameters
    ----------
    significant
        As in `tied_groups`.
    better
        (models, models): whether the line's mean is better than the column's.

    Returns
    -------
    tuple of numpy.ndarray
        Both (models,), from 1.

    References
    ----------
    .. [1] Al Mohamad, Goeman and van Zwet, "Simultaneous confidence intervals for ranks with
       application to ranking institutions", Biometrics 78, 2022.
    """
    beaten = (significant & better).sum(axis=1)
    beating = (significant & better).sum(axis=0)
    return 1 + beating, len(significant) - beaten


def mean_ranks(of_images: np.ndarray, higher_is_better: bool) -> np.ndarray:
    """The rank of each model on an image, 1 for the best and ties sharing, its mean over images.

    Parameters
    ----------
    of_images
        (models, images).
    """
    scores = -of_images if higher_is_better else of_images
    less = (scores[:, None] > scores[None]).sum(axis=1)
    equal = (scores[:, None] == scores[None]).sum(axis=1)
    return (less + (equal + 1) / 2).mean(axis=1)
