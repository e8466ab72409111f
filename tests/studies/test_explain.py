"""bench explain: changes of conventions add up, and cost no restoration too many."""

import csv
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from doubles import Recorder

from benchmark.cells import Cell, ResultStore
from benchmark.datasets import Folder, Pairs
from benchmark.metrics import METRICS
from benchmark.noise import NOISE_MODELS
from benchmark.protocol import PROTOCOLS
from benchmark.scoring.conventions import Scoring
from benchmark.scoring.evaluate import evaluate
from benchmark.scoring.explain import explain
from benchmark.scoring.grid import Grid
from benchmark.studies import explain as study

SMALL = ["model=tv", "noise.gaussian.levels=[25]", "data.photos.limit=1", "data.photos.crop=40"]


@pytest.fixture
def grid(tmp_path) -> Grid:
    """Two images of different sizes under strong Gaussian noise, "restored" to what they are."""
    rng = np.random.default_rng(0)
    for place in (0, 1):
        pixels = rng.integers(0, 256, (40 + place, 44, 3), np.uint8)
        cv2.imwrite(str(tmp_path / f"{place}.png"), pixels)
    gaussian = NOISE_MODELS["gaussian"](levels=(50.0,))
    return Grid(
        models={"m": Recorder()},
        noises={"gaussian": gaussian},
        datasets={"d": Folder(path=str(tmp_path))},
        metrics={},
        levels={"d": {"gaussian": (50.0,)}},
        seeds=[0],
        settings={},
    )


def lines(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="") as file:
        return {line["convention"]: line for line in csv.DictReader(file)}


@pytest.mark.parametrize("preset", ["masked", "kair", "swinir", "clipdenoising", "float"])
def test_the_scores_of_a_protocol_are_those_of_a_run(grid, preset):
    protocol = PROTOCOLS[preset]
    (explained,) = study.measure(grid, protocol, None, "cpu")
    metrics = {name: METRICS[name](border=protocol.border) for name in ("psnr", "ssim")}
    cell, data = grid.cells[0], grid.datasets["d"]
    done = evaluate(
        cell,
        Recorder(),
        data,
        grid.noises["gaussian"],
        metrics,
        data.images(),
        protocol=protocol,
    )
    rows = [one.row for one in done]
    assert explained.first.psnr == pytest.approx(np.mean([r["psnr"] for r in rows]), abs=1e-12)
    assert explained.first.ssim == pytest.approx(np.mean([r["ssim"] for r in rows]), abs=1e-12)
    assert explained.first.images == 2


@pytest.mark.parametrize("start", ["masked", "clipdenoising"])
@pytest.mark.parametrize("end", ["kair", "swinir", "float"])
def test_changes_add_up_to_the_difference_of_two_protocols(grid, start, end):
    (walk,) = study.measure(grid, PROTOCOLS[start], PROTOCOLS[end], "cpu")
    (there,) = study.measure(grid, PROTOCOLS[end], None, "cpu")
    for metric in ("psnr", "ssim"):
        changes = [getattr(now, metric) - getattr(was, metric) for _, now, was in walk.changes()]
        whole = getattr(there.first, metric) - getattr(walk.first, metric)
        assert len(changes) > 1
        assert sum(changes) == pytest.approx(whole, abs=1e-9)


def test_an_image_is_restored_once_for_each_noisy_input(grid):
    study.measure(grid, PROTOCOLS["masked"], None, "cpu")
    seen = grid.models["m"].seen
    assert len(seen) == 2 * 5  # 8 bits, clipped, float; and 8 bits of two other draws
    assert len({tensor.numpy().tobytes() for tensor in seen}) == len(seen)


def test_all_images_mse_is_that_of_all_their_pixels(grid):
    (explained,) = study.measure(grid, PROTOCOLS["masked"], None, "cpu")
    cell, data = grid.cells[0], grid.datasets["d"]
    done = list(evaluate(cell, Recorder(), data, grid.noises["gaussian"], {}, data.images()))
    errors = [(one.restored.astype(float) - one.clean)[1:-1, 1:-1].ravel() ** 2 for one in done]
    expected = 10 * np.log10(255**2 / np.mean(np.concatenate(errors)))
    assert explained.changed["PSNR: of all images' MSE"].psnr == pytest.approx(expected, abs=1e-5)


def test_cutting_off_is_never_above_the_output_itself(grid):
    cut = Scoring().changed({"truncated": True})
    scores = explain(grid, grid.cells[0], {"cut": cut, "rounded": Scoring()}, "cpu")
    assert scores["cut"] == scores["rounded"]  # identity gives back 8 bits: nothing to cut
    level = Scoring(replace(PROTOCOLS["float"], restored_clipped=True, restored_rounded=True))
    scores = explain(
        grid, grid.cells[0], {"cut": level.changed({"truncated": True}), "rounded": level}, "cpu"
    )
    assert scores["cut"] != scores["rounded"]


