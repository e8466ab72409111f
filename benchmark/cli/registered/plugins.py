"""What a class of a plugin has to be, to stand beside ours: its base, name and signature."""

import inspect
import re
from dataclasses import MISSING, fields, is_dataclass

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from benchmark.cli.objects.schema import schema
from benchmark.datasets import Dataset
from benchmark.denoiser import Denoiser
from benchmark.metrics import Metric
from benchmark.noise import NoiseModel
from benchmark.noise.grammar import WORD
from benchmark.objects.registries import REGISTRIES, registry_of, suites
from benchmark.registry import Registry, load_plugins
from benchmark.signature import settings_of, with_fields

BASES = {"model": Denoiser, "noise": NoiseModel, "data": Dataset, "metric": Metric}
NEEDED = {  # what lists and tables read of a class
    "model": (),
    "noise": ("levels", "unit"),
    "data": ("source",),
    "metric": ("higher_is_better",),
}
RESERVED = {"all", "null", "none", "true", "false", "nan", "inf"}  # what else a choice can say


def load_fitting_plugins() -> None:
    """Fill the registries; a plugin's class that no config can describe is left out, and said."""
    load_plugins(REGISTRIES.values(), unfit)


def unfit(registry: Registry, cls: type) -> str | None:
    """Why a registered class cannot be offered to users, as the end of a sentence; None if it can.

    A class which passes can be listed, and its default settings composed.
    """
    group = next(group for group, found in REGISTRIES.items() if found is registry)
    base = BASES[group]
    if not (isinstance(cls, type) and issubclass(cls, base)):
        room = ".".join(base.__module__.split(".")[:2])  # which has the name that is promised
        return f"it is no subclass of {room}.{base.__qualname__}"
    if not re.fullmatch(WORD, cls.name, re.ASCII) or cls.name.lower() in RESERVED:
        return "its name should be letters, digits, '_', '-' and '.', and no word such as 'all'"
    if inspect.isabstract(cls):
        return f"it does not write {', '.join(sorted(cls.__abstractmethods__))}"
    for name in NEEDED[group]:
        if not hasattr(cls, name):
            return f"it does not say its {name}"
    for check in (_misspelled, _misfit, _clash, _without_status):
        if reason := check(group, cls):
            return reason
    return None


def _misspelled(group: str, cls: type) -> str | None:
    """What a class says of itself in another form than lists and tables read."""
    levels = getattr(cls, "levels", ())
    if not isinstance(levels, tuple | list) or not all(isinstance(x, int | float) for x in levels):
        return f"its levels are {levels!r}, and should be a tuple of numbers: levels = (5, 10)"
    for name in ("suites", "cites"):
        words = getattr(cls, name, ())
        if not isinstance(words, tuple | list) or not all(isinstance(x, str) for x in words):
            return f"its {name} are {words!r}, and should be a tuple of texts: {name} = ('mine',)"
    for field in fields(cls) if is_dataclass(cls) else ():
        value = getattr(cls, field.name, field.default)
        if field.default is not MISSING and value != field.default:
            return (
                f"it writes {field.name} = {value!r} without a type, so that {field.default!r} "
                f"stays the default; write it as '{field.name}: TYPE = ...' under @dataclass"
            )
    return None


def _misfit(group: str, cls: type) -> str | None:
    """The first keyword that a config cannot hold, and why."""
    try:
        parameters = settings_of(cls)
    except ValueError as error:
        return str(error).partition(": ")[2]
    for key, found in parameters.items():
        try:
            OmegaConf.structured(with_fields(type(cls.name, (), {}), {key: found}))
        except (OmegaConfBaseException, ValueError, TypeError) as error:
            reason = " ".join(str(error).split("full_key:")[0].split())
            return f"a config cannot hold its keyword '{key}': {reason}"
    unknown = [key for key in getattr(cls, "test_time", ()) if key not in parameters]
    if unknown:
        return f"test_time names '{unknown[0]}', which is no keyword of it"
    allowed = cls.test_time if getattr(cls, "learned", False) else parameters
    for name, settings in getattr(cls, "variants", {}).items():
        if unknown := [key for key in settings if key not in allowed]:
            return f"its variant '{name}' sets '{unknown[0]}', which is no setting at test time"
    schema(cls)
    return None


def _clash(group: str, cls: type) -> str | None:
    """Recorded noise is a noise to users, whose names have to differ from those of noise models."""
    if group in ("noise", "data"):
        try:
            registry_of("noise")
            names = suites()
        except ValueError as error:
            return str(error)
        if cls.name in names:
            return f"'{cls.name}' is the name of several noises at once"
    return None


def _without_status(group: str, cls: type) -> str | None:
    """What a dataset raises where it should say what there is of it."""
    if not issubclass(cls, Dataset):
        return None
    try:
        cls().status()
    except Exception as error:  # a stranger's code; ours have a test of their own
        return f"it cannot say what there is of it: {type(error).__name__}: {error}"
    return None
