"""Several writers in one folder: they share the work, and what one gives up another takes over."""

import errno
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
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
from benchmark.cells.filling import Part, Request
from benchmark.cells.running import sharing
from benchmark.cells.running.sharing import lacking, share
from benchmark.files import lease
from benchmark.files.lease import Leases
from benchmark.files.owner import new_token
from benchmark.files.whole import in_use


@pytest.fixture
def store(tmp_path) -> ResultStore:
    return ResultStore(tmp_path)


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(sharing, "PAUSE", 0.02)
    monkeypatch.setattr(lease, "BEAT", 0.02)
    monkeypatch.setattr(lease, "STALE", 0.3)


# leases


def test_a_lease_has_one_holder_until_it_is_released(tmp_path):
    one, other = Leases(), Leases()
    held = one.take(tmp_path / "folder" / "a.lease")
    assert other.take(held.path) is None
    held.release()
    held.release()
    assert not held.path.exists()
    other.take(held.path).release()


def test_of_many_who_ask_at_once_one_gets_it(tmp_path):
    start, found = threading.Barrier(8), []

    def ask() -> None:
        leases = Leases()
        start.wait()
        found.append(leases.take(tmp_path / "a.lease"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (held,) = [one for one in found if one]
    held.release()


def test_the_lease_of_a_dead_process_is_free_at_once(tmp_path):
    (tmp_path / "a.lease").write_text(DEAD)
    Leases().take(tmp_path / "a.lease").release()


@pytest.mark.parametrize(
    "holder", [ELSEWHERE, "", "nonsense", new_token()], ids=["elsewhere", "empty", "words", "alive"]
)
def test_a_lease_that_is_not_renewed_is_taken_over_and_a_renewed_one_is_not(tmp_path, fast, holder):
    path, leases = tmp_path / "a.lease", Leases()
    path.write_text(holder)
    for number in range(5):
        os.utime(path, (number, number))  # whatever the clock of that machine says
        assert leases.take(path) is None
        time.sleep(0.1)
    time.sleep(0.3)
    leases.take(path).release()


def test_a_holder_renews_its_lease_and_not_that_of_another(tmp_path, fast):
    held = Leases().take(tmp_path / "a.lease")
    os.utime(held.path, (0, 0))
    while not held.path.stat().st_mtime:  # as long as a loaded machine needs
        time.sleep(0.01)
    held.path.write_text(ELSEWHERE)
    time.sleep(0.1)
    os.utime(held.path, (0, 0))
    time.sleep(0.1)
    assert held.path.stat().st_mtime == 0
    held.release()
    assert held.path.read_text() == ELSEWHERE


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


def test_files_of_unknown_writers_age_by_the_clock_of_the_file_system(tmp_path, monkeypatch):
    path = tmp_path / "a.lease"
    path.write_text(ELSEWHERE)
    later = time.time() + 100_000
    monkeypatch.setattr(time, "time", lambda: later)  # this machine's clock is a day ahead
    assert in_use(path, ELSEWHERE)
    os.utime(path, (0, 0))
    assert not in_use(path, ELSEWHERE)


def test_a_lease_says_who_has_it_and_since_when(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "77")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "2")
    held = Leases().take(tmp_path / "a.lease")
    found = lease.read_lease(held.path)
    held.release()
    assert found.owner == held.owner
    assert found.who == f"{os.getpid()} on {socket.gethostname()}, job 77_2"
    assert found.since[:2] == "20" and found.renewed == pytest.approx(time.time(), abs=60)
    assert lease.read_lease(held.path) is None


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


# images


def test_growing_scores_only_what_is_new(store):
    fill(store, identities(2))
    assert not has(store, identities(4))
    assert fill(store, identities(4)) == ["c", "d"]
    assert has(store, identities(4))
    assert [r["image"] for r in store.read(CELL)["images"]] == list("abcd")


def test_of_fewer_images_the_larger_cell_is_kept(store):
    fill(store, identities(4))
    before = store.path(CELL).read_bytes()
    assert has(store, identities(2))
    assert fill(store, identities(2)) == []
    assert store.path(CELL).read_bytes() == before


def test_cells_of_version_0_1_grow_as_well(store):
    fill(store, identities(2))
    record = json.loads(store.path(CELL).read_text())
    for one in record["images"]:
        del one["source"]
    store.path(CELL).write_text(json.dumps(record))
    assert has(store, identities(2))
    with pytest.raises(ValueError, match=r"dataset 'kodak24': 2 then and 4 now"):
        has(store, identities(4, a="another file"))
    assert fill(store, identities(4)) == ["c", "d"]
    assert fill(store, identities(6)) == ["e", "f"]


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (identities(2, b="another file"), r"'b' changed since then"),
        (identities(6, a="x", b="y"), r"'a' and 1 more changed since then"),
        ({"a": "a whole", "z": "z whole"}, r"there is no 'b' now"),
        ({"x": "x whole", "z": "z whole"}, r"there is no 'a' and 1 more now"),
    ],
)
def test_other_images_are_refused_naming_the_dataset_and_them(store, now, reason):
    fill(store, identities(2))
    with pytest.raises(ValueError, match=rf"on other images of dataset 'kodak24': {reason}"):
        has(store, now)


