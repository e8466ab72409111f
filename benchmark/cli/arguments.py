"""The words of a command line, put into Hydra's grammar: quotes, lists, formulas, and mistakes."""

import os
import re
import shlex
from collections import deque
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from benchmark.cli.options import GROUPS_OF, SCHEMAS, TrainingConfig
from benchmark.cli.schema import registry_of
from benchmark.noise.grammar import is_formula, split_choice
from benchmark.registry import did_you_mean
from benchmark.signature import Parameters, is_list, settings_of
from benchmark.training.recipe import Execution, Recipe

ONE_NAME = ("preset", "ablation")  # groups of settings, of which one is chosen at a time
LONGEST = 20_000  # characters of a word; Hydra's parser takes seconds for more
DEEPEST = 50  # brackets inside each other
FLAGS = {  # Hydra's, and what may follow each as a word of its own
    **dict.fromkeys(("-h", "--help", "--hydra-help", "--version", "--resolve"), ()),
    **dict.fromkeys(("-m", "--multirun", "-r", "--run", "-sc", "--shell-completion"), ()),
    **dict.fromkeys(("-c", "--cfg"), ("job", "hydra", "all")),
    **dict.fromkeys(("-i", "--info"), ("all", "config", "defaults", "defaults-tree", "plugins")),
    **dict.fromkeys(("-p", "--package", "-cp", "--config-path"), None),  # None: any word
    **dict.fromkeys(("-cn", "--config-name", "-cd", "--config-dir"), None),
    "--experimental-rerun": None,
}
OPTIONAL = ("-i", "--info")  # which may stand alone as well
WORD = re.compile(r"(?P<prefix>\+\+|\+|~|)(?P<key>[^=]*)(?:=(?P<value>.*))?", re.DOTALL)
KEY = re.compile(r"[\w$./@:-]+", re.ASCII)
PLAIN = re.compile(r"[\w./][\w./+%@?|*-]*", re.ASCII)  # no quotes needed, in any language
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', re.DOTALL)
PIECES = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|.', re.DOTALL)
SWEEP = re.compile(r"(choice|range|interval|glob|shuffle|sort|tag)\(")  # Hydra's own functions
CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class Word:
    """A setting as it was typed: ``+model.mine={of: masked}``."""

    prefix: str  # "", "+", "++" or "~"
    key: str
    value: str | None  # what follows "="; None if nothing does

    def __str__(self) -> str:
        return f"{self.prefix}{self.key}" + ("" if self.value is None else f"={self.value}")

    def corrected(self, value: str) -> str:
        """The word with another value, as a shell takes it."""
        return shlex.quote(str(replace(self, value=value)))


def understood(command: str, words: list[str]) -> list[str]:
    """The words after a command's name, each as Hydra's grammar has it.

    A text is quoted where it needs to be and ``~`` at its beginning expanded; a number or a text
    stands for a list of one. Flags come last. Formulas of noises stay: see `config.with_formulas`.

    Raises
    ------
    ValueError
        If a word is neither a flag nor a setting, a choice is empty or named twice, or brackets
        or quotes do not match; the message has the word as it is meant.
    """
    for word in words:
        _check_text(word)
    words = _split_flags(words)
    sweeping = not {"-m", "--multirun"}.isdisjoint(words)
    flags, settings = [], []
    left = deque(words)
    while left:
        if left[0].startswith("-"):
            flags += _flag(left)
        else:
            settings.append(_setting(command, left.popleft()))
    found = [str(_in_grammar(command, setting, sweeping)) for setting in settings]
    _check_groups(command, settings)
    return [*found, *flags]  # argparse wants the settings side by side


def plain_settings(command: str) -> Parameters:
    """The settings of a command beside its groups: type and default by name."""
    base = SCHEMAS[command.replace("-", "_")]
    hints, default = get_type_hints(base), base()
    own = {key: (hints[key], getattr(default, key)) for key in hints}
    if issubclass(base, TrainingConfig):
        own |= settings_of(Recipe) | settings_of(Execution)
    groups = {*GROUPS_OF.get(command, ()), "ablation"}
    return {key: found for key, found in own.items() if key not in groups}


@cache
def _plain_settings(command: str) -> Parameters:
    return plain_settings(command)


