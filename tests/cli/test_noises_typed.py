"""Noises as they are typed: formulas, recorded ones, suites, matched levels; their data sheets."""

import json

import cv2
import numpy as np
import pytest
from command_results import SMALL, cells


@pytest.mark.slow
def test_a_formula_is_a_noise_and_every_spelling_of_it_the_same_cell(bench, tmp_path):
    command = ["run", "model=identity", *SMALL, "out=o"]
    status, out, err = bench(*command, "noise=poisson(2)+gaussian(25) >> jpeg(50)")
    assert (status, err) == (0, "")
    assert "gaussian(25)+poisson(2)>>jpeg(50)" in out
    before = cells(tmp_path / "o")
    assert list(before) == ["cells/identity/photos/gaussian(25)+poisson(2)~jpeg(50)-1-0.json"]
    status, _, err = bench(*command, "noise=[gaussian(25.0)+(poisson(2.0))>>jpeg(50)]")
    assert (status, err) == (0, "")
    assert cells(tmp_path / "o") == before
    page = (tmp_path / "o" / "leaderboard.md").read_text()
    assert "gaussian(25)+poisson(2)>>jpeg(50)" in page
    chosen = ["noise=poisson(2) + gaussian(25) >> jpeg(50)", "formats=md"]
    for words in (["report", "out=o", *chosen], ["repro", "o", chosen[0]]):
        status, out, err = bench(*words)
        assert (status, err) == (0, "") and out


@pytest.mark.slow
def test_a_single_noise_with_a_level_is_that_noise_at_that_level(bench, tmp_path):
    command = ["run", "model=identity", *SMALL, "out=o"]
    bench(*command, "noise=gaussian(25)")
    before = cells(tmp_path / "o")
    bench(*command, "noise=gaussian", "noise.gaussian.levels=[25]")
    assert list(cells(tmp_path / "o").items()) == list(before.items())
    bench(*command, "noise=[gaussian(7),gaussian,poisson(2)]")
    names = [path.rpartition("/")[2] for path in cells(tmp_path / "o")]
    levels = sorted(["gaussian-7", "gaussian-15", "gaussian-25", "gaussian-50", "poisson-2"])
    assert sorted(names) == sorted(f"{level}-0.json" for level in levels)


@pytest.mark.parametrize(
    "choice", ["gaussian(25)+", "gaussian(25", "gausian(3)>>jpeg(50)", "jpeg()"]
)
def test_a_wrong_formula_is_one_line(bench, tmp_path, choice):
    status, _, err = bench("run", "model=identity", f"noise={choice}")
    assert status == 2
    assert err.startswith("bench: ")
    assert err.count("\n") == 1
    assert "character" in err
    assert not list(tmp_path.iterdir())


@pytest.fixture
def pairs(tmp_path) -> list[str]:
    """The settings which name a folder of two noisy and clean images."""
    rng = np.random.default_rng(0)
    for side in ("clean", "noisy"):
        (tmp_path / "real" / side).mkdir(parents=True)
        for name in ("one", "two"):
            pixels = rng.integers(0, 256, (32, 40, 3), np.uint8)
            cv2.imwrite(str(tmp_path / "real" / side / f"{name}.png"), pixels)
    return [f"noise.pairs.path={tmp_path / 'real'}"]


@pytest.mark.slow
def test_recorded_noise_is_chosen_like_any_other_and_brings_its_own_images(bench, tmp_path, pairs):
    command = ["run", "model=identity", "noise=[gaussian,pairs]", *pairs, *SMALL, "out=o"]
    status, out, err = bench(*command)
    assert (status, err) == (0, "")
    gaussian = [f"cells/identity/photos/gaussian-{level}-0.json" for level in (15, 25, 50)]
    assert set(cells(tmp_path / "o")) == {"cells/identity/pairs/pairs-0-0.json", *gaussian}
    record = json.loads((tmp_path / "o/cells/identity/pairs/pairs-0-0.json").read_text())
    assert [row["image"] for row in record["images"]] == ["one", "two"]
    assert "pairs: PSNR" in out
    before = cells(tmp_path / "o")
    data = [word.replace("noise.", "data.") for word in pairs]
    status, _, err = bench("run", "model=identity", "noise=gaussian", "data=pairs", *data, "out=o")
    assert (status, err) == (0, "")
    assert cells(tmp_path / "o") == before  # by either name it is the same cell


@pytest.mark.slow
def test_levels_of_recorded_noise_are_scored_beside_those_that_are_there(bench, tmp_path):
    command = ["run", "model=identity", "noise=mc_render", "noise.mc_render.limit=1", "out=o"]
    status, _, err = bench(*command, "noise.mc_render.levels=[64]")
    assert (status, err) == (0, "")
    before = cells(tmp_path / "o")
    assert list(before) == ["cells/identity/mc_render/mc_render-64-0.json"]
    status, _, err = bench(*command)
    assert (status, err) == (0, "")
    assert len(cells(tmp_path / "o")) == 2
    assert before.items() <= cells(tmp_path / "o").items()


