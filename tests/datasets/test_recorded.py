"""Sets of real noise are found as downloaded, read exactly, or say what is missing and where."""

import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy
import torch
from torch import Tensor

from benchmark.datasets import DND, SIDD, Recorded
from benchmark.datasets.matlab import HDF5
from benchmark.datasets.recorded import CC, PolyU
from benchmark.denoiser import Denoiser
from benchmark.metrics import METRICS
from benchmark.noise import to_uint8
from benchmark.studies.submission import write_submission

GT, NOISY = "ValidationGtBlocksSrgb", "ValidationNoisyBlocksSrgb"
PLUS_GT, PLUS_NOISY = "siddplus_valid_gt_srgb", "siddplus_valid_noisy_srgb"
SHAPE = (2, 3, 16, 18, 3)
SCENES = ("0001_001_S6_00100_00060_3200_L", "0200_010_GP_01600_03200_5500_N")


@dataclass(frozen=True)
class SmallSIDD(SIDD):
    """SIDD with small parts."""

    shapes = {"validation": SHAPE, "plus": (4, 16, 18, 3)}
    pairs = {"medium": 4, "small": 2}


class SmallDND(DND):
    """DND with few and small boxes."""

    count = 2
    boxes = 3
    side = 8


class Boxes(SmallDND):
    """Boxes which need no files."""

    def crops(self) -> Iterator[tuple[str, list[np.ndarray]]]:
        for number in (0, 1):
            boxes = [cut(photograph(number), corner) for corner in corners(number)]
            yield f"000{number + 1}", boxes


class Keep(Denoiser):
    """Return the noisy image, a little darker."""

    def forward(self, noisy: Tensor) -> Tensor:
        return noisy * 0.9


class Dice(Denoiser):
    """A stochastic network, reduced to its randomness."""

    def forward(self, noisy: Tensor) -> Tensor:
        return torch.rand_like(noisy)


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    """An empty NOISEBENCH_DATA, with nothing in the cache either."""
    monkeypatch.setenv("NOISEBENCH_DATA", str(tmp_path))
    monkeypatch.setattr(
        "benchmark.datasets.dataset.user_cache_path", lambda app: tmp_path / "cache" / app
    )
    return tmp_path


