"""Image files: found, proven whole and read, and pictures made what a protocol wants."""

import os
import re
import unicodedata
import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmark.datasets.kinds import JPEG, check_kind, open_image, other_kind, read_bytes
from benchmark.datasets.tiff import as_stored
from benchmark.pixels import as_grey
from benchmark.protocol import Protocol

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
ABOUT = ("readme", "license", "licence", "copying")  # how names of texts on a set begin
DROPPINGS = ("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r")  # of file managers
NO_TEXT = ("Cc", "Cs", "Zl", "Zp")  # Unicode's categories: control, not decoded, new lines
END_OF_JPEG = b"\xff\xd9"
ZEROS = 512  # bytes of them at the end of a compressed picture which are no chance
NAMED = 5  # subfolders at most in a warning


def natural_order(name: str) -> tuple[list[str | int], str]:
    """A sorting key which counts: 1, 2, 10. Spelling decides between 1 and 01."""
    parts = re.split("([0-9]+)", name)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


def one_form(name: str) -> str:
    """A name in Unicode's composed form (NFC): macOS may have decomposed it, and it looks alike."""
    return unicodedata.normalize("NFC", name)


def shown(path: Path | str) -> str:
    """A path on one line, with escapes where a letter cannot be printed."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in str(path)
    )


def image_name(path: Path) -> str:
    """The name of an image file in every result: its stem, in the form of `one_form`.

    Raises
    ------
    ValueError
        If it is no text, goes over several lines, or is that of something else than a file.
    """
    if any(unicodedata.category(letter) in NO_TEXT for letter in path.name):
        raise ValueError(
            f"the name of {shown(path)} has bytes which are no text, or control characters; "
            f"rename the file"
        )
    if os.path.isdir(path):
        what = "is a folder"
    elif not os.path.lexists(path) or os.path.isfile(path):
        return one_form(path.stem)
    elif os.path.islink(path) and not os.path.exists(path):
        what = f"is a link to {shown(os.readlink(path))}, which is not there"
    else:
        what = "is a pipe, a socket or a device"
    raise ValueError(f"{path} {what}, but is named like an image; remove or rename it")


def find_images(folder: Path, quiet: bool = False) -> dict[str, Path]:
    """The image files of a folder by their `image_name`, in natural order, without hidden files.

    Parameters
    ----------
    quiet
        Do not warn of the files, and of the images in subfolders, which are not read.

    Raises
    ------
    ValueError
        If two files have one name, as those which differ in their suffix only; or as `image_name`.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir(), key=lambda path: natural_order(path.name)):
        if not _is_image(path.name):
            continue
        name = image_name(path)
        twin = found.setdefault(name, path)
        if twin is not path:
            raise ValueError(twins(name, twin, path))
    if not quiet and (said := _unread(folder)):
        warnings.warn(said, stacklevel=2)
    return found


def find_inside(folder: Path, name: str) -> Path | None:
    """A file or folder of that name in the folder, or in a subfolder of it."""
    around = [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]
    return next((path / name for path in around if (path / name).exists()), None)


def twins(name: str, one: object, other: object) -> str:
    """The sentence on two files, or other places, of one name."""
    text = f"{one} and {other} are both named '{name}'"
    if one_form(str(one)) == one_form(str(other)):  # they look alike
        text += f", which is written in two Unicode forms, {ascii(str(one))} and "
        text += ascii(str(other))
    return f"{text}; rename one of them"


def _is_image(name: str) -> bool:
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES


def _unread(folder: Path) -> str:
    """What a folder has beside its images, in a sentence; empty if there is nothing to tell."""
    files, inside = Counter(), Counter()
    with os.scandir(folder) as entries:
        for entry in entries:
            if _is_image(entry.name) or _is_about(entry.name):
                continue
            if entry.is_dir():
                inside[entry.name] = _count_images(entry.path)
            else:
                files[os.path.splitext(entry.name)[1].lower() or "without suffix"] += 1
    sentences = []
    for counts, what in ((files, "file"), (+inside, "image")):
        total = counts.total()
        if not total:
            continue
        ordered = sorted(counts.items(), key=lambda item: (-item[1], natural_order(item[0])))
        named = ", ".join(f"{shown(name)} {number}" for name, number in ordered[:NAMED])
        named += f" and {len(ordered) - NAMED} more" if len(ordered) > NAMED else ""
        where = f"subfolders of {shown(folder)}" if what == "image" else shown(folder)
        verb = "are" if total > 1 else "is"
        sentences.append(f"{total} {what}{'s' * (total > 1)} in {where} {verb} not read: {named}")
    return "; ".join(sentences)


