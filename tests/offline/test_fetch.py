"""What is fetched is whole and what was published, whatever a server does; else it is said."""

import errno
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from serving import CONTENT

from benchmark.offline.checksums import Checksums, git_blob
from benchmark.offline.fetch import fetch
from benchmark.offline.lock import Lock

SHA256 = hashlib.sha256(CONTENT).hexdigest()
KNOWN = Checksums(len(CONTENT), sha256=SHA256)


@pytest.fixture
def lock(tmp_path) -> Lock:
    return Lock(tmp_path / "lock" / "fetch.lock")


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "weights"


def refusal(*arguments) -> str:
    with pytest.raises(ValueError) as caught:
        fetch(*arguments)
    return str(caught.value)


def test_a_file_arrives_whole_and_nothing_is_left_beside_it(server, source, folder, lock):
    address, page = server.page("/toy.pth")
    counted = []
    said = fetch(source(address, checksums=KNOWN), folder, lock, counted.append)
    assert said == f"toy: fetched into {folder}"
    assert (folder / "toy.pth").read_bytes() == CONTENT
    assert os.listdir(folder) == ["toy.pth"]
    assert counted[-1] == len(CONTENT) and counted == sorted(counted)
    assert fetch(source(address, checksums=KNOWN), folder, lock).endswith("already")
    assert len(page.asked) == 1


def test_a_connection_that_is_cut_off_goes_on_where_it_was(server, source, folder, lock):
    address, page = server.page("/toy.pth", cuts=[98_304, 49_152])
    fetch(source(address, checksums=KNOWN), folder, lock)
    assert (folder / "toy.pth").read_bytes() == CONTENT
    assert page.asked == [None, "bytes=98304-", "bytes=147456-"]


def test_one_that_never_comes_to_an_end_leaves_no_file_and_the_next_call_goes_on(
    server, source, folder, lock
):
    address, page = server.page("/toy.pth", cuts=[98_304, 0, 0, 0, 0])
    sentence = refusal(source(address, checksums=KNOWN), folder, lock)
    assert f"{address} was cut off after 98304 of 307200 bytes" in sentence
    assert "the same command goes on where it was" in sentence
    assert not (folder / "toy.pth").exists()
    fetch(source(address, checksums=KNOWN), folder, lock)
    assert page.asked[-1] == "bytes=98304-"
    assert os.listdir(folder) == ["toy.pth"]


def test_a_part_which_nothing_tells_from_another_file_is_not_promised_to_go_on(
    server, source, folder, lock
):
    address, _ = server.page("/toy.pth", cuts=[98_304, 0, 0, 0, 0])
    sentence = refusal(source(address), folder, lock)
    assert sentence.endswith("bytes; give the same command again")


def test_a_server_without_ranges_starts_again(server, source, folder, lock):
    address, page = server.page("/toy.pth", cuts=[98_304], ranges=False)
    fetch(source(address, checksums=KNOWN), folder, lock)
    assert (folder / "toy.pth").read_bytes() == CONTENT
    assert len(page.asked) == 2


def test_a_part_of_another_file_is_thrown_away(server, source, folder, lock):
    address, page = server.page("/toy.pth", content=b"x" * 400_000, cuts=[98_304, 0, 0, 0, 0])
    refusal(source(address, checksums=Checksums(sha256=SHA256)), folder, lock)
    page.content = CONTENT
    fetch(source(address, checksums=Checksums(sha256=SHA256)), folder, lock)
    assert (folder / "toy.pth").read_bytes() == CONTENT
    assert page.asked[-2:] == ["bytes=98304-", None]


def test_without_a_checksum_only_the_same_version_is_gone_on_with(server, source, folder, lock):
    address, page = server.page("/toy.pth", cuts=[98_304, 0, 0, 0, 0], etag='"first"')
    refusal(source(address), folder, lock)
    page.content, page.etag = CONTENT[::-1], '"second"'
    fetch(source(address), folder, lock)
    assert (folder / "toy.pth").read_bytes() == CONTENT[::-1]
    server.pages["/toy.pth"].cuts = [10, 10]
    (folder / "toy.pth").unlink()
    page.etag = 'W/"weak"'
    lock.path.unlink()
    fetch(source(address), folder, lock)
    assert page.asked[-3:] == [None, None, None]


