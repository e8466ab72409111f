"""Images are found by names in one form, whatever they are called and whatever lies beside them."""

import os
import socket
import subprocess
import sys
import unicodedata
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from pictures import pixels, save

from benchmark.datasets import DATASETS, Dataset, Folder, Pairs
from benchmark.datasets.images import find_images
from benchmark.noise import rng_for

NFC, NFD = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))


def pipe(path: Path) -> None:
    os.mkfifo(path)


def plug(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # the path of a socket is short
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (pipe, "is a pipe, a socket or a device"),
        (plug, "is a pipe, a socket or a device"),
        (lambda path: path.symlink_to("/dev/null"), "is a pipe, a socket or a device"),
        (Path.mkdir, "is a folder"),
        (lambda path: path.symlink_to(path.parent), "is a folder"),
        (lambda path: path.symlink_to("gone.png"), r"is a link to gone\.png, which is not there"),
        (lambda path: path.symlink_to(path), "is a link to .*, which is not there"),
    ],
)
@pytest.mark.parametrize("name", ["a.png", "a.JPG", "a.tiff"])
def test_what_is_no_file_but_named_like_an_image_is_refused(tmp_path, make, what, name):
    save(tmp_path / "b.png")
    make(tmp_path / name)
    for use in (lambda d: d.images(), lambda d: d.digest(), lambda d: d.check()):
        with pytest.raises(ValueError, match=f"{name} {what}, but is named like an image"):
            use(Folder(path=str(tmp_path)))
    assert name in Folder(path=str(tmp_path)).status().problem


@pytest.mark.parametrize("make", [pipe, Path.mkdir])
def test_a_listing_of_another_dataset_does_not_wait_for_a_pipe(tmp_path, make):
    save(tmp_path / "scene_4096spp.png")
    for level in (64, 128):
        make(tmp_path / f"scene_{level}spp.png")
    for use in (lambda d: d.check(), lambda d: d.digest()):
        with pytest.raises(ValueError, match=r"spp\.png is no file, but a folder, a pipe"):
            use(DATASETS["mc_render"](path=str(tmp_path)))


