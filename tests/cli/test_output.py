"""Where results go: whole files, folders that cannot be, pages of others, pictures made again."""

import errno
import os
import shlex
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawing import leave_undrawn

from benchmark.cells import filling as sharing
from benchmark.cells import pictures
from benchmark.cells import store as cells
from benchmark.files import output
from benchmark.reporting import readme
from benchmark.scoring import evaluate
from benchmark.scoring import grid as run
from benchmark.studies import explain, noise_sheet, passes, tiles

ROOT = Path(__file__).parents[2]
PLAIN = ["model=[identity,tv]", "noise=[gaussian]", "metric=[psnr]"]
SMALL = ["data.photos.limit=1", "data.photos.crop=32", "out=out"]
FIRST = "pictures/photos/gaussian-3-0/astronaut"
LEVELS = f"noise.gaussian.levels={[*range(1, 11)]}".replace(" ", "")
RUN = ["run", *PLAIN, *SMALL, LEVELS]


@pytest.fixture
def undrawn(monkeypatch) -> list[str]:
    """Figures are not drawn; the names of those to be drawn."""
    return leave_undrawn(monkeypatch)


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, hidden ones as well."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


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


# files


class Stopped(BaseException):
    """What a kill is to a process: nothing handles it."""


@pytest.mark.slow
def test_a_report_stopped_at_any_file_leaves_every_file_whole(bench, finished, monkeypatch):
    before, replace, calls = content(finished), os.replace, []
    pages = [name for name in before if "/" not in name and name != "README.md"]

    def stopping(source: str, target: str) -> None:
        calls.append(Path(target))
        if len(calls) > stop_at:
            raise Stopped
        replace(source, target)

    for stop_at in (0, 3, 6):
        calls.clear()
        for name in pages:
            (finished / name).unlink(missing_ok=True)
        with monkeypatch.context() as patch, pytest.raises(Stopped):
            patch.setattr(os, "replace", stopping)
            bench("report", "out=out")
        assert content(finished).items() <= before.items()
        assert sum(name in pages for name in content(finished)) == stop_at
    assert [path.suffix for path in calls] == [".md", *[".csv"] * 4, ".svg", ".png"]
    bench("report", "out=out")
    assert content(finished) == before


ERRORS = [
    (errno.ENOSPC, "make room"),
    (errno.EDQUOT, "make room"),
    (errno.EACCES, "that you may write to"),
    (errno.EPERM, "that you may write to"),
    (errno.EROFS, "that you may write to"),
    (errno.ENAMETOOLONG, "shorter"),
    (errno.EIO, "give the same command again"),
]


@pytest.mark.parametrize(("number", "advice"), ERRORS, ids=lambda part: str(part))
@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_a_report_that_cannot_be_written_is_one_sentence_and_keeps_what_was_there(
    bench, finished, undrawn, monkeypatch, number, advice, call
):
    before = content(finished)

    def failing(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, failing)
    status, _, said = bench("report", "out=out")
    assert (status, said.count("\n")) == (2, 1)
    assert os.strerror(number) in said and advice in said
    assert ("make room" in said) == (advice == "make room")
    assert content(finished) == before


def file(place: Path) -> str:
    (place / "a").write_text("mine")
    return "a"


def dead_link(place: Path) -> str:
    (place / "a").symlink_to("nowhere")
    return "a"


PLACES = {
    "nothing": lambda _: "",
    "spaces": lambda _: "'  '",
    "a file": file,
    "below a file": lambda place: f"{file(place)}/b/c",
    "a dead link": dead_link,
    "a device": lambda _: "/dev/null",
    "below a device": lambda _: "/dev/null/a",
    "a name too long": lambda _: "a" * 300,
}
COMMANDS = {
    "run": [*PLAIN, *SMALL[:2]],
    "passes": [
        "model=masked",
        "noise=[gaussian]",
        "data.photos.limit=1",
        "passes=2",
        "averaged=[1,2]",
    ],
    "tiles": ["model=tv", "noise=[gaussian]", "data.photos.limit=1", "tiles=[64]"],
    "explain": ["model=tv", "noise=[gaussian]", "data.photos.limit=1"],
    "noise": ["noise=gaussian", *SMALL[:2]],
}
COMPUTING = [(evaluate, "noisy_pair"), (run, "fill"), (passes, "measure")]
COMPUTING += [(tiles, "measure_tiles"), (noise_sheet, "write_sheet"), (explain, "measure")]


