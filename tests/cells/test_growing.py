"""A cell grows by the images which are new, and keeps what it has."""

import json
from dataclasses import replace

import pytest
from filled_cells import (
    CELL,
    LABELS,
    fill,
    has,
    identities,
    row,
    settings,
)

from benchmark.cells.filling import Part, Request
from benchmark.cells.running.sharing import share


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
