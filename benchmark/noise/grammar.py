"""Formulas of noises as text: our words and numbers in the structure of Python's grammar."""

import ast
import math
import re
from decimal import Decimal
from itertools import pairwise
from types import NoneType, UnionType
from typing import Literal, NamedTuple, Union, get_args, get_origin

from benchmark.noise.expression import (
    WORD,
    WORDS,
    Chain,
    Expression,
    Setting,
    Sum,
    Term,
    parameters_of,
    spelled,
)
from benchmark.noise.model import NOISE_MODELS, NoiseModel
from benchmark.registry import UnknownName, did_you_mean
from benchmark.signature import choices_of

TOKEN = re.compile(
    rf"""(?P<number> -?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)? )
       | (?P<word> {WORD} )
       | (?P<quoted> "(?:[^"]|"")*" | '(?:[^']|'')*' )
       | (?P<sign> >> | [+(),=\[\]] )
       | (?P<space> \s+ )
       | (?P<stray> . )""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
STRAY = {
    ">": "one '>' means nothing; '>>' applies one noise after another",
    '"': "this quote is never closed",
    "'": "this quote is never closed",
}
JOINED = {ast.Add: Sum, ast.RShift: Chain}
LONGEST_SHOWN = 400  # characters of a formula that a mistake repeats
KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    tuple: "a list such as [1,2]",
    NoneType: "none",
}


def is_formula(text: str) -> bool:
    """Whether an item of ``noise=[...]`` is meant as a formula and not as a name."""
    return any(sign in text for sign in "()+>")


def split_choice(text: str) -> list[str]:
    """The items of ``[gaussian(15)+poisson(2),speckle]``, with or without the outer brackets.

    Commas in parentheses, brackets or quotes separate nothing. What is inside an item is not
    checked.
    """
    inner = text.strip()
    if inner.startswith("[") and inner.endswith("]"):
        inner = inner[1:-1]
    items, depth = [""], 0
    for piece in re.findall(r""""[^"]*"|'[^']*'|.""", inner, re.DOTALL):
        if piece == "," and depth == 0:
            items.append("")
            continue
        items[-1] += piece
        depth = max(0, depth + (piece in "([") - (piece in ")]"))
    return [item.strip() for item in items] if inner.strip() else []


def parse(text: str) -> Expression:
    """The tree of a formula, the same one for every spelling; all its noises are checked.

    Raises
    ------
    ValueError
        If the text is no formula, a noise unknown, or a level or a setting wrong; the message
        shows the place.
    """
    return _Reader(text).expression


class _Token(NamedTuple):
    kind: str  # a group of TOKEN, or "end"
    text: str
    start: int

    @property
    def is_value(self) -> bool:
        return self.kind in ("number", "word", "quoted")


