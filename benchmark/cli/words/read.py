"""The words after a command's name: flags and settings, each as Hydra's grammar has it."""

import os
import re
import shlex
from collections import deque
from dataclasses import replace

from benchmark.cli.command import Command
from benchmark.cli.registered.catalogue import Catalogue
from benchmark.cli.words.grammar import (
    CLOSING,
    PLAIN,
    Word,
    is_list,
    is_text,
    nested,
    quoted,
    split,
    unclosed,
    value_in_grammar,
)
from benchmark.cli.words.known import KEY, Known, is_formula
from benchmark.registry import did_you_mean

LONGEST = 20_000  # characters of a word; Hydra's parser takes seconds for more
DEEPEST = 50  # brackets inside each other
MOST_SEEDS = 5  # that a sentence lists
FLAGS = {  # Hydra's, and what may follow each as a word of its own
    **dict.fromkeys(("-h", "--help", "--hydra-help", "--version", "--resolve"), ()),
    **dict.fromkeys(("-m", "--multirun", "-r", "--run"), ()),
    **dict.fromkeys(("-c", "--cfg"), ("job", "hydra", "all")),
    **dict.fromkeys(("-i", "--info"), ("all", "config", "defaults", "defaults-tree", "plugins")),
    **dict.fromkeys(("-p", "--package", "-cp", "--config-path"), None),  # None: any word
    **dict.fromkeys(("-cn", "--config-name", "-cd", "--config-dir"), None),
    "--experimental-rerun": None,
}
OPTIONAL = ("-i", "--info")  # which may stand alone as well
OWN_CONFIGS = {"-cp", "--config-path", "-cn", "--config-name", "-cd", "--config-dir"}


def is_sweep(words: list[str]) -> bool:
    """Whether commas separate runs."""
    return not {"-m", "--multirun"}.isdisjoint(words)


def has_own_configs(words: list[str]) -> bool:
    """Whether files of the user's say more than the words do."""
    return not OWN_CONFIGS.isdisjoint(words) or any("hydra.searchpath" in word for word in words)


def reads_more(words: list[str]) -> bool:
    """Whether names are chosen, or asked for, which stand in no word."""
    asks = not {*OPTIONAL, "--hydra-help"}.isdisjoint(words)
    return asks or has_own_configs(words) or any("glob(" in word for word in words)


def read_words(command: Command, words: list[str], catalogue: Catalogue) -> list[str]:
    """The words after a command's name, in Hydra's grammar: settings, then flags.

    Formulas of noises stay as they are: see `benchmark.cli.words.formulas`.

    Raises
    ------
    ValueError
        If a word is neither a flag nor a setting, a name or a setting is unknown, a choice is empty
        or named twice, or brackets or quotes do not match; the message has the word as it is meant.
    """
    for word in words:
        _check_text(word)
    words = _split_flags(words)
    own = has_own_configs(words)
    known, sweeping = Known(command, catalogue, own), is_sweep(words)
    flags, settings = [], []
    left = deque(words)
    while left:
        if left[0].startswith("-"):
            flags += _flag(left)
        else:
            settings.append(_setting(known, left.popleft()))
    read = [str(nested(_in_grammar(known, setting, sweeping))) for setting in settings]
    _refuse_repeated(known, settings)
    return [*read, *flags]  # argparse wants the settings side by side


def keyed(command: Command, words: list[str]) -> list[str]:
    """Words whose first ones may stand for a setting's value: ``bench noise poisson``."""
    count = command.bare(words)
    if count == 0:
        return words
    value = words[0]
    if count > 1:
        value = f"[{','.join(w if PLAIN.fullmatch(w) else quoted(w) for w in words[:count])}]"
    return [f"{command.first_word}={value}", *words[count:]]


def split_names(text: str) -> list[str]:
    """The items of ``[gaussian(15)+poisson(2),speckle]``, with or without the outer brackets."""
    inner = text.strip()
    return split(inner[1:-1] if inner[:1] == "[" and inner[-1:] == "]" else inner)


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


def _setting(known: Known, text: str) -> Word:
    word = Word.of(text)
    if not word.sets and word.prefix == "~":
        return word
    if word.sets and word.prefix == "+" and not KEY.fullmatch(word.key):
        raise ValueError(
            f"'{word.key}' can be no name; names are letters a to z, digits and _ - . @"
        )
    if not word.sets or not KEY.fullmatch(word.key):
        raise ValueError(f"'{text}' is no setting, which is key=value; {_example(known, text)}")
    missing = "" if _may_hold_brackets(known, word) else unclosed(word.value)
    if missing != "":
        what = "a bracket is never closed" if missing else "a bracket closes nothing"
        meant = f"; write {word.corrected(word.value + missing)}" if missing else ""
        raise ValueError(f"{text}: {what}{meant}")
    return word


def _may_hold_brackets(known: Known, word: Word) -> bool:
    """Whether a value is a text or a formula, which are not read as lists here."""
    if word.key == "noise" and is_formula(word.value):
        return True
    kind = known.kind_of(word.key) or ""
    return is_text(kind) and not (is_list(kind) and word.value.strip().startswith("["))


