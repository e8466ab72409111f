"""The noises beside the paper's keep their laws too: measured before clipping, on flat images."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from benchmark.noise import NOISE_MODELS, NoiseModel, to_uint8
from noise_models import (
    ChromaCorrelated,
    ColumnStripe,
    DeadPixels,
    FilmGrain,
    GammaSpeckle,
    Gaussian,
    GaussianJpeg,
    Jpeg,
    Laplace,
    LowFrequency,
    Periodic,
    PoissonGaussian,
    Quantization,
    RandomImpulse,
    RayleighSpeckle,
    Rician,
    RowStripe,
    SpatiallyVariant,
    StudentT,
    Uniform,
)

SQUARE = (400, 400, 3)
RED, GREEN, BLUE = np.eye(3, dtype=np.float32)


def noise_on(
    noise: NoiseModel, level: float, intensity: float, shape: tuple[int, int, int] = SQUARE
) -> np.ndarray:
    """The noise on a flat image, on the scale of [0, 1], not clipped."""
    flat = np.full(shape, intensity, np.float32)
    return np.asarray(noise.sample(flat, level, np.random.default_rng(2)), np.float64) - flat


def channel_correlations(noise: np.ndarray) -> np.ndarray:
    return np.corrcoef(noise.reshape(-1, 3).T)[np.triu_indices(3, 1)]


def lagged(noise: np.ndarray, distance: int, axis: int) -> float:
    """Correlation with the neighbour at a distance along an axis."""
    ahead = np.moveaxis(noise, axis, 0)[distance:]
    behind = np.moveaxis(noise, axis, 0)[:-distance]
    return float(np.corrcoef(ahead.ravel(), behind.ravel())[0, 1])


WHITE = {  # every value is a draw of its own, all channels too
    "laplace": (Laplace(), 25),
    "uniform": (Uniform(), 25),
    "student_t": (StudentT(), 25),
    "poisson_gaussian": (PoissonGaussian(), 0.01),
    "gamma_speckle": (GammaSpeckle(), 10),
    "gamma_speckle 2.5": (GammaSpeckle(), 2.5),
    "rayleigh_speckle": (RayleighSpeckle(), 1),
    "rayleigh_speckle 4": (RayleighSpeckle(), 4),
    "rician": (Rician(), 25),
    "random_impulse": (RandomImpulse(), 0.1),
}
SHARED = {  # and these are not; with the number of values behind one independent draw
    "random_impulse pixels": (RandomImpulse(per_channel=False), 0.1, 3),
    "dead_pixels": (DeadPixels(), 0.05, 3),
    "low_frequency": (LowFrequency(), 25, 2 * np.pi),  # the sum of its squared correlations
    "film_grain": (FilmGrain(), 20, 2 * np.pi),
    "chroma_correlated": (ChromaCorrelated(correlation=0.5), 25, 3),
    "row_stripe": (RowStripe(per_channel=True), 10, 400),
    "column_stripe": (ColumnStripe(per_channel=True), 10, 400),
}


@pytest.mark.parametrize(
    ("noise", "level", "alike"),
    [pytest.param(*case, 1, id=name) for name, case in WHITE.items()]
    + [pytest.param(*case, id=name) for name, case in SHARED.items()],
)
@pytest.mark.parametrize("intensity", [0, 0.1, 0.5, 1])
def test_the_measured_variance_is_the_promised_one(noise, level, alike, intensity):
    found = noise_on(noise, level, intensity)
    promised = noise.variance(np.array([intensity]), level)
    assert promised.shape == (1,)
    if promised[0] == 0:
        assert np.abs(found).max() == 0
        return
    error = promised[0] * np.sqrt((stats.kurtosis(found, None, False) - 1) * alike / found.size)
    assert found.var() == pytest.approx(promised[0], abs=4 * error)


@pytest.mark.parametrize(
    ("noise", "level"), [pytest.param(*case, id=name) for name, case in WHITE.items()]
)
def test_white_noise_is_independent_between_channels_and_neighbours(noise, level):
    found = noise_on(noise, level, 0.4)
    assert np.abs(channel_correlations(found)).max() < 5 / 400
    assert abs(lagged(found, 1, 0)) < 5 / 690
    assert abs(lagged(found, 1, 1)) < 5 / 690


@pytest.mark.parametrize("name", ["uniform", "laplace", "student_t", "low_frequency", "film_grain"])
def test_additive_noise_has_mean_zero(name):
    noise = NOISE_MODELS[name]()
    found = noise_on(noise, 20, 0.5)
    assert abs(found.mean()) < 4 * found.std() * np.sqrt(2 * np.pi * 3 / found.size)


@pytest.mark.parametrize(
    ("noise", "law"),
    [
        (Uniform(), stats.uniform(-np.sqrt(3), 2 * np.sqrt(3))),
        (Laplace(), stats.laplace(scale=1 / np.sqrt(2))),
        (StudentT(), stats.t(5, scale=np.sqrt(3 / 5))),
        (StudentT(degrees=2.5), stats.t(2.5, scale=np.sqrt(0.5 / 2.5))),
    ],
)
def test_the_tails_are_those_of_the_law_at_one_sigma(noise, law):
    found = noise_on(noise, 25, 0.5).ravel()[:50_000] * 255 / 25
    assert law.var() == pytest.approx(1)
    assert stats.kstest(found, law.cdf).pvalue > 0.001


def test_poisson_gaussian_has_the_skewness_of_its_photons():
    slope, intensity = 0.02, 0.5
    found = noise_on(PoissonGaussian(), slope, intensity)
    error = np.sqrt(6 / found.size)
    expected = slope**2 * intensity / found.var() ** 1.5
    assert stats.skew(found, None) == pytest.approx(expected, abs=4 * error)


def test_poisson_gaussian_without_read_noise_counts_photons(ramp):
    photons = PoissonGaussian(read=0).sample(ramp, 0.01, np.random.default_rng(0)) / 0.01
    np.testing.assert_allclose(photons, np.rint(photons), atol=1e-9)


@pytest.mark.parametrize("level", [1e-6, 1e6])
def test_poisson_gaussian_takes_its_mildest_level_and_an_absurd_one(level, ramp):
    noisy = PoissonGaussian(read=0)(ramp, level, np.random.default_rng(0))
    assert np.abs(noisy - ramp).max() < (0.01 if level < 1 else 1)


@pytest.mark.parametrize(
    ("noise", "level", "law"),
    [
        (GammaSpeckle(), 10, stats.gamma(10, scale=0.1)),
        (GammaSpeckle(), 1, stats.expon()),
        (RayleighSpeckle(), 1, stats.rayleigh(scale=np.sqrt(2 / np.pi))),
        (RayleighSpeckle(), 4, stats.nakagami(4, scale=1 / stats.nakagami(4).mean())),
    ],
)
def test_speckle_is_the_clean_value_times_a_factor_of_the_law_and_mean_1(noise, level, law):
    factor = 1 + noise_on(noise, level, 0.25).ravel()[:50_000] / 0.25
    assert law.mean() == pytest.approx(1)
    assert stats.kstest(factor, law.cdf).pvalue > 0.001


def test_one_look_has_the_variance_of_rayleigh_and_many_have_that_of_averages():
    variance = RayleighSpeckle().variance
    assert variance(np.array([1.0]), 1) == pytest.approx(4 / np.pi - 1)
    assert variance(np.array([1.0]), 100) == pytest.approx(1 / 400, rel=0.01)


@pytest.mark.parametrize("level", [0, 0.99])
def test_there_is_no_speckle_of_less_than_one_look(level, ramp):
    for noise in (GammaSpeckle(), RayleighSpeckle()):
        with pytest.raises(ValueError, match=f"needs a finite level >= 1 .* got {level}"):
            noise(ramp, level, np.random.default_rng(0))


@pytest.mark.parametrize("intensity", [0, 0.05, 0.5])
def test_rician_noise_has_the_mean_of_the_rice_distribution(intensity):
    sigma = 25 / 255
    found = noise_on(Rician(), 25, intensity) + np.float32(intensity)
    law = stats.rice(intensity / sigma, scale=sigma)
    assert found.mean() == pytest.approx(law.mean(), abs=4 * law.std() / np.sqrt(found.size))
    assert law.mean() > intensity
    assert stats.kstest(found.ravel()[:50_000], law.cdf).pvalue > 0.001


def test_the_variance_of_rician_noise_is_that_of_rice_from_dark_to_bright():
    intensities, sigma = np.array([0, 0.01, 0.1, 0.5, 1]), 25 / 255
    expected = stats.rice(intensities / sigma, scale=sigma).var()
    np.testing.assert_allclose(Rician().variance(intensities, 25), expected, rtol=1e-9)
    assert Rician().variance(np.array([1.0]), 1) == pytest.approx(1 / 255**2, rel=1e-4)
    assert Rician().variance(np.array([0.5]), 0) == 0


def test_random_impulses_are_uniform_over_the_256_values_and_leave_the_rest():
    flat = np.full(SQUARE, 0.3, np.float32)  # 76.5 of 255: no impulse has that value
    noisy = RandomImpulse()(flat, 0.1, np.random.default_rng(3))
    hit = noisy != flat
    assert abs(hit.sum() - 0.1 * hit.size) < 4 * np.sqrt(hit.size * 0.1 * 0.9)
    values = noisy[hit] * 255
    np.testing.assert_allclose(values, np.rint(values), atol=1e-4)
    counts = np.bincount(np.rint(values).astype(int), minlength=256)
    assert counts.size == 256
    assert stats.chisquare(counts).pvalue > 0.001
    pairs = (hit[..., 0] & hit[..., 1]).mean()
    assert pairs == pytest.approx(0.01, abs=4 * np.sqrt(0.01 * 0.99 / 400**2))


def test_random_impulses_can_hit_whole_pixels_with_a_random_colour():
    flat = np.full(SQUARE, 0.3, np.float32)
    noisy = RandomImpulse(per_channel=False)(flat, 0.1, np.random.default_rng(3))
    hit = noisy != flat
    np.testing.assert_array_equal(hit.any(axis=2), hit.all(axis=2))
    assert np.abs(channel_correlations(noisy[hit.all(axis=2)])).max() < 5 / np.sqrt(16_000)


@pytest.mark.parametrize("noise", [RandomImpulse(), DeadPixels()])
def test_a_density_of_0_leaves_the_image_and_1_leaves_nothing(noise, ramp):
    np.testing.assert_array_equal(noise(ramp, 0, np.random.default_rng(0)), ramp)
    assert (noise(ramp, 1, np.random.default_rng(0)) != ramp).mean() > 0.99


def test_dead_pixels_are_black_in_all_channels_and_the_rest_is_left():
    flat = np.full(SQUARE, 0.3, np.float32)
    noisy = DeadPixels()(flat, 0.05, np.random.default_rng(0))
    dead = (noisy == 0).all(axis=2)
    np.testing.assert_array_equal(noisy[~dead], flat[~dead])
    assert dead.sum() == pytest.approx(0.05 * dead.size, abs=4 * np.sqrt(0.05 * 0.95 * dead.size))


def test_dead_columns_are_black_from_top_to_bottom():
    flat = np.full((11, 4000, 3), 0.3, np.float32)
    noisy = DeadPixels(columns=0.1)(flat, 0, np.random.default_rng(0))
    dead = (noisy == 0).all(axis=(0, 2))
    assert dead.sum() == pytest.approx(400, abs=4 * np.sqrt(4000 * 0.1 * 0.9))
    assert (noisy[:, ~dead] == np.float32(0.3)).all()


@pytest.fixture
def picture(ramp) -> np.ndarray:
    """A ramp with edges between colours, at a size no multiple of JPEG's blocks."""
    return np.tile(ramp, (3, 2, 1))[:37]