def as_meant(word: str) -> str:
    """A word which Hydra cannot read, as it is probably meant, quoted for a shell."""
    match = WORD.fullmatch(word)
    setting = Word(match["prefix"], match["key"].strip(), match["value"])
    if setting.value is None:
        return shlex.quote(f"{setting.prefix}{setting.key}=VALUE")
    missing = _unclosed(setting.value)
    if missing:
        return setting.corrected(setting.value + missing)
    return setting.corrected(quoted(setting.value.strip().strip("\"'")))


def quoted(text: str) -> str:
    """A text in Hydra's quotes: a backslash counts only before a quote and at the end."""
    return '"' + re.sub(r'(\\*)("|\Z)', lambda m: 2 * m[1] + ('\\"' if m[2] else ""), text) + '"'


def split(text: str) -> list[str]:
    """The parts between commas that stand in no brackets or quotes."""
    parts, depth = [""], 0
    for piece in PIECES.findall(text):
        if piece == "," and depth == 0:
            parts.append("")
            continue
        parts[-1] += piece
        depth = max(0, depth + (piece in CLOSING) - (piece in CLOSING.values()))
    return [part.strip() for part in parts] if text.strip() else []


# mistakes


def _check_text(word: str) -> None:
    """Raise ``ValueError`` for what no file name, number or formula can be."""
    short = word if len(word) <= 60 else f"{word[:60]}..."
    control = re.search(r"[\x00-\x1f\x7f]", word)
    if control:
        raise ValueError(
            f"the argument {short!r} holds the control character {control[0]!r}; leave it out"
        )
    if not word.isascii():
        try:
            word.encode()
        except UnicodeEncodeError:
            raise ValueError(f"the argument {short!r} is no text in UTF-8") from None
    if len(word) > LONGEST:
        raise ValueError(
            f"the argument {short!r} has {len(word)} characters; {LONGEST} are the most"
        )
    depth = 0
    for sign in word:
        depth += (sign in CLOSING) - (sign in CLOSING.values())
        if depth > DEEPEST:
            raise ValueError(f"{short!r} has more than {DEEPEST} brackets inside each other")


def _split_flags(words: list[str]) -> list[str]:
    """``--cfg=job`` as two words."""
    split_words: list[str] = []
    for word in words:
        flag, sign, value = word.partition("=")
        split_words += [flag, value] if word.startswith("--") and sign else [word]
    return split_words


def _flag(left: deque[str]) -> list[str]:
    """The flag which is next, and what belongs to it; both are taken off."""
    flag = left.popleft()
    if flag not in FLAGS:
        hint = did_you_mean(flag, FLAGS)
        raise ValueError(
            f"unknown flag '{flag}'{hint} Known: --help, --cfg job, -m (one run for each value); "
            f"settings are words as key=value"
        )
    choices = FLAGS[flag]
    follows = left and (choices is None or left[0] in choices)
    if not follows and choices != () and flag not in OPTIONAL:
        raise ValueError(f"{flag} needs a word after it: {' or '.join(choices or ['a folder'])}")
    return [flag, left.popleft()] if follows else [flag]


def _setting(command: str, word: str) -> Word:
    match = WORD.fullmatch(word)
    setting = Word(match["prefix"], match["key"].strip(), match["value"])
    if setting.value is None and setting.prefix == "~":
        return setting
    if setting.value is None or not KEY.fullmatch(setting.key):
        raise ValueError(f"'{word}' is no setting, which is key=value; {_example(command, word)}")
    missing = "" if _may_hold_brackets(command, setting) else _unclosed(setting.value)
    if missing != "":
        what = "a bracket is never closed" if missing else "a bracket closes nothing"
        meant = f"; write {setting.corrected(setting.value + missing)}" if missing else ""
        raise ValueError(f"{word}: {what}{meant}")
    return setting


def _may_hold_brackets(command: str, word: Word) -> bool:
    """Whether a value is a text or a formula, which are not read as lists here."""
    if word.key == "noise" and is_formula(word.value):
        return True
    annotation = _annotation(command, word.key)
    textual = annotation is Any or (annotation is not None and _is_text(annotation))
    return textual and not (is_list(annotation) and word.value.strip().startswith("["))


