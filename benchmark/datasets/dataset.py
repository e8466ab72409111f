"""What a dataset is: named images in a folder, checked before use and known by a digest."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import ClassVar

import numpy as np
from platformdirs import user_cache_path

from benchmark.datasets.images import (
    SUFFIXES,
    as_wanted,
    check_whole,
    find_images,
    natural_order,
    one_form,
    read_image,
    shown,
    twins,
)
from benchmark.datasets.kinds import read_bytes
from benchmark.datasets.stored import (
    Hashes,
    Place,
    Status,
    check_orientations,
    check_sizes,
    file_of,
    state_of,
)
from benchmark.environment.recent import Recent, nbytes
from benchmark.files.places import in_home
from benchmark.pixels import crop_around
from benchmark.protocol import MASKED, Protocol
from benchmark.registry import Registry
from benchmark.settings import digest_of

RECENT = 256 * 2**20  # bytes of decoded images: all of Urban100 is 240 MB

DATASETS: "Registry[Dataset]" = Registry("dataset")


@dataclass(frozen=True)
class Sample:
    """One picture, and its recorded noisy version if the dataset brings one."""

    image: str  #: the file's stem, in Unicode's composed form
    clean: np.ndarray  #: (H, W, 3) float32 RGB in [0, 1], or (H, W, 1) grey
    noisy: np.ndarray | None = None  #: the same


@dataclass(frozen=True)
class Dataset:
    """A folder of images; a published set is a subclass with a name and a source.

    They are of 8 bits and RGB, where a protocol does not take grey ones, or 16 bits.

    What the folder holds is looked up once per object.

    Parameters
    ----------
    limit
        Only the first images, in natural order of their names (1, 2, 10).
    crop
        Height and width, in pixels, of a fixed cut from the middle of each image, or around the
        image's entry in ``centres``; None leaves images whole.
    """

    name: ClassVar[str]  #: set by the registry
    split: ClassVar[str] = "test"  #: or "train"
    recorded: ClassVar[bool] = False  #: whether it brings its own noisy images
    grey: ClassVar[bool] = False  #: whether its images have no colours
    count: ClassVar[int | None] = None  #: how many images the whole set has
    source: ClassVar[str]  #: what to do to get it, and its terms; ends an error message
    centres: ClassVar[Mapping[str, tuple[int, int]]] = {}  #: image to the row and column of a crop
    levels: ClassVar[tuple[float, ...]] = (0.0,)  #: of recorded noise, mildest first
    unit: ClassVar[str] = ""  #: what a level counts
    note: ClassVar[str] = ""  #: a caveat which lists and tables show beside the name
    family: ClassVar[str] = ""  #: of recorded noise, as that of a noise model
    border: ClassVar[int | None] = None  #: pixels its protocol does not compare; None: unsaid
    # the images themselves are told by `digest`, wherever they lie
    cites: ClassVar[tuple[str, ...]] = ()  #: keys of references.bib, or whole entries of BibTeX
    located: ClassVar[tuple[str, ...]] = ()  #: settings which say where something lies, not what
    files: ClassVar[tuple[str, ...]] = ()  #: settings which name a file: its content counts
    later: ClassVar[tuple[str, ...]] = ()  #: settings younger than stored scores

    limit: int | None = None
    crop: int | None = None

    def __post_init__(self):
        for setting in ("limit", "crop"):
            value = getattr(self, setting)
            if value is not None and value < 1:
                raise ValueError(f"{setting} of dataset '{self.name}' must be above 0, got {value}")

    def searched(self) -> list[Path]:
        """Where the set is looked for: ``$NOISEBENCH_DATA/NAME``, then the user's cache folder."""
        roots = [user_cache_path("noisebench") / "data"]
        if os.environ.get("NOISEBENCH_DATA"):
            roots.insert(0, in_home(os.environ["NOISEBENCH_DATA"]))
        return [root / self.name for root in roots]

    def folder(self) -> Path:
        """The first folder of `searched` that exists.

        Raises
        ------
        ValueError
            If none does, or it may not be read; the message says where to get the set.
        """
        for folder in self.searched():
            if os.path.isdir(folder):
                if not os.access(folder, os.R_OK | os.X_OK):
                    raise ValueError(
                        f"dataset '{self.name}': folder {shown(folder)} may not be read; change "
                        f"its permissions or name another"
                    )
                return folder
            if os.path.lexists(folder):
                raise ValueError(
                    f"dataset '{self.name}': {shown(folder)} is no folder; {self.source}"
                )
        looked = " and no ".join(f"folder {folder}" for folder in self.searched())
        raise ValueError(f"dataset '{self.name}': there is no {looked or 'path'}; {self.source}")

    def listing(self, folder: Path) -> Mapping[str, tuple[Place, ...]]:
        """The folder's images by name: each its clean file, and its noisy one if it has one.

        A set that lists blocks also overrides `read_place`, `check_place` and `hash_place`.
        """
        return {name: (path,) for name, path in find_images(folder).items()}

    def images(self) -> list[str]:
        """The names of the images, in natural order.

        Raises
        ------
        ValueError
            If there are none, or not as many as the set has (as ``limit`` asks for, if less).
        """
        found = len(self._files)
        if self.count is not None:
            needed = min(self.limit or self.count, self.count)
            if not needed <= found <= self.count:
                cure = self.source if found < needed else "remove what is no part of the set"
                raise ValueError(
                    f"dataset '{self.name}': found {found} of {self.count} images in "
                    f"{self.folder()}; {cure}"
                )
        elif not found:
            raise ValueError(
                f"dataset '{self.name}': {self.folder()} has no images ({', '.join(SUFFIXES)}); "
                f"{self.source}"
            )
        return sorted(self._files, key=natural_order)[: self.limit]

    def folders(self) -> set[Path]:
        """Where the images lie: what else is put there counts as one of them later."""
        return {file_of(place).parent for places in self._files.values() for place in places}

    def paths(self) -> set[Path]:
        """The files of the images, clean and noisy."""
        return {file_of(place) for image in self.images() for place in self._files[image]}

    def __len__(self) -> int:
        return len(self.images())

    def __iter__(self) -> Iterator[Sample]:
        return (self.read(image) for image in self.images())

    def read(self, image: str, level: float | None = None, protocol: Protocol = MASKED) -> Sample:
        """One sample, by the name of its image; raises as `read_uint8` does.

        Its file is not decoded again while it stays as it is, and while there is room in memory.

        Parameters
        ----------
        level
            Which noisy version, where there are several; by default the mildest.
        protocol
            Whether images are grey, and of how many bits.
        """
        level, image = self.levels[0] if level is None else level, one_form(image)
        places = self._places(image, level) if image in self._files else ()
        key = image, level, protocol, *map(state_of, places)
        pictures = self._recent.get(key, partial(self._pixels, image, level, protocol))
        for place in places:
            self._hashes.refuse_changed(place)
        return Sample(image, *(pixels.astype(np.float32) / protocol.peak for pixels in pictures))

    def read_uint8(self, image: str, protocol: Protocol = MASKED) -> np.ndarray:
        """The clean image, cropped: what a training set is kept as in memory.

        (H, W, 3) uint8 RGB, or as a protocol takes it.

        Raises
        ------
        ValueError
            If the image is unknown, unreadable, not what the protocol takes, smaller than ``crop``,
            or of another size than its noisy version.
        """
        return self._pixels(image, protocol=protocol)[0]

    def check(self, minimum: int = 16, protocol: Protocol = MASKED) -> int:
        """Decode every image, so that a bad file is known before any model runs.

        Returns how many pixels the largest has.

        Parameters
        ----------
        minimum
            The least height and width, in pixels, of what `read` returns.
        protocol
            As in `read`.

        Raises
        ------
        ValueError
            If images are missing, cut short, smaller than ``minimum``, or as in `read_uint8`.
        """
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # decoders leave other threads running
            return max(pool.map(partial(self._check_image, minimum, protocol), self.images()))

    def digest(self, level: float | None = None) -> str:
        """SHA-256, in hexadecimal, of the images' names, files and crops: the data's identity.

        Parameters
        ----------
        level
            Only of the clean images and the noisy ones of this level, where there are several.
        """
        return digest_of(self.identities(level).values())

    def identities(self, level: float | None = None) -> dict[str, str]:
        """By image, in order: its name, its crop and the hashes of its files, as one line.

        Parameters
        ----------
        level
            As in `digest`.
        """
        found = {}
        for image in self.images():
            cut = f"{self.crop} {self._centre(image)}" if self.crop else "whole"
            hashes = [self._hashes.of(place) for place in self._places(image, level)]
            found[image] = "\x1f".join([image, cut, *hashes, "\n"])
        return found

    def status(self) -> Status:
        """What there is, without raising and without decoding anything."""
        found, problem = 0, None
        try:
            found = len(self._files)
            self.images()
        except ValueError as error:
            problem = str(error)
        return Status(self.searched(), found, self.count, self.source, problem)

    def read_place(self, place: Place) -> np.ndarray:
        """One stored picture, clean or noisy, as `read_image` gives it and refuses it."""
        return read_image(file_of(place))

    def check_place(self, place: Place) -> None:
        """Raise ``ValueError`` if a stored picture is cut short or damaged."""
        check_whole(file_of(place))

    def hash_place(self, place: Place) -> str:
        """SHA-256, in hexadecimal, of a stored picture."""
        return hashlib.sha256(read_bytes(file_of(place))).hexdigest()

    @cached_property
    def _files(self) -> dict[str, tuple[Place, ...]]:
        found: dict[str, tuple[Place, ...]] = {}
        for name, places in self.listing(self.folder()).items():
            self._check_places(name, places)
            twin = found.setdefault(one_form(name), places)
            if twin is not places:
                raise ValueError(twins(one_form(name), twin[0], places[0]))
        return found

    def _check_places(self, image: str, places: object) -> None:
        """Raise ``ValueError`` unless a listing gives an image files, recorded ones for levels."""
        if not isinstance(places, tuple | list) or not places or not isinstance(places[-1], Place):
            raise ValueError(
                f"dataset '{self.name}': its listing gives image {image} {places!r:.60}, and "
                f"should give a tuple of paths, its clean file first"
            )
        if self.recorded and len(places) not in (1, 1 + len(self.levels)):
            levels = ", ".join(f"{level:g}" for level in self.levels)
            raise ValueError(
                f"dataset '{self.name}': its listing gives image {image} {len(places) - 1} noisy "
                f"files for level{'s' * (len(self.levels) != 1)} {levels}; it gives one for each "
                f"of self.levels"
            )

    @cached_property
    def _recent(self) -> Recent[list[np.ndarray]]:
        return Recent(RECENT, nbytes)

    @cached_property
    def _hashes(self) -> Hashes:
        return Hashes(self.hash_place)

    def _check_image(self, minimum: int, protocol: Protocol, image: str) -> int:
        for place in self._files[image]:
            self.check_place(place)
        height, width = self._pixels(image, protocol=protocol)[0].shape[:2]
        if min(height, width) < minimum:
            where = self._files[image][0] if self.crop is None else f"crop={self.crop}"
            raise ValueError(
                f"{where} gives an image of {width}x{height} pixels, but at least "
                f"{minimum}x{minimum} are needed; remove or enlarge it"
            )
        return height * width

    def _centre(self, image: str) -> tuple[int, int] | None:
        """The entry of an image in ``centres``, in whatever form of Unicode that has its names."""
        return {one_form(name): centre for name, centre in self.centres.items()}.get(image)

    def _places(self, image: str, level: float | None) -> tuple[Place, ...]:
        """Where an image is stored: clean, then noisy where there is such a version."""
        return self._files[image]

    def _pixels(
        self, image: str, level: float | None = None, protocol: Protocol = MASKED
    ) -> list[np.ndarray]:
        """The clean image and the noisy ones, or that of a level: read, compared, cropped."""
        image = one_form(image)
        if image not in self._files:
            raise ValueError(f"dataset '{self.name}' has no image '{image}' in {self.folder()}")
        paths = self._places(image, level)
        check_orientations(paths)
        arrays = [as_wanted(self.read_place(path), path, protocol) for path in paths]
        for path in paths:
            self._hashes.refuse_changed(path)
        check_sizes(paths, arrays)
        if self.crop is None:
            return arrays
        height, width = arrays[0].shape[:2]
        if self.crop > min(height, width):
            raise ValueError(
                f"crop={self.crop} does not fit into {paths[0]} of {width}x{height} pixels; "
                f"choose a smaller one or crop=null"
            )
        centre = self._centre(image) or (height // 2, width // 2)
        return [crop_around(pixels, centre, self.crop) for pixels in arrays]
