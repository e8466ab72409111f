"""``bench repro``: a stored cell is had again to the bit, and what is not the same is named."""

import json
from copy import deepcopy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from benchmark.cells import Cell, ResultStore
from benchmark.cells.packed import pack
from benchmark.cli.commands.repro import ReproOptions
from benchmark.cli.objects.again import Files, grid_of, repeated
from benchmark.cli.objects.grid import compose_grid
from benchmark.cli.objects.grid_options import GridOptions
from benchmark.cli.objects.specs import spec_of
from benchmark.cli.objects.stored import Choice, stored_cells
from benchmark.denoiser import DENOISERS
from benchmark.denoiser.runtime import openvino
from benchmark.denoiser.weights.load import save_weights
from benchmark.scoring.grid import fill, missing

SMALL = {"limit": 1, "crop": 64}


def score(out: Path, model: dict, noise: dict, data: dict, **more: object) -> ResultStore:
    """A folder with the cells of a run; each group is a mapping from name to settings."""
    groups = {"model": model, "noise": noise, "data": data, "metric": {"psnr": {}, "ssim": {}}}
    specs = {
        group: {name: spec_of(group, name, given) for name, given in names.items()}
        for group, names in groups.items()
    }
    store = ResultStore(out)
    grid = compose_grid(GridOptions(**specs, reference=(), device="cpu", **more))
    fill(grid, store, missing(grid, store), "cpu")
    return store


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """A tiny stochastic network whose numbers are drawn: no file that ships has its SHA-256."""
    torch.manual_seed(1)
    arguments = {"embed_dim": 12, "depths": (2,), "num_heads": 2, "window_size": 8}
    path = tmp_path_factory.mktemp("weights") / "mine.safetensors"
    save_weights(path, DENOISERS["masked"](**arguments), arguments, {})
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory, weights) -> ResultStore:
    """Cells of a filter and of that network on one photograph."""
    models = {"tv": {"strength": 0.7}, "mine": {"of": "masked", "weights": str(weights)}}
    noises = {"gaussian": {"levels": [15, 25]}, "poisson": {"levels": [2], "adaptive": True}}
    return score(tmp_path_factory.mktemp("stored"), models, noises, {"photos": SMALL})


@pytest.fixture
def filtered(store) -> tuple[Cell, dict]:
    """A cell of the filter and its record, to be changed."""
    cell = Cell("tv", "photos", "gaussian", 25.0, 0)
    return cell, deepcopy(store.read(cell))


def again(cell: Cell, record: dict, files: tuple[str, ...] = (), **options: object):
    return repeated(cell, record, Files(files), ReproOptions(**options))


@pytest.mark.slow
def test_a_folder_is_had_again_to_the_bit_and_left_as_it_was(bench, store, weights):
    before = contents(store.root)
    status, out, err = bench("repro", str(store.root), f"weights={weights.parent}")
    assert (status, err) == (0, "")
    assert out.count("\nequal to the bit\n") == 6
    assert "mine on photos, gaussian 25, seed 0" in out
    assert "astronaut" in out
    assert out.endswith("6 cells made again: 6 equal to the bit\n")
    assert contents(store.root) == before


def test_a_changed_score_is_found_and_ends_with_status_1(bench, store, tmp_path):
    path = store.path(Cell("tv", "photos", "gaussian", 25.0, 0))
    changed = tmp_path / "o/cells/tv/photos/gaussian-25-0.json"
    changed.parent.mkdir(parents=True)
    record = json.loads(path.read_text())
    record["images"][0]["psnr"] += 0.5
    changed.write_text(json.dumps(record))
    status, out, err = bench("repro", "tv/photos/gaussian-25-0", "out=o")
    assert (status, err) == (1, "")
    assert "differs: psnr by up to 0.5 dB, where 0.001 dB" in out
    assert "same noisy pixels, other restoration" in out
    assert "1 cell made again: 1 not the same" in out


def test_cells_of_a_packed_folder_are_found(store, tmp_path):
    folder = score(
        tmp_path / "packed", {"tv": {}}, {"gaussian": {"levels": [25]}}, {"photos": SMALL}
    )
    pack(folder, lambda _: None)
    assert not (folder.root / "cells").exists()
    ((cell, record),) = stored_cells(["tv/photos/gaussian-25-0"], str(folder.root), Choice())
    assert again(cell, record).is_equal


@pytest.mark.parametrize("given", [(), ("tv.safetensors",)], ids=["none", "another"])
def test_missing_weights_are_asked_for_by_their_hash(store, weights, tmp_path, given):
    (cell,) = [c for c, _ in store.records() if c.model == "mine" and c.level == 15]
    record = store.read(cell)
    for name in given:
        (tmp_path / name).write_bytes(b"something else")
    said = again(cell, record, tuple(str(tmp_path / name) for name in given))
    assert isinstance(said, str)
    assert record["settings"]["model"]["weights"].removeprefix("sha256:") in said
    assert ("none was given" in said) == (not given)
    assert "masked_tiny.safetensors" in said
    assert again(cell, record, (str(weights),)).is_equal


