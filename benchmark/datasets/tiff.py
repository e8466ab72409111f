"""The tags of a TIFF file's first picture: what it is, and the one that says how to turn it."""

import struct
from dataclasses import dataclass

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two are BigTIFF
TYPES = {1: "B", 3: "H", 4: "I", 16: "Q"}  # of whole numbers, as `struct` names them

KIND, BITS, COMPRESSION, PHOTOMETRIC, ORIENTATION = 254, 258, 259, 262, 274
SAMPLES, PLANES, SAMPLE_FORMAT = 277, 284, 339
REDUCED = 1  # the bit of KIND which says that the picture is a smaller copy of another
WHITE_IS_0, BLACK_IS_0, RGB, YCBCR = 0, 1, 2, 6
OTHER_COLOURS = {  # PHOTOMETRIC of colours which a decoder converts in its own way, or not at all
    5: "CMYK",
    YCBCR: "YCbCr",
    8: "CIE L*a*b*",
    9: "ICC L*a*b*",
    10: "ITU L*a*b*",
    32803: "what a sensor recorded (CFA)",
    32844: "LogL",
    32845: "LogLuv",
    34892: "linear raw",
}
JPEG = (6, 7)  # COMPRESSION whose YCbCr every decoder converts, as in a JPEG file
WHOLE, FLOATS = ((8, "uint"), (16, "uint")), ((32, "float"), (64, "float"))  # in RGB
NUMBERS = {1: "uint", 2: "int", 3: "float", 4: "uint", 5: "complex int", 6: "complex"}


@dataclass(frozen=True)
class Tag:
    """The first value of a tag, and where in the file it is stored in which format."""

    value: int
    place: int  # in bytes
    format: str  # as `struct` takes it


def read_tags(content: bytes) -> dict[int, Tag]:
    """The whole numbers among the tags of a file's first picture; of a damaged file, what is left.

    Parameters
    ----------
    content
        Of the file; of another format than TIFF, there are no tags.
    """
    found: dict[int, Tag] = {}
    if not content.startswith(MAGIC):
        return found
    order = "<" if content.startswith(b"II") else ">"
    big = content[:4] in MAGIC[2:]
    pointer, counter, entry = ("Q", "Q", "HHQ") if big else ("I", "H", "HHI")
    try:
        (start,) = struct.unpack_from(order + pointer, content, 8 if big else 4)
        (count,) = struct.unpack_from(order + counter, content, start)
        start += struct.calcsize(order + counter)
        for _ in range(count):
            tag, kind, length = struct.unpack_from(order + entry, content, start)
            place = start + struct.calcsize(order + entry)
            start = place + struct.calcsize(order + pointer)
            if kind not in TYPES or not length:
                continue
            form = order + TYPES[kind]
            if length * struct.calcsize(form) > struct.calcsize(order + pointer):
                (place,) = struct.unpack_from(order + pointer, content, place)
            (value,) = struct.unpack_from(form, content, place)
            found.setdefault(tag, Tag(value, place, form))
    except (struct.error, OverflowError):  # it ends within a tag, or before what one points at
        pass
    return found


def as_stored(content: bytes) -> bytes:
    """A TIFF file whose orientation says that its pixels are stored as they are shown.

    Decoders turn the pixels of a TIFF file, but not of others: so none is. Other files stay as
    they are.
    """
    tag = read_tags(content).get(ORIENTATION)
    if tag is None or tag.value == 1:
        return content
    changed = bytearray(content)
    struct.pack_into(tag.format, changed, tag.place, 1)
    return bytes(changed)


def other_kind(content: bytes, floats: bool = False) -> str | None:
    """What a TIFF file holds instead of RGB or grey of 8 or 16 bits that OpenCV reads as such.

    None where it does not. Palettes are left to the decoder, and other numbers of grey ones.

    Parameters
    ----------
    floats
        Whether RGB may be floating-point numbers of 32 or 64 bits as well.
    """
    tags = {tag: found.value for tag, found in read_tags(content).items()}
    colours = tags.get(PHOTOMETRIC)
    if content[8:10] == b"CR" or tags.get(KIND, 0) & REDUCED:
        return "a small copy of another picture, as raw files have it"
    if colours in OTHER_COLOURS and not (colours == YCBCR and tags.get(COMPRESSION) in JPEG):
        return OTHER_COLOURS[colours]
    samples, bits = tags.get(SAMPLES, 1), tags.get(BITS, 1)
    numbers = NUMBERS.get(tags.get(SAMPLE_FORMAT, 1), "unknown")
    read = (*WHOLE, *FLOATS) if floats else WHOLE
    if colours == RGB and (samples != 3 or (bits, numbers) not in read):
        channels = "four channels (alpha or CMYK)" if samples == 4 else f"{samples} channels"
        return f"{channels}, {numbers}{bits}"
    if colours == RGB and bits > 8 and tags.get(PLANES) == 2:  # which come back shuffled, or not
        return f"{numbers}{bits} in planes of one channel each"
    if colours == WHITE_IS_0 and bits == 16:
        return "grey, uint16, with 0 as white"  # which comes back as a negative
    if colours not in (WHITE_IS_0, BLACK_IS_0):
        return None
    if samples > 1:
        return f"grey with {samples - 1} more channels (alpha)"  # which are dropped
    if 8 < bits < 16 or (bits == 16 and numbers == "float"):
        return f"grey, {numbers}{bits}"  # which comes back as 16 bits and nearly black, or not
    return None
