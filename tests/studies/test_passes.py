"""Stochastic inference: its statistics are those of known noise, and no pass is drawn twice."""

import csv
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark.cells import ResultStore
from benchmark.datasets.clean import Folder
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.metrics import METRICS
from benchmark.noise import NOISE_MODELS, stream, to_uint8
from benchmark.scoring.evaluate import as_tensor
from benchmark.scoring.grid import Grid
from benchmark.studies import passes
from benchmark.studies.passes import (
    Draws,
    gain,
    measure,
    one_pass,
    page,
    random_error,
    stability,
    summarize,
    write_pages,
)

SIDE, IMAGES, SIGMA = 34, 3, 10.0  # 8-bit steps; a border of 1 leaves 32x32 pixels
VALUES = 3 * 32 * 32  # which a PSNR is made of
ROUNDING = 1 / 12  # variance of rounding to 8 bits
DRAWS = Draws(passes=64, averaged=(1, 2, 4, 16))


class Dice(Denoiser):
    """The noisy image plus normal noise from torch's generator; counts its passes."""

    name = "dice"
    multiple = 8

    def __init__(self, sigma: float = SIGMA, killed_at: int | None = None):
        super().__init__()
        self.sigma, self.calls, self.killed_at = sigma / 255, 0, killed_at

    def forward(self, noisy: Tensor) -> Tensor:
        if self.calls == self.killed_at:
            raise KeyboardInterrupt
        self.calls += 1
        return noisy + self.sigma * torch.randn_like(noisy)


@pytest.fixture
def folder(tmp_path) -> Folder:
    """Grey images, which noise does not clip."""
    for number in range(IMAGES):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((SIDE, SIDE, 3), 100 + number))
    return Folder(path=str(tmp_path))


def grid_of(folder: Folder, model: Denoiser, levels: tuple[float, ...] = (0.0,)) -> Grid:
    metrics = {name: METRICS[name]() for name in passes.SCORES}
    return Grid(
        models={"dice": model},
        noises={"gaussian": NOISE_MODELS["gaussian"]()},
        datasets={"folder": folder},
        metrics=metrics,
        levels={"folder": {"gaussian": levels}},
        seeds=[0],
        settings={
            "model": {"dice": {"of": "dice"}},
            "noise": {"gaussian": {"of": "gaussian"}},
            "data": {"folder": {"of": "folder", "sha256": {0.0: "same"}}},
            "metric": {name: {"of": name, "border": 1} for name in metrics},
        },
    )


def drawn(grid: Grid, out: Path, draws: Draws = DRAWS, **unmasked: Denoiser) -> list[dict]:
    return measure(grid, unmasked, ResultStore(out, passes.is_drawn), draws, "cpu")


def scores(record: dict) -> list[dict]:
    """A record's rows without the times."""
    return [{key: row[key] for key in ("image", "means")} for row in record["images"]]


# statistics


@pytest.fixture
def table(folder, tmp_path):
    (record,) = drawn(grid_of(folder, Dice()), tmp_path / "out", dice=Dice(sigma=0.0))
    assert [row["noisy"]["psnr"] for row in record["images"]] == [100] * IMAGES  # at level 0
    return summarize(record).set_index("inference")


def test_the_error_of_a_mean_of_k_falls_as_one_over_k(table):
    for count in DRAWS.averaged:
        line = table.loc["one pass" if count == 1 else f"mean of {count}"]
        expected = 10 * np.log10(255**2 / (SIGMA**2 / count + ROUNDING))
        assert line["psnr"] == pytest.approx(expected, abs=0.05)
        assert line["runs"] == DRAWS.passes // count
        assert line["gain"] == pytest.approx(line["psnr"] - table.loc["one pass", "psnr"])


def test_the_spread_is_that_of_the_mean_over_images_and_that_of_one_image(table):
    of_image = 10 / np.log(10) * np.sqrt(2 / VALUES)  # the error is a mean of so many squares
    line = table.loc["one pass"]
    relative = 4 / np.sqrt(2 * (DRAWS.passes - 1))  # 4 standard errors of a standard deviation
    assert line["image_spread"] == pytest.approx(of_image, rel=relative)
    assert line["spread"] == pytest.approx(of_image / np.sqrt(IMAGES), rel=relative)


def test_the_share_of_the_error_which_averaging_removes_is_measured(folder, tmp_path):
    """Noise of the input stays; that of the passes, as strong, is half of their error."""
    (record,) = drawn(grid_of(folder, Dice(), levels=(SIGMA,)), tmp_path / "out")
    share, limit = random_error(record)
    assert share == pytest.approx(0.5, abs=0.02)
    assert limit == pytest.approx(10 * np.log10(2), abs=0.2)
    assert "no number of passes gains more than about +3." in gain(record).sentence


