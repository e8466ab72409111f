"""The registries by the group of a command line, filled; to users, recorded noise is a noise."""

from benchmark.datasets import DATASETS
from benchmark.denoiser import DENOISERS
from benchmark.metrics import METRICS
from benchmark.noise import NOISE_MODELS
from benchmark.registry import Registry

REGISTRIES = {"model": DENOISERS, "noise": NOISE_MODELS, "data": DATASETS, "metric": METRICS}


def registry_of(group: str) -> Registry:
    """What a group's names stand for; to users, recorded noise is a noise like any other.

    Raises
    ------
    ValueError
        If a noise model and a dataset with recorded noise have one name.
    """
    if group != "noise":
        return REGISTRIES[group]
    recorded = {name: cls for name, cls in DATASETS.items() if cls.recorded}
    for name in recorded.keys() & NOISE_MODELS.keys():
        raise ValueError(f"'{name}' is a noise model and a dataset with recorded noise; rename one")
    noises = Registry(NOISE_MODELS.kind)
    noises.data.update({**NOISE_MODELS, **recorded})
    return noises


def suites() -> dict[str, list[str]]:
    """The names which choose several noises at once, beside ``all``, and the noises of each."""
    found: dict[str, list[str]] = {}
    for name, cls in sorted(registry_of("noise").items()):
        for suite in cls.suites:
            found.setdefault(suite, []).append(name)
    return found
