"""Cells at rest: one file holds what their files held, and nothing is lost on the way."""

import errno
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from benchmark.cells import Cell, ResultStore, files, packed
from benchmark.cells.filling import Request
from benchmark.cells.packed import pack
from benchmark.cells.running.sharing import lacking, share
from benchmark.files.output import prepare
from benchmark.settings import digest_of

IMAGES = {name: f"{name} whole" for name in ("one", "two", "three")}
LABELS = {"higher_is_better": {"psnr": True}, "unit": "sigma", "note": "größer"}
NUMBERS = (1 / 3, 5e-324, 1.7976931348623157e308)
CELLS = [Cell(model, "kodak24", "gaussian", 25.0, 0) for model in ("a-b", "a", "tv")]
CELL = CELLS[0]


def settings(images: dict[str, str] = IMAGES) -> dict[str, object]:
    return {
        "model": {"of": "masked"},
        "noise": {"of": "gaussian"},
        "dataset": {"of": "kodak24", "images": len(images), "sha256": digest_of(images.values())},
        "metrics": {"psnr": {"of": "psnr"}},
        "protocol": {},
    }


def fill(store: ResultStore, cell: Cell, images: dict[str, str] = IMAGES) -> list[str]:
    """Finish a cell; the images which had to be scored."""
    with store.filling(cell, settings(images), images) as part:
        todo = part.lacking(images)
        for number, image in enumerate(todo):
            part.append({"image": image, "psnr": NUMBERS[number % 3], "seconds": 0.1, "mine": [1]})
        part.finish(list(images), labels=LABELS, further="kept")
    return todo


def file(store: ResultStore) -> Path:
    return store.root / "cells.jsonl"


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture
def store(tmp_path) -> ResultStore:
    store = ResultStore(tmp_path / "o")
    for cell in CELLS:
        fill(store, cell)
    return store


def test_packing_leaves_one_sorted_file_from_which_every_record_comes_back(store):
    before, scores = dict(store.records()), store.scores()
    assert pack(store) == 3
    assert list(contents(store.root)) == ["cells.jsonl"]
    assert [path.name for path in store.root.iterdir()] == ["cells.jsonl"]
    lines = [json.loads(line) for line in file(store).read_text().splitlines()]
    assert [line["cell"]["model"] for line in lines] == ["a", "a-b", "tv"]
    fresh = ResultStore(store.root)
    assert dict(fresh.records()) == before
    again = fresh.scores()
    pd.testing.assert_frame_equal(again.rows, scores.rows, check_exact=True)
    assert {**vars(again), "rows": None} == {**vars(scores), "rows": None}


def test_a_packed_cell_is_found_and_not_scored_again(store):
    states = [store.state(cell) for cell in CELLS]
    pack(store)
    fresh = ResultStore(store.root)
    assert all(cell in fresh for cell in CELLS)
    requests = [Request(cell, settings(), IMAGES) for cell in CELLS]
    assert lacking(fresh, requests) == []
    assert [fresh.state(cell) for cell in CELLS] == states
    assert fill(fresh, CELL) == []
    assert list(contents(store.root)) == ["cells.jsonl"]


def test_cells_are_found_while_another_process_packs_them(store, monkeypatch):
    before, other, names_below = dict(store.records()), ResultStore(store.root), files.names_below

    def packed_meanwhile(folder, depth):
        found = list(names_below(folder, depth))
        monkeypatch.undo()
        pack(other)
        return found

    fresh = ResultStore(store.root)
    fresh.packed.cells()
    monkeypatch.setattr(files, "names_below", packed_meanwhile)
    assert dict(fresh.records()) == before


def test_packing_twice_changes_no_byte(store):
    pack(store)
    before = file(store).read_bytes()
    assert pack(store) == 3
    assert file(store).read_bytes() == before


def test_a_packed_cell_with_other_settings_is_refused_naming_its_line(store):
    pack(store)
    other = {**settings(), "model": {"of": "other"}}
    with pytest.raises(ValueError, match=r"line 2 of .*cells\.jsonl was scored with model\.of 'ma"):
        store.has(CELL, other, IMAGES)


def test_what_is_scored_later_is_a_file_which_wins_until_it_is_packed(store):
    few = dict(list(IMAGES.items())[:2])
    alone = ResultStore(store.root.with_name("alone"))
    fill(alone, CELL, few)
    pack(alone)
    assert fill(alone, CELL) == ["three"]
    assert alone.path(CELL).is_file()
    assert [row["image"] for row in alone.read(CELL)["images"]] == list(IMAGES)
    record = ResultStore(alone.root).read(CELL)
    assert pack(alone) == 1
    assert not alone.path(CELL).exists()
    assert ResultStore(alone.root).read(CELL) == record


def test_a_deleted_line_is_a_cell_to_score_again(store):
    pack(store)
    lines = file(store).read_text().splitlines(keepends=True)
    file(store).write_text("".join(lines[:1] + lines[2:]))
    assert CELL not in store
    assert fill(store, CELL) == list(IMAGES)
    assert pack(store) == 3
    assert file(store).read_text() == "".join(lines)


