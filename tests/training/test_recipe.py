"""A recipe: the published one by default, its learning rate, and numbers that make no sense."""

import pytest

from benchmark.training.recipe import Recipe


def rates(recipe: Recipe) -> list[float]:
    """The learning rate of every step."""
    return [recipe.rate(recipe.fraction(step, 0.0)) for step in range(recipe.steps)]


def test_the_defaults_are_the_published_recipe():
    recipe = Recipe()
    assert (recipe.steps, recipe.batch, recipe.patch) == (200_000, 64, 64)
    assert (recipe.learning_rate, recipe.betas) == (1e-4, (0.9, 0.99))
    assert [fraction * recipe.steps for fraction in recipe.milestones] == [100_000, 150_000]
    assert (recipe.ema, recipe.warm_up, recipe.schedule) == (0.999, 0, "halve")


def test_the_learning_rate_is_halved_after_each_milestone():
    assert rates(Recipe(steps=8, learning_rate=1e-2)) == [1e-2] * 4 + [5e-3] * 2 + [2.5e-3] * 2


def test_a_cosine_rises_over_the_warm_up_and_falls_to_nothing():
    recipe = Recipe(steps=100, learning_rate=1.0, schedule="cosine", warm_up=0.1)
    found = rates(recipe)
    assert found[:10] == pytest.approx([step / 10 for step in range(10)])
    assert found[10] == 1
    assert found[55] == pytest.approx(0.5)
    assert all(before > after for before, after in zip(found[10:], found[11:], strict=False))
    assert recipe.rate(1.2) == 0


def test_a_budget_in_minutes_goes_by_the_clock_and_not_by_steps():
    recipe = Recipe(minutes=2, learning_rate=1.0)
    assert recipe.fraction(10**9, 60.0) == 0.5
    assert recipe.rate(recipe.fraction(0, 59.0)) == 1
    assert recipe.rate(recipe.fraction(0, 61.0)) == 0.5
    assert recipe.fraction(0, 120.0) == 1


@pytest.mark.parametrize("name", ["steps", "minutes", "batch", "patch", "learning_rate"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_recipe_needs_positive_numbers(name, value):
    with pytest.raises(ValueError, match=f"^{name} must be above 0, got {value}"):
        Recipe(**{name: value})


@pytest.mark.parametrize("name", ["ema", "warm_up"])
@pytest.mark.parametrize("value", [-0.1, 1, 1.5])
def test_a_share_is_below_one(name, value):
    with pytest.raises(ValueError, match=f"^{name} must be in"):
        Recipe(**{name: value})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"schedule": "linear"}, "unknown schedule 'linear'; choose one of: halve, cosine"),
        ({"milestones": (0.5, 1.5)}, "milestones are fractions between 0 and 1, got 1.5"),
        ({"betas": (0.9,)}, r"betas must be two numbers in \[0, 1\), got \[0.9\]"),
        ({"betas": (0.9, 1.0)}, "betas must be two numbers"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, said):
    with pytest.raises(ValueError, match=f"^{said}"):
        Recipe(**wrong)
