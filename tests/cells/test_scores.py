"""The table of scores says what its numbers mean, wherever it comes from."""

import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest

from benchmark.cells import Cell, ResultStore
from benchmark.cells.scores import Scale, as_scores
from benchmark.datasets import DATASETS
from benchmark.denoiser import DENOISERS
from benchmark.metrics import METRICS, Metric
from benchmark.noise import NOISE_MODELS
from benchmark.scoring.grid import Grid

CELL = Cell("mine", "photos", "gaussian", 25.0, 0)
SETTINGS = {
    **{"model": {"of": "identity"}, "noise": {"of": "gaussian"}, "dataset": {"of": "photos"}},
    **{"metrics": {"psnr": {"of": "psnr"}}, "protocol": {"noisy": "clipped, 8 bits"}},
}
LABELS = {"higher_is_better": {"psnr": True}, "unit": "sigma", "note": ""}
ROWS = [{"image": "one", "psnr": 30.0, "seconds": 0.5}]


class Blemishes(Metric):
    name, higher_is_better, unit, digits = "blemishes", False, "per image", 0


def grid(model: object, metric: Metric) -> Grid:
    return Grid(
        models={"mine": model},
        noises={"gaussian": NOISE_MODELS["gaussian"]()},
        datasets={"photos": DATASETS["photos"]()},
        metrics={metric.name: metric},
        levels={"photos": {"gaussian": (25.0,)}},
        seeds=[0],
        settings={},
    )


def test_a_metric_is_read_as_its_class_says_and_older_cells_by_its_name(tmp_path):
    store, model = ResultStore(tmp_path), DENOISERS["identity"]()
    store.write(CELL, ROWS, SETTINGS, labels=LABELS)
    settings = {**SETTINGS, "metrics": {"blemishes": {"of": "blemishes"}}}
    labels = grid(model, Blemishes()).labels_of(CELL)
    store.write(CELL, [{"image": "one", "blemishes": 7.0, "seconds": 0.5}], settings, labels=labels)
    assert store.scores().scales == {
        "psnr": Scale("psnr", True, "dB", 2),
        "blemishes": Scale("blemishes", False, "per image", 0),
    }


def test_a_cell_says_with_whom_its_model_is_compared_and_for_older_ones_the_class_does(tmp_path):
    class Compared(DENOISERS["identity"]):
        compared_with = "tv"

    new, old = ResultStore(tmp_path / "new"), ResultStore(tmp_path / "old")
    labels = grid(Compared(), METRICS["psnr"]()).labels_of(CELL)
    new.write(CELL, ROWS, SETTINGS, labels=labels)
    old.write(CELL, ROWS, SETTINGS, labels=LABELS)
    assert new.scores().partners == {"mine": "tv"}
    assert old.scores().partners == {}
    assert old.scores({"identity": "bm3d", "other": "tv"}).partners == {"mine": "bm3d"}


def test_a_cell_says_its_noises_family_and_for_older_ones_the_class_does(tmp_path):
    new, old = ResultStore(tmp_path / "new"), ResultStore(tmp_path / "old")
    variant = replace(CELL, noise="mine")
    labels = grid(DENOISERS["identity"](), METRICS["psnr"]()).labels_of(CELL)
    new.write(CELL, ROWS, SETTINGS, labels=labels)
    for cell in (CELL, variant):
        old.write(cell, ROWS, SETTINGS, labels=LABELS)
    assert new.scores(families={"gaussian": "another"}).families == {"gaussian": "additive"}
    assert old.scores().families == {}
    known = old.scores(families={"gaussian": "additive", "photos": "recorded"}).families
    assert known == {"gaussian": "additive", "mine": "additive"}


def test_recorded_noise_of_an_older_cell_has_the_family_of_its_dataset(tmp_path):
    store, real = ResultStore(tmp_path), replace(CELL, dataset="mine", noise="mine", level=0.0)
    settings = {**SETTINGS, "noise": {"of": "recorded"}, "dataset": {"of": "polyu"}}
    store.write(real, ROWS, settings, labels=LABELS)
    assert store.scores(families={"polyu": "recorded"}).families == {"mine": "recorded"}


