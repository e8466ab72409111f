"""What is registered, known without loading it: a file in the user's cache, made again if stale.

Names, settings and descriptions depend on code and on files which ship with it, so that they are
kept under a fingerprint of those. What depends on the rest of the disk, on data and on other
packages, is looked at each time: see `unavailable`.
"""

import contextlib
import importlib
import importlib.util
import json
import os
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from benchmark import __version__, registry
from benchmark.files.states import State, state_of
from benchmark.files.whole import write_whole
from benchmark.objects import available
from benchmark.registry import Registry

if TYPE_CHECKING:
    from benchmark.datasets.stored import Status

# variables of a terminal, which no run reads; a plugin may read any other one
TERMINAL = re.compile(
    r"_|SHLVL|(OLD)?PWD|COLUMNS|LINES|TERM\w*|COLORTERM|PS1|WINDOW(ID)?|STY|TMUX\w*|SSH_\w+|VTE_\w+|"
    r"(GNOME_TERMINAL|ITERM|KITTY|KONSOLE|VSCODE|WEZTERM|WT)_\w+|"
    r"(WAYLAND_)?DISPLAY|XDG_SESSION_\w+|XDG_VTNR|DBUS_\w+|INVOCATION_ID|JOURNAL_STREAM"
)
GROUPS = ("model", "noise", "data", "metric")
LOADED = "benchmark.objects.registries"  # the module which loads torch

Described = dict[str, list[str]]  # by keyword: its type and its default, as they are typed


@dataclass(frozen=True)
class Entry:
    """What is known of a registered class.

    Parameters
    ----------
    settings
        The keywords which a command takes; of a learned network without those of ``signature``
        which are set by its weights.
    signature
        The keywords of the constructor.
    details
        Further lines of ``bench list``.
    reason
        Why ``all`` leaves it out, unless that depends on the disk.
    package
        A package which it needs beside the installed ones.
    module
        The module which registers a dataset whose images are to be looked for; else empty.
    compared_with
        The name of the network which a denoiser is to be compared with; else empty.
    family
        Of a noise, as its class declares it; else empty.
    trains
        Whether ``bench train`` can take it, as a network or as a noise.
    """

    name: str
    summary: str
    settings: Described
    signature: Described
    details: list[str] = field(default_factory=list)
    choices: list[str] = field(default_factory=list)
    suites: list[str] = field(default_factory=list)
    sizes: list[str] = field(default_factory=list)
    reason: str = ""
    package: str = ""
    module: str = ""
    compared_with: str = ""
    family: str = ""
    trains: bool = False


@dataclass(frozen=True)
class Catalogue:
    """Every registered class by group and name.

    ``fresh`` says that the registries themselves are filled in this process. ``fingerprint`` is of
    the files of code from which it was made; empty where that is not known.
    """

    kinds: Mapping[str, str]  # what a group's classes are called
    groups: Mapping[str, Mapping[str, Entry]]
    fresh: bool = False
    fingerprint: str = ""

    def registry_of(self, group: str) -> Registry:
        """The entries of a group, which say what is there where a name is unknown."""
        entries = Registry(self.kinds[group])
        entries.data.update(self.groups[group])
        return entries

    @cached_property
    def reasons(self) -> dict[str, dict[str, str]]:
        """By group, why ``all`` leaves classes out, as it was when this was first asked."""
        return {
            group: {n: why for n, e in sorted(entries.items()) if (why := unavailable(group, e))}
            for group, entries in self.groups.items()
        }

    @cached_property
    def state(self) -> str:
        """A hash of all that words of a command line mean more than they say, when first asked.

        That is code, plugins, what there is of data and packages, the working folder and variables
        of the environment. It is empty where nobody knows of which files the loaded code is.
        """
        with contextlib.suppress(FileNotFoundError):  # the working folder was removed
            if self.fingerprint:
                given = {k: v for k, v in sorted(os.environ.items()) if not TERMINAL.fullmatch(k)}
                facts = self.fingerprint, self.reasons, os.getcwd(), given
                return sha256(repr(facts).encode()).hexdigest()
        return ""

    @cached_property
    def suites(self) -> list[str]:
        """The names which choose several noises at once, beside ``all``."""
        return sorted({suite for entry in self.groups["noise"].values() for suite in entry.suites})

    def names(self, group: str, training: bool = False) -> list[str]:
        """What can be chosen of a group by one word."""
        entries = self.groups[group]
        sizes = [f"{n}_{s}" for n, entry in entries.items() for s in entry.sizes]
        suites = self.suites if group == "noise" else []
        return [*sorted(entries), "all", *suites, *(sizes if training else [])]

    def offered(self, group: str, training: bool = False) -> list[str]:
        """The same without what a training has no use for: filters, recorded noise, suites."""
        if not training or group not in ("model", "noise"):
            return self.names(group, training)
        entries = {name: e for name, e in sorted(self.groups[group].items()) if e.trains}
        return [*entries, *(f"{name}_{size}" for name, e in entries.items() for size in e.sizes)]

    def settings_of(self, group: str, name: str, training: bool = False) -> Described | None:
        """The settings of a name of a group; None if it has no class of its own."""
        entries = self.groups[group]
        sizes = {f"{e.name}_{size}": e for e in entries.values() for size in e.sizes}
        entry = entries.get(name) or (sizes.get(name) if training else None)
        if entry is None:
            return None
        return entry.signature if training else entry.settings


