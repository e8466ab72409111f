"""A lease: one holder at a time, and whose it is once that one is gone."""

import errno
import os
import socket
import threading
import time

import pytest
from filled_cells import (
    DEAD,
    ELSEWHERE,
)

from benchmark.files import lease
from benchmark.files.lease import Leases
from benchmark.files.owner import new_token
from benchmark.files.whole import in_use


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


def test_one_that_cannot_be_written_is_not_left_for_others_to_wait_for(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "a.lease"
    with monkeypatch.context() as patch:
        patch.setattr(lease, "_who", full)
        with pytest.raises(OSError, match="make room"):
            Leases().take(path)
    assert not path.exists()
    Leases().take(path).release()