def test_a_changed_image_and_one_that_is_gone_are_named_before_any_model_runs(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for name in ("a", "b", "c"):
        pixels = np.random.default_rng(ord(name)).integers(0, 256, (32, 32, 3), np.uint8)
        cv2.imwrite(str(images / f"{name}.png"), pixels)
    data = {"folder": {"path": str(images)}}
    folder = score(tmp_path / "o", {"identity": {}}, {"gaussian": {"levels": [25]}}, data)
    ((cell, record),) = folder.records()
    said = again(cell, record)  # where the images lie is no part of a cell
    assert "name it: images=FOLDER" in said and "data." not in said
    assert "there is none at gone; name it" in again(cell, record, images="gone")
    assert again(cell, record, images=str(images)).is_equal
    cv2.imwrite(str(images / "b.png"), np.zeros((32, 32, 3), np.uint8))
    found = again(cell, record, images=str(images))
    assert list(found.lines["image"].unique()) == ["a", "c"]
    assert not found.is_within
    assert "image b is another file than it was" in found.sentence
    (images / "b.png").unlink()
    assert "image b is not there" in again(cell, record, images=str(images)).sentence


def test_threads_are_those_of_the_cell_unless_others_are_asked_for(filtered):
    cell, record = filtered
    before = torch.get_num_threads()
    try:
        record["environment"]["threads"] = 2
        assert again(cell, record).made == []
        assert torch.get_num_threads() == 2
        found = again(cell, record, threads=1)
        assert found.made == ["threads 2, now 1"]
        assert found.is_within
    finally:
        torch.set_num_threads(before)


def test_equal_scores_of_other_code_and_versions_are_equal_and_the_code_is_named(filtered):
    cell, record = filtered
    record["code"]["model"]["source"] = "0" * 16
    record["environment"]["torch"] = "1.13.1"
    found = again(cell, record)
    assert found.is_equal
    assert "not made alike: source of model tv" in found.sentence
    assert "torch 1.13.1, now" in found.sentence


def test_what_differs_by_rounding_is_within_the_tolerance_and_more_than_that_is_not(filtered):
    cell, record = filtered
    record["environment"]["torch"] = "1.13.1"
    score = record["images"][0]["psnr"]
    record["images"][0]["psnr"] = score + 1e-5
    close = again(cell, record)
    assert close.is_within and not close.is_equal
    assert close.sentence.startswith("within 0.001 dB")
    record["images"][0]["psnr"] = score + 5e-3
    assert not again(cell, record).is_within
    record["environment"]["device"] = "NVIDIA H200"  # other arithmetic than a CPU's
    assert again(cell, record).is_within


def test_other_noisy_pixels_are_told_from_another_restoration(filtered):
    cell, record = filtered
    record["images"][0]["psnr"] += 1
    record["images"][0]["noisy"] = "0" * 16
    assert (
        "other pixels, so the noise or the image differs: noisy of astr"
        in again(cell, record).sentence
    )


def test_only_the_metrics_that_are_asked_for_are_compared(filtered):
    cell, record = filtered
    record["images"][0]["psnr"] += 1
    assert again(cell, record, metric=("ssim",)).is_equal
    with pytest.raises(ValueError, match="has no lpips; its metrics are psnr, ssim"):
        again(cell, record, metric=("lpips",))


def test_a_cell_without_a_score_of_what_is_asked_for_is_not_called_equal(filtered):
    cell, record = filtered
    record["images"][0]["psnr"] = None
    assert "no score of psnr" in again(cell, record, metric=("psnr",))


def test_a_cell_that_lacks_the_score_of_one_image_is_not_called_equal(filtered):
    cell, record = filtered
    lacking = {**record["images"][0], "psnr": None}
    found = again(cell, {**record, "images": [lacking, *record["images"][1:]]})
    assert not found.is_equal and not found.is_within
    assert f"the cell has no psnr of {lacking['image']}" in found.sentence


@pytest.mark.parametrize(
    ("group", "changes", "said"),
    [
        ("model", {"of": "gone"}, "unknown denoiser 'gone'"),
        ("noise", {"gone": 1}, "unknown setting 'gone'"),
        ("protocol", {"noisy": "upside down"}, "upside down"),
    ],
)
def test_what_is_not_known_here_is_a_sentence(filtered, group, changes, said):
    cell, record = filtered
    record["settings"][group] |= changes
    assert said in again(cell, record)


@pytest.mark.sampled(every=6)
@pytest.mark.parametrize(
    ("noise", "data", "more"),
    [
        ({"mix": {"of": "formula", "formula": "gaussian(15)>>jpeg(50)"}}, {"photos": SMALL}, {}),
        ({"gaussian": {"levels": [25]}}, {"photos": SMALL}, {"precision": "bf16"}),
        ({"gaussian": {"levels": [25]}}, {"photos": {"limit": 1, "crop": 96}}, {"tile": "64"}),
        ({"gaussian": {"levels": [25]}}, {"photos": SMALL}, {"seeds": (3,)}),
        ({"mc_render": {"limit": 1, "levels": [64]}}, {"photos": SMALL}, {}),
        ({"gaussian": {"levels": [25]}}, {"photos": SMALL}, {"runtime": "openvino"}),
    ],
    ids=["formula", "bf16", "tiles", "seed", "recorded", "openvino"],
)
def test_every_kind_of_cell_is_had_again(tmp_path, weights, noise, data, more, monkeypatch):
    monkeypatch.setattr(openvino, "folder", lambda: tmp_path / "graphs")
    models = {"mine": {"of": "masked", "weights": str(weights)}}
    folder = score(tmp_path / "o", models, noise, data, **more)
    ((cell, record),) = folder.records()
    found = again(cell, record, (str(weights),))
    assert found.made == []
    assert found.is_equal
    assert grid_of(cell, record, (), Files([str(weights)]), None, "cpu").cells == [cell]


@pytest.mark.slow
def test_images_which_memory_put_into_tiles_are_restored_in_the_same(tmp_path, weights):
    models = {"mine": {"of": "masked", "weights": str(weights)}}
    data = {"photos": {"limit": 1, "crop": 96}}
    noise = {"gaussian": {"levels": [25]}}
    tiled = score(tmp_path / "tiled", models, noise, data, tile="64")
    ((cell, record),) = tiled.records()
    del record["settings"]["model"]["tile"]  # as of a run with tile=auto which lacked memory
    assert record["environment"]["tile"] == {"astronaut": 64}
    assert again(cell, record, (str(weights),)).is_equal


def names(chosen: list) -> list[str]:
    return [cell.path.with_suffix("").as_posix() for cell, _ in chosen]


def test_cells_are_named_with_their_folder_or_without_by_file_and_by_pattern(store):
    out, name = str(store.root), "tv/photos/gaussian-25-0"
    for word in (name, f"{out}/{name}", f"{out}/cells/{name}.json"):
        assert names(stored_cells([word], out, Choice())) == [name]
    assert len(stored_cells(["*/photos/gaussian-*"], out, Choice())) == 4
    assert len(stored_cells([name, out], out, Choice())) == 6
    assert names(stored_cells([], out, Choice(model=["mine"], level=[15.0]))) == [
        "mine/photos/gaussian-15-0"
    ]


def test_a_sample_is_spread_over_all_cells(store):
    every = names(stored_cells([], str(store.root), Choice()))
    assert names(stored_cells([], str(store.root), Choice(), 2)) == [every[0], every[-1]]
    assert names(stored_cells([], str(store.root), Choice(), 1)) == every[:1]
    assert names(stored_cells([], str(store.root), Choice(), 99)) == every


@pytest.mark.sampled(every=6)
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tv/photos/gausian-25-0"], "did you mean 'tv/photos/gaussian-25-0'?"),
        (["model=[masked]"], "none of the cells is of model=masked"),
        (["noise=[poisson,gausian]"], "of noise=gausian; did you mean 'gaussian'?"),
        (["level=[26]"], "none of the cells is of model=all noise=all data=all level=26"),
        ([""], "cell= names nothing"),
        (["a", "cell=b"], "cell= is given 2 times; write 'cell=[a,b]'"),
        (["sample=0"], "sample must be 1 or more"),
        (["weights=nowhere"], "weights=nowhere: there is no such file"),
        (["out=nowhere"], "no finished cells in nowhere"),
        (["out=not/here/at/all"], "no finished cells in not/here/at/all"),
        (["device=cuda:7"], "device=cuda:7 is not here"),
    ],
)
def test_a_mistake_is_one_sentence(bench, store, words, said):
    own = [] if any(word.startswith("out=") for word in words) else [f"out={store.root}"]
    status, out, err = bench("repro", *words, *own)
    assert status == 2
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.slow
def test_several_first_words_are_several_cells(bench, store):
    first, second = "tv/photos/gaussian-25-0", "tv/photos/gaussian-15-0"
    status, out, _ = bench("repro", first, second, f"out={store.root}")
    assert (status, out.count("\nequal to the bit\n")) == (0, 2)
