"""PNGs: what stays as it is, what may lose colours, and how many."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from benchmark.pixels import FAITHFUL, png_bytes, png_note, psnr, small_png_bytes


def noisy(strength: float) -> np.ndarray:
    """A colourful ramp under Gaussian noise."""
    down, across = np.indices((64, 64))
    ramp = np.stack([down, across, np.full((64, 64), 30)], -1)
    noise = np.random.default_rng(0).normal(0, strength, ramp.shape)
    return np.clip(3 * ramp + noise, 0, 255).astype(np.uint8)


def shown(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(content)).convert("RGB"))


@pytest.mark.parametrize("strength", [0, 60])
def test_a_png_holds_every_pixel_as_rgb(strength):
    content = png_bytes(noisy(strength))
    assert np.array_equal(shown(content), noisy(strength))
    assert Image.open(BytesIO(content)).mode == "RGB"


@pytest.mark.parametrize("strength", [0, 2, 10, 60])
def test_a_small_png_is_no_larger_and_close_to_the_picture(strength):
    image = noisy(strength)
    small = small_png_bytes(image)
    assert psnr(image, shown(small)) >= FAITHFUL
    assert len(small) <= len(png_bytes(image))


def test_a_picture_of_few_colours_loses_none_but_half_of_its_bytes():
    grey = noisy(60)[..., :1].repeat(3, -1)
    small = small_png_bytes(grey)
    assert np.array_equal(shown(small), grey)
    assert len(small) < len(png_bytes(grey)) / 2


def test_in_strong_noise_no_value_is_more_than_2_off_and_black_and_white_stay():
    image = noisy(60)
    rounded = shown(small_png_bytes(image))
    assert np.abs(rounded.astype(int) - image).max() == 2
    for extreme in (0, 255):
        assert np.array_equal(rounded == extreme, np.abs(image.astype(int) - extreme) <= 2)


@pytest.mark.parametrize("encode", [png_bytes, small_png_bytes])
def test_a_note_comes_back_from_a_whole_file_alone(encode, tmp_path):
    path = tmp_path / "a.png"
    for content, note in [
        (encode(noisy(5), "what it shows"), "what it shows"),
        (encode(noisy(5)), None),
        (encode(noisy(5), "what it shows")[:-20], None),
        (encode(noisy(5), "what it shows").replace(b"what", b"that"), None),
        (b"GIF89a", None),
        (b"", None),
    ]:
        path.write_bytes(content)
        assert png_note(path) == note
    path.unlink()
    assert png_note(path) is None
