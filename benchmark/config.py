"""From registered classes to Hydra's schemas, and from a composed config back to objects."""

import importlib.util
import inspect
from collections.abc import Mapping
from dataclasses import field, make_dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Union, get_args, get_origin, get_type_hints

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf
from torch import nn

from benchmark.algebra import Formula, as_choice, is_formula, split_choice
from benchmark.checkpoint import weights_file
from benchmark.datasets import DATASETS, Dataset
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.files import file_hash
from benchmark.metrics import METRICS
from benchmark.noise import NOISE_MODELS, stream
from benchmark.options import GROUPS_OF, SCHEMAS, TrainingConfig
from benchmark.recipe import Recipe
from benchmark.registry import Registry
from benchmark.train import Execution
from benchmark.weights import load_network, shipped

REGISTRIES = {"model": DENOISERS, "noise": NOISE_MODELS, "data": DATASETS, "metric": METRICS}

Settings = dict[str, object]
Parameters = dict[str, tuple[type, object]]  # keyword to its type and default


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
        store.store(name=f"{name}_schema", node=_with(base, more) if more else base)


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
    arguments = {key: _as_list(value) for key, value in cls.sizes.get(size, {}).items()}
    return OmegaConf.merge(schema(cls, training=True), arguments)


def with_formulas(arguments: list[str]) -> list[str]:
    """A command's arguments, each formula in a ``noise=`` among them put into the ConfigStore.

    Hydra's grammar has no formulas: they become choices of group ``noise``, called by a number.

    Raises
    ------
    ValueError
        If a formula is wrong; the message shows the place.
    """
    return [word for argument in arguments for word in _without_formulas(argument)]


def _without_formulas(argument: str) -> list[str]:
    key, _, value = argument.partition("=")
    items = split_choice(value) if key == "noise" else []
    if not any(map(is_formula, items)):
        return [argument]
    names: dict[str, None] = {}  # in the order given, each once
    levels: dict[str, set[float]] = {}
    for item in items:
        if not is_formula(item):
            names[item] = None
            continue
        name, node = as_choice(item)
        if "of" in node:
            option = f"formula_{stream(name) % 2**32:08x}"
            ConfigStore.instance().store(option, {name: node}, group=key, package=key)
            name = option
        else:
            levels.setdefault(name, set()).update(node["levels"])
            if name in items:
                levels[name].update(NOISE_MODELS[name].levels)
        names[name] = None
    choice = ",".join(names)
    bracketed = value.strip().startswith("[")
    chosen = f"{key}=[{choice}]" if bracketed else f"{key}={choice}"
    return [chosen, *(f"{key}.{name}.levels={sorted(found)}" for name, found in levels.items())]


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
    return _with(type(cls.name, (), {}), {"of": (str, cls.name), **parameters})


def settings_of(cls: type) -> Parameters:
    """A class's keywords, each with its type and its default, as its signature has them."""
    if cls.__init__ in (object.__init__, nn.Module.__init__):
        return {}
    hints = get_type_hints(cls.__init__)
    found = {}
    for name, parameter in list(inspect.signature(cls.__init__).parameters.items())[1:]:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.default is parameter.empty or name not in hints:
            raise ValueError(
                f"{cls.__module__}.{cls.__qualname__}: keyword '{name}' needs an annotation and a "
                f"default, since the signature is the config"
            )
        found[name] = (hints[name], parameter.default)
    return found


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
    return cls(**settings)


def class_of(group: str, name: str, node: DictConfig) -> type:
    """The registered class of a config node; ``of`` says which, else its name."""
    return registry_of(group)[node.get("of", name)]


def checked_settings(group: str, name: str, node: DictConfig, training: bool = False) -> Settings:
    """A node's settings after checking them against the class's schema, lists as tuples."""
    merged = OmegaConf.merge(schema(class_of(group, name, node), training), node)
    plain = OmegaConf.to_container(merged, resolve=True, throw_on_missing=True)
    plain.pop("of")
    return {key: tuple(v) if isinstance(v, list) else v for key, v in plain.items()}


def weights_path(cls: type[Denoiser], path: str | None) -> Path:
    """The file a learned network reads: the one named, else the one its package ships."""
    return weights_file(path) if path else shipped(cls)


def recorded_settings(group: str, name: str, node: DictConfig) -> Settings:
    """What a cell's file says of an object: its class and settings, of weights only the hash."""
    cls = class_of(group, name, node)
    settings = {"of": cls.name, **checked_settings(group, name, node)}
    for place in ("path", "backbone"):  # where a thing lies is no part of what it is
        settings.pop(place, None)
    if issubclass(cls, Denoiser) and cls.learned:
        settings["weights"] = f"sha256:{file_hash(weights_path(cls, settings['weights']))}"
    settings.pop("levels", None)  # the cell's key says which one
    for key in getattr(cls, "files", ()):
        if settings[key]:
            settings[key] = f"sha256:{file_hash(Path(settings[key]).expanduser())}"
    return {key: list(v) if isinstance(v, tuple) else v for key, v in settings.items()}


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


def _with(base: type, parameters: Parameters) -> type:
    """A dataclass with further fields, each of a plain type and with a default."""
    fields = [
        (key, _plain_type(kind), field(default_factory=lambda v=default: _as_list(v)))
        for key, (kind, default) in parameters.items()
    ]
    return make_dataclass(base.__name__, fields, bases=(base,))


def _as_list(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _plain_type(annotation: type) -> type:
    """``tuple[float, ...]`` as ``list[float]``, which OmegaConf can hold."""
    if get_origin(annotation) is tuple:
        return list[get_args(annotation)[0]]
    if get_origin(annotation) in (Union, UnionType):
        inner = [_plain_type(a) for a in get_args(annotation) if a is not type(None)]
        return inner[0] | None
    return annotation