def test_a_link_to_an_image_is_read(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.png").symlink_to(save(tmp_path / "b.png"))
    folder = Folder(path=str(tmp_path / "set"))
    folder.check()
    assert folder.images() == ["a"]


@pytest.mark.parametrize("name", [NFC, NFD, "Å" + NFD, "ｶﾞ", "각", "ñandú"])
def test_a_name_is_the_same_in_either_form_of_unicode(tmp_path, name):
    found = []
    for number, form in enumerate(("NFC", "NFD")):
        folder = tmp_path / str(number)
        save(folder / f"{unicodedata.normalize(form, name)}.png")
        dataset = Folder(path=str(folder))
        (image,) = dataset.images()
        assert np.array_equal(dataset.read_uint8(unicodedata.normalize(form, name)), pixels())
        noise = rng_for("folder", image, "gaussian", 25.0, 0).standard_normal(3)
        found.append((image, dataset.digest(), *noise))
    assert found[0] == found[1]
    assert found[0][0] == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize("clean", [NFC, NFD])
@pytest.mark.parametrize("noisy", [NFC, NFD])
@pytest.mark.parametrize("layout", ["{side}/{name}.png", "{name}_{suffix}.png"])
def test_pairs_find_each_other_in_either_form(tmp_path, clean, noisy, layout):
    for side, suffix, name in (("clean", "mean", clean), ("noisy", "real", noisy)):
        save(tmp_path / layout.format(side=side, suffix=suffix, name=name))
    dataset = Pairs(path=str(tmp_path))
    dataset.check()
    assert dataset.images() == [NFC]


@pytest.mark.parametrize("suffixes", [(".png", ".png"), (".png", ".jpg"), (".JPG", ".jpg")])
def test_two_files_which_become_one_name_are_both_named(tmp_path, suffixes):
    for name, suffix in zip((NFC, NFD), suffixes, strict=True):
        save(tmp_path / f"{name}{suffix}")
    with pytest.raises(ValueError, match=f"are both named '{NFC}'") as error:
        Folder(path=str(tmp_path)).images()
    for name, suffix in zip((NFC, NFD), suffixes, strict=True):
        assert f"{name}{suffix}" in str(error.value)
    if suffixes[0] == suffixes[1]:  # they look alike
        assert r"caf\xe9" in str(error.value) and r"cafe\u0301" in str(error.value)


def test_two_names_of_a_plugin_s_listing_which_become_one_are_refused(tmp_path):
    class Listed(Dataset):
        name = "listed"
        source = ""

        def folder(self) -> Path:
            return tmp_path

        def listing(self, folder: Path) -> dict[str, tuple[Path, ...]]:
            return {NFC: (folder / "1.png",), NFD: (folder / "2.png",)}

    with pytest.raises(ValueError, match=rf"1\.png and .*2\.png are both named '{NFC}'"):
        Listed().images()


def test_centres_are_found_in_either_form(tmp_path):
    @dataclass(frozen=True)
    class Centred(Folder):
        centres = {NFD: (4, 4)}

    save(tmp_path / f"{NFC}.png")
    cut = Centred(path=str(tmp_path), crop=8).read_uint8(NFC)
    assert np.array_equal(cut, pixels()[:8, :8])


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        (b"a\xff.png", r"a\udcff.png"),
        (b"\xe9t\xe9.jpg", r"\udce9t\udce9.jpg"),
        (b"a\nb.png", r"a\nb.png"),
        (b"a\x1fb.png", r"a\x1fb.png"),
        (b"a\tb.png", r"a\tb.png"),
        (b"a\x1b[31m.png", r"a\x1b[31m.png"),
        ("a\u2028b.png".encode(), r"a\u2028b.png"),
        ("a\x85b.png".encode(), r"a\x85b.png"),
    ],
)
def test_a_name_that_is_no_text_is_refused_by_path_on_one_line(tmp_path, name, printed):
    save(tmp_path / "b.png")
    os.rename(tmp_path / "b.png", os.fsencode(tmp_path) + b"/" + name)
    with pytest.raises(ValueError, match="no text, or control characters") as error:
        Folder(path=str(tmp_path)).check()
    assert str(tmp_path / printed) in str(error.value)
    str(error.value).encode()
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    "name", ["a b", " a", "a.b", "a'b\"c", "日本", "👩‍👩‍👧", "-a", "a=b,c", "a" * 200]
)
def test_any_other_name_is_a_name(tmp_path, name):
    save(tmp_path / f"{name}.png")
    dataset = Folder(path=str(tmp_path))
    dataset.check()
    assert dataset.images() == [name]


# Files and folders beside images


def warned(use: Callable[[], object]) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        use()
    return [str(each.message) for each in caught]


@pytest.mark.parametrize(
    ("beside", "said"),
    [
        (["b.heic", "c.HEIC", "d.gif"], "3 files in {} are not read: .heic 2, .gif 1"),
        (["b.cr2"], "1 file in {} is not read: .cr2 1"),
        (["b.txt", "c"], "2 files in {} are not read: .txt 1, without suffix 1"),
        (["b.avif", "b.jp2", "b.npy"], "3 files in {} are not read: .avif 1, .jp2 1, .npy 1"),
        (["b.f10", "b.f2", "b.f1", "b.f3", "b.f4", "b.f5", "b.f6"],
         "7 files in {} are not read: .f1 1, .f2 1, .f3 1, .f4 1, .f5 1 and 2 more"),
        (["more/b.png"], "1 image in subfolders of {} is not read: more 1"),
        (["x/b.png", "y/b.png", "y/c.JPG", "z/d.txt", ".w/e.png"],
         "3 images in subfolders of {} are not read: y 2, x 1"),
        (["b.gif", "x/b.png"],
         "1 file in {0} is not read: .gif 1; 1 image in subfolders of {0} is not read: x 1"),
        ([".DS_Store", "._a.png", ".b.heic", "Thumbs.db", "desktop.ini"], None),
        (["README.md", "LICENSE", "licence.txt", "readme", "COPYING"], None),
        (["notes/b.txt", "b.jpeg", "c.TIF"], None),
    ],
)  # fmt: skip
def test_what_is_not_read_beside_images_is_counted_in_one_line(tmp_path, beside, said):
    for name in ("a.png", *beside):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    dataset = Folder(path=str(tmp_path))
    expected = [] if said is None else [said.format(tmp_path)]
    assert warned(dataset.images) == expected
    assert warned(dataset.images) == []  # once