def blocks(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def save_array(path: Path, array: np.ndarray, name: str | None = None) -> Path:
    """A MATLAB file, compressed as the published ones may be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, {name or path.stem: array}, do_compression=True)
    return path


def save_image(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return path


def save_validation(folder: Path) -> None:
    save_array(folder / f"{GT}.mat", blocks(*SHAPE, seed=1))
    save_array(folder / f"{NOISY}.mat", blocks(*SHAPE, seed=2))


def save_scenes(folder: Path, numbers: tuple[str, ...], prefix: str = "") -> None:
    for scene in SCENES:
        for seed, number in enumerate(numbers):
            for shift, side in enumerate(("GT", "NOISY")):
                name = f"{prefix and scene[:5]}{side}_SRGB_{number}.PNG"
                save_image(folder / "Data" / scene / name, blocks(20, 24, 3, seed=2 * seed + shift))


def save_real_and_mean(folder: Path, count: int, suffix: str) -> None:
    for number in range(count):
        for side in ("real", "mean"):
            save_image(folder / f"scene_{number}_{side}{suffix}", blocks(16, 16, 3, seed=number))


def photograph(number: int) -> np.ndarray:
    return np.random.default_rng(number).random((20, 30, 3), dtype=np.float32)


def corners(number: int) -> np.ndarray:
    """First row, first column, last row, last column; from 1."""
    top, left = np.array([1, 4, 13]), np.array([1, 23 - number, 2])
    return np.stack([top, left, top + 7, left + 7], axis=1)


def cut(image: np.ndarray, corner: np.ndarray) -> np.ndarray:
    top, left, bottom, right = corner
    return image[top - 1 : bottom, left - 1 : right]


def mean_noisy_psnr(dataset: Recorded, border: int) -> tuple[float, float, float]:
    """Of the noisy images: mean, least and greatest."""
    metric = METRICS["psnr"](border=border)
    scores = [
        metric(*(torch.from_numpy(i).permute(2, 0, 1)[None] for i in (each.noisy, each.clean)))
        for each in dataset
    ]
    return float(np.mean(scores)), min(scores), max(scores)


# SIDD, validation blocks


@pytest.mark.parametrize("place", ["", "SIDD_Validation_sRGB"])
def test_each_validation_block_is_an_image_with_the_published_pixels(root, monkeypatch, place):
    monkeypatch.setattr("benchmark.datasets.sidd.STRETCH", 100)
    save_validation(root / "sidd" / place)
    dataset = SmallSIDD()
    dataset.check()
    assert dataset.chosen == "validation"
    assert dataset.images() == [f"validation-{i}-{j}" for i in range(2) for j in range(3)]
    sample = dataset.read("validation-1-2")
    assert np.array_equal(to_uint8(sample.clean), blocks(*SHAPE, seed=1)[1, 2])
    assert np.array_equal(to_uint8(sample.noisy), blocks(*SHAPE, seed=2)[1, 2])
    assert dataset.status().found == dataset.status().count == len(dataset) == 6


def test_the_official_validation_part_has_1280_blocks_named_in_order(root):
    (root / "sidd").mkdir()
    for name in (GT, NOISY):
        (root / "sidd" / f"{name}.mat").touch()
    images = SIDD().images()  # names are known without reading the arrays
    assert (len(images), images[0], images[-1]) == (1280, "validation-00-00", "validation-39-31")
    assert SIDD().border == 0


def test_limit_and_crop_work_on_blocks(root):
    save_validation(root / "sidd")
    dataset = SmallSIDD(limit=2, crop=16)
    dataset.check()
    assert dataset.images() == ["validation-0-0", "validation-0-1"]
    expected = blocks(*SHAPE, seed=1)[0, 1][:, 1:17]
    assert np.array_equal(dataset.read_uint8("validation-0-1"), expected)


def test_the_arrays_are_read_once_for_each_object(root, monkeypatch):
    save_validation(root / "sidd")
    reads = []
    load = SIDD._load

    def load_slowly(self, path):
        reads.append(path)
        time.sleep(0.1)  # longer than the other threads need to ask for the same file
        return load(self, path)

    monkeypatch.setattr(SIDD, "_load", load_slowly)
    dataset = SmallSIDD()
    dataset.check()
    dataset.digest()
    assert len(list(dataset)) == 6
    assert sorted(path.stem for path in reads) == [GT, NOISY]


def test_the_digest_of_blocks_changes_with_pixels_limit_and_crop_and_not_with_the_place(root):
    save_validation(root / "sidd")
    digests = [SmallSIDD(**kind).digest() for kind in ({}, {"limit": 2}, {"crop": 16})]
    changed = blocks(*SHAPE, seed=2)
    changed[1, 2, 3, 4, 0] ^= 1
    save_array(root / "sidd" / f"{NOISY}.mat", changed)
    digests.append(SmallSIDD().digest())
    assert len(set(digests)) == 4
    assert SmallSIDD(limit=2).digest() == digests[1]  # the change is in none of these
    (root / "sidd" / "inside").mkdir()
    for name in (GT, NOISY):
        (root / "sidd" / f"{name}.mat").rename(root / "sidd" / "inside" / f"{name}.mat")
    assert SmallSIDD().digest() == digests[3]


@pytest.mark.parametrize(("kept", "lost"), [(GT, NOISY), (NOISY, GT)])
@pytest.mark.parametrize("part", ["auto", "validation"])
def test_one_of_the_two_arrays_alone_names_both_and_the_one_that_is_there(root, kept, lost, part):
    save_validation(root / "sidd")
    (root / "sidd" / f"{lost}.mat").unlink()
    with pytest.raises(ValueError, match=f"is {GT} and {NOISY}, .* only .*{kept}.mat; get"):
        SmallSIDD(part=part).images()


def test_arrays_of_another_shape_or_type_are_named_with_theirs(root):
    save_validation(root / "sidd")
    save_array(root / "sidd" / f"{NOISY}.mat", blocks(2, 3, 16, 16, 3))
    with pytest.raises(ValueError, match=rf"{NOISY}\.mat holds uint8 \(2, 3, 16, 16, 3\).*get one"):
        SmallSIDD().check()
    save_array(root / "sidd" / f"{NOISY}.mat", blocks(*SHAPE) / 255)
    with pytest.raises(ValueError, match="holds float64 .* is uint8"):
        SmallSIDD().check()


def test_another_variable_is_named_with_those_that_are_there(root):
    save_validation(root / "sidd")
    save_array(root / "sidd" / f"{NOISY}.mat", blocks(*SHAPE), name="results")
    with pytest.raises(ValueError, match=rf"has no variable {NOISY}, only results; get one"):
        SmallSIDD().check()


@pytest.mark.parametrize("kept", [0, 100, 200, 2000, -1])
@pytest.mark.parametrize("compressed", [True, False])
def test_a_cut_array_is_named(root, kept, compressed):
    save_validation(root / "sidd")
    path = root / "sidd" / f"{NOISY}.mat"
    scipy.io.savemat(path, {NOISY: blocks(*SHAPE)}, do_compression=compressed)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match=rf"{NOISY}\.mat (cannot be read|has no variable).*get"):
        SmallSIDD().check()


@pytest.mark.parametrize("start", [HDF5, b"MATLAB 7.3 MAT-file".ljust(512) + HDF5])
def test_a_matlab_7_3_file_without_h5py_says_what_to_install(root, monkeypatch, start):
    save_validation(root / "sidd")
    (root / "sidd" / f"{NOISY}.mat").write_bytes(start)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ValueError, match=rf"{NOISY}\.mat is a MATLAB 7\.3 .*: pip install h5py"):
        SmallSIDD().check()


def test_a_matlab_7_3_file_holds_the_same_pixels_and_a_cut_one_is_named(root):
    h5py = pytest.importorskip("h5py")
    save_validation(root / "sidd")
    expected = SmallSIDD().digest()
    path = root / "sidd" / f"{NOISY}.mat"
    with matlab_hdf5(h5py, path) as file:
        file[NOISY] = blocks(*SHAPE, seed=2).T
    assert SmallSIDD().digest() == expected
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ValueError, match=rf"{NOISY}\.mat cannot be read .*get one"):
        SmallSIDD().digest()


# SIDD, the other parts


@pytest.mark.parametrize(
    ("part", "folder", "numbers", "prefix"),
    [
        ("medium", "SIDD_Medium_Srgb", ("010", "011"), "0001_"),
        ("small", "SIDD_Small_sRGB_Only", ("010",), ""),
        ("small", "SIDD_Small_sRGB_Only", ("010",), "0001_"),
    ],
)
def test_the_photographs_are_pairs_in_the_folders_as_downloaded(
    root, part, folder, numbers, prefix
):
    save_scenes(root / "sidd" / folder, numbers, prefix)
    (root / "sidd" / folder / "Scene_Instances.txt").write_text("\n".join(SCENES))
    dataset = SmallSIDD(part=part)
    dataset.check()
    names = [f"{part}-{scene}_{number}" for scene in SCENES for number in numbers]
    assert dataset.images() == names
    sample = dataset.read(names[-1])
    assert np.array_equal(to_uint8(sample.clean), blocks(20, 24, 3, seed=2 * len(numbers) - 2))
    assert np.array_equal(to_uint8(sample.noisy), blocks(20, 24, 3, seed=2 * len(numbers) - 1))
    assert SmallSIDD().images() == names
    assert SmallSIDD(crop=16, limit=1).read(names[0]).noisy.shape == (16, 16, 3)


def test_a_photograph_without_its_clean_one_is_named(root):
    save_scenes(root / "sidd" / "SIDD_Small_sRGB_Only", ("010",))
    (root / "sidd" / "SIDD_Small_sRGB_Only" / "Data" / SCENES[1] / "GT_SRGB_010.PNG").unlink()
    with pytest.raises(ValueError, match=rf"{SCENES[1]}/NOISY_SRGB_010\.PNG has no clean partner"):
        SmallSIDD().check()


def test_part_of_the_photographs_says_found_n_of_m(root):
    save_scenes(root / "sidd" / "SIDD_Medium_Srgb", ("010",), "0001_")
    with pytest.raises(ValueError, match="found 2 of 4 images in .*get one"):
        SmallSIDD().images()


@pytest.mark.parametrize("place", ["", "valid"])
@pytest.mark.parametrize("unpacked", [True, False])
def test_sidd_plus_is_read_from_arrays_and_from_folders(root, unpacked, place):
    folder = root / "sidd" / place
    for seed, name in enumerate((PLUS_GT, PLUS_NOISY)):
        array = blocks(4, 16, 18, 3, seed=seed)
        if unpacked:
            for number, pixels in enumerate(array):
                save_image(folder / name / f"{number:04}.PNG", pixels)
        else:
            save_array(folder / f"{name}.mat", array)
    dataset = SmallSIDD()
    dataset.check()
    assert dataset.chosen == "plus"
    assert len(dataset) == 4
    sample = dataset.read(dataset.images()[3])
    assert np.array_equal(to_uint8(sample.clean), blocks(4, 16, 18, 3, seed=0)[3])
    assert np.array_equal(to_uint8(sample.noisy), blocks(4, 16, 18, 3, seed=1)[3])


def test_auto_takes_the_first_part_that_is_there_in_the_order_told(root):
    folder = root / "sidd"
    save_array(folder / f"{PLUS_GT}.mat", blocks(4, 16, 18, 3))
    save_array(folder / f"{PLUS_NOISY}.mat", blocks(4, 16, 18, 3))
    order = [SmallSIDD().chosen]
    save_scenes(folder / "SIDD_Small_sRGB_Only", ("010",))
    order.append(SmallSIDD().chosen)
    save_scenes(folder / "SIDD_Medium_Srgb", ("010", "011"), "0001_")
    order.append(SmallSIDD().chosen)
    save_validation(folder)
    order.append(SmallSIDD().chosen)
    assert order == list(SIDD.parts)[::-1] == ["plus", "small", "medium", "validation"]
    assert all(SmallSIDD(part=part).chosen == part for part in order)
    assert len({SmallSIDD(part=part).digest() for part in order}) == 4


@pytest.mark.parametrize("part", ["auto", "plus"])
def test_a_folder_without_the_part_says_what_was_looked_for(root, part):
    (root / "sidd").mkdir()
    with pytest.raises(ValueError, match=rf"part={part}: .*{PLUS_NOISY}\.mat.*get one") as error:
        SmallSIDD(part=part).images()
    assert str(root / "sidd") in str(error.value)
    assert (f"{GT}.mat" in str(error.value)) == (part == "auto")


def test_an_unknown_part_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"auto, validation, medium, small or plus, got 'raw'"):
        SIDD(part="raw")


# PolyU and CC


@pytest.mark.parametrize(
    ("kind", "folder", "suffix"),
    [
        (PolyU, "CroppedImages", ".JPG"),
        (PolyU, "", ".JPG"),
        (CC, "Real_ccnoise_denoised_part", ".png"),
        (CC, "", ".png"),
    ],
)
def test_pairs_are_found_in_the_download_or_in_the_folder_itself(root, kind, folder, suffix):
    save_real_and_mean(root / kind.name / folder, kind.count, suffix)
    save_image(root / kind.name / folder / f"scene_0_ours{suffix}", blocks(16, 16, 3))
    dataset = kind()
    assert len(dataset) == kind.count
    assert dataset.images()[:3] == ["scene_0", "scene_1", "scene_2"]
    assert [path.stem for path in dataset._files["scene_2"]] == ["scene_2_mean", "scene_2_real"]
    kind(limit=3).check()
    assert dataset.border is None


@pytest.mark.parametrize(("lost", "missing"), [("mean", "clean"), ("real", "noisy")])
def test_a_pair_without_one_side_is_named(root, lost, missing):
    save_real_and_mean(root / "cc", 15, ".png")
    (root / "cc" / f"scene_7_{lost}.png").unlink()
    with pytest.raises(ValueError, match=rf"scene_7_\w+\.png has no {missing} partner"):
        CC().check()


def test_the_noisy_images_of_polyu_score_what_they_are_known_for(data_root):
    if not (data_root / "polyu").is_dir():
        pytest.skip(f"needs {data_root / 'polyu'}")
    dataset = PolyU()
    assert len(dataset) == 100
    assert mean_noisy_psnr(dataset, border=0) == pytest.approx((35.97, 31.09, 41.00), abs=0.02)


def test_the_noisy_images_of_cc_score_what_they_are_known_for(data_root):
    if not (data_root / "cc").is_dir():
        pytest.skip(f"needs {data_root / 'cc'}")
    assert mean_noisy_psnr(CC(), border=0) == pytest.approx((33.41, 29.63, 37.00), abs=0.02)


# DND


@pytest.fixture
def placed(root) -> Path:
    """The files of two photographs, empty, in the layout of the download."""
    folder = root / "dnd"
    (folder / "images_srgb").mkdir(parents=True)
    for name in ("info.mat", "images_srgb/0001.mat", "images_srgb/0002.mat"):
        (folder / name).touch()
    return folder


@pytest.fixture
def dnd(placed) -> Path:
    """Two photographs of 20x30 pixels with three boxes each."""
    h5py = pytest.importorskip("h5py")
    folder = placed
    with matlab_hdf5(h5py, folder / "info.mat") as file:
        cell = file.create_dataset("info/boundingboxes", (1, 2), dtype=h5py.ref_dtype)
        for number in (0, 1):
            file[f"#refs#/{number}"] = corners(number).T.astype(np.float64)
            cell[0, number] = file[f"#refs#/{number}"].ref
    for number in (0, 1):
        with matlab_hdf5(h5py, folder / "images_srgb" / f"{number + 1:04}.mat") as file:
            file["InoisySRGB"] = photograph(number).T
    return folder


def matlab_hdf5(h5py, path: Path):
    """An HDF5 file behind the header that MATLAB 7.3 writes."""
    h5py.File(path, "w", userblock_size=512).close()
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    return h5py.File(path, "r+")


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


def test_boxes_outside_the_photograph_are_an_error(dnd):
    class Wide(SmallDND):
        side = 9

    with pytest.raises(ValueError, match=r"info\.mat gives .*0001\.mat .* other boxes than 3"):
        list(Wide().crops())


def test_a_crop_larger_than_a_box_is_refused():
    with pytest.raises(ValueError, match=r"crop=600 does not fit into the boxes of .* 512x512"):
        DND(crop=600)


def test_a_submission_is_one_file_a_photograph_in_the_official_layout(tmp_path):
    paths = list(write_submission(Boxes(), Keep(), tmp_path / "sent"))
    assert paths == [tmp_path / "sent" / f"000{number}.mat" for number in (1, 2)]
    assert sorted((tmp_path / "sent").iterdir()) == paths
    stored = scipy.io.loadmat(paths[1])
    assert {key for key in stored if not key.startswith("__")} == {
        "Idenoised",
        "israw",
        "eval_version",
    }
    assert stored["eval_version"].item() == "1.0"
    assert stored["israw"].item() == 0
    assert stored["Idenoised"].shape == (1, 3)
    for cell, noisy in zip(stored["Idenoised"][0], dict(Boxes().crops())["0002"], strict=True):
        assert cell.dtype == np.float32
        assert np.array_equal(cell, noisy * np.float32(0.9))


def test_a_submission_of_a_stochastic_network_is_the_same_twice(tmp_path):
    first, second = (
        [path.read_bytes()[128:] for path in write_submission(Boxes(), Dice(), tmp_path / name)]
        for name in ("first", "second")
    )
    assert first == second  # behind a header with the time


@pytest.mark.parametrize("part", [{"limit": 1}, {"crop": 4}])
def test_a_submission_of_a_part_is_refused(tmp_path, part):
    with pytest.raises(ValueError, match="every box of every image whole"):
        list(write_submission(Boxes(**part), Keep(), tmp_path))