@pytest.mark.parametrize("announced", [len(CONTENT) + 7, len(CONTENT) - 7])
def test_a_length_that_is_not_the_published_one_is_refused(server, source, folder, lock, announced):
    address, _ = server.page("/toy.pth", announced=announced)
    sentence = refusal(source(address, checksums=KNOWN), folder, lock)
    assert f"it has {announced} bytes there, not 307200" in sentence
    assert not folder.exists() or not (folder / "toy.pth").exists()


def test_a_length_that_is_announced_and_not_kept_is_a_cut(server, source, folder, lock):
    address, _ = server.page("/toy.pth", announced=len(CONTENT) + 7, ranges=False)
    sentence = refusal(source(address, checksums=Checksums(sha256=SHA256)), folder, lock)
    assert "was cut off after " in sentence and " of 307207 bytes" in sentence


@pytest.mark.parametrize(("size", "word"), [(-1, "cut off"), (1, "goes on after 307200 bytes")])
def test_a_body_of_another_length_is_noticed_where_none_is_announced(
    server, source, folder, lock, size, word
):
    content = (CONTENT + b"more")[: len(CONTENT) + size]
    address, _ = server.page("/toy.pth", content=content, announced=None, ranges=False)
    assert word in refusal(source(address, checksums=KNOWN), folder, lock)
    assert not (folder / "toy.pth").exists()


@pytest.mark.parametrize(
    "checksums", [KNOWN, Checksums(sha256=SHA256[:8]), Checksums(blob="0" * 40)]
)
def test_another_content_is_refused_at_once(server, source, folder, lock, checksums):
    address, page = server.page("/toy.pth", content=CONTENT[::-1])
    sentence = refusal(source(address, checksums=checksums), folder, lock)
    assert f"{address} is not the file that was published: its " in sentence
    assert len(page.asked) == 1
    assert not folder.exists() or not os.listdir(folder)


def test_a_web_page_is_said_to_be_one(server, source, folder, lock):
    page = b"\n<!DOCTYPE html><html><title>Sign in &amp;\n wait</title>" + bytes(9)
    for kind in ("application/octet-stream", "text/html; charset=utf-8"):
        for checksums in (Checksums(), KNOWN):
            address, served = server.page("/toy.pth", content=page, kind=kind)
            sentence = refusal(source(address, checksums=checksums), folder, lock)
            assert f"{address} gives a web page ('Sign in & wait'), not the file" in sentence
            assert len(served.asked) == 1
            assert not os.listdir(folder)
    assert not lock.path.exists()


def test_a_web_page_in_between_takes_nothing_of_what_was_received(server, source, folder, lock):
    address, page = server.page("/toy.pth", cuts=[98_304, 0, 0, 0, 0], etag='"a"')
    refusal(source(address), folder, lock)
    page.content, page.ranges = b"<html>busy</html>", False
    assert "gives a web page" in refusal(source(address), folder, lock)
    page.content, page.ranges = CONTENT, True
    fetch(source(address), folder, lock)
    assert page.asked[-1] == "bytes=98304-"
    assert (folder / "toy.pth").read_bytes() == CONTENT


def test_a_file_whose_end_nothing_tells_is_refused(server, source, folder, lock):
    address, _ = server.page("/toy.pth", announced=None, cuts=[98_304])
    assert "does not say how long the file is" in refusal(source(address), folder, lock)
    address, _ = server.page("/toy.pth", content=b"")
    assert "gives an empty file" in refusal(source(address), folder, lock)
    assert not lock.path.exists() and not os.listdir(folder)


def test_a_server_that_packs_what_it_sends_is_understood(server, source, folder, lock):
    address, _ = server.page("/toy.pth", packed=True, cuts=[100])
    fetch(source(address, checksums=KNOWN), folder, lock)
    assert (folder / "toy.pth").read_bytes() == CONTENT


