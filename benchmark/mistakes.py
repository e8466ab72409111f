"""A user's mistake, wherever it was noticed, as one sentence."""

import re
from collections.abc import Iterator

from hydra.errors import HydraException, MissingConfigException
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from benchmark.registry import UnknownName, did_you_mean


def explain(error: BaseException) -> str | None:
    """One sentence for a mistake a user can mend; None for a defect of ours."""
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        return _unknown_choice(error.missing_cfg_file) or _first_line(error)
    if isinstance(error, HydraException | OmegaConfBaseException):
        return _unknown_setting(error) or _first_line(error)
    if isinstance(error, ValueError | UnknownName | OSError):
        return str(error)
    return None


def _unknown_choice(missing: str) -> str | None:
    """``noise/gausian`` in the registry's own words, which name the closest known ones."""
    from benchmark.config import REGISTRIES, registry_of

    group, _, name = missing.partition("/")
    if group not in REGISTRIES or not name:
        return None
    try:
        registry_of(group)[name]
    except UnknownName as error:
        return str(error)
    return None


def _unknown_setting(error: BaseException) -> str | None:
    """A setting which does not exist, with those there are where it was looked for."""
    for cause in _causes(error):
        if isinstance(cause, ConfigAttributeError | ConfigKeyError) and cause.parent_node:
            known = sorted(str(key) for key in cause.parent_node if key != "hydra")
            hint = did_you_mean(str(cause.key), known)
            return f"unknown setting '{cause.full_key}'{hint} Known there: {', '.join(known)}"
    return None


def _first_line(error: BaseException) -> str:
    """Hydra's and OmegaConf's messages, their cause first, without the technical tail."""
    messages = [str(cause).split("full_key:")[0] for cause in _causes(error)]
    lines = [re.sub(r"\s+", " ", message).strip() for message in messages]
    return "; ".join(dict.fromkeys(line for line in lines if line))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
