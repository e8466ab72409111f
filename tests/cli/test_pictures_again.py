"""Pictures are made again where they were lost or damaged; nothing is scored for them."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from toy_finished import RUN, content

from benchmark.cells import filling as sharing
from benchmark.cells import pictures
from benchmark.cells import store as cells
from benchmark.scoring import grid as run

FIRST = "pictures/photos/gaussian-3-0/astronaut"


# pictures


def wrong_size(path: Path) -> None:
    cv2.imwrite(str(path), np.zeros((16, 32, 3), np.uint8))


def grey(path: Path) -> None:
    cv2.imwrite(str(path), np.zeros((32, 32), np.uint8))


def flipped(path: Path) -> None:
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 255
    path.write_bytes(damaged)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": cut,
    "cut within its head": lambda path: path.write_bytes(path.read_bytes()[:20]),
    "another format": lambda path: path.write_bytes(b"GIF89a" + bytes(100)),
    "text": lambda path: path.write_text("no picture"),
    "a flipped byte": flipped,
    "another size": wrong_size,
    "grey": grey,
    "missing": Path.unlink,
    "a dead link": lambda path: (path.unlink(), path.symlink_to("nowhere")),
}


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("name", ["clean", "noisy", "tv"])
def test_damaged_pictures_are_made_again_and_nothing_is_scored(
    bench, finished, undrawn, monkeypatch, name
):
    before = content(finished)
    folders = sorted(finished.glob("pictures/*/*/*"))
    for damage, folder in zip(DAMAGES.values(), folders, strict=True):
        damage(folder / f"{name}.png")
    monkeypatch.setattr(run, "fill", None)  # would be called for anything to score
    status, said, _ = bench(*RUN)
    assert status == 0
    assert "cells which are missing, damaged or smaller than asked for" in said
    assert content(finished) == before


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["pictures/photos/gaussian-3-0", "pictures"])
def test_pictures_lost_with_their_folder_are_made_again(bench, finished, undrawn, folder):
    before = content(finished)
    shutil.rmtree(finished / folder)
    assert bench(*RUN)[0] == 0
    assert content(finished) == before


def test_a_finished_folder_without_damage_computes_nothing(bench, finished, undrawn, monkeypatch):
    monkeypatch.setattr(run, "evaluate", None)
    assert "making pictures" not in bench(*RUN)[1]


def test_results_published_without_pictures_by_older_versions_get_none(bench, finished, undrawn):
    shutil.rmtree(finished / "pictures")
    for path in finished.glob("cells/*/*/*.json"):
        path.write_text(path.read_text().replace('"picture"', '"was"'))
    assert bench(*RUN)[0] == 0
    assert not (finished / "pictures").exists()


@pytest.mark.parametrize("name", ["clean", "noisy", "tv"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_picture_is_never_shown_and_costs_no_other(finished, damage, name):
    cell, names = cells.Cell("tv", "photos", "gaussian", 3.0, 0), ["clean", "noisy", "tv"]
    store = cells.ResultStore(finished)
    (whole,) = pictures.scenes(store, cell.__eq__)
    assert [whole.read(name).shape for name in whole.paths] == [(32, 32, 3)] * 3
    DAMAGES[damage](finished / FIRST / f"{name}.png")
    found = [*pictures.scenes(store, cell.__eq__)]
    if name == "clean":  # nothing says what the others show
        assert found == []
    else:
        assert list(found[0].paths) == [other for other in names if other != name]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["clean", "noisy", "tv"])
def test_a_report_names_what_a_strip_lacks_and_how_to_make_it_again(bench, finished, undrawn, name):
    before = content(finished)
    (finished / FIRST / f"{name}.png").write_bytes(b"")
    status, said, warned = bench("report", "out=out")
    assert status == 0
    assert "written to out: leaderboard.md, leaderboard.csv" in said
    assert ("strip_gaussian_photos.png" in undrawn) == (name != "clean")
    assert warned.count("\n") == 1
    model = "tv" if name == "tv" else "identity"
    assert (
        f"out/pictures/photos: gaussian-3-0/astronaut/{name}.png; make them again with: bench run "
        in warned
    )
    assert f"'model=[{model}]' 'noise=[gaussian]' data=photos out=out, and" in warned
    tables = ("leaderboard.csv", "scores.csv")
    assert all((finished / table).read_bytes() == before[table] for table in tables)
    assert bench(*RUN)[0] == 0
    assert content(finished) == before


def test_the_picture_is_there_before_the_row(bench, undrawn, monkeypatch):
    seen = []
    append = sharing.Part.append

    def noted(part, row):
        folder = cells.ResultStore("out").pictures(part.cell, row["image"])
        seen.append((folder / f"{part.cell.model}.png").is_file())
        return append(part, row)

    monkeypatch.setattr(sharing.Part, "append", noted)
    bench(*RUN, "noise.gaussian.levels=[50]")
    assert seen and all(seen)
