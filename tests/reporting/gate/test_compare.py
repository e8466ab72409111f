"""Worse, better, missing, new, equal and other are told apart, each by what makes it so."""

import math
from dataclasses import replace

import pytest

from benchmark.cells import Cell
from benchmark.cells.scores import Scale
from benchmark.reporting.gate.baseline import Line
from benchmark.reporting.gate.compare import (
    REPEATS,
    SPREADS,
    Pace,
    compare,
    paces,
    passes,
    refuse_nothing_compared,
    refuse_untimed,
    too_slow,
    with_paces,
)

SCALES = {"psnr": Scale("psnr", True, "dB", 2), "lpips": Scale("lpips", False, "", 4)}
CELL = Cell("mine", "photos", "gaussian", 25, 0)
SETTINGS = {"clean": "a", "noisy": "b", "protocol": "c", "psnr": "d", "lpips": "e"}
LINE = Line(CELL, 3, SETTINGS, {"psnr": 30.0, "lpips": 0.2}, {"psnr": 0.0, "lpips": 0.0})


def judged(before: Line, now: Line):
    (found,) = compare([before], [now], SCALES, {})
    return found


def scored(**scores: float) -> Line:
    return replace(LINE, scores={**LINE.scores, **scores})


@pytest.mark.parametrize(
    ("scores", "verdict"),
    [
        ({}, "equal"),
        ({"psnr": 29.95}, "worse"),
        ({"psnr": 29.996}, "equal"),
        ({"psnr": 30.004}, "equal"),
        ({"psnr": 30.05}, "better"),
        ({"lpips": 0.2001}, "worse"),
        ({"lpips": 0.1999}, "better"),
        ({"psnr": 31.0, "lpips": 0.3}, "worse"),
        ({"psnr": math.nan}, "worse"),
    ],
)
def test_a_metric_moves_in_its_own_direction_by_more_than_it_may(scores, verdict):
    found = judged(LINE, scored(**scores))
    assert found.verdict == verdict
    assert bool(found.reasons) == (verdict != "equal")


def test_the_first_sentence_of_a_cell_is_why_it_is_worse_and_each_says_what_it_is():
    worse, better = judged(LINE, scored(psnr=31.0, lpips=0.3)).reasons
    assert judged(LINE, scored(psnr=31.0, lpips=0.3)).failing == 1
    assert "lpips is 0.300000" in worse and worse.endswith("is allowed: worse")
    assert "psnr is 31.0000 dB" in better and better.endswith("is allowed: better")


@pytest.mark.parametrize(
    ("psnr", "verdict"),
    [(29.95, "equal"), (29.93, "worse"), (30.05, "equal"), (30.07, "better")],
)
def test_a_stochastic_network_may_move_by_its_own_spread(psnr, verdict):
    before = replace(LINE, spreads={"psnr": 0.01, "lpips": 0.0})  # 5.8 of them and 0.005 dB
    assert judged(before, scored(psnr=psnr)).verdict == verdict


def test_equal_networks_differ_by_more_than_the_spread_allows_once_in_740():
    from scipy.stats import norm, t

    rare = norm.sf(3)
    assert 1 / rare == pytest.approx(740, abs=1)
    assert 2**0.5 * t.isf(rare, REPEATS - 1) == pytest.approx(SPREADS, abs=0.02)


@pytest.mark.parametrize(
    ("part", "words"),
    [("clean", "other clean images"), ("noisy", "other noisy images"), ("protocol", "protocol")],
)
def test_other_images_noise_or_protocol_cannot_be_compared(part, words):
    now = replace(scored(psnr=20.0), settings={**SETTINGS, part: "z"})
    found = judged(LINE, now)
    assert found.verdict == "other"
    assert words in found.reasons[0] and "cannot be compared" in found.reasons[0]


def test_a_metric_with_other_settings_is_not_compared_and_hides_no_other_metric():
    other = {**SETTINGS, "psnr": "z"}
    assert judged(LINE, replace(scored(psnr=20.0), settings=other)).verdict == "other"
    assert judged(LINE, replace(scored(lpips=0.4), settings=other)).verdict == "worse"


