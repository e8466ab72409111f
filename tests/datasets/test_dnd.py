"""DND is found as downloaded, its boxes cut exactly, and it says that it cannot be scored here."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmark.datasets import DND


class SmallDND(DND):
    """DND with few and small boxes."""

    count = 2
    boxes = 3
    side = 8


def photograph(number: int) -> np.ndarray:
    return np.random.default_rng(number).random((20, 30, 3), dtype=np.float32)


def corners(number: int) -> np.ndarray:
    """First row, first column, last row, last column; from 1."""
    top, left = np.array([1, 4, 13]), np.array([1, 23 - number, 2])
    return np.stack([top, left, top + 7, left + 7], axis=1)


def cut(image: np.ndarray, corner: np.ndarray) -> np.ndarray:
    top, left, bottom, right = corner
    return image[top - 1 : bottom, left - 1 : right]


@pytest.fixture
def placed(root) -> Path:
    """The files of two photographs, empty, in the layout of the download."""
    folder = root / "dnd"
    (folder / "images_srgb").mkdir(parents=True)
    for name in ("info.mat", "images_srgb/0001.mat", "images_srgb/0002.mat"):
        (folder / name).touch()
    return folder


@pytest.fixture
def dnd(placed, matlab_hdf5) -> Path:
    """Two photographs of 20x30 pixels with three boxes each."""
    h5py = pytest.importorskip("h5py")
    folder = placed
    with matlab_hdf5(folder / "info.mat") as file:
        cell = file.create_dataset("info/boundingboxes", (1, 2), dtype=h5py.ref_dtype)
        for number in (0, 1):
            file[f"#refs#/{number}"] = corners(number).T.astype(np.float64)
            cell[0, number] = file[f"#refs#/{number}"].ref
    for number in (0, 1):
        with matlab_hdf5(folder / "images_srgb" / f"{number + 1:04}.mat") as file:
            file["InoisySRGB"] = photograph(number).T
    return folder


def test_boxes_are_cut_as_matlab_counts(dnd):
    for index, (name, boxes) in enumerate(SmallDND().crops()):
        assert name == f"000{index + 1}"
        for corner, box in zip(corners(index), boxes, strict=True):
            assert box.dtype == np.float32
            assert np.array_equal(box, cut(photograph(index), corner))
    assert [box.shape for box in boxes] == [(8, 8, 3)] * 3


def test_boxes_are_found_in_the_download_inside_and_can_be_limited_and_cropped(dnd):
    whole = dict(SmallDND().crops())
    shutil.move(dnd, dnd.parent / "dnd_2017")
    dnd.mkdir()
    shutil.move(dnd.parent / "dnd_2017", dnd)
    smaller = dict(SmallDND(limit=1, crop=4).crops())
    assert list(smaller) == ["0001"]
    assert np.array_equal(smaller["0001"][1], whole["0001"][1][2:6, 2:6])


@pytest.mark.parametrize(
    "use",
    [
        lambda dnd: dnd.check(),
        lambda dnd: dnd.digest(),
        lambda dnd: dnd.read("0001"),
        lambda dnd: dnd.read_uint8("0001"),
        lambda dnd: next(iter(dnd)),
        len,
    ],
)
def test_dnd_says_that_it_cannot_be_scored(placed, use):
    with pytest.raises(ValueError, match="'dnd' cannot be scored here, .* bench submit"):
        use(SmallDND())
    status = SmallDND().status()
    assert (status.found, status.count) == (2, 2)
    assert "cannot be scored" in status.problem


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("info.mat", "has info.mat and images_srgb; get the benchmark data"),
        ("images_srgb/0002.mat", "found 1 of 2 images"),
    ],
)
def test_an_incomplete_dnd_says_so(placed, lost, message):
    (placed / lost).unlink()
    with pytest.raises(ValueError, match=message):
        list(SmallDND().crops())


@pytest.mark.parametrize(
    ("noisy", "message"),
    [
        ((255 * photograph(0)).astype(np.uint8), r"0001\.mat holds uint8 \(20, 30, 3\) as Inoisy"),
        (255 * photograph(0), r"0001\.mat holds float32 .* not \(H, W, 3\) floating-point"),
        (np.full((20, 30, 3), np.nan), r"0001\.mat holds float64 .*; get the benchmark data"),
        (photograph(0)[..., 0], r"0001\.mat holds float32 \(20, 30\) as InoisySRGB"),
        (None, r"0001\.mat cannot be read \(.*\); get the benchmark data"),
    ],
)
def test_other_things_than_a_noisy_photograph_are_an_error(dnd, noisy, message):
    h5py = pytest.importorskip("h5py")
    with h5py.File(dnd / "images_srgb" / "0001.mat", "r+") as file:
        del file["InoisySRGB"]
        if noisy is None:
            file.create_group("InoisySRGB")
        else:
            file["InoisySRGB"] = noisy.T
    with pytest.raises(ValueError, match=message):
        list(SmallDND().crops())


def test_numbers_in_place_of_references_to_boxes_are_an_error(dnd):
    h5py = pytest.importorskip("h5py")
    with h5py.File(dnd / "info.mat", "r+") as file:
        del file["info/boundingboxes"]
        file["info/boundingboxes"] = np.ones((1, 2))
    with pytest.raises(ValueError, match=r"info\.mat has no info\.boundingboxes of image 1"):
        list(SmallDND().crops())


def test_boxes_outside_the_photograph_are_an_error(dnd):
    class Wide(SmallDND):
        side = 9

    with pytest.raises(ValueError, match=r"info\.mat gives .*0001\.mat .* other boxes than 3"):
        list(Wide().crops())


def test_a_crop_larger_than_a_box_is_refused():
    with pytest.raises(ValueError, match=r"crop=600 does not fit into the boxes of .* 512x512"):
        DND(crop=600)
