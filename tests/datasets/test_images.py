"""An image file is read for what it holds, or refused for what it is: kind, damage, size."""

import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from pictures import chunk, pixels, save
from PIL import Image, PngImagePlugin

from benchmark.datasets import Folder
from benchmark.datasets.images import check_whole, read_image

KINDS = (".png", ".jpg", ".webp", ".tif", ".bmp")


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
        ("a.png", as_mode("P", transparency=0), "is transparent in places"),
        ("a.png", as_mode("RGB", transparency=(1, 2, 3)), "is transparent in places"),
        ("a.png", as_mode("L", transparency=5), "is transparent in places"),
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
        assert "; convert it" in str(error.value)
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
    with pytest.raises(ValueError, match="; convert it|cannot be read"):
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


@pytest.mark.parametrize(("suffix", "ending"), [(".jpg", b"\xff\xd9"), (".webp", b"")])
def test_a_compressed_file_which_ends_in_zeros_is_warned_of(tmp_path, suffix, ending):
    path = save(tmp_path / f"a{suffix}", pixels(256, 256))
    content = path.read_bytes()
    for whole in (content, content + bytes(1000)):  # some cameras fill up their files
        path.write_bytes(whole)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check_whole(path)
    half = len(content) // 2
    path.write_bytes(content[:half] + bytes(len(content) - half - len(ending)) + ending)
    with pytest.warns(UserWarning, match=rf"a{suffix} ends in \d+ zeros, as an interrupted copy"):
        check_whole(path)


def test_a_layout_which_only_pillow_reads_is_not_called_damaged(tmp_path):
    path = tmp_path / "a.tif"
    as_tiff(pixels(52, 40), "rgb", tile=(16, 16))(path)
    with pytest.raises(ValueError, match=r"a\.tif is whole, but of a layout or compression which"):
        read_image(path)


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
        folder = Folder(path=str(tmp_path))
        folder.check()
    assert len(folder) == 1


def test_much_text_in_a_png_does_not_make_it_damaged(tmp_path):
    text = PngImagePlugin.PngInfo()
    text.add_text("history", "x" * 2**21, zip=True)
    save(tmp_path / "a.png", pnginfo=text)
    folder = Folder(path=str(tmp_path))
    folder.check()
    assert len(folder) == 1


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (16, 15), (4000, 3)])
def test_an_image_below_the_minimum_is_named_with_its_size(tmp_path, size):
    width, height = size
    save(tmp_path / "a.png", pixels(height, width))
    with pytest.raises(ValueError, match=f"{width}x{height} pixels, but at least 16x16"):
        Folder(path=str(tmp_path)).check()
    Folder(path=str(tmp_path)).check(minimum=1)
