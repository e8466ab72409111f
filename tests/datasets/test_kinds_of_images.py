"""Grey images and images of 16 bits are read where a protocol takes them, and nowhere else."""

import hashlib

import cv2
import numpy as np
import pytest
import tifffile
from pictures import pixels, save

from benchmark.datasets import DATASETS, Folder, Pairs
from benchmark.pixels import as_grey
from benchmark.protocol import MASKED, protocol_of

GREY, DEEP, DEEP_GREY = map(
    protocol_of, ("masked(grey=true)", "masked(bits=16)", "masked(grey=true,bits=16)")
)


def deep_pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 65536, shape or (20, 30, 3), np.uint16)


def write(path, stored: np.ndarray):
    """A PNG or TIFF file as OpenCV writes it, of RGB or grey."""
    assert cv2.imwrite(str(path), stored[..., ::-1] if stored.ndim == 3 else stored)
    return Folder(path=str(path.parent))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("shape", [(20, 30, 3), (20, 30)])
def test_16_bits_come_back_as_they_are_stored(tmp_path, suffix, shape):
    stored = deep_pixels(*shape)
    folder = write(tmp_path / f"a{suffix}", stored)
    protocol = DEEP if len(shape) == 3 else DEEP_GREY
    folder.check(protocol=protocol)
    read = folder.read("a", protocol=protocol).clean
    assert read.dtype == np.float32
    again = np.rint(read.astype(np.float64) * 65535).astype(np.uint16)
    assert np.array_equal(again, stored.reshape(20, 30, -1))


@pytest.mark.parametrize(
    ("stored", "protocol", "cure"),
    [
        (pixels()[..., 0], MASKED, r"protocol='masked\(grey=true\)'"),
        (pixels()[..., 0], DEEP, r"protocol='masked\(grey=true,bits=16\)'"),
        (pixels()[..., 0], protocol_of("kair(colour=y)"), r"protocol='kair_grey'"),
        (deep_pixels(), MASKED, r"protocol='masked\(bits=16\)'"),
        (deep_pixels(), GREY, r"protocol='masked\(grey=true,bits=16\)'"),
        (deep_pixels(20, 30), MASKED, r"protocol='masked\(grey=true,bits=16\)'"),
    ],
)
def test_what_a_protocol_does_not_take_is_refused_with_the_one_that_does(
    tmp_path, stored, protocol, cure
):
    folder = write(tmp_path / "a.png", stored)
    for use in (folder.check, lambda protocol: folder.read("a", protocol=protocol)):
        with pytest.raises(ValueError, match=rf"a\.png is .*, uint(8|16), but .*{cure}"):
            use(protocol=protocol)


def test_colours_are_made_grey_as_matlab_does_it(tmp_path):
    colours = [[(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (4, 2, 81)]]
    folder = write(tmp_path / "a.png", np.array(colours, np.uint8))
    grey = folder.read("a", protocol=GREY).clean
    # round(0.2989 R + 0.5870 G + 0.1140 B) of each
    assert (grey[0, :, 0] * 255).round().tolist() == [76, 150, 29, 255, 12]
    assert grey.shape == (1, 5, 1)


def test_a_grey_picture_stays_as_it_is_and_so_does_one_of_equal_colours():
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    assert np.array_equal(as_grey(grey), grey)
    assert np.array_equal(as_grey(grey.repeat(3, axis=2)), grey)
    deep = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    assert np.array_equal(as_grey(deep.repeat(3, axis=2)), deep)


def test_8_bits_are_the_same_values_in_16(tmp_path):
    save(tmp_path / "a.png")
    folder = Folder(path=str(tmp_path))
    shallow, deep = (folder.read("a", protocol=p).clean for p in (MASKED, DEEP))
    assert np.abs(shallow - deep).max() < 1e-7


@pytest.mark.parametrize(
    ("stored", "how", "kind"),
    [
        (
            pixels()[..., :2],
            {"photometric": "minisblack", "extrasamples": ["unassalpha"]},
            "alpha",
        ),
        (pixels()[..., 0].astype(np.float16), {"photometric": "minisblack"}, "grey, float16"),
        (deep_pixels(3, 20, 30), {"photometric": "rgb", "planarconfig": "separate"}, "in planes"),
        (deep_pixels(20, 30), {"photometric": "miniswhite"}, "0 as white"),
    ],
)
def test_a_tiff_which_decoders_read_wrongly_is_refused(tmp_path, stored, how, kind):
    tifffile.imwrite(tmp_path / "a.tif", stored, **how)
    with pytest.raises(ValueError, match=kind):
        Folder(path=str(tmp_path)).check(protocol=DEEP_GREY)


def test_recorded_noise_is_read_as_its_protocol_takes_it(tmp_path):
    for side in ("noisy", "clean"):
        (tmp_path / side).mkdir()
    write(tmp_path / "noisy" / "a.png", deep_pixels())
    save(tmp_path / "clean" / "a.tif", pixels(20, 30))
    sample = Pairs(path=str(tmp_path)).read("a", protocol=DEEP_GREY)
    assert sample.noisy is not None
    assert sample.noisy.shape == sample.clean.shape == (20, 30, 1)


def test_cbsd68_in_grey_is_the_published_bsd68(data_root):
    if not (data_root / "cbsd68").is_dir():
        pytest.skip(f"needs {data_root / 'cbsd68'}")
    dataset, pixels = DATASETS["cbsd68"](), hashlib.sha256()
    for image in sorted(dataset.images()):  # the order of test001 to test068
        clean = dataset.read(image, protocol=GREY).clean
        pixels.update(np.rint(clean * 255).astype(np.uint8).tobytes())
    # of the decoded files of testsets/BSD68 in https://github.com/cszn/FFDNet
    published = "2e37a02ad4b84de9ca0f7870c4601b0293e6a4aa02bb3dd2fa3f108949c9e9fe"
    assert pixels.hexdigest() == published
