"""One cell of the grid: a model on a dataset under a noise at one level and seed."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from benchmark.files.names import check_name
from benchmark.files.whole import file_name


@dataclass(frozen=True, order=True)
class Cell:
    """One square of the grid: this model, this dataset, this noise at this level and seed."""

    model: str
    dataset: str
    noise: str
    level: float
    seed: int

    def __post_init__(self) -> None:
        """Raise ``ValueError`` if a name is none (see `check_name`) or the level is not finite."""
        for group, name in (("model", self.model), ("data", self.dataset), ("noise", self.noise)):
            check_name(group, name)
        if not math.isfinite(self.level):
            raise ValueError(f"the level of {self.noise} is {self.level}, no finite number")

    @property
    def condition(self) -> str:
        """The noise, its level and its seed as one word: ``gaussian-25-0``."""
        level = f"{self.level:.15g}"
        if float(level) != self.level:  # two levels that differ never share a file
            level = repr(self.level)
        return f"{_file_name(self.noise)}-{level}-{self.seed}"

    @property
    def parts(self) -> tuple[str, str, str]:
        """The parts of `path`, in whose order a store lists its cells."""
        return self.model, self.dataset, f"{self.condition}.json"

    @property
    def path(self) -> Path:
        """Where a store keeps this cell: ``masked/kodak24/gaussian-25-0.json``."""
        return Path(*self.parts)

    def pictures(self, image: str) -> Path:
        """Where a store keeps the pictures of an image: ``kodak24/gaussian-25-0/kodim01``."""
        return Path(self.dataset, self.condition, file_name(image))

    @property
    def recorded(self) -> bool:
        """Whether the dataset itself brings the noisy images: the noise has its name then."""
        return self.noise == self.dataset

    def __str__(self) -> str:
        return f"{self.model} on {self.dataset}, {self.noise} {self.level:g}, seed {self.seed}"


_file_name = lru_cache(4096)(file_name)  # many cells have one noise


def plan(
    models: Iterable[str],
    levels: Mapping[str, Mapping[str, Iterable[float]]],
    seeds: Iterable[int],
) -> Iterator[Cell]:
    """Every cell of the grid, models innermost, so that an unfinished run compares them fairly.

    Parameters
    ----------
    models
        Names, in the order they are to run.
    levels
        Dataset to noise to levels. A noise with its dataset's name is recorded there.
    seeds
        One noisy version of every image each; recorded noise has one, 0.
    """
    models, seeds = list(models), list(seeds)
    for dataset, noises in levels.items():
        for noise, its_levels in noises.items():
            for level in its_levels:
                for seed in [0] if noise == dataset else seeds:
                    for model in models:
                        yield Cell(model, dataset, noise, float(level), int(seed))
