"""What Hydra composed, checked before anything is made of it: names, numbers, nothing empty."""

import math
from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from benchmark.cli.arguments import plain_settings
from benchmark.cli.options import GROUPS_OF
from benchmark.cli.schema import REGISTRIES, checked_settings, class_of
from benchmark.registry import unknown_setting
from benchmark.signature import check_values, spelled

MAY_BE_EMPTY = ("watch", "reference", "weights")  # nothing beside; nothing; those that ship
FOLDERS = ("out", "runs")
REPEATS = ("betas", "milestones")  # lists which are no selection
RANGES = {  # the least and the most, both included
    "threads": (1, 1024),
    "seed": (0, 2**63 - 1),
    "seeds": (0, 2**63 - 1),
    "held_out": (0, math.inf),
    "test_crop": (1, math.inf),
    "test_limit": (1, math.inf),
}
ENDLESS = ("save_minutes", "minutes")  # which may be infinite


def check_composed(command: str, config: DictConfig) -> None:
    """Hold a composed config to what its command reads.

    Raises
    ------
    ValueError
        If a setting is one that nobody reads or is missing, a selection is empty or names something
        twice, or a number is out of range.
    omegaconf.errors.OmegaConfBaseException
        If a setting has another type.
    """
    known = plain_settings(command)
    groups = GROUPS_OF.get(command, ())
    every = [*known, *groups, *(["ablation"] if command == "ablate" else [])]
    for key in config:
        if key not in every:
            raise unknown_setting(key, every)
    for key in every:
        if key not in config:
            raise ValueError(f"bench {command} needs the setting '{key}'; leave out ~{key}")
    values = {key: _plain(config, key) for key in known}
    check_values("", known, values)
    for key, value in values.items():
        if known[key][0] is Any:
            _check_names(key, value)
        _check_setting(key, value)
    for group in groups:
        _check_group(command, group, config[group])
    if command == "ablate":
        _check_ablation(config.ablation, every)


def _plain(config: DictConfig, key: str) -> object:
    value = config[key]
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def _check_setting(key: str, value: object) -> None:
    if key in FOLDERS and not value.strip():
        raise ValueError(f"{key}= names no folder; {key}=. is the one you are in")
    if isinstance(value, list) and key not in REPEATS:
        _check_selection(key, value, may_be_empty=key in MAY_BE_EMPTY)
    for number in value if isinstance(value, list) else [value]:
        if isinstance(number, float) and not math.isfinite(number) and key not in ENDLESS:
            raise ValueError(f"{key} must be a finite number, got {number}")
        low, high = RANGES.get(key, (-math.inf, math.inf))
        if isinstance(number, int | float) and not low <= number <= high:
            limit = f"{low} or more" if number < low else f"{high} or less"
            raise ValueError(f"{key} must be {limit}, got {number}")


def _check_selection(key: str, values: list[object], may_be_empty: bool = False) -> None:
    if not values and not may_be_empty:
        raise ValueError(f"{key}=[] selects nothing; name one or more, or leave {key}= out")
    twice = next((value for value in values if values.count(value) > 1), None)
    if twice is not None:
        raise ValueError(f"{key}={spelled(values)} has {spelled(twice)} twice; name it once")


def _check_names(key: str, value: object) -> None:
    """A setting that takes a name or a list of names."""
    names = value if isinstance(value, list) else [value]
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"{key}={spelled(value)} should be a name or a list of names")


def _check_ablation(ablation: object, every: list[str]) -> None:
    """Variants that are made of settings which a training reads."""
    variants = ablation.get("variants") if isinstance(ablation, DictConfig) else None
    if not isinstance(variants, DictConfig) or not variants:
        raise ValueError("the ablation has no variants; choose one: bench ablate masks")
    for name, variant in variants.items():
        where = f"ablation.variants.{name}"
        if not isinstance(variant, DictConfig) or not isinstance(variant.get("model"), DictConfig):
            raise ValueError(
                f"{where} should have a model, as in {where}={{model: {{of: masked}}}}"
            )
        class_of("model", name, variant.model)
        for key in variant:
            if key not in (*every, "model"):
                raise unknown_setting(key, (*every, "model"), where)


def _check_group(command: str, group: str, nodes: object) -> None:
    if not isinstance(nodes, Mapping | DictConfig):
        raise ValueError(f"{group}={spelled(nodes)} is no name; bench list {group} has them")
    if not nodes:
        raise ValueError(
            f"{group}=[] selects no {REGISTRIES[group].kind}; name one or more: bench list {group}"
        )
    for name in nodes:
        training = command == "train" and group == "model"
        settings = checked_settings(group, name, nodes[name], training)
        if "levels" in settings:
            _check_selection(f"{group}.{name}.levels", list(settings["levels"]))
