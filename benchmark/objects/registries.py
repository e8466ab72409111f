"""The registries by the group of a command line, filled; to users, recorded noise is a noise."""

from benchmark.datasets import DATASETS, Dataset
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.denoiser.weights.load import shipped
from benchmark.metrics import METRICS
from benchmark.noise import NOISE_MODELS, Formula
from benchmark.objects.available import unavailable
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


def reason_of(group: str, cls: type) -> str:
    """Why ``all`` leaves a class out whatever else there is on the disk; empty if it does not."""
    if issubclass(cls, Denoiser):
        if cls.learned and not shipped(cls).is_file():
            return "no weights yet"
        return f"needs {cls.needs}" if cls.needs else ""
    if issubclass(cls, Formula):
        return "write one: noise='gaussian(25)+poisson(2)>>jpeg(50)'"
    if issubclass(cls, Dataset):
        if cls.split != "test":
            return "for training"
        if cls.recorded and group == "data":
            return f"recorded noise: noise={cls.name}"
        if cls.grey:
            return "grey images, for protocol=kair_grey"
    return ""


def available(group: str) -> list[str]:
    """The names which ``all`` chooses of a group: those whose packages, weights and data are here.

    What needs a setting of the user's, such as a file, is left out.
    """
    return [
        name
        for name, cls in sorted(registry_of(group).items())
        if not unavailable(
            getattr(cls, "package", ""),
            reason_of(group, cls),
            cls().status if issubclass(cls, Dataset) else None,
        )
    ]