def test_concatenated_files_are_one_result_in_which_the_last_line_of_a_cell_counts(store):
    other = ResultStore(store.root.with_name("other"))
    fill(other, Cell("dncnn", "kodak24", "gaussian", 25.0, 0))
    shutil.copytree(store.root / "cells" / "tv", other.root / "cells" / "tv")
    path = other.path(CELLS[2])
    path.write_text(path.read_text().replace('"kept"', '"later"'))
    pack(store), pack(other)
    with file(store).open("ab") as both:
        both.write(file(other).read_bytes())
    assert len(dict(store.records())) == 4
    assert store.read(CELLS[2])["further"] == "later"
    assert pack(store) == 4


@pytest.mark.parametrize("end", [b"\n", b"", b"\r\n"])
def test_a_file_without_a_line_feed_at_its_end_is_joined_to_another(store, end):
    pack(store)
    before, lines = dict(store.records()), file(store).read_bytes().splitlines()
    file(store).write_bytes(end.join([lines[0], lines[1], lines[2]]))
    fresh = ResultStore(store.root)
    assert dict(fresh.records()) == before
    assert pack(fresh) == 3
    assert file(store).read_bytes() == b"\n".join(lines) + b"\n"


def test_a_torn_line_before_another_file_costs_its_own_cell_alone(store):
    pack(store)
    lines = file(store).read_bytes().splitlines()
    file(store).write_bytes(lines[0][:-40] + lines[1] + b"\n" + lines[2])
    fresh = ResultStore(store.root)
    with pytest.warns(UserWarning, match=r"line 1 of .*cells\.jsonl is no cell"):
        assert len(dict(fresh.records())) == 2
    assert CELL in fresh


