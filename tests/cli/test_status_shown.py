"""``bench status``: the table of a folder in which runs are at work."""

import pytest
from filled_cells import CELLS, IMAGES, PLAN, fill, identities, row, take

from benchmark.cells import ResultStore


def test_a_folder_says_what_is_done_running_dead_and_left_and_who_works(bench, tmp_path):
    store = ResultStore(tmp_path / "o")
    fill(store, IMAGES, CELLS[0])
    PLAN.keep(store)
    with take(store, IMAGES, CELLS[1]) as part:
        part.append(row("a"))
        status, out, err = bench("status", "out=o")
    assert (status, err) == (0, "")
    assert "o: 1 cell done, 1 running, 0 dead\n" in out
    assert f"{PLAN.command}   (o/plans/" in out
    (line,) = [line.split() for line in out.splitlines() if line.split()[:1] == ["masked"]]
    assert line == ["masked", "1", "1", "0", "2", "11", "6", "s"]  # 11 images of 0.5 s
    (line,) = [line for line in out.splitlines() if "gaussian-25-0" in line]
    assert "running" in line and " on " in line and ":" in line  # a time of today
    assert "+00:00" not in out


def test_a_folder_where_all_is_done_says_so(bench, tmp_path):
    fill(ResultStore(tmp_path / "o"), identities(1), CELLS[0])
    assert bench("status", "out=o") == (
        0,
        "o: 1 cell done, 0 running, 0 dead; no plan is open\n",
        "",
    )


@pytest.mark.parametrize("make", [False, True])
def test_a_folder_without_cells_is_a_mistake(bench, tmp_path, make):
    if make:
        (tmp_path / "o").mkdir()
    status, out, err = bench("status", "out=o")
    assert (status, out) == (2, "")
    assert "no cells and no plan of a run in o" in err
