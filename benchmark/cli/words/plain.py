"""Words which set nothing but plain texts become options without Hydra, which loads slowly."""

from typing import Any

from benchmark.cli.command import Command
from benchmark.cli.words.grammar import PLAIN, Word

TEXTS = (str, str | None)


def plain_options(command: Command, words: list[str]) -> Any:
    """The options of a command whose words, in Hydra's grammar, only set texts.

    None where Hydra is needed: for names of groups, flags, lists, numbers, quotes.
    """
    values: dict[str, str] = {}
    for word in map(Word.of, words):
        kind, _ = command.settings.get(word.key, (None, None))
        is_text = word.sets and PLAIN.fullmatch(word.value) and word.value.lower() != "null"
        if word.prefix or kind not in TEXTS or not is_text or word.key in values:
            return None
        values[word.key] = word.value
    return None if command.groups or command.files else command.options(**values)