def test_rows_made_with_something_else_say_so(store):
    fill(store, identities(1), environment={"torch": "1"}, code="x")
    fill(store, identities(2), environment={"torch": "1"}, code="x")
    assert "earlier" not in store.read(CELL)
    fill(store, identities(3), environment={"torch": "2"}, code="x")
    before = {"environment": {"torch": "1"}, "code": "x", "images": ["a", "b"]}
    assert store.read(CELL)["earlier"] == [before]


def test_images_that_are_scored_again_were_not_made_earlier(store):
    fill(store, identities(2), environment={"torch": "1"})
    fill(store, identities(3), environment={"torch": "2"})
    fill(store, identities(4), environment={"torch": "3"})
    first, second = store.read(CELL)["earlier"]
    assert (first["images"], second["images"]) == (["a", "b"], ["c"])
    path = store.path(CELL)
    record = json.loads(path.read_text())
    record["images"] = [one for one in record["images"] if one["image"] not in "ac"]
    path.write_text(json.dumps(record))
    assert fill(store, identities(4), environment={"torch": "3"}) == ["a", "c"]
    assert store.read(CELL)["earlier"] == [{**first, "images": ["b"]}]


def test_rows_which_another_process_left_say_how_many_threads_it_had(store):
    images = identities(3)
    request = Request(CELL, settings(images), images)

    def part(threads: int) -> Part:
        (found,) = share(store, [replace(request, environment=made(threads))], print)
        return found

    def made(threads: int) -> dict[str, object]:
        return {"torch": "1", "device": "x86_64", "threads": threads}

    with part(1) as left_over:
        left_over.append(row("a"))
        left_over.append(row("b"))
    with part(2) as rest:
        assert rest.lacking(images) == ["c"]
        rest.append(row("c"))
        rest.finish(list(images), labels=LABELS, environment=made(2))
    record = store.read(CELL)
    assert record["environment"] == made(2)
    assert record["earlier"] == [{"environment": made(1), "images": ["a", "b"]}]
    assert all("made_in" not in one for one in record["images"])


def test_unknown_keys_of_a_cell_are_kept(store):
    fill(store, identities(1))
    record = json.loads(store.path(CELL).read_text())
    record["mine"], record["images"][0]["noisy"] = "kept", "abc"
    store.path(CELL).write_text(json.dumps(record))
    fill(store, identities(2))
    record = store.read(CELL)
    assert (record["mine"], record["images"][0]["noisy"]) == ("kept", "abc")
    assert list(store.scores().rows.columns)[-3:] == ["psnr", "noisy", "seconds"]


# processes

WRITER = """
import sys, time
sys.path.insert(0, sys.argv[3])
from cells.test_sharing import *
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
