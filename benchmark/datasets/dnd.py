"""DND: photographs whose clean images are on the benchmark's server alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmark.datasets.dataset import DATASETS
from benchmark.datasets.images import find_inside
from benchmark.datasets.matlab import open_hdf5, read_variable
from benchmark.datasets.recorded import Recorded
from benchmark.datasets.stored import file_of
from benchmark.pixels import crop_around
from benchmark.protocol import MASKED, Protocol

BRIGHTEST = 2.0  # a value beyond 1 may be, 255 may not


@DATASETS.register("dnd")
class DND(Recorded):
    """DND: 50 noisy photographs from four cameras, 20 boxes of 512x512 in each [1]_; no score here.

    The clean images are on the benchmark's server alone. `crops` gives the noisy boxes, and
    `benchmark.studies.submission` writes what the server takes. Reading needs the package h5py.

    References
    ----------
    .. [1] Plötz and Roth, "Benchmarking Denoising Algorithms with Real Photographs", CVPR 2017.
    """

    cites = ("plotz2017dnd",)
    count = 50
    source = (
        "get the benchmark data, 12.8 GB, of https://noise.visinf.tu-darmstadt.de/downloads and "
        "put info.mat and images_srgb there (terms: see that page; we know of no stated licence)"
    )
    boxes: ClassVar[int] = 20
    side: ClassVar[int] = 512

    def listing(self, folder: Path) -> dict[str, tuple[Path, ...]]:
        info, images = find_inside(folder, "info.mat"), find_inside(folder, "images_srgb")
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

    def _pixels(
        self, image: str, level: float | None = None, protocol: Protocol = MASKED
    ) -> list[np.ndarray]:
        raise self._unscored()

    def _unscored(self) -> ValueError:
        return ValueError(
            f"dataset '{self.name}' cannot be scored here, since only its server has the clean "
            f"images; write a submission with: bench submit"
        )

    def _boxes_of(self, image: str) -> list[np.ndarray]:
        path, info = map(file_of, self._files[image])
        noisy = read_variable(path, "InoisySRGB", self.source)
        if noisy.dtype.kind != "f" or noisy.ndim != 3 or not np.abs(noisy).max() <= BRIGHTEST:
            raise ValueError(
                f"{path} holds {noisy.dtype} {noisy.shape} as InoisySRGB, not (H, W, 3) "
                f"floating-point numbers in [0, 1]; {self.source}"
            )
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
            except Exception as error:  # a damaged file may raise anything
                raise ValueError(
                    f"{info} has no info.boundingboxes of image {number} ({error}); {self.source}"
                ) from None
