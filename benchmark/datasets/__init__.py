"""Where images come from: embedded photographs, published sets, one's own folders, real noise."""

from benchmark.datasets.clean import Folder
from benchmark.datasets.dataset import DATASETS, Dataset, Sample
from benchmark.datasets.dnd import DND
from benchmark.datasets.grey import Set12
from benchmark.datasets.recorded import Pairs, Recorded
from benchmark.datasets.sidd import SIDD

__all__ = ["DATASETS", "DND", "SIDD", "Dataset", "Folder", "Pairs", "Recorded", "Sample", "Set12"]