class _Reader:
    """What Python parses has an ``x`` for each name, number and text, a space between all tokens.

    So the only Python in it is that of the signs, and a column gives back the token.
    """

    def __init__(self, text: str):
        self.text = text
        found = [m for m in TOKEN.finditer(text) if m.lastgroup != "space"]
        self.tokens = [_Token(str(m.lastgroup), m[0], m.start()) for m in found]
        self.tokens.append(_Token("end", "", len(text.rstrip())))
        self.at: dict[int, _Token] = {}  # by the column where it begins in what Python parses
        source = ""
        for token in self.tokens:
            if token.kind == "stray":
                no_meaning = f"{token.text!r} has no meaning outside quotes"
                raise self.mistake(STRAY.get(token.text, no_meaning), token)
            self.at[len(source)] = token
            source += ("x" if token.is_value else token.text) + " "
        for before, token in pairwise(self.tokens):
            ended = before.is_value or before.text in (")", "]")
            called = before.kind == "word" and token.text == "("
            if ended and not called and (token.is_value or token.text in ("(", "[")):
                raise self.mistake(f"expected '+', '>>' or ',', got {token.text!r}", token)
        try:
            self.expression = self.read(ast.parse(source, mode="eval").body)
        except SyntaxError as error:
            raise self.no_syntax(error) from None
        except (RecursionError, MemoryError):
            problem = "it is too long or too deep to be read; join fewer noises"
            raise self.mistake(problem, self.tokens[-1]) from None

    def read(self, node: ast.expr) -> Expression:
        operator = type(getattr(node, "op", None))
        if operator not in JOINED:
            return self.term(node)
        operands = []
        while isinstance(node, ast.BinOp) and type(node.op) is operator:
            operands.append(node.right)
            node = node.left
        return JOINED[operator](tuple(map(self.read, [node, *reversed(operands)])))

    def term(self, node: ast.expr) -> Term:
        name = self.at[node.col_offset]
        if name.kind != "word" or not isinstance(node, ast.Name | ast.Call):
            raise self.mistake(f"expected a noise, got {self.written(node)!r}", name)
        if name.text == "formula":
            raise self.mistake("a formula cannot name another one; write that in parentheses", name)
        call = node if isinstance(node, ast.Call) else ast.Call(node, [], [])
        try:
            cls = NOISE_MODELS[name.text]
            if not call.args or self.token(call.args[0]).kind != "number":
                example = f"{name.text}({spelled(cls().levels[0])})"
                raise ValueError(f"{name.text} needs a level in parentheses, such as {example}")
        except UnknownName as error:
            problem = f"{error}; recorded noise has images of its own and is in no formula"
            raise self.mistake(problem, name) from None
        except ValueError as error:
            raise self.mistake(str(error), name) from None
        level, *others = call.args
        for other in others:
            problem = f"expected a setting as key=value, got {self.written(other)!r}"
            raise self.mistake(problem, self.token(other))
        term = Term(name.text, self.number(level), self.settings(name.text, cls, call.keywords))
        try:
            term.noise.check_level(term.level)
        except ValueError as error:
            raise self.mistake(str(error), name) from None
        return term

    def settings(
        self, noise: str, cls: type[NoiseModel], keywords: list[ast.keyword]
    ) -> tuple[tuple[str, Setting], ...]:
        """Those which are not the defaults."""
        known, found = parameters_of(cls), {}
        for keyword in keywords:
            token = self.token(keyword)
            key = token.text
            if token.kind != "word":
                raise self.mistake(f"expected a setting as key=value, got {key!r}", token)
            if key not in known:
                there = f"Known: {', '.join(sorted(known))}" if known else "It has none"
                hint = did_you_mean(key, known)
                raise self.mistake(f"{noise} has no setting '{key}'{hint} {there}", token)
            if key in found:
                raise self.mistake(f"{key} is given twice", token)
            found[key] = self.setting(f"{noise}'s {key}", known[key][0], keyword.value)
        return tuple((key, value) for key, value in found.items() if value != known[key][1])

    def setting(self, what: str, annotation: object, node: ast.expr) -> Setting:
        union = get_origin(annotation) in (Union, UnionType)
        options = get_args(annotation) if union else (annotation,)
        kinds = [get_origin(option) or option for option in options]
        choices = choices_of(annotation)
        kinds = [str if kind is Literal else kind for kind in kinds]
        token = self.token(node)
        text = token.text
        word = text.lower() if token.kind == "word" else None
        if tuple in kinds and isinstance(node, ast.List):
            return tuple(map(self.number, node.elts))
        if token.kind == "number" and float in kinds:
            return self.number(node)
        if token.kind == "number" and int in kinds and float(text).is_integer():
            return int(Decimal(text))
        if word in WORDS and type(WORDS[word]) in kinds:
            return WORDS[word]
        if token.kind == "quoted" and str in kinds:
            word = text = text[1:-1].replace(text[0] * 2, text[0])
        if word is not None and str in kinds and (not choices or text in choices):
            return text
        wanted = " or ".join(choices or [KINDS[kind] for kind in kinds])
        raise self.mistake(f"{what} is {wanted}, got {self.written(node)}", token)

    def number(self, node: ast.expr) -> float:
        token = self.token(node)
        if token.kind != "number":
            raise self.mistake(f"expected a number, got {self.written(node)!r}", token)
        value = float(spelled(float(token.text)))
        if math.isinf(value):
            raise self.mistake(f"{token.text} is too large", token)
        return value

    def token(self, node: ast.expr | ast.keyword) -> _Token:
        """The name, number or text that a node is; of anything else its first sign."""
        first = self.at[node.col_offset]
        return first if isinstance(node, ast.Name | ast.keyword) else first._replace(kind="sign")

    def written(self, node: ast.expr) -> str:
        """A node as it was typed, but for spaces; the beginning of a long one."""
        columns = range(node.col_offset, node.end_col_offset or 0)
        text = "".join(token.text for column, token in self.at.items() if column in columns)
        return text if len(text) <= LONGEST_SHOWN // 4 else f"{text[: LONGEST_SHOWN // 4]}…"

    def no_syntax(self, error: SyntaxError) -> ValueError:
        token = self.at.get((error.offset or 0) - 1, self.tokens[-1])
        if any(word in error.msg for word in ("parenthes", "closed", "unmatched")):
            return self.mistake(error.msg.partition(" (<")[0], token)
        if token.is_value or token.text == "=":
            return self.mistake("a setting stands after a level: name(level, key=value)", token)
        place = self.tokens.index(token)
        after = f" after {self.tokens[place - 1].text!r}" if place else ""
        got = f", got {token.text!r}" if token.text else ""
        return self.mistake(f"expected a noise or a value{after}{got}", token)

    def mistake(self, problem: str, token: _Token) -> ValueError:
        before, after = self.text[: token.start], self.text[token.start :]
        if len(self.text) > LONGEST_SHOWN:
            before, after = f"…{before[-LONGEST_SHOWN // 2 :]}", f"{after[: LONGEST_SHOWN // 2]}…"
        spot = f"{before}⟨here⟩{after}"
        character = max(1, min(token.start + 1, len(self.text)))  # of one which ends too soon: last
        return ValueError(f'noise "{spot}", character {character}: {problem}')
