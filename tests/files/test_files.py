"""Files which are whole or absent: names aside, leftovers, and what to do about an error."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.files.owner import TOKEN, describe, is_alive, new_token
from benchmark.files.whole import sweep, write_whole


@pytest.fixture(scope="module")
def dead() -> str:
    """The token of a process which has ended."""
    code = "from benchmark.files.owner import new_token; print(new_token())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def elsewhere(token: str) -> str:
    return f"{'0' * 8}{token[8:]}"


def test_a_token_tells_whether_its_process_lives_here(dead):
    mine = new_token()
    assert TOKEN.fullmatch(mine) and mine != new_token()
    assert is_alive(mine) is True
    assert is_alive(dead) is False
    assert describe(mine) == f"process {os.getpid()} here"


def test_a_number_which_another_process_has_got_is_no_life():
    machine, pid, start, chance = new_token().split("-")
    assert is_alive(f"{machine}-{pid}-{int(start) - 1}-{chance}") is False


@pytest.mark.parametrize("text", ["", "x", "1-2-3", "a" * 5000, "../x", "\0"])
def test_of_others_nothing_is_known(text, dead):
    assert is_alive(text) is None
    assert is_alive(elsewhere(dead)) is None
    assert "another machine" in describe(text)


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        *((getattr(errno, name), "make room") for name in ("ENOSPC", "EDQUOT", "EFBIG")),
        *((getattr(errno, name), "may write to") for name in ("EACCES", "EPERM", "EROFS")),
        *((getattr(errno, name), "stands where") for name in ("ENOTDIR", "EEXIST", "EISDIR")),
        (errno.ENAMETOOLONG, "shorter"),
        (errno.EIO, "is kept; give the same command again"),
    ],
)
def test_the_advice_is_that_of_the_error_and_the_file_as_it_was(
    tmp_path, monkeypatch, number, advice
):
    path = tmp_path / "a.json"
    write_whole(path, "before")

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match=advice) as caught:
        write_whole(path, "after")
    assert str(path) in str(caught.value) and os.strerror(number) in str(caught.value)
    assert ("make room" in str(caught.value)) == (advice == "make room")
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_file_in_the_place_of_a_folder_and_the_reverse_are_said(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "a", tmp_path / "file" / "b" / "a", tmp_path / "folder"):
        with pytest.raises(OSError, match="choose another folder"):
            write_whole(path, "")
    with pytest.raises(OSError, match="choose shorter names"):
        write_whole(tmp_path / ("x" * 300), "")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_two_containers_with_one_process_number_write_aside_each_other(tmp_path, monkeypatch):
    asides = set()

    def spy(aside: Path, path: Path) -> None:
        asides.add(Path(aside).name)
        Path(aside).unlink()

    monkeypatch.setattr("os.replace", spy)
    for _ in range(20):
        write_whole(tmp_path / ("é" * 120), "x")
    assert len(asides) == 20
    assert all(len(name.encode()) < 255 for name in asides)


def test_only_leftovers_of_the_dead_are_swept(tmp_path, dead):
    alive, unknown = new_token(), elsewhere(dead)
    old = [f".a.json.{dead}.tmp", f".b.{unknown}.tmp"]
    new = [f".a.json.{alive}.tmp", f".c.{unknown}.tmp", ".notes.2023", ".x", "a.json", "b.tmp"]
    new += [".settings.json.1", ".settings.json.4194305"]  # backups of some other program
    for name in [*old, *new]:
        (tmp_path / name).write_text("")
    os.utime(tmp_path / old[-1], (0, 0))
    sweep(tmp_path)
    sweep(tmp_path / "absent")
    assert sorted(os.listdir(tmp_path)) == sorted(new)