def test_a_cell_says_what_its_model_was_trained_on_by_the_settings_of_the_noise(tmp_path):
    store, model = ResultStore(tmp_path), DENOISERS["identity"]()
    model.trained_on = {"noise": {"of": "gaussian"}, "level": 25}
    labels = grid(model, METRICS["psnr"]()).labels_of(CELL)
    elsewhere = {**labels, "trained_on": {"noise": {"of": "gaussian", "k": 1}, "level": 25.0}}
    for level in (25.0, 50.0):
        cell = replace(CELL, level=level)
        store.write(cell, ROWS, SETTINGS, labels=labels)
        store.write(replace(cell, model="other"), ROWS, SETTINGS, labels=elsewhere)
        store.write(replace(cell, model="old"), ROWS, SETTINGS, labels=LABELS)
    assert store.scores().trained_on == {"mine": {("gaussian", 25.0)}, "other": set()}


def test_scores_know_the_protocols_of_their_cells(tmp_path):
    store = ResultStore(tmp_path)
    store.write(CELL, ROWS, SETTINGS, labels=LABELS)
    assert store.scores().protocols == [SETTINGS["protocol"]]
    other = {**SETTINGS, "protocol": {"noisy": "as it is"}}
    store.write(Cell("mine", "photos", "gaussian", 50.0, 0), ROWS, other, labels=LABELS)
    assert store.scores().protocols == [SETTINGS["protocol"], other["protocol"]]
    one = store.scores(wanted=lambda record: record["settings"]["protocol"] == other["protocol"])
    assert one.protocols == [other["protocol"]]
    assert set(one.rows["level"]) == {50.0}


def test_a_bare_table_and_its_csv_are_scores_without_labels(tmp_path):
    line = {**vars(CELL), "model": "nan", "image": "01", "psnr": 30.0, "mine": None, "seconds": 1.0}
    table = pd.DataFrame([line])
    table.to_csv(tmp_path / "scores.csv", index=False)
    for given in (table, tmp_path / "scores.csv", str(tmp_path / "scores.csv")):
        scores = as_scores(given)
        assert scores.rows.loc[0, ["model", "image", "level"]].tolist() == ["nan", "01", 25.0]
        assert pd.isna(scores.rows.loc[0, "mine"])
        assert scores.scales["psnr"].heading == "PSNR (dB) ↑"
        with pytest.raises(ValueError, match="nothing says whether a higher mine is better"):
            assert scores.scales["mine"].is_higher_better
    assert as_scores(table, {"mine": False}).scales["mine"].heading == "MINE ↓"


def test_a_loaded_cell_store_loads_no_pandas():
    code = (
        "import sys, benchmark.cells; sys.exit(str({'pandas', 'torch'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""


def test_a_dataset_says_which_part_of_it_was_taken(tmp_path):
    store = ResultStore(tmp_path)
    store.write(
        CELL,
        ROWS,
        {**SETTINGS, "dataset": {"of": "photos", "crop": 128, "limit": None}},
        labels=LABELS,
    )
    assert store.scores().dataset_label("photos") == "photos (crop=128)"
    assert store.scores().dataset_label("another") == "another"


def test_of_several_parts_the_label_says_the_crops_of_the_cells_which_are_meant(tmp_path):
    store = ResultStore(tmp_path)
    for level, crop, limit in ((25.0, 64, 1), (50.0, 32, 3), (75.0, None, 3)):
        dataset = {"of": "photos", "crop": crop, "limit": limit}
        cell = replace(CELL, dataset="photos", level=level)
        store.write(cell, ROWS, {**SETTINGS, "dataset": dataset}, labels=LABELS)
    found = store.scores()
    assert found.dataset_label("photos") == "photos (crop=32 or 64 or none)"
    for level, label in ((25.0, "crop=64, limit=1"), (50.0, "crop=32, limit=3"), (75.0, "limit=3")):
        rows = found.rows[found.rows["level"] == level]
        assert found.dataset_label("photos", rows) == f"photos ({label})"
