"""Hostile files in a folder of images, and in pairs of recorded noise."""

import io
import os
import struct
import unicodedata
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from bad_inputs.entry import CLEAN, MISTAKE, WORKS, BadInput, typed

ACCENT = "caf\u00e9"
SIDE = 24


def picture(mode: str = "RGB", size: tuple[int, int] = (SIDE, SIDE)) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return Image.fromarray(pixels).convert(mode)


def encoded(kind: str, image: Image.Image | None = None, **how: object) -> bytes:
    buffer = io.BytesIO()
    (image or picture()).save(buffer, kind, **how)
    return buffer.getvalue()


def turned(kind: str, orientation: int = 6) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(kind, exif=exif)


def png_of(width: int, height: int, depth: int = 8) -> bytes:
    """A PNG of a few bytes whose header promises this much."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    facts = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", facts), chunk(b"IDAT", zlib.compress(bytes(100))), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def array_tiff(dtype: type, photometric: str) -> bytes:
    import cv2

    high = {np.uint8: 255, np.uint16: 65535}.get(dtype, 1.0)
    pixels = (np.random.default_rng(0).random((SIDE, SIDE, 3)) * high).astype(dtype)
    suffix = {"tiff": ".tiff", "png": ".png"}[photometric]
    return cv2.imencode(suffix, pixels)[1].tobytes()


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


HOSTILE: dict[str, tuple[str, Callable[[], bytes]]] = {  # file name and content, all refused
    "empty": ("b.png", lambda: b""),
    "cut PNG": ("b.png", lambda: encoded("PNG")[:-100]),
    "PNG without an end": ("b.png", lambda: encoded("PNG")[:60]),
    "damaged PNG": ("b.png", lambda: flipped(encoded("PNG"), 80)),
    "cut JPEG": ("b.jpg", lambda: encoded("JPEG")[:-200]),
    "cut TIFF": ("b.tif", lambda: encoded("TIFF")[:-300]),
    "cut BMP": ("b.bmp", lambda: encoded("BMP")[:-300]),
    "cut WebP": ("b.webp", lambda: encoded("WEBP")[:-100]),
    "text": ("b.png", lambda: b"hello"),
    "html": ("b.jpg", lambda: b"<!doctype html><html></html>"),
    "LFS pointer": ("b.png", lambda: b"version https://git-lfs.github.com/spec/v1\n"),
    "svg": ("b.png", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    "pdf": ("b.png", lambda: b"%PDF-1.4\n"),
    "zeros": ("b.png", lambda: bytes(500)),
    "promise of 100000x100000": ("b.png", lambda: png_of(100000, 100000)),
    "promise of 0x0": ("b.png", lambda: png_of(0, 0)),
    "promise of 3 bits": ("b.png", lambda: png_of(8, 8, 3)),
    "grey": ("b.png", lambda: encoded("PNG", picture("L"))),
    "one bit": ("b.png", lambda: encoded("PNG", picture("1"))),
    "grey with alpha": ("b.png", lambda: encoded("PNG", picture("LA"))),
    "alpha": ("b.png", lambda: encoded("PNG", picture("RGBA"))),
    "alpha TIFF": ("b.tif", lambda: encoded("TIFF", picture("RGBA"))),
    "alpha WebP": ("b.webp", lambda: encoded("WEBP", alpha(), lossless=True)),
    "CMYK JPEG": ("b.jpg", lambda: encoded("JPEG", picture("CMYK"))),
    "CMYK TIFF": ("b.tif", lambda: encoded("TIFF", picture("CMYK"))),
    "LAB TIFF": ("b.tif", lambda: encoded("TIFF", picture("LAB"))),
    "YCbCr TIFF": ("b.tif", lambda: encoded("TIFF", picture("YCbCr"))),
    "grey float TIFF": ("b.tif", lambda: encoded("TIFF", picture("F"))),
    "float TIFF": ("b.tif", lambda: array_tiff(np.float32, "tiff")),
    "16-bit TIFF": ("b.tif", lambda: array_tiff(np.uint16, "tiff")),
    "16-bit PNG": ("b.png", lambda: array_tiff(np.uint16, "png")),
    "16-bit grey PNG": ("b.png", lambda: encoded("PNG", grey16())),
    "one pixel": ("b.png", lambda: encoded("PNG", picture(size=(1, 1)))),
    "one row": ("b.png", lambda: encoded("PNG", picture(size=(100, 1)))),
    "twin": ("a.jpg", lambda: encoded("JPEG")),
}


def alpha() -> Image.Image:
    image = picture("RGBA")
    image.putalpha(100)
    return image


def grey16() -> Image.Image:
    return Image.fromarray(np.full((SIDE, SIDE), 40000, np.uint16))


PLACES: dict[str, Callable[[Path], object]] = {  # what is called b.png
    "FIFO": os.mkfifo,
    "folder": lambda path: path.mkdir(),
    "dead link": lambda path: path.symlink_to("gone.png"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "device": lambda path: path.symlink_to("/dev/zero"),
}


def pictures(folder: Path) -> Path:
    """The folder with one good picture."""
    made = folder / "pictures"
    made.mkdir()
    (made / "a.png").write_bytes(encoded("PNG"))
    return made


def _on(command: str, *words: str) -> tuple[str, ...]:
    return typed(command, "data=folder", "data.folder.path=pictures", *words)


def _hostile() -> list[BadInput]:
    found = []
    makers: dict[str, Callable[[Path], object]] = {
        name: lambda path, file=file, content=content: path.with_name(file).write_bytes(content())
        for name, (file, content) in HOSTILE.items()
    }
    for name, make in {**makers, **PLACES}.items():

        def prepare(folder: Path, make: Callable[[Path], object] = make) -> None:
            make(pictures(folder) / "b.png")

        section = "4.4" if name in PLACES else "1.5"
        commands = ["noise"]
        if name in ("empty", "cut PNG", "LAB TIFF", "CMYK TIFF", "alpha", "one pixel", *PLACES):
            commands += ["run", "train"]
        for command in commands:
            says = "pictures/" if name != "twin" else "both named"
            entry = BadInput(f"{section} {command} {name}", _on(command), MISTAKE, says, prepare)
            found.append(entry)
    return found


def _folders() -> list[BadInput]:
    """Folders that are none, or hold no images."""

    def empty(folder: Path) -> None:
        (folder / "pictures").mkdir()

    def of(*names: str) -> Callable[[Path], None]:
        def prepare(folder: Path) -> None:
            empty(folder)
            for name in names:
                (folder / "pictures" / name).write_bytes(b"x")

        return prepare

    makers: dict[str, Callable[[Path], object] | None] = {
        "absent": None,
        "empty": empty,
        "file": lambda folder: (folder / "pictures").write_text("x"),
        "FIFO": lambda folder: os.mkfifo(folder / "pictures"),
        "dead link": lambda folder: (folder / "pictures").symlink_to("gone"),
        "link to itself": lambda folder: (folder / "pictures").symlink_to("pictures"),
        "hidden files": of("._a.png", ".DS_Store"),
        "unread formats": of("a.heic", "b.gif", "c.nef"),
        "names without images": of("png", "a.png.txt"),
        "no text as a name": lambda folder: (pictures(folder), _no_text(folder / "pictures")),
    }
    unread = ("unread formats", "names without images")  # which are counted before
    found = [
        BadInput(f"4.4 {command} folder: {name}", _on(command), prepare=make, warns=name in unread)
        for command in ("noise", "run")
        for name, make in makers.items()
    ]
    for path in ("", "https://example.org/images", "/dev/null", "null"):
        words = typed("noise", "data=folder", f"data.folder.path={path}")
        found.append(BadInput(f"4.4 noise folder: {path or 'nothing'}", words))
    return found


def _no_text(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.png")).write_bytes(encoded("PNG"))


def _works() -> list[BadInput]:
    """What looks unusual, and is an image all the same."""
    nfd = unicodedata.normalize("NFD", ACCENT)
    good = {
        "hidden twin": ("._a.png", b"x"),
        "unread format beside": ("b.heic", b"x"),
        "capital suffix": ("B.PNG", encoded("PNG")),
        "decomposed name": (f"{nfd}.png", encoded("PNG")),
        **{f"turned {kind}": (f"b.{kind.lower()}", turned(kind)) for kind in ("JPEG", "PNG")},
        **{f"turned {kind}": (f"b.{kind.lower()}", turned(kind)) for kind in ("WEBP", "TIFF")},
    }
    found = []
    for name, (file, content) in good.items():

        def prepare(folder: Path, file: str = file, content: bytes = content) -> None:
            (pictures(folder) / file).write_bytes(content)

        said = "heic" if "unread" in name else ""
        warns = "unread" in name
        found.append(
            BadInput(f"1.6 run {name}", _on("run"), WORKS, said, prepare=prepare, warns=warns)
        )

    def both_forms(folder: Path) -> None:
        made = pictures(folder)
        for name in (ACCENT, nfd):
            (made / f"{name}.png").write_bytes(encoded("PNG"))

    found.append(BadInput("1.6 run both forms", _on("run"), says="both named", prepare=both_forms))
    limit = (("PIL.Image.MAX_IMAGE_PIXELS", 200),)  # as 180 megapixels are to Pillow's own limit
    panorama = BadInput("4.4 run panorama", _on("run"), WORKS, prepare=pictures, patches=limit)
    return [*found, panorama]


def _pairs() -> list[BadInput]:
    """Clean and noisy images which do not belong together."""
    small, wide = encoded("PNG"), encoded("PNG", picture(size=(SIDE + 8, SIDE)))
    nfd = unicodedata.normalize("NFD", ACCENT)
    kinds = {
        "no noisy partner": ({"a.png": small, "b.png": small}, {"a.png": small}, 2, "b.png"),
        "no clean partner": ({"a.png": small}, {"a.png": small, "b.png": small}, 2, "b.png"),
        "two sizes": ({"a.png": small}, {"a.png": wide}, 2, "one size"),
        "two orientations": ({"a.jpg": turned("JPEG", 1)}, {"a.jpg": turned("JPEG")}, 2, "orient"),
        "turned TIFF and not": ({"a.tif": turned("TIFF")}, {"a.png": small}, 2, "orient"),
        "noisy cut": ({"a.png": small}, {"a.png": small[:-100]}, 2, "noisy/a.png"),
        "noisy grey": ({"a.png": small}, {"a.png": encoded("PNG", picture("L"))}, 2, "noisy/a.png"),
        "no noisy images": ({"a.png": small}, {}, 2, "a.png"),
        "nothing": ({}, {}, 2, "no images"),
        "one orientation": ({"a.jpg": turned("JPEG")}, {"a.png": turned("PNG")}, 0, ""),
        "two forms of a name": ({f"{ACCENT}.png": small}, {f"{nfd}.png": small}, 0, ""),
    }
    found = []
    for name, (clean, noisy, status, says) in kinds.items():

        def prepare(folder: Path, sides: tuple[dict, dict] = (clean, noisy)) -> None:
            for side, files in zip(("clean", "noisy"), sides, strict=True):
                made = folder / "pairs" / side
                made.mkdir(parents=True)
                for file, content in files.items():
                    (made / file).write_bytes(content)

        words = [word for word in typed("run") if word not in CLEAN]
        words = (*words, "noise=pairs", "noise.pairs.path=pairs")
        found.append(BadInput(f"1.5 pairs: {name}", words, status, says, prepare))
    return found


ENTRIES = [*_hostile(), *_folders(), *_works(), *_pairs()]
