"""Plans and status: what of a run is done, running, dead and left, and how long it takes."""

import json
import os
import time
from dataclasses import replace

import pytest
from filled_cells import (
    CELLS,
    DEAD,
    ELSEWHERE,
    IMAGES,
    PLAN,
    fill,
    identities,
    part_of,
    row,
    settings,
    take,
)

from benchmark.cells import Cell, ResultStore
from benchmark.cells.packed import pack
from benchmark.cells.running.plans import read_plans
from benchmark.cells.running.status import Counts, Folder
from benchmark.files.owner import new_token


@pytest.fixture
def store(tmp_path) -> ResultStore:
    store = ResultStore(tmp_path)
    fill(store, IMAGES, CELLS[0])
    return store


def lease(store: ResultStore, cell: Cell, owner: str, seconds_ago: float = 0) -> None:
    path = store.lease_path(store.path(cell))
    path.write_text(f"{owner}\n2026-01-01 00:00:00+00:00\n12 on node7\n")
    os.utime(path, (time.time() - seconds_ago,) * 2)


def test_a_plan_is_kept_once_and_forgotten_with_its_folder(store):
    PLAN.keep(store)
    PLAN.keep(store)
    assert list(read_plans(store)) == [PLAN.path(store)]
    (read,) = read_plans(store).values()
    assert list(read.cells()) == list(PLAN.cells()) == CELLS
    PLAN.forget(store)
    PLAN.forget(store)
    assert not (store.root / "plans").exists()


COUNTED = '{"command": "x", "models": [], "levels": {}, "seeds": [], "images": %s}'


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"command": "x"}', "null", COUNTED % "5", COUNTED % '{"kodak24": "four"}'],
)
def test_what_is_no_plan_is_left_out_and_named(store, text):
    PLAN.keep(store)
    (store.root / "plans/other.json").write_text(text)
    with pytest.warns(UserWarning, match=r"other\.json is no plan"):
        assert list(read_plans(store)) == [PLAN.path(store)]


@pytest.mark.parametrize("packed", [False, True])
def test_finished_cells_are_done_and_the_others_left_with_the_time_that_they_take(store, packed):
    if packed:
        pack(store)
    folder = Folder(store)
    assert (folder.done, folder.work) == (1, {})
    # 3 cells of 4 images, of 0.5 s each
    assert folder.of(PLAN) == {"masked": Counts(done=1, left=3, images=12, seconds=6.0)}


def test_the_time_of_a_model_which_has_scored_nothing_is_unknown(tmp_path):
    assert Folder(ResultStore(tmp_path)).of(PLAN) == {
        "masked": Counts(left=4, images=16, unknown=16)
    }


def test_a_cell_in_work_is_running_with_the_images_that_it_has(store):
    with take(store, IMAGES, CELLS[1]) as part:
        part.append(row("a"))
        (work,) = Folder(store).running
        assert work.place == "masked/kodak24/gaussian-25-0"
        assert work.scored == 1
        assert work.held.who.startswith(f"{os.getpid()} on ")
        assert Folder(store).of(PLAN)["masked"] == Counts(1, 1, 0, 2, images=11, seconds=5.5)
    (given_up,) = Folder(store).dead
    assert (given_up.scored, given_up.held) == (1, None)


@pytest.mark.parametrize(
    ("owner", "seconds_ago", "is_running"),
    [
        (new_token(), 0, True),
        (DEAD, 0, False),
        (ELSEWHERE, 0, True),
        (ELSEWHERE, 50, True),
        (ELSEWHERE, 70, False),
        (new_token(), 70, False),
    ],
    ids=["here", "died", "elsewhere", "elsewhere, late", "elsewhere, silent", "here, stopped"],
)
def test_a_lease_is_running_while_its_process_lives_and_says_so(
    store, owner, seconds_ago, is_running
):
    lease(store, CELLS[2], owner, seconds_ago)
    (work,) = Folder(store).work.values()
    assert work.is_running is is_running
    assert (work.held.who, work.held.since) == ("12 on node7", "2026-01-01 00:00:00+00:00")
    assert work.silent == pytest.approx(seconds_ago, abs=5)


def test_nothing_is_changed(store):
    part_of(store, DEAD).write_text(json.dumps(settings(IMAGES)) + "\n")
    lease(store, CELLS[2], DEAD)
    before = sorted(store.root.rglob("*"))
    Folder(store).of(PLAN)
    assert sorted(store.root.rglob("*")) == before


def test_a_finished_cell_of_fewer_images_than_planned_is_left(tmp_path):
    store = ResultStore(tmp_path)
    few = identities(1)
    for cell in CELLS[:2]:
        fill(store, few, cell)
    store.path(CELLS[2]).write_text("{")
    assert Folder(store).of(PLAN)["masked"] == Counts(left=4, images=14, seconds=7.0)
    pack(store)
    assert Folder(store).of(PLAN)["masked"].images == 14


def test_of_cells_to_be_scored_again_those_written_since_are_done(store):
    again = replace(PLAN, again=True)
    again.keep(store)
    assert again.path(store) != PLAN.path(store)
    os.utime(store.path(CELLS[0]), ns=(again.begun(store) - 1,) * 2)
    assert Folder(store).of(again)["masked"].done == 0
    os.utime(store.path(CELLS[0]), ns=(again.begun(store) + 1,) * 2)
    assert Folder(store).of(again)["masked"].done == 1
    assert Folder(store).of(PLAN)["masked"].done == 1


def test_a_plan_that_is_refused_stays_while_others_are_at_work(store):
    with take(ResultStore(store.root), IMAGES, CELLS[1]):
        with pytest.raises(ValueError, match="refused"), PLAN.kept(store):
            raise ValueError("refused")
        assert list(read_plans(store)) == [PLAN.path(store)]
    with pytest.raises(ValueError, match="refused"), PLAN.kept(store):
        raise ValueError("refused")
    assert not read_plans(store)