def forbid_computing(monkeypatch) -> None:
    def computed(*_: object, **__: object) -> None:
        raise AssertionError("computed before the folder was checked")

    for module, name in COMPUTING:
        monkeypatch.setattr(module, name, computed)


@pytest.mark.sampled(every=8)
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("place", PLACES)
def test_a_place_for_results_that_cannot_be_is_said_before_anything_is_computed(
    bench, tmp_path, monkeypatch, place, command
):
    forbid_computing(monkeypatch)
    out = PLACES[place](tmp_path)
    before = content(tmp_path)
    status, _, said = bench(command, *COMMANDS[command], f"out={out}")
    assert (status, said.count("\n")) == (2, 1)
    assert "out=FOLDER" in said or "names no folder" in said
    assert "make room" not in said
    assert content(tmp_path) == before


@pytest.mark.sampled(every=7)
@pytest.mark.parametrize(("number", "advice"), ERRORS, ids=lambda part: str(part))
def test_a_folder_that_cannot_be_written_is_said_before_anything_is_computed(
    bench, monkeypatch, number, advice
):
    def failing(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    forbid_computing(monkeypatch)
    monkeypatch.setattr(os, "fsync", failing)
    status, _, said = bench(*RUN)
    assert (status, said.count("\n")) == (2, 1)
    assert "cannot write out: " in said and advice in said
    assert not Path("out").exists()


# pages of others

FOREIGN = "# My results\n\nby hand\n"
PAGES = [
    ("run", "leaderboard.md", FOREIGN),
    ("run", "leaderboard.md", "# Leaderboard\n\nof our club's chess players\n"),
    ("run", "leaderboard.md", "# Leaderboard\n\n## Chess\n\n### Spring\n"),
    ("run", "leaderboard.csv", "name,points\n"),
    ("run", "ranking.csv", "name,points\n"),
    ("run", "scores.csv", "model,points\n"),
    ("run", "figure11_photos.svg", "a figure without a page"),
    ("run", "strip_gaussian_photos.png", "a figure without a page"),
    ("passes", "passes.md", "# Mountain passes\n"),
    ("passes", "passes.csv", "name,height\n"),
    ("tiles", "tiles.md", "# Tiles\n\nfor the kitchen\n"),
    ("tiles", "tiles.csv", "colour,price\n"),
    ("explain", "explain.md", "# Conventions\n\nof our society\n"),
    ("explain", "explain.csv", "name,place\n"),
    ("noise", "gaussian.md", "# gaussian\n\nmy notes\n"),
    ("noise", "gaussian.png", "a figure without a page"),
]


@pytest.mark.sampled(every=5)
@pytest.mark.parametrize(("command", "name", "text"), PAGES)
def test_a_page_of_somebody_else_is_named_and_kept_before_anything_is_computed(
    bench, tmp_path, monkeypatch, command, name, text
):
    forbid_computing(monkeypatch)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / name).write_text(text)
    status, _, said = bench(command, *COMMANDS[command], "out=theirs")
    assert (status, said.count("\n")) == (2, 1)
    assert f"theirs/{name} was not written by bench" in said and "out=FOLDER" in said
    assert content(tmp_path / "theirs") == {name: text.encode()}


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["noise", "noise=[gaussian,poisson]", *SMALL[:2], "out=."], "README.md"),
        (["zoo", "out=README.md"], "README.md"),
        (["zoo", "out=zoo.md"], "zoo.md"),
    ],
)
def test_a_readme_is_not_taken_for_a_page_of_ours(bench, tmp_path, monkeypatch, command, name):
    forbid_computing(monkeypatch)
    (tmp_path / name).write_text("# Noises\n\nmy project\n")
    status, _, said = bench(*command)
    assert status == 2 and f"{name} was not written by bench" in said
    assert (tmp_path / name).read_text() == "# Noises\n\nmy project\n"


