"""What a command is: one file in ``commands/``, with its options, a decorator and a function."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from dataclasses import Field as OptionField
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_origin, get_type_hints

from benchmark import docstrings
from benchmark.signature import Parameters

if TYPE_CHECKING:
    from benchmark.cli.registered.catalogue import Catalogue

FIRST = ("run", "report", "train")  # what most people come for; the others follow by their names

SETTING = re.compile(r"\+{0,2}(?!hydra\b)[\w.]+=(?!.*\$\{).*")  # no flag, nothing of Hydra's own

Function = Callable[[Any, "CommandLine"], None]


def is_bare_first(words: Sequence[str]) -> bool:
    """Whether the first word may stand for a setting's value: ``bench noise poisson``."""
    return bool(words) and not re.match(r"[-+~]|[\w.]+=", words[0])


@dataclass(frozen=True)
class CommandLine:
    """The words of a command as they were typed, and the catalogue they were read by.

    The words are for the pages which say how they were made. ``launch`` is there where workers were
    asked for: it starts them, with a folder for what they log, and ends when they have. In ``said``
    are the sentences which were said of the words before the command was called.
    """

    command: "Command"
    words: tuple[str, ...]
    catalogue: "Catalogue"
    launch: Callable[[Path], None] | None = None
    said: tuple[str, ...] = ()

    @property
    def says_all(self) -> bool:
        """Whether the words are settings whose values stand in them, whoever reads them."""
        return all(map(SETTING.fullmatch, self.words))

    def words_without(self, *keys: str) -> list[str]:
        """The settings among the words, without those of these keys."""
        first = self.command.bare(self.words) if self.command.first_word in keys else 0
        settings = [word for word in self.words[first:] if not word.startswith("-")]
        return [word for word in settings if word.partition("=")[0].lstrip("+~") not in keys]

    def value_of(self, key: str, default: str) -> str:
        """What a setting was given as a word: the first word where it may stand there, ``key=``."""
        if self.command.first_word == key and self.command.bare(self.words):
            return self.words[0]
        values = [word.partition("=")[2] for word in self.words if word.startswith(f"{key}=")]
        return values[-1] if values else default

    def given(self, *keys: str) -> list[str]:
        """The settings among the words which are of these keys, or inside them."""
        settings = self.words[self.command.bare(self.words) :]
        return [word for word in settings if re.split("[.=]", word.lstrip("+~"))[0] in keys]

    def without(self, *keys: str) -> list[str]:
        """The whole line, without the settings of these keys."""
        return ["bench", self.command.name, *self.words_without(*keys)]


@dataclass(frozen=True)
class Command:
    """What the decorator `command` makes of a function and of the dataclass of its options."""

    name: str
    function: Function
    options: type
    first_word: str | None
    goes_on: bool
    loads: bool
    again: "Callable[[CommandLine], bool] | None" = None

    @property
    def help(self) -> str:
        """The function's docstring: a sentence, then examples and what else there is to say."""
        return re.sub("^    ", "", self.function.__doc__ or "", flags=re.MULTILINE).rstrip()

    @property
    def sentence(self) -> str:
        return self.help.partition("\n")[0].rstrip(".")

    @property
    def example(self) -> str:
        """The first example of the help."""
        line = next((s for s in self.help.splitlines() if s.strip().startswith("bench ")), "")
        return re.split(r"\s{2,}", line.strip() or f"bench {self.name}")[0]

    @cached_property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """The groups that registered names are chosen from, and what is chosen by default."""
        return {f.name: f.metadata["group"] for f in fields(self.options) if "group" in f.metadata}

    @property
    def trains(self) -> bool:
        """Whether networks have their whole signature as settings."""
        return any(f.metadata.get("trained") for f in fields(self.options))

    @cached_property
    def files(self) -> dict[str, str]:
        """The options which name one file of settings in ``conf/``, and their defaults."""
        return {f.name: f.metadata["file"] for f in fields(self.options) if "file" in f.metadata}

    @cached_property
    def settings(self) -> Parameters:
        """Every other option: its type and default by name."""
        return dict(_plain_settings(self.options))

    def bare(self, words: Sequence[str]) -> int:
        """How many of the first words are values of ``first_word``, which may be a list."""
        if not self.first_word:
            return 0
        kind, _ = self.settings.get(self.first_word, (None, None))
        most = len(words) if get_origin(kind) is tuple else 1
        count = 0
        while count < most and is_bare_first(words[count:]):
            count += 1
        return count

    @cached_property
    def descriptions(self) -> dict[str, str]:
        """What every option means, in the order in which they are declared."""
        described = _described(self.options)
        return {
            name: described.get(name, "") for name in (*self.files, *self.groups, *self.settings)
        }


