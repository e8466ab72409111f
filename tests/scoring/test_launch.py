"""Workers that share a grid are started until all of it is there, and no longer."""

import os
import threading
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from doubles import Constant, Offset
from filled_cells import fill, identities, row, take

from baselines.dncnn import DnCNN
from baselines.identity import Identity
from benchmark.cells import Cell, ResultStore
from benchmark.datasets import DATASETS
from benchmark.denoiser.inference import Inference
from benchmark.metrics import METRICS
from benchmark.scoring import grid as scoring
from benchmark.scoring import launch
from benchmark.scoring.grid import Grid, in_order_of
from benchmark.scoring.launch import fill_by_workers, processes

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


def grid_of(levels: int, **more: Inference) -> Grid:
    """With a network, and a model which has next to nothing to do."""
    models = {"dncnn": DnCNN(depth=3, width=4), "identity": Identity()}
    there = {"photos": {"offset": tuple(range(1, levels + 1))}}
    return Grid(models, {"offset": Offset()}, {}, {}, there, [0], {}, inference=more)


@pytest.mark.parametrize(
    ("levels", "cores", "expected"), [(8, 4, 4), (8, 1, 1), (7, 4, 3), (3, 4, 1), (40, 16, 16)]
)
def test_there_is_a_process_a_core_as_far_as_there_is_work(levels, cores, expected, monkeypatch):
    monkeypatch.setattr(launch, "free_memory", lambda device: 2**40)
    assert processes(grid_of(levels), {"photos": 64**2}, cores) == expected


def test_every_process_has_the_memory_to_restore_the_largest_image_whole(monkeypatch):
    grid, pixels = grid_of(40), {"photos": 2**20}
    need = launch.bytes_per_pixel(grid.models["dncnn"], launch.CPU, "fp32", 3) * 2**20
    for free, expected in [(0, 1), (4, 2), (5, 3), (5.9, 3), (100, 16)]:
        free *= need + launch.BASE
        monkeypatch.setattr(launch, "free_memory", lambda device, free=free: free + 1)
        assert processes(grid, pixels, 16) == expected


def test_what_is_scored_already_needs_no_memory(monkeypatch):
    monkeypatch.setattr(launch, "free_memory", lambda device: 2**40)
    grid = grid_of(8)
    both = replace(grid, levels={**grid.levels, "done": {"offset": (1.0,)}})
    assert processes(both, {"photos": 64**2}, 4) == 4


def test_the_next_run_of_a_sweep_finds_all_threads_again(monkeypatch):
    asked, seen = [], []
    monkeypatch.setattr(launch, "helpers", lambda words, *_: nullcontext(asked.append(words)))
    monkeypatch.setattr(launch, "use_threads", lambda number: seen.append(number))
    monkeypatch.setattr(launch.torch, "get_num_threads", lambda: seen[-1] if seen else 8)
    monkeypatch.setattr(launch, "container_cores", lambda: None)
    with launch.helped(grid_of(8), ["run"], 4, None, {"photos": 64**2}, 8):
        assert seen == [2]
    assert seen == [2, 8] and asked == [["run", "threads=2"]]


@pytest.mark.parametrize(("lacking", "helping"), [(1, None), (2, 1), (8, 3)])
def test_few_cells_that_are_left_have_few_processes_of_as_many_threads(
    monkeypatch, lacking, helping
):
    asked, threads = [], []
    monkeypatch.setattr(launch, "helpers", lambda *given: nullcontext(asked.append(given[:2])))
    monkeypatch.setattr(launch, "use_threads", threads.append)
    monkeypatch.setattr(launch.torch, "get_num_threads", lambda: threads[-1] if threads else 8)
    monkeypatch.setattr(launch, "container_cores", lambda: None)
    with launch.helped(grid_of(8), ["run"], 4, None, {"photos": 64**2}, lacking):
        assert threads == [2]
    assert asked == ([] if helping is None else [(["run", "threads=2"], helping)])


def test_a_network_which_fails_does_so_at_its_image_and_not_before():
    grid = grid_of(40)
    grid.models["dncnn"].forward = lambda noisy: 1 / 0
    assert processes(grid, {"photos": 64**2}, 4) == 1


def test_a_compiled_network_is_left_its_threads(monkeypatch):
    monkeypatch.setattr(launch, "free_memory", lambda device: 2**40)
    grid = grid_of(40, dncnn=Inference(runtime="openvino"))
    assert processes(grid, {"photos": 64**2}, 4) == 1


def test_what_others_finish_counts_on_the_bar_once(tmp_path, monkeypatch):
    shown = Bar()
    monkeypatch.setattr(scoring, "progress", lambda *_: shown)
    monkeypatch.setattr(scoring, "LOOK", -1.0)
    grid = Grid(
        models={"constant": Constant(0.5)},
        noises={"offset": Offset()},
        datasets={"photos": DATASETS["photos"](limit=2, crop=16)},
        metrics={"psnr": METRICS["psnr"]()},
        levels={"photos": {"offset": (0.1, 0.2, 0.3, 0.4)}},
        seeds=[0],
        settings={
            "model": {"constant": {"of": "constant"}},
            "noise": {"offset": {"of": "offset"}},
            "data": {"photos": {"of": "photos", "sha256": {0.0: "same"}}},
            "metric": {"psnr": {"of": "psnr"}},
        },
    )
    store, counts = ResultStore(tmp_path / "o"), []

    @contextmanager
    def helped(pixels, cells):
        assert (pixels, cells) == ({"photos": 256}, 4)
        with monkeypatch.context() as patch:
            patch.setattr(scoring, "progress", lambda *_: Bar())
            scoring.fill(grid, ResultStore(store.root), grid.cells[2:], "cpu")
        yield

    advance = shown.advance
    shown.advance = lambda *call: (advance(*call), counts.append(shown.done))
    scoring.fill(grid, store, grid.cells, "cpu", helped=helped)
    assert shown.total == shown.done == 8
    assert counts[:3] == [1, 3, 5]  # an image, and the two cells of others at once


def test_a_cell_which_lacks_a_metric_is_left_until_it_is_written_again(tmp_path):
    store, cells = ResultStore(tmp_path), grid_of(2).cells
    for cell in cells:
        store.path(cell).parent.mkdir(parents=True, exist_ok=True)
        store.path(cell).write_text("{}")
    there = {cell: scoring.written(store, cell) for cell in cells}
    left = dict.fromkeys(cells)
    assert scoring._taken_finished(store, left, there) == []
    os.utime(store.path(cells[1]), (1e9, 1e9))
    assert scoring._taken_finished(store, left, there) == cells[1:2]
    assert list(left) == [cells[0], *cells[2:]]


class Bar:
    """What a bar is told."""

    total = done = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def add_task(self, _, total, **fields):
        self.total = total

    def update(self, task, **fields):
        pass

    def advance(self, task, steps=1):
        self.done += steps
