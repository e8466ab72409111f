"""Verdicts on the paper's explanations, from tables whose answer is known."""

import pytest
from parts_made_up import write_lines

from benchmark.studies.paper.explanations import (
    Finding,
    all_lines,
    findings,
    measured,
    notes,
    verdicts,
)


def by_part(plan) -> dict[str, Finding]:
    return {one.part: one for one in findings(plan)}


@pytest.mark.parametrize(
    ("masked", "verdict"),
    [
        ((1.0, 1.0), "holds"),
        ((1.0, 1.95), "holds for 1 of 2 noises"),
        ((2.05, 1.95), "within the floor"),
        ((3.0, 1.95), "does not hold"),
        ((3.0, 1.0), "holds for 1 of 2 noises, the opposite for 1"),
        ((3.0, 3.0), "does not hold"),
        ((), "not made"),
    ],
)
def test_a_difference_counts_beyond_the_floor_and_for_each_noise(masked, verdict):
    values: dict[str, float] = dict(zip(("a", "b"), masked, strict=False))
    plain = {"a": 2.0, "b": 2.0}
    assert Finding("claim", "part", plain=plain, masked=values, floor=0.1).verdict == verdict


def test_where_more_is_meant_more_holds():
    one = Finding("claim", "part", plain={"a": 0.5}, masked={"a": 0.6}, sign=1)
    assert one.verdict == "holds"


def test_without_results_every_explanation_is_not_made(plan):
    found = findings(plan)
    assert [one.part for one in found] == [
        *("figure_11", "figure_12", "figure_13", "figure_14", "figure_15", "figure_5"),
    ]
    assert {one.verdict for one in found} == {"not made"}
    assert measured(found).rows == []
    assert len(all_lines(found)) == 6


@pytest.mark.parametrize(
    ("table", "lines", "said"),
    [
        ("cka/cka.csv", ["garbage"], "cka.csv has no column dataset, left_model"),
        ("srga/srga.csv", [], "srga.csv cannot be read as CSV"),
        ("features/features.csv", ['"'], "features.csv cannot be read as CSV"),
    ],
)
def test_a_damaged_table_costs_its_own_verdict_alone_and_is_said(plan, table, lines, said):
    path = plan.folders["analyses"] / table
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines))
    found = findings(plan)
    assert {one.verdict for one in found} == {"not made"}
    (note,) = notes(found)
    assert said in note


def test_scores_come_first_as_means_over_levels_of_the_images_of_the_plan(plan):
    write_lines(
        plan.folders["scores"] / "leaderboard.csv",
        "model,dataset,noise,level,psnr",
        *("baseline,toy,speckle,0.02,28", "baseline,toy,speckle,0.04,24"),
        *("masked,toy,speckle,0.02,27", "masked,toy,speckle,0.04,26"),
        *("baseline,toy,gaussian,15,31", "masked,toy,gaussian,15,29"),
        *("baseline,other,poisson,2,20", "masked,other,poisson,2,30"),
    )
    one, *_ = findings(plan)
    assert (one.part, one.plain, one.masked) == ("figure_11", {"speckle": 26}, {"speckle": 26.5})
    assert one.verdict == "holds"


def test_cka_is_of_the_deeper_half_of_the_layers_with_themselves(plan):
    header = "dataset,left_model,left_noise,left_level,right_model,right_noise,right_level"
    cells = [
        ("baseline", "a", "a", 0.1), ("baseline", "a", "b", 0.2), ("baseline", "b", "b", 0.7),
        ("masked", "a", "a", 0.3), ("masked", "b", "b", 0.9),
    ]  # fmt: skip
    lines = [
        f"toy,{model},gaussian,15.0,{model},poisson,3.0,{left},{right},{value}"
        for model, left, right, value in cells
    ]
    between = "toy,baseline,gaussian,15.0,masked,gaussian,15.0,b,b,0.2"
    path = plan.folders["analyses"] / "cka/cka.csv"
    write_lines(path, f"{header},left_layer,right_layer,cka", between, *lines)
    one = by_part(plan)["figure_12"]
    assert (one.plain, one.masked) == ({"poisson 3": 0.7}, {"poisson 3": 0.9})
    assert one.verdict == "holds"
    assert "1 deepest of 2" in one.note


