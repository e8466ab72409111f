"""Every noise of ours has a family, a plugin's may have, and a formula has that of its noises."""

from dataclasses import dataclass

import doubles
import pytest

from benchmark.datasets import DATASETS
from benchmark.noise import NOISE_MODELS, Formula
from benchmark.noise.families import FAMILIES, family_of

NOISES = {
    **{name: cls for name, cls in NOISE_MODELS.items() if name != "formula"},
    **{name: cls for name, cls in DATASETS.items() if cls.recorded},
}
OURS = {n: c for n, c in NOISES.items() if c.__module__.startswith(("noise_models", "benchmark"))}


@pytest.mark.parametrize("cls", OURS.values(), ids=OURS)
def test_every_noise_of_ours_is_of_a_documented_family(cls):
    assert family_of(cls) in FAMILIES


def test_every_documented_family_has_a_noise():
    assert {family_of(cls) for cls in OURS.values()} == set(FAMILIES)


def test_a_noise_which_declares_none_is_a_family_of_its_own_and_any_word_may_be_one():
    @dataclass(frozen=True)
    class Bubbles(doubles.Offset):
        family = "underwater"

    assert family_of(doubles.Offset()) == "offset"
    assert family_of(Bubbles()) == "underwater"


@pytest.mark.parametrize(
    ("formula", "family"),
    [
        ("gaussian(25)", "additive"),
        ("gaussian(25)+laplace(15)", "additive"),
        ("gaussian(25)>>uniform(15)", "additive"),
        ("gaussian(25)+poisson(2)", "mixture"),
        ("(gaussian(25)+laplace(15))>>jpeg(50)", "mixture"),
    ],
)
def test_a_formula_has_the_family_of_its_noises_and_is_a_mixture_of_several(formula, family):
    assert family_of(Formula(formula=formula)) == family
