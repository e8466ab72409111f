"""Several writers in one folder: they share the work, and what one gives up another takes over."""

import errno
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from filled_cells import (
    CELL,
    DEAD,
    ELSEWHERE,
    LABELS,
    fill,
    has,
    identities,
    left,
    part_of,
    row,
    settings,
    take,
)

from benchmark.cells import Cell, ResultStore, filling
from benchmark.cells.filling import Request
from benchmark.cells.running.sharing import lacking, share

# parts


def test_a_cell_is_finished_and_leaves_nothing_else(store):
    assert fill(store, identities(3)) == ["a", "b", "c"]
    assert left(store.root) == ["gaussian-25-0.json"]
    assert has(store, identities(3))
    assert fill(store, identities(3)) == []


def test_a_cell_in_work_is_done_after_the_others_and_not_twice(store, fast):
    images, other = identities(2), ResultStore(store.root)
    cells = [CELL, Cell("tv", "kodak24", "gaussian", 25.0, 0)]
    said, order = [], []
    with take(other, images) as held:
        for image in images:
            held.append(row(image))

        def say(sentence: str) -> None:
            said.append(sentence)
            held.finish(list(images), labels=LABELS)

        for part in share(store, [Request(cell, settings(images), images) for cell in cells], say):
            with part:
                order.append((part.cell.model, part.finished))
                for image in part.lacking(images):
                    part.append(row(image))
                part.finish(list(images), labels=LABELS)
    assert order == [("tv", False), ("masked", True)]
    (sentence,) = said
    assert sentence.startswith(f"waiting for process {os.getpid()} here, in work at masked on")


def test_what_a_killed_process_scored_is_taken_over_and_its_files_go(store):
    images = identities(3)
    path = store.path(CELL)
    path.parent.mkdir(parents=True)
    store.lease_path(path).write_text(DEAD)
    for writer, names in ((DEAD, "a"), (ELSEWHERE, "b")):
        lines = [settings(images), *({**row(n), "source": "x"} for n in names)]
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        part_of(store, writer).write_text(text + '{"image": "c", "psn')
    assert fill(store, images) == ["c"]
    assert left(store.root) == ["gaussian-25-0.json"]


def test_a_writer_whose_lease_was_broken_does_no_harm(store):
    """Both score all of it; the file is whole, and no part is left."""
    images, other = identities(2), ResultStore(store.root)
    slow = take(store, images)
    with slow:
        slow.append(row("a"))
        slow._lease.path.unlink()
        assert fill(other, images) == ["b"]  # and reads what the slow one has so far
        slow.append(row("b"))
        slow.finish(["a", "b"], labels=LABELS)
    assert left(store.root) == ["gaussian-25-0.json"]
    assert has(store, images)


def test_a_writer_whose_part_another_machine_removed_from_a_share_goes_on(store, monkeypatch):
    append = filling.append_row

    def stale(*arguments: object) -> None:  # as NFS answers, once
        monkeypatch.setattr(filling, "append_row", append)
        raise OSError("cannot write") from OSError(errno.ESTALE, "Stale file handle")

    with take(store, identities(3)) as part:
        part.append(row("a"))
        part._path.unlink()
        monkeypatch.setattr(filling, "append_row", stale)
        part.append(row("b"))
    assert fill(store, identities(3)) == ["c"]
    assert left(store.root) == ["gaussian-25-0.json"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, "30", True, [30.0]])
def test_a_score_that_is_no_finite_number_ends_the_cell_and_is_not_kept(store, value):
    with (
        pytest.raises(ValueError, match=r"masked on kodak24.*image 'b'.*leave that metric out"),
        take(store, identities(2)) as part,
    ):
        part.append(row("a"))
        part.append(row("b", value))
    assert fill(store, identities(2)) == ["b"]


def test_a_refused_cell_leaves_no_lease(store):
    store.path(CELL).parent.mkdir(parents=True)
    part = part_of(store, DEAD)
    part.write_text(json.dumps(settings(identities(2), mask=False)) + "\n")
    with pytest.raises(ValueError, match="model.mask False"):
        take(store, identities(2))
    assert left(store.root) == [part.name]


