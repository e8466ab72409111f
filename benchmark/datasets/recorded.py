"""Real noise: published photographs of real sensors, and where each one's clean image is."""

import hashlib
import math
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import scipy  # loads io when it is first used

from benchmark.datasets.clean import paired
from benchmark.datasets.dataset import DATASETS, Block, Recorded
from benchmark.datasets.images import SUFFIXES, find_images, image_name, twins
from benchmark.pixels import crop_around

if TYPE_CHECKING:
    import h5py

HDF5 = b"\x89HDF\r\n\x1a\n"
HDF5_AT = (0, 512)  # a MATLAB 7.3 file is HDF5 behind a header of 512 bytes
STRETCH = 2048  # values of each block moved at a time: what fits into a processor's cache
LOADING = threading.Lock()  # a digest reads blocks in threads: one loads a file, the others wait


class RealAndMean(Recorded):
    """Files ``NAME_real.*``, noisy, beside ``NAME_mean.*``, the mean of many shots; no others."""

    subfolder: ClassVar[str]  # where they are in the download; the folder itself will do

    def listing(self, folder: Path) -> dict[str, tuple[Path, ...]]:
        if (folder / self.subfolder).is_dir():
            folder /= self.subfolder
        sides: dict[str, dict[str, Path]] = {"mean": {}, "real": {}}
        for stem, path in find_images(folder).items():
            name, _, side = stem.rpartition("_")
            if side in sides:
                sides[side][name] = path
        return paired(sides["mean"], sides["real"])


@DATASETS.register("polyu")
class PolyU(RealAndMean):
    """PolyU: 100 crops of 512x512 from 40 scenes and five cameras, as JPEG [1]_.

    The noisy images have 35.97 dB on average, 31.09 to 41.00 (measured, nothing cut off).

    References
    ----------
    .. [1] Xu et al., "Real-world Noisy Image Denoising: A New Benchmark", arXiv:1804.02603, 2018.
    """

    count = 100
    subfolder = "CroppedImages"
    source = (
        "get CroppedImages of https://github.com/csjunxu/PolyU-Real-World-Noisy-Images-Dataset "
        "(copyright The Hong Kong Polytechnic University, for non-commercial purposes only)"
    )


@DATASETS.register("cc")
class CC(RealAndMean):
    """CC: 15 crops of 512x512 from three cameras [1]_, in a choice that is often tested [2]_.

    The noisy images have 33.41 dB on average, 29.63 to 37.00 (measured, nothing cut off).

    References
    ----------
    .. [1] Nam et al., "A Holistic Approach to Cross-Channel Image Noise Modeling and its
       Application to Image Denoising", CVPR 2016.
    .. [2] Xu et al., "Multi-channel Weighted Nuclear Norm Minimization for Real Color Image
       Denoising", ICCV 2017; https://github.com/csjunxu/MCWNNM-ICCV2017, whose files
       ``NAME_ours.png`` are results and left out.
    """

    count = 15
    subfolder = "Real_ccnoise_denoised_part"
    source = (
        "get Real_ccnoise_denoised_part of https://github.com/csjunxu/MCWNNM-ICCV2017 (that "
        "repository is for non-commercial purposes only; no licence of the photographs is stated)"
    )


