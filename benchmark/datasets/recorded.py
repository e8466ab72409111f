"""Recorded noise: what it is, sets of pairs, and where each image's clean and noisy files are."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchmark.datasets.clean import Folder
from benchmark.datasets.dataset import DATASETS, Dataset
from benchmark.datasets.images import find_images
from benchmark.datasets.stored import Place


@dataclass(frozen=True)
class Recorded(Dataset):
    """Images which bring noisy versions of themselves: a noise like any other to its users.

    ``noise=NAME`` scores it, on its own images. ``listing`` gives each image's clean file, then
    its noisy ones, one a level; ``levels`` is a field where there are several.
    """

    recorded = True
    family: ClassVar[str] = "recorded"
    suites: ClassVar[tuple[str, ...]] = ()  # names which choose several noises at once: noise=paper
    in_key: ClassVar[tuple[str, ...]] = ("levels",)  # settings which a cell's key tells

    def _places(self, image: str, level: float | None) -> tuple[Place, ...]:
        places = self._files[image]
        return places if level is None else (places[0], places[1 + self.levels.index(level)])


def paired(clean: dict[str, Path], noisy: dict[str, Path]) -> dict[str, tuple[Path, Path]]:
    """The clean and the noisy file of each name.

    Raises
    ------
    ValueError
        If a name has one of them only.
    """
    for name, path in {**noisy, **clean}.items():
        if name not in noisy or name not in clean:
            missing = "clean" if name in noisy else "noisy"
            raise ValueError(f"{path} has no {missing} partner; add it or remove this one")
    return {name: (clean[name], noisy[name]) for name in clean}


@DATASETS.register("pairs")
@dataclass(frozen=True)
class Pairs(Recorded, Folder):
    """Real noise: noisy images and a clean reference of each, in a folder of one of two layouts.

    Either two subfolders hold a file of the same stem for each pair, or the files are called
    ``NAME_real.*`` (noisy) and ``NAME_mean.*`` (clean) as in PolyU [1]_.

    Parameters
    ----------
    noisy, clean
        The names of the two subfolders.

    References
    ----------
    .. [1] https://github.com/csjunxu/PolyU-Real-World-Noisy-Images-Dataset, CroppedImages.
    """

    source = (
        "name a folder with noise.pairs.path=FOLDER which has the subfolders noisy and clean "
        "(others: noise.pairs.noisy=NAME and .clean=NAME) or files NAME_real.* and NAME_mean.*"
    )

    noisy: str = "noisy"
    clean: str = "clean"

    def listing(self, folder: Path) -> dict[str, tuple[Path, ...]]:
        """The pairs by name, each its clean and its noisy file.

        Raises
        ------
        ValueError
            If an image has no partner, the two subfolders are one, or the folder neither layout.
        """
        if (folder / self.noisy).resolve() == (folder / self.clean).resolve():
            raise ValueError(
                f"the noisy and the clean images of dataset '{self.name}' would both be those of "
                f"{folder / self.noisy}; name two subfolders with noise.{self.name}.noisy=NAME and "
                f"noise.{self.name}.clean=NAME"
            )
        if (folder / self.noisy).is_dir() and (folder / self.clean).is_dir():
            noisy, clean = find_images(folder / self.noisy), find_images(folder / self.clean)
        else:
            noisy, clean = self._by_suffix(folder)
        return paired(clean, noisy)

    def _by_suffix(self, folder: Path) -> tuple[dict[str, Path], dict[str, Path]]:
        sides: dict[str, dict[str, Path]] = {"real": {}, "mean": {}}
        for stem, path in find_images(folder).items():
            name, _, side = stem.rpartition("_")
            if side not in sides:
                raise ValueError(
                    f"{path} is named neither NAME_real nor NAME_mean, and {folder} has no "
                    f"subfolders {self.noisy} and {self.clean}; rename it or remove it"
                )
            sides[side][name] = path
        return sides["real"], sides["mean"]


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

    cites = ("xu2018polyu",)
    count = 100
    subfolder = "CroppedImages"
    source = (
        "bring it with: bench fetch polyu (CroppedImages of "
        "https://github.com/csjunxu/PolyU-Real-World-Noisy-Images-Dataset; copyright The Hong Kong "
        "Polytechnic University, for non-commercial purposes only)"
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

    cites = ("nam2016cc", "xu2017mcwnnm")
    count = 15
    subfolder = "Real_ccnoise_denoised_part"
    source = (
        "bring it with: bench fetch cc (Real_ccnoise_denoised_part of "
        "https://github.com/csjunxu/MCWNNM-ICCV2017; that repository is for non-commercial "
        "purposes only; no licence of the photographs is stated)"
    )
