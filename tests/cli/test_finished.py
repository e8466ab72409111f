"""A finished run given again: shown without being planned, and never where that could differ."""

import importlib
import json
import os
import time
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark import registry
from benchmark.cli import composing, finished
from benchmark.cli.objects.needed import needed_files, watched_files
from benchmark.cli.objects.specs import spec_of
from benchmark.cli.registered import catalogue
from benchmark.denoiser import DENOISERS
from benchmark.denoiser.weights.load import save_weights
from benchmark.files.states import below, state_of

RUN = (
    "run",
    "model=dncnn",
    "model.dncnn.weights=own.safetensors",
    "noise=gaussian",
    "noise.gaussian.levels=[25]",
    "data=kodak24",
    "data.kodak24.limit=1",
    "metric=psnr",
    "out=out",
)


def write_image(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def write_weights(path: Path, depth: int) -> None:
    arguments: dict[str, object] = {"depth": depth, "width": 4}
    training = {
        "noise": {"of": "gaussian"},
        "level": 15.0,
        "data": {"of": "photos"},
        "recipe": {"steps": 1, "batch": 1, "patch": 16},
    }
    save_weights(path, DENOISERS["dncnn"](**arguments), arguments, training)


@pytest.fixture(scope="module")
def known_names(tmp_path_factory) -> Path:
    """A folder for the catalogue, which takes a second to make."""
    importlib.import_module("cv2")  # changes LD_LIBRARY_PATH, in each process once
    return tmp_path_factory.mktemp("catalogue")


@pytest.fixture
def plans(tmp_path, monkeypatch, bench, known_names):
    """Give `RUN`, or other words; the names of the runs which were planned since last asked."""
    monkeypatch.setattr(catalogue, "LOADED", "nothing.that.is.loaded")
    monkeypatch.setattr(catalogue, "user_cache_path", lambda name: known_names)
    monkeypatch.setattr(finished, "user_cache_path", lambda name: tmp_path / "cache")
    data = tmp_path / "data"
    monkeypatch.setenv("NOISEBENCH_DATA", str(data))
    for number in range(1, 25):
        write_image(data / "kodak24" / f"kodim{number:02}.png", number)
    write_weights(tmp_path / "own.safetensors", depth=3)
    planned = []
    call = composing.call

    def noting(command, *arguments):
        planned.append(command.name)
        return call(command, *arguments)

    monkeypatch.setattr(composing, "call", noting)

    def give(*words: str) -> tuple[bool, int, str, str]:
        """Whether it was planned, its exit status, and what it said."""
        planned.clear()
        status, out, err = bench(*(words or RUN))
        return bool(planned), status, out, err

    return give


def test_a_finished_run_is_shown_again_without_being_planned(plans, tmp_path):
    planned, status, first, err = plans()
    assert (planned, status, err) == (True, 0, "")
    pages = {path: path.read_bytes() for path in (tmp_path / "out").glob("*.*")}
    for path in pages:
        if path.name != "cells.jsonl":
            path.unlink()
    planned, status, again, err = plans()
    assert (planned, status, err) == (False, 0, "")
    assert again.strip() and again.strip() == first.strip()[-len(again.strip()) :]
    assert {path: path.read_bytes() for path in (tmp_path / "out").glob("*.*")} == pages


@pytest.mark.slow
def test_what_it_says_is_what_a_planned_run_says(plans, monkeypatch):
    plans()
    shown = plans()
    monkeypatch.setattr(finished, "find", lambda line: None)
    planned = plans()
    assert (shown[0], planned[0]) == (False, True)
    assert shown[1:] == planned[1:]


def test_it_says_again_what_was_said_and_warned_of_while_it_was_planned(plans, tmp_path):
    (tmp_path / "pictures/more").mkdir(parents=True)
    for path in ("pictures/1.png", "pictures/more/2.png"):
        write_image(tmp_path / path, 1)
    words = (
        "run",
        "model=identity",
        "noise=[gaussian(25),isp]",
        "data=folder",
        "data.folder.path=pictures",
        "protocol=kair_grey",
        "metric=psnr",
        "out=out",
    )
    plans(*words)
    (tmp_path / "out/cells/identity/folder/other.json").write_text("{}")
    said = [plans(*words) for _ in range(2)]
    assert [planned for planned, *_ in said] == [True, False]
    assert said[0][1:] == said[1][1:]
    _, status, out, err = said[1]
    assert (status, out.partition(":")[0]) == (0, "no noise isp of grey images")
    unread, foreign = err.splitlines()
    assert unread == "bench: 1 image in subfolders of pictures is not read: more 1"
    assert foreign.startswith("bench: out/cells/identity/folder/other.json is no cell: ")


def test_a_report_of_somebody_else_is_refused_as_by_a_planned_run(plans, tmp_path):
    plans()
    (tmp_path / "out/leaderboard.md").write_text("mine")
    planned, status, out, err = plans()
    assert (planned, status, out) == (True, 2, "")
    assert "out/leaderboard.md was not written by bench" in err


def touched_data(folder: Path) -> None:
    write_image(folder / "data/kodak24/kodim01.png", 99)


def other_data(folder: Path) -> None:
    (folder / "data/kodak24/kodim24.png").unlink()


def more_data(folder: Path) -> None:
    (folder / "data/mcmaster").mkdir()
    for number in range(18):
        write_image(folder / f"data/mcmaster/{number}.png", number)


def touched_weights(folder: Path) -> None:
    write_weights(folder / "own.safetensors", depth=4)


def touched_cell(folder: Path) -> None:
    [path] = (folder / "out/cells/dncnn").rglob("*.json")
    record = json.loads(path.read_text())
    record["settings"]["model"]["of"] = "ridnet"
    path.write_text(json.dumps(record))


def one_cell_less(folder: Path) -> None:
    [path] = (folder / "out/cells/dncnn").rglob("*.json")
    path.unlink()


def a_plan(folder: Path) -> None:
    record = json.loads(next((folder / "cache/finished").glob("*.json")).read_text().split("\n")[1])
    path = folder / record["plan"]
    path.parent.mkdir()
    path.write_text("{}")


def no_picture(folder: Path) -> None:
    next((folder / "out/pictures").rglob("dncnn.png")).unlink()


CHANGES = {
    "an image": (touched_data, 2),
    "an image less": (other_data, 0),
    "a dataset more": (more_data, 0),
    "weights": (touched_weights, 2),
    "a cell": (touched_cell, 2),
    "a cell less": (one_cell_less, 0),
    "the plan of a run that was stopped": (a_plan, 0),
    "a picture less": (no_picture, 0),
}


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize("what", CHANGES)
def test_what_a_run_read_and_is_changed_has_it_planned_again(plans, tmp_path, what):
    change, expected = CHANGES[what]
    plans()
    assert plans()[0] is False
    change(tmp_path)
    planned, status, _, _ = plans()
    assert (planned, status) == (True, expected)


def test_a_cell_less_in_a_linked_folder_is_scored_again(plans, tmp_path):
    plans()
    (tmp_path / "out/cells/dncnn").rename(tmp_path / "elsewhere")
    (tmp_path / "out/cells/dncnn").symlink_to(tmp_path / "elsewhere")
    plans()
    assert plans()[0] is False
    (tmp_path / "elsewhere/kodak24/gaussian-25-0.json").unlink()
    assert plans()[:2] == (True, 0)
    assert (tmp_path / "elsewhere/kodak24/gaussian-25-0.json").exists()


def test_a_record_whose_content_was_changed_counts_as_none(plans, tmp_path):
    plans()
    [record] = (tmp_path / "cache/finished").glob("*.json")
    for old, new in [('"kodak24": [', '"kodak25": ['), ('"models": ["', '"models": ["x')]:
        text = record.read_text()
        assert old in text
        record.write_text(text.replace(old, new))
        assert plans()[:2] == (True, 0)
        assert plans()[0] is False


@pytest.mark.slow
def test_whatever_else_a_run_depends_on_has_it_planned_again(plans, tmp_path, monkeypatch):
    plans()
    module = tmp_path / "acme_of_finished_runs.py"
    module.write_text("")
    with monkeypatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        entry = EntryPoint("acme", module.stem, registry.ENTRY_POINT_GROUP)
        patch.setattr(registry, "entry_points", lambda group: [entry])
        assert plans()[0], "a plugin"
        assert not plans()[0]
        module.write_text("# edited")
        assert plans()[0], "the code of a plugin"
    assert plans()[0], "no plugin"
    with monkeypatch.context() as patch:
        patch.setenv("ACME_TABLE", "1")
        assert plans()[0], "the environment"
    with monkeypatch.context() as patch:
        patch.setattr(catalogue, "__version__", "0.0.0")
        assert plans()[0], "our version"
    assert plans(*[w.replace("=psnr", "=[psnr,ssim]") for w in RUN])[0], "other words"
    assert plans(*RUN, "protocol=kair")[1] == 2, "another protocol"


@pytest.mark.slow
def test_the_code_of_a_library_is_watched(plans, tmp_path, monkeypatch):
    module = tmp_path / "library_of_finished_runs.py"
    module.write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    __import__(module.stem)
    plans()
    assert not plans()[0]
    module.write_text("# another release")
    assert plans()[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", ["rescore=changed", "shard=1/2", "precision=auto", "levels=matched"]
)
def test_runs_whose_plan_is_measured_or_a_part_are_planned_each_time(plans, words):
    plans(*RUN, words)
    assert plans(*RUN, words)[0]


@pytest.mark.slow
def test_a_terminal_and_a_damaged_record_change_no_table(plans, tmp_path, monkeypatch):
    plans()
    for name in ("TERM_SESSION_ID", "GNOME_TERMINAL_SCREEN"):
        monkeypatch.setenv(name, "another")
    assert not plans()[0]
    [record] = (tmp_path / "cache/finished").glob("*.json")
    record.write_text(record.read_text()[:-9])
    assert plans()[:2] == (True, 0)
    assert not plans()[0]


def test_a_file_of_the_same_size_and_time_is_in_another_state(tmp_path):
    path = tmp_path / "file"
    states = set()
    ends = time.monotonic() + 5  # clocks of file systems may tick each 10 ms only
    while len(states) < 2 and time.monotonic() < ends:
        path.write_text("two" if states else "one")
        os.utime(path, (1e9, 1e9))
        states.add(state_of(str(path)))
    assert len(states) == 2


def test_what_is_below_a_folder_is_listed_in_order_also_behind_links(tmp_path):
    top = tmp_path / "top"
    (top / "b/c").mkdir(parents=True)
    (top / "a").write_text("")
    (tmp_path / "elsewhere/d").mkdir(parents=True)
    (top / "b/circle").symlink_to(top)
    (top / "b/link").symlink_to(tmp_path / "elsewhere")
    found = [os.path.relpath(path, top) for path in below(str(top))]
    assert found == [".", "a", "b", "b/c", "b/circle", "b/link", "b/link/d"]


def test_files_which_a_formulas_noises_read_are_watched_and_needed(tmp_path, monkeypatch):
    monkeypatch.setattr("noise_models.isp.read_camera", lambda path: None)
    monkeypatch.chdir(tmp_path)
    Path("a.dng").write_text("")
    formula = {"of": "formula", "formula": "gaussian(5)+isp(1,camera=a.dng)"}
    specs = {"noise": {"own": spec_of("noise", "own", formula)}}
    assert watched_files(specs) == [Path("a.dng")]
    assert needed_files(specs) == {"here/a.dng": Path("a.dng")}
