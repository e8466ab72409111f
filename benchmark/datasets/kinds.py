"""What an image file holds, told from its content: a picture of which kind, or what else."""

import codecs
import io
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.datasets import tiff

if TYPE_CHECKING:
    from PIL.Image import Image

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
LARGEST = 2**30, 2**20  # pixels, and pixels in a row or column, which OpenCV reads
METADATA = 2**28  # bytes of text or of a colour profile in a PNG file
ORIENTATION = 0x0112  # in EXIF, as in TIFF
FIRST_BYTES = (  # of what is found in place of images
    (b"version https://git-lfs.", "a pointer of Git LFS, get the file itself with: git lfs pull"),
    (b"/annex/objects/", "a pointer of git-annex, get the file itself with: git annex get"),
    (b"\x00\x05\x16\x07", "what macOS keeps beside a file of this name (AppleDouble)"),
    (b"GIF8", "a GIF image"),
    (b"8BPS", "a Photoshop file"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\x76\x2f\x31\x01", "an OpenEXR image"),
    (b"#?RADIANCE", "a Radiance HDR image"),
    (b"qoif", "a QOI image"),
    *((b"P%d" % number, "a PPM image") for number in range(1, 8)),
    (b"DDS ", "a DDS texture"),
    (b"FUJIFILMCCD-RAW", "a camera's raw file"),
    (b"IIRO", "a camera's raw file"),
    (b"IIRS", "a camera's raw file"),
    (b"IIU\x00", "a camera's raw file"),
    (b"MATLAB 5.0", "a MATLAB file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"%PDF", "a PDF file"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"RIFF", "sound or a video"),
)
MARKUP = {
    "<svg": "an SVG drawing",
    "<html": "a web page, perhaps in place of a download",
    "<!doctype html": "a web page, perhaps in place of a download",
    "<?xml": "XML text",
}
BRANDS = {"avif": "an AVIF image", "avis": "an AVIF image", "crx ": "a camera's raw file"}
HEIF = ("heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1")


def read_bytes(path: Path) -> bytes:
    """The content of a file; raises ``ValueError`` if it cannot be had."""
    if path.exists() and not path.is_file():  # to read from a pipe is to wait
        raise ValueError(
            f"{path} is no file, but a folder, a pipe or a device; remove or rename it"
        )
    try:
        return path.read_bytes()
    except OSError as error:
        why = error.strerror or error
        raise ValueError(f"{path} cannot be read: {why}; replace or remove it") from error


def check_kind(path: Path, content: bytes) -> None:
    """Look at a file's first bytes and header, before any pixel is decoded.

    Raises
    ------
    ValueError
        If it is no PNG, JPEG, WebP, BMP or TIFF file; holds several pictures, or more pixels than
        can be read; or, as far as the header tells, other colours than RGB or grey, or none.
    """
    if not _is_read(content):
        raise ValueError(
            f"{path} cannot be read as an image: it is {_described(content)}; images are PNG, "
            f"JPEG, WebP, BMP or TIFF: replace or remove it"
        )
    if kind := tiff.other_kind(content):
        raise ValueError(other_kind(path, kind))
    mode, pictures, width, height, is_transparent = "", 1, 0, 0, False
    try:
        with open_image(content) as image:
            mode, (width, height) = image.mode, image.size
            is_transparent = "transparency" in image.info  # which OpenCV drops where it is grey
            pictures = pictures_in(image)
    except Exception:  # Pillow knows fewer kinds than OpenCV, and raises anything at a damaged file
        pass
    if mode == "CMYK":  # which OpenCV converts, in its own way, before it hands it out
        raise ValueError(other_kind(path, mode))
    if is_transparent:
        raise ValueError(other_kind(path, "transparent in places"))
    refuse_several(path, pictures)
    if width * height > LARGEST[0] or max(width, height) > LARGEST[1]:
        raise ValueError(
            f"{path} has {width}x{height} pixels, but at most {LARGEST[0]}, and {LARGEST[1]} in a "
            f"row, can be read; cut it into smaller images or remove it"
        )


def pictures_in(image: "Image") -> int:
    """How many pictures an opened file holds; a phone's JPEG (MPO) is one, with previews of it."""
    return 1 if image.format == "MPO" else getattr(image, "n_frames", 1)


def refuse_several(path: Path, pictures: int) -> None:
    """Raise ``ValueError`` if a file holds several pictures."""
    if pictures > 1:
        raise ValueError(
            f"{path} holds {pictures} pictures (an animation, or pages), but an image must be one; "
            f"save the one that is meant as a file of its own, or remove it"
        )


def other_kind(
    path: object, kind: str, cure: str = "", grey: bool = False, bits: int | None = None
) -> str:
    """The sentence on a picture that is whole, but not what is scored here.

    Parameters
    ----------
    cure
        What can be done beside converting it.
    grey, bits
        What is scored; without bits, what can be read at all.
    """
    if bits is None:
        return (
            f"{path} is {kind}, but images are RGB or grey of 8 or 16 bits, without transparency; "
            f"convert it or remove it"
        )
    colours = "grey" if grey else "RGB"
    wanted = f"images must be {colours}, uint{bits}; convert it to {bits}-bit {colours}"
    return f"{path} is {kind}, but {wanted}{cure and f', {cure}'} or remove it"


def open_image(source: Path | bytes) -> "Image":
    """A file opened by Pillow, without the limits that it has for what strangers upload."""
    from PIL import Image, PngImagePlugin

    Image.MAX_IMAGE_PIXELS = None  # a panorama is no attack
    PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = METADATA
    return Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)


def orientation(path: Path) -> int:
    """How a picture is to be turned for a viewer: 1, not at all, to 8, as EXIF numbers them.

    1 as well where nothing is noted, or the file is no image that Pillow reads.
    """
    from PIL.Image import Image

    with path.open("rb") as file:
        if file.read(4) in tiff.MAGIC:
            tag = tiff.read_tags(path.read_bytes()).get(tiff.ORIENTATION)
            return tag.value if tag and tag.value in range(1, 9) else 1
    try:
        with open_image(path) as image:
            if image.format == "PNG" and "exif" not in image.info:
                image.info["exif"] = _exif_of_png(path)
            found = Image.getexif(image).get(ORIENTATION, 1)  # a PNG's own would decode the pixels
    except Exception:  # damaged metadata may raise anything; the pixels are checked elsewhere
        return 1
    return found if found in range(1, 9) else 1


def _exif_of_png(path: Path) -> bytes:
    """The chunk eXIf, which may stand before the pixels or behind them; empty without one."""
    with path.open("rb") as file:
        file.seek(len(PNG))
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind == b"eXIf":
                return file.read(length)
            file.seek(length + 4, io.SEEK_CUR)  # and a checksum
    return b""


def _is_read(content: bytes) -> bool:
    webp = content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    return webp or content.startswith((PNG, JPEG, b"BM", *tiff.MAGIC))


def _described(content: bytes) -> str:
    """What a file is that is no image, in words."""
    if not content:
        return "empty (0 bytes)"
    if not content.strip(b"\0"):
        return "nothing but zeros, as an interrupted copy leaves it"
    for start, what in FIRST_BYTES:
        if content.startswith(start):
            return what
    if content[4:8] == b"ftyp":
        brand = content[8:12].decode("latin-1")
        return BRANDS.get(brand, "a HEIC image" if brand in HEIF else "a video")
    try:  # a decoder of a stream does not mind that the last letter is cut
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(content[:512]).lower()
    except UnicodeDecodeError:
        text = ""
    if not "".join(text.split()).isprintable() or not text.strip():
        return "of another format"
    for word, what in MARKUP.items():
        if word in text:
            return what
    return "text"
