"""What is given in Python for a model, noise, dataset or metric: names, settings, or objects."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from benchmark.datasets import Dataset
from benchmark.datasets.arrays import Arrays
from benchmark.denoiser.wrapped import as_denoiser, identity_of_object
from benchmark.files.names import check_name
from benchmark.metrics import Metric
from benchmark.noise import NoiseModel
from benchmark.noise.formula import as_choice
from benchmark.noise.grammar import is_formula
from benchmark.objects.building import Chosen, build_one, recorded_settings, settable
from benchmark.objects.registries import REGISTRIES, available, registry_of, suites
from benchmark.objects.spec import Spec
from benchmark.registry import UnknownName, unknown_setting
from benchmark.settings import GIVEN
from benchmark.signature import check_types, check_values, keywords_of, settings_of

IMAGES = "images"  # the name of arrays which are given without one
KINDS = {"noise": (NoiseModel, Dataset), "data": (Dataset,), "metric": (Metric,)}

Settings = Mapping[str, Any]


def chosen(group: str, given: Any) -> dict[str, Chosen]:
    """The objects of a group by name, made or as they were given, and what cells record of each.

    Parameters
    ----------
    group
        model, noise, data or metric.
    given
        A registered name, ``"all"``, the name of a suite, or of a noise a formula; an object: a
        denoiser, module or function, a noise, images or a dataset, a metric; a list of these; or a
        dict from names to these, or to settings, ``{"of": CLASS, "key": value}``, where ``of`` is
        the name itself if it is left out.

    Raises
    ------
    ValueError
        If something is unknown or no such object, has no name, or two have the same, if a setting
        is wrong, or if weights or a file are missing.
    """
    found: dict[str, Chosen] = {}
    for name, one in _each(group, given):
        check_name(group, name)
        if name in found:
            raise ValueError(
                f"{group}= has '{name}' twice; give each a name of its own: {{'NAME': ...}}"
            )
        found[name] = _of_spec(one) if isinstance(one, Spec) else one
        if group == "noise" and not len(found[name].made.levels):
            raise ValueError(f"noise '{name}' has no level; give it one or more: 'levels': [25]")
    if not found:
        raise ValueError(f"{group}= chooses nothing; {_choices(group)}")
    return found


def spec_of_text(group: str, text: str) -> Spec:
    """What one registered name with its default settings, or one formula, stands for.

    Raises
    ------
    ValueError
        If there is no such name, or the formula is wrong.
    """
    if group == "noise" and is_formula(text):
        name, settings = as_choice(text)
        return _spec(group, name, settings)
    return _spec(group, text, {})


def _each(group: str, given: Any) -> Iterator[tuple[str, Spec | Chosen]]:
    if isinstance(given, Mapping):
        for name, one in given.items():
            yield name, _named(group, name, one)
    elif group == "data" and _is_images(given):
        yield IMAGES, _object(group, given)
    elif isinstance(given, list | tuple):
        texts = [one for one in given if isinstance(one, str)]
        yield from _texts(group, texts).items()
        for one in given:
            if not isinstance(one, str):
                yield _called(group, one)
    elif isinstance(given, str):
        yield from _texts(group, [given]).items()
    else:
        yield _called(group, given)


def _texts(group: str, texts: list[str]) -> dict[str, Spec]:
    """Specs of names, suites and formulas; of one noise at several levels there is one."""
    found: dict[str, Spec] = {}
    several = suites() if group == "noise" else {}
    for text in texts:
        names = available(group) if text == "all" else several.get(text, [text])
        for spec in (spec_of_text(group, name) for name in names):
            if before := found.get(spec.name):
                if "levels" not in spec.settings:
                    raise ValueError(f"{group}= has '{spec.name}' twice; name it once")
                levels = {*before.settings["levels"], *spec.settings["levels"]}
                spec = replace(spec, settings={**spec.settings, "levels": tuple(sorted(levels))})
            found[spec.name] = spec
    return found


def _named(group: str, name: str, given: Any) -> Spec | Chosen:
    if isinstance(given, Mapping):
        return _spec(group, name, given)
    if isinstance(given, str):
        spec = spec_of_text(group, given)
        return replace(spec, name=name)
    return _object(group, given, name)


def _spec(group: str, name: str, given: Settings) -> Spec:
    """A registered class with settings, checked against its signature."""
    try:
        cls = registry_of(group)[given.get("of", name)]
    except UnknownName as error:
        raise ValueError(str(error)) from None
    known = settable(cls)
    for key in given:
        if key not in ("of", *known):
            raise unknown_setting(f"{key}", known, f"{group} '{name}'")
    settings = {key: _plain(value) for key, value in given.items() if key != "of"}
    check_types(f"{group} '{name}': ", known, settings)
    settings = {key: default for key, (_, default) in known.items()} | settings
    check_values(f"{group} '{name}': ", settings_of(cls), settings)
    return Spec(group, name, cls, settings)


def _plain(value: Any) -> Any:
    """A setting's value as a command line gives it: lists as tuples, paths as texts."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    return tuple(map(_plain, value)) if isinstance(value, list | tuple) else value


def _of_spec(spec: Spec) -> Chosen:
    return Chosen(build_one(spec), recorded_settings(spec))


def _object(group: str, given: Any, name: str | None = None) -> Chosen:
    if group == "model":
        model = as_denoiser(given, name)
        return Chosen(model, identity_of_object(model))
    if group == "data" and _is_images(given):
        return Chosen(Arrays(given), {"of": f"{GIVEN}{Arrays.name}"})
    fits = isinstance(given, KINDS[group])
    if not fits or (group == "noise" and isinstance(given, Dataset) and not given.recorded):
        raise ValueError(f"{group}= got {_shown(given)}; {_choices(group)}")
    if not hasattr(given, "name"):
        registry = {"noise": "NOISE_MODELS", "data": "DATASETS", "metric": "METRICS"}[group]
        raise ValueError(
            f"{_shown(given)} has no name; decorate its class: @{registry}.register('NAME')"
        )
    settings = {}
    for key in keywords_of(type(given)):
        if not hasattr(given, key):
            raise ValueError(
                f"{_shown(given)} does not say its setting '{key}', which its scores may depend "
                f"on; keep it as an attribute of this name, as dataclasses do"
            )
        settings[key] = getattr(given, key)
    return Chosen(given, recorded_settings(Spec(group, given.name, type(given), settings)))


def _called(group: str, given: Any) -> tuple[str, Chosen]:
    """An object that is given without a name, and the name that it has of itself."""
    one = _object(group, given)
    own = getattr(one.made, "name", type(one.made).__name__)
    if isinstance(one.made, Arrays):
        own = IMAGES
    return getattr(one.made, "formula", own), one


def _is_images(given: Any) -> bool:
    """Whether these are arrays: one which has images, or a list of them."""
    first = given[0] if isinstance(given, list | tuple) and given else given
    return hasattr(first, "__array__") or hasattr(first, "__array_interface__")  # Pillow's images


def _choices(group: str) -> str:
    names = ", ".join(sorted(registry_of(group)))
    objects = f"objects, {REGISTRIES[group].kind}s"
    if group == "data":
        objects = f"images, arrays of (H, W, 3), one or a list of them, or {objects}"
    return f"name one or more, or give {objects}; registered: {names}"


def _shown(given: Any) -> str:
    if isinstance(given, type):
        return f"the class {given.__name__}"
    if isinstance(given, list | tuple) and not given:
        return f"an empty {type(given).__name__}"
    return f"an object of type {type(given).__name__}"
