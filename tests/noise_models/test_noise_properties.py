"""What every noise promises on any image: one to find the images that nobody thought of."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark.noise import NOISE_MODELS, NoiseModel, rng_for

every_noise = pytest.mark.parametrize(
    "noise", [pytest.param(cls(), id=name) for name, cls in sorted(NOISE_MODELS.items())]
)
a_few = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])

PICTURES = {
    "random": lambda rng, shape: rng.random(shape),
    "flat": lambda rng, shape: np.full(shape, rng.random()),
    "one colour": lambda rng, shape: np.broadcast_to(rng.random(shape[2]), shape),
    "black": lambda rng, shape: np.zeros(shape),
    "white": lambda rng, shape: np.ones(shape),
    "black and white": lambda rng, shape: rng.integers(2, size=shape),
    "8 bits": lambda rng, shape: rng.integers(256, size=shape) / 255,
}


@st.composite
def images(draw: st.DrawFn) -> np.ndarray:
    """(H, W, 3) float32 in [0, 1] which cannot be written to, both sides from 8 to 40."""
    sides = st.integers(8, 40)
    shape = (draw(sides), draw(sides), 3)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    image = PICTURES[draw(st.sampled_from(sorted(PICTURES)))](rng, shape).astype(np.float32)
    image.flags.writeable = False
    return image


keys = st.integers(0, 2**63)


def pair_of(noise: NoiseModel, clean: np.ndarray, level: float, seed: int):
    return noise.pair(clean, level, rng_for("property", "image", noise.name, level, seed))


@every_noise
@a_few
@given(data=st.data(), clean=images(), seed=keys)
def test_any_image_comes_back_in_shape_type_and_range_and_is_left_alone(noise, data, clean, seed):
    before = clean.copy()
    level = data.draw(st.sampled_from(noise.levels))
    for image in pair_of(noise, clean, level, seed):
        assert image.shape == clean.shape
        assert image.dtype == np.float32
        assert image.min() >= 0
        assert image.max() <= 1  # NaN fails both
    np.testing.assert_array_equal(clean, before)


@every_noise
@a_few
@given(data=st.data(), clean=images(), other=images(), seed=keys)
def test_the_key_decides_and_not_what_was_done_before(noise, data, clean, other, seed):
    level = data.draw(st.sampled_from(noise.levels))
    first = pair_of(noise, clean, level, seed)
    pair_of(noise, other, noise.levels[0], seed + 1)
    np.random.seed(seed % 1000)
    again = pair_of(type(noise)(), clean.copy(), level, seed)
    np.testing.assert_array_equal(first, again)
    called = noise(clean, level, rng_for("property", "image", noise.name, level, seed))
    np.testing.assert_array_equal(called, first[1])


@every_noise
def test_the_image_to_restore_is_the_clean_one_unless_the_noise_redevelops_it(noise, ramp):
    target, noisy = pair_of(noise, ramp, noise.levels[-1], 0)
    if type(noise).sample_pair is NoiseModel.sample_pair:
        assert target is ramp
    assert not np.shares_memory(target, noisy)


def assert_one_sentence(error: pytest.ExceptionInfo[ValueError], noise: NoiseModel) -> None:
    message = str(error.value)
    assert message.startswith(f"{noise.name} needs ")
    assert "\n" not in message
    assert len(message) < 250


WRONG_IMAGES = {
    "NaN": np.full((9, 11, 3), np.nan, np.float32),
    "too bright": np.full((9, 11, 3), 1.01, np.float32),
    "no channels": np.zeros((9, 11), np.float32),
    "a batch": np.zeros((2, 9, 11, 3), np.float32),
    "8 bits": np.zeros((9, 11, 3), np.uint8),
}


@every_noise
def test_a_wrong_image_is_an_error_of_one_sentence(noise):
    for image in WRONG_IMAGES.values():
        with pytest.raises(ValueError) as error:
            pair_of(noise, image, noise.levels[0], 0)
        assert_one_sentence(error, noise)


@every_noise
def test_a_level_outside_the_domain_is_an_error_of_one_sentence(noise, ramp):
    low, high = noise.domain
    wrong = [low - 1, high + 1, np.nan, np.inf] + (
        [noise.levels[0] + 0.5] if noise.whole_levels else []
    )
    for level in wrong:
        with pytest.raises(ValueError) as error:
            noise.pair(ramp, level, np.random.default_rng(0))
        assert_one_sentence(error, noise)
        with pytest.raises(ValueError) as error:
            type(noise)(levels=(level,))
        assert_one_sentence(error, noise)


@every_noise
def test_the_ends_of_the_domain_are_levels(noise, ramp):
    for level in {noise.domain[0], min(noise.domain[1], 1e9)} - {0}:
        noisy = noise(ramp, level, np.random.default_rng(0))
        assert np.isfinite(noisy).all()


@every_noise
def test_the_promised_variance_is_finite_and_never_negative(noise):
    intensity = np.linspace(0, 1, 21)
    for level in noise.levels:
        variance = noise.variance(intensity, level)
        if variance is not None:
            assert variance.shape == intensity.shape
            assert np.isfinite(variance).all()
            assert variance.min() >= 0
