"""Tests of every pair against SciPy and published numbers, and their size where nothing differs."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmark.reporting.statistics.groups import letters, mean_ranks, rank_bounds, tied_groups
from benchmark.reporting.statistics.means import Measured
from benchmark.reporting.statistics.pairs import Pairs, holm, wilcoxon_p

ONE_CELL = pd.MultiIndex.from_tuples([("n", 1.0, 0)], names=["noise", "level", "seed"])


def measured(*models: np.ndarray) -> Measured:
    """Models of (trainings, images) scores under one noise."""
    scores = {f"m{place}": values[..., None] for place, values in enumerate(models)}
    return Measured(scores, ONE_CELL)


@pytest.mark.parametrize("images", [2, 12, 50, 51, 68])
def test_p_is_that_of_scipy(images):
    lines = np.random.default_rng(images).normal(0.3, 1, (5, images))
    assert wilcoxon_p(lines) == pytest.approx(stats.wilcoxon(lines, axis=1).pvalue)


def test_p_counts_ties_and_zeros_exactly_as_scipy_does():
    lines = np.random.default_rng(1).integers(-2, 4, (4, 6)).astype(float)
    assert (lines == 0).any()
    assert wilcoxon_p(lines) == pytest.approx([stats.wilcoxon(line).pvalue for line in lines])
    many = np.random.default_rng(2).integers(-9, 12, (3, 60)).astype(float)
    expected = [stats.wilcoxon(line, correction=False).pvalue for line in many]
    assert wilcoxon_p(many) == pytest.approx(expected)


def test_holm_is_that_of_a_published_example():
    # the documentation of pingouin.holm
    given, expected = [0.50, 0.003, 0.32, 0.054, 0.0003], [0.64, 0.012, 0.64, 0.162, 0.0015]
    assert holm(np.array(given)) == pytest.approx(expected)
    assert holm(np.array([0.01, np.nan])) == pytest.approx([0.02, 1])


def significant_of(models: int, pairs: list[tuple[int, int]]) -> np.ndarray:
    significant = np.zeros((models, models), bool)
    for one, other in pairs:
        significant[one, other] = significant[other, one] = True
    return significant


def test_letters_are_those_of_published_displays():
    # the example dif4 of R's multcompView: a-b, a-c and b-d differ, the others do not
    significant = significant_of(4, [(0, 1), (0, 2), (1, 3)])
    assert letters(tied_groups(significant), 4) == ["a", "b", "bc", "ac"]
    # potato tubers, seven treatments in Tukey's groups (R package biometryassist, example 2)
    names = ["a", "a", "b", "bc", "cd", "de", "e"]
    different = [(i, j) for i in range(7) for j in range(i) if not set(names[i]) & set(names[j])]
    assert letters(tied_groups(significant_of(7, different)), 7) == names


@pytest.mark.parametrize("seed", range(8))
def test_two_models_share_a_letter_exactly_where_they_are_not_told_apart(seed):
    rng = np.random.default_rng(seed)
    significant = np.triu(rng.random((9, 9)) < rng.random(), 1)
    significant |= significant.T
    groups = tied_groups(significant)
    for one in range(9):
        for other in range(9):
            together = any(one in group and other in group for group in groups)
            assert together == (not significant[one, other])


def test_after_z_letters_are_numbered():
    significant = ~np.eye(28, dtype=bool)
    assert letters(tied_groups(significant), 28)[24:] == ["y", "z", "a1", "b1"]


def test_a_rank_goes_from_the_models_surely_above_to_those_surely_below():
    significant = significant_of(4, [(0, 2), (0, 3), (1, 3)])
    better = np.triu(np.ones((4, 4), bool), 1)
    low, high = rank_bounds(significant, better)
    assert list(zip(low, high, strict=True)) == [(1, 2), (1, 3), (2, 4), (3, 4)]


def test_mean_ranks_are_those_of_scipy():
    scores = np.random.default_rng(0).integers(20, 30, (5, 7)).astype(float)
    expected = stats.rankdata(-scores, axis=0).mean(axis=1)
    assert mean_ranks(scores, higher_is_better=True) == pytest.approx(expected)
    expected = stats.rankdata(scores, axis=0).mean(axis=1)
    assert mean_ranks(scores, higher_is_better=False) == pytest.approx(expected)


def test_every_pair_is_compared_as_if_it_were_alone():
    scores = np.random.default_rng(3).normal(30, 2, (4, 1, 12))
    pairs, alone = Pairs(measured(*scores)), Pairs(measured(scores[1], scores[3]))
    assert pairs.counts == (6, 0)
    assert pairs.difference[1, 3] == pytest.approx(alone.difference[0, 1])
    assert pairs.bounds[0][1, 3] == pytest.approx(alone.bounds[0][0, 1])
    assert pairs.bounds[0][1, 3] == pytest.approx(-pairs.bounds[1][3, 1])
    assert pairs.p[1, 3] == pytest.approx(alone.p[0, 1])
    assert pairs.p_holm[1, 3] >= pairs.p[1, 3]


def test_pairs_with_a_reference_are_a_family_of_their_own():
    scores = np.random.default_rng(4).normal(30, 2, (5, 1, 12))
    pairs = Pairs(measured(*scores), reference=[list(measured(*scores).names)[0]])
    ranked, others = np.triu_indices(4, 1), slice(1, None)
    assert pairs.counts == (6, 4)
    assert pairs.p_holm[1:, 1:][ranked] == pytest.approx(holm(pairs.p[1:, 1:][ranked]))
    assert pairs.p_holm[0, others] == pytest.approx(holm(pairs.p[0, others]))


def test_a_lead_within_the_spread_of_trainings_tells_nothing_apart():
    images = np.random.default_rng(0).normal(30, 2, 12)
    plain = images[None] + 0.5 + 0.01 * np.arange(12)
    once, thrice = images[None], images[None] + np.array([[-0.6], [0.0], [0.6]])
    assert Pairs(measured(plain, once)).significant[0, 1]  # as far as one training can say
    assert not Pairs(measured(plain, thrice)).significant[0, 1]


def test_a_pair_whose_mean_and_ranks_point_different_ways_is_not_told_apart():
    ahead = np.linspace(0.1, 0.2, 20)
    turned = np.where(np.arange(20) == 0, -10.0, ahead)  # one image on which all is lost
    for lead, is_significant in ((ahead, True), (turned, False)):
        pairs = Pairs(measured(30 + lead[None], np.full((1, 20), 30.0)))
        assert pairs.p_holm[0, 1] < 0.001
        assert pairs.significant[0, 1] == pairs.significant[1, 0] == is_significant


def test_of_equal_models_some_two_are_told_apart_in_at_most_one_of_twenty_tables():
    rng, runs, wrong = np.random.default_rng(0), 400, 0
    for _ in range(runs):
        images = rng.normal(28, 3, 12)  # hard and easy ones, for all models
        scores = images + rng.normal(0, 0.3, (5, 1, 12))
        wrong += Pairs(measured(*scores)).significant.any()
    # three standard errors of a rate of 5 %; Holm is below it where tests depend on each other
    assert wrong / runs < 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    assert wrong / runs > 0.005


@pytest.mark.slow
def test_trainings_of_equal_networks_are_told_apart_in_at_most_one_of_twenty_tables():
    rng, runs, wrong, blind = np.random.default_rng(0), 600, 0, 0
    for _ in range(runs):
        images = rng.normal(28, 3, 12)
        trainings = rng.normal(0, 0.2, (3, 3, 1))
        scores = images + trainings + rng.normal(0, 0.2, (3, 3, 12))
        wrong += Pairs(measured(*scores)).significant.any()
        blind += Pairs(measured(*scores[:, :1])).significant.any()  # a single training of each
    assert wrong / runs < 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    assert blind / runs > 0.5  # why several trainings are worth their time
