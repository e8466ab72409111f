"""Shared rows, means and intervals, against numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from benchmark.reporting.statistics import (
    check_table,
    estimate,
    mild_to_hard,
    noise_means,
    paired_difference,
    score_matrices,
    shared_rows,
)


def rows(model: str, cells: dict[tuple[str, float], list[float]], **more: object) -> pd.DataFrame:
    """One model's lines: a PSNR per image of each (noise, level)."""
    lines = [
        {"model": model, "dataset": "toy", "noise": noise, "level": level, "seed": 0}
        | {"image": f"i{place}", "psnr": psnr, "seconds": 1.0}
        | more
        for (noise, level), scores in cells.items()
        for place, psnr in enumerate(scores)
    ]
    return pd.DataFrame(lines)


def score_matrix(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    (found,) = score_matrices(rows, metric).values()
    return found


def test_a_cell_which_one_model_lacks_is_shared_by_nobody():
    full = rows("full", {("easy", 1.0): [30, 30], ("hard", 1.0): [10, 10]})
    easy = rows("easy_only", {("easy", 1.0): [29, 29]})
    shared = shared_rows(pd.concat([full, easy]))
    assert set(shared["noise"]) == {"easy"}
    assert set(shared["model"]) == {"full", "easy_only"}


def test_an_image_which_one_model_lacks_is_shared_by_nobody():
    table = pd.concat([rows("a", {("n", 1.0): [1, 2, 3]}), rows("b", {("n", 1.0): [1, 2]})])
    assert sorted(shared_rows(table)["image"]) == ["i0", "i0", "i1", "i1"]


def test_a_model_counts_only_in_the_datasets_it_was_run_on():
    table = pd.concat(
        [
            rows("a", {("n", 1.0): [1]}),
            rows("b", {("n", 1.0): [1]}),
            rows("a", {("n", 1.0): [1]}, dataset="second"),
        ]
    )
    assert len(shared_rows(table)) == 3


def test_within_a_level_models_are_compared_where_they_are():
    table = pd.concat([rows("a", {("n", 1.0): [1], ("m", 1.0): [1]}), rows("b", {("n", 1.0): [1]})])
    assert len(shared_rows(table, within=("dataset", "noise", "level"))) == 3


def test_noises_count_equally_however_many_levels_seeds_and_images_they_have():
    one = rows("a", {("many", 1.0): [10, 20], ("many", 2.0): [30, 50], ("few", 1.0): [7]})
    again = rows("a", {("many", 1.0): [16, 18]}, seed=1)
    scores = score_matrix(pd.concat([one, again]), "psnr")
    # many: level 1 is the mean of seeds 15 and 17, level 2 is 40: 28; few: 7
    assert noise_means(scores).to_dict() == {"few": 7, "many": 28}
    assert estimate(scores).mean == pytest.approx(17.5)


def test_the_interval_is_that_of_the_mean_over_images():
    values = np.random.default_rng(1).normal(30, 2, 400)
    found = estimate(score_matrix(rows("a", {("n", 1.0): list(values)}), "psnr"))
    half = 1.96 * values.std() / 20  # the normal approximation, good at 400 images
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.03)
    assert found.high == pytest.approx(values.mean() + half, abs=0.03)


def test_more_levels_of_the_same_images_do_not_make_the_mean_surer():
    one = estimate(score_matrix(rows("a", {("n", 1.0): [1, 2, 6, 9]}), "psnr"))
    two = estimate(
        score_matrix(rows("a", dict.fromkeys([("n", 1.0), ("n", 2.0)], [1, 2, 6, 9])), "psnr")
    )
    assert two.high - two.low == pytest.approx(one.high - one.low)


def test_the_same_scores_have_the_same_interval():
    scores = score_matrix(rows("a", {("n", 1.0): [1, 2, 6, 9]}), "psnr")
    assert estimate(scores) == estimate(scores)


def test_one_image_has_a_mean_and_no_interval():
    found = estimate(score_matrix(rows("a", {("n", 1.0): [30]}), "psnr"))
    assert found.mean == 30
    assert np.isnan([found.low, found.high]).all()


def test_a_constant_lead_is_certain_although_images_differ():
    theirs = score_matrix(rows("a", {("n", 1.0): [20, 25, 30, 35, 40, 45]}), "psnr")
    found = paired_difference(theirs + 0.5, theirs)
    assert (found.mean, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))
    assert found.p == pytest.approx(2 / 2**6)  # the exact test: one order of signs of 64, doubled


def test_equal_models_differ_by_nothing():
    scores = score_matrix(rows("a", {("n", 1.0): [20, 25]}), "psnr")
    found = paired_difference(scores, scores)
    assert (found.mean, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_different_images_cannot_be_paired():
    two = score_matrix(rows("a", {("n", 1.0): [20, 25]}), "psnr")
    one = score_matrix(rows("a", {("n", 1.0): [20]}), "psnr")
    with pytest.raises(ValueError, match="same images and cells"):
        paired_difference(two, one)


def test_levels_run_from_mild_to_hard_whichever_way_they_count():
    table = rows("a", {("sigma", 15.0): [30], ("sigma", 50.0): [20], ("spp", 64.0): [20]})
    table = pd.concat([table, rows("a", {("spp", 128.0): [23]})])
    assert mild_to_hard(table, "sigma") == [15.0, 50.0]
    assert mild_to_hard(table, "spp") == [128.0, 64.0]


def test_the_direction_of_levels_is_that_of_one_model_which_has_both_ends():
    weak = rows("identity", {("share", 0.008): [24], ("share", 0.012): [22]})
    strong = rows("a", {("share", 0.012): [33], ("share", 0.02): [31]})
    whole = rows("b", {("share", 0.008): [30], ("share", 0.012): [29], ("share", 0.02): [28]})
    assert mild_to_hard(pd.concat([weak, strong]), "share") == [0.008, 0.012, 0.02]
    assert mild_to_hard(pd.concat([weak, strong, whole]), "share") == [0.008, 0.012, 0.02]
    falling = whole.assign(psnr=-whole["psnr"])
    assert mild_to_hard(pd.concat([weak, falling]), "share") == [0.02, 0.012, 0.008]


def test_without_psnr_another_metric_says_which_levels_are_hard():
    table = rows("a", {("quality", 30.0): [0.7], ("quality", 90.0): [0.9]})
    assert mild_to_hard(table.rename(columns={"psnr": "ssim"}), "quality") == [90.0, 30.0]
    assert mild_to_hard(table.rename(columns={"psnr": "unknown"}), "quality") == [30.0, 90.0]


def test_a_table_which_cannot_be_used_says_why():
    table = rows("a", {("n", 1.0): [20]})
    with pytest.raises(ValueError, match="no line"):
        check_table(table.iloc[:0])
    with pytest.raises(ValueError, match="no metric"):
        check_table(table.drop(columns="psnr"))
    with pytest.raises(ValueError, match="no column image, seconds"):
        check_table(table.drop(columns=["image", "seconds"]))
    with pytest.raises(ValueError, match="model=a dataset=toy noise=n .* more than once"):
        check_table(pd.concat([table, table]))
    with pytest.raises(ValueError, match="two columns psnr; keep one"):
        check_table(pd.concat([table, table[["psnr"]]], axis=1))
    with pytest.raises(ValueError, match="column camera .* numbers .*'D90'.* remove what is none"):
        check_table(table.assign(camera="D90"))
    with pytest.raises(ValueError, match="no column model"):
        check_table(pd.DataFrame())