def test_a_mean_of_k_costs_k_passes_and_mask_off_one_without_spread(table):
    for count in DRAWS.averaged[1:]:
        assert table.loc[f"mean of {count}", "relative"] == pytest.approx(count)
    off = table.loc["mask off"]
    assert (off["runs"], off["psnr"]) == (1, 100)  # at level 0 the noisy image is the clean one
    assert np.isnan(off["spread"])


def test_a_mean_is_that_of_unrounded_outputs_each_under_a_key_of_its_own(folder, tmp_path):
    (record,) = drawn(grid_of(folder, Dice()), tmp_path / "out", Draws(passes=2, averaged=(1, 2)))
    clean = as_tensor(folder.read_uint8("1"))
    keys = [stream("passes", "folder", "1", "gaussian", 0, 0, number) for number in range(2)]
    mean = sum(one_pass(Dice(), clean, key)[0] for key in keys) / 2
    rounded = as_tensor(to_uint8(mean[0].permute(1, 2, 0).numpy()))
    (found,) = record["images"][1]["means"]["2"]["psnr"]
    assert found == METRICS["psnr"]()(rounded, clean)


def test_an_output_keeps_its_size_and_is_not_clamped():
    bright = torch.ones(1, 3, 13, 21)
    restored, seconds = one_pass(Dice(), bright, key=2**100)
    assert restored.shape == bright.shape
    assert restored.max() > 1
    assert seconds > 0


def test_every_pass_image_and_level_has_masks_of_its_own(folder, tmp_path):
    records = drawn(grid_of(folder, Dice(), levels=(0.0, 5.0)), tmp_path / "out")
    single = [psnr for one in records for row in scores(one) for psnr in row["means"]["1"]["psnr"]]
    assert len(set(single)) == len(single) == 2 * IMAGES * DRAWS.passes


