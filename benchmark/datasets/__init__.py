"""Where images come from: embedded photographs, published sets, one's own folders, real noise."""

from benchmark.datasets import clean, recorded  # noqa: F401
from benchmark.datasets.dataset import DATASETS, Dataset, Recorded, Sample

__all__ = ["DATASETS", "Dataset", "Recorded", "Sample"]