def test_srga_is_of_all_patches_beside_the_larger_floor(plan):
    write_lines(
        plan.folders["analyses"] / "srga/srga.csv",
        "dataset,model,noise,level,patches,srga,floor_again,floor_halves",
        "toy,baseline,poisson,3.0,100,9,0.2,3",
        "toy,baseline,poisson,3.0,200,2.5,0.2,3",
        "toy,masked,poisson,3.0,200,2.1,0.3,3",
        "toy,masked_80_90,poisson,3.0,200,2.35,0.1,3",
    )
    ours, theirs = (one for one in findings(plan) if one.part == "figure_14")
    assert (ours.network, ours.floor, ours.verdict) == ("masked", 0.3, "holds")
    assert ours.plain == {"poisson 3": 2.5}
    assert "between two halves of the crops under gaussian 15 it is 3.00 to 3.00" in ours.note
    assert (theirs.network, theirs.floor, theirs.verdict) == (
        *("masked_80_90", 0.2, "within the floor"),
    )


def test_features_leave_out_the_noise_of_training(plan):
    write_lines(
        plan.folders["analyses"] / "features/features.csv",
        "dataset,model,noise,level,distance,floor",
        *("toy,baseline,gaussian,15.0,0.0,0.01", "toy,baseline,speckle,0.03,0.1,0.01"),
        *("toy,masked,gaussian,15.0,0.0,0.01", "toy,masked,speckle,0.03,0.2,0.01"),
    )
    one = by_part(plan)["figure_15"]
    assert one.masked == {"speckle 0.03": 0.2}
    assert one.verdict == "does not hold"


def test_curves_compare_networks_of_one_size_by_what_is_lost_since_the_best_step(plan):
    def curve(name, trained, other):
        lines = [f"{step},gaussian,15.0,{psnr}" for step, psnr in enumerate(trained, 1)]
        lines += [f"{step},poisson,3.5,{psnr}" for step, psnr in enumerate(other, 1)]
        path = plan.folders["training"] / name / "validation.csv"
        write_lines(path, "step,noise,level,psnr", *lines)

    curve("baseline_tiny", (28, 30, 31), (25, 27, 24))
    curve("masked_tiny", (26, 27, 28), (24, 25, 25.5))
    curve("baseline", (28, 29, 30), (20, 20, 20))
    one = by_part(plan)["figure_13"]
    assert (one.network, one.plain) == ("masked_tiny", {"poisson 3.5": 3.0})
    assert (one.masked, one.verdict) == ({"poisson 3.5": 0.0}, "holds")
    assert "gained 3.00 dB" in notes([one])[0]


@pytest.mark.parametrize(
    ("without", "masked", "verdict"),
    [(130, 101, "holds"), (130, 98, "holds"), (97, 90, "does not hold"), (101, 101, "within")],
)
def test_without_the_attention_mask_images_are_to_be_brighter_than_clean(
    plan, without, masked, verdict
):
    lines = ["luma,clean,input_only,masked"]
    lines += [
        f"{luma},{luma == 100:d},{luma == without:d},{luma == masked:d}" for luma in range(256)
    ]
    write_lines(plan.folders["ablations"] / "masks/brightness.csv", *lines)
    one = by_part(plan)["figure_5"]
    assert one.plain == {"gaussian 15": without - 100}
    assert one.masked == {"gaussian 15": abs(masked - 100)}
    assert one.verdict.startswith(verdict)


def test_a_table_of_numbers_has_those_behind_each_verdict():
    one = Finding(
        *("claim", "figure_14", "SRGA ↓", "masked", {"a 1": 2.0, "b 2": 3.0}),
        masked={"a 1": 1.0, "b 2": 3.5},
        floor=0.25,
    )
    assert verdicts([one]).rows == [
        ["claim", "Figure 14", "masked", "holds for 1 of 2 noises, the opposite for 1"]
    ]
    assert measured([one]).rows == [
        ["Figure 14", "SRGA ↓", "a 1", "masked", "1.00", "2.00", "0.25"],
        ["Figure 14", "SRGA ↓", "b 2", "masked", "3.50", "3.00", "0.25"],
    ]


def test_numbers_are_of_the_images_of_the_page_or_say_of_which(plan):
    def written(*datasets):
        lines = [
            f"{dataset},{model},speckle,0.03,{moved},0.01"
            for dataset, distances in datasets
            for model, moved in zip(("baseline", "masked"), distances, strict=True)
        ]
        path = plan.folders["analyses"] / "features/features.csv"
        write_lines(path, "dataset,model,noise,level,distance,floor", *lines)
        return by_part(plan)["figure_15"]

    both = written(("other", (0.1, 0.5)), (plan.dataset, (0.3, 0.2)))
    assert (both.plain, both.note) == ({"speckle 0.03": 0.3}, "")
    other = written(("other", (0.1, 0.5)))
    assert (other.plain, other.note) == ({"speckle 0.03": 0.1}, "measured on other")
