"""Validation: the same noisy crops every time, scored as in testing."""

import numpy as np
import pytest

from baselines.identity import Identity
from benchmark.noise import NOISE_MODELS
from benchmark.pixels import psnr
from benchmark.training.validation import Validation, conditions_of

CROPS = [np.random.default_rng(place).integers(0, 256, (32, 32, 3), np.uint8) for place in (0, 1)]


def test_the_score_of_the_noisy_input_is_the_psnr_of_the_noisy_crops():
    validation = Validation(CROPS, [("gaussian", NOISE_MODELS["gaussian"](), 25.0)])
    ((key, score),) = validation.scores(Identity(), "cpu", "fp32").items()
    assert key == ("gaussian", 25.0)
    pairs = validation.pairs[key]
    assert score == pytest.approx(np.mean([psnr(noisy, clean) for clean, noisy in pairs]))
    for (clean, noisy), crop in zip(pairs, CROPS, strict=True):
        np.testing.assert_array_equal(clean, crop)
        assert noisy.dtype == np.uint8
    assert validation.scores(Identity(), "cpu", "fp32") == {key: score}


def test_nothing_held_out_is_nothing_scored():
    validation = Validation([], [("gaussian", NOISE_MODELS["gaussian"](), 25.0)])
    assert validation.scores(Identity(), "cpu", "fp32") == {}


def test_a_text_names_a_noise_and_its_level_or_a_formula():
    (single, formula) = conditions_of(["poisson(3.5)", "gaussian(25) + poisson(2)"])
    assert single == ("poisson", NOISE_MODELS["poisson"](levels=(3.5,)), 3.5)
    assert (formula[0], formula[2]) == ("gaussian(25)+poisson(2)", 1.0)


@pytest.mark.parametrize("text", ["gausian(25)", "gaussian", "gaussian(-1)"])
def test_a_text_that_is_no_noise_with_a_level_is_refused(text):
    with pytest.raises(ValueError, match=r"gaus"):
        conditions_of([text])
