"""The state of a training: whole or absent, in one file or in several, never lost by another."""

import json
import os
import pickle
import shutil
from pathlib import Path

import pytest
import torch

from benchmark.files import whole as files
from benchmark.training.state import HEADER_SIZE, MARK, load_state, save_state

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
    said = (
        r"state-000000012\.pt\.1of2: of 2 pieces only piece 1 is there; the training goes on from"
    )
    with pytest.warns(UserWarning, match=said):
        assert same(load_state(tmp_path)[1])
    save_state(tmp_path, 14, CONTENT)
    assert names(tmp_path) == ["state-000000012.pt.1of2", "state-000000014.pt"]
    assert same(load_state(tmp_path)[1])  # what is older than the newest is no question


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


# states which are damaged, foreign, incomplete, or of version 0.1

TRAINING = {
    "settings": {"recipe": {}},
    "diary": {"step": 7},
    "network": {"weight": torch.arange(3000.0)},
    "average": {"module.weight": torch.arange(3000.0)},
    "optimizer": {"state": {}, "param_groups": []},
}
FIRST = "state-000000010.pt"


def of_version_0_1(folder: Path, step: int = 10, pieces: int = 1) -> None:
    """Files without headers, as version 0.1 wrote them."""
    folder.mkdir(exist_ok=True)
    path = folder / f"state-{step:09d}.pt"
    torch.save(TRAINING, path)
    content = path.read_bytes()
    if pieces > 1:
        path.unlink()
        size = -(-len(content) // pieces)
        for number in range(pieces):
            part = folder / f"{path.name}.{number + 1}of{pieces}"
            part.write_bytes(content[number * size : (number + 1) * size])


@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_states_of_version_0_1_are_loaded_and_give_way_to_new_ones(pieces, tmp_path):
    of_version_0_1(tmp_path, pieces=pieces)
    _, found = load_state(tmp_path)
    assert torch.equal(found["network"]["weight"], TRAINING["network"]["weight"])
    save_state(tmp_path, 20, CONTENT)
    assert names(tmp_path) == ["state-000000020.pt"]


class Trap:
    """Unpickled, it makes a folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


class Unknown:
    pass


def spoilt(change):
    """A saved state, its bytes changed."""

    def make(path: Path) -> None:
        save_state(path.parent, 10, CONTENT)
        path.write_bytes(change(path.read_bytes()))

    return make


def written(content: object):
    return lambda path: torch.save(content, path)


def header(**said: object):
    def change(content: bytes) -> bytes:
        return (
            (MARK + json.dumps(said).encode()).ljust(HEADER_SIZE - 1)
            + b"\n"
            + content[HEADER_SIZE:]
        )

    return change


BROKEN = {
    "empty": (lambda path: path.touch(), "is damaged (it is empty); copy it again, or delete it"),
    "a header alone": (spoilt(lambda b: b[:HEADER_SIZE]), "is damaged (it is empty)"),
    "cut in its header": (spoilt(lambda b: b[:100]), "is damaged ("),
    "cut": (spoilt(lambda b: b[:-1]), "is damaged (its SHA-256 is not the one in its first line)"),
    "longer": (spoilt(lambda b: b + b"0"), "is damaged (its SHA-256 is not the one"),
    "one bit": (spoilt(lambda b: b[:-9] + bytes([b[-9] ^ 1]) + b[-8:]), "is damaged (its SHA-256"),
    "zeros": (lambda path: path.write_bytes(bytes(5000)), "is damaged (it is not whole)"),
    "text": (lambda path: path.write_text("hello"), "is damaged (it is not whole)"),
    "header no JSON": (spoilt(lambda b: MARK + b"{x" + b[30:]), "is damaged (the first line of"),
    "header a list": (
        spoilt(lambda b: MARK + b"[]".ljust(200) + b),
        "is damaged (the first line of",
    ),
    "header without hash": (spoilt(header(piece=1, pieces=1)), "is damaged (the first line of"),
    "hash of another type": (
        spoilt(header(piece=1, pieces=1, sha256=[])),
        "is damaged (its SHA-256",
    ),
    "of another piece": (
        spoilt(header(piece=2, pieces=3, sha256="")),
        "is piece 2 of 3 by its first",
    ),
    "a bare tensor": (
        written(torch.ones(3)),
        "is no state of a training by noisebench (it holds a",
    ),
    "a list": (written([1]), "is no state of a training by noisebench (it holds a list)"),
    "a state dict": (
        written({"weight": torch.ones(3)}),
        "(it has no settings, diary, network, aver",
    ),
    "half a training": (
        written({"network": {}, "optimizer": {}}),
        "(it has no settings, diary, av",
    ),
    "a trap": (
        lambda path: torch.save({"a": Trap(path.with_name("made"))}, path),
        "holds Python obj",
    ),
    "a trap in a pickle": (
        lambda path: path.write_bytes(pickle.dumps(Trap(path.with_name("made")), protocol=2)),
        "holds Python objects (",
    ),
    "an object": (written({**TRAINING, "x": Unknown()}), "it holds Python objects ("),
    "a module": (
        written(torch.nn.Linear(1, 1)),
        "it holds Python objects (torch.nn.modules.linear",
    ),
    "a folder": (Path.mkdir, "is a folder, not a file"),
    "a FIFO": (os.mkfifo, "is a FIFO, a socket or a device"),
    "a dead link": (lambda path: path.symlink_to("gone"), "is a link to gone, which is not there"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_state_that_is_damaged_or_foreign_is_one_sentence_and_stays(kind, tmp_path):
    make, sentence = BROKEN[kind]
    make(tmp_path / FIRST)
    with pytest.raises(ValueError) as refused:
        load_state(tmp_path)
    message = str(refused.value)
    assert message.startswith(f"{tmp_path / FIRST} ")
    assert sentence in message
    assert "\n" not in message
    assert "weights_only" not in message
    assert names(tmp_path) == [FIRST]


@pytest.mark.parametrize("kind", BROKEN)
def test_what_was_not_read_whole_is_not_deleted_by_a_newer_state(kind, tmp_path):
    BROKEN[kind][0](tmp_path / FIRST)
    save_state(tmp_path, 20, CONTENT)
    assert names(tmp_path) == [FIRST, "state-000000020.pt"]
    assert same(load_state(tmp_path)[1])


@pytest.mark.parametrize("by", ["this version", "version 0.1"])
@pytest.mark.parametrize("lost", [(1,), (2,), (3,), (1, 2), (1, 3), (2, 3)])
def test_a_missing_piece_is_named_and_the_others_stay(by, lost, tmp_path):
    if by == "version 0.1":
        of_version_0_1(tmp_path, pieces=3)
    else:
        save_state(tmp_path, 10, CONTENT, megabytes=0.005)
    for number in lost:
        (tmp_path / f"{FIRST}.{number}of3").unlink()
    left = names(tmp_path)
    missing = f"piece{'s' if len(lost) > 1 else ''} {', '.join(map(str, lost))}"
    with pytest.raises(ValueError, match=rf"of 3 pieces only .* there; copy {missing} to it, or"):
        load_state(tmp_path)
    assert names(tmp_path) == left
    save_state(tmp_path, 20, CONTENT)
    assert names(tmp_path) == [*left, "state-000000020.pt"]


def test_pieces_of_different_states_are_not_put_together(tmp_path):
    save_state(tmp_path / "one", 10, CONTENT, megabytes=0.005)
    save_state(tmp_path / "two", 10, {**CONTENT, "step": 8}, megabytes=0.005)
    shutil.copy(tmp_path / "two" / f"{FIRST}.2of3", tmp_path / "one")
    with pytest.raises(ValueError, match="is damaged .its pieces are of different states"):
        load_state(tmp_path / "one")


def test_a_piece_under_another_s_name_is_told_by_its_header(tmp_path):
    save_state(tmp_path, 10, CONTENT, megabytes=0.005)
    shutil.copy(tmp_path / f"{FIRST}.2of3", tmp_path / f"{FIRST}.1of3")
    with pytest.raises(ValueError, match=r"1of3 is piece 2 of 3 by its first line; give it back"):
        load_state(tmp_path)


def test_a_state_which_the_disk_does_not_give_back_removes_no_older_one(tmp_path, monkeypatch):
    save_state(tmp_path, 10, CONTENT)
    whole = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: whole(path)[:-1])
    with pytest.raises(OSError, match="is damaged .*; the older state is kept"):
        save_state(tmp_path, 20, CONTENT)
    monkeypatch.undo()
    assert FIRST in names(tmp_path)


@pytest.mark.parametrize(
    "name", ["state-1.pt.0of2", "state-1.pt.3of2", "state-x.pt", ".state-1.pt"]
)
def test_other_files_are_no_states(name, tmp_path):
    (tmp_path / name).write_bytes(b"mine")
    assert load_state(tmp_path) is None
    save_state(tmp_path, 10, CONTENT)
    assert name in names(tmp_path)
