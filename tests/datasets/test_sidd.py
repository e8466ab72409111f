"""SIDD's parts are found as downloaded and read exactly, or say what is missing and where."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import scipy
from pictures import save

from benchmark.datasets import SIDD
from benchmark.datasets.matlab import HDF5, read_variable
from benchmark.noise import to_uint8

GT, NOISY = "ValidationGtBlocksSrgb", "ValidationNoisyBlocksSrgb"
PLUS_GT, PLUS_NOISY = "siddplus_valid_gt_srgb", "siddplus_valid_noisy_srgb"
SHAPE = (2, 3, 16, 18, 3)
SCENES = ("0001_001_S6_00100_00060_3200_L", "0200_010_GP_01600_03200_5500_N")


@dataclass(frozen=True)
class SmallSIDD(SIDD):
    """SIDD with small parts."""

    shapes = {"validation": SHAPE, "plus": (4, 16, 18, 3)}
    pairs = {"medium": 4, "small": 2}


def blocks(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def save_array(path: Path, array: np.ndarray, name: str | None = None) -> Path:
    """A MATLAB file, compressed as the published ones may be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, {name or path.stem: array}, do_compression=True)
    return path


def save_validation(folder: Path) -> None:
    save_array(folder / f"{GT}.mat", blocks(*SHAPE, seed=1))
    save_array(folder / f"{NOISY}.mat", blocks(*SHAPE, seed=2))


def save_scenes(folder: Path, numbers: tuple[str, ...], prefix: str = "") -> None:
    for scene in SCENES:
        for seed, number in enumerate(numbers):
            for shift, side in enumerate(("GT", "NOISY")):
                name = f"{prefix and scene[:5]}{side}_SRGB_{number}.PNG"
                save(folder / "Data" / scene / name, blocks(20, 24, 3, seed=2 * seed + shift))


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

    def read_slowly(path, *arguments):
        reads.append(path)
        time.sleep(0.1)  # longer than the other threads need to ask for the same file
        return read_variable(path, *arguments)

    monkeypatch.setattr("benchmark.datasets.sidd.read_variable", read_slowly)
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


def test_a_matlab_7_3_file_holds_the_same_pixels_and_a_cut_one_is_named(root, matlab_hdf5):
    save_validation(root / "sidd")
    expected = SmallSIDD().digest()
    path = root / "sidd" / f"{NOISY}.mat"
    with matlab_hdf5(path) as file:
        file[NOISY] = blocks(*SHAPE, seed=2).T
    assert SmallSIDD().digest() == expected
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ValueError, match=rf"{NOISY}\.mat cannot be read .*get one"):
        SmallSIDD().digest()


def test_where_the_images_lie_is_known_of_arrays_and_of_photographs(root):
    save_validation(root / "sidd")
    assert SmallSIDD().folders() == {root / "sidd"}
    data = root / "sidd" / "SIDD_Small_sRGB_Only" / "Data"
    save_scenes(data.parent, ("010",))
    assert SmallSIDD(part="small").folders() == {data / scene for scene in SCENES}


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
                save(folder / name / f"{number:04}.PNG", pixels)
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
