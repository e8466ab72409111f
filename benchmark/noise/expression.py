"""What formulas of noises mean: one noise, a sum, a sequence; how each is written and sampled."""

import re
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from benchmark.noise.model import NOISE_MODELS, NoiseModel, in_range
from benchmark.settings import declared, identity_of
from benchmark.signature import Parameters, settings_of

Pair = tuple[np.ndarray, np.ndarray]  # the image to restore and its noisy version
Setting = bool | int | float | str | None | tuple[float, ...]

WORD = r"[A-Za-z_][\w.-]*"  # a name, and a text which needs no quotes
WORDS = {"true": True, "false": False, "none": None, "null": None}


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
        settings = [f"{key}={spelled(value)}" for key, value in self.settings]
        return f"{self.name}({','.join([spelled(self.level), *settings])})"

    @property
    def identity(self) -> str:
        """`canonical`, but files by their content, and nothing of where something lies."""
        cls = NOISE_MODELS[self.name]
        kinds, given = declared(cls), dict[str, object](self.settings)
        for key, (_, default) in parameters_of(cls).items():
            if kinds.get(key) == "files" and default:  # a default names the file, not its content
                given.setdefault(key, default)
        return replace(self, settings=tuple(identity_of(cls, given).items())).canonical

    @property
    def names_files(self) -> bool:
        """Whether a setting names a file, whose content counts and not its place."""
        return self._files != ()

    @property
    def order(self) -> str:
        """Where it stands in a sum: its text without names of files, as these may lie anywhere."""
        others = tuple(pair for pair in self.settings if pair[0] not in self._files)
        return replace(self, settings=others).canonical

    @property
    def _files(self) -> tuple[str, ...]:
        kinds = declared(NOISE_MODELS[self.name])
        return tuple(key for key, _ in self.settings if kinds.get(key) == "files")

    @property
    def terms(self) -> "tuple[Term, ...]":
        return (self,)

    def sample_pair(self, clean: np.ndarray, rng: np.random.Generator) -> Pair:
        return self.noise.sample_pair(clean, self.level, rng)

    def sample_onward(
        self, target: np.ndarray, noisy: np.ndarray, rng: np.random.Generator
    ) -> Pair:
        return self.noise.sample_onward(target, noisy, self.level, rng)

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

    parts: "tuple[Expression, ...]"

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(sorted(_flat(self.parts, Sum), key=_place)))

    @property
    def canonical(self) -> str:
        return "+".join(map(_operand, self.parts))

    @property
    def identity(self) -> str:
        """See `Term.identity`; in the order of `canonical`, in which numbers are drawn."""
        texts = [f"({p.identity})" if isinstance(p, Chain) else p.identity for p in self.parts]
        return "+".join(texts)

    @property
    def order(self) -> str:
        """See `Term.order`."""
        return "+".join(map(_place, self.parts))

    @property
    def terms(self) -> tuple[Term, ...]:
        return tuple(term for part in self.parts for term in part.terms)

    def sample_pair(self, clean: np.ndarray, rng: np.random.Generator) -> Pair:
        total = clean.astype(np.float64)
        for part in self.parts:
            target, noisy = part.sample_pair(clean, rng)
            total += np.subtract(noisy, target, dtype=np.float64)
        return clean, total

    def sample_onward(
        self, target: np.ndarray, noisy: np.ndarray, rng: np.random.Generator
    ) -> Pair:
        """As a stage of a sequence: see `benchmark.noise.NoiseModel.sample_onward`."""
        return target, self.sample_pair(in_range(noisy), rng)[1]

    def variance(self, intensity: np.ndarray) -> np.ndarray | None:
        found = [part.variance(intensity) for part in self.parts]
        promised = [variance for variance in found if variance is not None]
        return np.sum(promised, axis=0) if len(promised) == len(found) else None


@dataclass(frozen=True)
class Chain:
    """Noises one after the other, ``a>>b``.

    Each stage receives the noisy image of the one before, clipped to [0, 1] in float32; nothing is
    rounded between. The image to restore is the clean one, but for stages which redevelop the image
    (those whose class writes ``sample_pair``, as a camera does): they develop it as well, see
    `benchmark.noise.NoiseModel.sample_onward`.
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
    def order(self) -> str:
        """See `Term.order`."""
        return ">>".join(map(_place, self.stages))

    @property
    def terms(self) -> tuple[Term, ...]:
        return tuple(term for stage in self.stages for term in stage.terms)

    def sample_pair(self, clean: np.ndarray, rng: np.random.Generator) -> Pair:
        return self.sample_onward(clean, clean, rng)

    def sample_onward(
        self, target: np.ndarray, noisy: np.ndarray, rng: np.random.Generator
    ) -> Pair:
        for stage in self.stages:
            target, noisy = stage.sample_onward(target, noisy, rng)
        return target, noisy

    def variance(self, intensity: np.ndarray) -> None:
        return None


Expression = Term | Sum | Chain


def parameters_of(cls: type[NoiseModel]) -> Parameters:
    """Type and default of each setting of a noise beside its levels."""
    return {key: found for key, found in settings_of(cls).items() if key != "levels"}


def _flat(parts: tuple[Expression, ...], kind: type[Sum] | type[Chain]) -> tuple[Expression, ...]:
    """Parts, with the parts of those which are of the same kind themselves in their place."""
    of_parts = {Sum: "parts", Chain: "stages"}[kind]
    nested = [getattr(p, of_parts) if isinstance(p, kind) else (p,) for p in parts]
    return tuple(part for several in nested for part in several)


def _operand(part: Expression) -> str:
    return f"({part.canonical})" if isinstance(part, Chain) else part.canonical


def _place(part: Expression) -> str:
    return f"({part.order})" if isinstance(part, Chain) else part.order


def spelled(value: Setting) -> str:
    """A value as the grammar reads it, in one way only."""
    if isinstance(value, tuple):
        return f"[{','.join(map(spelled, value))}]"
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value + 0.0:.15g}"  # the sum turns -0 into 0
    if isinstance(value, int):
        return str(value)
    plain = re.fullmatch(WORD, value, re.ASCII) and value.lower() not in WORDS
    return value if plain else '"' + value.replace('"', '""') + '"'
