"""CKA: identities, what it does not see, its definition, and how it depends on the batch."""

from itertools import permutations

import numpy as np
import pytest
import torch

from benchmark.analysis.cka import MinibatchCKA, cka, gram, hsic


def features(images: int, values: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(images, values, generator=torch.Generator().manual_seed(seed))


def test_hsic_is_the_u_statistic_over_four_different_images():
    ours, theirs = gram(features(6, 3)), gram(features(6, 5, seed=1))
    fours = list(permutations(range(6), 4))
    expected = np.mean(
        [ours[i, j] * (theirs[i, j] + theirs[q, r] - 2 * theirs[i, q]) for i, j, q, r in fours]
    )
    assert hsic(ours[None], theirs[None])[0, 0] == pytest.approx(expected)


def test_a_layer_is_wholly_like_itself():
    batches = [([features(8, 20, seed)], [features(8, 20, seed)]) for seed in range(3)]
    assert cka(batches)[0, 0] == pytest.approx(1)


def test_rotation_scale_and_shift_change_nothing():
    rotation = torch.linalg.qr(features(20, 20, seed=9))[0]
    batches = []
    for seed in range(3):
        layer = features(8, 20, seed)
        batches.append(([layer], [3 * layer @ rotation + 5]))
    assert cka(batches)[0, 0] == pytest.approx(1)


def test_independent_layers_are_not_alike():
    batches = [([features(16, 50, s)], [features(16, 50, 1000 + s)]) for s in range(40)]
    assert abs(cka(batches)[0, 0]) < 0.1


def test_small_batches_say_the_same_as_a_large_one():
    shared = features(256, 4)
    left, right = (shared @ features(4, 30, s) + features(256, 30, s + 5) for s in (1, 2))
    by_batch = {
        size: cka((([a], [b]) for a, b in zip(left.split(size), right.split(size), strict=True)))
        for size in (8, 32, 256)
    }
    assert by_batch[8] == pytest.approx(by_batch[256], abs=0.03)
    assert by_batch[32] == pytest.approx(by_batch[256], abs=0.03)


def test_a_batch_of_three_is_refused():
    with pytest.raises(ValueError, match="batches of 4 images or more"):
        MinibatchCKA().add([features(3, 5)], [features(3, 5)])


def test_a_layer_which_says_the_same_of_all_images_has_no_value():
    assert np.isnan(cka([([torch.ones(8, 3)], [features(8, 3)])])[0, 0])
