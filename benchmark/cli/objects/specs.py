"""Specs from what was typed, checked against the signatures of classes."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf

from benchmark.cli.objects.schema import schema, schema_type, sized
from benchmark.files.names import check_name
from benchmark.objects.registries import REGISTRIES, registry_of
from benchmark.objects.spec import Spec, Specs
from benchmark.registry import unknown_setting
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
    typed = schema_type(cls, training)
    known = [field.name for field in fields(typed)]
    for key in given:
        if key not in known:
            raise unknown_setting(key, known, f"{group}.{name}")
    merged = given  # of this very type: Hydra has checked it, and no key can be deleted
    if OmegaConf.get_type(given) is not typed:  # plain, or typed as another class
        merged = OmegaConf.merge(schema(cls, training), dict(given))
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
