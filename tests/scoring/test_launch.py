"""Workers that share a grid are started until all of it is there, and no longer."""

import threading
from pathlib import Path

import pytest
from filled_cells import fill, identities, row, take

from benchmark.cells import Cell, ResultStore
from benchmark.scoring.grid import Grid, in_order_of
from benchmark.scoring.launch import fill_by_workers

IMAGES = identities(2)
CELLS = [Cell("masked", "kodak24", "gaussian", float(level), 0) for level in range(1, 5)]


@pytest.fixture
def store(tmp_path) -> ResultStore:
    return ResultStore(tmp_path / "o")


def lacking(store: ResultStore) -> list[Cell]:
    return [cell for cell in CELLS if cell not in store]


def test_workers_that_died_are_started_again_until_every_cell_is_there(store):
    logs = []

    def start(folder: Path) -> None:
        logs.append(folder)
        assert folder.is_dir() and folder.parent == store.root
        fill(ResultStore(store.root), IMAGES, lacking(store)[0])
        raise RuntimeError("killed")

    fill_by_workers(store, start, lambda: lacking(store))
    assert lacking(store) == []
    assert len(logs) == len(CELLS)
    assert [path.name for path in store.root.iterdir()] == ["cells"]


def test_an_image_is_enough_to_go_on(store):
    def start(folder: Path) -> None:
        cell = lacking(store)[0]
        with take(ResultStore(store.root), IMAGES, cell) as part:
            part.append(row(part.lacking(IMAGES)[0]))
            if len(part.rows) == len(IMAGES):
                part.finish(list(IMAGES), labels={"higher_is_better": {"psnr": True}})
        raise RuntimeError("killed")

    fill_by_workers(store, start, lambda: lacking(store))
    assert lacking(store) == []


def test_workers_which_score_nothing_are_not_started_for_ever_and_their_logs_stay(store):
    started = []

    def start(folder: Path) -> None:
        started.append(folder)
        (folder / "log").write_text("no space")
        raise RuntimeError("killed")

    with pytest.raises(ChildProcessError, match=r"nothing \(killed\); 4 cells are left.*workers-"):
        fill_by_workers(store, start, lambda: lacking(store))
    assert len(started) == 1
    assert (started[0] / "log").is_file()


def test_a_mistake_ends_all(store):
    def start(folder: Path) -> None:
        fill(ResultStore(store.root), IMAGES, CELLS[0])
        raise ValueError("image 'a' is no image")

    with pytest.raises(ValueError, match="no image"):
        fill_by_workers(store, start, lambda: lacking(store))
    assert not list(store.root.glob("workers-*"))  # which they had logged nothing into


def test_no_worker_is_started_where_nothing_is_missing(store):
    fill_by_workers(store, lambda folder: pytest.fail("started"), list)


def test_before_new_ones_are_started_the_old_ones_may_finish(store):
    started, held = [], []

    def finish() -> None:
        with held[0] as part:
            for image in part.lacking(IMAGES):
                part.append(row(image))
            part.finish(list(IMAGES), labels={"higher_is_better": {"psnr": True}})

    def start(folder: Path) -> None:
        started.append(folder)
        for cell in CELLS[1:]:
            fill(ResultStore(store.root), IMAGES, cell)
        held.append(take(ResultStore(store.root), IMAGES, CELLS[0]))
        threading.Timer(0.3, finish).start()  # one lives on when another was killed
        raise RuntimeError("killed")

    fill_by_workers(store, start, lambda: lacking(store))
    assert len(started) == 1


def test_each_worker_begins_at_its_share_and_goes_on_with_the_others():
    levels = {"kodak24": {"gaussian": (1.0, 2.0, 3.0, 4.0)}}
    grid = Grid({"masked": None}, {}, {}, {}, levels, [0], {})
    assert grid.cells == CELLS
    assert in_order_of(grid, CELLS, "1/2") == CELLS
    assert in_order_of(grid, CELLS, "2/2") == [*CELLS[2:], *CELLS[:2]]
    assert in_order_of(grid, CELLS[:3], "2/4") == [*CELLS[1:3], CELLS[0]]
