"""Pixels are read as stored and names in one form, whatever a file is called, tagged or made of."""

import os
import socket
import struct
import subprocess
import sys
import unicodedata
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from benchmark.datasets import DATASETS
from benchmark.datasets.dataset import Dataset
from benchmark.datasets.images import check_whole, find_images, read_image
from benchmark.datasets.kinds import orientation
from benchmark.datasets.tiff import read_tags
from benchmark.noise import rng_for

Folder, Pairs = DATASETS["folder"], DATASETS["pairs"]
ORIENTATION = 0x0112
NFC, NFD = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
KINDS = (".png", ".jpg", ".webp", ".tif", ".bmp")


def pixels(height: int = 20, width: int = 30, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(path: Path, image: np.ndarray | None = None, tag: int | None = None, **how) -> Path:
    """Write a picture with Pillow, turned by a tag if there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if tag is not None:
        exif[ORIENTATION] = tag
        how |= {"tiffinfo": {ORIENTATION: tag}} if path.suffix == ".tif" else {"exif": exif}
    if path.suffix == ".webp":
        how["lossless"] = True
    Image.fromarray(pixels() if image is None else image).save(path, **how)
    return path


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def late_exif(path: Path, tag: int) -> Path:
    """A PNG file whose EXIF stands behind its pixels."""
    exif = Image.Exif()
    exif[ORIENTATION] = tag
    end = chunk(b"IEND", b"")
    content = save(path).read_bytes().removesuffix(end)
    path.write_bytes(content + chunk(b"eXIf", exif.tobytes()[6:]) + end)
    return path


# Orientation


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


# Kinds


def as_mode(mode: str, **how) -> Callable[[Path], None]:
    return lambda path: Image.fromarray(pixels()).convert(mode).save(path, **how)


def as_tiff(values: np.ndarray, photometric: str | int, **how) -> Callable[[Path], None]:
    return lambda path: tifffile.imwrite(path, values, photometric=photometric, **how)


def twice(path: Path) -> None:
    first, second = (Image.fromarray(pixels(seed=seed)) for seed in (0, 1))
    first.save(path, save_all=True, append_images=[second])


FOUR = np.dstack([pixels(), pixels()[..., :1]])


@pytest.mark.parametrize(
    ("name", "write", "kind"),
    [
        ("a.jpg", as_mode("CMYK"), "is CMYK"),
        ("a.jpg", as_mode("L"), "is grey, uint8"),
        ("a.tif", as_mode("CMYK"), "is CMYK"),
        ("a.tif", as_mode("LAB"), r"is CIE L\*a\*b\*"),
        ("a.tif", as_mode("YCbCr"), "is YCbCr"),
        ("a.tif", as_mode("L"), "is grey, uint8"),
        ("a.tif", as_mode("1"), "is grey, uint8"),
        ("a.tif", as_mode("RGBA"), "is four channels"),
        ("a.tif", as_mode("RGBX"), "is four channels"),
        ("a.tif", as_tiff(pixels(), "icclab"), r"is ICC L\*a\*b\*"),
        ("a.tif", as_tiff(pixels(), 10), r"is ITU L\*a\*b\*"),
        ("a.tif", as_tiff(pixels()[..., 0], 32803), "is what a sensor recorded"),
        ("a.tif", as_tiff(pixels(), 34892), "is linear raw"),
        ("a.tif", as_tiff(pixels(), "ycbcr", byteorder=">"), "is YCbCr"),
        ("a.tif", as_tiff(FOUR, "separated", bigtiff=True), "is CMYK"),
        ("a.tif", as_tiff(pixels().astype(np.uint16), "rgb"), "is 3 channels, uint16"),
        ("a.tif", as_tiff(pixels().astype(np.uint32), "rgb"), "is 3 channels, uint32"),
        ("a.tif", as_tiff(pixels().astype(np.int16), "rgb"), "is 3 channels, int16"),
        ("a.tif", as_tiff(pixels().astype(np.float16), "rgb"), "is 3 channels, float16"),
        ("a.tif", as_tiff(pixels().astype(np.float32), "rgb"), "is 3 channels, float32"),
        ("a.tif", as_tiff(pixels().astype(np.float64), "rgb"), "is 3 channels, float64"),
        ("a.tif", as_tiff(np.dstack([FOUR, FOUR[..., :1]]), "rgb"), "is 5 channels, uint8"),
        ("a.tif", as_tiff(pixels(), "rgb", subfiletype=1), "is a small copy of another picture"),
        ("a.png", as_mode("RGBA"), "is four channels"),
        ("a.png", as_mode("LA"), "is four channels"),
        ("a.png", as_mode("P", transparency=0), "is four channels"),
        ("a.png", as_mode("RGB", transparency=(1, 2, 3)), "is four channels"),
        ("a.png", as_mode("L"), "is grey, uint8"),
        ("a.png", as_mode("1"), "is grey, uint8"),
        ("a.png", as_mode("I;16"), "is grey, uint16"),
        ("a.bmp", as_mode("L"), "is grey, uint8"),
    ],
)
def test_another_kind_is_refused_by_kind_before_it_is_called_damaged(tmp_path, name, write, kind):
    write(tmp_path / name)
    for use in (lambda d: d.check(), lambda d: d.read("a")):
        with pytest.raises(ValueError, match=kind) as error:
            use(Folder(path=str(tmp_path)))
        assert "convert it to 8-bit RGB" in str(error.value)
        assert str(tmp_path / name) in str(error.value)


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
@pytest.mark.parametrize("mode", ["CMYK", "LAB"])
def test_even_a_cut_file_is_refused_by_its_kind(tmp_path, suffix, mode):
    if (suffix, mode) == (".jpg", "LAB"):
        pytest.skip("there is none")
    how = {"compression": "tiff_lzw"} if suffix == ".tif" else {}
    path = tmp_path / f"a{suffix}"
    Image.fromarray(pixels(64, 64)).convert(mode).save(path, **how)
    path.write_bytes(path.read_bytes()[:-100] if suffix == ".jpg" else path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="convert it to 8-bit RGB|cannot be read"):
        Folder(path=str(tmp_path)).check()


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif"])
def test_a_file_of_several_pictures_is_refused_with_their_number(tmp_path, name):
    twice(tmp_path / name)
    for use in (read_image, check_whole):
        with pytest.raises(ValueError, match=rf"{name} holds 2 pictures"):
            use(tmp_path / name)


def test_a_phone_s_jpeg_is_its_first_picture(tmp_path):
    first, second = (Image.fromarray(pixels(seed=seed)) for seed in (0, 1))
    first.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[second])
    first.save(tmp_path / "b.jpg")
    assert np.array_equal(read_image(tmp_path / "a.jpg"), read_image(tmp_path / "b.jpg"))


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.png", as_mode("P")),
        ("a.bmp", as_mode("P")),
        ("a.tif", as_mode("P")),
        ("a.jpg", as_mode("RGB", progressive=True)),
        ("a.jpg", as_mode("RGB", keep_rgb=True)),
        ("a.tif", as_mode("RGB", compression="jpeg")),
        ("a.tif", as_mode("RGB", compression="tiff_lzw")),
        ("a.tif", as_tiff(pixels().transpose(2, 0, 1), "rgb", planarconfig="separate")),
        ("a.tif", as_tiff(pixels(), "rgb", bigtiff=True)),
    ],
)
def test_every_way_to_store_8_bit_rgb_is_read_as_pillow_reads_it(tmp_path, name, write):
    write(tmp_path / name)
    Folder(path=str(tmp_path)).check()
    with Image.open(tmp_path / name) as image:
        assert np.array_equal(read_image(tmp_path / name), image.convert("RGB"))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_a_colour_profile_changes_no_pixel(tmp_path, suffix):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    plain = save(tmp_path / f"a{suffix}")
    profiled = save(tmp_path / f"b{suffix}", icc_profile=profile)
    assert np.array_equal(read_image(plain), read_image(profiled))


@pytest.mark.parametrize("name", ["a.jpg", "a.tif", "a.webp", "a.bmp"])
def test_a_file_is_read_by_its_content_not_its_suffix(tmp_path, name):
    path = save(tmp_path / name)
    expected = read_image(path)
    path.rename(tmp_path / "a.png")
    Folder(path=str(tmp_path)).check()
    assert np.array_equal(Folder(path=str(tmp_path)).read_uint8("a"), expected)


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "empty"),
        (bytes(1000), "nothing but zeros"),
        (LFS, "Git LFS.*git lfs pull"),
        (b"/annex/objects/SHA256E-s1--ab.png\n", "git-annex"),
        (b"<!DOCTYPE html>\n<html><body>404</body></html>", "a web page"),
        (b"\xef\xbb\xbf\r\n<HTML>", "a web page"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
        (b'<?xml version="1.0"?>\n<Error>AccessDenied</Error>', "XML text"),
        (b'{"error": "quota"}', "text;"),
        ("zu groß".encode() * 200, "text;"),
        (b"GIF89a" + bytes(20), "a GIF image"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"PK\x03\x04" + bytes(20), "a ZIP archive"),
        (b"\0\0\0\x18ftypheic" + bytes(20), "a HEIC image"),
        (b"\0\0\0\x18ftypavif" + bytes(20), "an AVIF image"),
        (b"\0\0\0\x18ftypmp42" + bytes(20), "a video"),
        (b"\0\0\0\x18ftypcrx " + bytes(20), "a camera's raw file"),
        (b"\0\x05\x16\x07" + bytes(20), "AppleDouble"),
        (b"8BPS" + bytes(20), "a Photoshop file"),
        (b"P6\n2 2\n255\n" + bytes(12), "a PPM image"),
        (b"\x93NUMPY" + bytes(20), "a NumPy array"),
        (b"RIFF\0\0\0\0AVI " + bytes(20), "a video"),
        (b"\x80\x02\x03\x04" * 9, "of another format"),
    ],
)
def test_what_is_no_image_is_named_for_what_it_is(tmp_path, content, what):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    for use in (read_image, check_whole):
        with pytest.raises(
            ValueError, match=f"cannot be read as an image: it is .*{what}"
        ) as error:
            use(path)
        assert str(path) in str(error.value)


@pytest.mark.parametrize("suffix", [".gif", ".jp2", ".ppm", ".tga", ".ico"])
def test_an_image_of_an_unread_format_is_refused_under_any_name(tmp_path, suffix):
    save(tmp_path / f"a{suffix}").rename(tmp_path / "a.png")
    with pytest.raises(ValueError, match="images are PNG, JPEG, WebP, BMP or TIFF"):
        Folder(path=str(tmp_path)).check()


@pytest.mark.parametrize(
    "start", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0+"]
)
@pytest.mark.parametrize("rest", [b"", b"\0", b"\xff" * 40, bytes(range(256)) * 4])
def test_only_the_beginning_of_an_image_is_a_sentence(tmp_path, start, rest):
    (tmp_path / "a.png").write_bytes(start + rest)
    for use in (read_image, check_whole):
        with pytest.raises(ValueError, match=r"a\.png (cannot be read|is|holds)"):
            use(tmp_path / "a.png")


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # Pillow's, of a cut TIFF
@pytest.mark.parametrize("suffix", KINDS)
@pytest.mark.parametrize("lost", [1, 10, 300])
def test_a_file_that_lost_its_end_is_never_read_as_if_it_were_whole(tmp_path, suffix, lost):
    path = save(tmp_path / f"a{suffix}", pixels(64, 64))
    whole = read_image(path)
    path.write_bytes(path.read_bytes()[:-lost])
    dataset = Folder(path=str(tmp_path))
    try:
        dataset.check()
    except ValueError as error:
        assert str(path) in str(error)
    else:  # the bytes that are missing held no pixel
        assert np.array_equal(dataset.read_uint8("a"), whole)


def test_a_png_of_width_zero_is_refused(tmp_path):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 4, 8, 2, 0, 0, 0))
    content = (
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.png cannot be read"):
        Folder(path=str(tmp_path)).check()


def test_more_pixels_than_opencv_reads_are_a_sentence(tmp_path):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 70000, 70000, 8, 2, 0, 0, 0))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b""))
    with pytest.raises(ValueError, match="has 70000x70000 pixels, but at most 1073741824"):
        Folder(path=str(tmp_path)).check()


def test_a_panorama_above_pillow_s_limit_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    save(tmp_path / "a.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Folder(path=str(tmp_path)).check()


def test_much_text_in_a_png_does_not_make_it_damaged(tmp_path):
    text = PngImagePlugin.PngInfo()
    text.add_text("history", "x" * 2**21, zip=True)
    save(tmp_path / "a.png", pnginfo=text)
    Folder(path=str(tmp_path)).check()


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (16, 15), (4000, 3)])
def test_an_image_below_the_minimum_is_named_with_its_size(tmp_path, size):
    width, height = size
    save(tmp_path / "a.png", pixels(height, width))
    with pytest.raises(ValueError, match=f"{width}x{height} pixels, but at least 16x16"):
        Folder(path=str(tmp_path)).check()
    Folder(path=str(tmp_path)).check(minimum=1)


# Names


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
    Folder(path=str(tmp_path / "set")).check()


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


@pytest.mark.parametrize("name", ["folder", "pairs"])
def test_a_path_to_a_file_says_so(tmp_path, name):
    path = save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=rf"a\.png is no folder; .*data\.{name}\.path=FOLDER"):
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
