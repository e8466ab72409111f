"""Each noise has the law which it promises: measured on flat images, before clipping."""

import numpy as np
import pytest
from scipy.stats import kurtosis

from benchmark.noise import NoiseModel, to_uint8
from noise_models import Correlated, Gaussian, Mixture, Poisson, SaltAndPepper, Speckle

SIDE = 400
COUNT = SIDE * SIDE * 3


def residual(noise: NoiseModel, level: float, intensity: float) -> np.ndarray:
    """(SIDE, SIDE, 3) noise on a flat image, in 8-bit steps, not clipped."""
    flat = np.full((SIDE, SIDE, 3), intensity, np.float32)
    noisy = noise.sample(flat, level, np.random.default_rng(2))
    return (np.asarray(noisy, np.float64) - flat) * 255


def assert_variance(noise: np.ndarray, expected: float, kurt: float) -> None:
    """Variance within 4 standard errors: ``var * sqrt((kurtosis - 1) / n)``."""
    tolerance = 4 * expected * np.sqrt((kurt - 1) / noise.size)
    assert noise.var() == pytest.approx(expected, abs=tolerance)


def assert_channels_independent(noise: np.ndarray) -> None:
    correlations = np.corrcoef(noise.reshape(-1, 3).T)[np.triu_indices(3, 1)]
    assert np.abs(correlations).max() < 5 / SIDE


def neighbours(noise: np.ndarray, distance: int, axis: int) -> float:
    """Correlation with the neighbour at a distance along an axis."""
    ahead = np.moveaxis(noise, axis, 0)[distance:]
    behind = np.moveaxis(noise, axis, 0)[:-distance]
    return np.corrcoef(ahead.ravel(), behind.ravel())[0, 1]


def test_gaussian_has_variance_level_squared_at_any_intensity():
    for intensity in (0.1, 0.9):
        noise = residual(Gaussian(), 25, intensity)
        assert_variance(noise, 25**2, 3)
        assert kurtosis(noise, axis=None, fisher=False) == pytest.approx(3, abs=0.05)
        assert_channels_independent(noise)
        assert abs(neighbours(noise, 1, 0)) < 0.01


def test_correlated_has_a_third_of_sigma_and_a_triangular_autocorrelation():
    noise = residual(Correlated(), 50, 0.5)[2:-2, 2:-2]
    assert noise.std() == pytest.approx(50 / 3, rel=0.01)
    for axis in (0, 1):
        for distance, expected in [(1, 2 / 3), (2, 1 / 3), (3, 0)]:
            assert neighbours(noise, distance, axis) == pytest.approx(expected, abs=0.015)
    diagonal = np.corrcoef(noise[1:, 1:].ravel(), noise[:-1, :-1].ravel())[0, 1]
    assert diagonal == pytest.approx(4 / 9, abs=0.015)
    assert_channels_independent(noise[::3, ::3])


def test_correlated_reflects_at_the_border():
    noise = residual(Correlated(), 50, 0.5)
    rows = noise.var(axis=(1, 2))
    borders = (rows[0] + rows[-1]) / 2
    assert borders / rows[2:-2].mean() == pytest.approx(5 / 3, rel=0.15)  # zeros would give 2/3


@pytest.mark.parametrize("intensity", [0.1, 0.9])
def test_poisson_has_the_moments_of_amplified_photons(intensity):
    alpha, scale = 2.5, 255 / 256
    noise = residual(Poisson(), alpha, intensity)
    mean = 255 * intensity
    assert abs(noise.mean()) < 4 * alpha * np.sqrt(mean / COUNT)
    assert_variance(noise, alpha**2 * scale * mean, 3 + 1 / (256 * intensity))
    third = alpha**3 * scale**2 * mean
    error = np.sqrt(6 / COUNT) * noise.std() ** 3  # of the third moment, for nearly normal noise
    assert np.mean((noise - noise.mean()) ** 3) == pytest.approx(third, abs=4 * error)
    assert_channels_independent(noise)


@pytest.mark.parametrize(("distinct", "photons"), [(1, 1), (2, 2), (100, 128), (129, 256)])
def test_adaptive_poisson_counts_distinct_values_up_to_a_power_of_two(distinct, photons):
    values = np.linspace(100, 100 + distinct - 1, distinct) / 255
    flat = np.resize(values, (SIDE, SIDE, 3)).astype(np.float32)
    noisy = Poisson(adaptive=True).sample(flat, 2, np.random.default_rng(0))
    expected = 2**2 / photons * flat.mean()
    assert np.var(noisy - flat) == pytest.approx(expected, rel=0.02)


def test_adaptive_poisson_changes_nothing_where_most_of_the_256_values_occur():
    image = np.resize(np.arange(129, 256), (64, 64, 3)).astype(np.float32) / 255
    image[0, 0] = 0, 1 / 255, 2 / 255
    fixed, adaptive = (Poisson(adaptive=a)(image, 2, np.random.default_rng(0)) for a in (0, 1))
    np.testing.assert_array_equal(fixed, adaptive)