def _example(command: str, word: str) -> str:
    """What is meant by a word which sets nothing: a name of a group, or the name of a setting."""
    groups = GROUPS_OF.get(command, ())
    for group in groups:
        if word in registry_of(group) or (group == "noise" and is_formula(word)):
            return f"write {shlex.quote(f'{group}={word}')}"
    known = [*groups, *_plain_settings(command)]
    if word in known:
        return f"write {word}=VALUE"
    close = did_you_mean(word.partition("=")[0].strip(), known)
    example = f"{groups[0]}=NAME" if groups else f"{known[0]}=VALUE"
    return f"write one such as {example}" + (close if close != "." else "")


def _unclosed(value: str) -> str | None:
    """The brackets that are missing at a value's end; None if one closes nothing."""
    open_ones: list[str] = []
    for piece in PIECES.findall(value):
        if piece in CLOSING:
            open_ones.append(CLOSING[piece])
        elif piece in CLOSING.values() and (not open_ones or open_ones.pop() != piece):
            return None
    return "".join(reversed(open_ones))


def _check_groups(command: str, settings: list[Word]) -> None:
    """Raise ``ValueError`` for a group which is chosen from twice."""
    chosen: dict[str, list[str]] = {}
    for word in settings:
        names = word.value is not None and not word.value.lstrip().startswith("{")  # or a variant
        if word.key in GROUPS_OF.get(command, ()) and names:
            chosen.setdefault(word.key, []).append(word.value)
    for group, values in chosen.items():
        if len(values) > 1:
            items = dict.fromkeys(item for value in values for item in split_choice(value))
            meant = Word("", group, f"[{','.join(items)}]")
            raise ValueError(
                f"{group}= is given {len(values)} times; write {meant.corrected(meant.value)}"
            )


# Hydra's grammar


def _in_grammar(command: str, word: Word, sweeping: bool) -> Word:
    if word.value is None:
        return word
    if word.key in GROUPS_OF.get(command, ()):
        _check_choice(word, sweeping)
        return word
    if word.key in ONE_NAME and command in ("train", "ablate"):
        if not KEY.fullmatch(word.value.replace(",", "") if sweeping else word.value):
            raise ValueError(f"{word} should be one name; bench {command} --help has them")
        if word.value.lower() == "null":
            raise ValueError(f"{word} chooses nothing; bench {command} --help has the names")
        return word
    group, _, rest = word.key.partition(".")
    value = word.value.strip()
    if group in GROUPS_OF.get(command, ()) and rest and value[:1] == "{" and value[-1:] == "}":
        return replace(word, value=_dict(command, word, value))
    if rest and group in _plain_settings(command):
        raise ValueError(f"{word}: '{group}' is one setting, with none inside it; {group}=VALUE")
    annotation = _annotation(command, word.key)
    if annotation is None:
        return word
    return replace(word, value=_value(word, annotation, sweeping))


def _check_choice(word: Word, sweeping: bool) -> None:
    """Raise ``ValueError`` for a choice of a group which names nothing, or something twice."""
    value, group = word.value.strip(), word.key
    if not value or value.lower() in ("null", "none"):
        raise ValueError(
            f"{group}={value} chooses nothing; name what you want, or several: {group}=[A,B]"
        )
    if value[0] == "{" or (sweeping and SWEEP.match(value)):
        return
    items = split_choice(value)
    if len(items) > 1 and value[0] != "[" and not sweeping:
        raise ValueError(
            f"{word} names {len(items)}; write {word.corrected(f'[{value}]')} for all of them, or "
            f"-m before it for one run after the other"
        )
    for item in items:
        if not item or item[0] in "[{":
            raise ValueError(f"{word} should be a name or a list of names, such as {group}=[A,B]")
        if items.count(item) > 1:
            raise ValueError(
                f"{word} names {item} twice; write "
                f"{word.corrected('[' + ','.join(dict.fromkeys(items)) + ']')}"
            )
        if not (group == "noise" and is_formula(item)) and not KEY.fullmatch(item.strip("\"'")):
            registry_of(group)[item]  # says that there is no such name, and which there are