def _is_about(name: str) -> bool:
    """Whether a file is hidden, about the set, or left by a file manager."""
    return name.startswith(".") or name.lower().startswith(ABOUT) or name.lower() in DROPPINGS


def _count_images(folder: str) -> int:
    try:
        return sum(map(_is_image, os.listdir(folder)))
    except OSError:  # it may not be looked into
        return 0


def read_image(path: Path) -> np.ndarray:
    """Read (H, W, C), exactly as stored: no orientation or colour profile is applied.

    RGB or, C = 1, grey; uint8 or uint16.

    Raises
    ------
    ValueError
        If the file is no image, or is of another kind than one picture in RGB or grey.
    """
    import cv2  # here, so that noises and their datasets load without it

    content = read_bytes(path)
    check_kind(path, content)
    # what it says of a damaged file, the error below says
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        pixels = cv2.imdecode(np.frombuffer(as_stored(content), np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        pixels = None
    if pixels is None:
        if _decoding_error(content) is None:  # tiles of a few pixels, rare compressions
            raise ValueError(
                f"{path} is whole, but of a layout or compression which is not read here; save it "
                f"as PNG, or as TIFF without tiles and compression, or remove it"
            )
        raise ValueError(f"{path} cannot be read as an image; replace or remove it")
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if pixels.dtype not in (np.uint8, np.uint16) or channels not in (1, 3):
        raise ValueError(other_kind(path, _kind(channels, pixels)))
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if channels == 3 else pixels[..., None]


def as_wanted(pixels: np.ndarray, path: object, protocol: Protocol) -> np.ndarray:
    """A stored picture, (H, W, C) uint8 or uint16, or float, as a protocol takes it.

    Colours are made grey where it wants that, and 8 bits become the same values of 16.

    Parameters
    ----------
    path
        Where it is stored, for the error.

    Raises
    ------
    ValueError
        If it lacks what is wanted: it is grey, not RGB, or has more bits than the protocol.
    """
    channels = pixels.shape[2]
    needed = replace(
        protocol,
        grey=protocol.grey or channels == 1,
        bits=16 if pixels.dtype == np.uint16 else protocol.bits,
        colour="rgb" if channels == 1 else protocol.colour,
    )
    if needed != protocol:
        cure = f"score by a protocol for such images: protocol='{needed.name}'"
        kind = _kind(channels, pixels)
        raise ValueError(other_kind(path, kind, cure, protocol.grey, protocol.bits))
    found = as_grey(pixels) if protocol.grey else pixels
    if protocol.bits == 16 and found.dtype == np.uint8:
        return found.astype(np.uint16) * 257
    return found


def _kind(channels: int, pixels: np.ndarray) -> str:
    kind = {1: "grey", 4: "four channels (alpha or CMYK)"}.get(channels, f"{channels} channels")
    return f"{kind}, {pixels.dtype}"


def _decoding_error(content: bytes) -> Exception | None:
    """What Pillow raises as it decodes a file to its last byte, if anything."""
    try:
        with open_image(content) as image:
            image.load()
    except Exception as error:  # a damaged file may raise anything in a decoder
        return error
    return None


def _zeros_at_end(content: bytes) -> int:
    """How many zeros the pixels of a JPEG or WebP file end in; of other formats none are counted.

    What follows the end of a picture, as cameras fill up their files, is not of it.
    """
    if content.startswith(b"RIFF"):
        data = content[: 8 + int.from_bytes(content[4:8], "little")]
    elif content.startswith(JPEG) and not content.rstrip(b"\0").endswith(END_OF_JPEG):
        data = content
    elif content.startswith(JPEG) and content.endswith(END_OF_JPEG):
        data = content.removesuffix(END_OF_JPEG)
    else:
        return 0
    return len(data) - len(data.rstrip(b"\0"))


def check_whole(path: Path) -> None:
    """Decode a file to its last byte: OpenCV may hand out the part of a cut file without a word.

    A JPEG or WebP file which ends in zeros is warned of: no decoder minds, and a picture with a
    plain lower edge may.

    Raises
    ------
    ValueError
        If the file is cut short, damaged, or no image; or as `check_kind`, which comes first.
    """
    content = read_bytes(path)
    check_kind(path, content)
    if error := _decoding_error(content):
        raise ValueError(
            f"{path} cannot be read as a whole image ({error}); replace or remove it"
        ) from error
    if (zeros := _zeros_at_end(content)) >= ZEROS:
        warnings.warn(
            f"{path} ends in {zeros} zeros, as an interrupted copy leaves it, and decoders make up "
            f"what lacks; look at it, and replace or remove it if its lower part is plain",
            stacklevel=2,
        )
