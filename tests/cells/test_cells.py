"""Cells and their folder: a fixed plan, whole files, resumption, and no silent reuse."""

import json
import shutil
from pathlib import Path

import pytest

from benchmark.cells import Cell, ResultStore
from benchmark.cells.cell import plan
from benchmark.cells.filling import Part, Request
from benchmark.cells.running.sharing import lacking
from benchmark.cells.scores import Scale

CELL = Cell("masked", "kodak24", "gaussian", 25.0, 0)
SETTINGS = {
    "model": {"of": "masked", "mask": True},
    "noise": {"of": "gaussian"},
    "dataset": {"of": "photos", "sha256": "abc"},
    "metrics": {"psnr": {"of": "psnr", "border": 1}},
    "protocol": {"noisy": "clipped, 8 bits"},
}
LABELS = {"higher_is_better": {"psnr": True}, "unit": "sigma", "note": ""}


@pytest.fixture
def store(tmp_path) -> ResultStore:
    return ResultStore(tmp_path)


def changed(group: str, **values: object) -> dict[str, object]:
    return {**SETTINGS, group: {**SETTINGS[group], **values}}


def rows(**scores: float) -> list[dict[str, object]]:
    return [{"image": name, **scores, "seconds": 0.5} for name in ("one", "two")]


def part_of(store: ResultStore, cell: Cell) -> Path:
    """A part without a living writer, as version 0.1 left them."""
    return store.root / "cells" / f"{cell.path}.part"


def filling(store: ResultStore, settings: dict[str, object] = SETTINGS) -> Part:
    return store.filling(CELL, settings)


def leave_half(store: ResultStore, *lines: object, tail: str = "") -> Path:
    """A half-done cell of a process that was killed."""
    path = part_of(store, CELL)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines) + tail)
    return path


def test_a_cell_has_one_path_however_its_level_is_written():
    assert CELL.path.as_posix() == "masked/kodak24/gaussian-25-0.json"
    assert Cell("m", "d", "poisson", 0.1, 3).path.as_posix() == "m/d/poisson-0.1-3.json"
    near = Cell("m", "d", "n", 0.1234567, 0), Cell("m", "d", "n", 0.1234568, 0)
    assert near[0].path != near[1].path
    assert str(CELL) == "masked on kodak24, gaussian 25, seed 0"


def test_the_plan_compares_all_models_on_a_condition_before_the_next():
    cells = plan(["a", "b"], {"photos": {"g": [15, 25], "s": [0.1]}}, [0, 1])
    assert [(c.noise, c.level, c.seed, c.model) for c in cells] == [
        (noise, level, seed, model)
        for noise, level in [("g", 15.0), ("g", 25.0), ("s", 0.1)]
        for seed in (0, 1)
        for model in ("a", "b")
    ]


def test_recorded_noise_has_the_name_of_its_dataset_and_one_seed_however_many_are_asked_for():
    cells = list(plan(iter(["a", "b"]), {"renders": {"renders": (128, 64)}}, iter([0, 1])))
    assert cells == [
        Cell(model, "renders", "renders", level, 0) for level in (128.0, 64.0) for model in "ab"
    ]
    assert all(cell.recorded for cell in cells)
    assert not CELL.recorded


def test_each_dataset_can_have_levels_of_its_own():
    cells = plan(["a"], {"one": {"g": [15]}, "two": {"g": [12, 30]}}, [0])
    assert [(cell.dataset, cell.level) for cell in cells] == [("one", 15), ("two", 12), ("two", 30)]


def test_a_written_cell_comes_back_as_it_was_and_leaves_no_part(store):
    with filling(store) as part:
        for row in rows(psnr=1 / 3):
            part.append(row)
        part.finish(part.rows, labels=LABELS, environment={"torch": "x"})
    path = store.path(CELL)
    assert CELL in store
    assert list(path.parent.iterdir()) == [path]
    stored = store.read(CELL)
    assert stored["images"] == rows(psnr=1 / 3)
    assert stored["settings"] == SETTINGS
    assert stored["environment"] == {"torch": "x"}


