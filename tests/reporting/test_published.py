"""Published numbers: what they are held against, what they may be, and how a page shows them."""

import shutil
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest
from command_results import bench_process

from benchmark.cells.scores import Scale, Scores
from benchmark.datasets import DATASETS
from benchmark.denoiser import DENOISERS
from benchmark.noise import NOISE_MODELS
from benchmark.protocol import MASKED, PROTOCOLS, protocol_of
from benchmark.reporting.board import Board
from benchmark.reporting.published import Published, comparisons, numbers, section, sources
from benchmark.reporting.report import markdown

UNREGISTERED: set[str] = set()  # models whose numbers may be here before they are
DNCNN = Published(
    "zhang2018ffdnet",
    "table2.png",
    "cbsd68",
    "gaussian",
    15.0,
    "dncnn",
    {"psnr": Decimal("33.90"), "ssim": Decimal("0.9")},
    "masked",
    "sigma 0 to 55",
    False,
    "a note",
)
RECORD = {
    "cell": {"dataset": "cbsd68", "noise": "gaussian", "level": 15.0, "seed": 0},
    "settings": {
        "model": {"of": "dncnn", "weights": "sha256:12"},
        "noise": {"of": "gaussian"},
        "dataset": {"of": "cbsd68", "limit": None, "crop": None, "images": 2, "sha256": "34"},
        "metrics": {"psnr": {"of": "psnr", "border": 1}, "ssim": {"of": "ssim", "border": 1}},
        "protocol": MASKED.facts,
    },
}


def scores(*changes: tuple[str, str, object], psnr: tuple[float, ...] = (33, 34)) -> Scores:
    """One cell's scores, images as many as PSNRs; each change is a part, a key and a value."""
    record = deepcopy(RECORD)
    record["cell"]["model"] = "mine"
    for part, key, value in changes:
        (record["cell"] if part == "cell" else record["settings"][part])[key] = value
    rows = [
        {**record["cell"], "image": f"{place}", "psnr": value, "ssim": 0.8765, "seconds": 1.0}
        for place, value in enumerate(psnr)
    ]
    scales = {"psnr": Scale("psnr", True, "dB", 2), "ssim": Scale("ssim", True)}
    return Scores(pd.DataFrame(rows), scales, records=[record])


def test_a_printed_number_stands_beside_the_mean_over_all_images_with_the_difference():
    psnr, ssim = comparisons(scores(), [DNCNN])
    assert (psnr.model, psnr.metric, psnr.measured) == ("mine", "psnr", 33.5)
    assert psnr.difference == pytest.approx(-0.4)
    assert ssim.difference == pytest.approx(-0.0235)


@pytest.mark.parametrize(
    "change",
    [
        ("dataset", "crop", 128),
        ("dataset", "limit", 12),
        ("dataset", "of", "kodak24"),
        ("dataset", "images", 68),
        ("noise", "of", "uniform"),
        ("model", "of", "ridnet"),
        ("cell", "level", 25.0),
        ("protocol", "restored", "clipped, float"),
    ],
    ids=lambda change: f"{change[0]} {change[1]}",
)
def test_what_is_of_another_thing_is_not_compared(change):
    assert comparisons(scores(change), [DNCNN]) == []


def test_a_noise_with_settings_of_its_own_is_another_noise():
    poisson = replace(DNCNN, noise="poisson", level=2.0)
    cell = [("cell", "noise", "poisson"), ("cell", "level", 2.0)]
    plain = scores(*cell, ("noise", "of", "poisson"), ("noise", "adaptive", False))
    other = scores(*cell, ("noise", "of", "poisson"), ("noise", "adaptive", True))
    assert comparisons(plain, [poisson])
    assert not comparisons(other, [poisson])


def test_another_border_excludes_the_metric_that_has_it_alone():
    found = comparisons(scores(("metrics", "psnr", {"of": "psnr", "border": 2})), [DNCNN])
    assert [one.metric for one in found] == ["ssim"]


@pytest.mark.parametrize("ours", PROTOCOLS)
@pytest.mark.parametrize("theirs", PROTOCOLS)
def test_protocols_agree_which_differ_at_most_in_their_random_numbers(ours, theirs):
    protocol = PROTOCOLS[ours]
    border = [("metrics", name, {"of": name, "border": protocol.border}) for name in DNCNN.scores]
    measured = scores(*border)
    measured.records[0]["settings"]["protocol"] = protocol.facts
    script = {"kair", "swinir", "restormer"}
    agree = ours == theirs or {ours, theirs} <= script
    assert bool(comparisons(measured, [replace(DNCNN, protocol=theirs)])) == agree


def test_a_protocol_which_nobody_knows_agrees_with_none():
    measured = scores()
    measured.records[0]["settings"]["protocol"] = {"noisy": "squared"}
    assert comparisons(measured, [DNCNN]) == []


def test_an_image_without_a_score_leaves_no_mean_to_compare():
    found = comparisons(scores(psnr=(33, float("nan"))), [DNCNN])
    assert [one.metric for one in found] == ["ssim"]


