"""What is registered, by name, and models made of it."""

import operator
from functools import cache
from typing import Any

from benchmark.api.words import speaking_python
from benchmark.denoiser import Denoiser
from benchmark.objects.given import chosen
from benchmark.objects.registries import REGISTRIES, registry_of
from benchmark.registry import load_plugins


@speaking_python()
def load_model(name: str, **settings: Any) -> Denoiser:
    """Make a registered denoiser, with the weights that ship for it or with yours.

    Parameters
    ----------
    name : str
        One of ``list_names("model")``.
    **settings
        Of ``bench run``: ``weights="FILE"`` of a learned network, ``mask=False`` ...

    Returns
    -------
    benchmark.denoiser.Denoiser
        A `torch.nn.Module`, on the CPU.

    Raises
    ------
    ValueError
        If there is no such name or setting, or no weights.

    Examples
    --------
    >>> import benchmark
    >>> sum(p.numel() for p in benchmark.load_model("masked").parameters()) > 0
    True
    """
    load_registries()
    return chosen("model", {name: settings})[name].made


def list_names(kind: str) -> list[str]:
    """List what is registered, plugins included.

    Parameters
    ----------
    kind : str
        ``"model"``, ``"noise"``, ``"data"`` or ``"metric"``.

    Returns
    -------
    list of str
        Names, in order. ``bench list`` says what each is, and whether its weights or images are
        here.

    Raises
    ------
    ValueError
        If there is no such kind.

    Examples
    --------
    >>> import benchmark
    >>> "poisson" in benchmark.list_names("noise")
    True
    """
    load_registries()
    if not isinstance(kind, str) or kind not in REGISTRIES:
        raise ValueError(f"unknown kind '{kind}'; take one of {', '.join(REGISTRIES)}")
    return sorted(registry_of(kind))


def checked_seed(seed: object) -> int:
    """A seed which is a whole number from 0 to 2**63 - 1, also NumPy's; else ``ValueError``."""
    try:
        found = -1 if isinstance(seed, bool) else operator.index(seed)  # type: ignore[arg-type]
    except TypeError:
        found = -1
    if not 0 <= found < 2**63:
        raise ValueError(f"seed={seed!r:.60} should be a whole number of 0 or more")
    return found


@cache
def load_registries() -> None:
    """Fill the registries, plugins included, once."""
    load_plugins(REGISTRIES.values())
