"""SIDD: its published parts, which are arrays of blocks, folders of scenes, or both."""

import hashlib
import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmark.datasets.dataset import DATASETS
from benchmark.datasets.images import SUFFIXES, find_images, find_inside, image_name, twins
from benchmark.datasets.matlab import read_variable
from benchmark.datasets.recorded import Recorded, paired
from benchmark.datasets.stored import Block, Place

STRETCH = 2048  # values of each block moved at a time: what fits into a processor's cache
LOADING = threading.Lock()  # a digest reads blocks in threads: one loads a file, the others wait


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

    cites = ("abdelhamed2018sidd", "abdelhamed2020ntire")
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
    subfolders: ClassVar[Mapping[str, str]] = {
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
            if any(find_inside(self.folder(), name) for name in self._looked_for(part)):
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

    def listing(self, folder: Path) -> Mapping[str, tuple[Place, ...]]:
        part = self.chosen
        if part in self.subfolders:
            root = find_inside(folder, self.subfolders[part])
            places = _scenes(root) if root else {}
        else:
            places = self._blocks(folder, part)
        return {f"{part}-{name}": place for name, place in places.items()}

    def read_place(self, place: Place) -> np.ndarray:
        if isinstance(place, Path):
            return super().read_place(place)
        with LOADING:
            if place.path not in self._loaded:
                self._loaded[place.path] = self._load(place.path)
            blocks = self._loaded[place.path]
        shape = self.shapes[self.chosen]
        row = np.ravel_multi_index(place.index, shape[:-3], order="F")
        return np.ascontiguousarray(blocks[row].reshape(shape[-3:], order="F"))

    def check_place(self, place: Place) -> None:
        if isinstance(place, Path):
            super().check_place(place)  # a block is not read unless its whole file is

    def hash_place(self, place: Place) -> str:
        if isinstance(place, Path):
            return super().hash_place(place)
        return hashlib.sha256(self.read_place(place).tobytes()).hexdigest()

    @cached_property
    def _loaded(self) -> dict[Path, np.ndarray]:
        return {}

    def _looked_for(self, part: str) -> list[str]:
        if part in self.subfolders:
            return [self.subfolders[part]]
        return [f"{name}{suffix}" for suffix in (".mat", "") for name in self.arrays[part]]

    def _blocks(self, folder: Path, part: str) -> Mapping[str, tuple[Place, ...]]:
        names = self._looked_for(part)
        found = {name: path for name in names if (path := find_inside(folder, name))}
        clean, noisy = self.arrays[part]
        if {f"{clean}.mat", f"{noisy}.mat"} <= found.keys():
            arrays, counts = (found[f"{clean}.mat"], found[f"{noisy}.mat"]), self.shapes[part][:-3]
            return {
                "-".join(f"{i:0{len(str(n - 1))}}" for i, n in zip(index, counts, strict=True)): (
                    *(Block(path, index) for path in arrays),
                )
                for index in np.ndindex(counts)
            }
        if {clean, noisy} <= found.keys():
            return paired(find_images(found[clean]), find_images(found[noisy]))
        there = " and ".join(map(str, found.values()))
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
