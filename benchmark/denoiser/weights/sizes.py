"""What a weights file's header says of its network: a named size, and settings which are ours."""

from collections.abc import Mapping
from typing import Any

from benchmark.denoiser import DENOISERS
from benchmark.settings import plain
from benchmark.signature import keywords_of

Header = Mapping[str, Any]  # as JSON gives it back


def size_of(header: Header) -> str:
    """A named size of the class, and the arguments which are neither its nor the published ones."""
    size, changed = _size_and_changes(header)
    said = [size] if size else []
    said += [f"{name}={_spelled(value)}" for name, (value, _) in changed.items()]
    return " ".join(said) or "published"


def own_settings(header: Header) -> str:
    """The settings of a training which are ours, each beside the published one; empty if none.

    Those of a named size are not among them: ``input_ratio=[0,90] (published: [80,90])``.
    """
    _, changed = _size_and_changes(header)
    return ", ".join(
        f"{name}={_spelled(value)} (published: {_spelled(usual)})"
        for name, (value, usual) in changed.items()
        if usual is not ...
    )


def _size_and_changes(header: Header) -> tuple[str, dict[str, tuple[object, object]]]:
    """A named size or nothing, and by keyword the other arguments beside those of that size."""
    cls, given = DENOISERS.get(header["model"]), plain(header.get("arguments", {}))
    usual, size = plain(_defaults(cls)) if cls else {}, ""
    for name, arguments in plain(cls.sizes if cls else {}).items():
        if all(given.get(key) == value for key, value in arguments.items()):
            usual, size = {**usual, **arguments}, name
            break
    pairs = {name: (value, usual.get(name, ...)) for name, value in given.items()}
    return size, {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _defaults(cls: type) -> dict[str, object]:
    found = keywords_of(cls)
    return {name: p.default for name, (p, _) in found.items() if p.default is not p.empty}


def _spelled(value: object) -> str:
    """A value as a setting of the command line: lists without spaces."""
    return str(value).replace(" ", "") if isinstance(value, list) else str(value)
