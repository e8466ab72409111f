"""Every registered noise keeps the contract of noise models, and ours keep their numbers."""

import hashlib
import json
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest

from benchmark.noise import NOISE_MODELS, rng_for, to_uint8

GOLDEN = Path(__file__).parents[1] / "golden"
OURS = sorted(n for n, cls in NOISE_MODELS.items() if cls.__module__.startswith("noise_models."))

every_noise = pytest.mark.parametrize(
    "noise", [pytest.param(cls(), id=name) for name, cls in sorted(NOISE_MODELS.items())]
)


@pytest.fixture
def wide(ramp) -> np.ndarray:
    """The ramp repeated to 156x168: enough values for a mean error to settle."""
    return np.tile(ramp, (12, 8, 1))


@every_noise
def test_another_seed_draws_other_noise_unless_the_noise_draws_nothing(noise, ramp):
    level = noise.levels[0]
    first, other = (
        noise(ramp, level, rng_for("test", "ramp", noise.name, level, seed)) for seed in (0, 1)
    )
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