def together(first: Scores, second: Scores) -> Scores:
    rows = pd.concat([first.rows, second.rows])
    return replace(first, rows=rows, records=[*first.records, *second.records])


def test_seeds_count_equally_and_give_one_comparison():
    both = together(scores(), scores(("cell", "seed", 1), psnr=(31, 32)))
    psnr, _ = comparisons(both, [DNCNN])
    assert psnr.measured == pytest.approx(32.5)


@pytest.mark.parametrize("part", [0, 1])
def test_seeds_which_lack_images_do_not_count(part):
    pair = [scores(), scores(("cell", "seed", 1), ("dataset", "limit", 1), psnr=(20,))]
    pair[1].records[0]["settings"]["dataset"]["images"] = 1
    psnr, _ = comparisons(together(*(pair if part else reversed(pair))), [DNCNN])
    assert psnr.measured == pytest.approx(33.5)


def test_a_table_without_records_says_nothing_of_what_was_measured():
    assert comparisons(replace(scores(), records=()), [DNCNN]) == []


def test_our_own_protocol_is_that_of_no_published_table():
    assert section(scores()) is None


def test_published_numbers_never_enter_the_ranking(monkeypatch):
    plain = Board.of(scores()).leaderboard()
    monkeypatch.setattr("benchmark.reporting.published.agreement.numbers", lambda: (DNCNN,))
    board = Board.of(scores())
    pd.testing.assert_frame_equal(board.leaderboard(), plain)
    ranking, _, published = markdown(board).partition("## Published numbers")
    assert "33.90" in published
    assert "33.90" not in ranking


def test_a_page_shows_numbers_as_they_were_printed_with_training_and_source(monkeypatch):
    second = replace(DNCNN, source="kim2025idf", second_hand=True, note="")
    monkeypatch.setattr("benchmark.reporting.published.agreement.numbers", lambda: (DNCNN, second))
    lines = markdown(scores()).partition("## Published numbers")[2].splitlines()
    psnr, ssim, *_ = (
        [c.strip() for c in line.split("|")[1:-1]] for line in lines if "mine" in line
    )
    assert psnr == [
        *("cbsd68", "gaussian", "15", "mine", "PSNR (dB) ↑"),
        *("33.50", "33.90", "-0.40", "sigma 0 to 55", "zhang2018ffdnet"),
    ]
    assert any("kim2025idf, second hand" in line for line in lines)
    assert "- zhang2018ffdnet, table2.png: a note." in lines
    assert sum(line.startswith("- kim2025idf: Kim et al.") for line in lines) == 1


def test_where_nothing_agrees_a_page_has_no_such_section():
    text = markdown(scores())
    assert "ublished" not in text
    assert text.endswith("\n") and not text.endswith("\n\n")


@pytest.mark.parametrize("number", numbers(), ids=lambda n: f"{n.source} {n.dataset} {n.model}")
def test_a_number_could_be_of_one_of_our_cells(number):
    assert number.dataset in DATASETS
    assert number.noise in NOISE_MODELS
    assert number.model in {*DENOISERS, *UNREGISTERED}
    NOISE_MODELS[number.noise]().check_level(number.level)
    assert number.source in sources()
    assert number.table and number.training
    protocol_of(number.protocol)
    assert number.scores
    assert 10 < number.scores["psnr"] < 45
    assert all(0 < number.scores[name] <= 1 for name in number.scores if name != "psnr")
    if number.second_hand:
        assert number.note, "who reads a number at second hand says where"


def test_no_number_is_listed_twice():
    keys = [
        (n.source, n.table, n.dataset, n.noise, n.level, n.model, n.training) for n in numbers()
    ]
    assert len(keys) == len(set(keys))


def test_stronger_noise_never_has_a_higher_published_psnr():
    by_column: dict[tuple, list[tuple]] = {}
    for n in numbers():
        key = (n.source, n.table, n.dataset, n.noise, n.model, n.training)
        by_column.setdefault(key, []).append((n.level, -n.scores["psnr"]))
    for column in by_column.values():
        assert sorted(column) == sorted(column, key=lambda line: line[1])


def test_every_source_is_complete_and_cited():
    assert {number.source for number in numbers()} == set(sources())
    for source in sources().values():
        assert source.authors and source.title and 2000 < source.year < 2100
        assert source.doi or source.arxiv
        assert source.place.startswith("https://")


def test_the_numbers_travel_with_the_package():
    folder = files("benchmark.reporting.published")
    assert {"numbers.csv", "sources.csv"} <= {path.name for path in folder.iterdir()}


def test_a_report_of_stored_cells_alone_shows_the_printed_numbers(tmp_path):
    cells = Path(__file__).parents[2] / "results" / "published" / "dncnn" / "cells.jsonl"
    shutil.copy(cells, tmp_path)
    for _ in range(2):  # the first may load every class, to list it; the second does not
        reported = bench_process(tmp_path, "report", "out=.", "formats=[md]")
        assert reported.returncode == 0, reported.stderr
    assert "## Published numbers" in (tmp_path / "leaderboard.md").read_text()
