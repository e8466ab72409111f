"""A cell's file is believed only where it is one: the damaged is set aside, holes are filled."""

import json
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.cells import Cell, ResultStore, files, records
from benchmark.settings import digest_of

CELL = Cell("masked", "kodak24", "gaussian", 25.0, 0)
IMAGES = {name: f"{name} whole" for name in ("one", "two", "three")}
SETTINGS = {
    "model": {"of": "masked"},
    "noise": {"of": "gaussian"},
    "dataset": {"of": "kodak24", "images": 3, "sha256": digest_of(IMAGES.values())},
    "metrics": {"psnr": {"of": "psnr"}, "ssim": {"of": "ssim"}},
    "protocol": {},
}
LABELS = {
    "higher_is_better": {"psnr": True, "ssim": True},
    "border": {"psnr": 1, "ssim": 1},
    "unit": "sigma",
    "note": "",
}


def fill(store: ResultStore) -> list[str]:
    """Score what is missing; the images which that took."""
    scored = []
    with store.filling(CELL, SETTINGS, IMAGES) as part:
        for image in part.lacking(IMAGES):
            psnr = 30.0 + list(IMAGES).index(image)
            part.append({"image": image, "psnr": psnr, "ssim": 0.5, "seconds": 1})
            scored.append(image)
        part.finish(list(IMAGES), labels=LABELS, environment={"torch": "x", "tile": {}})
    return scored


@pytest.fixture
def store(tmp_path) -> ResultStore:
    store = ResultStore(tmp_path)
    assert fill(store) == list(IMAGES)
    return store


def at(*place: str | int, value: object = ..., drop: bool = False) -> Callable[[bytes], bytes]:
    """A file's content with one value replaced, or one key dropped."""

    def change(content: bytes) -> bytes:
        record = json.loads(content)
        inside = record
        for key in place[:-1]:
            inside = inside[key]
        if drop:
            del inside[place[-1]]
        else:
            inside[place[-1]] = value
        return json.dumps(record).encode()

    return change


def whole(content: bytes) -> Callable[[bytes], bytes]:
    return lambda _: content


