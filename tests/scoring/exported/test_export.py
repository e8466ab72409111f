"""Exported images: what a model of a run is given, to the bit, and a manifest that says so."""

import hashlib
import json
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from doubles import Darkened, Offset, Recorder

from benchmark.cells import Cell
from benchmark.cells.provenance import pixels_hash
from benchmark.datasets import DATASETS
from benchmark.datasets.arrays import Arrays
from benchmark.noise import NOISE_MODELS, NoiseModel
from benchmark.pixels import png_bytes
from benchmark.protocol import MASKED, PROTOCOLS, Protocol, protocol_of
from benchmark.scoring.evaluate import evaluate, noisy_pair
from benchmark.scoring.exported import export as module
from benchmark.scoring.exported.export import export
from benchmark.scoring.exported.images import encoded, in_unit, read_restored
from benchmark.scoring.exported.manifest import NAME, Manifest, read_manifest
from benchmark.scoring.grid import Grid


def grid(
    protocol: Protocol = MASKED, levels: tuple[float, ...] = (25.0,), limit: int = 1, **noises
) -> Grid:
    """Small photographs under some noises, or under Gaussian noise."""
    found: dict[str, NoiseModel] = noises or {"gaussian": NOISE_MODELS["gaussian"]()}
    dataset = DATASETS["photos"](limit=limit, crop=32)
    levels_of = {"photos": dict.fromkeys(found, levels)}
    return Grid({}, found, {"photos": dataset}, {}, levels_of, [0], {}, protocol=protocol)


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("protocol", ["masked", "float", "kair", "clipdenoising"])
def test_an_image_is_what_a_model_of_a_run_is_given_to_the_bit(tmp_path, protocol):
    asked, model = grid(PROTOCOLS[protocol]), Recorder()
    export(asked, tmp_path)
    cell = Cell("recorder", "photos", "gaussian", 25.0, 0)
    dataset, noise = asked.datasets["photos"], asked.noises["gaussian"]
    more = {"images": dataset.images(), "protocol": PROTOCOLS[protocol]}
    (row,) = (done.row for done in evaluate(cell, model, dataset, noise, {}, **more))
    (entry,) = read_manifest(tmp_path / NAME).entries.values()
    pixels = in_unit(read_restored(tmp_path / entry.file))
    assert torch.equal(torch.from_numpy(pixels).permute(2, 0, 1).unsqueeze(0), model.seen[0])
    assert entry.pixels == row["noisy"]


def test_images_of_16_bits_are_exported_by_a_protocol_of_16(tmp_path):
    deep = np.random.default_rng(0).integers(0, 65536, (16, 16, 3), np.uint16)
    data = {"deep": Arrays([deep])}
    levels = {"deep": {"gaussian": (25.0,)}}
    noises = {"gaussian": NOISE_MODELS["gaussian"]()}
    asked = Grid({}, noises, data, {}, levels, [0], {}, protocol=protocol_of("masked(bits=16)"))
    (entry,) = export(asked, tmp_path).entries.values()
    assert read_restored(tmp_path / entry.file).dtype == np.uint16


def test_the_manifest_says_of_each_file_what_it_is(tmp_path):
    export(grid(levels=(15.0, 2.5)), tmp_path)
    found = json.loads((tmp_path / NAME).read_text())
    assert found["protocol"] == MASKED.facts
    first, second = found["images"]
    assert first["file"] == "photos/gaussian-15-0/astronaut.png"
    assert second["file"] == "photos/gaussian-2.5-0/astronaut.png"
    assert (second["dataset"], second["noise"], second["level"]) == ("photos", "gaussian", 2.5)
    assert (second["seed"], second["image"], second["height"]) == (0, "astronaut", 32)
    content = (tmp_path / second["file"]).read_bytes()
    assert second["sha256"] == hashlib.sha256(content).hexdigest()
    assert files(tmp_path) == {NAME, first["file"], second["file"]}


