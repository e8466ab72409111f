"""Two tables of scores, cell by cell: what is missing, new, moved, or of something else."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmark.cells import Cell
from benchmark.cells.scores import Scale, Scores
from benchmark.reporting.differences.compare import (
    EQUAL,
    MOVED,
    ROUNDING,
    UNPAIRED,
    compare,
    compare_rows,
)

SCALES = {"psnr": Scale("psnr", True, "dB", 2), "ssim": Scale("ssim", True)}
PSNR = [30.0, 31.5, 29.0, 33.0]


def rows(model: str = "masked", level: float = 25.0, shift: object = 0.0) -> pd.DataFrame:
    """The lines of one cell; its PSNR is shifted, by one number or by one for each image."""
    images = [f"{place:02}" for place in range(len(PSNR))]
    cell = {"model": model, "dataset": "toy", "noise": "gaussian", "level": level, "seed": 0}
    table = pd.DataFrame({"image": images, "psnr": np.add(PSNR, shift)})
    return table.assign(**cell, ssim=0.9, seconds=0.1)


def cell(model: str = "masked", level: float = 25.0) -> Cell:
    return Cell(model, "toy", "gaussian", level, 0)


def scores(table: pd.DataFrame, **settings: dict) -> Scores:
    """A table with what its cells record; ``settings`` are of one of their groups."""
    facts = {
        "model": {"of": "masked", "weights": "sha256:aa"},
        "noise": {"of": "gaussian"},
        "dataset": {"of": "toy", "limit": 4, "crop": 64, "images": 4, "sha256": "x"},
        "metrics": {"psnr": {"of": "psnr", "border": 1}, "ssim": {"of": "ssim", "border": 1}},
        "protocol": {"noisy": "clipped, 8 bits", "restored": "clipped, 8 bits"},
    }
    facts = {group: known | settings.get(group, {}) for group, known in facts.items()}
    names = ["model", "dataset", "noise", "level", "seed"]
    keys = table[names].drop_duplicates().to_dict("records")
    return Scores(table, SCALES, records=[{"cell": key, "settings": facts} for key in keys])


def kinds(found, metric: str = "psnr") -> list[str]:
    return list(found.lines.loc[found.lines["metric"] == metric, "kind"])


def test_cells_which_only_one_side_has_are_named():
    before = pd.concat([rows("masked"), rows("tv")])
    after = pd.concat([rows("masked"), rows("masked", level=50.0)])
    found = compare(scores(before), scores(after))
    assert found.only_before == [cell("tv")]
    assert found.only_after == [cell(level=50.0)]
    assert kinds(found) == [EQUAL]
    assert not found.is_empty


def test_two_equal_tables_have_no_difference():
    found = compare(scores(rows()), scores(rows()))
    assert found.is_empty
    assert set(kinds(found) + kinds(found, "ssim")) == {EQUAL}


def test_a_difference_has_the_interval_of_a_paired_t_test():
    shift = np.array([0.1, 0.3, -0.1, 0.2])
    found = compare(scores(rows()), scores(rows(shift=shift)))
    (line,) = found.moved.to_dict("records")
    test = stats.ttest_rel(np.add(PSNR, shift), PSNR)
    low, high = test.confidence_interval(0.95)
    assert line["difference"] == pytest.approx(0.125)
    assert (line["low"], line["high"]) == pytest.approx((low, high))
    assert (line["largest"], line["images"], line["unpaired"]) == (pytest.approx(0.3), 4, 0)


def test_what_no_image_exceeds_the_tolerance_in_is_rounding_whatever_its_mean():
    found = compare(scores(rows()), scores(rows(shift=[0, 0, 0, 4e-4])))
    assert kinds(found) == [ROUNDING]
    opposite = compare(scores(rows()), scores(rows(shift=[0.5, -0.5, 0, 0])))
    assert kinds(opposite) == [MOVED]
    given = compare(scores(rows()), scores(rows(shift=0.3)), {"psnr": 0.5})
    assert kinds(given) == [ROUNDING]
    assert kinds(compare_rows(rows(), rows(shift=1e-12), {})) == [MOVED]


def test_only_images_of_both_are_paired():
    found = compare(scores(rows()), scores(rows(shift=1.0).iloc[1:]))
    (line,) = found.moved.to_dict("records")
    assert (line["images"], line["unpaired"]) == (3, 1)
    assert line["before"] == pytest.approx(np.mean(PSNR[1:]))
    single = compare(scores(rows().iloc[:1]), scores(rows(shift=1.0)))
    assert np.isnan(single.moved["low"]).all()


@pytest.mark.parametrize("lost", [1, len(PSNR)])
def test_a_score_which_only_one_side_has_is_a_difference(lost):
    without = rows()
    without.loc[: lost - 1, "psnr"] = np.nan
    for sides in ((rows(), without), (without, rows())):
        found = compare(*map(scores, sides))
        assert not found.is_empty
        assert kinds(found) == [UNPAIRED]
        assert kinds(found, "ssim") == [EQUAL]
        line = found.lines.set_index("metric").loc["psnr"]
        assert (line["images"], line["unpaired"]) == (len(PSNR) - lost, lost)


def test_the_largest_difference_comes_first_and_psnr_before_other_metrics():
    after = pd.concat([rows("a", shift=0.1), rows("b", shift=-0.4), rows("c", shift=0.2)])
    after["ssim"] = 0.8
    found = compare(scores(pd.concat([rows("a"), rows("b"), rows("c")])), scores(after))
    assert list(found.moved["metric"]) == ["psnr"] * 3 + ["ssim"] * 3
    assert list(found.moved["model"])[:3] == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("group", "other", "said"),
    [
        ("noise", {"adaptive": True}, "noise.adaptive absent (now True)"),
        ("dataset", {"crop": 128}, "dataset.crop 64 (now 128)"),
        ("metrics", {"psnr": {"of": "psnr", "border": 4}}, "metrics.psnr.border 1 (now 4)"),
        ("protocol", {"noisy": "float"}, "protocol.noisy 'clipped, 8 bits' (now 'float')"),
    ],
)
def test_cells_of_two_things_are_told_apart_and_not_compared(group, other, said):
    found = compare(scores(rows()), scores(rows(shift=1.0), **{group: other}))
    assert found.settings == {cell(): [said]}
    assert found.incomparable == {cell()}
    assert found.lines.empty
    assert not found.is_empty


def test_other_weights_are_named_and_compared_as_they_restored_the_same_pixels():
    found = compare(scores(rows()), scores(rows(shift=1.0), model={"weights": "sha256:bb"}))
    assert found.settings == {cell(): ["model.weights 'sha256:aa' (now 'sha256:bb')"]}
    assert not found.incomparable
    assert kinds(found) == [MOVED]


def test_more_images_of_a_dataset_are_no_other_setting():
    fewer = {"limit": 2, "images": 2, "sha256": "y"}
    assert not compare(scores(rows()), scores(rows(), dataset=fewer)).settings


def test_other_noisy_pixels_under_equal_settings_are_two_things():
    before, after = (rows().assign(noisy=[first, "b", "c", "d"]) for first in ("a", "z"))
    found = compare(scores(before), scores(after))
    assert found.settings == {cell(): ["noisy pixels of 00"]}
    assert found.incomparable == {cell()}
    silent = compare(scores(rows()), scores(after))  # older cells do not say
    assert not silent.incomparable


def test_tables_without_a_common_metric_or_without_lines_compare_nothing():
    found = compare(scores(rows().drop(columns="ssim")), scores(rows().drop(columns="psnr")))
    assert kinds(found) + kinds(found, "ssim") == [UNPAIRED, UNPAIRED]
    assert not found.lines["images"].any()
    nothing = replace(scores(rows()), rows=pd.DataFrame(), records=[])
    assert compare(nothing, scores(rows())).only_after == [cell()]
