"""One door for noises, denoisers, metrics and datasets, ours and everybody else's."""

import contextlib
import difflib
import importlib
import io
import sys
import warnings
from collections import UserDict
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar, cast

from benchmark.docstrings import without_marks

Base = TypeVar("Base")  # of the classes of a registry
Class = TypeVar("Class", bound=type)

ENTRY_POINT_GROUP = "noisebench.plugins"
OURS = (
    "noise_models",
    "baselines",
    "masked_model",
    "benchmark.noise.formula",
    "benchmark.metrics",
    "benchmark.datasets",
)


class NameTaken(ValueError):
    """A second class claims a registered name."""


class LeftOut(UserWarning):
    """A plugin, or one of its classes, cannot be offered; the message names it and the cause."""


class UnknownName(KeyError):
    """A name nobody registered; its message is one readable sentence."""

    def __str__(self) -> str:
        return self.args[0]


class Registry(UserDict[str, type[Base]], Generic[Base]):
    """A dict of classes which refuses a second owner for a name.

    Parameters
    ----------
    kind
        What is registered, in words: ``"noise model"``. Error messages use it.
    """

    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind

    def register(self, name: str) -> Callable[[Class], Class]:
        """Decorate a class with the name users will type; sets ``cls.name``.

        Raises
        ------
        NameTaken
            If the name belongs to another class already. The registry is left unchanged.
        """

        def decorate(cls: Class) -> Class:
            owner = self.data.get(name)
            if owner is not None and _address(owner) != _address(cls):
                raise NameTaken(
                    f"{self.kind} '{name}' has two owners, {_address(owner)} and {_address(cls)}; "
                    f"rename one or uninstall its package"
                )
            cls.name = name
            self.data[name] = cast(type[Base], cls)
            return cls

        return decorate

    def find(self, name: str) -> type[Base] | None:
        """The class of a name, of our own packages also where nothing was loaded; None if none is.

        They are imported one after the other, until one of them registers the name.
        """
        for module in OURS:
            if name in self.data:
                break
            importlib.import_module(module)
        return self.data.get(name)

    def __missing__(self, name: str) -> type[Base]:
        hint = did_you_mean(str(name), self.data, most=3, cutoff=0.5)
        known = ", ".join(sorted(self.data))
        raise UnknownName(f"unknown {self.kind} '{name}'{hint} Known: {known}")


def did_you_mean(name: str, known: Iterable[str], most: int = 1, cutoff: float = 0.6) -> str:
    """How a sentence about an unknown name goes on: with the closest known ones, or a full stop.

    ``cutoff`` is the least similarity, in [0, 1], of `difflib.get_close_matches`; small and capital
    letters are alike.
    """
    alike: dict[str, str] = {}
    for one in known:
        alike.setdefault(one.lower(), one)
    close = difflib.get_close_matches(name.lower(), alike, n=most, cutoff=cutoff)
    close = [alike[one] for one in close]
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else "."


def unknown_setting(key: str, known: Iterable[str], where: str = "") -> ValueError:
    """The mistake of a setting that nobody reads, with those there are in its place.

    Parameters
    ----------
    key
        As it was typed, or its last part where the message names the place by ``where``.
    """
    names = sorted(map(str, known))
    hint = did_you_mean(str(key).rpartition(".")[2], names)
    place = f"in {where}" if where else "there"
    return ValueError(f"unknown setting '{key}'{hint} Known {place}: {', '.join(names)}")


def summary(documented: object) -> str:
    """The first paragraph of a docstring as one line of plain text, without citations."""
    paragraph = (documented.__doc__ or "").strip().partition("\n\n")[0]
    return without_marks(" ".join(paragraph.split()))


def _address(cls: type) -> str:
    return f"{cls.__module__}.{getattr(cls, '__qualname__', cls)}"


Unfit = Callable[[Registry[Any], type], str | None]  # why a class cannot be offered, or None


def load_plugins(registries: Iterable[Registry[Any]] = (), unfit: Unfit = lambda *_: None) -> None:
    """Import the modules whose decorators fill the registries: ours, then installed plugins.

    Whatever is wrong with a plugin stops nothing else. One which cannot be imported, or claims a
    name that somebody else owns, is left out with all it registered, and one of its classes which
    is ``unfit`` by itself; a warning names plugin, class and cause.

    Parameters
    ----------
    registries
        Those which plugins may fill.
    unfit
        Says why a class which a plugin registered cannot be offered to users.
    """
    for module in OURS:
        importlib.import_module(module)
    registries = list(registries)
    for plugin in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda entry: entry.name):
        before = [dict(registry.data) for registry in registries]
        said = f"plugin '{plugin.name}' ({plugin.value})"
        problem = _import(plugin)
        if problem:
            for registry, known in zip(registries, before, strict=True):
                registry.data = known
            _warn(f"{said} {problem}")
            continue
        for registry, known in zip(registries, before, strict=True):
            for name in registry.data.keys() - known.keys():
                if problem := unfit(registry, registry.data[name]):
                    cls = registry.data.pop(name)
                    _warn(
                        f"{said}: {registry.kind} '{name}', {_address(cls)}, is left out: {problem}"
                    )


def _import(plugin: EntryPoint) -> str | None:
    """What went wrong when a plugin was imported, as the end of a sentence; None if nothing."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stderr(printed), contextlib.redirect_stdout(printed):
            plugin.load()
    except SystemExit as error:
        last = (printed.getvalue().strip().splitlines() or [f"status {error.code}"])[-1]
        return (
            f"ends the program when it is imported, as a script does which reads the command line, "
            f"and is left out: {last}"
        )
    except NameTaken as error:
        return f"is left out: {error}"
    except Exception as error:  # whatever a stranger's module raises, the others still work
        return f"cannot be imported and is left out: {type(error).__name__}: {error}"
    sys.stderr.write(printed.getvalue())
    return None


def _warn(message: str) -> None:
    warnings.warn(message, LeftOut, stacklevel=3)