def commands_in(folder: Path) -> list[str]:
    return readme.commands_of((folder / "README.md").read_text("utf-8"))


def test_a_readme_names_every_run_which_filled_its_folder_once(bench, finished, undrawn):
    (first,) = commands_in(finished)
    assert shlex.split(first) == ["bench", *RUN[:-2], LEVELS]  # all but out=
    for _ in range(2):
        bench(*RUN, "noise.gaussian.levels=[7]", "rescore=changed")
        bench("report", "out=out")
    assert commands_in(finished) == [first, f"{first} 'noise.gaussian.levels=[7]'"]


def test_a_run_of_less_than_its_folder_holds_says_so_and_how_to_see_all(bench, finished, undrawn):
    whole = (finished / "leaderboard.md").read_bytes()
    assert b"A part" not in whole
    for _ in range(2):  # the page of a part is known as ours
        said = bench(*RUN, "noise.gaussian.levels=[7]")[1]
    assert said.splitlines()[-1] == (
        "out holds 20 cells, of which these tables and figures show 2; all of them: "
        "bench report out=out"
    )
    page = (finished / "leaderboard.md").read_text("utf-8")
    assert page.startswith("# Leaderboard\n\nA part: 2 of the 20 cells of this folder. ")
    assert "these tables" not in bench("report", "out=out")[1]
    assert (finished / "leaderboard.md").read_bytes() == whole


def test_a_report_without_the_pictures_says_that_strips_are_left_out(bench, finished, undrawn):
    shutil.rmtree(finished / "pictures")
    (finished / "strip_gaussian_photos.png").touch()
    status, _, warned = bench("report", "out=out")
    assert status == 0
    assert "no pictures in out/pictures: strip_gaussian_photos.png cannot be drawn again" in warned
    assert "strip_" not in (finished / "leaderboard.md").read_text("utf-8")
    (finished / "strip_gaussian_photos.png").unlink()
    assert bench("report", "out=out")[2] == ""


def test_the_shards_of_a_run_are_one_command_and_the_runs_of_a_sweep_several(bench, undrawn):
    settings = [*PLAIN[1:], *SMALL, "noise.gaussian.levels=[5]"]
    for shard in ("2/2", "1/2"):
        bench("run", PLAIN[0], *settings, f"shard={shard}")
    (first,) = commands_in(Path("out"))
    bench("run", "-m", "model=identity,tv", *settings)
    assert "shard" not in first
    for command, model in zip(commands_in(Path("out"))[1:], ("identity", "tv"), strict=True):
        assert command.startswith(f"bench run model={model} ")


def test_a_readme_says_when_nobody_knows_the_command(bench, finished, undrawn):
    (finished / "README.md").unlink()
    bench("report", "out=out")
    page = (finished / "README.md").read_text("utf-8")
    assert page.startswith("# out\n\nMade with `bench run`; by which command is not recorded.\n")
    assert output.is_ours(finished / "README.md", "results")
    bench(*RUN)
    assert len(commands_in(finished)) == 1


def test_a_readme_of_somebody_else_stays_and_costs_no_report(bench, finished, undrawn):
    for text in (FOREIGN, "# Sets\n\nMade with care.\n"):
        (finished / "README.md").write_text(text)
        (finished / "leaderboard.md").unlink()
        status, said, _ = bench("report", "out=out")
        assert status == 0 and "README.md was not written by bench, and stays" in said
        assert (finished / "README.md").read_text() == text
        assert (finished / "leaderboard.md").is_file()


