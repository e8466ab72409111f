"""``bench check`` where something is wrong: what was typed, files in the way, a broken network."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmark.denoiser import DENOISERS
from benchmark.files.lease import Leases

SMALL = ["limit=2", "crop=32", "noise=gaussian", "metric=psnr"]
FILE = "noisebench-baseline.csv"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], f"there is no baseline {FILE}; write it with the same command and update=true"),
        (
            ["update=true", "baseline=notes.txt"],
            "notes.txt was not written by bench, and would be replaced; name another file: "
            "baseline=FILE",
        ),
        (["baseline=notes.txt"], "or name another: baseline=FILE"),
        (["baseline=folder"], "baseline=folder is a folder; name a file: baseline=FILE"),
        (["baseline=folder", "update=true"], "baseline=folder is a folder, and a file is written"),
        (["junit=folder"], "junit=folder is a folder, and a file is written; name another file"),
        (["junit=notes.txt"], "notes.txt was not written by bench"),
        (["junit=notes.txt/check.xml"], "cannot be written: Not a directory; name another file"),
        (["summary=notes.txt"], "would be replaced; name another file: summary=FILE"),
        (["levels=hardest"], "take levels=middle"),
        (["max_slowdown=0.5"], "max_slowdown must be 1 or more"),
        (["out="], "out= names no folder"),
        ([f"summary={FILE}"], f"baseline and summary are both {FILE}"),
        (["junit=a", "summary=./a"], "junit and summary are both ./a"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_2(bench, tmp_path, monkeypatch, words, sentence):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "folder").mkdir()
    if words == ["levels=hardest"]:
        assert bench("check", "model=identity", *SMALL, "update=true")[0] == 0
    monkeypatch.setattr("benchmark.scoring.grid.evaluate", None)  # before anything is scored
    status, _, err = bench("check", "model=identity", *SMALL, *words)
    assert (status, err.count("\n")) == (2, 1)
    assert sentence in err
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.slow
@pytest.mark.parametrize("empty", [True, False], ids=["empty files", "files of ours"])
def test_an_empty_file_and_one_of_ours_is_written_again(bench, empty):
    words = ["check", "model=identity", *SMALL, "junit=j.xml", "summary=s.md"]
    for name in ("j.xml", "s.md", FILE) if empty else ():
        Path(name).touch()  # as GitHub makes the file of a summary
    assert bench(*words, "update=true")[0] == 0
    written = {name: Path(name).read_text() for name in ("j.xml", "s.md")}
    assert all(written.values())
    assert bench(*words)[0] == 0
    assert {name: Path(name).read_text() for name in written} == written


@pytest.mark.slow
def test_two_checks_at_once_in_one_folder_come_one_after_the_other(bench, monkeypatch):
    words = ["check", "model=identity", *SMALL, "out=o"]
    assert bench(*words, "update=true")[0] == 0
    other = Leases().take(Path("o/unfinished-check.lease"))
    monkeypatch.setattr("benchmark.files.lease.time.sleep", lambda _: other.release())
    status, out, _ = bench(*words)
    assert status == 0 and "in work at o" in out and "1 equal" in out
    assert not list(Path("o").iterdir())


@pytest.mark.slow
def test_a_network_which_raises_fails_and_the_others_are_still_compared(bench, monkeypatch):
    words = ["check", "model=[identity,tv]", *SMALL]
    assert bench(*words, "update=true")[0] == 0

    def broken(self, noisy):
        raise RuntimeError("mat1 and mat2\ncannot be multiplied")

    monkeypatch.setattr(DENOISERS["tv"], "forward", broken)
    status, out, err = bench(*words, "speed=true", "junit=j.xml", "summary=s.md")
    sentence = "image astronaut: RuntimeError: mat1 and mat2 cannot be multiplied"
    assert status == 1 and err.count("\n") == 1 and sentence in err and "is meant" not in err
    assert "1 worse, 1 equal" in out and "Traceback" in out
    assert "identity on photos: " in out and "tv on photos: " not in out  # of what can be timed
    cases = {case.get("classname"): case for case in ET.parse("j.xml").iter("testcase")}
    assert sentence in cases["tv.photos"].find("failure").text
    assert f"- tv on photos, gaussian 25, seed 0, {sentence}" in Path("s.md").read_text()


def test_a_network_which_its_own_code_cannot_make_is_a_sentence_and_status_1(bench, monkeypatch):
    def broken(self, **settings):
        raise KeyError("gone")

    monkeypatch.setattr(DENOISERS["tv"], "__init__", broken)
    status, out, err = bench("check", "model=tv", *SMALL, "update=true")
    assert (status, err) == (1, "bench: nothing was scored: KeyError: 'gone'\n")
    assert "Traceback" in out
