"""Objects of specs, and what a cell's file says of each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.denoiser import Denoiser
from benchmark.denoiser.weights.load import load_network, weights_path
from benchmark.objects.spec import Spec, Specs
from benchmark.settings import content_of, identity_of
from benchmark.signature import Parameters, settings_of, spelled

Settings = Mapping[str, object]


@dataclass(frozen=True)
class Chosen:
    """An object, and what a cell's file says of it."""

    made: Any
    recorded: dict[str, Any]


def settable(cls: type, training: bool = False) -> Parameters:
    """The keywords which a user can set of a class, each with its type and default.

    Parameters
    ----------
    training
        Whether a learned network's settings are its whole signature; elsewhere they are its weights
        file and its test-time keywords.
    """
    parameters = settings_of(cls)
    if training or not (issubclass(cls, Denoiser) and cls.learned):
        return parameters
    return {key: parameters[key] for key in cls.test_time} | {"weights": (str | None, None)}


def chosen_of(specs: Specs) -> dict[str, Chosen]:
    """The objects of specs and their records; raises as `build` and `recorded_settings` do."""
    return {name: Chosen(build_one(spec), recorded_settings(spec)) for name, spec in specs.items()}


def build(specs: Specs) -> dict[str, Any]:
    """The objects of a group, by the names the user gave them.

    Raises
    ------
    ValueError
        If a setting is out of range, or if weights are missing.
    """
    return {name: build_one(spec) for name, spec in specs.items()}


def build_one(spec: Spec) -> Any:
    """One object of a group; see `build`."""
    settings = dict(spec.settings)
    if issubclass(spec.cls, Denoiser) and spec.cls.learned:
        path = settings.pop("weights")
        return load_network(spec.cls, weights_path(spec.cls, path), settings)
    return made(spec.group, spec.name, spec.cls, settings)


def made(group: str, name: str, cls: type, settings: Settings) -> Any:
    """An object of a registered class.

    Raises
    ------
    ValueError
        If the class refuses its settings, in whatever way: where one of them is not the default,
        it is the user who can mend it. With its defaults alone, the error stays what it is.
    """
    try:
        return cls(**settings)
    except Exception as error:
        if isinstance(error, OSError):
            identity_of(cls, settings)  # what is wrong with a file that a setting names
        changed = changed_settings(group, name, cls, settings)
        own_words = isinstance(error, ValueError | OSError) and _names(str(error), cls, settings)
        if own_words or not changed:
            raise
        problem = f"{type(error).__name__}: {error}"
        raise ValueError(f"'{cls.name}' cannot be made with {changed} ({problem})") from error


def _names(message: str, cls: type, settings: Settings) -> bool:
    """Whether a message says which class or which setting it is about; torch's do not."""
    return any(re.search(rf"\b{re.escape(word)}\b", message) for word in (cls.name, *settings))


def changed_settings(group: str, name: str, cls: type, settings: Settings) -> str:
    """The settings which are not a class's defaults, as a command line has them."""
    defaults = {key: default for key, (_, default) in settings_of(cls).items()}
    changed = {k: v for k, v in settings.items() if k in defaults and v != defaults[k]}
    return " ".join(f"{group}.{name}.{key}={spelled(value)}" for key, value in changed.items())


def recorded_settings(spec: Spec) -> dict[str, object]:
    """What a cell's file says of an object: its class, and what `identity_of` leaves of it.

    Raises
    ------
    ValueError
        If a file which a setting names cannot be read.
    """
    identity = identity_of(spec.cls, spec.settings)
    if issubclass(spec.cls, Denoiser) and spec.cls.learned:
        path = weights_path(spec.cls, spec.settings["weights"])
        identity["weights"] = content_of(spec.cls, "weights", path)
    return {"of": spec.cls.name, **{key: _recordable(value) for key, value in identity.items()}}


def _recordable(value: object) -> object:
    """A setting's value as JSON gives it back."""
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value
