"""From registered classes to Hydra's schemas, and from a composed config back to objects."""

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from benchmark.cli.options import GROUPS_OF, SCHEMAS, TrainingConfig
from benchmark.datasets import DATASETS, Dataset
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.denoiser.weights.load import load_network, shipped, weights_path
from benchmark.files.names import check_name
from benchmark.metrics import METRICS
from benchmark.noise import NOISE_MODELS, stream
from benchmark.noise.formula import Formula, as_choice
from benchmark.noise.grammar import is_formula, split_choice
from benchmark.registry import Registry, unknown_setting
from benchmark.settings import content_of, identity_of
from benchmark.signature import as_list, check_values, settings_of, spelled, with_fields
from benchmark.training.recipe import Execution, Recipe

REGISTRIES = {"model": DENOISERS, "noise": NOISE_MODELS, "data": DATASETS, "metric": METRICS}

Settings = dict[str, object]


def register_schemas(command: str) -> None:
    """Put what a command can be told into Hydra's ConfigStore.

    Every registered class is a choice of each group that the command has; beside them stand
    ``all`` and, for each name in a noise's ``suites``, the suite. A network's settings are its
    whole signature for ``train``; elsewhere its weights file and its test-time keywords.
    """
    store = ConfigStore.instance()
    for group in REGISTRIES:
        if group not in GROUPS_OF.get(command, ()):
            store.repo.pop(group, None)  # a group would hide a plain setting of its name
            continue
        choices = registry_of(group)
        nodes = {n: schema(cls, command == "train") for n, cls in sorted(choices.items())}
        for name, node in nodes.items():
            store.store(group=group, name=name, node={name: node}, package=group)
        ready = {n: node for n, node in nodes.items() if not unavailable(group, choices[n])}
        store.store(group=group, name="all", node=ready, package=group)
        for name, node in (_sizes() if group == "model" and command == "train" else {}).items():
            store.store(group=group, name=name, node={name: node}, package=group)
        for suite, members in (suites() if group == "noise" else {}).items():
            chosen = {n: nodes[n] for n in members if n in ready}
            store.store(group=group, name=suite, node=chosen, package=group)
    training = {**settings_of(Recipe), **settings_of(Execution)}
    for name, base in SCHEMAS.items():
        more = training if issubclass(base, TrainingConfig) else {}
        store.store(name=f"{name}_schema", node=with_fields(base, more) if more else base)


def _sizes() -> dict[str, DictConfig]:
    """Every network at the sizes which its class names beside the published one."""
    return {
        f"{name}_{size}": sized(cls, size)
        for name, cls in sorted(DENOISERS.items())
        for size in cls.sizes
    }


def sized(cls: type[Denoiser], size: str | None) -> DictConfig:
    """A network's whole signature at one of the sizes it names; None is the published one.

    Raises
    ------
    ValueError
        If it names no such size.
    """
    if size is not None and size not in cls.sizes:
        raise ValueError(
            f"'{cls.name}' has no size '{size}'; choose one of: {', '.join(cls.sizes) or 'none'}, "
            f"or null for the published one"
        )
    arguments = {key: as_list(value) for key, value in cls.sizes.get(size, {}).items()}
    return OmegaConf.merge(schema(cls, training=True), arguments)


def with_formulas(arguments: list[str]) -> list[str]:
    """A command's arguments, each formula in a ``noise=`` among them put into the ConfigStore.

    Hydra's grammar has no formulas: they become choices of group ``noise``, called by a number.

    Raises
    ------
    ValueError
        If a formula is wrong; the message shows the place.
    """
    sweeping = not {"-m", "--multirun"}.isdisjoint(arguments)
    return [word for argument in arguments for word in _without_formulas(argument, sweeping)]


def _without_formulas(argument: str, sweeping: bool) -> list[str]:
    key, _, value = argument.partition("=")
    items = split_choice(value) if key == "noise" else []
    if not any(map(is_formula, items)):
        return [argument]
    bracketed = value.strip().startswith("[")
    if sweeping and not bracketed:
        return [f"{key}={','.join(map(_option, items))}"]
    names: dict[str, None] = {}  # in the order given, each once
    levels: dict[str, set[float]] = {}
    for item in items:
        if not is_formula(item):
            names[item] = None
            continue
        name, node = as_choice(item)
        if "of" in node:
            name = _option(item)
        else:
            levels.setdefault(name, set()).update(node["levels"])
            if name in items:
                levels[name].update(NOISE_MODELS[name].levels)
        names[name] = None
    choice = ",".join(names)
    chosen = f"{key}=[{choice}]" if bracketed else f"{key}={choice}"
    return [chosen, *(f"{key}.{name}.levels={sorted(found)}" for name, found in levels.items())]


def _option(item: str) -> str:
    """The choice of group ``noise`` that an item of ``noise=`` stands for, by itself."""
    if not is_formula(item):
        return item
    name, node = as_choice(item)
    option = f"formula_{stream(name, spelled(node.get('levels', []))) % 2**32:08x}"
    node = OmegaConf.merge(schema(NOISE_MODELS[node.get("of", name)]), node)
    ConfigStore.instance().store(option, {name: node}, group="noise", package="noise")
    return option


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


def schema(cls: type, training: bool = False) -> DictConfig:
    """A class's signature as a typed config; ``of`` names the class.

    Parameters
    ----------
    cls
        A registered class whose constructor takes annotated keywords with defaults.
    training
        Whether a network's settings are its whole signature; see `register_schemas`.
    """
    by_weights = issubclass(cls, Denoiser) and cls.learned and not training
    return OmegaConf.structured(_schema_type(cls, by_weights))