@pytest.mark.slow
def test_recorded_noise_alone_needs_no_clean_images(bench, tmp_path, pairs):
    command = ["run", "model=identity", "noise=pairs", *pairs, "data=folder", "out=o"]
    status, _, err = bench(*command)
    assert (status, err) == (0, "")
    assert list(cells(tmp_path / "o")) == ["cells/identity/pairs/pairs-0-0.json"]


@pytest.mark.slow
def test_all_leaves_out_recorded_noise_without_data_and_says_so_in_one_line(
    bench, tmp_path, monkeypatch
):
    monkeypatch.delenv("NOISEBENCH_DATA", raising=False)
    monkeypatch.setattr(
        "benchmark.datasets.dataset.user_cache_path", lambda name: tmp_path / "cache"
    )
    monkeypatch.setattr("benchmark.scoring.grid.fill", lambda *_: None)
    _, out, _ = bench("run", "model=identity", "noise=all", "out=o")
    line = next(line for line in out.splitlines() if line.startswith("noise=all leaves out"))
    for name in ("sidd", "polyu", "cc"):
        assert f"{name} (no data" in line
    assert "pairs (needs a path)" in line
    assert "mc_render" not in line


def test_a_suite_chooses_the_noises_which_belong_to_it(bench):
    status, out, err = bench("run", "model=identity", "noise=paper", "--cfg", "job")
    assert (status, err) == (0, "")
    assert "salt_and_pepper:" in out
    assert "mixture:" in out
    assert "rician:" not in out


@pytest.mark.slow
def test_matched_levels_are_stored_and_scored_and_training_stands_beside_them(bench, tmp_path):
    command = ["run", "model=identity", "noise=[gaussian,speckle]", *SMALL, "out=o"]
    status, out, err = bench(*command, "levels=matched")
    assert (status, err) == (0, "")
    kept = json.loads((tmp_path / "o/matched/photos/gaussian.json").read_text())
    assert len(kept["facts"]["dataset"]["sha256"]) == 64
    levels = {match["level"] for match in kept["matches"]} | {15}
    found = [path.rpartition("/")[2] for path in cells(tmp_path / "o")]
    wanted = {f"gaussian-{level:.15g}-0.json" for level in levels}
    assert {name for name in found if name.startswith("gaussian")} == wanted
    assert "matched on photos: gaussian" in out
    status, _, err = bench(*command, "levels=machted")
    assert status == 2
    assert "levels=machted is unknown; take levels=matched" in err


@pytest.mark.slow
def test_bench_noise_writes_the_page_of_a_noise_and_of_a_formula(bench, tmp_path):
    status, out, err = bench("noise", "gaussian", "noise.gaussian.levels=[25]", *SMALL, "out=o")
    assert (status, err) == (0, "")
    assert "written to o: gaussian.md and its picture" in out
    assert (
        "bench noise gaussian 'noise.gaussian.levels=[25]'"
        in (tmp_path / "o/gaussian.md").read_text()
    )
    status, out, err = bench("noise", "gaussian(5)>>jpeg(50)", *SMALL, "out=o")
    assert (status, err) == (0, "")
    names = {path.name for path in (tmp_path / "o").iterdir()}
    pages = ["gaussian", "gaussian(5)~jpeg(50)"]
    assert names == {f"{page}.{kind}" for page in pages for kind in ("md", "png")}


@pytest.mark.slow
def test_several_noises_get_a_table_of_their_own(bench, tmp_path):
    levels = ["noise.gaussian.levels=[25]", "noise.poisson.levels=[2]"]
    status, out, err = bench("noise", "[gaussian,poisson]", *levels, *SMALL, "out=o")
    assert (status, err) == (0, "")
    assert "written to o: README.md and 2 pages" in out
    table = (tmp_path / "o" / "README.md").read_text()
    assert "[gaussian](gaussian.md)" in table
    assert "[poisson](poisson.md)" in table
    assert "`bench noise '[gaussian,poisson]' 'noise.gaussian.levels=[25]'" in table
    page = (tmp_path / "o" / "poisson.md").read_text()
    assert "`bench noise poisson 'noise.poisson.levels=[2]' data.photos" in page  # its own alone


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["noise=speckle(1e308)"], "speckle cannot make noise of level 1e+308"),
        (
            ["noise=gaussian(25)+poisson(2)", "levels=matched"],
            "levels=matched leaves nothing to score: on photos none of gaussian(25)+poisson(2)",
        ),
    ],
)
def test_a_noise_that_cannot_be_made_so_strong_is_a_sentence_and_no_cell(
    bench, tmp_path, words, said
):
    status, _, err = bench("run", "model=identity", *words, *SMALL, "out=o")
    assert status == 2 and said in err and err.count("\n") == 1
    assert not list(tmp_path.glob("o/cells/**/*.json"))