@pytest.mark.parametrize("quality", [1, 30, 90, 100])
def test_jpeg_has_the_quality_and_the_subsampling_which_it_promises(quality, picture):
    file = BytesIO()
    Image.fromarray(to_uint8(picture)).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    expected = np.asarray(Image.open(file), int)
    noisy = Jpeg()(picture, quality, np.random.default_rng(0))
    assert np.abs(to_uint8(noisy).astype(int) - expected).max() <= 2


def test_jpeg_keeps_red_red():
    noisy = Jpeg()(np.full((16, 16, 3), RED), 90, np.random.default_rng(0))
    np.testing.assert_allclose(noisy, np.full((16, 16, 3), RED), atol=0.02)


def test_jpeg_takes_one_grey_channel_and_refuses_two(picture):
    grey = picture[..., :1]
    noisy = Jpeg()(grey, 90, np.random.default_rng(0))
    np.testing.assert_allclose(noisy, grey, atol=0.05)
    with pytest.raises(ValueError, match="jpeg needs an image of 1 or 3 channels, got 2"):
        Jpeg()(picture[..., :2], 90, np.random.default_rng(0))


@pytest.mark.parametrize("level", [0, 101, 50.5])
def test_jpeg_refuses_a_quality_which_does_not_exist(level, picture):
    with pytest.raises(ValueError, match=rf"jpeg needs a whole level from 1 to 100 .* got {level}"):
        Jpeg()(picture, level, np.random.default_rng(0))


