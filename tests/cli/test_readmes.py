"""Pages which somebody else wrote are kept, and ours say which runs filled their folder."""

import shlex
import shutil
from pathlib import Path

import pytest
from toy_finished import COMMANDS, LEVELS, PLAIN, RUN, SMALL, content, forbid_computing

from benchmark.files import output
from benchmark.reporting import readme

ROOT = Path(__file__).parents[2]
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
