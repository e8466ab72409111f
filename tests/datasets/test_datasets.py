"""A dataset is whole, readable and in one order, or says which file is wrong and what to do."""

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from pictures import pixels, save
from PIL import Image

from benchmark.datasets import DATASETS, Dataset, Folder
from benchmark.datasets.images import check_whole, read_image
from benchmark.noise import to_uint8
from benchmark.pixels import crop_around

GOLDEN = Path(__file__).parents[1] / "golden" / "photos.json"
COUNTS = {
    "kodak24": 24,
    "cbsd68": 68,
    "mcmaster": 18,
    "urban100": 100,
    "bsds400": 400,
    "extra_train": 129,
}

Photos = DATASETS["photos"]


@pytest.fixture
def folder(tmp_path) -> Path:
    """Three images, whose names sort differently as text and as numbers."""
    for seed, name in enumerate(("img10", "img2", "img1")):
        save(tmp_path / f"{name}.png", pixels(seed=seed))
    return tmp_path


@pytest.fixture
def trio(root) -> type[Dataset]:
    """A published set of three images, looked for in an empty NOISEBENCH_DATA."""

    class Trio(Dataset):
        name = "trio"
        count = 3
        source = "get it from https://example.org/trio"

    return Trio


# What a sample is


def test_a_sample_is_the_stored_rgb_as_float32_in_0_to_1(folder):
    sample = Folder(path=str(folder)).read("img1")
    assert sample.image == "img1"
    assert sample.noisy is None
    assert sample.clean.dtype == np.float32
    assert np.array_equal(to_uint8(sample.clean), pixels(seed=2))
    assert np.array_equal(sample.clean, pixels(seed=2).astype(np.float32) / 255)


def test_names_are_stems_in_natural_order(folder):
    dataset = Folder(path=str(folder))
    assert dataset.images() == ["img1", "img2", "img10"]
    assert [sample.image for sample in dataset] == dataset.images()
    assert len(dataset) == 3


@pytest.mark.parametrize("suffix", [".JPG", ".jpeg", ".webp", ".bmp", ".tif", ".TIFF", ".PNG"])
def test_every_suffix_is_found_in_either_case(tmp_path, suffix):
    save(tmp_path / f"a{suffix}", pixels())
    dataset = Folder(path=str(tmp_path))
    dataset.check()
    assert dataset.read_uint8("a").shape == (20, 30, 3)


def test_other_files_and_hidden_ones_are_no_images(folder):
    (folder / "README.md").write_text("about")
    (folder / "._img1.png").write_bytes(b"resource fork")
    assert len(Folder(path=str(folder))) == 3


def test_limit_takes_the_first_images(folder):
    assert Folder(path=str(folder), limit=2).images() == ["img1", "img2"]
    assert len(Folder(path=str(folder), limit=9)) == 3


def test_crop_is_cut_from_the_middle(folder):
    cut = Folder(path=str(folder), crop=16).read_uint8("img1")
    assert np.array_equal(cut, pixels(seed=2)[2:18, 7:23])


@pytest.mark.parametrize(
    ("centre", "rows", "columns"),
    [((0, 0), (0, 8), (0, 8)), ((19, 29), (12, 20), (22, 30)), ((10, 11), (6, 14), (7, 15))],
)
def test_a_crop_around_a_centre_stays_inside(centre, rows, columns):
    image = pixels()
    assert np.array_equal(crop_around(image, centre, 8), image[slice(*rows), slice(*columns)])


def test_the_orientation_in_exif_is_ignored(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn by a quarter to display"
    Image.fromarray(pixels(20, 30)).save(tmp_path / "a.jpg", exif=exif)
    assert read_image(tmp_path / "a.jpg").shape == (20, 30, 3)


# Files that cannot be used


@pytest.mark.parametrize(
    ("kind", "image"),
    [
        ("grey, uint8", pixels()[..., 0]),
        ("four channels", np.concatenate([pixels(), pixels()[..., :1]], axis=2)),
        ("3 channels, uint16", pixels().astype(np.uint16) * 257),
        ("grey, uint16", pixels()[..., 0].astype(np.uint16) * 257),
    ],
)
def test_another_kind_than_8_bit_rgb_is_named_with_its_file(folder, kind, image):
    path = folder / "bad.png"
    cv2.imwrite(str(path), image)
    with pytest.raises(ValueError, match=kind) as error:
        Folder(path=str(folder)).check()
    assert str(path) in str(error.value)
    assert "convert" in str(error.value)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # Pillow's, of a cut TIFF
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tif"])
@pytest.mark.parametrize("kept", [0.0, 0.02, 0.5, 0.9])
def test_a_cut_file_is_named_before_anything_runs(folder, suffix, kept):
    path = save(folder / f"cut{suffix}", pixels(64, 64))
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ValueError, match=f"cut{suffix} cannot be read"):
        Folder(path=str(folder)).check()


