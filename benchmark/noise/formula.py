"""A noise written as a formula of registered noises: ``gaussian(25)+poisson(2)>>jpeg(50)``."""

import math
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from types import NoneType, UnionType
from typing import Literal, NamedTuple, Union, get_args, get_origin

import numpy as np

from benchmark.noise.model import NOISE_MODELS, NoiseModel, in_range
from benchmark.registry import UnknownName, did_you_mean
from benchmark.settings import declared, identity_of
from benchmark.signature import choices_of, settings_of

Pair = tuple[np.ndarray, np.ndarray]  # the image to restore and its noisy version
Setting = bool | int | float | str | None | tuple[float, ...]

WORD = r"[A-Za-z_][\w.-]*"
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
DEEPEST = 50  # parentheses inside each other; more are no noise anybody can read
LONGEST_SHOWN = 400  # characters of a formula that a mistake repeats
WORDS = {"true": True, "false": False, "none": None, "null": None}
KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    tuple: "a list such as [1,2]",
    NoneType: "none",
}


@dataclass(frozen=True)
class Term:
    """One registered noise at one level, with those settings which are not its defaults."""

    name: str
    level: float
    settings: tuple[tuple[str, Setting], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", tuple(sorted(self.settings)))

    @cached_property
    def noise(self) -> NoiseModel:
        """The registered noise; raises ``ValueError`` as its class does."""
        return NOISE_MODELS[self.name](levels=(self.level,), **dict(self.settings))

    @property
    def canonical(self) -> str:
        settings = [f"{key}={_spelled(value)}" for key, value in self.settings]
        return f"{self.name}({','.join([_spelled(self.level), *settings])})"

    @property
    def identity(self) -> str:
        """`canonical`, but files by their content, and nothing of where something lies."""
        cls = NOISE_MODELS[self.name]
        kinds, given = declared(cls), dict(self.settings)
        for key, (_, default) in _parameters(cls).items():
            if kinds.get(key) == "files" and default:  # a default names the file, not its content
                given.setdefault(key, default)
        return replace(self, settings=tuple(identity_of(cls, given).items())).canonical

    @property
    def terms(self) -> "tuple[Term, ...]":
        return (self,)

    @property
    def redevelops(self) -> bool:
        """Whether the image to restore may be another than the clean one."""
        return type(self.noise).sample_pair is not NoiseModel.sample_pair

    def sample_pair(self, clean: np.ndarray, rng: np.random.Generator) -> Pair:
        return self.noise.sample_pair(clean, self.level, rng)

    def variance(self, intensity: np.ndarray) -> np.ndarray | None:
        return self.noise.variance(intensity, self.level)


@dataclass(frozen=True)
class Sum:
    """Independent noises of the same image, ``a+b``; kept in the order of their texts.

    The image to restore is the clean one, to which every part adds its noisy image minus the image
    it would restore. Of a part which redevelops the image, as a camera does, that is the noise in
    the developed image, not the development. Parts are not clipped, and draw their numbers one
    after the other in the order of their texts, whatever order was typed.
    """

    redevelops = False  # no annotation, so no field

    parts: "tuple[Expression, ...]"

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(sorted(_flat(self.parts, Sum), key=_operand)))

    @property
    def canonical(self) -> str:
        return "+".join(map(_operand, self.parts))

    @property
    def identity(self) -> str:
        """See `Term.identity`; in the order of `canonical`, in which numbers are drawn."""
        texts = [f"({p.identity})" if isinstance(p, Chain) else p.identity for p in self.parts]
        return "+".join(texts)

    @property
    def terms(self) -> tuple[Term, ...]:
        return tuple(term for part in self.parts for term in part.terms)

    def sample_pair(self, clean: np.ndarray, rng: np.random.Generator) -> Pair:
        total = clean.astype(np.float64)
        for part in self.parts:
            target, noisy = part.sample_pair(clean, rng)
            total += np.subtract(noisy, target, dtype=np.float64)
        return clean, total

    def variance(self, intensity: np.ndarray) -> np.ndarray | None:
        variances = [part.variance(intensity) for part in self.parts]
        return None if any(found is None for found in variances) else np.sum(variances, axis=0)


