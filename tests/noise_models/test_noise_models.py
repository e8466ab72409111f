"""Every registered noise keeps the contract of noise models, and ours keep their numbers."""

import hashlib
import json
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest

from benchmark.noise import NOISE_MODELS, NoiseModel, rng_for, to_uint8

GOLDEN = Path(__file__).parents[1] / "golden"
OURS = sorted(n for n, cls in NOISE_MODELS.items() if cls.__module__.startswith("noise_models."))

every_noise = pytest.mark.parametrize(
    "noise", [pytest.param(cls(), id=name) for name, cls in sorted(NOISE_MODELS.items())]
)


def rng_of(noise: NoiseModel, level: float) -> np.random.Generator:
    return rng_for("test", "ramp", noise.name, level, 0)


@pytest.fixture
def wide(ramp) -> np.ndarray:
    """The ramp repeated to 156x168: enough values for a mean error to settle."""
    return np.tile(ramp, (12, 8, 1))


@every_noise
def test_a_noisy_image_has_the_shape_type_and_range_of_its_clean_one(noise, ramp):
    for level in noise.levels:
        noisy = noise(ramp, level, rng_of(noise, level))
        assert noisy.shape == ramp.shape
        assert noisy.dtype == np.float32
        assert noisy.min() >= 0
        assert noisy.max() <= 1


@every_noise
@pytest.mark.parametrize("value", [0, 1])
def test_black_and_white_images_stay_in_range(noise, value):
    flat = np.full((14, 22, 3), value, np.float32)
    noisy = noise(flat, noise.levels[-1], rng_of(noise, noise.levels[-1]))
    assert 0 <= noisy.min() <= noisy.max() <= 1


@every_noise
def test_the_clean_image_is_left_alone(noise, ramp):
    before = ramp.copy()
    ramp.flags.writeable = False
    noisy = noise(ramp, noise.levels[-1], rng_of(noise, noise.levels[-1]))
    assert not np.shares_memory(noisy, ramp)
    np.testing.assert_array_equal(ramp, before)


@every_noise
def test_the_generator_alone_decides(noise, ramp):
    level = noise.levels[0]
    first = noise(ramp, level, rng_for("test", "ramp", noise.name, level, 0))
    np.random.seed(1)
    again = type(noise)()(ramp, level, rng_for("test", "ramp", noise.name, level, 0))
    other = noise(ramp, level, rng_for("test", "ramp", noise.name, level, 1))
    np.testing.assert_array_equal(first, again)
    assert np.array_equal(first, other) == noise.deterministic


@every_noise
def test_levels_run_from_mild_to_hard(noise, wide):
    errors = [
        np.square(to_uint8(noise(wide, level, np.random.default_rng(0))) / 255 - wide).mean()
        for level in noise.levels
    ]
    assert errors[0] > 0
    assert errors == sorted(set(errors))


@every_noise
@pytest.mark.parametrize("level", [-1, np.nan, np.inf])
def test_a_bad_level_is_an_error_which_names_noise_and_level(noise, level, ramp):
    with pytest.raises(ValueError, match=rf"^{noise.name} needs .*got {level}"):
        noise(ramp, level, rng_of(noise, 1))
    with pytest.raises(ValueError, match=rf"^{noise.name} needs .*got {level}"):
        type(noise)(levels=(level,))


@every_noise
def test_settings_cannot_be_changed(noise):
    with pytest.raises(FrozenInstanceError):
        noise.levels = (1,)


@every_noise
def test_a_noise_says_what_it_is_and_what_its_level_counts(noise):
    assert noise.__doc__.strip()
    assert noise.unit
    assert isinstance(noise.note, str)


@pytest.mark.parametrize("name", OURS)
def test_every_noise_of_ours_has_a_data_sheet(name):
    sheets = Path(__file__).parents[2] / "results" / "noises"
    page, index = (sheets / f"{name}.md").read_text(), (sheets / "README.md").read_text()
    assert page.startswith(f"# {name}\n")
    assert f"[{name}]({name}.md)" in index
    assert (sheets / f"{name}.png").is_file()


@pytest.mark.parametrize("name", OURS)
def test_the_numbers_are_those_of_the_committed_hashes(name, ramp):
    noise = NOISE_MODELS[name]()
    level = noise.levels[0]
    noisy = to_uint8(noise(ramp, level, rng_for("golden", "ramp", name, level, 0)))
    found = hashlib.sha256(noisy.tobytes()).hexdigest()
    expected = json.loads((GOLDEN / "noise.json").read_text()).get(name)
    assert found == expected, (
        f"'{name}' (level {level:g}, NumPy {np.__version__}) no longer gives the pixels behind the "
        f"published scores; if that is meant, say so in the changelog, redo the scores of "
        f'this noise and put "{name}": "{found}" into tests/golden/noise.json'
    )
