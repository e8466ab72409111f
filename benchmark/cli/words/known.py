"""What a command can be told, from its options and the catalogue; what it cannot is refused."""

import re
from dataclasses import dataclass
from functools import cached_property
from importlib import resources

from benchmark.cli.command import Command
from benchmark.cli.registered.catalogue import Catalogue
from benchmark.cli.words.grammar import SWEEP, Word
from benchmark.registry import UnknownName, did_you_mean, unknown_setting
from benchmark.signature import plain_type, spelled_type

KEY = re.compile(r"[\w$./@:-]+", re.ASCII)
FILE = re.compile(r"\.(pth?|ckpt|safetensors|onnx|png|jpe?g|tiff?)$", re.IGNORECASE)
OF_FILES = {  # what is meant where a place on the disk stands for a name
    "data": "images of your own are: data=folder data.folder.path={}",
    "model": "a file of weights belongs to a network: model=masked model.masked.weights={}",
}


def is_formula(text: str) -> bool:
    """Whether an item of ``noise=[...]`` is a formula; without loading what reads one."""
    return any(sign in text for sign in "()+>")


def names_of_files(option: str) -> list[str]:
    """The files of settings that an option may name."""
    folder = resources.files("benchmark.cli.conf") / option
    return sorted(path.name.removesuffix(".yaml") for path in folder.iterdir())


@dataclass(frozen=True)
class Known:
    """A command and what is registered.

    ``open_ended`` says that further names and settings are in a user's own folder of configs.
    """

    command: Command
    catalogue: Catalogue
    open_ended: bool = False

    @cached_property
    def settings(self) -> dict[str, str]:
        """The command's plain settings and their types."""
        plain = self.command.settings.items()
        return {name: spelled_type(plain_type(annotation)) for name, (annotation, _) in plain}

    @cached_property
    def keys(self) -> list[str]:
        """Everything that may stand before ``=``, but for what is inside it."""
        return [*self.command.groups, *self.settings, *self.command.files]

    def kind_of(self, key: str) -> str | None:
        """The type of a setting, by its key: ``out``, ``noise.isp.camera``; None if unknown."""
        group, _, rest = key.partition(".")
        if not rest:
            return self.settings.get(key)
        if group not in self.command.groups:
            return None
        name, _, setting = rest.rpartition(".")
        if group == "model" and setting == "weights":
            return "str | None"
        entries = self.catalogue.groups[group]
        classes = [entries[name]] if name in entries else list(entries.values())
        kinds = [entry.signature[setting][0] for entry in classes if setting in entry.signature]
        return kinds[0] if kinds else None

    def check_key(self, word: Word) -> None:
        """Raise ``ValueError`` for a setting which the command does not have."""
        group, _, rest = word.key.partition(".")
        if self.open_ended or not re.fullmatch(r"[\w-]+", group) or group == "hydra":
            return
        if group not in self.keys:
            raise unknown_setting(group, self.keys)
        if group in self.settings and rest:
            raise ValueError(
                f"{word}: '{group}' is one setting, with none inside it; {group}=VALUE"
            )
        name, _, setting = rest.rpartition(".")
        known = None
        if name and group in self.command.groups:
            known = self.catalogue.settings_of(group, name, self.command.trains)
        if known is not None and setting not in (*known, "of"):
            raise unknown_setting(word.key, [*known, "of"], f"{group}.{name}")

    def check_name(self, group: str, name: str) -> None:
        """Raise ``UnknownName`` for a name which is none of a group's."""
        name = name.strip("\"'")
        open_ended = self.open_ended and KEY.fullmatch(name)
        if open_ended or name in self.catalogue.names(group, self.command.trains):
            return
        if group in OF_FILES and ("/" in name or FILE.search(name)):
            raise UnknownName(f"{group}={name} is no name; {OF_FILES[group].format(name)}")
        self.catalogue.registry_of(group)[name]  # says which there are

    def check_file(self, word: Word) -> None:
        """Raise ``ValueError`` for a file of settings which there is not."""
        names = names_of_files(word.key)
        if not self.open_ended and word.value not in names:
            hint = did_you_mean(word.value, names)
            raise ValueError(f"there is no {word.key}/{word.value}{hint} Known: {', '.join(names)}")

    def sweeps(self, value: str, sweeping: bool) -> bool:
        """Whether a value is one of Hydra's functions of several."""
        return sweeping and SWEEP.match(value) is not None