def test_a_cut_file_is_found_out_without_help_from_opencv(tmp_path):
    path = save(tmp_path / "a.jpg", pixels(64, 64))
    check_whole(path)
    path.write_bytes(path.read_bytes()[:-200])  # OpenCV 4 returns such a file's upper part
    with pytest.raises(ValueError, match=r"a\.jpg cannot be read as a whole image"):
        check_whole(path)


@pytest.mark.parametrize("reader", [check_whole, read_image])
def test_a_file_that_is_no_image_is_named(tmp_path, reader):
    path = tmp_path / "a.png"
    path.write_text("not a picture")
    with pytest.raises(ValueError, match=r"a\.png cannot be read"):
        reader(path)


def test_a_tiny_image_is_named_with_its_size(folder):
    save(folder / "tiny.png", pixels(15, 40))
    dataset = Folder(path=str(folder))
    with pytest.raises(ValueError, match=r"tiny\.png .* 40x15 pixels, .* 16x16"):
        dataset.check()
    dataset.check(minimum=15)


def test_a_crop_below_the_minimum_is_named(folder):
    with pytest.raises(ValueError, match=r"crop=8 .* 8x8 pixels, .* 16x16"):
        Folder(path=str(folder), crop=8).check()


def test_a_crop_larger_than_an_image_names_the_image(folder):
    with pytest.raises(ValueError, match=r"crop=24 does not fit into .*img1\.png of 30x20"):
        Folder(path=str(folder), crop=24).check()


def test_two_files_of_one_stem_are_both_named(folder):
    save(folder / "img2.jpg", pixels())
    with pytest.raises(ValueError, match="both named 'img2'") as error:
        Folder(path=str(folder)).images()
    assert "img2.jpg" in str(error.value)
    assert "img2.png" in str(error.value)


@pytest.mark.parametrize("setting", ["limit", "crop"])
def test_limit_and_crop_are_above_zero(setting):
    with pytest.raises(ValueError, match=f"{setting} of dataset 'folder' must be above 0, got 0"):
        Folder(**{setting: 0})


def test_an_unknown_image_is_a_clear_error(folder):
    with pytest.raises(ValueError, match="'folder' has no image 'img3'"):
        Folder(path=str(folder)).read("img3")


# Where a set is, and how much of it


def test_a_missing_set_says_where_it_was_looked_for_and_where_to_get_it(trio, tmp_path):
    places = [tmp_path / "trio", tmp_path / "cache" / "noisebench" / "data" / "trio"]
    assert trio().searched() == places
    with pytest.raises(
        ValueError, match="'trio': there is no folder .*https://example.org"
    ) as error:
        trio().check()
    assert all(str(place) in str(error.value) for place in places)


@pytest.mark.parametrize("where", ["trio", "cache/noisebench/data/trio"])
def test_a_set_is_found_in_either_place(trio, tmp_path, where):
    for name in "abc":
        save(tmp_path / where / f"{name}.png", pixels())
    assert trio().folder() == tmp_path / where
    assert trio().images() == ["a", "b", "c"]


def test_without_the_variable_only_the_cache_is_searched(trio, tmp_path, monkeypatch):
    monkeypatch.delenv("NOISEBENCH_DATA")
    assert trio().searched() == [tmp_path / "cache" / "noisebench" / "data" / "trio"]


@pytest.mark.parametrize("number", [0, 2, 4])
def test_a_set_of_another_size_says_found_n_of_m(trio, tmp_path, number):
    (tmp_path / "trio").mkdir()
    for name in "abcd"[:number]:
        save(tmp_path / "trio" / f"{name}.png", pixels())
    cure = "https://example.org" if number < 3 else "remove what is no part of the set"
    with pytest.raises(ValueError, match=f"found {number} of 3 images in .*{cure}"):
        trio().check()


def test_part_of_a_set_serves_a_limit_it_can_meet(trio, tmp_path):
    for name in "ab":
        save(tmp_path / "trio" / f"{name}.png", pixels())
    assert trio(limit=2).images() == ["a", "b"]
    with pytest.raises(ValueError, match="found 2 of 3"):
        trio(limit=3).images()


def test_status_reports_without_raising(trio, tmp_path):
    missing = trio().status()
    assert (missing.found, missing.count, missing.source) == (0, 3, trio.source)
    assert missing.searched == trio().searched()
    assert "there is no folder" in missing.problem
    for name in "ab":
        save(tmp_path / "trio" / f"{name}.png", pixels())
    assert trio().status().found == 2
    assert "found 2 of 3" in trio().status().problem
    save(tmp_path / "trio" / "c.png", pixels())
    assert trio().status().problem is None


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_every_dataset_has_a_line_a_source_and_a_status_without_settings(name):
    cls = DATASETS[name]
    assert cls.__doc__.splitlines()[0].endswith(".")
    assert cls.source
    assert cls.split in ("test", "train")
    assert isinstance(cls().status().found, int)


