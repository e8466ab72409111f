"""Monte-Carlo noise: pictures of few samples per pixel, our own and those of others."""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.datasets import DATASETS, Recorded
from benchmark.files.places import in_home
from benchmark.noise import to_uint8
from benchmark.rendering.exr import read_exr
from benchmark.rendering.tone_mapping import TONE_MAPS, tone_map

RENDER = re.compile(r"(.+)_(\d+)spp(?:\.input)?(?:\.hdr)?\.(?:png|exr)", re.IGNORECASE)
PICTURES = (".png", ".exr")
NAMED = 5  # pictures named in a warning


@DATASETS.register("mc_render")
@dataclass(frozen=True)
class MonteCarlo(Recorded):
    """Path-traced pictures of few samples per pixel, each with a reference of very many.

    The levels are those of masked training's paper [1]_, fewer samples being harder. Its pictures
    are from the test set of Firmino et al. [2]_, which has references of 32768 samples per pixel
    and can be read here; without it there are six 256x256 pictures of our own. These commands made
    them, with LLVM 19::

        bench render variant=llvm_ad_rgb scenes=[depth_of_field,glossy,indirect,textured,fog]
        bench render variant=llvm_ad_rgb scenes=caustic reference=16384

    Parameters
    ----------
    levels
        Samples per pixel of the noisy pictures. Every scene needs all of them.
    path
        A folder with files ``SCENE_SPPspp``, of which the highest SPP of a scene is the clean one:
        tone-mapped ``.png`` as ``bench render`` and IDF [3]_ have them, or ``.exr`` in linear light
        as in [2]_, also ``.hdr.exr`` and ``.input.hdr.exr``. Empty: our own pictures.
    tonemap
        How EXR files become 8-bit sRGB; see `benchmark.rendering.tone_mapping.tone_map`. The
        paper's is not known.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023.
    .. [2] Firmino et al., "Progressive Denoising of Monte Carlo Rendered Images", Computer
       Graphics Forum 41, 2022; code: github.com/ArthurFirmino/progressive-denoising, layout in
       scripts/analysis.py, layers in oidn_patch/pd.patch.
    .. [3] Kim et al., "IDF: Iterative Dynamic Filtering Networks for Generalizable Image
       Denoising", ICCV 2025; github.com/dongjinkim9/IDF.
    """

    cites = ("chen2023masked", "firmino2022progressive", "kim2025idf")
    family = "rendering"
    unit = "samples per pixel"
    note = "six scenes of our own, not the paper's test set, unless path=FOLDER names another"
    suites = ("paper",)
    source = (
        "render a folder with bench render, or get data/raw/testing.zip as "
        "https://github.com/ArthurFirmino/progressive-denoising says (no licence stated there), "
        "and name it with noise.mc_render.path=FOLDER"
    )
    located = ("path",)

    levels: tuple[float, ...] = (128, 64)
    path: str = ""
    tonemap: str = "clip"

    def __post_init__(self):
        super().__post_init__()
        if self.tonemap not in TONE_MAPS:
            raise ValueError(f"unknown tonemap '{self.tonemap}'; known: {', '.join(TONE_MAPS)}")
        if not self.levels or not all(level >= 1 and level == int(level) for level in self.levels):
            raise ValueError(
                f"mc_render needs whole levels >= 1 ({self.unit}), got {list(self.levels)}"
            )

    def searched(self) -> list[Path]:
        """The folder named, or the one beside this file."""
        return [in_home(self.path) if self.path else Path(__file__).parent / "mc_render"]

    def listing(self, folder: Path) -> dict[str, tuple[Path, ...]]:
        """Each scene's reference, then its noisy picture at each level.

        Raises
        ------
        ValueError
            If a scene lacks a level or a reference above it, or has a picture twice.
        """
        scenes: dict[str, dict[int, Path]] = {}
        unread = []
        for path in sorted(folder.iterdir()):
            match = RENDER.fullmatch(path.name)
            if match is None or path.name.startswith("."):
                named = re.search(r"_\d+spp\.", path.name)  # of a further kind, as .sure.exr
                if path.suffix.lower() in PICTURES and not named and path.name[0] != ".":
                    unread.append(path.name)
                continue
            twin = scenes.setdefault(match[1], {}).setdefault(int(match[2]), path)
            if twin is not path:
                raise ValueError(f"{twin} and {path} are the same picture; remove one of them")
        if unread:
            warnings.warn(
                f"{folder} has pictures which are not called SCENE_SPPspp and are not read: "
                f"{', '.join(unread[:NAMED])}{' ...' if len(unread) > NAMED else ''}",
                stacklevel=2,
            )
        return {name: self._pictures(folder, name, found) for name, found in scenes.items()}

    def _pictures(self, folder: Path, name: str, found: dict[int, Path]) -> tuple[Path, ...]:
        reference = max(found)
        for level in self.levels:
            if level not in found or level >= reference:
                raise ValueError(
                    f"{folder} has {name} with {', '.join(map(str, sorted(found)))} spp, but level "
                    f"{level:g} needs a picture of its own and a reference above it; add them, "
                    f"remove {name}, or choose other levels"
                )
        return (found[reference], *(found[int(level)] for level in self.levels))

    def read_place(self, place: Path) -> np.ndarray:
        if place.suffix.lower() != ".exr":
            return super().read_place(place)
        return to_uint8(tone_map(read_exr(place), self.tonemap))

    def check_place(self, place: Path) -> None:
        if place.suffix.lower() != ".exr":
            super().check_place(place)
