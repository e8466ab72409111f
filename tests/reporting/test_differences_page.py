"""Differences as people read them: what is counted, shown, grouped and written."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from test_differences import SCALES, cell, rows, scores

from benchmark.console.log import show
from benchmark.protocol import PROTOCOLS
from benchmark.reporting.differences.compare import compare
from benchmark.reporting.differences.page import counts, of_images, of_moved, sections, write
from benchmark.reporting.differences.places import changed_places, places, why_none


def board(psnr: dict[str, float]) -> pd.DataFrame:
    return pd.concat([rows(model, shift=mean - 30) for model, mean in psnr.items()])


def test_a_model_that_passes_another_changes_both_places_and_references_have_none():
    before = scores(board({"identity": 40, "a": 32, "b": 31, "c": 30}))
    after = scores(board({"identity": 20, "a": 31.5, "b": 33, "c": 30, "new": 10}))
    table = places(before, after)
    assert "identity" not in set(table["model"])
    changed = changed_places(table[table["metric"] == "psnr"]).set_index("model")
    assert changed["place_before"].to_dict() | {"new": None} == {"b": 2, "a": 1, "new": None}
    assert changed["place_after"].to_dict() == {"b": 1, "a": 2, "new": 4}


def test_means_under_two_protocols_are_not_set_beside_each_other():
    ours, theirs = ({"noisy": noisy, "restored": "float"} for noisy in ("float", "clipped, 8 bits"))
    table = board({"a": 32, "b": 31})
    before, after = (replace(scores(table), protocols=[facts]) for facts in (ours, theirs))
    assert len(places(before, before)) and places(before, after).empty


def test_moved_cells_are_counted_as_better_and_worse_by_the_metrics_direction():
    before = pd.concat([rows("a"), rows("b"), rows("c")])
    after = pd.concat([rows("a", shift=1), rows("b", shift=-1), rows("c")])
    said = counts(compare(scores(before), scores(after)), SCALES)
    assert said[0] == "psnr of 3 cells: 1 equal to the bit, 2 moved (1 better, 1 worse)"
    assert said[1] == "ssim of 3 cells: 3 equal to the bit"


def test_a_cell_whose_images_moved_and_whose_mean_did_not_is_neither_better_nor_worse():
    before, after = rows("a"), rows("a")
    after["psnr"] += np.where(np.arange(len(after)) % 2, 1.0, -1.0)
    said = counts(compare(scores(before), scores(after)), SCALES)
    assert said[0] == "psnr of 1 cell: 1 moved (0 better, 0 worse, 1 of the same mean)"


def test_a_line_shows_both_means_the_difference_and_its_interval():
    found = compare(scores(rows()), scores(rows(shift=[0.1, 0.3, -0.1, 0.2]).iloc[:3]))
    table = of_moved(found.moved, SCALES)
    line = dict(zip(table.header, table.rows[0], strict=True))
    assert (line["model"], line["noise"]) == ("masked", "gaussian 25")
    assert (line["before"], line["after"], line["difference"]) == ("30.167", "30.267", "+0.100")
    assert line["95 % interval"] == "-0.397 to +0.597"
    assert line["images"] == "3 of 4"


def test_the_same_change_of_many_cells_is_said_once():
    both = pd.concat([rows(level=15.0), rows(level=25.0), rows("tv")])
    found = compare(scores(both), scores(both, model={"weights": "sha256:bb"}))
    ((title, sentences),) = sections(found, ("A", "B"))
    assert title == "Other settings"
    assert len(sentences) == 1
    assert "3 cells" in sentences[0]
    assert "compared: the pixels are the same (masked on toy: gaussian 15, " in sentences[0]
    assert sentences[0].endswith("gaussian 25; tv on toy: gaussian 25)")


def test_cells_of_one_side_are_listed_by_model_under_its_name():
    found = compare(scores(rows("tv")), scores(pd.concat([rows("a"), rows("a", level=50.0)])))
    assert sections(found, ("A", "B")) == [
        ("Only in A", ["tv on toy: gaussian 25"]),
        ("Only in B", ["a on toy: gaussian 25, gaussian 50"]),
    ]


def test_a_lost_score_is_counted_and_its_cell_is_named():
    lost = rows()
    lost.loc[0, "psnr"] = None
    found = compare(scores(rows()), scores(lost))
    assert counts(found, SCALES)[0] == "psnr of 1 cell: 1 with scores which only one side has"
    ((title, sentences),) = sections(found, ("A", "B"))
    assert title == "Scores which only one side has"
    assert sentences == [f"psnr of 1 image in 1 cell: {cell()}"]


def test_places_of_two_protocols_are_left_out_and_the_page_says_why(tmp_path):
    before, after = scores(rows("a")), scores(rows("a", shift=1.0))
    mixed = replace(after, protocols=[PROTOCOLS[name].facts for name in ("kair", "masked")])
    assert not why_none(before, after)
    assert places(before, mixed).empty
    found, no_places = compare(before, mixed), why_none(before, mixed)
    more = ("bench diff A B", no_places)
    page, _ = write(found, places(before, mixed), SCALES, ("A", "B"), tmp_path, *more)
    said = page.read_text()
    assert "left out: these scores are by protocols kair and masked" in said
    assert "+1.000" in said


def test_an_image_shows_what_two_machines_disagree_about():
    lines = pd.DataFrame(
        {"image": ["a"], "metric": ["psnr"], "before": [30.0], "after": [30.00001]}
    )
    table = of_images(lines, {"digits": {"psnr": 2}})
    assert list(table.rows[0]) == ["a", "30.000000", "30.000010", "+1e-05"]


@pytest.mark.parametrize("digits", [-3, 300, 10**12])
def test_absurd_digits_of_a_cell_print_every_image_all_the_same(digits, capsys):
    line = {"image": ["a"], "metric": ["psnr"], "before": [30.0], "after": [31.0]}
    show()
    of_images(pd.DataFrame(line), {"digits": {"psnr": digits}}).show()
    shown = capsys.readouterr().out
    assert "30.0000" in shown and "+1" in shown and "…" not in shown


def test_the_page_says_everything_and_the_csv_has_every_line(tmp_path):
    before = pd.concat([rows("a"), rows("b"), rows("gone")])
    after = pd.concat([rows("a", shift=-2), rows("b")])
    ours, theirs = scores(before), scores(after, protocol={})
    found = compare(ours, theirs)
    written = write(found, places(ours, theirs), SCALES, ("A", "B"), tmp_path, "bench diff A B")
    assert [path.name for path in written] == ["diff.md", "diff.csv"]
    page = written[0].read_text()
    assert page.startswith(
        "# Differences\n\nMade with `bench diff A B`. Before: A; after: B.\n\n- "
    )
    for said in (
        "## Moved",
        "-2.000",
        "## Places on the leaderboard",
        "## Only in A",
        "gone on toy",
    ):
        assert said in page
    assert "\n\n\n" not in page
    lines = pd.read_csv(written[1])
    assert set(zip(lines["model"], lines["metric"], lines["kind"], strict=True)) == {
        ("a", "psnr", "moved"),
        ("a", "ssim", "equal"),
        ("b", "psnr", "equal"),
        ("b", "ssim", "equal"),
    }
    assert cell("gone") in found.only_before
