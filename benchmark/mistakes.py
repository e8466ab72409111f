"""A user's mistake, wherever it was noticed, as one sentence."""

import re

from hydra.errors import HydraException, MissingConfigException
from omegaconf.errors import OmegaConfBaseException

from benchmark.registry import UnknownName


def explain(error: BaseException) -> str | None:
    """One sentence for a mistake a user can mend; None for a defect of ours."""
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        return _unknown_choice(error.missing_cfg_file) or _first_line(error)
    if isinstance(error, HydraException | OmegaConfBaseException):
        return _first_line(error)
    if isinstance(error, ValueError | UnknownName | OSError):
        return str(error)
    return None


def _unknown_choice(missing: str) -> str | None:
    """``noise/gausian`` in the registry's own words, which name the closest known ones."""
    from benchmark.config import REGISTRIES

    group, _, name = missing.partition("/")
    if group not in REGISTRIES or not name:
        return None
    try:
        REGISTRIES[group][name]
    except UnknownName as error:
        return str(error)
    return None


def _first_line(error: BaseException) -> str:
    """Hydra's and OmegaConf's messages, their cause first, without the technical tail."""
    causes = [error]
    while causes[-1].__cause__ is not None:
        causes.append(causes[-1].__cause__)
    lines = [re.sub(r"\s+", " ", str(e).split("full_key:")[0]).strip() for e in causes]
    return "; ".join(dict.fromkeys(line for line in lines if line))
