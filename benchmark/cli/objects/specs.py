"""Specs from what was typed, checked against the signatures of classes; and objects of them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from benchmark.cli.objects.schema import schema, sized
from benchmark.cli.objects.spec import Spec, Specs
from benchmark.cli.registered.registries import REGISTRIES, registry_of
from benchmark.denoiser import Denoiser
from benchmark.denoiser.weights.load import load_network, weights_path
from benchmark.files.names import check_name
from benchmark.registry import unknown_setting
from benchmark.settings import content_of, identity_of
from benchmark.signature import check_values, settings_of, spelled

Settings = Mapping[str, object]
DEFAULTS: Settings = {}  # no setting is given


def spec_of(group: str, name: str, given: Any = DEFAULTS, training: bool = False) -> Spec:
    """What a name and the settings given to it stand for, after a check against the signature.

    Parameters
    ----------
    given
        A mapping from setting to value, lists as lists or tuples; ``of`` names the class, which by
        default is the one of the name.
    training
        As in `schema`.

    Raises
    ------
    ValueError
        If ``given`` is no mapping, the name is none, a setting is none of the class's, is no
        choice, or is a list inside a list.
    omegaconf.errors.OmegaConfBaseException
        If a setting has another type.
    """
    cls = class_of(group, name, given)
    known = schema(cls, training)
    for key in given:
        if key not in known:
            raise unknown_setting(key, known, f"{group}.{name}")
    merged = OmegaConf.merge(known, dict(given))  # a config may be typed as another class
    plain: Any = OmegaConf.to_container(merged, resolve=True, throw_on_missing=True)
    plain.pop("of")
    check_values(f"{group}.{name}.", settings_of(cls), plain)
    settings = {key: tuple(v) if isinstance(v, list) else v for key, v in plain.items()}
    return Spec(group, name, cls, settings)


def class_of(group: str, name: str, given: Any) -> type:
    """The registered class that is meant; ``of`` says which, else the name.

    Every name of a variant passes here, whichever command it is given to: see `check_name`.

    Raises
    ------
    ValueError
        If what is given is no mapping of settings, or the name is none.
    """
    if not isinstance(given, Mapping | DictConfig):
        raise ValueError(
            f"{group}.{name}={spelled(given)} is no {REGISTRIES[group].kind}; settings are given "
            f"as {group}.{name}.KEY=VALUE, a variant as '+{group}.{name}={{of: CLASS, KEY: "
            f"VALUE}}', and what is not wanted is left out of {group}="
        )
    of, kind = given.get("of", name), OmegaConf.get_type(given)
    if is_dataclass(kind) and kind.__name__ != of:  # the config of a registered name
        raise ValueError(
            f"{group}.{name}.of={of}: '{name}' cannot be another class than its own; give the "
            f"variant a name: '+{group}.NAME={{of: {of}}}'"
        )
    cls = registry_of(group)[of]
    check_name(group, name)
    return cls


def by_name(group: str, names: Iterable[str]) -> Specs:
    """Registered names with their default settings."""
    return {name: spec_of(group, name) for name in names}


def sized_spec(name: str, given: Settings, size: str | None) -> Spec:
    """A network to train, at one of the sizes its class names, with further settings.

    Raises
    ------
    ValueError
        As `spec_of` and `sized` do.
    """
    cls = class_of("model", name, given)
    return spec_of("model", name, OmegaConf.merge(sized(cls, size), given), training=True)


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