def _example(known: Known, word: str) -> str:
    """What is meant by a word which sets nothing: a name of a group, or the name of a setting."""
    groups = list(known.command.groups)
    for group in groups:
        if word in known.catalogue.groups[group] or (group == "noise" and is_formula(word)):
            return f"write {shlex.quote(f'{group}={word}')}"
    keys = [*groups, *known.settings]
    if "out" in keys and ("/" in word or os.path.isdir(word)):
        return f"write {shlex.quote(f'out={word}')}"
    if word in keys:
        return f"write {word}=VALUE"
    first = known.command.first_word
    if first and not is_list(known.kind_of(first) or "") and word.isidentifier():
        return f"one word alone is the {first}: write bench {known.command.name} {word}"
    close = did_you_mean(word.partition("=")[0].strip(), keys)
    example = f"{groups[0]}=NAME" if groups else f"{keys[0]}=VALUE"
    return f"write one such as {example}" + (close if close != "." else "")


def _refuse_repeated(known: Known, settings: list[Word]) -> None:
    """Raise ``ValueError`` for a group, or a list of first words, which is given twice."""
    first = known.command.first_word or ""
    lists = {*known.command.groups, *([first] if is_list(known.kind_of(first) or "") else [])}
    chosen: dict[str, list[str]] = {}
    for word in settings:
        names = word.sets and not word.value.lstrip().startswith("{")  # or a variant
        if word.key in lists and names:
            chosen.setdefault(word.key, []).append(word.value)
    for group, values in chosen.items():
        if len(values) > 1:
            items = dict.fromkeys(item for value in values for item in split_names(value))
            meant = Word("", group, f"[{','.join(items)}]")
            raise ValueError(
                f"{group}= is given {len(values)} times; write {meant.corrected(meant.value)}"
            )


def _in_grammar(known: Known, word: Word, sweeping: bool) -> Word:
    known.check_key(word)
    if not word.sets:
        return word
    if word.key in known.command.groups:
        _check_choice(known, word, sweeping)
        return word
    if word.key in known.command.files:
        _check_file(known, word, sweeping)
        return word
    group, _, rest = word.key.partition(".")
    value = word.value.strip()
    if group in known.command.groups and rest and value[:1] == "{" and value[-1:] == "}":
        return replace(word, value=_mapping(known, word, value))
    kind = known.kind_of(word.key)
    if word.key == "seeds" and not sweeping:
        _refuse_count(word, value)
    return word if kind is None else replace(word, value=value_in_grammar(word, kind, sweeping))


def _refuse_count(word: Word, value: str) -> None:
    """Raise ``ValueError`` for ``seeds=3``, which may be the seed 3 or three of them."""
    if not value.isdecimal() or int(value) == 0:
        return
    some = ",".join(map(str, range(min(int(value), MOST_SEEDS))))
    more = "" if int(value) <= MOST_SEEDS else ",..."
    raise ValueError(
        f"{word} may be one seed or {value} of them; write seeds=[{value}] or seeds=[{some}{more}]"
    )


def _check_file(known: Known, word: Word, sweeping: bool) -> None:
    command = known.command.name
    if not KEY.fullmatch(word.value.replace(",", "") if sweeping else word.value):
        raise ValueError(f"{word} should be one name; bench {command} --help has them")
    if word.value.lower() == "null":
        raise ValueError(f"{word} chooses nothing; bench {command} --help has the names")
    for name in word.value.split(","):
        known.check_file(replace(word, value=name))


def _check_choice(known: Known, word: Word, sweeping: bool) -> None:
    """Raise ``ValueError`` for a choice of a group which names nothing, or something twice."""
    value, group = word.value.strip(), word.key
    if not value or value.lower() in ("null", "none"):
        raise ValueError(
            f"{group}={value} chooses nothing; name what you want, or several: {group}=[A,B]"
        )
    if value[0] == "{" or known.sweeps(value, sweeping):
        return
    items = split_names(value)
    if len(items) > 1 and value[0] != "[" and not sweeping:
        raise ValueError(
            f"{word} names {len(items)}; write {word.corrected(f'[{value}]')} for all of them, or "
            f"-m before it for one run after the other"
        )
    for item in items:
        _check_item(known, word, item)
        if items.count(item) > 1:
            raise ValueError(
                f"{word} names {item} twice; write "
                f"{word.corrected('[' + ','.join(dict.fromkeys(items)) + ']')}"
            )


def _check_item(known: Known, word: Word, item: str) -> None:
    if not item or item[0] in "[{":
        raise ValueError(f"{word} should be a name or a list of names, such as {word.key}=[A,B]")
    if not (word.key == "noise" and is_formula(item)):
        known.check_name(word.key, item)


def _mapping(known: Known, word: Word, value: str) -> str:
    """``{of: masked, weights: my file.pth}`` with its texts quoted."""
    group, _, name = word.key.partition(".")
    parts = [part.partition(":") for part in split(value[1:-1])]
    of = next((text.strip() for key, _, text in parts if key.strip() == "of"), name)
    pairs = []
    for key, sign, text in parts:
        if not sign:
            raise ValueError(
                f"{word}: '{key}' is no KEY: VALUE; a text with a comma stands in quotes: "
                f'{{weights: "a, b"}}'
            )
        kind = known.kind_of(f"{group}.{of}.{key.strip()}")
        if kind is not None:
            text = value_in_grammar(Word("", key.strip(), text), kind, sweeping=False)
        pairs.append(f"{key.strip()}: {text.strip()}")
    return "{" + ", ".join(pairs) + "}"
