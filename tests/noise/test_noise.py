"""What every noise model gets from its base class, and where its random numbers come from."""

from dataclasses import dataclass

import numpy as np
import pytest
from doubles import Darkened, Offset

from benchmark.noise import NOISE_MODELS, Key, NoiseModel, rng_for, stream, to_uint8


def anything() -> np.random.Generator:
    return rng_for("dataset", "image", "offset", 0.1, 0)


def test_a_key_gives_the_same_stream_in_every_process_and_version():
    assert (
        stream("kodak24", "kodim01", "gaussian", 25, 0) == 149641536457387726492232539722056120396
    )


@pytest.mark.parametrize(
    ("one", "other"), [((25,), (25.0,)), ((0.02,), (0.02 + 1e-18,)), (("a", 1), ("a", np.int64(1)))]
)
def test_equal_values_are_one_key(one, other):
    assert stream(*one) == stream(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        (("a", "b"), ("b", "a")),
        ((25,), (25.5,)),
        ((0,), (1,)),
        ((1234567,), (1234568,)),
        ((2**63,), (2**63 + 1,)),
    ],
)
def test_different_values_are_different_keys(one, other):
    assert stream(*one) != stream(*other)


def test_a_stream_is_128_bits():
    assert all(0 <= stream(i) < 2**128 for i in range(100))
    assert any(stream(i) >= 2**120 for i in range(100))


def test_each_part_of_the_key_changes_the_numbers():
    key = ("kodak24", "kodim01", "gaussian", 25, 0)
    others = ("cbsd68", "kodim02", "speckle", 50, 1)
    first = rng_for(*key).random(4)
    for i, other in enumerate(others):
        assert not np.array_equal(first, rng_for(*key[:i], other, *key[i + 1 :]).random(4))
    np.testing.assert_array_equal(first, rng_for(*key).random(4))


def test_a_key_draws_what_rng_for_and_stream_draw():
    parts = ("kodak24", "kodim01", "gaussian", 25.0, 3)
    key = Key(*parts)
    np.testing.assert_array_equal(key.rng().random(4), rng_for(*parts).random(4))
    assert key.torch_seed("denoise") == stream("denoise", *parts) % 2**63
    assert key.torch_seed("passes", 1) == stream("passes", *parts, 1) % 2**63
    assert key.torch_seed("denoise") != key.torch_seed("passes")


def test_to_uint8_clips_and_rounds_half_to_even():
    image = np.array([-1, 0, 0.5 / 255, 1.5 / 255, 2.5 / 255, 1, 2])
    np.testing.assert_array_equal(to_uint8(image), [0, 0, 0, 2, 2, 255, 255])


def test_to_uint8_gives_back_every_8_bit_value():
    values = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(values.astype(np.float32) / 255), values)


def test_calling_clips_to_the_range_and_returns_float32(ramp):
    noisy = Offset()(ramp, 0.5, anything())
    assert noisy.dtype == np.float32
    np.testing.assert_allclose(noisy, np.minimum(ramp + 0.5, 1), atol=1e-7)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((3, 8, 9), np.float64), r"needs \(H, W, C\) float32, got \(3, 8, 9\) float64"),
        (np.zeros((8, 9), np.float32), r"needs \(H, W, C\) float32, got \(8, 9\) float32"),
        (np.zeros((8, 9, 3), np.uint8), "float32, got .* uint8"),
        (np.zeros((2, 8, 9, 3), np.float32), r"float32, got \(2, 8, 9, 3\) float32"),
        (np.full((8, 9, 3), np.nan, np.float32), "needs values in .*, got NaN"),
        (np.full((8, 9, 3), np.inf, np.float32), "needs values in .*, got inf"),
        (np.full((8, 9, 3), 255, np.float32), "needs values in .*, got 255 to 255"),
        (np.full((8, 9, 3), -0.1, np.float32), "needs values in .*, got -0.1 to -0.1"),
        (np.zeros((0, 9, 3), np.float32), "needs values in .*, got an empty image"),
    ],
)
def test_a_wrong_image_is_an_error_which_says_what_it_is(image, message):
    with pytest.raises(ValueError, match=message):
        Offset()(image, 0.1, anything())


@pytest.mark.parametrize("level", [-0.1, np.nan, np.inf])
def test_a_level_outside_the_domain_is_an_error_when_called(level, ramp):
    with pytest.raises(ValueError, match="offset needs a finite level >= 0"):
        Offset()(ramp, level, anything())


def test_a_level_outside_the_domain_is_an_error_when_set():
    with pytest.raises(ValueError, match="offset needs a finite level >= 0"):
        Offset(levels=(0.1, -0.1))


class Made(NoiseModel):
    """A noise of a stranger, which does to a clean image whatever a test says."""

    name, unit, levels = "made", "steps", (1,)

    def __init__(self, make):
        self.make = make

    def sample(self, clean, level, rng):
        return self.make(clean)


def _in_place(clean: np.ndarray) -> np.ndarray:
    clean *= 0.5
    return clean


