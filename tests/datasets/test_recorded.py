"""Pairs of a clean and a noisy image are found in every layout, or say which half is missing."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pictures import pixels, save

from benchmark.datasets import Folder, Pairs, Recorded
from benchmark.datasets.recorded import CC, PolyU
from benchmark.noise import to_uint8
from benchmark.pixels import psnr


def save_real_and_mean(folder: Path, count: int, suffix: str) -> None:
    for number in range(count):
        for side in ("real", "mean"):
            save(folder / f"scene_{number}_{side}{suffix}", pixels(16, 16, seed=number))


def mean_noisy_psnr(dataset: Recorded) -> tuple[float, float, float]:
    """Of the noisy images: mean, least and greatest."""
    scores = [psnr(to_uint8(pair.noisy), to_uint8(pair.clean)) for pair in dataset]
    return float(np.mean(scores)), min(scores), max(scores)


# Pairs


@pytest.mark.parametrize(
    ("clean", "noisy"), [("clean/{}.png", "noisy/{}.png"), ("{}_mean.png", "{}_real.png")]
)
def test_both_layouts_bring_the_noisy_image_with_its_clean_one(tmp_path, clean, noisy):
    for seed, name in enumerate(("a_10", "a_9")):
        save(tmp_path / clean.format(name), pixels(seed=seed))
        save(tmp_path / noisy.format(name), pixels(seed=seed + 10))
    dataset = Pairs(path=str(tmp_path), crop=16)
    dataset.check()
    assert dataset.recorded
    assert dataset.images() == ["a_9", "a_10"]
    sample = dataset.read("a_9")
    assert np.array_equal(to_uint8(sample.clean), pixels(seed=1)[2:18, 7:23])
    assert np.array_equal(to_uint8(sample.noisy), pixels(seed=11)[2:18, 7:23])
    before = dataset.digest()
    save(tmp_path / noisy.format("a_9"), pixels(seed=5))
    assert dataset.digest() != before


def test_the_subfolders_of_pairs_can_be_named(tmp_path):
    save(tmp_path / "gt" / "a.png", pixels(seed=1))
    save(tmp_path / "shot" / "a.jpg", pixels(seed=2))
    dataset = Pairs(path=str(tmp_path), clean="gt", noisy="shot")
    assert np.array_equal(dataset.read_uint8("a"), pixels(seed=1))


@pytest.mark.parametrize("clean", ["noisy", "./noisy", "../p/noisy", "link"])
def test_noisy_images_are_not_compared_with_themselves(tmp_path, clean):
    folder = tmp_path / "p"
    (folder / "noisy").mkdir(parents=True)
    (folder / "link").symlink_to("noisy")
    save(folder / "noisy/a.png")
    with pytest.raises(ValueError, match="would both be those of"):
        Pairs(path=str(folder), clean=clean).images()


@pytest.mark.parametrize(
    ("lonely", "missing"),
    [("clean/b.png", "noisy"), ("noisy/b.png", "clean")],
)
def test_an_image_without_a_partner_is_named(tmp_path, lonely, missing):
    for path in ("clean/a.png", "noisy/a.png", lonely):
        save(tmp_path / path, pixels())
    with pytest.raises(ValueError, match=rf"{lonely} has no {missing} partner"):
        Pairs(path=str(tmp_path)).check()


@pytest.mark.parametrize(("side", "missing"), [("real", "clean"), ("mean", "noisy")])
def test_a_suffixed_image_without_a_partner_is_named(tmp_path, side, missing):
    save(tmp_path / f"a_{side}.png", pixels())
    with pytest.raises(ValueError, match=rf"a_{side}\.png has no {missing} partner"):
        Pairs(path=str(tmp_path)).check()


def test_a_file_of_neither_layout_is_named(tmp_path):
    save(tmp_path / "img1.png")
    with pytest.raises(ValueError, match=r"img1\.png is named neither NAME_real nor NAME_mean"):
        Pairs(path=str(tmp_path)).images()


def test_a_pair_of_two_sizes_is_named(tmp_path):
    save(tmp_path / "clean" / "a.png", pixels(20, 30))
    save(tmp_path / "noisy" / "a.png", pixels(30, 20))
    with pytest.raises(
        ValueError, match=r"noisy/a\.png has 20x30 pixels, .*clean/a\.png has 30x20"
    ):
        Pairs(path=str(tmp_path)).check()


def test_a_cut_noisy_file_is_named(tmp_path):
    save(tmp_path / "clean" / "a.png", pixels())
    path = save(tmp_path / "noisy" / "a.png", pixels())
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"noisy/a\.png cannot be read"):
        Pairs(path=str(tmp_path)).check()


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
    save(root / kind.name / folder / f"scene_0_ours{suffix}", pixels(16, 16))
    dataset = kind()
    assert len(dataset) == kind.count
    assert dataset.images()[:3] == ["scene_0", "scene_1", "scene_2"]
    places = dataset.listing(dataset.folder())["scene_2"]
    assert [path.stem for path in places] == ["scene_2_mean", "scene_2_real"]
    kind(limit=3).check()
    assert dataset.border is None


@pytest.mark.parametrize(("lost", "missing"), [("mean", "clean"), ("real", "noisy")])
def test_a_pair_without_one_side_is_named(root, lost, missing):
    save_real_and_mean(root / "cc", 15, ".png")
    (root / "cc" / f"scene_7_{lost}.png").unlink()
    with pytest.raises(ValueError, match=rf"scene_7_\w+\.png has no {missing} partner"):
        CC().check()


@pytest.mark.slow
def test_the_noisy_images_of_polyu_score_what_they_are_known_for(data_root):
    if not (data_root / "polyu").is_dir():
        pytest.skip(f"needs {data_root / 'polyu'}")
    dataset = PolyU()
    assert len(dataset) == 100
    assert mean_noisy_psnr(dataset) == pytest.approx((35.97, 31.09, 41.00), abs=0.02)


def test_the_noisy_images_of_cc_score_what_they_are_known_for(data_root):
    if not (data_root / "cc").is_dir():
        pytest.skip(f"needs {data_root / 'cc'}")
    assert mean_noisy_psnr(CC()) == pytest.approx((33.41, 29.63, 37.00), abs=0.02)


def test_polyu_is_a_hundred_pairs_of_the_published_noise(data_root):
    if not (data_root / "polyu").is_dir():
        pytest.skip(f"needs {data_root / 'polyu'}")
    dataset = Pairs(path=str(data_root / "polyu"))
    assert len(dataset) == 100
    sample = dataset.read(dataset.images()[0])
    assert sample.clean.shape == sample.noisy.shape == (512, 512, 3)
    assert 30 < psnr(to_uint8(sample.noisy), to_uint8(sample.clean)) < 42


# listings of others


@dataclass(frozen=True)
class Shots(Recorded, Folder):
    """As many files of each image as somebody else says."""

    name = "shots"
    levels: tuple[float, ...] = (1, 2)
    listed: tuple[object, ...] = ()

    def listing(self, folder: Path) -> dict[str, tuple[Path, ...]]:
        return {"a": self.listed}


def test_a_level_of_each_image_is_the_file_listed_for_it(tmp_path):
    files = [save(tmp_path / f"{seed}.png", pixels(seed=seed)) for seed in range(3)]
    dataset = Shots(path=str(tmp_path), listed=tuple(tmp_path / f"{n}.png" for n in range(3)))
    assert len(files) == 3
    noisy = dataset.read("a", level=2).noisy
    assert np.array_equal(to_uint8(noisy), pixels(seed=2))


@pytest.mark.parametrize(
    ("levels", "listed", "said"),
    [
        ((2,), ("0.png", "1.png", "2.png"), r"image a 2 noisy files for level 2; it gives one for"),
        ((1, 2), ("0.png", "1.png"), "image a 1 noisy files for levels 1, 2"),
        ((1, 2), None, r"image a \('0.png', '1.png'\), and should give a tuple of paths"),
    ],
)
def test_a_listing_of_other_files_than_levels_is_named(tmp_path, levels, listed, said):
    given = ("0.png", "1.png") if listed is None else tuple(tmp_path / one for one in listed)
    with pytest.raises(ValueError, match=f"'shots': its listing gives {said}"):
        Shots(path=str(tmp_path), levels=levels, listed=given).images()


def test_a_bare_path_in_a_listing_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"and should give a tuple of paths"):
        Shots(path=str(tmp_path), listed=tmp_path / "0.png").images()