@DATASETS.register("sidd")
@dataclass(frozen=True)
class SIDD(Recorded):
    """SIDD: smartphone photographs [1]_, any published sRGB part that has clean images.

    The official protocol is that of ``validation``: each of its 1280 blocks of 256x256 is an image,
    compared in 8 bits without cutting off a border. The name of an image begins with its part.

    Parameters
    ----------
    part
        ``validation``: ``ValidationNoisyBlocksSrgb.mat`` and ``ValidationGtBlocksSrgb.mat``.
        ``medium``: 320 whole photographs, the folder ``SIDD_Medium_Srgb``, which most denoisers of
        real noise were trained on: no fair test of those. ``small``: 160 of them, the folder
        ``SIDD_Small_sRGB_Only``. ``plus``: the 1024 validation images of SIDD+ [2]_,
        ``siddplus_valid_noisy_srgb`` and ``siddplus_valid_gt_srgb``, both ``.mat`` or both folders
        of images. ``auto``: the first of these, in this order, of which there is anything.

    References
    ----------
    .. [1] Abdelhamed et al., "A High-Quality Denoising Dataset for Smartphone Cameras", CVPR 2018.
    .. [2] Abdelhamed et al., "NTIRE 2020 Challenge on Real Image Denoising: Dataset, Methods and
       Results", CVPR Workshops 2020.
    """

    border = 0
    source = (
        "get one of its parts from https://abdokamel.github.io/sidd and put it there as downloaded "
        "(MIT License, as others quote that page; SIDD+ for open research and education only)"
    )
    arrays: ClassVar[Mapping[str, tuple[str, str]]] = {  # clean and noisy: file and variable
        "validation": ("ValidationGtBlocksSrgb", "ValidationNoisyBlocksSrgb"),
        "plus": ("siddplus_valid_gt_srgb", "siddplus_valid_noisy_srgb"),
    }
    shapes: ClassVar[Mapping[str, tuple[int, ...]]] = {
        "validation": (40, 32, 256, 256, 3),
        "plus": (1024, 256, 256, 3),
    }
    folders: ClassVar[Mapping[str, str]] = {
        "medium": "SIDD_Medium_Srgb",
        "small": "SIDD_Small_sRGB_Only",
    }
    pairs: ClassVar[Mapping[str, int]] = {"medium": 320, "small": 160}
    parts: ClassVar[tuple[str, ...]] = ("validation", "medium", "small", "plus")

    part: str = "auto"

    def __post_init__(self):
        super().__post_init__()
        if self.part not in ("auto", *self.parts):
            raise ValueError(
                f"part of dataset '{self.name}' is auto, {', '.join(self.parts[:-1])} or "
                f"{self.parts[-1]}, got '{self.part}'"
            )

    @cached_property
    def chosen(self) -> str:
        """The part that is used.

        Raises
        ------
        ValueError
            If nothing of it is there.
        """
        wanted = self.parts if self.part == "auto" else (self.part,)
        for part in wanted:
            if any(_find(self.folder(), name) for name in self._looked_for(part)):
                return part
        names = [name for part in wanted for name in self._looked_for(part)]
        raise ValueError(
            f"dataset '{self.name}', part={self.part}: neither {self.folder()} nor a folder in it "
            f"has {' or '.join(names)}; {self.source}"
        )

    @property
    def count(self) -> int | None:
        """How many images the part has; None if no part was named and there is none."""
        try:
            part = self.chosen
        except ValueError:
            part = self.part
        return math.prod(self.shapes[part][:-3]) if part in self.shapes else self.pairs.get(part)

    def listing(self, folder: Path) -> dict[str, tuple[Path | Block, ...]]:
        part = self.chosen
        if part in self.folders:
            places = _scenes(_find(folder, self.folders[part]))
        else:
            places = self._blocks(folder, part)
        return {f"{part}-{name}": place for name, place in places.items()}

    def read_place(self, place: Path | Block) -> np.ndarray:
        if isinstance(place, Path):
            return super().read_place(place)
        with LOADING:
            if place.path not in self._loaded:
                self._loaded[place.path] = self._load(place.path)
            blocks = self._loaded[place.path]
        shape = self.shapes[self.chosen]
        row = np.ravel_multi_index(place.index, shape[:-3], order="F")
        return np.ascontiguousarray(blocks[row].reshape(shape[-3:], order="F"))

    def check_place(self, place: Path | Block) -> None:
        if isinstance(place, Path):
            super().check_place(place)  # a block is not read unless its whole file is

    def hash_place(self, place: Path | Block) -> str:
        if isinstance(place, Path):
            return super().hash_place(place)
        return hashlib.sha256(self.read_place(place).tobytes()).hexdigest()

    @cached_property
    def _loaded(self) -> dict[Path, np.ndarray]:
        return {}

    def _looked_for(self, part: str) -> list[str]:
        if part in self.folders:
            return [self.folders[part]]
        return [f"{name}{suffix}" for suffix in (".mat", "") for name in self.arrays[part]]

    def _blocks(self, folder: Path, part: str) -> dict[str, tuple[Path | Block, ...]]:
        found = [_find(folder, name) for name in self._looked_for(part)]
        arrays, folders = found[:2], found[2:]
        if all(arrays):
            counts = self.shapes[part][:-3]
            return {
                "-".join(f"{i:0{len(str(n - 1))}}" for i, n in zip(index, counts, strict=True)): (
                    *(Block(path, index) for path in arrays),
                )
                for index in np.ndindex(counts)
            }
        if all(folders):
            return paired(*(find_images(path) for path in folders))
        there = " and ".join(str(path) for path in found if path)
        clean, noisy = self.arrays[part]
        raise ValueError(
            f"dataset '{self.name}', part {part}, is {clean} and {noisy}, both .mat or both "
            f"folders of images, but there is only {there}; {self.source}"
        )

    def _load(self, path: Path) -> np.ndarray:
        """A row for each block, its values in MATLAB's order, which in the file scatters them."""
        blocks = read_variable(path, path.stem, self.source)
        shape = self.shapes[self.chosen]
        if blocks.shape != shape or blocks.dtype != np.uint8:
            raise ValueError(
                f"{path} holds {blocks.dtype} {blocks.shape}, but this part of the dataset is "
                f"uint8 {shape}; {self.source}"
            )
        scattered = blocks.reshape(math.prod(shape[:-3]), -1, order="F")
        gathered = np.empty(scattered.shape, np.uint8)
        for start in range(0, scattered.shape[1], STRETCH):  # at once takes five times as long
            stretch = slice(start, start + STRETCH)
            gathered[:, stretch] = scattered[:, stretch]
        return gathered


