"""Clean images: embedded photographs, published sets, one's own folders."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from benchmark.datasets.dataset import DATASETS, Dataset
from benchmark.datasets.images import find_images
from benchmark.files.places import in_home


class OfScikitImage(Dataset):
    """Some of the pictures that scikit-image's wheel contains."""

    pictures: ClassVar[tuple[str, ...]]

    def searched(self) -> list[Path]:
        """scikit-image's own folder, found without importing scikit-image."""
        found = find_spec("skimage")
        return [Path(found.origin).parent / "data"] if found and found.origin else []

    def listing(self, folder: Path) -> dict[str, tuple[Path, ...]]:
        found = find_images(folder, quiet=True)  # the other files are scikit-image's
        return {name: (found[name],) for name in self.pictures if name in found}


@DATASETS.register("photos")
@dataclass(frozen=True)
class Photos(OfScikitImage):
    """Five colour photographs that scikit-image's wheel contains, each cut to its liveliest part.

    ``crop=None`` gives them whole, 300 to 512 pixels high.
    """

    cites = ("vanderwalt2014skimage", "scharstein2014middlebury")
    count = 5
    source = (
        "they are part of scikit-image, reinstall it (astronaut by NASA and rocket by SpaceX are "
        "in the public domain, chelsea and coffee CC0, motorcycle_left is from Middlebury Stereo "
        "2014, see https://vision.middlebury.edu/stereo/data)"
    )
    centres = {  # picked by eye: structure, texture and an even area in each
        "astronaut": (140, 204),
        "chelsea": (150, 232),
        "coffee": (212, 304),
        "motorcycle_left": (238, 440),
        "rocket": (299, 280),
    }
    pictures = tuple(centres)

    crop: int | None = 192


@DATASETS.register("ihc")
class IHC(OfScikitImage):
    """One 512x512 micrograph of stained colonic glands, from scikit-image's wheel.

    To train on immunohistochemistry alone and test on photographs: Figure 2 of masked training
    [1]_ in miniature, which has many images for it, those of the Human Protein Atlas.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023.
    """

    cites = ("vanderwalt2014skimage", "chen2023masked")
    split = "train"
    count = 1
    pictures = ("ihc",)
    source = (
        "it is part of scikit-image, reinstall it (acquired at the Center for Microscopy And "
        "Molecular Imaging, no known copyright restrictions, says scikit-image)"
    )


@DATASETS.register("kodak24")
class Kodak24(Dataset):
    """The 24 photographs of the Kodak suite as 500x500 crops: the set FFDNet was tested on."""

    cites = ("franzen1999kodak", "zhang2018ffdnet")
    count = 24
    source = (
        "bring it with: bench fetch kodak24 (testsets/Kodak24 of https://github.com/cszn/FFDNet; "
        "no licence stated there; the Kodak suite itself is commonly cited as released for "
        "unrestricted use)"
    )


@DATASETS.register("cbsd68")
class CBSD68(Dataset):
    """68 photographs of the Berkeley segmentation data set, 481x321 or 321x481."""

    cites = ("martin2001bsd",)
    count = 68
    source = (
        "bring it with: bench fetch cbsd68 (testsets/CBSD68 of https://github.com/cszn/FFDNet; no "
        "licence stated there; Berkeley offers the images for non-commercial research and "
        "education)"
    )


@DATASETS.register("mcmaster")
class McMaster(Dataset):
    """18 colourful 500x500 photographs, made to test demosaicking."""

    cites = ("zhang2011mcmaster",)
    count = 18
    source = (
        "bring it with: bench fetch mcmaster (testsets/McMaster of https://github.com/cszn/FFDNet; "
        "no licence stated there)"
    )


@DATASETS.register("urban100")
class Urban100(Dataset):
    """100 photographs of buildings, most of them 1024 pixels long: straight lines, repetition."""

    cites = ("huang2015urban100",)
    count = 100
    source = (
        "bring it with: bench fetch urban100 (the *_HR.png of data/Urban100/image_SRF_4 of "
        "https://github.com/jbhuang0604/SelfExSR, named img_001 to img_100; no licence stated "
        "there; photographs from Flickr under Creative Commons licences, says the paper)"
    )


@DATASETS.register("bsds400")
class BSDS400(Dataset):
    """The 200 train and 200 test images of BSDS500; none of them is in cbsd68."""

    cites = ("arbelaez2011bsds500",)
    split = "train"
    count = 400
    source = (
        "bring it with: bench fetch bsds400 (train and test of BSDS500/data/images of "
        "https://github.com/BIDS/BSDS500 in one folder; no licence stated there; Berkeley offers "
        "the images for non-commercial research and education)"
    )


@DATASETS.register("extra_train")
class ExtraTrain(Dataset):
    """129 photographs from free wallpapers and Sun-Hays 80, without visible noise."""

    cites = ("sun2012sunhays80",)
    split = "train"
    count = 129
    source = (
        "get 49 photographs of Debian's packages lomiri-wallpapers, mate-backgrounds, lxqt-themes, "
        "plasma-workspace-wallpapers and palapeli-data (free licences, which differ by file) and "
        "the 80 of Sun-Hays 80 of https://github.com/jbhuang0604/SelfExSR (no licence stated "
        "there), all reduced by a factor of at least 2 to at most 960 pixels"
    )


@DATASETS.register("folder")
@dataclass(frozen=True)
class Folder(Dataset):
    """Any folder of 8-bit RGB images.

    Parameters
    ----------
    path
        The folder. Its subfolders are not read, which a warning says if they have images.
    """

    source = "name a folder of 8-bit RGB images with data.folder.path=FOLDER"
    located = ("path",)

    path: str = ""

    def searched(self) -> list[Path]:
        return [in_home(self.path)] if self.path else []
