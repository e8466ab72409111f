"""A noise written as a formula of registered noises: ``gaussian(25)+poisson(2)>>jpeg(50)``."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from benchmark.noise.expression import Expression, Pair, Term
from benchmark.noise.families import family_of
from benchmark.noise.grammar import is_formula, parse
from benchmark.noise.model import NOISE_MODELS, NoiseModel


@NOISE_MODELS.register("formula")
@dataclass(frozen=True)
class Formula(NoiseModel):
    """Registered noises added and applied in sequence.

    ``a+b`` adds the noises of a and b, drawn independently for the same clean image; ``a>>b``
    applies b to the noisy image of a, clipped to [0, 1]. ``+`` binds tighter than ``>>``, and
    parentheses group. Each of them is ``name(level, key=value, ...)`` with settings of that noise:
    numbers, true, false, none, words, texts in quotes (a quote inside is doubled), lists such as
    ``[1,2]``. `Sum` and `Chain` say what exactly is computed. Its family is that of its noises, and
    a mixture where they are of several.

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
        families = {family_of(term.noise) for term in terms}
        own = {  # what other noises' classes know, this one knows when it has read its formula
            "formula": self.tree.canonical,
            "note": "; ".join(dict.fromkeys(notes)),
            "family": families.pop() if len(families) == 1 else "mixture",
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
        return {**settings, "formula": parse(str(settings["formula"])).identity}

    def sample_pair(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> Pair:
        return self.tree.sample_pair(clean, rng)

    def variance(self, intensity: np.ndarray, level: float) -> np.ndarray | None:
        """The sum of the parts' where all of them promise one; none for a sequence."""
        return self.tree.variance(intensity)


def key_name(name: str) -> str:
    """What the random numbers of a noise know of its name.

    It is the name itself, but for a formula which names files: these may lie anywhere, and what
    they hold stands in their place.

    Raises
    ------
    ValueError
        If such a file cannot be read.
    """
    if "=" not in name:  # nothing is set, so no file is
        return name
    try:
        tree = parse(name)
    except ValueError:  # a variant's name, which only looks like a formula
        return name
    return tree.identity if any(term.names_files for term in tree.terms) else name


def as_choice(text: str) -> tuple[str, dict[str, Any]]:
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


def chosen_levels(items: Collection[str]) -> dict[str, list[float]]:
    """The levels of each noise that items of ``noise=[...]`` choose some of, in ascending order.

    ``gaussian(25)`` and ``gaussian(50)`` are two levels of one noise; beside ``gaussian``, which
    has all of its own, they are further ones.
    """
    levels: dict[str, set[float]] = {}
    for item in filter(is_formula, items):
        name, settings = as_choice(item)
        if "levels" in settings:
            own = NOISE_MODELS[name].levels if name in items else ()
            levels.setdefault(name, set()).update(settings["levels"], own)
    return {name: sorted(of) for name, of in levels.items()}