def test_gaussian_jpeg_is_gaussian_and_then_jpeg(picture):
    white = Gaussian()(picture, 25, np.random.default_rng(4))
    expected = Jpeg()(white, 30, np.random.default_rng(0))
    found = GaussianJpeg(quality=30)(picture, 25, np.random.default_rng(4))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "noise", [cls() for cls in NOISE_MODELS.values() if cls.deterministic], ids=lambda n: n.name
)
def test_a_deterministic_noise_draws_nothing(noise, ramp):
    rng = np.random.default_rng(0)
    noise(ramp, noise.levels[0], rng)
    assert rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("dither", [False, True])
def test_quantization_leaves_all_the_steps_its_bits_can_count(bits, dither):
    values = np.arange(256, dtype=np.float32) / 255
    picture = np.broadcast_to(values[:, None, None], (256, 16, 3))
    noisy = Quantization(dither=dither)(picture, bits, np.random.default_rng(0))
    assert np.unique(noisy).size == 2**bits
    assert np.abs(noisy - picture).max() <= (1 if dither else 0.5) / (2**bits - 1) + 1e-6
    if not dither:
        steps = 2**bits - 1
        np.testing.assert_allclose(noisy[:, 0, 0], np.rint(values * steps) / steps, atol=1e-7)


def test_eight_bits_change_no_8_bit_image():
    picture = np.arange(256, dtype=np.float32).reshape(16, 16, 1) / 255
    noisy = Quantization()(picture, 8, np.random.default_rng(0))
    np.testing.assert_array_equal(to_uint8(noisy), to_uint8(picture))


