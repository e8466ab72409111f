"""Pixels are read as stored: what a file says of its orientation turns none."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from pictures import ORIENTATION, chunk, pixels, save
from PIL import Image

from benchmark.datasets import Pairs
from benchmark.datasets.images import check_whole, read_image
from benchmark.datasets.kinds import orientation
from benchmark.datasets.tiff import read_tags


def late_exif(path: Path, tag: int) -> Path:
    """A PNG file whose EXIF stands behind its pixels."""
    exif = Image.Exif()
    exif[ORIENTATION] = tag
    end = chunk(b"IEND", b"")
    content = save(path).read_bytes().removesuffix(end)
    path.write_bytes(content + chunk(b"eXIf", exif.tobytes()[6:]) + end)
    return path


@pytest.mark.parametrize("tag", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_pixels_are_those_stored_in_every_format_and_orientation(tmp_path, suffix, tag):
    plain, tagged = save(tmp_path / f"a{suffix}"), save(tmp_path / f"b{suffix}", tag=tag)
    assert orientation(tagged) == tag
    assert np.array_equal(read_image(tagged), read_image(plain))
    assert suffix == ".jpg" or np.array_equal(read_image(tagged), pixels())
    check_whole(tagged)


@pytest.mark.parametrize("tag", [2, 6])
@pytest.mark.parametrize(
    "how",
    [
        {"byteorder": ">"},
        {"bigtiff": True},
        {"bigtiff": True, "byteorder": ">"},
        {"compression": "deflate"},
        {"tile": (32, 32)},
        {"rowsperstrip": 3},
    ],
    ids=str,
)
def test_pixels_are_those_stored_in_every_layout_of_tiff(tmp_path, how, tag):
    image = pixels(64, 48)
    path = tmp_path / "a.tif"
    tags = [(ORIENTATION, 3, 1, tag, True)]
    tifffile.imwrite(path, image, photometric="rgb", extratags=tags, metadata=None, **how)
    assert orientation(path) == tag
    assert np.array_equal(read_image(path), image)


@pytest.mark.parametrize("tag", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_turns_nothing(tmp_path, tag, capfd):
    path = save(tmp_path / "a.tif", tag=tag)
    assert orientation(path) == 1
    assert np.array_equal(read_image(path), pixels())
    assert capfd.readouterr().err == ""


def test_an_orientation_behind_the_pixels_of_a_png_is_seen(tmp_path):
    path = late_exif(tmp_path / "a.png", 8)
    assert orientation(path) == 8
    assert np.array_equal(read_image(path), pixels())


@pytest.mark.parametrize(
    "content", [b"", b"II*\0", b"\x89PNG\r\n\x1a\n\0\0", b"text", b"\xff\xd8\xff"]
)
def test_a_damaged_file_has_no_orientation(tmp_path, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    assert orientation(path) == 1


@pytest.mark.parametrize("kept", range(0, 200, 7))
def test_the_tags_of_a_cut_tiff_are_those_which_are_left(tmp_path, kept):
    content = save(tmp_path / "a.tif", tag=6).read_bytes()
    whole, left = read_tags(content), read_tags(content[:kept])
    assert left.items() <= whole.items()


@pytest.mark.parametrize(
    ("clean", "noisy"), [((".png", 1), (".png", 6)), ((".jpg", 3), (".jpg", None))]
    + [((".tif", 8), (".tif", 1)), ((".webp", None), (".webp", 2)), ((".jpg", 6), (".png", 8))]
    + [((".bmp", None), (".tif", 4))],
)  # fmt: skip
def test_a_pair_with_two_orientations_is_refused_with_both(tmp_path, clean, noisy):
    paths = [
        save(tmp_path / side / f"a{suffix}", tag=tag)
        for side, (suffix, tag) in (("clean", clean), ("noisy", noisy))
    ]
    for use in (lambda d: d.check(), lambda d: d.read("a"), lambda d: d.read("a", 0.0)):
        with pytest.raises(ValueError, match="orientation tag") as error:
            use(Pairs(path=str(tmp_path)))
        assert all(str(path) in str(error.value) for path in paths)
        assert all(f" {tag or 1}" in str(error.value) for _, tag in (clean, noisy))


def test_a_pair_whose_png_is_tagged_behind_its_pixels_is_refused(tmp_path):
    save(tmp_path / "clean" / "a.png")
    (tmp_path / "noisy").mkdir()
    late_exif(tmp_path / "noisy" / "a.png", 3)
    with pytest.raises(ValueError, match="has the orientation tag 3"):
        Pairs(path=str(tmp_path)).check()


@pytest.mark.parametrize(("clean", "noisy"), [(6, 6), (1, None), (None, 1), (None, 9)])
def test_a_pair_with_one_orientation_is_compared_as_stored(tmp_path, clean, noisy):
    save(tmp_path / "clean" / "a.tif", pixels(seed=1), tag=clean)
    save(tmp_path / "noisy" / "a.png", pixels(seed=2), tag=noisy)
    dataset = Pairs(path=str(tmp_path))
    dataset.check()
    sample = dataset.read("a")
    assert np.array_equal(np.round(sample.clean * 255), pixels(seed=1))
    assert np.array_equal(np.round(sample.noisy * 255), pixels(seed=2))
