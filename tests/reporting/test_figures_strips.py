"""Strips: every crop is there pixel by pixel, under its text, and no text is cut off."""

import numpy as np
import pytest

from benchmark.reporting.figures import strips
from benchmark.reporting.figures.strips import strip


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def places(image: np.ndarray, crop: np.ndarray) -> list[tuple[int, int]]:
    """Where a crop stands in a picture, pixel by pixel: rows and columns."""
    windows = np.lib.stride_tricks.sliding_window_view(image, crop.shape)[:, :, 0]
    first = (windows[:, :, 0, 0] == crop[0, 0]).all(-1)
    return [(y, x) for y, x in np.argwhere(first) if np.array_equal(windows[y, x], crop)]


@pytest.fixture
def written(monkeypatch) -> list[str]:
    """The texts of a strip, in order."""
    from PIL.ImageDraw import ImageDraw

    texts, write = [], ImageDraw.text

    def noted(pen, place, text, *looks):
        texts.append(text)
        write(pen, place, text, *looks)

    monkeypatch.setattr(ImageDraw, "text", noted)
    return texts


def test_a_strip_shows_each_crop_pixel_by_pixel_from_left_to_right():
    crops = {name: noise(128, 128, 3, seed=seed) for seed, name in enumerate(["a", "b", "c"])}
    image = strip(crops)
    found = [places(image, crop) for crop in crops.values()]
    assert [len(at) for at in found] == [1, 1, 1]
    rows, columns = zip(*(at[0] for at in found), strict=True)
    assert len(set(rows)) == 1 and list(columns) == sorted(columns)


def test_a_small_crop_is_magnified_by_a_whole_number():
    crop = noise(20, 30, 3)
    assert len(places(strip({"clean": crop}), crop.repeat(4, 0).repeat(4, 1))) == 1


def test_each_crop_stands_under_its_name_and_its_psnr_against_the_clean_one(written):
    clean = np.full((8, 12, 3), 100, np.uint8)
    crops = {"clean": clean, "noisy input": clean + np.uint8(10), "masked": clean}
    strip(crops, "what this is")
    # 20 log10(255 / 10), and the cap of equal pictures
    assert written == ["clean", "noisy input", "28.13 dB", "masked", "100.00 dB", "what this is"]


def test_without_a_clean_crop_there_is_no_psnr(written):
    strip({"noisy": noise(8, 8, 3)})
    assert written == ["noisy", ""]


def test_a_long_strip_is_broken_into_rows():
    crops = {f"m{seed}": noise(128, 128, 3, seed=seed) for seed in range(9)}
    image = strip(crops)
    tops = [places(image, crop)[0][0] for crop in crops.values()]
    assert [tops.count(top) for top in sorted(set(tops))] == [5, 4]


@pytest.mark.parametrize("name", ["a_model_with_quite_a_long_name", "W" * 100])
def test_no_text_is_cut_off_or_reaches_into_the_next_one(name):
    crops = {name: np.full((9, 9, 3), 255, np.uint8), "": np.full((9, 9, 3), 255, np.uint8)}
    image = strip(crops)
    columns = np.flatnonzero((image < 255).any(axis=(0, 2)))
    assert len(columns) and columns[0] > 0 and columns[-1] < strips.SIDE
    with_title = strip({"": crops[""]}, name)
    assert (with_title[:, -1] == 255).all() and (with_title < 255).any()


def test_crops_of_different_shapes_are_no_strip():
    with pytest.raises(ValueError, match=r"one shape, got clean \(8, 8, 3\), noisy \(4, 8, 3\)"):
        strip({"clean": noise(8, 8, 3), "noisy": noise(4, 8, 3)})
    with pytest.raises(ValueError, match="got none"):
        strip({})