def command(
    name: str,
    first_word: str | None = None,
    goes_on: bool = False,
    loads: bool = True,
    again: Callable[[CommandLine], bool] | None = None,
) -> Callable[[Function], Function]:
    """Make a function the command ``bench NAME``.

    The function's first argument is annotated with the dataclass of its options, whose docstring
    describes each one under ``Parameters``; the second is the `CommandLine`. Its own docstring is
    the help. A command's file loads nothing heavy before the function is called: all of them are
    read for ``bench --help``.

    Parameters
    ----------
    first_word
        The option which a first word without ``=`` sets; several of them, if it is a list.
    goes_on
        Whether the same command given again goes on where it was stopped.
    loads
        Whether the function needs the registries filled, plugins included, which takes seconds.
    again
        Does what the function would do where an earlier call of it with the same words is known to
        hold still, and says whether it has; it needs neither options nor registries.
    """

    def decorate(function: Function) -> Function:
        options = next(iter(get_type_hints(function).values()))
        COMMANDS[name] = Command(name, function, options, first_word, goes_on, loads, again)
        return function

    return decorate


COMMANDS: dict[str, Command] = {}


def group(*default: str, trained: bool = False) -> Any:
    """An option filled by a group of registered names, and the names which it has by default.

    Parameters
    ----------
    trained
        Whether networks have their whole signature as settings, and their sizes as names.
    """
    return field(default_factory=dict, metadata={"group": default, "trained": trained})


def file_of_settings(default: str) -> Any:
    """An option which names a YAML file in ``conf/``, in the folder of the option's name."""
    return field(default=default, metadata={"file": default})


def all_commands() -> dict[str, Command]:
    """Every command by name: the files of the folder ``commands``."""
    from benchmark.cli import commands

    for module in pkgutil.iter_modules(commands.__path__):
        importlib.import_module(f"{commands.__name__}.{module.name}")
    order = sorted(COMMANDS, key=lambda name: (name not in FIRST, _place(name), name))
    return {name: COMMANDS[name] for name in order}


def _place(name: str) -> int:
    return FIRST.index(name) if name in FIRST else len(FIRST)


def _plain_settings(options: type) -> Iterator[tuple[str, tuple[object, object]]]:
    """The plain options, with those inside options which are dataclasses themselves."""
    hints = get_type_hints(options)
    for option in fields(options):
        if option.metadata:
            continue
        if is_dataclass(hints[option.name]):
            yield from _plain_settings(hints[option.name])
        else:
            yield option.name, (hints[option.name], _default(option))


def _default(option: OptionField) -> object:
    factory = option.default_factory
    return option.default if factory is MISSING else factory()


def _described(options: type) -> dict[str, str]:
    """What a dataclass and those in it say under ``Parameters``, one line for each name."""
    described: dict[str, str] = {}
    for cls in reversed(options.__mro__):
        for part in get_type_hints(cls).values():
            if isinstance(part, type) and is_dataclass(part):
                described |= _described(part)
        for names, text in docstrings.read(cls).parameters:
            plain = re.sub(r" \[\d+\]_|``|`", "", text)
            described |= dict.fromkeys(names.split(", "), plain)
    return described