DAMAGED = {
    "empty": whole(b""),
    "cut": lambda content: content[: len(content) // 2],
    "cut at the end": lambda content: content[:-3],
    "zeros": lambda content: bytes(len(content)),
    "a list": whole(b"[]"),
    "an empty object": whole(b"{}"),
    "null": whole(b"null"),
    "a number": whole(b"5"),
    "a text": whole(b'"cell"'),
    "no JSON": whole(b"hello"),
    "no UTF-8": whole(b'{"cell": "\xff\xfe"}'),
    "a picture": whole(b"\x89PNG\r\n\x1a\n" + bytes(range(256))),
    "two files": lambda content: content + content,
    "a conflict of git": lambda content: b"<<<<<<< ours\n" + content,
    "brackets": whole(b"[" * 100_000),
    "a long number": whole(b"1" * 10_000),
    **{f"no {key}": at(key, drop=True) for key in ("cell", "settings", "labels", "images")},
    **{f"{key} a list": at(key, value=[]) for key in ("cell", "settings", "labels")},
    **{f"{key} null": at(key, value=None) for key in ("cell", "settings", "labels", "images")},
    "environment a text": at("environment", value="x"),
    "tile a list": at("environment", "tile", value=[]),
    "images an object": at("images", value={}),
    "images a text": at("images", value="one"),
    **{f"no {key} in cell": at("cell", key, drop=True) for key in ("model", "level", "seed")},
    "a further key in cell": at("cell", "more", value=1),
    "another model": at("cell", "model", value="tv"),
    "another dataset": at("cell", "dataset", value="cbsd68"),
    "another noise": at("cell", "noise", value="poisson"),
    "another level": at("cell", "level", value=50.0),
    "another seed": at("cell", "seed", value=1),
    "a path as model": at("cell", "model", value="../../x"),
    "a path as dataset": at("cell", "dataset", value="/tmp/x"),
    "a number as model": at("cell", "model", value=5),
    "a text as level": at("cell", "level", value="25"),
    "no finite level": at("cell", "level", value=float("nan")),
    "a huge level": at("cell", "level", value=10**400),
    "half a seed": at("cell", "seed", value=0.5),
    "true as seed": at("cell", "seed", value=False),
    **{f"no {key} in settings": at("settings", key, drop=True) for key in SETTINGS},
    "metrics a list": at("settings", "metrics", value=["psnr"]),
    "a metric of a text": at("settings", "metrics", "psnr", value="psnr"),
    "a metric called image": at("settings", "metrics", value={"image": {}}),
    "a path as metric": at("settings", "metrics", value={"../x": {}}),
    "dataset a text": at("settings", "dataset", value="kodak24"),
    "no direction": at("labels", "higher_is_better", drop=True),
    "no direction of one": at("labels", "higher_is_better", "ssim", drop=True),
    "a direction in words": at("labels", "higher_is_better", "ssim", value="yes"),
    "a border in words": at("labels", "border", "psnr", value="1"),
    "unit a list": at("labels", "unit", value=["sigma"]),
    "family a list": at("labels", "family", value=["additive"]),
    "trained on a text": at("labels", "trained_on", value="gaussian"),
    "half a character": at("labels", "note", value="\ud800"),
    "a row a list": at("images", 1, value=[]),
    "a row null": at("images", 1, value=None),
    "a row without image": at("images", 1, "image", drop=True),
    "a number as image": at("images", 1, "image", value=1),
    "half a character as image": at("images", 1, "image", value="\udcff"),
    "an image twice": at("images", 1, "image", value="one"),
    "a score in quotes": at("images", 1, "psnr", value="30.0"),
    "a score true": at("images", 1, "psnr", value=True),
    "a score a list": at("images", 1, "psnr", value=[30.0]),
    "a score an object": at("images", 1, "ssim", value={}),
    "a score of 400 digits": at("images", 1, "ssim", value=10**400),
    "seconds in words": at("images", 1, "seconds", value="1 s"),
    "source a number": at("images", 1, "source", value=5),
}
HOLES = {
    "nan": at("images", 1, "psnr", value=float("nan")),
    "infinite": at("images", 1, "psnr", value=float("inf")),
    "minus infinite": at("images", 1, "ssim", value=-float("inf")),
    "too large for a float": lambda content: content.replace(b"31.0", b"1e999"),
    "null": at("images", 1, "psnr", value=None),
    "no score": at("images", 1, "psnr", drop=True),
    "no seconds": at("images", 1, "seconds", drop=True),
    "no image": at("images", 1, drop=True),
}


def changed(store: ResultStore, change: Callable[[bytes], bytes]) -> Path:
    path = store.path(CELL)
    path.write_bytes(change(path.read_bytes()))
    return path


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_cell_is_named_and_set_aside_and_scored_again(store, name):
    before = store.path(CELL).read_bytes()
    path = changed(store, DAMAGED[name])
    damaged = path.read_bytes()
    with pytest.warns(UserWarning, match="gaussian-25-0.json is no cell.*it is kept as") as said:
        assert not store.has(CELL, SETTINGS, IMAGES)
    assert len(said) == 1 and str(said[0].message).count("\n") == 0
    assert path.with_name("gaussian-25-0.json.damaged").read_bytes() == damaged
    assert fill(store) == list(IMAGES)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", DAMAGED)
def test_a_report_names_a_damaged_cell_and_leaves_it_out(store, name):
    other = store.path(CELL).parents[2] / "tv" / "kodak24"
    other.mkdir(parents=True)
    (other / "gaussian-25-0.json").write_bytes(
        at("cell", "model", value="tv")(store.path(CELL).read_bytes())
    )
    path = changed(store, DAMAGED[name])
    damaged = path.read_bytes()
    with pytest.warns(UserWarning, match="left out") as said:
        table = ResultStore(store.root).scores().rows
    assert str(path) in str(said[0].message)
    assert list(table["model"]) == ["tv"] * 3
    assert path.read_bytes() == damaged and not list(store.root.rglob("*.damaged"))


@pytest.mark.parametrize("name", HOLES)
def test_a_cell_with_holes_is_scored_again_where_they_are(store, name):
    before = json.loads(store.path(CELL).read_text())
    path = changed(store, HOLES[name])
    with pytest.warns(UserWarning, match="lacking scores of some images.*gaussian-25-0.json"):
        table = store.scores().rows
    assert not (table[["psnr", "ssim"]].abs() == float("inf")).any(axis=None)
    assert fill(store) == ["two"]
    assert json.loads(path.read_text()) == before
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert store.scores().rows.notna().all(axis=None)


@pytest.mark.parametrize(
    "copy",
    [
        *("gaussian-25-0 (1).json", "gaussian-25-0 copy.json", "gaussian-25-0 - Copy.json"),
        *("gaussian-25-0.sync-conflict-20260101-101010-ABCDEFG.json", "gaussian-25.0-0.json"),
        *(
            "._gaussian-25-0.json",
            ".gaussian-25-0.json",
            "gaussian-50-0.json",
            "Gaussian-25-0.json",
        ),
    ],
)
def test_hidden_files_and_copies_are_no_cells(store, copy):
    shutil.copy(store.path(CELL), store.path(CELL).with_name(copy))
    with pytest.warns(UserWarning, match="no cells, but hidden files or copies of some") as said:
        assert len(store.scores().rows) == 3
    assert copy in str(said[0].message) and len(said) == 1
    assert store.has(CELL, SETTINGS, IMAGES)


def test_what_is_no_regular_file_is_no_cell_and_nobody_waits_for_it(store):
    strange = 1
    if hasattr(os, "mkfifo"):  # not on Windows
        os.mkfifo(store.path(CELL).with_name("gaussian-15-0.json"))
        strange = 2
    store.path(CELL).with_name("gaussian-50-0.json").mkdir()
    with pytest.warns(UserWarning, match="no regular file; it is left out") as said:
        assert len(store.scores().rows) == 3
    assert len(said) == strange


def test_a_second_damaged_file_does_not_replace_the_first(store):
    for number in range(3):
        store.path(CELL).write_text(f"damage {number}")
        with pytest.warns(UserWarning, match="is kept as"):
            fill(store)
    kept = sorted(store.root.rglob("*.damaged*"))
    assert [path.read_text() for path in kept] == ["damage 0", "damage 1", "damage 2"]


def test_each_state_of_a_file_is_read_once(store, monkeypatch):
    calls = []
    read = files.read_record
    monkeypatch.setattr(files, "read_record", lambda *given: calls.append(1) or read(*given))
    fresh = ResultStore(store.root)
    assert fresh.has(CELL, SETTINGS, IMAGES)
    fresh.scores()
    assert len(calls) == 1
    changed(store, HOLES["null"])
    assert not fresh.has(CELL, SETTINGS, IMAGES)


NOTE = 'a "cell":{} and ,"images":[{ in a text, \\n "images": [ as well'
LATER = {"earlier": [{"environment": {}, "images": ["one"]}]}  # a list of names behind the rows


@pytest.mark.parametrize("indent", [None, 1, 2], ids=str)
@pytest.mark.parametrize(
    "change",
    [
        lambda record: record,
        lambda record: {**record, **LATER},
        lambda record: {**record, "labels": {**record["labels"], "note": NOTE}},
        lambda record: {**record, "labels": {**record["labels"], "note": "Größe"}},
        lambda record: {"more": {"cell": {}, "images": [{"image": "x"}]}, **record},
        lambda record: {**record, "more": {"cell": {}, "images": [{"image": "x"}]}},
        lambda record: dict(reversed(record.items())),
    ],
    ids=["as written", "earlier", "note", "letters", "before", "behind", "reversed"],
)
def test_a_record_comes_back_as_its_text_says_whatever_stands_around(store, change, indent):
    record = change(json.loads(store.path(CELL).read_text()))
    for first in (record, {"cell": record["cell"], **record}):
        separators = (",", ":") if indent is None else None
        text = json.dumps(first, indent=indent, separators=separators, ensure_ascii=False)
        stored = records.parse_record(text.encode(), "here", records.is_scored)
        assert json.dumps(stored.record) == json.dumps(first)
        assert stored.images == tuple(IMAGES) and stored.cell == CELL


@pytest.mark.parametrize("copies", ["cell", "images"])
def test_what_stands_elsewhere_is_no_key_and_are_no_rows(store, copies):
    record = json.loads(store.path(CELL).read_text())
    moved = {"cell": record["cell"], "more": {copies: record[copies]}, **record, copies: None}
    text = json.dumps(moved, separators=(",", ":"))
    with pytest.raises(records.Damaged, match=f"here is no cell: '{copies}'"):
        records.parse_record(text.encode(), "here", records.is_scored)


def test_cells_which_say_the_same_share_it_in_memory(store):
    text = store.path(CELL).read_text()
    one, other = (
        records.parse_record(text.replace("25.0", level).encode(), "here", records.is_scored)
        for level in ("25.0", "50.0")
    )
    assert one.cell.level == 25 and other.cell.level == 50
    assert one.facts is other.facts and one.images is other.images