def test_a_failed_write_leaves_the_cell_absent_or_as_it_was(store, monkeypatch):
    def out_of_space(*paths: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", out_of_space)
        with pytest.raises(OSError, match="no space"):
            store.write(CELL, rows(psnr=30.0), SETTINGS, labels=LABELS)
    assert CELL not in store
    store.write(CELL, rows(psnr=30.0), SETTINGS, labels=LABELS)
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", out_of_space)
        with pytest.raises(OSError, match="no space"):
            store.write(CELL, rows(psnr=31.0), SETTINGS, labels=LABELS)
    assert store.read(CELL)["images"] == rows(psnr=30.0)
    assert len(store.scores().rows) == 2


def test_an_interrupted_cell_goes_on_after_its_last_whole_line(store):
    first, second = rows(psnr=30.0)
    with pytest.raises(KeyboardInterrupt), filling(store) as part:
        assert part.rows == {}
        part.append(first)
        raise KeyboardInterrupt
    assert [path.suffix for path in store.path(CELL).parent.iterdir()] == [".part"]
    torn = json.dumps(second)[:-1]  # the process died while writing
    half = leave_half(store, SETTINGS, {**second, "psnr": 31.0}, tail=torn)
    with filling(ResultStore(store.root)) as part:
        assert part.rows == {"one": first, "two": {**second, "psnr": 31.0}}
        assert not half.exists()
    assert CELL not in store


@pytest.mark.parametrize(
    "left",
    [
        "",
        '{"model": {"of',
        json.dumps(SETTINGS),
        json.dumps(rows(psnr=1.0)[0]) + "\n",
        "[]\n",
        "\0",
    ],
)
def test_a_part_without_its_first_line_is_dropped_with_a_word(store, left):
    part = leave_half(store, tail=left)
    assert not store.has(CELL, SETTINGS)
    with (
        pytest.warns(UserWarning, match=r"\.json\.part does not say what"),
        filling(store) as found,
    ):
        assert found.rows == {}
    assert not part.exists()


def test_a_stored_cell_with_other_settings_is_refused_naming_the_difference(store):
    store.write(CELL, rows(psnr=30.0), SETTINGS, labels=LABELS)
    assert store.has(CELL, SETTINGS)
    with pytest.raises(ValueError, match=r"scored with model\.mask True \(now False\); give the v"):
        store.has(CELL, changed("model", mask=False))
    with pytest.raises(ValueError, match=r"of dataset 'photos': .* 'abc' and is 'xyz' now;"):
        store.has(CELL, changed("dataset", sha256="xyz"))
    with pytest.raises(ValueError, match=r"with metrics\.psnr\.border 1 \(now 0\);"):
        store.has(CELL, changed("metrics", psnr={"of": "psnr", "border": 0}))


def test_a_half_done_cell_with_other_settings_is_refused_as_well(store):
    leave_half(store, SETTINGS, rows(psnr=30.0)[0])
    with pytest.raises(ValueError, match=r"\.json\.part was scored with model\.mask True"):
        store.has(CELL, changed("model", mask=False))


def test_a_metric_added_later_joins_the_scores_that_are_there(store):
    store.write(CELL, rows(psnr=30.0), SETTINGS, labels=LABELS)
    more = changed("metrics", lpips={"of": "lpips"})
    assert not store.has(CELL, more)
    only = {**SETTINGS, "metrics": {"lpips": {"of": "lpips"}}}
    labels = {**LABELS, "higher_is_better": {"lpips": False}}
    store.write(CELL, rows(lpips=0.2), only, labels=labels)
    assert store.has(CELL, more)
    assert store.has(CELL, SETTINGS)
    scores = store.scores()
    assert list(scores.rows["psnr"]) == [30.0, 30.0]
    assert list(scores.rows["lpips"]) == [0.2, 0.2]
    assert [scores.scales[name].higher_is_better for name in ("psnr", "lpips")] == [True, False]


def test_a_half_done_cell_without_a_new_metric_starts_anew(store):
    leave_half(store, SETTINGS, rows(psnr=30.0)[0])
    with filling(store, changed("metrics", lpips={"of": "lpips"})) as part:
        assert part.rows == {}


def test_the_table_has_a_line_an_image_sorted_by_level_and_its_labels(store):
    for level in (100.0, 25.0, 5.0):
        for model in ("masked", "identity"):
            cell = Cell(model, "kodak24", "gaussian", level, 0)
            store.write(cell, rows(psnr=level), SETTINGS, labels={**LABELS, "note": "estimated"})
    scores = store.scores()
    table = scores.rows
    assert list(table.columns) == [
        *("model", "dataset", "noise", "level", "seed", "image", "psnr", "seconds")
    ]
    assert list(table["level"].unique()) == [5.0, 25.0, 100.0]
    assert list(table["model"][:4]) == ["identity", "identity", "masked", "masked"]
    assert list(table["image"][:2]) == ["one", "two"]
    assert scores.scales == {"psnr": Scale("psnr", True, "dB", 2)}
    assert scores.units == {"gaussian": "sigma"}
    assert scores.notes == {"gaussian": "estimated"}
    assert scores.protocols == [SETTINGS["protocol"]]


def test_a_border_is_known_by_dataset_and_metric(store):
    for dataset, border in [("kodak24", 1), ("sidd", 0)]:
        cell = Cell("masked", dataset, "gaussian", 25.0, 0)
        store.write(cell, rows(psnr=30.0), SETTINGS, labels={**LABELS, "border": {"psnr": border}})
    assert store.scores().border == {"kodak24": {"psnr": 1}, "sidd": {"psnr": 0}}


def test_an_empty_folder_is_an_empty_table(store):
    assert store.scores().rows.empty


def test_half_done_cells_are_not_in_the_table(store):
    leave_half(store, SETTINGS, rows(psnr=30.0)[0])
    assert store.scores().rows.empty


def test_the_part_of_a_finished_cell_is_not_compared_and_goes(store):
    store.write(CELL, rows(psnr=30.0), SETTINGS, labels=LABELS)
    part = leave_half(store, changed("model", mask=False), rows(psnr=30.0)[0])
    assert store.has(CELL, SETTINGS)
    assert lacking(store, [Request(CELL, SETTINGS)]) == []
    assert not part.exists()


def test_folders_copied_together_are_one_result(tmp_path):
    halves = ResultStore(tmp_path / "a"), ResultStore(tmp_path / "b")
    cells = CELL, Cell("identity", "kodak24", "gaussian", 25.0, 0)
    for half, cell in zip(halves, cells, strict=True):
        half.write(cell, rows(psnr=30.0), SETTINGS, labels=LABELS)
        shutil.copytree(half.root, tmp_path / "both", dirs_exist_ok=True)
    both = ResultStore(tmp_path / "both")
    assert all(both.has(cell, SETTINGS) for cell in cells)
    assert list(both.scores().rows["model"].unique()) == ["identity", "masked"]