@pytest.mark.parametrize("name", sorted(DENOISERS))
def test_only_networks_which_draw_random_numbers_are_measured(name):
    model = DENOISERS[name]
    small = {"embed_dim": 12, "depths": (2,), "num_heads": 2}
    if model.needs:
        pytest.skip(f"{name} needs {model.needs}")
    if model.package:
        pytest.importorskip(model.package)
    network = model(**small) if "mask" in model.test_time else model()
    if "mask" in model.test_time:
        passes.refuse_deterministic({name: network})
    else:
        with pytest.raises(ValueError, match=f"'{name}' gives the same output under two seeds"):
            passes.refuse_deterministic({name: network})


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"passes": 1}, "two outputs or more, got passes=1"),
        ({"averaged": (2, 4)}, "should have 1"),
        ({"averaged": (1,)}, "and larger numbers"),
        ({"averaged": (0, 1, 2)}, "should have 1"),
        ({"passes": 8}, "up to passes=8"),
    ],
)
def test_draws_that_cannot_be_measured_are_refused(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        Draws(**settings)


# resumption


def test_the_same_numbers_again_and_in_any_order_of_images(folder, tmp_path):
    (first,) = drawn(grid_of(folder, Dice()), tmp_path / "a")
    (alone,) = drawn(grid_of(replace(folder, limit=1), Dice()), tmp_path / "b")
    (again,) = drawn(grid_of(folder, Dice()), tmp_path / "c")
    assert scores(first) == scores(again)
    assert scores(first)[:1] == scores(alone)


def test_a_killed_run_goes_on_from_its_last_image_to_the_same_numbers(folder, tmp_path):
    killed = Dice(killed_at=2 + DRAWS.passes + 5)  # in the second image; 2 ask if it is random
    (whole,) = drawn(grid_of(folder, Dice()), tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        drawn(grid_of(folder, killed), tmp_path / "killed")
    rest = Dice()
    (resumed,) = drawn(grid_of(folder, rest), tmp_path / "killed")
    assert rest.calls == 2 + (IMAGES - 1) * DRAWS.passes
    assert scores(resumed) == scores(whole)


def test_a_finished_folder_draws_nothing_and_other_settings_are_refused(folder, tmp_path):
    drawn(grid_of(folder, Dice()), tmp_path / "out")
    idle = Dice()
    drawn(grid_of(folder, idle), tmp_path / "out")
    assert idle.calls == 0
    with pytest.raises(ValueError, match=r"draws\.passes 64 \(now 32\)"):
        drawn(grid_of(folder, idle), tmp_path / "out", replace(DRAWS, passes=32))
    assert idle.calls == 0


# the page


def record_of(psnr: np.ndarray, gained: float) -> dict:
    """A cell of (images, runs) PSNRs whose means of 2 are better by so many dB."""
    rows = []
    for number, runs in enumerate(psnr):
        pairs = [float(runs.mean()) + gained] * (len(runs) // 2)
        means = {"1": list(runs), "2": pairs}
        means = {k: {"psnr": list(v), "ssim": [0.5] * len(v)} for k, v in means.items()}
        given = {"noisy": {"psnr": 20.0, "ssim": 0.3}, "unmasked": None}
        rows.append({"image": str(number), "means": means, "seconds": 2.0, **given})
    return {
        "cell": {"model": "m", "dataset": "d", "noise": "n", "level": 15.0, "seed": 0},
        "settings": {"model": {"of": "m"}, "draws": {"passes": psnr.shape[1]}},
        "labels": {"unit": "steps"},
        "environment": {"device": "cpu", "threads": 1},
        "images": rows,
    }


@pytest.mark.parametrize(
    ("spread", "word"), [(0.001, "holds"), (0.0105, "stays open"), (0.05, "does not hold")]
)
def test_the_claim_of_stability_is_judged_by_the_interval_of_the_spread(spread, word):
    runs = np.tile([-1.0, 1.0], 16)
    found = stability(record_of(30 + spread * np.array([runs, runs]), 0.3))
    assert found.word == word
    assert f"claim of stability {word} here" in found.sentence
    assert found.number == f"{spread * np.sqrt(32 / 31):.5f} dB"


@pytest.mark.parametrize(
    ("gained", "word"),
    [(0.2, "does not hold"), (0.26, "holds"), (0.34, "holds"), (0.36, "is exceeded")],
)
def test_the_claim_of_a_gain_is_judged_by_what_rounds_to_it(gained, word):
    found = gain(record_of(np.full((2, 4), 30.0), gained))
    assert found.word == word
    assert f"claim of a gain {word} here: +{gained:.3f} dB by the mean of 2" in found.sentence


def test_the_page_has_the_command_the_verdicts_and_a_table_for_each_level(folder, tmp_path):
    grid = grid_of(folder, Dice(), levels=(0.0, 5.0))
    records = drawn(grid, tmp_path / "draws", dice=Dice(sigma=0.0))
    for path in write_pages(records, tmp_path, "bench passes model=dice"):
        assert path.is_file()
    text = (tmp_path / "passes.md").read_text()
    assert text == page(records, "bench passes model=dice")
    assert text.index("`bench passes model=dice`") < text.index("\n## dice on folder\n")
    assert "- Averaging gains about 0.3 dB: **is exceeded** at gaussian 0 (+1" in text
    assert "0.00971" in text
    for level in (0, 5):
        section = text.split(f"### gaussian {level} (")[1].split("###")[0]
        assert [section.count(f"| mean of {k} ") for k in (2, 4, 16)] == [1, 1, 1]
        assert "| mask off " in section and "| noisy input " in section
        assert "claim of stability" in section and "claim of a gain" in section
    with (tmp_path / "passes.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 2 * (len(DRAWS.averaged) + 2)
    assert {line["level"] for line in lines} == {"0.0", "5.0"}


@pytest.mark.parametrize(("noisy", "said"), [(20.0, False), (31.0, True)])
def test_the_page_says_where_a_pass_is_worse_than_its_input(noisy, said):
    record = record_of(np.full((2, 4), 30.0), 0.3)
    for row in record["images"]:
        row["noisy"]["psnr"] = noisy
    sentence = "- At n 15 one pass is 1.000 dB below its noisy input"
    assert (sentence in page([record], "bench")) == said


# the command


@pytest.fixture
def bench(bench):
    return partial(bench, "passes")


SMALL = ["data.photos.limit=1", "data.photos.crop=48", "noise.gaussian.levels=[15]", "out=o"]


def test_bench_passes_measures_masks_on_and_off(bench, tmp_path):
    status, out, err = bench(*SMALL, "passes=4", "averaged=[1,2]")
    assert status == 0, err
    assert "claim of stability" in out and "written to o: passes.md, passes.csv" in out
    text = (tmp_path / "o" / "passes.md").read_text()
    assert all(f"| {way} " in text for way in ("one pass", "mean of 2", "mask off"))
    first = (tmp_path / "o" / "passes.csv").read_bytes()
    status, _, err = bench(*SMALL, "passes=4", "averaged=[1,2]")
    assert (status, err) == (0, "")
    assert (tmp_path / "o" / "passes.csv").read_bytes() == first


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["model=identity"], "'identity' gives the same output under two seeds"),
        (["model.masked.mask=false"], "'masked' gives the same output under two seeds"),
        (["model.masked.passes=2"], "leave out model.masked.passes"),
        (["passes=8"], "larger numbers up to passes=8"),
        (["threads=0"], "threads must be 1 or more"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(bench, tmp_path, words, sentence):
    status, out, err = bench(*SMALL, *words)
    assert (status, out) == (2, "")
    assert err.startswith("bench: ") and sentence in err and err.count("\n") == 1
    assert not list(tmp_path.rglob("*.md"))