@pytest.mark.parametrize(("distribution", "kurt"), [("uniform", 1.8), ("normal", 3)])
@pytest.mark.parametrize("intensity", [0.25, 1])
def test_speckle_multiplies_by_a_factor_of_the_distribution_and_variance(
    distribution, kurt, intensity
):
    factor = residual(Speckle(distribution=distribution), 0.03, intensity) / (255 * intensity)
    assert_variance(factor, 0.03, kurt)
    assert kurtosis(factor, axis=None, fisher=False) == pytest.approx(kurt, abs=0.05)
    assert_channels_independent(factor)
    if distribution == "uniform":
        assert np.abs(factor).max() == pytest.approx(np.sqrt(3 * 0.03), rel=1e-3)


def test_speckle_refuses_another_distribution():
    with pytest.raises(ValueError, match="no distribution 'gamma'; take one of uniform, normal"):
        Speckle(distribution="gamma")


def impulses_of(noise: SaltAndPepper, density: float) -> tuple[np.ndarray, np.ndarray]:
    """Where salt and pepper fell on a flat image; everything else is unchanged."""
    flat = np.full((SIDE, SIDE, 3), 0.3, np.float32)
    noisy = noise(flat, density, np.random.default_rng(3))
    salt, pepper = noisy == 1, noisy == 0
    np.testing.assert_array_equal(noisy[~(salt | pepper)], np.float32(0.3))
    return salt, pepper


def assert_count(hits: np.ndarray, probability: float) -> None:
    """A count within 4 standard deviations of the binomial law."""
    tolerance = 4 * np.sqrt(hits.size * probability * (1 - probability))
    assert hits.sum() == pytest.approx(hits.size * probability, abs=tolerance)


def test_salt_and_pepper_hits_each_channel_by_itself():
    density = 0.04
    salt, pepper = impulses_of(SaltAndPepper(), density)
    for channel in range(3):
        assert_count(salt[..., channel], density / 2)
        assert_count(pepper[..., channel], density / 2)
    hit = salt | pepper
    assert_count(hit.any(axis=2), 1 - (1 - density) ** 3)
    assert_count(hit[..., 0] & hit[..., 1], density**2)


def test_salt_and_pepper_can_hit_whole_pixels():
    salt, pepper = impulses_of(SaltAndPepper(per_channel=False), 0.04)
    for hit in (salt, pepper):
        np.testing.assert_array_equal(hit.any(axis=2), hit.all(axis=2))
        assert_count(hit.all(axis=2), 0.02)


@pytest.mark.parametrize(("density", "changed"), [(0, 0), (1, 1)])
def test_salt_and_pepper_takes_every_density_from_none_to_all(density, changed):
    salt, pepper = impulses_of(SaltAndPepper(), density)
    assert (salt | pepper).mean() == changed


def test_salt_and_pepper_refuses_more_than_everything(ramp):
    with pytest.raises(ValueError, match="salt_and_pepper needs a level from 0 to 1 .* got 1.5"):
        SaltAndPepper()(ramp, 1.5, np.random.default_rng(0))


def test_mixture_is_its_four_stages_each_rounded_to_8_bits(ramp):
    rng, expected = np.random.default_rng(5), ramp
    for stage, level in [
        (Gaussian(), 18.5),
        (Poisson(), 1.5),
        (SaltAndPepper(), 0.003),
        (Speckle(), 0.0056),
    ]:
        expected = to_uint8(stage(expected, level, rng)).astype(np.float32) / 255
    np.testing.assert_array_equal(Mixture()(ramp, 3, np.random.default_rng(5)), expected)


def test_mixture_strengths_are_proportional_to_the_level():
    noise = residual(Mixture(), 1, 0.5)
    base, scale = 127.5, 255 / 256
    white = (18.5 / 3) ** 2 + 0.5**2 * scale * base
    impulses = 0.001 * base**2
    speckle = 0.0056 / 3 * (base**2 + white + impulses)
    rounding = 4 / 12
    assert noise.var() == pytest.approx(white + impulses + speckle + rounding, rel=0.02)


@pytest.mark.parametrize("level", [0, 1001])
def test_mixture_refuses_a_level_off_its_ladder(level, ramp):
    with pytest.raises(ValueError, match=f"mixture needs a level above 0 .* got {level}"):
        Mixture()(ramp, level, np.random.default_rng(0))


def test_mixture_takes_its_hardest_level(ramp):
    noisy = Mixture()(ramp, 1000, np.random.default_rng(0))
    assert 0.5 <= (noisy == 0).mean() < 1


def test_mixture_is_labelled_as_an_estimate():
    assert "estimate" in Mixture.note
