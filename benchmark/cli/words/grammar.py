"""Values as people type them, put into Hydra's grammar: quotes, lists, brackets."""

import os
import re
import shlex
from dataclasses import dataclass, replace

PREFIXES = ("++", "+", "~", "")
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
    value: str  # what follows "="
    sets: bool = True  # whether there is a "="

    def __str__(self) -> str:
        return f"{self.prefix}{self.key}" + (f"={self.value}" if self.sets else "")

    @classmethod
    def of(cls, text: str) -> "Word":
        """The parts of a word; whatever it is."""
        head, sign, value = text.partition("=")
        prefix = next(prefix for prefix in PREFIXES if head.startswith(prefix))
        return cls(prefix, head.removeprefix(prefix).strip(), value, bool(sign))

    def corrected(self, value: str) -> str:
        """The word with another value, as a shell takes it."""
        return shlex.quote(str(replace(self, value=value)))


def as_meant(text: str) -> str:
    """A word which Hydra cannot read, as it is probably meant, quoted for a shell."""
    word = Word.of(text)
    if not word.sets:
        return shlex.quote(f"{word.prefix}{word.key}=VALUE")
    missing = unclosed(word.value)
    if missing:
        return word.corrected(word.value + missing)
    return word.corrected(quoted(word.value.strip().strip("\"'")))


def quoted(text: str) -> str:
    """A text in Hydra's quotes: a backslash counts only before a quote and at the end."""
    return '"' + re.sub(r'(\\*)("|\Z)', lambda m: 2 * m[1] + ('\\"' if m[2] else ""), text) + '"'


def nested(word: Word) -> Word:
    """``+model={masked@1: {of: A}}`` of ``+model.masked@1={of: A}``.

    Hydra reads ``@`` in a key as the beginning of a package, and in a mapping as it stands.
    """
    group, *names = word.key.split(".")
    if "@" not in word.key or "@" in group or not word.sets:
        return word
    value = word.value
    for name in reversed(names):
        value = f"{{{name}: {value}}}"
    return replace(word, key=group, value=value)


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


def unclosed(value: str) -> str | None:
    """The brackets that are missing at a value's end; None if one closes nothing."""
    expected: list[str] = []
    for piece in PIECES.findall(value):
        if piece in CLOSING:
            expected.append(CLOSING[piece])
        elif piece in CLOSING.values() and (not expected or expected.pop() != piece):
            return None
    return "".join(reversed(expected))


def is_list(kind: str) -> bool:
    """Whether a setting of a type, as `spelled_type` writes it, takes a list."""
    return kind.startswith("list[")


def is_text(kind: str) -> bool:
    """Whether a setting of a type, or each item of it, is a text."""
    return kind.removeprefix("list[").startswith("str")


def value_in_grammar(word: Word, kind: str, sweeping: bool) -> str:
    """A value as Hydra's grammar has it, for a setting of this type.

    A text is quoted where it needs to be and ``~`` at its beginning expanded; a number or a text
    stands for a list of one.

    Raises
    ------
    ValueError
        If a quote is never closed, or a list of texts or a place in a list is empty.
    """
    value = word.value.strip()
    if not value and is_list(kind) and is_text(kind):
        raise ValueError(f"{word} names nothing; write {word.key}=[A,B], or leave it out")
    if not value or value.lower() == "null" or (sweeping and SWEEP.match(value)):
        return value
    if is_list(kind):
        bracketed = value[0] == "[" and value[-1] == "]"
        lists = split(value) if sweeping and not bracketed else [value]
        return ",".join(_list(word, item, is_text(kind)) for item in lists)
    if is_text(kind):
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