def open_catalogue() -> Catalogue:
    """The catalogue, from its file if nothing that it depends on was changed since.

    A process which has the registries loaded looks at them. A catalogue from which a plugin was
    left out is not kept: the next command is warned of it as well.
    """
    if LOADED in sys.modules:
        return _made()[0]
    fingerprint = _fingerprint()
    try:
        path = user_cache_path("noisebench") / "catalogue.json"
    except RuntimeError:  # a user without a home, as in some containers
        return _made()[0]
    if stored := _read(path, fingerprint):
        return stored
    made, complete = _made()
    if complete:
        made = replace(made, fingerprint=fingerprint)
        text = json.dumps({"fingerprint": fingerprint, "kinds": made.kinds, "groups": _plain(made)})
        with contextlib.suppress(OSError):  # nothing but the time to make it again is lost
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text)
    return made


def unavailable(group: str, entry: Entry) -> str | None:
    """Why a group's ``all`` leaves a class out, in a few words; None if it does not."""
    status = partial(status_of, entry) if entry.module else None
    return available.unavailable(entry.package, entry.reason, status)


def status_of(entry: Entry) -> "Status":
    """What there is of a dataset's images now."""
    from benchmark.datasets.dataset import DATASETS

    importlib.import_module(entry.module)
    return DATASETS[entry.name]().status()


def _made() -> tuple[Catalogue, bool]:
    """The catalogue of the registries, which are filled, and whether no plugin is missing."""
    from benchmark.cli.registered.entries import entry_of
    from benchmark.cli.registered.plugins import load_fitting_plugins
    from benchmark.objects.registries import REGISTRIES, registry_of

    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always", registry.LeftOut)
        load_fitting_plugins()
    for complaint in complaints:
        warnings.showwarning(
            complaint.message, complaint.category, complaint.filename, complaint.lineno
        )
    kinds = {group: REGISTRIES[group].kind for group in GROUPS}
    groups = {
        group: {name: entry_of(group, cls) for name, cls in sorted(registry_of(group).items())}
        for group in GROUPS
    }
    left_out = any(issubclass(complaint.category, registry.LeftOut) for complaint in complaints)
    return Catalogue(kinds, groups, fresh=True), not left_out


def _plain(catalogue: Catalogue) -> dict[str, dict[str, dict[str, object]]]:
    return {
        group: {name: asdict(entry) for name, entry in entries.items()}
        for group, entries in catalogue.groups.items()
    }


def _read(path: Path, fingerprint: str) -> Catalogue | None:
    """The catalogue of a file; None if it is another's, or damaged in any way."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["fingerprint"] != fingerprint:
            return None
        groups = {
            group: {name: Entry(**entry) for name, entry in record["groups"][group].items()}
            for group in GROUPS
        }
        return Catalogue(record["kinds"], groups, fingerprint=fingerprint)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _fingerprint() -> str:
    """What a catalogue depends on: versions, and the state of every file of the packages."""
    plugins = [
        (plugin.name, plugin.value, plugin.dist and (plugin.dist.name, plugin.dist.version))
        for plugin in registry.entry_points(group=registry.ENTRY_POINT_GROUP)
    ]
    modules = {name.partition(".")[0] for name in registry.OURS}
    modules |= {value.partition(":")[0].partition(".")[0] for _, value, _ in plugins}
    files = [fact for name in sorted(modules) for fact in _states(name)]
    return sha256(repr((sys.version, sys.prefix, __version__, plugins, files)).encode()).hexdigest()


def _states(module: str) -> Iterator[State]:
    """Path, times and size of each file of a top-level module, which is not imported."""
    try:
        spec = importlib.util.find_spec(module)
    except ValueError:  # a plugin's mistake: a name which is none, or a module without a place
        return
    if spec is None:
        return
    if not spec.submodule_search_locations:
        yield state_of(spec.origin or module)
    for folder in spec.submodule_search_locations or ():
        for root, folders, names in os.walk(folder):
            folders[:] = sorted(set(folders) - {"__pycache__"})
            yield from (state_of(os.path.join(root, name)) for name in sorted(names))
