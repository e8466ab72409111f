"""Hiding pixels, the interpolation that networks are measured against, PSNR of some pixels."""

import numpy as np
import pytest

from benchmark.analysis.completion import hidden_pixels, hide, interpolated, psnr_of

RAMP = np.tile(np.linspace(0.2, 0.8, 64, dtype=np.float32)[None, :, None], (64, 1, 3))


def hidden(percent: int) -> np.ndarray:
    return hidden_pixels((64, 64), percent, np.random.default_rng(0))


def test_the_named_share_is_hidden_and_a_higher_one_holds_a_lower_one():
    few, many = hidden(50), hidden(90)
    assert few.mean() == pytest.approx(0.5, abs=0.03)
    assert many.mean() == pytest.approx(0.9, abs=0.02)
    assert (many | ~few).all() and not hidden(0).any()


def test_hidden_pixels_have_one_value_in_all_channels_and_the_rest_is_untouched():
    mask = hidden(75)
    seen = hide(RAMP, mask, -0.1)
    assert seen.dtype == np.float32
    assert (seen[mask] == np.float32(-0.1)).all()
    assert np.array_equal(seen[~mask], RAMP[~mask])


@pytest.mark.parametrize("percent", [50, 75, 90])
def test_a_smooth_image_is_interpolated_from_a_few_pixels_without_seeing_the_others(percent):
    mask = hidden(percent)
    filled = interpolated(RAMP, mask)
    assert np.array_equal(filled[~mask], RAMP[~mask])
    assert np.abs(filled - RAMP).mean() < 0.02
    assert np.array_equal(filled, interpolated(hide(RAMP, mask, 7), mask))


def test_what_hides_nothing_is_left_as_it_is():
    assert np.array_equal(interpolated(RAMP, hidden(0)), RAMP)


def test_where_nothing_is_visible_nothing_is_known():
    assert (interpolated(RAMP, np.ones((64, 64), bool)) == 0.5).all()


def test_psnr_of_some_pixels_is_blind_to_the_others():
    clean, image = np.zeros((2, 4, 4, 3), np.uint8)
    image[0], image[1] = 255, 51
    pixels = np.zeros((4, 4), bool)
    pixels[1] = True
    assert psnr_of(image, clean, pixels) == pytest.approx(-20 * np.log10(0.2), abs=1e-4)
    assert np.isnan(psnr_of(image, clean, np.zeros((4, 4), bool)))