@pytest.mark.parametrize("intensity", [0, 0.1, 0.333, 0.5, 0.9, 1])
def test_dither_keeps_the_mean_of_every_8x8_square(intensity):
    steps = 2**3 - 1
    found = noise_on(Quantization(dither=True), 3, intensity, (27, 29, 3))
    for top, left in [(0, 0), (3, 5), (19, 21)]:
        square = found[top : top + 8, left : left + 8]
        assert np.abs(square.mean(axis=(0, 1))).max() <= 1 / 128 / steps + 1e-6


@pytest.mark.parametrize(("cls", "across"), [(RowStripe, 0), (ColumnStripe, 1)])
@pytest.mark.parametrize("coloured", [False, True])
def test_stripes_are_constant_along_one_axis_and_white_along_the_other(cls, across, coloured):
    shape = (20_000, 5, 3) if across == 0 else (5, 20_000, 3)
    found = np.moveaxis(noise_on(cls(per_channel=coloured), 10, 0.5, shape), across, 0)
    assert np.ptp(found, axis=1).max() == 0
    offsets = found[:, 0]
    assert offsets.std() == pytest.approx(10 / 255, rel=0.02)
    assert abs(lagged(offsets, 1, 0)) < 5 / np.sqrt(20_000)
    if coloured:
        assert np.abs(channel_correlations(offsets)).max() < 5 / np.sqrt(20_000)
    else:
        assert np.ptp(offsets, axis=1).max() == 0