def test_a_folder_grows_and_what_is_there_is_not_written_again(tmp_path):
    export(grid(), tmp_path)
    path = tmp_path / "photos/gaussian-25-0/astronaut.png"
    before = path.stat().st_mtime_ns
    export(grid(levels=(50.0, 25.0), limit=2), tmp_path)
    assert path.stat().st_mtime_ns == before
    assert len(read_manifest(tmp_path / NAME).entries) == 4
    path.unlink()
    export(grid(), tmp_path)
    assert path.is_file()
    assert len(read_manifest(tmp_path / NAME).entries) == 4


def test_two_exports_into_one_folder_keep_the_entries_of_both(tmp_path, monkeypatch):
    def meanwhile(*arguments):
        monkeypatch.setattr(module, "noisy_pair", noisy_pair)
        other = threading.Thread(target=export, args=(grid(levels=(50.0,)), tmp_path))
        other.start()
        other.join(0.5)
        others.append(other)
        return noisy_pair(*arguments)

    others: list[threading.Thread] = []
    monkeypatch.setattr(module, "noisy_pair", meanwhile)
    export(grid(), tmp_path)
    others[0].join()
    assert len(read_manifest(tmp_path / NAME).entries) == 2
    assert not list(tmp_path.glob(".*"))


def test_clean_images_stand_in_a_folder_of_their_own_if_they_are_asked_for(tmp_path):
    asked = grid(darkened=Darkened(), offset=Offset(), levels=(0.1,))
    export(asked, tmp_path, clean=True)
    for noise in ("darkened", "offset"):
        cell = Cell("any", "photos", noise, 0.1, 0)
        pair = noisy_pair(cell, asked.datasets["photos"], asked.noises[noise], "astronaut")
        for clean, place in zip(pair, ("clean/photos", "photos"), strict=True):
            found = read_restored(tmp_path / place / f"{noise}-0.1-0/astronaut.png")
            assert pixels_hash(found) == pixels_hash(clean)
    assert len(read_manifest(tmp_path / NAME).entries) == 2


def test_a_file_which_is_not_ours_is_never_written_over(tmp_path):
    export(grid(), tmp_path)
    path = tmp_path / "photos/gaussian-25-0/astronaut.png"
    restored = png_bytes(np.zeros((32, 32, 3), np.uint8))
    path.write_bytes(restored)
    with pytest.raises(ValueError, match="is there and is not the image that would be written"):
        export(grid(), tmp_path)
    assert path.read_bytes() == restored


def test_two_protocols_never_share_a_folder(tmp_path):
    export(grid(), tmp_path)
    with pytest.raises(ValueError, match="holds images by protocol masked, .* by protocol kair;"):
        export(grid(PROTOCOLS["kair"]), tmp_path)


def test_grey_images_are_written_as_grey_and_come_back_with_one_channel(tmp_path):
    for dtype in (np.uint8, np.float32):
        image = np.arange(12, dtype=dtype).reshape(3, 4, 1)
        suffix, content = encoded(image)
        path = tmp_path / f"grey{suffix}"
        path.write_bytes(content)
        found = read_restored(path)
        assert found.dtype == dtype
        assert np.array_equal(found, image)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"made_by": "bench export"}', b'{"made_by": 1}', b"\xff"]
)
def test_another_file_than_a_manifest_is_one_sentence(tmp_path, content):
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(ValueError, match="is no manifest of bench export"):
        read_manifest(tmp_path / NAME)
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        read_manifest(tmp_path / "none")


def test_a_manifest_comes_back_as_it_was_written(tmp_path):
    manifest = export(grid(PROTOCOLS["clipdenoising"], limit=2), tmp_path)
    assert isinstance(manifest, Manifest)
    assert read_manifest(tmp_path / NAME) == manifest


def test_the_command_refuses_the_manifest_of_somebody_else(bench, tmp_path):
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / NAME).write_text("{}")
    status, _, err = bench("export", "noise=gaussian", "out=o")
    assert status
    assert "manifest.json was not written by bench, and would be replaced" in err
