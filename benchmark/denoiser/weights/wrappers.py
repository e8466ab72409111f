"""Where a file keeps a network: below which keys of nested mappings and which prefixes of names."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

Tensors = dict[str, Tensor]

WRAPPERS = (  # keys and prefixes below which networks are kept, those of a whole file first
    *("params", "state_dict", "model_state_dict", "model_state", "state", "weights"),
    *("model", "network", "net", "module", "_orig_mod", "online_model"),
    *("netG", "net_G", "net_g", "generator", "G", "denoiser", "restorer"),
    *("_forward_module", "_fsdp_wrapped_module"),  # of Lightning and DeepSpeed, of FSDP
)
AVERAGE_WORDS = {"ema", "swa", "average", "averaged", "avg", "shadow", "polyak"}
AVERAGE_NAMES = ("netE", "net_E", "E")  # of KAIR
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
DEEPEST = 6  # wrappers around one another
WIDEST = 16  # parts of one file which are tried as a network


@dataclass(frozen=True)
class Reading:
    """Tensors which may be a network's, by the names that it gives them.

    Parameters
    ----------
    place
        The keys and prefixes which were left away, joined by dots.
    usual
        Whether the place leaves no choice: a known wrapper, or the one which holds most of a file.
    said
        What a user has to know of the choice, as the end of a sentence; empty if nothing.
    """

    place: str
    tensors: Tensors
    usual: bool = True
    said: str = ""


def flatten(stored: object) -> Tensors:
    """All tensors of nested mappings and lists, by the path of their keys, joined by dots.

    What contains itself is entered once.

    Raises
    ------
    ValueError
        If two tensors have one path.
    """
    found: Tensors = {}
    waiting: list[tuple[str, object]] = [("", stored)]
    entered = set()
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, Tensor):
            if path in found:
                raise ValueError(f"two tensors are called '{path}'")
            found[path] = value
            continue
        if isinstance(value, Mapping):
            inner = [(str(key), item) for key, item in value.items()]
        elif isinstance(value, list | tuple):
            inner = [(str(place), item) for place, item in enumerate(value)]
        else:
            continue
        if id(value) not in entered:
            entered.add(id(value))
            waiting += [(f"{path}.{key}" if path else key, item) for key, item in inner[::-1]]
    return found


def unwrapped(tensors: Tensors, place: str = "", said: str = "") -> Iterator[Reading]:
    """Tensors by their names, then below what is usually wrapped around them, then below others.

    Without a prefix, what does not have it is left out: a loss network, say, in a file of
    Lightning.
    """
    waiting, unusual = [("", tensors, 0)], []
    while waiting:
        inner, below, depth = waiting.pop(0)
        yield Reading(joined(place, inner), below, said=said)
        if depth == DEEPEST:
            continue
        counts: dict[str, int] = {}
        for key in below:
            part, dot, _ = key.partition(".")
            if dot:
                counts[part] = counts.get(part, 0) + 1
        usual = [part for part in WRAPPERS if part in counts]
        usual += [part for part in counts if part not in usual and means_average(part)]
        usual += [p for p, n in counts.items() if p not in usual and 2 * n > len(below)]
        waiting += [(joined(inner, part), inside(below, part), depth + 1) for part in usual]
        unusual += [
            (joined(inner, part), inside(below, part))
            for part, count in counts.items()
            if part not in usual and not part.isdecimal() and count > 1
        ]
    for inner, below in unusual[:WIDEST]:
        yield Reading(joined(place, inner), below, usual=False, said=said)


def means_average(name: str) -> bool:
    """Whether a key or prefix is called like a copy of averaged weights."""
    words = {word.lower() for word in WORD.findall(name)}
    return bool(words & AVERAGE_WORDS) or name in AVERAGE_NAMES


def inside(tensors: Tensors, place: str) -> Tensors:
    """The tensors below a prefix, without it."""
    if not place:
        return dict(tensors)
    start = f"{place}."
    return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}


def joined(outer: str, inner: str) -> str:
    """A place within a place; either may be empty."""
    return f"{outer}.{inner}" if outer and inner else outer or inner