@pytest.mark.parametrize(("x", "y"), [(0.1, 0.25), (0.25, 0), (0, -0.45), (0.4, -0.2)])
def test_periodic_noise_is_one_wave_of_its_amplitude_and_frequency(x, y):
    noise = Periodic(frequency_x=x, frequency_y=y)
    found = noise_on(noise, 20, 0.5, (40, 60, 3))
    np.testing.assert_array_equal(found[..., 0], found[..., 2])
    spectrum = np.abs(np.fft.fft2(found[..., 0])) * 2 / (40 * 60)
    row, column = round(y * 40) % 40, round(x * 60) % 60
    assert spectrum[row, column] == pytest.approx(20 / 255)
    spectrum[row, column] = spectrum[-row, -column] = 0
    assert spectrum.max() < 1e-7
    assert found.var() == pytest.approx(noise.variance(np.array([0.5]), 20)[0])


def test_the_phase_of_periodic_noise_is_uniform(ramp):
    rng = np.random.default_rng(0)
    corners = [Periodic().sample(ramp, 20, rng)[0, 0, 0] for _ in range(2000)]
    wave = (np.array(corners) - ramp[0, 0, 0]) * 255 / 20
    assert stats.kstest(wave, stats.arcsine(-1, 2).cdf).pvalue > 0.001


@pytest.mark.parametrize("correlation", [0, 0.5, 1])
def test_chroma_correlated_noise_has_the_correlation_that_is_asked_for(correlation):
    found = noise_on(ChromaCorrelated(correlation=correlation), 25, 0.5)
    error = (1 - correlation**2) / 400
    np.testing.assert_allclose(channel_correlations(found), correlation, atol=5 * error + 1e-6)
    assert abs(lagged(found, 1, 0)) < 5 / 400


def test_the_covariance_of_bsrgan_is_positive_in_every_element_and_half_in_the_mean():
    covariances = []
    for seed in range(500):
        noise = ChromaCorrelated().sample(
            np.zeros((20, 20, 3), np.float32), 255, np.random.default_rng(seed)
        )
        covariances.append(noise.reshape(-1, 3).T @ noise.reshape(-1, 3) / 400)
    mean, error = np.mean(covariances, axis=0), np.std(covariances, axis=0) / np.sqrt(500)
    assert (np.abs(np.diag(mean) - 0.5) < 4 * np.diag(error)).all()
    assert (mean[np.triu_indices(3, 1)] > 0.05).all()
    assert np.std([np.trace(c) for c in covariances]) > 0.3  # it differs from image to image


def test_the_covariance_of_bsrgan_is_drawn_before_the_noise():
    noise, draws = ChromaCorrelated(), np.random.default_rng(7)
    draws.random(3 + 9)
    white = draws.standard_normal((13, 9, 3)).reshape(-1, 3)
    found = noise.sample(np.zeros((13, 9, 3), np.float32), 255, np.random.default_rng(7))
    root = np.linalg.lstsq(white, found.reshape(-1, 3), rcond=None)[0]
    np.testing.assert_allclose(white @ root, found.reshape(-1, 3), atol=1e-12)
    np.testing.assert_allclose(root, root.T, atol=1e-12)


def test_chroma_correlated_says_which_images_it_takes(ramp):
    grey, rng = ramp[..., :1], np.random.default_rng(0)
    with pytest.raises(ValueError, match="the covariance of 3 channels, got an image of 1; set"):
        ChromaCorrelated()(grey, 25, rng)
    assert ChromaCorrelated(correlation=0.5)(grey, 25, rng).shape == grey.shape


@pytest.mark.parametrize("blur", [1, 2])
def test_low_frequency_noise_has_the_correlation_of_its_blur(blur):
    found = noise_on(LowFrequency(blur=blur), 25, 0.5)
    for axis in (0, 1):
        for distance in (1, 2, 3):
            expected = np.exp(-(distance**2) / (4 * blur**2))
            assert lagged(found, distance, axis) == pytest.approx(expected, abs=0.02)
    assert np.abs(channel_correlations(found)).max() < 5 * blur * np.sqrt(2 * np.pi) / 400


@pytest.mark.parametrize("noise", [LowFrequency(), LowFrequency(blur=3), FilmGrain()])
def test_grain_has_the_same_law_at_the_border_and_in_images_smaller_than_its_filter(noise):
    images = noise_on(noise, 25, 0.5, (4, 5, 2000))  # channels are independent
    promised = noise.variance(np.array([0.5]), 25)[0]
    error = promised * np.sqrt(2 / 2000)
    np.testing.assert_allclose(images.var(axis=2), promised, atol=4.5 * error)
    ends = np.corrcoef(images[0, 0], images[-1, -1])[0, 1]  # opposite corners are no neighbours
    assert ends == pytest.approx(np.exp(-(9 + 16) / (4 * noise.blur**2)), abs=5 / np.sqrt(2000))


