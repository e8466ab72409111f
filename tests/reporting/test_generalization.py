"""Every index of generalization against numbers worked out by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmark.cells.scores import Scale, Scores
from benchmark.reporting.board import Board
from benchmark.reporting.generalization.indices import (
    SEVERITIES,
    Generalization,
    indices,
    mean_weights,
    shares_of_area,
    weighted,
)
from benchmark.reporting.generalization.section import section
from benchmark.reporting.report import markdown
from benchmark.reporting.statistics import score_matrices
from benchmark.scoring.matched import CLOSE, TARGETS

TRAINED = ("gaussian", 15.0)
FAMILIES = {"gaussian": "additive", "laplace": "additive", "spots": "impulse"}
# by family: additive is the mean of gaussian (one level) and laplace (two levels), impulse is spots
PSNR = {
    TRAINED: {"identity": 25, "bm3d": 31, "mine": 33},
    ("gaussian", 50.0): {"identity": 15, "bm3d": 24, "mine": 22},
    ("laplace", 15.0): {"identity": 24, "bm3d": 30, "mine": 32},
    ("laplace", 25.0): {"identity": 20, "bm3d": 28, "mine": 28},
    ("spots", 0.1): {"identity": 22, "bm3d": 23, "mine": 21},
}
SHIFTS = (-1, 0, 1)  # of the images around the mean of a cell


def rows(cells: dict, metric: str = "psnr", dataset: str = "toy") -> pd.DataFrame:
    lines = [
        {"model": model, "dataset": dataset, "noise": noise, "level": level, "seed": 0}
        | {"image": f"i{place}", metric: mean + shift, "seconds": 1.0}
        for (noise, level), means in cells.items()
        for model, mean in means.items()
        for place, shift in enumerate(SHIFTS)
    ]
    return pd.DataFrame(lines)


def scores_of(table: pd.DataFrame, **known: object) -> Scores:
    scales = {"psnr": Scale("psnr", True, "dB", 2), "lpips": Scale("lpips", False)}
    return Scores(table, scales, **{"families": FAMILIES, **known})


def single(table: pd.DataFrame, metric: str = "psnr", **known: object) -> pd.DataFrame:
    board = Board(scores_of(table, **known))
    return Generalization(board.scores, board.by(metric)[0]).table


def test_families_are_averaged_first_and_the_mean_over_noises_stays():
    mine = single(rows(PSNR)).loc["mine"]
    assert mine["in_distribution"] == 33
    assert mine["ood"] == pytest.approx((22 + 30 + 21) / 3)
    assert mine["ood_families"] == pytest.approx(((22 + 30) / 2 + 21) / 2)  # 23.5
    assert mine["gap"] == pytest.approx(33 - 23.5)
    assert (mine["worst_family"], mine["worst"]) == ("impulse", 21)
    assert mine["gain_noisy"] == pytest.approx(23.5 - ((15 + 22) / 2 + 22) / 2)
    assert mine["gain_bm3d"] == pytest.approx(23.5 - ((24 + 29) / 2 + 23) / 2)


def test_intervals_are_of_images_and_paired_where_an_index_is_a_difference():
    mine = single(rows(PSNR)).loc["mine"]
    assert mine["ood_families_low"] < 23.5 < mine["ood_families_high"]
    for name in ("gap", "gain_noisy", "gain_bm3d"):  # the same on every image
        assert mine[f"{name}_low"] == pytest.approx(mine[name])
        assert mine[f"{name}_high"] == pytest.approx(mine[name])


def test_another_noise_of_a_family_of_equals_changes_no_index_of_families():
    before = single(rows(PSNR))
    twins = {("speckles", level): means for (n, level), means in PSNR.items() if n == "spots"}
    after = single(rows(PSNR | twins), families={**FAMILIES, "speckles": "impulse"})
    same = [name for name in before if name != "ood" and before[name].dtype == float]
    pd.testing.assert_frame_equal(before[same], after[same])
    assert list(after["worst_family"]) == list(before["worst_family"])
    assert after.loc["mine", "ood"] == pytest.approx((22 + 30 + 21 + 21) / 4)


@pytest.mark.parametrize("families", [{}, dict.fromkeys(FAMILIES, "one")])
def test_without_families_or_with_a_single_one_both_means_are_the_same(families):
    found = single(rows(PSNR), families=families)
    np.testing.assert_allclose(found["ood_families"], found["ood"])


def test_a_training_of_the_noisy_input_stands_for_it():
    table = rows(PSNR)
    named = table.assign(model=table["model"].replace("identity", "identity@1"))
    pd.testing.assert_frame_equal(single(named), single(table), check_like=True)


def test_the_same_weights_under_two_names_count_once():
    table = rows(PSNR)
    mine = table[table["model"] == "mine"]
    other = mine.assign(model="mine@2", psnr=mine["psnr"] + 3)
    found = single(pd.concat([table, mine.assign(model="mine@1"), other]), families={})
    assert found.loc["mine", "ood"] == pytest.approx((22 + 30 + 21) / 3 + 1.5)
    assert found.loc["mine", "ood_families"] == pytest.approx(found.loc["mine", "ood"])


def test_where_less_is_better_signs_still_mean_better():
    table = rows({key: {m: -v for m, v in of.items()} for key, of in PSNR.items()}, "lpips")
    less, more = single(table, "lpips").loc["mine"], single(rows(PSNR)).loc["mine"]
    assert less["ood_families"] == pytest.approx(-more["ood_families"])
    for name in ("gap", "gain_noisy", "gain_bm3d"):
        assert less[name] == pytest.approx(more[name])
    assert (less["worst_family"], less["worst"]) == ("impulse", -21)


def test_a_gain_needs_the_other_model_and_a_gap_the_training_level():
    table = rows(PSNR)
    alone = single(table[table["model"] == "mine"]).loc["mine"]
    assert alone[["gain_noisy", "gain_bm3d", "area", "oracle_share"]].isna().all()
    beyond = single(table[table["level"] != 15]).loc["mine"]
    assert beyond[["in_distribution", "gap"]].isna().all()
    assert beyond["ood_families"] == pytest.approx(((22 + 28) / 2 + 21) / 2)


def test_where_images_lack_cells_the_weighted_mean_is_still_that_of_the_cells():
    table = rows({("a", 1.0): {"mine": 10}, ("a", 2.0): {"mine": 20}, ("b", 1.0): {"mine": 40}})
    table = table[~((table["noise"] == "b") & (table["image"] == "i2"))]  # 39 and 40 are left
    weights = {("a", 1.0): 0.5, ("a", 2.0): -2.0, ("b", 1.0): 1.0}
    found = weighted(score_matrices(table, "psnr")["mine"], weights)
    assert found.mean == pytest.approx(0.5 * 10 - 2 * 20 + 39.5)


def test_the_weights_of_a_mean_of_means_add_up_to_one():
    weights = mean_weights(PSNR, lambda noise: FAMILIES[noise])
    assert sum(weights.values()) == pytest.approx(1)
    assert weights["spots", 0.1] == 1 / 2
    assert weights["laplace", 25.0] == weights["gaussian", 50.0] / 1 == 1 / 8


# suites


def test_a_suite_keeps_its_plain_mean_where_other_noises_stand_beside_it():
    suites = {"paper": ["gaussian", "laplace", "absent"], "all three": list(FAMILIES), "none": []}
    found = single(rows(PSNR), suites=suites)
    assert [name for name in found if name.startswith("ood_")][-1] == "ood_paper"
    assert found.loc["mine", "ood_paper"] == pytest.approx((22 + 30) / 2)
    assert "ood_all three" not in found


# area


def matched(model: dict[float, float], noise: str = "n") -> dict:
    """Cells at severities of 28 to 19 dB, at which a model has these scores."""
    levels = {severity: float(place) for place, severity in enumerate(sorted(model, reverse=True))}
    return {(noise, levels[p]): {"identity": p, "mine": score} for p, score in model.items()}


def test_the_area_is_the_mean_height_of_the_curve_between_the_severities():
    # 30 down to 23.5 dB, from there straight down to 20 at 19 dB
    cells = matched({28.0: 30, 23.5: 30, 19.0: 20})
    at_low = 20 + 10 * (19.5 - 19) / 4.5
    expected = (4 * (at_low + 30) / 2 + 4 * 30) / 8
    found = single(rows(cells))
    assert found.loc["mine", "area"] == pytest.approx(expected)
    assert found.loc["identity", "area"] == pytest.approx(sum(SEVERITIES) / 2)


def test_an_area_counts_families_equally_and_does_not_depend_on_the_levels_of_a_straight_line():
    two = matched({28.0: 32, 19.0: 23}, "laplace")  # severity + 4
    four = matched({28.0: 32, 25.0: 29, 22.0: 26, 19.0: 23}, "gaussian")
    spots = matched({28.0: 28, 19.0: 19}, "spots")
    found = single(rows(two | four | spots))
    assert found.loc["mine", "area"] == pytest.approx(((23.5 + 4) + 23.5) / 2)


def test_a_noise_which_does_not_reach_both_ends_has_no_area_and_too_few_make_none():
    mild = matched({34.0: 36, 22.0: 30}, "mild")
    whole = matched({28.0: 32, 19.0: 23}, "whole")
    assert single(rows(whole | mild)).loc["mine", "area"] == pytest.approx(27.5)
    more = matched({34.0: 36, 22.0: 30}, "milder")
    assert np.isnan(single(rows(whole | mild | more)).loc["mine", "area"])


def test_shares_of_an_area_add_up_to_one_in_any_order_and_with_equal_severities():
    shares = shares_of_area([19.0, 28.0, 22.0, 22.0])
    assert shares is not None and shares.sum() == pytest.approx(1)
    assert shares[2] == shares[3]
    again = shares_of_area([22.0, 28.0, 19.0, 22.0])
    assert again is not None
    np.testing.assert_allclose(again, shares[[2, 1, 0, 3]])


def test_matched_levels_which_reach_the_ends_have_the_severities_of_an_area():
    assert min(TARGETS) + CLOSE == SEVERITIES[0]
    assert max(TARGETS) - CLOSE == SEVERITIES[1]


# oracles


ORACLES = {
    TRAINED: {"identity": 25, "mine": 33, "oracle": 26, "weak": 26},
    ("spots", 0.1): {"identity": 20, "mine": 22, "oracle": 30, "weak": 24},
    ("laplace", 25.0): {"identity": 20, "mine": 28, "oracle": 10, "weak": 10},
}
TRAININGS = {"oracle": {("spots", 0.1)}, "weak": {("spots", 0.1)}, "mine": {TRAINED}}


def test_a_share_is_of_what_the_best_oracle_gains_where_there_is_one():
    share = single(rows(ORACLES), trained_on=TRAININGS)["oracle_share"]
    assert share.to_dict() == {"identity": 0, "oracle": 1, "mine": 0.2, "weak": 0.4}


def test_a_share_is_of_sums_over_the_conditions_of_all_oracles():
    trainings = {**TRAININGS, "mine": {TRAINED, ("laplace", 25.0)}}
    share = single(rows(ORACLES), trained_on=trainings)["oracle_share"]
    assert share["mine"] == pytest.approx((2 + 8) / (10 + 8))
    assert share["weak"] == pytest.approx((4 - 10) / (10 + 8))


@pytest.mark.parametrize("trained_on", [{}, {"mine": {TRAINED}}, {"absent": {("spots", 0.1)}}])
def test_without_an_oracle_beyond_the_training_level_there_is_no_share(trained_on):
    assert single(rows(ORACLES), trained_on=trained_on)["oracle_share"].isna().all()


def test_an_oracle_which_gains_nothing_is_no_measure():
    worse = {("spots", 0.1): {"identity": 20, "mine": 22, "oracle": 19}}
    found = single(rows(worse), trained_on={"oracle": {("spots", 0.1)}})
    assert found["oracle_share"].isna().all()


def test_a_model_trained_on_another_noise_has_no_gap_and_one_of_which_nothing_is_known_has():
    found = single(rows(ORACLES), trained_on={"oracle": {("spots", 0.1)}, "weak": set()})
    assert found.loc[["oracle", "weak"], ["in_distribution", "gap"]].isna().all(axis=None)
    assert found.loc[["identity", "mine"], ["in_distribution", "gap"]].notna().all(axis=None)


# what is shown


def test_the_section_says_each_index_and_which_noises_make_a_family():
    board = Board(scores_of(rows(PSNR), suites={"paper": ["gaussian", "laplace"]}))
    shown = section(board.scores, board.by()[0])
    assert shown is not None
    table = {row[0]: dict(zip(shown.table.header, row, strict=True)) for row in shown.table.rows}
    assert list(table) == ["noisy input", "bm3d", "mine"]
    mine = table["mine"]
    assert mine["gaussian 15"] == "33.00"
    assert mine["OOD mean, paper"] == "26.00"
    assert mine["OOD mean by family"].startswith("23.50 ± ")
    assert mine["gap"] == "+9.50 ± 0.00"
    assert mine["worst family"] == "impulse 21.00"
    assert mine["gain over bm3d"] == "-1.25 ± 0.00"
    assert table["bm3d"]["gain over bm3d"] == "–"
    assert "area" not in mine and "share of oracle's gain" not in mine
    said = " ".join(shown.sentences)
    assert "Families: additive (gaussian, laplace), impulse (spots)." in said
    assert "paper: unweighted mean over 2 noises of `noise=paper`" in said


def test_the_section_names_oracles_and_what_an_area_is_without():
    cells = matched({28.0: 32, 19.0: 23}, "laplace") | matched({28.0: 28, 22.0: 26}, "spots")
    scores = scores_of(rows(cells), trained_on={"mine": {("spots", 1.0)}})
    shown = section(scores, Board(scores).by()[0])
    assert shown is not None
    said = " ".join(shown.sentences)
    assert "19.5 to 27.5 dB, of 1 of 2 noises; not from end to end: spots." in said
    assert "Oracles, trained on what they are tested on: mine (spots 1)." in said
    assert dict(zip(shown.table.header, shown.table.rows[1], strict=True))["area"] == "27.50 ± 2.69"


def test_a_single_noise_has_no_section_and_still_its_lines_in_the_file():
    table = rows({("spots", 0.1): PSNR["spots", 0.1]})
    board = Board(scores_of(table))
    assert "Generalization" not in markdown(board)
    assert len(indices(board)) == 3


def test_the_page_has_a_section_for_each_metric_and_the_file_a_line_per_model():
    table = rows(PSNR).assign(lpips=lambda table: 1 - table["psnr"] / 50)
    real = rows({("camera", 0.0): {"mine": 30}}, dataset="camera")
    board = Board(scores_of(pd.concat([table, real])))
    page = markdown(board)
    assert page.count("#### Generalization") == 2
    assert "Gap: gaussian 15 less the mean by family." in page
    assert "Gap: the mean by family less gaussian 15." in page
    lines = indices(board)
    assert list(lines[["dataset", "metric", "model"]].itertuples(index=False, name=None)) == [
        *(("toy", "psnr", model) for model in ("identity", "bm3d", "mine")),
        *(("toy", "lpips", model) for model in ("identity", "bm3d", "mine")),
        ("camera", "psnr", "mine"),
    ]


def test_a_table_without_labels_has_its_indices_too():
    scores = replace(scores_of(rows(PSNR)), families={})
    shown = section(scores, Board(scores).by()[0])
    assert shown is not None and "Families:" not in " ".join(shown.sentences)