@pytest.mark.parametrize(("group", "name"), [("data", "folder"), ("noise", "pairs")])
def test_a_folder_needs_a_path_with_images(group, name, tmp_path):
    with pytest.raises(ValueError, match=rf"there is no path; .*{group}\.{name}\.path=FOLDER"):
        DATASETS[name]().images()
    with pytest.raises(ValueError, match="has no images"):
        DATASETS[name](path=str(tmp_path)).images()


# Identity


def test_the_digest_is_the_same_for_the_same_data_elsewhere(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for path in folder.iterdir():
        (elsewhere / path.name).write_bytes(path.read_bytes())
    assert Folder(path=str(folder)).digest() == Folder(path=str(elsewhere)).digest()


def test_the_digest_changes_with_names_content_limit_and_crop(folder):
    def digest(**settings) -> str:
        return Folder(path=str(folder), **settings).digest()

    digests = [digest(), digest(limit=2), digest(crop=16), digest(crop=17)]
    save(folder / "img1.png", pixels(seed=9))
    digests.append(digest())
    (folder / "img1.png").rename(folder / "img0.png")
    digests.append(digest())
    assert len(set(digests)) == len(digests)


def test_the_digest_changes_with_the_place_of_a_crop(folder):
    @dataclass(frozen=True)
    class Moved(Folder):
        centres = {"img1": (9, 9)}

    first, moved = (cls(path=str(folder), crop=8).digest() for cls in (Folder, Moved))
    assert first != moved


# The sets


def test_photos_are_five_crops_whose_pixels_never_change():
    photos = Photos(crop=256)
    photos.check()
    crops = {image: photos.read_uint8(image) for image in photos.images()}
    assert all(crop.shape == (256, 256, 3) for crop in crops.values())
    found = {image: hashlib.sha256(crop.tobytes()).hexdigest() for image, crop in crops.items()}
    assert found == json.loads(GOLDEN.read_text())


@pytest.mark.parametrize("image", ["astronaut", "rocket"])
def test_a_smaller_crop_of_a_photo_is_the_middle_of_the_usual_one(image):
    usual, smaller = Photos().read_uint8(image), Photos(crop=64).read_uint8(image)
    assert usual.shape == (192, 192, 3)
    assert np.array_equal(smaller, usual[64:128, 64:128])


def test_a_larger_crop_of_a_photo_moves_inside_the_picture():
    whole, larger = Photos(crop=None).read_uint8("rocket"), Photos(crop=300).read_uint8("rocket")
    assert np.array_equal(larger, whole[127:427, 130:430])


def test_photos_without_a_crop_are_whole():
    assert Photos(crop=None).read_uint8("chelsea").shape == (300, 451, 3)


def test_photos_without_scikit_image_say_what_to_reinstall(monkeypatch):
    monkeypatch.setattr("benchmark.datasets.clean.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="part of scikit-image, reinstall it"):
        Photos().images()


def test_ihc_is_one_image_to_train_on_whose_pixels_never_change():
    ihc = DATASETS["ihc"]()
    ihc.check(minimum=512)
    assert (ihc.split, ihc.images()) == ("train", ["ihc"])
    pixels = ihc.read_uint8("ihc")
    assert pixels.shape == (512, 512, 3)
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == (
        "c5b3ef509a92f16d4c29be8cf0300fe75d53e13a3ce650159db932caea8dcc1b"
    )


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_a_published_set_is_complete_and_readable(name, count, data_root):
    dataset = DATASETS[name]()
    if not (data_root / name).is_dir():
        pytest.skip(f"needs {data_root / name}")
    assert dataset.folder() == data_root / name
    assert len(dataset) == count == dataset.count
    assert dataset.split == ("train" if name in ("bsds400", "extra_train") else "test")
    DATASETS[name](limit=4).check()
    assert dataset.status().problem is None


def test_importing_the_datasets_registers_all_and_loads_neither_torch_nor_a_decoder():
    code = (
        "import sys; from benchmark.datasets import DATASETS; print(*DATASETS); print(*sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names, loaded = (set(line.split()) for line in said.stdout.splitlines())
    others = {"photos", "ihc", "folder", "pairs", "polyu", "cc", "sidd", "dnd", "set12"}
    assert names == {*COUNTS, *others}
    assert not {"torch", "skimage", "scipy", "cv2", "PIL", "h5py"} & loaded
