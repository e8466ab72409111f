"""A mistake which Hydra or OmegaConf noticed, as one sentence."""

import re
from collections.abc import Iterator, Sequence

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    ConfigTypeError,
    InterpolationResolutionError,
    MissingMandatoryValue,
    OmegaConfBaseException,
    ValidationError,
)

from benchmark.cli.words.grammar import as_meant
from benchmark.registry import UnknownName, did_you_mean, unknown_setting

TYPES = {"Integer": "a whole number", "Float": "a number", "Bool": "true or false"}
SIGNS = {  # what OmegaConf says, and what that means
    "to string": "should be one text, not a list or a mapping",
    "not Optional": "cannot be null; leave it out for its default",
    "not a ListConfig": "should be a list, such as [1,2]",
    "Cannot merge": "mixes up a list, such as [1,2], and settings, such as {KEY: VALUE}",
    "NoneType is not a subclass": "has null in it; leave that out",
    "not a valid bool": "should be true or false",
}


def explain_composition(error: BaseException) -> str | None:
    """One sentence for what Hydra or OmegaConf refused; None for any other error."""
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        return _unknown_choice(error.missing_cfg_file, error.options or ()) or (
            f"there is no config '{error.missing_cfg_file}'; leave out --config-name, or name the "
            f"folder where its .yaml file lies: --config-dir FOLDER"
        )
    if isinstance(error, OverrideParseException):
        if re.search(r"=\s*{", error.override):
            return (
                f"cannot read {error.override}; a KEY before a colon is letters, digits and _ - . "
                f"without quotes, and a text with anything else stands in quotes: "
                f'{{KEY: "a b"}}'
            )
        return f"cannot read {error.override}; quote what it is set to: {as_meant(error.override)}"
    if isinstance(error, InterpolationResolutionError):
        return (
            f"{error.full_key} has a ${{NAME}} in it, which stands for the value of another "
            f"setting, and there is none of that name"
        )
    if isinstance(error, MissingMandatoryValue):
        return f"{error.full_key}=??? is no value; give it one, or leave it out for its default"
    if isinstance(error, HydraException | OmegaConfBaseException):
        return _unknown_setting(error) or _wrong_type(error) or _first_line(error)
    return None


def _unknown_choice(missing: str, options: Sequence[str]) -> str | None:
    """``noise/gausian`` in the registry's own words, which name the closest known ones."""
    from benchmark.objects.registries import REGISTRIES, registry_of

    group, _, name = missing.partition("/")
    if group not in REGISTRIES or not name:
        if not options:
            return None
        return f"there is no {missing}{did_you_mean(name, options)} Known: {', '.join(options)}"
    try:
        registry_of(group)[name]
    except UnknownName as error:
        return str(error)
    return None


def _unknown_setting(error: BaseException) -> str | None:
    """A setting which does not exist, with those there are where it was looked for."""
    for cause in _causes(error):
        if isinstance(cause, ConfigAttributeError | ConfigKeyError) and cause.parent_node:
            known = [key for key in cause.parent_node if key != "hydra"]
            return str(unknown_setting(str(cause.full_key), known))
    return None


def _wrong_type(error: BaseException) -> str | None:
    """A value which cannot be what its setting is: ``seeds=abc``."""
    typed = re.match(r"Error merging override (.*)", str(error), re.DOTALL)
    for cause in _causes(error):
        if isinstance(cause, ValidationError | ConfigTypeError):
            where = typed[1] if typed else cause.full_key
            wanted = re.search(r"converted to (\w+)", str(cause))
            if wanted and wanted[1] in TYPES and where:
                value = re.search(r"Value '(.*?)'", str(cause), re.DOTALL)
                got = f", got '{value[1]}'" if value else ""
                if value:  # a list of one, as we made of it
                    where = where.replace(f"=[{value[1]}]", f"={value[1]}")
                return f"{where} should be {TYPES[wanted[1]]}{got}"
            for sign, meant in SIGNS.items():
                if sign in str(cause) and where:
                    return f"{where} {meant}"
    if typed:
        return f"{typed[1]} is nothing that this setting can be; --help shows its default"
    return None


def _first_line(error: BaseException) -> str:
    """Hydra's and OmegaConf's messages, their cause first, without the technical tail."""
    messages = [str(cause).split("full_key:")[0] for cause in _causes(error)]
    messages = [re.sub(r"See https://hydra.cc\S* for details", "", message) for message in messages]
    lines = [re.sub(r"\s+", " ", message).strip() for message in messages]
    return "; ".join(dict.fromkeys(line for line in lines if line))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
