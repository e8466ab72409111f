"""One door for noises, denoisers, metrics and datasets, ours and everybody else's."""

import difflib
import importlib
import re
import warnings
from collections import UserDict
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from typing import TypeVar

T = TypeVar("T", bound=type)

ENTRY_POINT_GROUP = "noisebench.plugins"
OURS = (
    "noise_models",
    "baselines",
    "masked_model",
    "benchmark.algebra",
    "benchmark.metrics",
    "benchmark.datasets",
    "benchmark.recorded",
)


class NameTaken(ValueError):
    """A second class claims a registered name."""


class UnknownName(KeyError):
    """A name nobody registered; its message is one readable sentence."""

    def __str__(self) -> str:
        return self.args[0]


class Registry(UserDict):
    """A dict of classes which refuses a second owner for a name.

    Parameters
    ----------
    kind
        What is registered, in words: ``"noise model"``. Error messages use it.
    """

    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind

    def register(self, name: str) -> Callable[[T], T]:
        """Decorate a class with the name users will type; sets ``cls.name``.

        Raises
        ------
        NameTaken
            If the name belongs to another class already. The registry is left unchanged.
        """

        def decorate(cls: T) -> T:
            owner = self.data.get(name)
            if owner is not None and _address(owner) != _address(cls):
                raise NameTaken(
                    f"{self.kind} '{name}' has two owners, {_address(owner)} and {_address(cls)}; "
                    f"rename one or uninstall its package"
                )
            cls.name = name
            self.data[name] = cls
            return cls

        return decorate

    def __missing__(self, name: str) -> type:
        hint = did_you_mean(str(name), self.data, most=3, cutoff=0.5)
        known = ", ".join(sorted(self.data))
        raise UnknownName(f"unknown {self.kind} '{name}'{hint} Known: {known}")


def did_you_mean(name: str, known: Iterable[str], most: int = 1, cutoff: float = 0.6) -> str:
    """How a sentence about an unknown name goes on: with the closest known ones, or a full stop.

    ``cutoff`` is the least similarity, in [0, 1], of `difflib.get_close_matches`.
    """
    close = difflib.get_close_matches(name, known, n=most, cutoff=cutoff)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else "."


def summary(cls: type) -> str:
    """The first paragraph of a class's docstring as one line of plain text, without citations."""
    paragraph = (cls.__doc__ or "").strip().partition("\n\n")[0]
    return re.sub(r" \[\d+\]_|``|`", "", " ".join(paragraph.split()))


def _address(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def load_plugins() -> None:
    """Import the modules whose decorators fill the registries: ours, then installed plugins.

    A plugin which cannot be imported is a warning naming it. One which claims a name that
    somebody else owns is a ``NameTaken`` error naming both.
    """
    for module in OURS:
        importlib.import_module(module)
    for plugin in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda entry: entry.name):
        try:
            plugin.load()
        except NameTaken:
            raise
        except Exception as error:  # whatever a stranger's module raises, the others still work
            warnings.warn(
                f"plugin '{plugin.name}' ({plugin.value}) cannot be imported and is left out: "
                f"{type(error).__name__}: {error}",
                stacklevel=2,
            )