@cache  # OmegaConf merges two configs only if they are of the very same dataclass
def _schema_type(cls: type, by_weights: bool) -> type:
    parameters = settings_of(cls)
    if by_weights:
        parameters = {key: parameters[key] for key in cls.test_time}
        parameters["weights"] = (str | None, None)
    return with_fields(type(cls.name, (), {}), {"of": (str, cls.name), **parameters})


def build(group: str, nodes: Mapping[str, DictConfig]) -> dict[str, object]:
    """The objects of a config group, by the names the user gave them.

    Raises
    ------
    ValueError
        If a setting is unknown, of a wrong type or out of range, or if weights are missing.
    """
    return {name: build_one(group, name, node) for name, node in nodes.items()}


def build_one(group: str, name: str, node: DictConfig) -> object:
    """One object of a config group; see `build`."""
    cls = class_of(group, name, node)
    settings = checked_settings(group, name, node)
    if issubclass(cls, Denoiser) and cls.learned:
        path = settings.pop("weights")
        return load_network(cls, weights_path(cls, path), settings)
    return made(f"{group}.{name}.", cls, settings)


def made(where: str, cls: type, settings: Settings) -> object:
    """An object of a registered class.

    Parameters
    ----------
    where
        What stands before a setting in the message: ``"model.tv."``.

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
        changed = said_settings(where, cls, settings)
        own_words = isinstance(error, ValueError | OSError) and _names(str(error), cls, settings)
        if own_words or not changed:
            raise
        problem = f"{type(error).__name__}: {error}"
        raise ValueError(f"'{cls.name}' cannot be made with {changed} ({problem})") from error


def _names(message: str, cls: type, settings: Settings) -> bool:
    """Whether a message says which class or which setting it is about; torch's do not."""
    return any(re.search(rf"\b{re.escape(word)}\b", message) for word in (cls.name, *settings))


def said_settings(where: str, cls: type, settings: Settings) -> str:
    """The settings which are not a class's defaults, as a command line has them."""
    defaults = {key: default for key, (_, default) in settings_of(cls).items()}
    changed = {k: v for k, v in settings.items() if k in defaults and v != defaults[k]}
    return " ".join(f"{where}{key}={spelled(value)}" for key, value in changed.items())


def class_of(group: str, name: str, node: DictConfig) -> type:
    """The registered class of a config node; ``of`` says which, else its name.

    Every name of a variant passes here, whichever command it is given to: see `check_name`.

    Raises
    ------
    ValueError
        If the node is no mapping of settings, or the name is none.
    """
    if not isinstance(node, Mapping | DictConfig):
        raise ValueError(
            f"{group}.{name}={spelled(node)} is no {REGISTRIES[group].kind}; settings are given as "
            f"{group}.{name}.KEY=VALUE, a variant as '+{group}.{name}={{of: CLASS, KEY: VALUE}}', "
            f"and what is not wanted is left out of {group}="
        )
    of, kind = node.get("of", name), OmegaConf.get_type(node)
    if is_dataclass(kind) and kind.__name__ != of:  # the node of a registered name
        raise ValueError(
            f"{group}.{name}.of={of}: '{name}' cannot be another class than its own; give the "
            f"variant a name: '+{group}.NAME={{of: {of}}}'"
        )
    cls = registry_of(group)[of]
    check_name(group, name)
    return cls


def checked_settings(group: str, name: str, node: DictConfig, training: bool = False) -> Settings:
    """A node's settings after checking them against the class's schema, lists as tuples.

    Raises
    ------
    ValueError
        If a setting is none of the class's, is no choice, or is a list inside a list.
    omegaconf.errors.OmegaConfBaseException
        If a setting has another type.
    """
    cls = class_of(group, name, node)
    known = schema(cls, training)
    for key in node:
        if key not in known:
            raise unknown_setting(key, known, f"{group}.{name}")
    merged = OmegaConf.merge(known, dict(node))  # a node may be typed as another class
    plain = OmegaConf.to_container(merged, resolve=True, throw_on_missing=True)
    plain.pop("of")
    check_values(f"{group}.{name}.", settings_of(cls), plain)
    return {key: tuple(v) if isinstance(v, list) else v for key, v in plain.items()}


def recorded_settings(group: str, name: str, node: DictConfig) -> Settings:
    """What a cell's file says of an object: its class, and what `identity_of` leaves of it.

    Raises
    ------
    ValueError
        If a setting is wrong, or a file which one names cannot be read.
    """
    cls = class_of(group, name, node)
    settings = checked_settings(group, name, node)
    identity = identity_of(cls, settings)
    if issubclass(cls, Denoiser) and cls.learned:
        path = weights_path(cls, settings["weights"])
        identity["weights"] = content_of(cls, "weights", path)
    return {"of": cls.name, **{key: _recordable(value) for key, value in identity.items()}}


def _recordable(value: object) -> object:
    """A setting's value as JSON gives it back."""
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def unavailable(group: str, cls: type) -> str | None:
    """Why a group's ``all`` leaves a class out, in a few words; None if it does not."""
    if issubclass(cls, Denoiser):
        if cls.learned and not shipped(cls).is_file():
            return "no weights yet"
        if cls.package and importlib.util.find_spec(cls.package) is None:
            return f"no package {cls.package}"
        if cls.needs:
            return f"needs {cls.needs}"
    if issubclass(cls, Formula):
        return "write one: noise='gaussian(25)+poisson(2)>>jpeg(50)'"
    if issubclass(cls, Dataset):
        if cls.split != "test":
            return "for training"
        if cls.recorded and group == "data":
            return f"recorded noise: noise={cls.name}"
        status = cls().status()
        if not status.searched:
            return "needs a path"
        if status.problem:
            return "no data"
    return None
