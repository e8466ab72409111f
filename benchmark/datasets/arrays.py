"""Images in memory as a dataset."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.datasets.dataset import Dataset, Sample
from benchmark.datasets.images import as_wanted
from benchmark.protocol import MASKED, Protocol

WHOLE = (np.uint8, np.uint16)  # types of whole numbers which an image may have
PILLOW = ("RGB", "L", "I;16", "F")  # modes of its pictures whose numbers are what they show


class Arrays(Dataset):
    """Images in memory, called 0, 1, 2 ... in their order.

    Parameters
    ----------
    images
        One image, or several of any sizes, as `as_image` takes them. An array of three dimensions
        is one image where the last is 1 or 3 long, else grey ones, (N, H, W); 1 or 3 of those are
        (N, H, W, 1), since (3, H, W) is how others write one image.

    Raises
    ------
    ValueError
        If there is none, or one has another shape, type or range.
    """

    name = "arrays"
    source = "give images as arrays of (H, W, 3), or grey ones of (H, W)"
    arrays: dict[str, np.ndarray]  # by name, as `as_image` gives them

    def __init__(self, images: Any):
        super().__init__()
        shape = getattr(images, "shape", ())
        single = len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3))
        single = single or (len(shape) == 3 and (shape[0] in (1, 3) or shape[2] == 4))
        single = single or not isinstance(images, Iterable)
        several: Iterable[Any] = [images] if single else images
        arrays = {str(n): as_image(image, f"image {n}") for n, image in enumerate(several)}
        if not arrays:
            raise ValueError("data= has no images; give one or more of (H, W, 3) or (H, W)")
        object.__setattr__(self, "arrays", arrays)

    def __eq__(self, other: object) -> bool:
        return self is other  # that of datasets compares settings, of which this has none

    __hash__ = object.__hash__

    def searched(self) -> list[Path]:
        """Nowhere."""
        return []

    def folders(self) -> set[Path]:
        """None."""
        return set()

    def images(self) -> list[str]:
        """The names, in the order of the images."""
        return list(self.arrays)

    def read(self, image: str, level: float | None = None, protocol: Protocol = MASKED) -> Sample:
        """One sample, as a protocol takes it; raises as `benchmark.datasets.images.as_wanted`."""
        pixels = as_wanted(self.arrays[image], f"image {image} of data=", protocol)
        return Sample(image, as_float(pixels))

    def read_uint8(self, image: str, protocol: Protocol = MASKED) -> np.ndarray:
        """The image, (H, W, C), in whole numbers of the protocol's bits, rounded where it was not.

        uint8 or uint16.
        """
        clean = self.read(image, protocol=protocol).clean
        return np.rint(protocol.peak * clean.astype(np.float64)).astype(f"uint{protocol.bits}")

    def check(self, minimum: int = 16, protocol: Protocol = MASKED) -> int:
        """How many pixels the largest image has.

        Raises ``ValueError`` if one is smaller than ``minimum``, in pixels, or as `read`.
        """
        largest = 0
        for name in self.arrays:
            height, width = self.read(name, protocol=protocol).clean.shape[:2]
            if min(height, width) < minimum:
                raise ValueError(
                    f"image {name} of data= has {width}x{height} pixels, but at least "
                    f"{minimum}x{minimum} are needed; remove or enlarge it"
                )
            largest = max(largest, height * width)
        return largest

    def identities(self, level: float | None = None) -> dict[str, str]:
        """By image: its name, and the hash of its type, shape and pixels."""
        found = {}
        for name, image in self.arrays.items():
            content = f"{image.shape} {image.dtype}\n".encode() + image.tobytes()
            found[name] = "\x1f".join([name, "whole", hashlib.sha256(content).hexdigest(), "\n"])
        return found


def as_image(given: Any, what: str) -> np.ndarray:
    """A copy of an image, (H, W, C), uint8 or uint16 as it is, or float32 in [0, 1].

    Parameters
    ----------
    given
        (H, W, 3) RGB, or (H, W) or (H, W, 1) grey.
    what
        Which image it is, in words: an error begins with it.

    Raises
    ------
    ValueError
        If it has another shape, type or range.
    """
    try:
        image = np.asarray(given.detach() if hasattr(given, "detach") else given)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what} cannot be made an array of NumPy: {error}") from error
    mode = getattr(given, "mode", "RGB") if hasattr(given, "getbands") else "RGB"
    if mode not in PILLOW:
        raise ValueError(
            f"{what} is a picture of Pillow in mode {mode}; give it in RGB or grey: "
            f"image.convert('RGB') or image.convert('L')"
        )
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[2] not in (1, 3) or not image.size:
        cure = ""
        if image.ndim == 3 and image.shape[0] in (1, 3):
            cure = "; put the channels last: numpy.moveaxis(image, 0, -1)"
            if image.shape[0] == 3:
                cure += "; if these are three grey images, give (3, H, W, 1): images[..., None]"
        elif image.ndim == 3 and image.shape[2] == 4:
            cure = "; leave out the transparency: image[..., :3]"
        raise ValueError(
            f"{what} has shape {np.shape(given)}, and should be RGB, (H, W, 3), or grey, "
            f"(H, W){cure}"
        )
    if not image.dtype.isnative:
        image = image.astype(image.dtype.newbyteorder("="))
    if image.dtype in WHOLE:
        return np.array(image, order="C")
    if image.dtype.kind != "f":
        raise ValueError(
            f"{what} has numbers of type {image.dtype}, and should be uint8, uint16, or floating "
            f"point in [0, 1]"
        )
    if np.isnan(image).any():
        raise ValueError(f"{what} has values which are no numbers (NaN)")
    if not (image.min() >= 0 and image.max() <= 1):
        raise ValueError(
            f"{what} has values from {image.min():g} to {image.max():g}, and should be in [0, 1] "
            f"where it is floating point; divide 8-bit values by 255"
        )
    return np.array(image, dtype=np.float32, order="C")


def as_float(image: np.ndarray) -> np.ndarray:
    """An image of `as_image` as float32 in [0, 1]."""
    if image.dtype not in WHOLE:
        return image
    return image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