def test_film_grain_leaves_black_and_white_alone_and_is_strongest_in_between():
    deviations = [noise_on(FilmGrain(), 20, x).std() * 255 for x in (0, 0.25, 0.5, 0.75, 1)]
    expected = [0, 20 * np.sqrt(0.75), 20, 20 * np.sqrt(0.75), 0]
    np.testing.assert_allclose(deviations, expected, rtol=0.03)


def test_film_grain_is_coloured_unless_the_channels_share_it():
    assert np.abs(channel_correlations(noise_on(FilmGrain(), 20, 0.5))).max() < 10 / 400
    shared = noise_on(FilmGrain(per_channel=False), 20, 0.5)
    np.testing.assert_array_equal(shared[..., 0], shared[..., 2])


def test_the_ramp_of_sigmas_runs_from_0_to_the_level_over_the_width():
    found = noise_on(SpatiallyVariant(), 50, 0.5, (4000, 11, 3)) * 255
    expected = np.linspace(0, 50, 11)
    np.testing.assert_allclose(found.std(axis=(0, 2)), expected, rtol=4 / np.sqrt(2 * 12_000))


def test_the_peaks_of_sigmas_reach_0_and_the_level_where_matlabs_do():
    image = np.zeros((61, 91, 300), np.float32)
    noisy = SpatiallyVariant(profile="peaks").sample(image, 255, np.random.default_rng(0))
    sigma = noisy.std(axis=2)
    assert sigma.max() == pytest.approx(1, abs=0.15)
    assert sigma.min() == pytest.approx(0, abs=0.02)
    rows, columns = np.linspace(-3, 3, 61), np.linspace(-3, 3, 91)
    row, column = np.unravel_index(sigma.argmin(), sigma.shape)
    assert (columns[column], rows[row]) == pytest.approx((0.23, -1.63), abs=0.2)
    row, column = np.unravel_index(sigma.argmax(), sigma.shape)
    assert (columns[column], rows[row]) == pytest.approx((-0.01, 1.58), abs=0.4)


@pytest.mark.parametrize(
    ("cls", "settings", "message"),
    [
        (PoissonGaussian, {"read": -1}, "needs a finite read variance >= 0, got -1"),
        (PoissonGaussian, {"read": np.inf}, "needs a finite read variance >= 0, got inf"),
        (StudentT, {"degrees": 2}, "needs finite degrees of freedom above 2.* got 2"),
        (StudentT, {"degrees": np.nan}, "needs finite degrees of freedom above 2.* got nan"),
        (DeadPixels, {"columns": 1.5}, "needs a fraction of columns from 0 to 1, got 1.5"),
        (GaussianJpeg, {"quality": 0}, "needs a whole JPEG quality from 1 to 100, got 0"),
        (GaussianJpeg, {"quality": 50.5}, "needs a whole JPEG quality from 1 to 100, got 50.5"),
        (Periodic, {"frequency_x": 0.6}, "needs frequencies from -0.5 to 0.5 .* got 0.6 and 0.25"),
        (Periodic, {"frequency_x": 0, "frequency_y": 0}, "not both 0, got 0 and 0"),
        (Periodic, {"frequency_x": 0.1, "frequency_y": np.nan}, "got 0.1 and nan"),
        (ChromaCorrelated, {"correlation": -0.1}, "needs a correlation from 0 to 1, got -0.1"),
        (LowFrequency, {"blur": 0}, "needs a blur above 0 and at most 100 pixels, got 0"),
        (FilmGrain, {"blur": 101}, "needs a blur above 0 and at most 100 pixels, got 101"),
        (SpatiallyVariant, {"profile": "hills"}, "no profile 'hills'; take one of ramp, peaks"),
    ],
)
def test_a_setting_outside_its_range_is_one_sentence(cls, settings, message):
    with pytest.raises(ValueError, match=rf"^{cls.name} .*{message}$"):
        cls(**settings)