@DATASETS.register("dnd")
class DND(Recorded):
    """DND: 50 noisy photographs from four cameras, 20 boxes of 512x512 in each [1]_; no score here.

    The clean images are on the benchmark's server alone. `crops` gives the noisy boxes, and
    `benchmark.studies.submission` writes what the server takes. Reading needs the package h5py.

    References
    ----------
    .. [1] Plötz and Roth, "Benchmarking Denoising Algorithms with Real Photographs", CVPR 2017.
    """

    count = 50
    source = (
        "get the benchmark data, 12.8 GB, of https://noise.visinf.tu-darmstadt.de/downloads and "
        "put info.mat and images_srgb there (terms: see that page; we know of no stated licence)"
    )
    boxes: ClassVar[int] = 20
    side: ClassVar[int] = 512

    def listing(self, folder: Path) -> dict[str, tuple[Path, ...]]:
        info, images = _find(folder, "info.mat"), _find(folder, "images_srgb")
        if info is None or images is None:
            raise ValueError(
                f"dataset '{self.name}': neither {folder} nor a folder in it has info.mat and "
                f"images_srgb; {self.source}"
            )
        return {path.stem: (path, info) for path in images.glob("[0-9]*.mat")}

    def __post_init__(self):
        super().__post_init__()
        if self.crop is not None and self.crop > self.side:
            raise ValueError(
                f"crop={self.crop} does not fit into the boxes of dataset '{self.name}', which are "
                f"{self.side}x{self.side} pixels; choose a smaller one or crop=null"
            )

    def images(self) -> list[str]:
        """Raise ``ValueError``: there is nothing here to compare with."""
        super().images()
        raise self._unscored()

    def crops(self) -> Iterator[tuple[str, list[np.ndarray]]]:
        """Each photograph's name and its noisy boxes, in the benchmark's order.

        A box is (512, 512, 3) float32 RGB in [0, 1], not rounded to 8 bits; with ``crop``, its
        middle. ``limit`` counts photographs.

        Raises
        ------
        ValueError
            If h5py or files are missing, or hold something else than expected.
        """
        for image in super().images():
            yield image, self._boxes_of(image)

    def _pixels(self, image: str, level: float | None = None) -> list[np.ndarray]:
        raise self._unscored()

    def _unscored(self) -> ValueError:
        return ValueError(
            f"dataset '{self.name}' cannot be scored here, since only its server has the clean "
            f"images; write a submission with: bench submit"
        )

    def _boxes_of(self, image: str) -> list[np.ndarray]:
        path, info = self._files[image]
        noisy = read_variable(path, "InoisySRGB", self.source)
        found = [
            noisy[top - 1 : bottom, left - 1 : right]  # MATLAB counts from 1 and includes the end
            for top, left, bottom, right in self._corners(info, int(image))
        ]
        shape = (self.side, self.side, 3)
        if len(found) != self.boxes or any(box.shape != shape for box in found):
            raise ValueError(
                f"{info} gives {path} of {noisy.shape} other boxes than {self.boxes} of {shape}; "
                f"{self.source}"
            )
        size, middle = self.crop or self.side, (self.side // 2, self.side // 2)
        cut = [crop_around(box, middle, size) for box in found]
        return [np.clip(box, 0, 1).astype(np.float32) for box in cut]

    def _corners(self, info: Path, number: int) -> np.ndarray:
        """(20, 4) whole numbers: the first and the last row and column of a photograph's boxes."""
        with open_hdf5(info, self.source) as file:
            try:
                references = file["info/boundingboxes"][()].ravel()  # a MATLAB cell
                return file[references[number - 1]][()].T.astype(int)
            except (KeyError, IndexError) as error:
                raise ValueError(
                    f"{info} has no info.boundingboxes of image {number} ({error}); {self.source}"
                ) from None


def read_variable(path: Path, name: str, advice: str) -> np.ndarray:
    """One variable of a MATLAB file of any version, in the shape it has in MATLAB.

    Parameters
    ----------
    advice
        What to do about a wrong file; ends an error message.

    Raises
    ------
    ValueError
        If the file is damaged, lacks the variable, or needs h5py, which is not installed.
    """
    if is_hdf5(path):
        with open_hdf5(path, advice) as file:
            found = {key: file[key][()].T for key in file if key == name}
            known = sorted(file)
    else:
        try:
            found = scipy.io.loadmat(path, variable_names=[name])
            known = [key for key, *_ in scipy.io.whosmat(path)]
        except Exception as error:  # a damaged file may raise anything in the parser
            raise ValueError(f"{path} cannot be read ({error}); {advice}") from error
    if name not in found:
        raise ValueError(f"{path} has no variable {name}, only {', '.join(known)}; {advice}")
    return found[name]


def is_hdf5(path: Path) -> bool:
    """Whether a MATLAB file has version 7.3, which is HDF5."""
    with path.open("rb") as file:
        start = file.read(max(HDF5_AT) + len(HDF5))
    return any(start.startswith(HDF5, place) for place in HDF5_AT)


def open_hdf5(path: Path, advice: str) -> "h5py.File":
    """Open a MATLAB 7.3 file for reading; raises as `read_variable` does."""
    try:
        import h5py
    except ImportError:
        raise ValueError(
            f"{path} is a MATLAB 7.3 file, which needs the package h5py: pip install h5py"
        ) from None
    try:
        return h5py.File(path)
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error}); {advice}") from error


def _find(folder: Path, name: str) -> Path | None:
    """A file or folder of that name in the folder, or in a subfolder of it."""
    around = [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]
    return next((path / name for path in around if (path / name).exists()), None)


def _scenes(root: Path) -> dict[str, tuple[Path, Path]]:
    """Pairs ``SCENE/0001_GT_SRGB_010.PNG`` and ``SCENE/0001_NOISY_SRGB_010.PNG``, number or not."""
    sides: dict[str, dict[str, Path]] = {"GT": {}, "NOISY": {}}
    for path in root.rglob("[!.]*_SRGB*"):
        prefix, _, number = path.stem.partition("_SRGB")
        side = prefix.rpartition("_")[2]
        if side in sides and path.suffix.lower() in SUFFIXES:
            image_name(path)  # it is a file, and its name is text
            name = f"{path.parent.name}{number}"
            twin = sides[side].setdefault(name, path)
            if twin is not path:
                raise ValueError(twins(name, twin, path))
    return paired(sides["GT"], sides["NOISY"])