def _dict(command: str, word: Word, value: str) -> str:
    """``{of: masked, weights: my file.pth}`` with its texts quoted."""
    group, _, name = word.key.partition(".")
    parts = [part.partition(":") for part in split(value[1:-1])]
    of = next((text.strip() for key, _, text in parts if key.strip() == "of"), name)
    found = []
    for key, sign, text in parts:
        if not sign:
            raise ValueError(
                f"{word}: '{key}' is no KEY: VALUE; a text with a comma stands in quotes: "
                f'{{weights: "a, b"}}'
            )
        annotation = _annotation(command, f"{group}.{of}.{key.strip()}")
        if annotation is not None:
            text = _value(Word("", key.strip(), text), annotation, sweeping=False)
        found.append(f"{key.strip()}: {text.strip()}")
    return "{" + ", ".join(found) + "}"


def _annotation(command: str, key: str) -> object | None:
    """The type of a setting, by its key: ``out``, ``noise.isp.camera``; None if none is known."""
    group, _, rest = key.partition(".")
    if not rest:
        return _plain_settings(command).get(key, (None,))[0]
    if group not in GROUPS_OF.get(command, ()):
        return None
    name, _, setting = rest.rpartition(".")
    known = registry_of(group)
    classes = [known[name]] if name in known else list(known.values())
    if group == "model" and setting == "weights":
        return str | None
    return next((f[setting][0] for f in map(settings_of, classes) if setting in f), None)


def _value(word: Word, annotation: object, sweeping: bool) -> str:
    """A value as Hydra's grammar has it, for a setting of this type."""
    value = word.value.strip()
    if not value or value.lower() == "null" or (sweeping and SWEEP.match(value)):
        return value
    bracketed = value[0] == "[" and value[-1] == "]"
    if is_list(annotation):
        textual = _is_text(next(a for a in _alternatives(annotation) if is_list(a)))
        lists = split(value) if sweeping and not bracketed else [value]
        return ",".join(_list(word, one, textual) for one in lists)
    if annotation is Any and (bracketed or (len(split(value)) > 1 and not sweeping)):
        return _list(word, value, textual=True)
    if annotation is Any or _is_text(annotation):
        texts = split(value) if sweeping else [value]
        return ",".join(_text(word, text) for text in texts)
    return value


def _list(word: Word, value: str, textual: bool) -> str:
    """``[A,B]`` of ``[A,B]``, of ``A,B``, and ``[A]`` of ``A``; with the texts quoted."""
    bracketed = value[:1] == "[" and value[-1:] == "]"
    items = split(value[1:-1] if bracketed else value)
    if "" in items:
        raise ValueError(f"{word} has an empty place between two commas")
    return f"[{','.join(_text(word, item) if textual else item for item in items)}]"


def _text(word: Word, text: str) -> str:
    if text[:1] + text[-1:] in ("[]", "{}") or text.lower() == "null":
        return text
    if QUOTED.fullmatch(text):
        inner = text[1:-1]
        return quoted(os.path.expanduser(inner)) if inner.startswith("~") else text
    if text[:1] in ("'", '"') and text.count(text[0]) == 1:
        meant = word.corrected(word.value.replace(text, text + text[0]))
        raise ValueError(f"{word}: a quote is never closed; write {meant}")
    if PLAIN.fullmatch(text) and text.lower() not in ("true", "false") and not _rounded(text):
        return text
    return quoted(os.path.expanduser(text))


def _rounded(text: str) -> bool:
    """Whether Hydra would take a text for a number and spell it in another way: 007, 1_000."""
    try:
        float(text)
    except ValueError:
        return False
    return not (text.isdecimal() and str(int(text)) == text)


def _alternatives(annotation: object) -> tuple[object, ...]:
    """The types that an annotation allows, without None."""
    union = get_origin(annotation) in (Union, *_UNIONS)
    options = get_args(annotation) if union else (annotation,)
    return tuple(option for option in options if option is not type(None))


_UNIONS = (type(int | None),)


def _is_text(annotation: object) -> bool:
    """Whether a setting, or each item of it, is a text."""
    if is_list(annotation):
        return any(map(_is_text, get_args(annotation)))
    return any(a is str or get_origin(a) is Literal for a in _alternatives(annotation))