@dataclass(frozen=True)
class Chain:
    """Noises one after the other, ``a>>b``.

    Each stage receives the noisy image of the one before, clipped to [0, 1] in float32; nothing is
    rounded between. The image to restore is the clean one, but for stages which redevelop the image
    (those whose class writes ``sample_pair``, as a camera does): they develop it as well, from a
    copy of the generator they make the noisy image with. The development is the same for both
    images as long as its random numbers are drawn before those of the noise.
    """

    stages: "tuple[Expression, ...]"

    def __post_init__(self) -> None:
        object.__setattr__(self, "stages", _flat(self.stages, Chain))

    @property
    def canonical(self) -> str:
        return ">>".join(stage.canonical for stage in self.stages)

    @property
    def identity(self) -> str:
        """See `Term.identity`."""
        return ">>".join(stage.identity for stage in self.stages)

    @property
    def terms(self) -> tuple[Term, ...]:
        return tuple(term for stage in self.stages for term in stage.terms)

    def sample_pair(self, clean: np.ndarray, rng: np.random.Generator) -> Pair:
        target = noisy = clean
        for stage in self.stages:
            if stage.redevelops:
                target, _ = stage.sample_pair(in_range(target), deepcopy(rng))
            _, noisy = stage.sample_pair(in_range(noisy), rng)
        return target, noisy

    def variance(self, intensity: np.ndarray) -> None:
        return None


Expression = Term | Sum | Chain


