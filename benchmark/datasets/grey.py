"""Sets of grey images, for protocols of grey images alone."""

from benchmark.datasets.dataset import DATASETS, Dataset


@DATASETS.register("set12")
class Set12(Dataset):
    """Twelve grey pictures, 256x256 and 512x512, which grey denoisers are tested on.

    BSD68, the other usual set, is ``cbsd68`` under a protocol of grey images, to the bit.
    """

    cites = ("zhang2018ffdnet",)
    grey = True
    count = 12
    source = (
        "bring it with: bench fetch set12 (testsets/Set12 of https://github.com/cszn/FFDNet; no "
        "licence stated there)"
    )
