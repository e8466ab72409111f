"""``bench diff``: two results folders, what is written of them, and how the command ends."""

import json
import shutil
from pathlib import Path

import pytest

from benchmark.cells import Cell, ResultStore
from benchmark.cells.packed import pack
from benchmark.protocol import PROTOCOLS

BETTER = {"psnr": True}
MASKED = PROTOCOLS["masked"].facts


def store(
    root: Path, psnr: dict[str, list[float | None]], border: int = 1, protocol: dict = MASKED
) -> Path:
    """A folder with a cell of each model: a score of each image."""
    folder = ResultStore(root)
    for model, scores in psnr.items():
        rows = [
            {"image": f"{place}", "psnr": score, "seconds": 0.1}
            for place, score in enumerate(scores)
        ]
        settings = {
            "model": {"of": "tv"},
            "noise": {"of": "gaussian"},
            "dataset": {"of": "photos", "images": len(scores), "sha256": "x"},
            "metrics": {"psnr": {"of": "psnr", "border": border}},
            "protocol": protocol,
        }
        cell = Cell(model, "photos", "gaussian", 25.0, 0)
        folder.write(cell, rows, settings, labels={"higher_is_better": BETTER})
    return root


@pytest.fixture
def two(tmp_path) -> tuple[str, str]:
    """Two folders: ``a`` fell behind ``b``, ``old`` is gone, ``new`` came; the second is packed."""
    before = store(tmp_path / "before", {"a": [30, 31], "b": [29, 29.5], "old": [20, 20]})
    after = store(tmp_path / "after", {"a": [28, 28.5], "b": [29, 29.5], "new": [10, 10]})
    pack(ResultStore(after), lambda _: None)
    return str(before), str(after)


def test_what_moved_the_places_and_the_cells_of_one_side_are_shown(bench, two):
    status, out, err = bench("diff", *two)
    assert (status, err) == (0, "")
    assert "psnr of 2 cells: 1 equal to the bit, 1 moved (0 better, 1 worse)" in out
    assert "-2.250" in out
    assert "old on photos: gaussian 25" in out
    assert "new on photos: gaussian 25" in out
    assert "Places on the leaderboard which changed" in out


def test_nothing_is_written_unless_a_folder_is_named(bench, two, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    bench("diff", *two)
    assert sorted(tmp_path.rglob("*")) == before
    status, out, err = bench("diff", *two, "to=d")
    assert (status, err) == (0, "")
    assert sorted(path.name for path in (tmp_path / "d").iterdir()) == ["diff.csv", "diff.md"]
    assert "written to d: diff.md, diff.csv" in out
    (tmp_path / "d/diff.md").write_text("my own")
    status, _, err = bench("diff", *two, "to=d")
    assert (status, (tmp_path / "d/diff.md").read_text()) == (2, "my own")


def test_the_exit_status_is_1_only_where_it_was_asked_for_and_they_differ(bench, two, tmp_path):
    assert bench("diff", *two, "fail=true")[0] == 1
    shutil.copytree(two[0], tmp_path / "copy")
    assert bench("diff", two[0], "copy", "fail=true")[0] == 0


def test_a_lost_score_is_shown_and_fails(bench, tmp_path):
    store(tmp_path / "before", {"a": [30, 31]})
    store(tmp_path / "after", {"a": [30, None]})
    status, out, _ = bench("diff", "before", "after", "fail=true")
    assert status == 1
    assert "psnr of 1 image in 1 cell: a on photos, gaussian 25, seed 0" in out
    assert "equal" not in out


def test_a_folder_of_two_protocols_is_compared_but_for_its_places(bench, tmp_path):
    store(tmp_path / "before", {"a": [30, 31]})
    store(tmp_path / "after", {"a": [29, 30]})
    store(tmp_path / "after", {"b": [20, 20]}, protocol=PROTOCOLS["float"].facts)
    status, out, err = bench("diff", "before", "after")
    assert (status, err) == (0, "")
    assert "-1.000" in out
    assert "b on photos: gaussian 25" in out
    assert "left out: these scores are by protocols float and masked" in out


def test_cells_with_another_border_are_told_apart(bench, tmp_path):
    store(tmp_path / "one", {"a": [30, 31]})
    store(tmp_path / "four", {"a": [20, 21]}, border=4)
    _, out, _ = bench("diff", "one", "four")
    assert "metrics.psnr.border 1 (now 4): 1 cell" in out
    assert "1 cell of other settings or pixels, not compared" in out
    assert "-10" not in out.partition("Other settings")[2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "compares two folders, not none: bench diff BEFORE AFTER"),
        (["before"], "compares two folders, not before"),
        (["before", "nowhere"], "no finished cells in nowhere"),
        (["before", "before"], "twice"),
    ],
)
def test_a_mistake_is_one_sentence(bench, two, words, said):
    status, _, err = bench("diff", *words)
    assert status == 2
    assert said in err
    assert err.count("\n") == 1


def test_a_folder_with_a_comma_in_its_name_is_one_folder(bench, two, tmp_path):
    Path(two[1]).rename(tmp_path / "a, b")
    status, out, _ = bench("diff", "before", "a, b")
    assert status == 0
    assert json.dumps(out)
