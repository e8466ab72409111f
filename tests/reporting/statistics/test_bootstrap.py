"""Intervals against SciPy, and against simulated scores whose true mean is known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmark.reporting.statistics import bootstrap
from benchmark.reporting.statistics.bootstrap import Bootstrap, estimate
from benchmark.reporting.statistics.means import Measured
from benchmark.reporting.statistics.trainings import (
    by_network,
    network_of,
    spread_of,
    trainings_of,
)


def cells(levels: int = 1, seeds: int = 1) -> pd.MultiIndex:
    pairs = [("n", float(level), seed) for level in range(levels) for seed in range(seeds)]
    return pd.MultiIndex.from_tuples(pairs, names=["noise", "level", "seed"])


def covers(model: np.ndarray, columns: pd.MultiIndex, truth: float) -> bool:
    """Whether the interval of one model, (trainings, images, cells), holds the truth."""
    measured = Measured({"m": model}, columns)
    (low,), (high,) = Bootstrap(measured).bounds(np.eye(1))
    return bool(low <= truth - measured.means[0] <= high)


@pytest.fixture
def few_draws(monkeypatch):
    """A tenth of the draws, for simulations: quantiles of 1000 are good to 0.4 % of coverage."""
    bootstrap._draws.cache_clear()
    monkeypatch.setattr(bootstrap, "RESAMPLES", 1000)
    yield
    bootstrap._draws.cache_clear()


def within(hits: int, runs: int, low: float, high: float) -> bool:
    """Whether a rate lies between two, give or take three standard errors of so many runs."""
    margin = 3 * np.sqrt(0.05 * 0.95 / runs)
    return low - margin <= hits / runs <= high + margin


def test_at_many_images_the_interval_is_the_percentile_bootstrap_of_scipy():
    values = np.random.default_rng(0).gamma(2, 2, 200)
    found = estimate(pd.DataFrame(values[:, None], columns=cells()))
    by_scipy = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=10_000, rng=np.random.default_rng(0)
    ).confidence_interval
    assert found.low == pytest.approx(by_scipy.low, abs=0.02)  # of a width of 0.8
    assert found.high == pytest.approx(by_scipy.high, abs=0.02)


@pytest.mark.parametrize("images", [2, 3, 5, 12])
def test_at_few_images_the_interval_is_about_as_wide_as_students(images):
    values = np.random.default_rng(images).normal(30, 2, images)
    found = estimate(pd.DataFrame(values[:, None], columns=cells()))
    low, high = stats.t.interval(
        0.95, images - 1, values.mean(), values.std(ddof=1) / np.sqrt(images)
    )
    assert 0.7 < (found.high - found.low) / (high - low) < 1.15


def test_images_without_some_cells_weigh_where_they_are():
    values = np.random.default_rng(0).normal(30, 2, (12, 2))
    values[6:, 1] = np.nan
    found = estimate(pd.DataFrame(values, columns=cells(2)))
    assert found.mean == pytest.approx((values[:, 0].mean() + values[:6, 1].mean()) / 2)
    assert found.low < found.mean < found.high


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("fewest", [3, 2, 6])
def test_where_a_cell_has_few_images_the_interval_is_none_too_narrow(fewest, few_draws):
    rng, runs = np.random.default_rng(fewest), 300
    scores = np.repeat(rng.normal(28, 3, (runs, 1, 12, 1)), 2, axis=3)
    scores[:, :, fewest:, 1] = np.nan
    hits = sum(covers(model, cells(2), 28) for model in scores)
    assert within(hits, runs, 0.95, 1)


def test_of_a_cell_with_one_image_nobody_knows_how_sure_it_is():
    values = np.random.default_rng(0).normal(30, 2, (12, 2))
    values[1:, 1] = np.nan
    found = estimate(pd.DataFrame(values, columns=cells(2)))
    assert np.isnan([found.low, found.high]).all()
    assert found.mean == pytest.approx((values[:, 0].mean() + values[0, 1]) / 2)


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("images", [12, 4, 24])
def test_the_interval_over_images_holds_the_true_mean_in_95_of_100(images, few_draws):
    rng, runs = np.random.default_rng(images), 500
    scores = rng.normal(28, 3, (runs, 1, images, 1)) + rng.normal(0, 0.5, (runs, 1, images, 2))
    hits = sum(covers(model, cells(2), 28) for model in scores)
    assert within(hits, runs, 0.94, 0.96)


@pytest.mark.slow
def test_seeds_are_in_the_spread_of_images_and_are_not_counted_twice(few_draws):
    rng, runs, seeds = np.random.default_rng(0), 800, 3
    images = rng.normal(28, 0.3, (runs, 1, 12, 1))
    scores = images + rng.normal(0, 1, (runs, 1, 12, seeds))  # the noise rules
    hits = sum(covers(model, cells(1, seeds), 28) for model in scores)
    assert within(hits, runs, 0.94, 0.96)


def of_trainings(rng, runs: int, trainings: int, by_training: float) -> np.ndarray:
    images = rng.normal(28, 1, (runs, 1, 12, 1))
    networks = rng.normal(0, by_training, (runs, trainings, 1, 1))
    noise = rng.normal(0, 0.3, (runs, 1, 12, 2))  # the same pixels for every training
    return images + networks + noise + rng.normal(0, 0.2, (runs, trainings, 12, 2))


@pytest.mark.sampled(every=9)
@pytest.mark.parametrize("trainings", [2, 3, 5])
@pytest.mark.parametrize("by_training", [0.05, 0.3, 2.0])
def test_with_trainings_the_interval_holds_the_true_mean_in_95_of_100_or_more(
    trainings, by_training, few_draws
):
    rng, runs = np.random.default_rng(trainings), 500
    scores = of_trainings(rng, runs, trainings, by_training)
    hits = sum(covers(model, cells(1, 2), 28) for model in scores)
    assert within(hits, runs, 0.94, 1)


@pytest.mark.slow
def test_an_interval_over_images_alone_is_far_too_narrow_for_the_next_training(few_draws):
    rng, runs = np.random.default_rng(0), 300
    scores = of_trainings(rng, runs, 1, 2.0)
    assert sum(covers(model, cells(1, 2), 28) for model in scores) < 0.5 * runs


def test_what_seeds_and_trainings_change_is_told_apart_from_what_images_change():
    rng = np.random.default_rng(0)
    images, seeds, trainings = 400, 4, 400
    scores = (
        rng.normal(28, 3, (1, images, 1))
        + rng.normal(0, 1, (1, images, seeds))
        + rng.normal(0, 0.5, (trainings, 1, 1))
    )
    spread = spread_of(Measured({"m": scores}, cells(1, seeds)), 0)
    assert spread.images == pytest.approx(3 / np.sqrt(images), rel=0.1)
    assert spread.seeds == pytest.approx(1 / np.sqrt(images), rel=0.1)
    assert spread.training == pytest.approx(0.5, rel=0.1)


def test_what_was_drawn_once_has_no_spread():
    one = Measured({"m": np.random.default_rng(0).normal(28, 1, (1, 12, 1))}, cells())
    spread = spread_of(one, 0)
    assert np.isnan([spread.seeds, spread.training]).all()
    assert spread.images > 0


def table(*models: str) -> pd.DataFrame:
    lines = [
        {"model": model, "dataset": "toy", "noise": "n", "level": 1.0, "seed": 0}
        | {"image": f"i{place}", "psnr": 20.0 + number + place, "seconds": 1.0}
        for number, model in enumerate(models)
        for place in range(3)
    ]
    return pd.DataFrame(lines)


def test_what_stands_before_the_sign_is_the_network():
    assert [network_of(name) for name in ("masked", "masked@1", "masked@b")] == ["masked"] * 3
    rows = table("masked@2", "masked@1", "masked", "tv")
    assert trainings_of(rows) == {"masked": ["masked", "masked@1", "masked@2"], "tv": ["tv"]}
    assert by_network(rows).query("model == 'masked'")["psnr"].tolist() == [21, 22, 23]


def test_the_same_weights_under_two_names_are_one_training():
    rows = pd.concat([table("masked@1"), table("masked@2")])
    assert trainings_of(rows, "psnr") == {"masked": ["masked@1"]}


def test_a_table_without_trainings_stays_as_it_is():
    rows = table("masked", "tv")
    assert by_network(rows) is rows
