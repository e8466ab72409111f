"""What every noise model gets from its base class, and where its random numbers come from."""

import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from benchmark.noise import NoiseModel, rng_for, stream, to_uint8


@dataclass(frozen=True)
class Shift(NoiseModel):
    """Adds the level; not registered."""

    name = "shift"
    unit = "grey value"
    levels: tuple[float, ...] = (0.1, 0.2)

    def sample(self, clean, level, rng):
        return clean.astype(np.float64) + level


def anything() -> np.random.Generator:
    return rng_for("dataset", "image", "shift", 0.1, 0)


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


def test_to_uint8_clips_and_rounds_half_to_even():
    image = np.array([-1, 0, 0.5 / 255, 1.5 / 255, 2.5 / 255, 1, 2])
    np.testing.assert_array_equal(to_uint8(image), [0, 0, 0, 2, 2, 255, 255])


def test_to_uint8_gives_back_every_8_bit_value():
    values = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(values.astype(np.float32) / 255), values)


def test_calling_clips_to_the_range_and_returns_float32(ramp):
    noisy = Shift()(ramp, 0.5, anything())
    assert noisy.dtype == np.float32
    np.testing.assert_allclose(noisy, np.minimum(ramp + 0.5, 1), atol=1e-7)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((3, 8, 9), np.float64), r"needs \(H, W, C\) float32, got \(3, 8, 9\) float64"),
        (np.zeros((8, 9), np.float32), r"needs \(H, W, C\) float32, got \(8, 9\) float32"),
        (np.zeros((8, 9, 3), np.uint8), "float32, got .* uint8"),
        (np.full((8, 9, 3), np.nan, np.float32), "needs values in .*, got NaN"),
        (np.full((8, 9, 3), 255, np.float32), "needs values in .*, got 255 to 255"),
        (np.full((8, 9, 3), -0.1, np.float32), "needs values in .*, got -0.1 to -0.1"),
        (np.zeros((0, 9, 3), np.float32), "needs values in .*, got an empty image"),
    ],
)
def test_a_wrong_image_is_an_error_which_says_what_it_is(image, message):
    with pytest.raises(ValueError, match=message):
        Shift()(image, 0.1, anything())


@pytest.mark.parametrize("level", [-0.1, np.nan, np.inf])
def test_a_level_outside_the_domain_is_an_error_when_called(level, ramp):
    with pytest.raises(ValueError, match="shift needs a finite level >= 0"):
        Shift()(ramp, level, anything())


def test_a_level_outside_the_domain_is_an_error_when_set():
    with pytest.raises(ValueError, match="shift needs a finite level >= 0"):
        Shift(levels=(0.1, -0.1))


@pytest.mark.parametrize("module", ["benchmark.noise", "noise_models"])
def test_noise_loads_no_torch(module):
    code = f"import sys, {module}; print({{'torch', 'cv2', 'hydra'}} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (lambda clean: None, "returned NoneType"),
        (lambda clean: clean.tolist(), "returned list"),
        (lambda clean: clean[:-1], "returned (7, 8, 3) float32"),
        (lambda clean: clean[..., 0], "returned (8, 8) float32"),
        (lambda clean: clean.transpose(2, 0, 1), "returned (3, 8, 8) float32"),
        (lambda clean: (clean * 255).astype(np.uint8), "returned (8, 8, 3) uint8"),
        (lambda clean: clean > 0.5, "returned (8, 8, 3) bool"),
        (lambda clean: clean.astype(str), "returned (8, 8, 3) <U32"),
        (lambda clean: clean + 0j, "returned (8, 8, 3) complex64"),
        (lambda clean: clean * np.float32(np.nan), "values that are NaN or infinite"),
        (lambda clean: clean - np.float32(np.inf), "values that are NaN or infinite"),
        (lambda clean: np.where(clean == clean.max(), np.nan, clean), "NaN or infinite"),
    ],
)
@pytest.mark.parametrize("side", ["noisy", "target"])
def test_what_is_no_image_is_a_sentence_and_never_scored(returned, said, side):
    class Broken(Shift):
        def sample_pair(self, clean, level, rng):
            pair = clean.copy(), clean
            return (returned(clean), pair[1]) if side == "target" else (pair[0], returned(clean))

    clean = anything().random((8, 8, 3), np.float32)
    with pytest.raises(ValueError, match="^noise 'shift' returned ") as caught:
        Broken().pair(clean, 0.1, anything())
    assert said in str(caught.value)
