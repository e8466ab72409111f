"""Histograms and distances of features, on distributions whose distance is known."""

import numpy as np
import pytest

from benchmark.analysis.distributions import Histogram, distance, limits


def test_a_shift_is_measured_in_deviations_of_the_reference():
    reference = np.random.default_rng(0).normal(0, 2, 20_000)
    assert distance(reference + 3, reference) == pytest.approx(1.5, rel=0.02)
    assert distance(reference, reference) == 0


def test_samples_of_one_size_and_of_several_have_the_same_distance():
    rng = np.random.default_rng(0)
    reference, values = rng.normal(0, 2, 500), rng.laplace(1, 3, 500)
    twice = np.repeat(values, 2)  # the same distribution
    assert distance(values, reference) == pytest.approx(distance(twice, reference))


def test_shares_are_of_all_values_also_those_outside():
    found = Histogram.of(np.array([0.1, 0.2, 0.9, 5.0]), 0, 1, bins=2)
    assert found.shares.tolist() == [0.5, 0.25]
    assert found.centres.tolist() == [0.25, 0.75]


def test_limits_reach_four_deviations():
    values = np.array([-1.0, 1.0])
    assert limits(values) == (-4.0, 4.0)


def test_a_reference_of_equal_values_has_no_distance():
    assert np.isnan(distance(np.arange(3.0), np.ones(3)))
