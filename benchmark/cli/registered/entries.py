"""What the catalogue says of a registered class."""

from typing import Any

from benchmark.cli.registered.catalogue import Described, Entry
from benchmark.datasets import Dataset
from benchmark.denoiser import Denoiser
from benchmark.denoiser.weights.load import read_header, shipped
from benchmark.denoiser.weights.sizes import size_of
from benchmark.metrics import Metric
from benchmark.noise import NoiseModel
from benchmark.objects.building import settable
from benchmark.objects.registries import reason_of
from benchmark.registry import summary
from benchmark.signature import (
    Parameters,
    choices_of,
    plain_type,
    settings_of,
    spelled,
    spelled_type,
)


def entry_of(group: str, cls: type) -> Entry:
    """What there is to know of a class of a group without looking at data or other packages."""
    parameters = settings_of(cls)
    reason = reason_of(group, cls)
    return Entry(
        name=cls.name,
        summary=summary(cls),
        settings=_described(settable(cls)),
        signature=_described(parameters),
        details=_details(cls),
        choices=[
            f"{key}: {', '.join(choices_of(annotation))}"
            for key, (annotation, _) in parameters.items()
            if choices_of(annotation)
        ],
        suites=list(getattr(cls, "suites", ())),
        sizes=list(getattr(cls, "sizes", ())),
        reason=reason,
        package=getattr(cls, "package", None) or "",
        module=cls.__module__ if issubclass(cls, Dataset) else "",
        compared_with=getattr(cls, "compared_with", None) or "",
        family=getattr(cls, "family", ""),
        trains=issubclass(cls, NoiseModel) or (issubclass(cls, Denoiser) and cls.learned),
    )


def _described(parameters: Parameters) -> Described:
    return {
        key: [spelled_type(plain_type(annotation)), spelled(default)]
        for key, (annotation, default) in parameters.items()
    }


def _details(cls: type) -> list[str]:
    if issubclass(cls, Metric):
        return ["higher is better" if cls.higher_is_better else "lower is better"]
    if issubclass(cls, Denoiser):
        return [f"trained: {_trained(cls)}"] if cls.learned and shipped(cls).is_file() else []
    lines = []
    if getattr(cls, "unit", ""):
        lines = [f"levels {' '.join(f'{level:g}' for level in cls.levels)}: {cls.unit}"]
    lines += [f"family: {cls.family}"] if getattr(cls, "family", "") else []
    return lines + ([cls.note] if getattr(cls, "note", "") else [])


def _trained(cls: type[Denoiser]) -> str:
    """What the weights that ship were trained on, or what is wrong with them."""
    try:
        header: Any = read_header(shipped(cls))
    except ValueError as error:
        return str(error)
    training = header["training"]
    steps = training.get("steps", training["recipe"]["steps"])
    noise, recipe = training["noise"]["of"], training["recipe"]
    return (
        f"{noise} {training['level']:g}, size {size_of(header)}, "
        f"{steps} steps of {recipe['batch']} crops of {recipe['patch']}x{recipe['patch']}"
    )