def test_recorded_noise_has_no_convention_of_its_noisy_images(tmp_path, grid):
    for kind, shade in (("clean", 100), ("noisy", 120)):
        (tmp_path / "pairs" / kind).mkdir(parents=True)
        pixels = np.full((40, 40, 3), shade, np.uint8)
        cv2.imwrite(str(tmp_path / "pairs" / kind / "a.png"), pixels)
    pairs = Pairs(path=str(tmp_path / "pairs"))
    (level,) = pairs.levels
    recorded = replace(grid, datasets={"pairs": pairs}, levels={"pairs": {"pairs": (level,)}})
    (explained,) = study.measure(recorded, PROTOCOLS["masked"], None, "cpu")
    assert explained.cell == Cell("m", "pairs", "pairs", level, 0)
    assert not [name for name in explained.changed if name.startswith("nois")]
    assert "border 0" in explained.changed
    assert len(recorded.models["m"].seen) == 1


@pytest.mark.slow
def test_bench_explain_writes_what_it_shows_and_the_same_again(bench, tmp_path):
    status, out, err = bench("explain", *SMALL, "out=o")
    assert status == 0, err
    assert "tv, gaussian 25 on photos, 1 image" in out
    assert "PSNR: mean of channels" in out
    assert "written to o: explain.md, explain.csv" in out
    page, table = (tmp_path / "o/explain.md").read_text(), lines(tmp_path / "o/explain.csv")
    assert "`bench explain model=tv 'noise.gaussian.levels=[25]'" in page
    assert "| scikit-image by default " in page
    assert float(table["border 0"]["psnr"]) != float(table[""]["psnr"])
    assert table["SSIM: uniform 7x7"]["psnr"] == table[""]["psnr"]
    assert bench("explain", *SMALL, "out=o")[0] == 0
    assert (tmp_path / "o/explain.md").read_text() == page
    assert lines(tmp_path / "o/explain.csv") == table


@pytest.mark.slow
def test_bench_explain_goes_from_one_protocol_to_another_and_writes_nothing_unasked(
    bench, tmp_path
):
    status, out, err = bench("explain", *SMALL, "to=kair")
    assert status == 0, err
    assert "noisy: clipped, 8 bits -> float" in out
    assert "protocol kair, all together" in out
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_stored_cell_is_explained_from_the_protocol_it_was_scored_by(bench, tmp_path):
    small = [*SMALL, "noise=gaussian", "reference=[]"]
    assert bench("run", *small, "protocol=kair", "out=k")[0] == 0
    (cell, record), *others = ResultStore(tmp_path / "k").records()
    assert not others
    stored = record["images"][0]["psnr"]
    status, out, err = bench("explain", "k/tv/photos/gaussian-25-0", "out=o")
    assert (status, err) == (0, "")
    assert f"1 image; stored by protocol kair with {stored:.3f} dB" in out
    found = lines(tmp_path / "o/explain.csv")
    assert float(found[""]["psnr"]) == pytest.approx(stored, abs=1e-3)
    assert found[""]["protocol"] == "kair"
    page = (tmp_path / "o/explain.md").read_text()
    assert "one change to protocol kair" in page and "stored by protocol kair" in page
    status, out, _ = bench("explain", "cell=k/tv/photos/gaussian-25-0", "protocol=masked")
    assert status == 0
    assert "protocol masked" in out and "protocol kair" in out


def test_a_stored_cell_is_explained_with_its_border_and_says_how_else_it_was_restored(
    bench, tmp_path
):
    small = [*SMALL[:-1], "data.photos.crop=96", "noise=gaussian", "reference=[]"]
    small += ["metric.psnr.border=4", "tile=64"]
    assert bench("run", *small, "out=k")[0] == 0
    ((_, record),) = ResultStore(tmp_path / "k").records()
    status, out, err = bench("explain", "k/tv/photos/gaussian-25-0", "out=o")
    assert (status, err) == (0, "")
    assert "restored then with tiles, here without" in " ".join(out.split())
    without = bench("run", *[word for word in small if word != "tile=64"], "out=w")
    assert without[0] == 0
    ((_, whole),) = ResultStore(tmp_path / "w").records()
    found = lines(tmp_path / "o/explain.csv")
    assert float(found[""]["psnr"]) == pytest.approx(whole["images"][0]["psnr"], abs=1e-3)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["k/tv/photos/gaussian-25-0", "model=tv"], "leave out model=tv"),
        (["k", "data.photos.limit=1"], "leave out data.photos.limit=1"),
        (["tv/photos/gaussian-25-0"], "no finished cells in results/local"),
    ],
)
def test_a_stored_cell_that_is_not_there_or_changed_is_one_sentence(bench, words, sentence):
    status, _, err = bench("explain", *words)
    assert status == 2
    assert sentence in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["to=masked"], "protocol=masked and to=masked are the same"),
        (["protocol=kairo"], "unknown protocol 'kairo'; did you mean 'kair'?"),
        (["to=KAIR"], "unknown protocol 'KAIR'; did you mean 'kair'?"),
        (["data.photos.crop=12"], "without a border of 1, and SSIM's window has 11x11"),
    ],
)
def test_what_cannot_be_explained_is_one_sentence(bench, words, sentence):
    status, _, err = bench("explain", *SMALL[:3], *words)
    assert status == 2
    assert sentence in err and err.count("\n") == 1