def test_a_metric_of_one_side_is_missing_or_new():
    fewer = replace(
        LINE, scores={"psnr": 30.0}, settings={k: v for k, v in SETTINGS.items() if k != "lpips"}
    )
    missing, new = judged(LINE, fewer), judged(fewer, LINE)
    assert (missing.verdict, new.verdict) == ("missing", "new")
    assert "lpips was not scored, which the baseline has" in missing.reasons[0]
    assert "lpips is not in the baseline" in new.reasons[0]


def test_a_renamed_model_is_one_missing_and_one_new_cell():
    renamed = replace(LINE, cell=replace(CELL, model="mine2"))
    found = compare([LINE], [renamed], SCALES, {})
    assert [(one.cell.model, one.verdict) for one in found] == [
        ("mine", "missing"),
        ("mine2", "new"),
    ]


def test_a_cell_which_cannot_be_scored_is_worse_and_says_why_even_if_it_is_new():
    other = replace(CELL, model="new")
    found = compare([LINE], [], SCALES, {CELL: "no picture", other: "none either"})
    assert [one.verdict for one in found] == ["worse", "worse"]
    assert [list(one.reasons) for one in found] == [["no picture"], ["none either"]]


def test_the_worst_come_first():
    cells = [replace(CELL, seed=seed) for seed in range(4)]
    before = [replace(LINE, cell=cell) for cell in cells[:3]]
    now = [replace(LINE, cell=cells[0]), replace(scored(psnr=29.0), cell=cells[2])]
    now.append(replace(LINE, cell=cells[3]))
    found = compare(before, now, SCALES, {})
    assert [one.verdict for one in found] == ["worse", "missing", "new", "equal"]


def test_a_check_which_compares_nothing_is_a_mistake():
    other = compare([LINE], [replace(LINE, settings={**SETTINGS, "noisy": "z"})], SCALES, {})
    with pytest.raises(ValueError, match="none of 1 cells could be compared with b.csv: mine on"):
        refuse_nothing_compared(other, "b.csv")
    refuse_nothing_compared(compare([LINE], [LINE], SCALES, {}), "b.csv")


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (LINE, scored(ssim=0.9)),
        (replace(LINE, settings={**SETTINGS, "lpips": "z"}), LINE),
    ],
    ids=["a new metric", "a metric with other settings"],
)
def test_a_check_holds_what_it_compares_beside_metrics_which_it_cannot(before, now):
    found = compare([before], [now], {**SCALES, "ssim": Scale("ssim", True)}, {})
    assert found[0].verdict in ("new", "other") and passes(found)
    refuse_nothing_compared(found, "b.csv")
    assert not passes(compare([before], [replace(now, scores={"psnr": 29.0})], SCALES, {}))


def test_speed_fails_only_where_it_is_limited_and_exceeded():
    timed = replace(LINE, relative_seconds=4.0)
    (found,) = paces([timed], {("mine", "photos"): 7.0})
    assert found == Pace("mine", "photos", 4.0, 7.0)
    assert too_slow([found], None) == too_slow([found], 2.0) == {}
    assert "takes 1.75 times as long as in the baseline" in too_slow([found], 1.5)[found]
    (unknown,) = paces([timed], {("other", "photos"): 7.0})
    assert unknown.slowdown is None and too_slow([unknown], 1.5) == {}


def test_a_limit_of_speed_needs_a_baseline_with_speeds():
    other = replace(LINE, cell=replace(LINE.cell, model="other"), relative_seconds=4.0)
    refuse_untimed([LINE, other], ["mine", "other"], None)
    refuse_untimed([LINE, other], ["other", "new"], 1.5)
    sentence = "max_slowdown=1.5 .* none of mine on photos; .* update=true speed=true"
    with pytest.raises(ValueError, match=sentence):
        refuse_untimed([LINE, LINE, other], ["mine", "other"], 1.5)


def test_an_update_without_timing_keeps_the_speeds_there_were():
    timed = replace(LINE, relative_seconds=4.0)
    assert with_paces([LINE], [timed], []) == [timed]
    assert with_paces([LINE], [timed], [Pace("mine", "photos", 4.0, 5.0)]) == [
        replace(LINE, relative_seconds=5.0)
    ]