def test_parts_of_two_versions_are_never_joined(server, source, folder, lock):
    address, page = server.page("/toy.pth", cuts=[98_304, 0, 0, 0, 0], etag='"a"', conditions=False)
    refusal(source(address), folder, lock)
    page.content, page.etag = CONTENT[::-1], '"b"'
    fetch(source(address), folder, lock)
    assert (folder / "toy.pth").read_bytes() == CONTENT[::-1]


def test_redirects_in_a_circle_are_given_up_at_once(server, source, folder, lock):
    address, page = server.page("/toy.pth")
    page.to = address
    assert f"{address} leads nowhere (Exceeded 30 redirects)" in refusal(
        source(address), folder, lock
    )
    assert len(page.asked) == 31


def test_a_proxy_which_does_not_answer_is_said_to_be_in_between(
    server, source, folder, lock, monkeypatch
):
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    address, _ = server.page("/toy.pth")
    sentence = refusal(source(address), folder, lock)
    assert f"{address} cannot be reached through the proxy that is set (Connection ref" in sentence


def test_where_nothing_can_be_written_one_sentence_says_it(server, source, tmp_path, lock):
    address, _ = server.page("/toy.pth")
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="^cannot write .*to=FOLDER") as caught:
        fetch(source(address), tmp_path / "file", lock)
    assert str(caught.value).count("cannot write") == 1


def test_a_checksum_that_cannot_be_recorded_leaves_no_file_without_one(
    server, source, folder, lock, monkeypatch
):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    address, page = server.page("/toy.pth")
    with monkeypatch.context() as patched:
        patched.setattr("benchmark.offline.lock.replacing", full)
        with pytest.raises(OSError, match="No space left"):
            fetch(source(address), folder, lock)
    assert not (folder / "toy.pth").exists()
    assert SHA256 in fetch(source(address), folder, lock)
    assert len(page.asked) == 1


def test_a_linked_folder_is_filled_from_its_own_disk(server, source, tmp_path, lock):
    address, _ = server.page("/toy.pth", cuts=[9, 0, 0, 0, 0])
    (tmp_path / "data").mkdir()
    (tmp_path / "disk" / "toy").mkdir(parents=True)
    (tmp_path / "data" / "toy").symlink_to(tmp_path / "disk" / "toy")
    toy = source(address, kind="data", checksums=KNOWN)
    refusal(toy, tmp_path / "data" / "toy", lock)
    assert os.listdir(tmp_path / "data") == ["toy"]
    fetch(toy, tmp_path / "data" / "toy", lock)
    assert os.listdir(tmp_path / "disk" / "toy") == ["toy.pth"]


def test_a_pointer_of_git_lfs_is_said_to_be_one(server, source, folder, lock):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"
    address, _ = server.page("/toy.pth", content=pointer)
    assert "gives a pointer of Git LFS" in refusal(source(address), folder, lock)


def test_redirects_are_followed_and_slow_servers_waited_for(server, source, folder, lock):
    address, _ = server.page("/else.pth", pause=0.005)
    moved, _ = server.page("/toy.pth", to=address)
    fetch(source(moved, checksums=KNOWN), folder, lock)
    assert (folder / "toy.pth").read_bytes() == CONTENT


def test_a_busy_server_is_asked_again_and_a_missing_file_is_not(server, source, folder, lock):
    address, page = server.page("/toy.pth", status=[503, 429])
    fetch(source(address, checksums=KNOWN), folder, lock)
    assert len(page.asked) == 3
    gone = address.replace("toy", "gone")
    assert f"{gone} answers 404 Not Found" in refusal(source(gone), folder, lock)


def test_a_silent_server_is_given_up_and_said(server, source, folder, lock, monkeypatch):
    monkeypatch.setattr("benchmark.offline.download.TIMEOUT", (1, 0.05))
    monkeypatch.setattr("benchmark.offline.fetch.RETRIES", 1)
    address, page = server.page("/toy.pth", pause=0.3)
    assert "was cut off after 0 of 307200 bytes" in refusal(source(address), folder, lock)
    server.server_close()
    server.shutdown()
    assert f"{address} cannot be reached (" in refusal(source(address), folder, lock)


