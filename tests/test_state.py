"""The state of a training: whole or absent, in one file or in several."""

import pytest
import torch

from benchmark import files
from benchmark.state import load_state, save_state

CONTENT = {"step": 7, "tensor": torch.arange(3000.0), "nested": {"list": [1, 2.5, "three"]}}


def same(found: dict) -> bool:
    plain = {key: found[key] for key in ("step", "nested")}
    return plain == {"step": 7, "nested": CONTENT["nested"]} and torch.equal(
        found["tensor"], CONTENT["tensor"]
    )


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_saved_is_loaded_and_only_the_newest_is_kept(tmp_path):
    assert load_state(tmp_path / "none") is None
    save_state(tmp_path, 9, {"step": 9})
    save_state(tmp_path, 10, CONTENT)
    path, found = load_state(tmp_path)
    assert same(found)
    assert names(tmp_path) == [path.name] == ["state-000000010.pt"]


def test_a_state_is_split_to_the_size_asked_for(tmp_path):
    save_state(tmp_path, 9, {"step": 9})
    save_state(tmp_path, 10, CONTENT, megabytes=0.005)
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sorted(sizes) == [f"state-000000010.pt.{part}of3" for part in (1, 2, 3)]
    assert max(sizes.values()) == 5000
    assert same(load_state(tmp_path)[1])
    save_state(tmp_path, 11, CONTENT)
    assert names(tmp_path) == ["state-000000011.pt"]


def test_a_state_of_which_a_part_is_missing_gives_way_to_an_older_whole_one(tmp_path):
    save_state(tmp_path, 10, CONTENT)
    (tmp_path / "state-000000012.pt.1of2").write_bytes(b"killed before the second part")
    assert same(load_state(tmp_path)[1])


def test_a_damaged_state_is_one_sentence(tmp_path):
    save_state(tmp_path, 10, CONTENT)
    path = tmp_path / "state-000000010.pt"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"state-000000010\.pt is damaged .*; copy it again, or"):
        load_state(tmp_path)


def test_a_full_disk_is_one_sentence_and_the_older_state_stays(tmp_path, monkeypatch):
    save_state(tmp_path, 10, CONTENT)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    said = r"cannot write .*state-000000020\.pt \(0\.0 MB\): No space left on device; what was"
    with pytest.raises(OSError, match=said):
        save_state(tmp_path, 20, CONTENT)
    assert names(tmp_path) == ["state-000000010.pt"]
    assert same(load_state(tmp_path)[1])