KINDS = {
    "leaderboard.md": "leaderboard",
    "leaderboard.csv": "means",
    "scores.csv": "scores",
    "ranking.csv": "ranking",
    "pairs.csv": "pairs",
    "training.md": "training",
    "passes.md": "passes",
    "passes.csv": "draws",
    "tiles.md": "tiles",
    "tiles.csv": "ways",
    "zoo.md": "zoo",
}
PUBLISHED = [path for name in KINDS for path in sorted(ROOT.glob(f"results/**/{name}"))]
PUBLISHED = [path for path in PUBLISHED if path.parent.name != "speed"]  # of another tool
PUBLISHED += sorted(ROOT.glob("results/noises/*.md")) + sorted(
    ROOT.glob("results/ablations/*/*.md")
)
PUBLISHED += [path.with_name("README.md") for path in ROOT.glob("results/*/leaderboard.md")]
PUBLISHED = [path for path in PUBLISHED if path.exists()]


def kind_of(path: Path) -> str:
    if path.name in KINDS:
        return KINDS[path.name]
    if path.parent.name == "noises":
        return "sheets" if path.name == "README.md" else "sheet"
    if path.name == "README.md" and path.with_name("leaderboard.csv").exists():
        return "results"
    return "ablation"


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_published_page_is_known_as_ours_also_with_the_line_ends_of_windows(path, tmp_path):
    assert output.is_ours(path, kind_of(path))
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert output.is_ours(copy, kind_of(path))


@pytest.mark.slow
def test_our_own_pages_are_written_again(bench, finished, undrawn):
    before = content(finished)
    for name in ("leaderboard.md", "scores.csv"):
        (finished / name).write_bytes(b"")  # as a kill of an older version left it
    assert bench(*RUN)[0] == 0
    assert content(finished) == before


# a report of some models


def test_a_report_of_some_models_leaves_the_one_of_all_alone(bench, finished, undrawn):
    before = content(finished)
    assert "out/report-tv" in bench("report", "out=out", "model=[tv]")[1]
    after = content(finished)
    assert before.items() <= after.items()
    some = (finished / "report-tv" / "leaderboard.md").read_text()
    assert "tv" in some and "noisy input" not in some


def test_a_report_of_all_models_by_name_is_the_one_of_all(bench, finished, undrawn):
    (finished / "leaderboard.md").unlink()
    bench("report", "out=out", "model=[tv,identity]")
    assert (finished / "leaderboard.md").is_file()
    assert not list(finished.glob("report-*"))


@pytest.mark.slow
def test_a_report_goes_where_it_is_told(bench, finished, tmp_path):
    before = content(finished)
    assert bench("report", "out=out", "model=tv", "to=elsewhere/some")[0] == 0
    assert content(finished) == before
    assert (tmp_path / "elsewhere/some/strip_gaussian_photos.png").is_file()


# figures


def test_a_finished_folder_draws_nothing_again(bench, finished, monkeypatch):
    from matplotlib.figure import Figure
    from PIL import ImageDraw

    before = content(finished)
    monkeypatch.setattr(Figure, "savefig", None)  # would be called to draw anything
    monkeypatch.setattr(ImageDraw, "Draw", None)
    assert bench("report", "out=out")[0] == 0
    assert content(finished) == before


def test_a_defect_in_drawing_costs_no_table(bench, finished, monkeypatch):
    before = content(finished)
    tables = ("leaderboard.md", "leaderboard.csv", "scores.csv")
    for name in tables:
        (finished / name).unlink()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("cannot draw")

    monkeypatch.setattr("benchmark.reporting.figures.of_board.save_figure", broken)
    with pytest.raises(RuntimeError, match="cannot draw"):
        bench("report", "out=out")
    assert all((finished / name).read_bytes() == before[name] for name in tables)