DAMAGED = {
    "torn": lambda line: line[: len(line) // 2],
    "in another file's line": lambda line: line[:-1] + line[1:],
    "a conflict of git": lambda line: b"<<<<<<< ours",
    "zeros": lambda line: bytes(len(line)),
    "another type": lambda line: line.replace(b'"images":', b'"pictures":'),
    "a score in quotes": lambda line: line.replace(b"5e-324", b'"5"'),
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_line_is_named_and_put_aside_and_the_others_are_kept(store, damage):
    pack(store)
    lines = file(store).read_bytes().splitlines()
    lines[1] = damage(lines[1])
    file(store).write_bytes(b"\n".join(lines) + b"\n")
    fresh = ResultStore(store.root)
    with pytest.warns(UserWarning, match=r"line 2 of .*cells\.jsonl is no cell.*left out") as said:
        assert [cell for cell, _ in fresh.records()] == [CELLS[1], CELLS[2]]
    assert len(said) == 1
    assert fill(fresh, CELL) == list(IMAGES)
    with pytest.warns(UserWarning, match=r"damaged lines of .* are kept as cells\.jsonl\.damaged"):
        assert pack(fresh) == 3
    assert file(store).with_name("cells.jsonl.damaged").read_bytes() == lines[1] + b"\n"


def test_a_damaged_line_does_not_hide_a_whole_one_of_the_same_cell(store):
    pack(store)
    with file(store).open("ab") as opened:
        opened.write(file(store).read_bytes().splitlines()[1][:-9])
    with pytest.warns(UserWarning, match="line 4"):
        assert store.has(CELL, settings(), IMAGES)


def test_a_damaged_file_is_not_packed_and_stays(store):
    store.path(CELL).write_text("damage")
    with pytest.warns(UserWarning, match="gaussian-25-0.json is no cell"):
        assert pack(store) == 2
    assert store.path(CELL).read_text() == "damage"


class Killed(BaseException):
    """What a kill is to a process: nothing handles it."""


def kill_at(moment: int, patch: pytest.MonkeyPatch) -> None:
    """From the nth change of a file on, each raises: nothing happens after a kill."""
    numbers = itertools.count(1)

    def dying(original: Callable) -> Callable:
        def change(*arguments: object, **more: object) -> object:
            if next(numbers) >= moment:
                raise Killed
            return original(*arguments, **more)

        return change

    for name in ("open", "replace", "unlink", "rmdir"):
        patch.setattr(os, name, dying(getattr(os, name)))


def test_nothing_is_lost_wherever_packing_is_killed(store, tmp_path, monkeypatch):
    pack(store)
    fill(store, CELL, {**IMAGES, "four": "four whole"})
    fill(store, Cell("dncnn", "kodak24", "gaussian", 25.0, 0))
    before, killed = dict(store.records()), 0
    while killed < 100:
        root = Path(shutil.copytree(store.root, tmp_path / str(killed)))
        with monkeypatch.context() as patch:
            kill_at(killed + 1, patch)
            try:
                pack(ResultStore(root))
                break
            except Killed:
                killed += 1
        assert dict(ResultStore(root).records()) == before
        for left in (*root.rglob("*.lease"), *root.glob(".*.tmp")):
            left.unlink()  # as `lacking` does where its process lives no longer
        assert pack(ResultStore(root)) == 4
        assert dict(ResultStore(root).records()) == before
        assert list(contents(root)) == ["cells.jsonl"]
    assert 10 < killed < 100


def test_a_file_which_changes_while_it_is_packed_stays(store, monkeypatch):
    replacing = packed.replacing

    @contextmanager
    def disturbed(path: Path):
        with replacing(path) as file:
            yield file
        later = store.path(CELL).read_text().replace('"kept"', '"later"')
        packed.write_whole(store.path(CELL), later)

    monkeypatch.setattr(packed, "replacing", disturbed)
    assert pack(ResultStore(store.root)) == 3
    assert store.path(CELL).is_file()
    assert store.read(CELL)["further"] == "later"


def test_a_cell_in_work_stays_a_file(store):
    more = {**IMAGES, "four": "four whole"}
    with ResultStore(store.root).filling(CELL, settings(more), more):
        pack(store)
        assert store.path(CELL).is_file() and not store.path(CELLS[1]).exists()
    assert len(dict(store.records())) == 3


def test_packing_waits_for_another_which_packs(store):
    said = []
    held = ResultStore(store.root).leases.take(store.lease_path(file(store)))

    def say(sentence: str) -> None:
        said.append(sentence)
        held.release()

    assert pack(store, say) == 3
    assert said[0].startswith(f"waiting for process {os.getpid()} here")


@pytest.mark.slow
def test_packing_goes_on_where_another_pack_was_killed_and_a_run_holds_a_cell(store):
    code = (
        "import sys, time; from benchmark.files.lease import Leases; from pathlib import Path; "
        "lease = Leases().take(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    words = [sys.executable, "-c", code, str(store.lease_path(file(store)))]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        other.kill()
    more = {**IMAGES, "four": "four whole"}
    with ResultStore(store.root).filling(CELL, settings(more), more):
        assert pack(store, pytest.fail) == 3
        assert list(store.root.rglob("*.lease")) == [store.lease_path(store.path(CELL))]
    assert len(dict(ResultStore(store.root).records())) == 3


def test_a_packed_cell_which_is_scored_again_is_one_cell(store):
    pack(store)
    before = store.state(CELL)
    fresh = ResultStore(store.root)
    (part,) = share(fresh, [Request(CELL, settings(), IMAGES)], print, lambda cell: True)
    with part:
        assert part.lacking(IMAGES) == list(IMAGES)
        for image in IMAGES:
            part.append({"image": image, "psnr": 31.0, "seconds": 0.1})
        part.finish(list(IMAGES), labels=LABELS)
    assert fresh.state(CELL) != before
    assert pack(fresh) == 3
    assert [row["psnr"] for row in ResultStore(store.root).read(CELL)["images"]] == [31.0] * 3


def test_a_folder_which_cannot_be_written_is_one_sentence_and_keeps_its_cells(store, monkeypatch):
    before = contents(store.root)
    original = os.open

    def refused(path: str, flags: int, *more: object) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.EROFS, "Read-only file system")
        return original(path, flags, *more)

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(OSError, match=r"cannot write .*Read-only file system; .*out=FOLDER"):
        pack(store)
    assert contents(store.root) == before


def test_a_folder_without_cells_is_a_mistake_and_makes_no_folder(tmp_path):
    for root in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(ValueError, match="no finished cells under .*; name a folder"):
            pack(ResultStore(root))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_called_as_the_file_is_said_to_be_in_the_way(tmp_path):
    (tmp_path / "cells.jsonl").mkdir()
    with pytest.raises(ValueError, match=r"cells\.jsonl is no regular file"):
        ResultStore(tmp_path).scores()


def test_figures_beside_packed_cells_are_ours(store):
    (store.root / "figure11_photos.svg").write_text("")
    pack(store)
    assert prepare(store.root, figures=("figure11_*",)) == store.root


@pytest.mark.slow
def test_commands_go_on_from_a_packed_folder(bench, tmp_path):
    run = ["run", "model=identity", "noise=gaussian", "data.photos.limit=1", "data.photos.crop=32"]
    run += ["noise.gaussian.levels=[25]", "metric=psnr", "out=o"]
    assert bench(*run)[0] == 0
    pages = {
        name: (tmp_path / "o" / name).read_bytes() for name in ("scores.csv", "leaderboard.md")
    }
    status, out, err = bench("pack", "out=o")
    assert (status, out, err) == (0, "written to o: cells.jsonl, 1 cell\n", "")
    assert not (tmp_path / "o" / "cells").exists()
    assert bench(*run)[0] == 0
    assert {name: (tmp_path / "o" / name).read_bytes() for name in pages} == pages
    assert not (tmp_path / "o" / "cells").exists()