def test_a_file_of_the_user_s_is_kept(server, source, folder, lock):
    address, page = server.page("/toy.pth")
    folder.mkdir()
    (folder / "toy.pth").write_bytes(b"mine")
    assert "which are kept" in refusal(source(address, checksums=KNOWN), folder, lock)
    assert (folder / "toy.pth").read_bytes() == b"mine" and not page.asked


def test_what_has_no_published_checksum_is_held_against_its_first_fetch(
    server, source, folder, lock
):
    address, page = server.page("/toy.pth")
    said = fetch(source(address), folder, lock)
    assert SHA256 in said and str(lock.path) in said
    (folder / "toy.pth").unlink()
    page.content = CONTENT[::-1]
    said = refusal(source(address), folder, lock)
    assert f"is not the file of the first fetch, which {lock.path} records (if the new" in said
    assert "that was published" not in said
    (folder / "toy.pth").write_bytes(b"mine")
    assert f"other files than those which {lock.path} records" in refusal(
        source(address), folder, lock
    )
    (folder / "toy.pth").unlink()
    page.content = CONTENT
    assert "SHA-256" not in fetch(source(address), folder, lock)


@pytest.mark.parametrize(
    "text", ['{"a": 3}', "[]", '{"a": {"size": "x", "sha256": "5"}}', '{"a": {"size": 5}}', ""]
)
def test_a_file_that_is_no_lock_is_refused_before_anything_is_fetched(tmp_path, text):
    (tmp_path / "lock").write_text(text)
    with pytest.raises(ValueError, match="is no lock of bench fetch; move it away, or name"):
        Lock(tmp_path / "lock")


def test_a_folder_is_no_lock(tmp_path):
    with pytest.raises(ValueError, match=r"is no lock of bench fetch \(Is a directory\); move"):
        Lock(tmp_path)


def test_where_nothing_can_be_recorded_nothing_is_fetched(
    server, source, folder, lock, monkeypatch
):
    opened = os.open

    def refuse(path: object, *rest: int) -> int:
        if path == lock.path.with_name("fetch.lock.lease"):
            raise OSError(errno.EACCES, "Permission denied")
        return opened(path, *rest)

    address, page = server.page("/toy.pth")
    monkeypatch.setattr("benchmark.files.lease.os.open", refuse)
    with pytest.raises(OSError, match=r"^cannot write .*fetch\.lock\.lease: .*lock=FILE") as caught:
        fetch(source(address), folder, lock)
    assert str(caught.value).count("cannot write") == 1 and not page.asked
    fetch(source(address, checksums=KNOWN), folder, lock)  # nothing is to be recorded


def test_a_git_blob_id_is_git_s(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    assert git_blob(tmp_path / "empty") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    (tmp_path / "hello").write_bytes(b"hello\n")
    assert git_blob(tmp_path / "hello") == "ce013625030ba8dba906f756967f9e9ca394464a"


KILLED = """
import sys
from pathlib import Path
from benchmark.offline.checksums import Checksums
from benchmark.offline.fetch import fetch
from benchmark.offline.lock import Lock
from benchmark.offline.sources import Remote, Source
address, folder, size, sha256 = sys.argv[1:]
remote = Remote(address, "toy.pth", Checksums(int(size), sha256=sha256))
source = Source("toy", "weights", "", "", False, "", (remote,))
fetch(source, Path(folder), Lock(Path(folder).with_name("lock")))
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_process_leaves_no_half_file_and_another_goes_on(
    server, source, folder, lock, number
):
    address, page = server.page("/toy.pth", pause=0.1)
    arguments = [address, str(folder), str(len(CONTENT)), SHA256]
    process = subprocess.Popen([sys.executable, "-c", KILLED, *arguments])
    part = folder / ".toy.fetching" / "toy.pth.part"
    while not (part.exists() and part.stat().st_size > 100_000):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    process.wait()
    assert not (folder / "toy.pth").exists()
    page.pause = 0
    fetch(source(address, checksums=KNOWN), folder, lock)
    assert (folder / "toy.pth").read_bytes() == CONTENT
    assert page.asked[-1] is not None and os.listdir(folder) == ["toy.pth"]