NO_PICTURES = {
    "NaN": lambda clean: np.where(clean > 0.5, np.nan, clean),
    "one NaN": lambda clean: np.insert(clean.ravel()[1:], 0, np.nan).reshape(clean.shape),
    "infinite": lambda clean: clean * np.float32(np.inf),
    "8 bits": lambda clean: (clean * 255).astype(np.uint8),
    "whole numbers": lambda clean: np.rint(clean).astype(int),
    "truth values": lambda clean: clean > 0.5,
    "complex": lambda clean: clean * 1j,
    "objects": lambda clean: clean.astype(object),
    "text": lambda clean: clean.astype(str),
    "0 to 255": lambda clean: 255 * clean + 15,
    "None": lambda clean: None,
    "a list": lambda clean: clean.tolist(),
    "a pair": lambda clean: (clean, clean),
    "a number": lambda clean: 0.5,
    "grey": lambda clean: clean.mean(-1),
    "one channel": lambda clean: clean[..., :1],
    "smaller": lambda clean: clean[1:],
    "turned": lambda clean: clean.swapaxes(0, 1),
    "channels first": lambda clean: clean.transpose(2, 0, 1),
    "a batch": lambda clean: clean[None],
    "the clean image changed": _in_place,
    "a copy of the changed clean image": lambda clean: _in_place(clean).copy(),
}


@pytest.mark.parametrize("kind", NO_PICTURES)
def test_what_a_noise_makes_is_a_picture_or_a_sentence(ramp, kind):
    with pytest.raises(ValueError, match="^made (made|changed) "):
        Made(NO_PICTURES[kind]).pair(ramp, 1, np.random.default_rng(0))


def test_smooth_noise_on_an_even_picture_is_no_mistake_of_scale():
    even = np.full((64, 64, 3), 0.5, np.float32)
    even += np.linspace(0, 1e-3, 64, dtype=np.float32)[:, None, None]
    steep = Made(lambda clean: 0.5 + 100 * (clean - 0.5))
    assert steep(even, 1, np.random.default_rng(0)).max() < 1


def test_numbers_too_large_for_a_picture_are_the_noise_s_mistake_without_clipping(ramp):
    huge = Made(lambda clean: clean.astype(float) + 1e40)
    with pytest.raises(ValueError, match="NaN or infinite of a picture"):
        huge.pair(ramp, 1, np.random.default_rng(0), clip=False)


@pytest.mark.parametrize("level", [1e3, 1e30])
def test_however_strong_a_noise_is_its_picture_is_one(ramp, level):
    for noise in (NOISE_MODELS["gaussian"](), Made(lambda clean: clean + 1.5)):
        assert noise(ramp, level, np.random.default_rng(0)).max() == 1


PICTURES = {
    "the clean image": lambda clean: clean,
    "double precision": lambda clean: clean.astype(float) + 0.1,
    "half precision": lambda clean: clean.astype(np.float16),
    "outside [0, 1]": lambda clean: 9 * clean - 4,
    "a view": lambda clean: clean[::-1],
    "in another order": np.asfortranarray,
}


@pytest.mark.parametrize("kind", PICTURES)
def test_whatever_is_a_picture_is_clipped_and_float32(ramp, kind):
    clean, noisy = Made(PICTURES[kind]).pair(ramp, 1, np.random.default_rng(0))
    assert clean is ramp
    assert noisy.dtype == np.float32
    assert 0 <= noisy.min() <= noisy.max() <= 1


# the law: one method


def test_a_noise_that_redevelops_the_image_is_sampled_as_the_noisy_image_of_its_pair(ramp):
    target, noisy = Darkened().sample_pair(ramp, 0.1, anything())
    np.testing.assert_array_equal(Darkened().sample(ramp, 0.1, anything()), noisy)
    np.testing.assert_array_equal(Darkened()(ramp, 0.1, anything()), noisy)
    assert not np.array_equal(target, ramp)


@pytest.mark.parametrize("parent", [NoiseModel, Offset, Darkened])
def test_a_class_with_two_laws_is_refused_by_name(parent):
    with pytest.raises(ValueError, match="Both writes sample, but its law is sample_pair"):

        class Both(parent):
            def sample(self, clean, level, rng):
                return clean

            def sample_pair(self, clean, level, rng):
                return clean, clean


def test_a_law_beside_that_of_a_parent_which_would_win_is_refused():
    with pytest.raises(ValueError, match="Plain writes sample, but its law is sample_pair"):

        class Plain(Darkened):
            def sample(self, clean, level, rng):
                return clean


def test_a_class_may_redevelop_the_image_with_its_parents_noise(ramp):
    class Dark(Offset):
        def sample_pair(self, clean, level, rng):
            return clean / 2, self.sample(clean / 2, level, rng)

    target, noisy = Dark().pair(ramp, 0.1, anything())
    np.testing.assert_allclose(noisy - target, 0.1, atol=1e-6)


def test_a_class_without_a_law_makes_no_noise():
    class Lawless(NoiseModel):
        name, unit, levels = "lawless", "steps", (1,)

    with pytest.raises(TypeError, match="abstract.*sample"):
        Lawless()


def test_a_dataclass_with_slots_has_one_law():
    @dataclass(frozen=True, slots=True)
    class Slotted(Darkened):
        def sample_pair(self, clean, level, rng):
            return clean, clean

    assert Slotted().levels == (0.1,)


def test_a_variance_which_ignores_the_image_is_one_number_of_a_class():
    class Third(Offset):
        constant_variance = 1 / 9

    found = Third().variance(np.array([0.1, 0.9]), 30)
    np.testing.assert_allclose(found, [(10 / 255) ** 2] * 2)
    assert Offset().variance(np.array([0.1]), 30) is None