def test_images_of_unread_formats_alone_are_counted_before_the_folder_is_refused(tmp_path):
    (tmp_path / "a.heic").touch()

    def use() -> None:
        with pytest.raises(ValueError, match="has no images"):
            Folder(path=str(tmp_path)).images()

    assert warned(use) == [f"1 file in {tmp_path} is not read: .heic 1"]


def test_both_folders_of_pairs_are_looked_through(tmp_path):
    for name in ("clean/a.png", "noisy/a.png"):
        save(tmp_path / name)
    (tmp_path / "noisy" / "b.dng").touch()
    said = warned(Pairs(path=str(tmp_path)).images)
    assert said == [f"1 file in {tmp_path / 'noisy'} is not read: .dng 1"]


def test_what_scikit_image_has_beside_its_photographs_is_nobody_s_business():
    assert warned(DATASETS["photos"]().images) == []


# Where a folder is


@pytest.mark.parametrize(("group", "name"), [("data", "folder"), ("noise", "pairs")])
def test_a_path_to_a_file_says_so(tmp_path, group, name):
    path = save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=rf"a\.png is no folder; .*{group}\.{name}\.path=FOLDER"):
        DATASETS[name](path=str(path)).images()


@pytest.mark.parametrize(
    "path", ["gone", "~nobody-is-called-this/x", "a\0b", "x" * 5000, "a/../gone"]
)
def test_a_path_to_nothing_says_so(path):
    with pytest.raises(ValueError, match="there is no folder"):
        Folder(path=path).images()


def test_a_link_to_nothing_is_no_folder(tmp_path):
    (tmp_path / "set").symlink_to("gone")
    with pytest.raises(ValueError, match="set is no folder"):
        Folder(path=str(tmp_path / "set")).images()


def test_the_home_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    save(tmp_path / "set" / "a.png")
    assert Folder(path="~/set").images() == ["a"]
    monkeypatch.setenv("NOISEBENCH_DATA", "~/data")
    assert DATASETS["kodak24"]().searched()[0] == tmp_path / "data" / "kodak24"


def test_a_folder_that_may_not_be_read_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may read anything
    with pytest.raises(ValueError, match="may not be read; change its permissions"):
        Folder(path=str(tmp_path)).images()


def test_a_file_that_may_not_be_read_says_so(tmp_path, monkeypatch):
    path = save(tmp_path / "a.png")

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    for use in (lambda d: d.digest(), lambda d: d.check(), lambda d: d.read("a")):
        with pytest.raises(ValueError, match=rf"{path} cannot be read: Permission denied"):
            use(Folder(path=str(tmp_path)))


def test_images_are_found_without_opencv_and_pillow(tmp_path):
    save(tmp_path / "a.png")
    code = (
        "import sys; from pathlib import Path; from benchmark.datasets.images import find_images; "
        f"find_images(Path({str(tmp_path)!r})); sys.exit(bool({{'cv2', 'PIL'}} & {{*sys.modules}}))"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 0


def test_find_images_is_in_natural_order_and_by_name(tmp_path):
    for name in ("b10.png", "b9.PNG", f"{NFD}.jpg"):
        cv2.imwrite(str(tmp_path / name), pixels())
    assert list(find_images(tmp_path)) == ["b9", "b10", NFC]
