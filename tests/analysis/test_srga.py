"""SRGA: fits of known distributions, the divergence by integration, PCA by a Gram matrix."""

import numpy as np
import pytest
from scipy import integrate, special, stats

from benchmark.analysis.srga import (
    GeneralizedGaussian,
    distribution,
    gram,
    gram_of_file,
    of_some,
    pca_scores,
    srga,
)


def density(of: GeneralizedGaussian):
    b = of.shape
    width = of.scale * np.sqrt(special.gamma(1 / b) / special.gamma(3 / b))
    return stats.gennorm(b, scale=width).pdf


@pytest.mark.parametrize("shape", [0.7, 1.0, 2.0, 4.0])
def test_a_fit_finds_the_shape_and_the_scale(shape):
    values = stats.gennorm(shape, scale=3).rvs(400_000, random_state=0)
    fit = GeneralizedGaussian.fit(values)
    assert fit.shape == pytest.approx(shape, rel=0.03)
    assert fit.scale == pytest.approx(np.sqrt(np.mean(values**2)))


def test_the_divergence_is_the_integral():
    one, other = GeneralizedGaussian(1.3, 1.4), GeneralizedGaussian(0.9, 2.2)
    p, q = density(one), density(other)
    expected, _ = integrate.quad(lambda x: p(x) * np.log(p(x) / q(x)), -12, 12, limit=200)
    assert one.divergence(other) == pytest.approx(expected, rel=1e-5)


def test_the_divergence_is_the_published_formula():
    one, other = GeneralizedGaussian(1.3, 1.4), GeneralizedGaussian(0.9, 2.2)
    (s1, b1), (s2, b2), g = (one.scale, one.shape), (other.scale, other.shape), special.gamma
    i1 = b1 * s2 * g(1 / b2) * np.sqrt(g(1 / b2) * g(3 / b1))
    i2 = b2 * s1 * g(1 / b1) * np.sqrt(g(1 / b1) * g(3 / b2))
    i3, i4 = s1 * np.sqrt(g(1 / b1) * g(3 / b2)), s2 * np.sqrt(g(1 / b2) * g(3 / b1))
    published = np.log(i1 / i2) - 1 / b1 + (i3 / i4) ** b2 * g((b2 + 1) / b1) / g(1 / b1)
    assert one.divergence(other) == pytest.approx(published)


def test_equal_distributions_are_at_0_and_farther_ones_higher():
    one = GeneralizedGaussian(1.0, 2.0)
    assert srga(one, one) == pytest.approx(0, abs=1e-6)
    near, far = (srga(one, GeneralizedGaussian(scale, 2.0)) for scale in (1.1, 2.0))
    assert 0 < near < far


def test_scores_by_the_gram_matrix_are_those_of_a_pca():
    features = np.random.default_rng(0).normal(size=(30, 200)).astype(np.float32)
    centred = features.astype(float) - features.mean(axis=0, dtype=float)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    expected = (left * sizes)[:, :10]
    assert np.abs(pca_scores(gram(features), 10)) == pytest.approx(np.abs(expected), abs=1e-5)


def test_a_set_of_few_patches_has_as_many_components_as_there_are_less_one():
    features = np.random.default_rng(0).normal(size=(5, 40)).astype(np.float32)
    assert pca_scores(gram(features)).shape == (5, 4)


def test_some_patches_of_a_gram_matrix_are_centred_on_their_own_mean():
    features = np.random.default_rng(0).normal(3, 1, size=(20, 50)).astype(np.float32)
    some = np.arange(1, 20, 3)
    assert of_some(gram(features), some) == pytest.approx(gram(features[some]), abs=1e-9)


def test_features_in_a_file_give_the_same(tmp_path):
    features = np.random.default_rng(0).normal(size=(20, 20_000)).astype(np.float32)
    (tmp_path / "features").write_bytes(features.tobytes())
    with (tmp_path / "features").open("rb") as file:
        assert np.array_equal(gram_of_file(file, 20), gram(features))


def test_equal_patches_are_refused():
    with pytest.raises(ValueError, match="equal values"):
        distribution(np.ones((4, 10), np.float32))