def test_what_killed_processes_left_is_tidied(store):
    fill(store, identities(2))
    folder = store.path(CELL).parent
    for name in (f".x.json.{DEAD}.tmp", "x.json.lease"):
        (folder / name).write_text(DEAD)
    part_of(store, DEAD).write_text("{}")
    (store.root / f".leaderboard.md.{DEAD}.tmp").write_text("")
    assert lacking(store, [Request(CELL, settings(identities(2)), identities(2))]) == []
    assert left(store.root) == ["gaussian-25-0.json"]


# processes


WRITER = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from filled_cells import LABELS, identities, row, settings
from benchmark.cells import Cell, ResultStore
from benchmark.cells.filling import Request
from benchmark.cells.running.sharing import share
store, log = ResultStore(sys.argv[1]), open(sys.argv[2], "a")
while not Path(sys.argv[1]).exists():  # until all of them are there
    time.sleep(0.005)
images, cells = identities(4), [Cell(f"m{n}", "kodak24", "gaussian", 25.0, 0) for n in range(8)]
for part in share(store, [Request(cell, settings(images), images) for cell in cells], print):
    with part:
        for image in part.lacking(images):
            time.sleep(0.04)
            part.append(row(image))
            print(part.cell.model, image, file=log, flush=True)
        part.finish(list(images), labels=LABELS)
"""


@pytest.mark.slow
def test_three_processes_share_a_grid_and_survive_the_death_of_one(tmp_path):
    root, logs = tmp_path / "out", [tmp_path / str(number) for number in range(3)]
    command = [sys.executable, "-c", WRITER, str(root)]
    tests = Path(__file__).parents[1]  # where what tests share is found
    given = [[*command, str(log), str(tests)] for log in logs]
    writers = [subprocess.Popen(words, cwd=tests.parent) for words in given]
    give_up = time.monotonic() + 200
    while not all(log.exists() for log in logs):
        assert time.monotonic() < give_up
        time.sleep(0.005)
    root.mkdir()
    while not (logs[0].exists() and len(logs[0].read_text().splitlines()) >= 2):
        assert time.monotonic() < give_up and writers[0].poll() is None
        time.sleep(0.005)
    writers[0].kill()
    assert [writer.wait(200) for writer in writers][1:] == [0, 0]
    scored = Counter(line for log in logs for line in log.read_text().splitlines())
    # the killed one may have kept a row which it had no time to log, and the reverse is impossible
    assert set(scored.values()) == {1} and 31 <= len(scored) <= 32
    assert all(log.read_text() for log in logs[1:])
    assert left(root) == ["gaussian-25-0.json"] * 8
    fill(ResultStore(tmp_path / "alone"), identities(4))
    alone = json.loads(next((tmp_path / "alone").rglob("*.json")).read_text())
    for path in root.rglob("*.json"):
        found = json.loads(path.read_text())
        assert found["images"] == alone["images"] and found["settings"] == alone["settings"]


def test_folders_are_listed_as_often_for_many_missing_cells_as_for_few(store, monkeypatch):
    images = identities(2)
    fill(store, images)
    part = part_of(store, DEAD)
    part.write_text("")
    listed, listdir = [], os.listdir
    monkeypatch.setattr(os, "listdir", lambda folder: listed.append(folder) or listdir(folder))
    counts = []
    for many in (2, 40):
        levels = map(float, range(100, 100 + many))
        asked = [Cell("masked", "kodak24", "gaussian", level, 0) for level in levels]
        requests = [Request(cell, settings(images), images) for cell in asked]
        assert len(lacking(store, requests)) == many
        counts.append(len(listed))
        listed.clear()
    assert counts[0] == counts[1]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full, a full disk")
def test_on_a_full_disk_one_sentence_says_so_and_others_have_the_cell(store):
    with (
        pytest.raises(OSError, match="make room"),
        open("/dev/full", "w") as full,
        take(store, identities(2)) as part,
    ):
        part.append(row("a"))
        part._file = full
        part.append(row("b"))
    assert fill(ResultStore(store.root), identities(2)) == ["b"]