@NOISE_MODELS.register("formula")
@dataclass(frozen=True)
class Formula(NoiseModel):
    """Registered noises added and applied in sequence.

    ``a+b`` adds the noises of a and b, drawn independently for the same clean image; ``a>>b``
    applies b to the noisy image of a, clipped to [0, 1]. ``+`` binds tighter than ``>>``, and
    parentheses group. Each of them is ``name(level, key=value, ...)`` with settings of that noise:
    numbers, true, false, none, words, texts in quotes (a quote inside is doubled), lists such as
    ``[1,2]``. `Sum` and `Chain` say what exactly is computed.

    Parameters
    ----------
    levels
        1, the formula as it is written, is the only level.
    formula
        Kept in canonical form: two formulas which differ in spaces, in how a number is spelled, in
        needless parentheses, in the order of a sum or of settings, or in settings which are the
        defaults are the same noise. Numbers have 15 significant digits.

    Raises
    ------
    ValueError
        If the text is no formula; the message shows the place.
    """

    unit = "the formula as it is written"
    domain = (1, 1)
    whole_levels = True
    levels: tuple[float, ...] = (1,)
    formula: str = "gaussian(15)+poisson(2)>>jpeg(50)"

    def __post_init__(self) -> None:
        super().__post_init__()
        terms = self.tree.terms
        notes = [f"{term.name}: {term.noise.note}" for term in terms if term.noise.note]
        own = {  # what other noises' classes know, this one knows when it has read its formula
            "formula": self.tree.canonical,
            "note": "; ".join(dict.fromkeys(notes)),
            "deterministic": all(term.noise.deterministic for term in terms),
        }
        for name, value in own.items():
            object.__setattr__(self, name, value)

    @cached_property
    def tree(self) -> Expression:
        return parse(self.formula)

    @property
    def made_of(self) -> dict[str, type[NoiseModel]]:
        """The noises of the formula, by name."""
        return {term.name: type(term.noise) for term in self.tree.terms}

    @classmethod
    def identity_within(cls, settings: dict[str, object]) -> dict[str, object]:
        """The formula with the content of each file that it names in place of the file's name."""
        return {**settings, "formula": parse(settings["formula"]).identity}

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        return self.sample_pair(clean, level, rng)[1]

    def sample_pair(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> Pair:
        return self.tree.sample_pair(clean, rng)

    def variance(self, intensity: np.ndarray, level: float) -> np.ndarray | None:
        """The sum of the parts' where all of them promise one; none for a sequence."""
        return self.tree.variance(intensity)


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


def as_choice(text: str) -> tuple[str, dict[str, object]]:
    """The name and the settings of the noise which an item of ``noise=[...]`` spells.

    ``gaussian(25)`` is no formula but a registered noise at that level:
    ``("gaussian", {"levels": [25.0]})``. The name of anything else is its canonical form.

    Raises
    ------
    ValueError
        If the text is no formula; the message shows the place.
    """
    tree = parse(text)
    if isinstance(tree, Term) and not tree.settings:
        return tree.name, {"levels": [tree.level]}
    return tree.canonical, {"of": Formula.name, "formula": tree.canonical}


def parse(text: str) -> Expression:
    """The tree of a formula, the same one for every spelling; all its noises are checked.

    Raises
    ------
    ValueError
        If the text is no formula, a noise unknown, or a level or a setting wrong.
    """
    return _Parser(text).whole()


class _Token(NamedTuple):
    kind: str  # a group of TOKEN, or "end"
    text: str
    start: int


class _Parser:
    """Recursive descent: a chain of sums of terms and of chains in parentheses."""

    def __init__(self, text: str):
        self.text = text
        self.tokens = [
            _Token(match.lastgroup, match[0], match.start())
            for match in TOKEN.finditer(text)
            if match.lastgroup != "space"
        ]
        for token in self.tokens:
            if token.kind == "stray":
                no_meaning = f"{token.text!r} has no meaning outside quotes"
                raise self.mistake(STRAY.get(token.text, no_meaning), token)
        self.tokens.append(_Token("end", "", len(text.rstrip())))
        self.position = 0
        self.depth = 0

    def whole(self) -> Expression:
        tree = self.chain()
        if self.ahead.text == ")":
            raise self.mistake("this ')' closes nothing")
        self.expect("", "'+' or '>>'")
        return tree

    def chain(self) -> Expression:
        return self.joined(">>", self.sum, Chain)

    def sum(self) -> Expression:
        return self.joined("+", self.operand, Sum)

    def joined(
        self, sign: str, one: Callable[[], Expression], several: type[Sum] | type[Chain]
    ) -> Expression:
        found = [one()]
        while self.took(sign):
            found.append(one())
        return several(tuple(found)) if len(found) > 1 else found[0]

    def operand(self) -> Expression:
        if not self.took("("):
            return self.term()
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.mistake(f"more than {DEEPEST} parentheses inside each other")
        inside = self.chain()
        self.expect(")", "'+', '>>' or ')'")
        self.depth -= 1
        return inside

    def term(self) -> Term:
        name = self.ahead
        cls = self.noise_class()
        self.position += 1
        if not self.took("(") or self.ahead.kind != "number":
            example = f"{name.text}({_spelled(cls().levels[0])})"
            raise self.mistake(f"{name.text} needs a level in parentheses, such as {example}")
        level = self.number()
        settings = self.settings(name.text, _parameters(cls))
        self.expect(")", "',' or ')'")
        term = Term(name.text, level, settings)
        try:
            term.noise.check_level(level)
        except ValueError as error:
            raise self.mistake(str(error), name) from None
        return term

    def noise_class(self) -> type[NoiseModel]:
        name = self.ahead
        if name.kind != "word":
            before = f" after {self.tokens[self.position - 1].text!r}" if self.position else ""
            raise self.mistake(f"expected a noise{before}{self.got()}")
        if name.text == Formula.name:
            raise self.mistake("a formula cannot name another one; write that in parentheses")
        try:
            return NOISE_MODELS[name.text]
        except UnknownName as error:
            raise self.mistake(str(error)) from None

    def settings(
        self, noise: str, known: dict[str, tuple[object, Setting]]
    ) -> tuple[tuple[str, Setting], ...]:
        """Those which are not the defaults."""
        found = {}
        while self.took(","):
            key = self.ahead.text
            if self.ahead.kind != "word":
                raise self.mistake(f"expected a setting as key=value{self.got()}")
            if key not in known:
                there = f"Known: {', '.join(sorted(known))}" if known else "It has none"
                raise self.mistake(
                    f"{noise} has no setting '{key}'{did_you_mean(key, known)} {there}"
                )
            if key in found:
                raise self.mistake(f"{key} is given twice")
            self.position += 1
            self.expect("=", "'='")
            found[key] = self.setting(f"{noise}'s {key}", known[key][0])
        return tuple((key, value) for key, value in found.items() if value != known[key][1])

    def setting(self, what: str, annotation: object) -> Setting:
        union = get_origin(annotation) in (Union, UnionType)
        options = get_args(annotation) if union else (annotation,)
        kinds = [get_origin(option) or option for option in options]
        choices = choices_of(annotation)
        kinds = [str if kind is Literal else kind for kind in kinds]
        token = self.ahead
        text = token.text
        word = text.lower() if token.kind == "word" else None
        if tuple in kinds and text == "[":
            return self.numbers()
        if token.kind == "number" and float in kinds:
            return self.number()
        self.position += 1
        if token.kind == "number" and int in kinds and float(text).is_integer():
            return int(Decimal(text))
        if word in WORDS and type(WORDS[word]) in kinds:
            return WORDS[word]
        if token.kind == "quoted" and str in kinds:
            word = text = text[1:-1].replace(text[0] * 2, text[0])
        if word is not None and str in kinds and (not choices or text in choices):
            return text
        wanted = " or ".join(choices or [KINDS[kind] for kind in kinds])
        raise self.mistake(f"{what} is {wanted}, got {text or 'nothing'}", token)

    def numbers(self) -> tuple[float, ...]:
        found = []
        self.expect("[", "'['")
        while self.ahead.text != "]":
            found.append(self.number())
            if not self.took(","):
                break
        self.expect("]", "',' or ']'")
        return tuple(found)

    def number(self) -> float:
        if self.ahead.kind != "number":
            raise self.mistake(f"expected a number{self.got()}")
        value = float(_spelled(float(self.ahead.text)))
        if math.isinf(value):
            raise self.mistake(f"{self.ahead.text} is too large")
        self.position += 1
        return value

    @property
    def ahead(self) -> _Token:
        return self.tokens[self.position]

    def got(self) -> str:
        return f", got {self.ahead.text!r}" if self.ahead.text else ""

    def took(self, sign: str) -> bool:
        """Whether the next token is this sign; goes past it then."""
        taken = self.ahead.text == sign
        self.position += taken
        return taken

    def expect(self, sign: str, wanted: str) -> None:
        if not self.took(sign):
            raise self.mistake(f"expected {wanted}{self.got()}")

    def mistake(self, problem: str, token: _Token | None = None) -> ValueError:
        start = (token or self.ahead).start
        before, after = self.text[:start], self.text[start:]
        if len(self.text) > LONGEST_SHOWN:
            before, after = f"…{before[-LONGEST_SHOWN // 2 :]}", f"{after[: LONGEST_SHOWN // 2]}…"
        spot = f"{before}⟨here⟩{after}"
        character = max(1, min(start + 1, len(self.text)))  # a text which ends too soon: its last
        return ValueError(f'noise "{spot}", character {character}: {problem}')


def _parameters(cls: type[NoiseModel]) -> dict[str, tuple[object, Setting]]:
    """Type and default of each setting of a noise beside its levels."""
    return {key: found for key, found in settings_of(cls).items() if key != "levels"}


def _flat(parts: tuple[Expression, ...], kind: type[Sum] | type[Chain]) -> tuple[Expression, ...]:
    """Parts, with the parts of those which are of the same kind themselves in their place."""
    of_parts = {Sum: "parts", Chain: "stages"}[kind]
    nested = [getattr(p, of_parts) if isinstance(p, kind) else (p,) for p in parts]
    return tuple(part for several in nested for part in several)


def _operand(part: Expression) -> str:
    return f"({part.canonical})" if isinstance(part, Chain) else part.canonical


def _spelled(value: Setting) -> str:
    """A value as the grammar reads it, in one way only."""
    if isinstance(value, tuple):
        return f"[{','.join(map(_spelled, value))}]"
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value + 0.0:.15g}"  # the sum turns -0 into 0
    if isinstance(value, int):
        return str(value)
    plain = re.fullmatch(WORD, value, re.ASCII) and value.lower() not in WORDS
    return value if plain else '"' + value.replace('"', '""') + '"'
