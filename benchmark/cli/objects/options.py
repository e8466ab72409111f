"""From a composed config to the dataclass of a command's options, once; everything is checked."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, get_type_hints

from omegaconf import DictConfig, OmegaConf

from benchmark.cli.command import Command
from benchmark.registry import unknown_setting
from benchmark.signature import check_values, spelled, with_fields

MAY_BE_EMPTY = (
    "watch",
    "reference",
    "weights",
    "cell",
    "crops",
    "labels",
    "folders",
    "layers",
)  # nothing, or what there is
FOLDERS = ("out", "runs")
REPEATS = ("betas", "milestones", "level")  # lists which are no selection
RANGES = {  # the least and the most, both included
    "threads": (1, 1024),
    "sample": (1, math.inf),
    "seed": (0, 2**63 - 1),
    "seeds": (0, 2**63 - 1),
    "held_out": (0, math.inf),
    "test_crop": (1, math.inf),
    "test_limit": (1, math.inf),
    "limit": (1, math.inf),
    "crop": (1, math.inf),
    "picture_size": (1, math.inf),
    "max_slowdown": (1, math.inf),
}
ENDLESS = ("save_minutes", "minutes")  # which may be infinite

Settings = Mapping[str, object]


def options_of(command: Command, config: DictConfig, chosen: Mapping[str, str]) -> Any:
    """The options which a composed config holds.

    Parameters
    ----------
    chosen
        By the options which name a file of settings, the name.

    Raises
    ------
    ValueError
        If a setting is one that nobody reads or is missing, a selection is empty or names something
        twice, or a number is out of range.
    omegaconf.errors.OmegaConfBaseException
        If a setting has another type.
    """
    known = command.settings
    every = [*known, *(f.name for f in fields(command.options) if _is_mapping(f))]
    for key in map(str, config):
        if key not in every:
            raise unknown_setting(key, every)
    for key in every:
        if key not in config:
            raise ValueError(f"bench {command.name} needs the setting '{key}'; leave out ~{key}")
    values = {key: _plain(config, key) for key in known}
    check_values("", known, values)
    for key, value in values.items():
        _check_setting(key, value)
    values: dict[str, object] = {key: _as_tuple(value) for key, value in values.items()}
    if command.groups:
        from benchmark.cli.objects.chosen import ablation_of, specs_of  # load torch

        for name in command.groups:
            values[name] = specs_of(name, config[name], command.trains)
        for name in command.files:
            values[name] = ablation_of(config[name], every) if name in config else chosen[name]
    return _made(command.options, values)


def schema_of_options(command: Command) -> type:
    """What a command is told, as a dataclass of types which a config can hold."""
    names = [f.name for f in fields(command.options) if _is_mapping(f)]
    groups = dict.fromkeys(names, (dict[str, Any], {}))
    return with_fields(type(command.name, (), {}), {**groups, **command.settings})


def changed(options: Any, settings: Settings) -> Any:
    """Options with other values of plain settings, by the names they have on a command line."""
    own = {f.name for f in fields(options)}
    inner = {
        f.name: changed(getattr(options, f.name), _within(getattr(options, f.name), settings))
        for f in fields(options)
        if is_dataclass(getattr(options, f.name)) and not f.metadata
    }
    direct = {key: _as_tuple(value) for key, value in settings.items() if key in own}
    return replace(options, **inner, **direct)


def _within(part: Any, settings: Settings) -> Settings:
    return {key: value for key, value in settings.items() if key in {f.name for f in fields(part)}}


def _made(cls: type, values: Settings) -> Any:
    """A dataclass of flat values, with the dataclasses inside it."""
    hints = get_type_hints(cls)
    return cls(
        **{
            f.name: _made(hints[f.name], values)
            if is_dataclass(hints[f.name]) and not f.metadata
            else values[f.name]
            for f in fields(cls)
        }
    )


def _is_mapping(option: Any) -> bool:
    """Whether an option is filled by names or a file with settings of their own."""
    return bool(option.metadata) and option.type is not str


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _plain(config: DictConfig, key: str) -> object:
    value = config[key]
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def _check_setting(key: str, value: Any) -> None:
    if key in FOLDERS and value is not None and not value.strip():
        raise ValueError(f"{key}= names no folder; {key}=. is the one you are in")
    if isinstance(value, list) and key not in REPEATS:
        check_selection(key, value, may_be_empty=key in MAY_BE_EMPTY)
    for number in value if isinstance(value, list) else [value]:
        if isinstance(number, float) and not math.isfinite(number) and key not in ENDLESS:
            raise ValueError(f"{key} must be a finite number, got {number}")
        low, high = RANGES.get(key, (-math.inf, math.inf))
        if isinstance(number, int | float) and not low <= number <= high:
            limit = f"{low} or more" if number < low else f"{high} or less"
            raise ValueError(f"{key} must be {limit}, got {number}")


def check_selection(key: str, values: list[object], may_be_empty: bool = False) -> None:
    """Raise ``ValueError`` for a list that is empty, or names something twice."""
    if not values and not may_be_empty:
        raise ValueError(f"{key}=[] selects nothing; name one or more, or leave {key}= out")
    twice = next((value for value in values if values.count(value) > 1), None)
    if twice is not None:
        raise ValueError(f"{key}={spelled(values)} has {spelled(twice)} twice; name it once")
