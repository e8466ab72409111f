"""The generator of published scripts gives the numbers which NumPy's legacy functions give."""

from copy import deepcopy
from types import SimpleNamespace

import numpy as np
import pytest

from benchmark.noise import Key
from benchmark.noise.script import Script

SHAPE = (4, 5, 3)
RATES = np.arange(60.0).reshape(SHAPE)
LAWS = {
    "standard_normal": ((), np.random.standard_normal),
    "normal": ((2.0, 0.5), np.random.normal),
    "uniform": ((-1.0, 3.0), np.random.uniform),
    "random": ((), np.random.random_sample),
}


@pytest.mark.parametrize("law", LAWS)
def test_a_law_is_that_of_the_legacy_function(law):
    parameters, legacy = LAWS[law]
    np.random.seed(7)
    expected = legacy(*parameters, size=SHAPE), legacy(*parameters, size=2)
    script = Script(7)
    for drawn in expected:
        assert np.array_equal(getattr(script, law)(*parameters, size=drawn.shape), drawn)


def test_single_precision_numbers_stay_below_1_as_those_of_the_new_generator_do(monkeypatch):
    script, nearly = Script(0), np.full(SHAPE, 1 - 2.0**-53)
    monkeypatch.setattr(script, "_legacy", SimpleNamespace(random_sample=lambda size: nearly))
    assert script.random(SHAPE).max() == 1 - 2.0**-53
    assert script.random(SHAPE, np.float32).max() == np.nextafter(np.float32(1), np.float32(0))
    out = np.empty(SHAPE, np.float32)
    assert script.random(SHAPE, np.float32, out).max() < 1


def test_rates_of_a_poisson_law_are_those_of_their_pixels_in_both_orders():
    np.random.seed(0)
    in_rgb = np.random.poisson(RATES)
    np.random.seed(0)
    in_bgr = np.random.poisson(RATES[..., ::-1])[..., ::-1]
    assert np.array_equal(Script(0).poisson(RATES), in_rgb)
    assert np.array_equal(Script(0, bgr=True).poisson(RATES), in_bgr)
    assert not np.array_equal(in_rgb, in_bgr)


def test_an_image_in_bgr_order_is_drawn_in_its_order():
    drawn = Script(0).standard_normal(SHAPE)
    assert np.array_equal(Script(0, bgr=True).standard_normal(SHAPE), drawn[..., ::-1])
    assert np.array_equal(Script(0, bgr=True).standard_normal(9), Script(0).standard_normal(9))


def test_a_parameter_of_each_channel_stays_with_its_channel_in_bgr_order():
    scales = np.array([0.0, 1.0, 100.0])  # of R, G, B
    np.random.seed(0)
    expected = np.random.normal(0, scales[::-1], SHAPE)[..., ::-1]
    assert np.array_equal(Script(0, bgr=True).normal(0, scales, SHAPE), expected)
    assert np.array_equal(Script(0, bgr=True).poisson(scales), Script(0).poisson(scales))


def test_a_copy_goes_on_where_its_original_was():
    script = Script(0)
    script.standard_normal(3)  # one number is left over for the next call
    copied = deepcopy(script)
    assert np.array_equal(copied.standard_normal(5), script.standard_normal(5))
    assert np.array_equal(copied.random(5), script.random(5))


def test_numbers_come_in_the_type_and_the_array_that_are_asked_for():
    assert Script(0).standard_normal(3, np.float32).dtype == np.float32
    held = np.empty(3)
    assert Script(0).random(out=held, size=3) is held
    assert np.array_equal(held, Script(0).random(3))


def test_every_image_and_noise_has_the_same_numbers_and_a_seed_has_its_own():
    keys = [Key("a", "1", "gaussian", 15.0, 0), Key("b", "2", "poisson", 2.0, 0)]
    first, second = (key.script_rng().random(4) for key in keys)
    assert np.array_equal(first, second)
    assert not np.array_equal(first, Key("a", "1", "gaussian", 15.0, 1).script_rng().random(4))


def test_a_seed_which_the_legacy_generator_does_not_take_is_a_sentence():
    with pytest.raises(ValueError, match="takes 0 to 4294967295, got seed -1"):
        Script(-1)
