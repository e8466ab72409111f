"""Stochastic inference: its statistics are those of known noise, and no pass is drawn twice."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from benchmark.cells import ResultStore
from benchmark.datasets.clean import Folder
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.denoiser.inference import WHOLE
from benchmark.metrics import METRICS
from benchmark.noise import NOISE_MODELS, stream, to_uint8
from benchmark.scoring.evaluate import as_tensor
from benchmark.scoring.grid import Grid
from benchmark.studies.passes import SCORES, Draws, gain, is_drawn, measure, summarize
from benchmark.studies.passes.draws import refuse_deterministic

SIDE, IMAGES, SIGMA = 34, 3, 10.0  # 8-bit steps; a border of 1 leaves 32x32 pixels
VALUES = 3 * 32 * 32  # which a PSNR is made of
ROUNDING = 1 / 12  # variance of rounding to 8 bits
DRAWS = Draws(passes=64, averaged=(1, 2, 4, 16))
FEW = Draws(passes=4, averaged=(1, 2))
STOCHASTIC = {"masked"}


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


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Folder:
    """Grey images, which noise does not clip."""
    path = tmp_path_factory.mktemp("images")
    for number in range(IMAGES):
        cv2.imwrite(str(path / f"{number}.png"), np.full((SIDE, SIDE, 3), 100 + number))
    return Folder(path=str(path))


def grid_of(folder: Folder, model: Denoiser, levels: tuple[float, ...] = (0.0,)) -> Grid:
    metrics = {name: METRICS[name]() for name in SCORES}
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


def drawn(grid: Grid, out: Path, draws: Draws = DRAWS, **variants: Denoiser) -> list[dict]:
    """The records of a grid; variants are those of its model, by their names."""
    return measure(grid, {"dice": variants}, ResultStore(out, is_drawn), draws, "cpu")


def scores(record: dict) -> list[dict]:
    """A record's rows without the times."""
    return [{key: row[key] for key in ("image", "means")} for row in record["images"]]


# statistics


@pytest.fixture(scope="module")
def table(folder, tmp_path_factory):
    variants = {"quiet": Dice(sigma=0.0), "loud": Dice(sigma=2 * SIGMA)}
    (record,) = drawn(grid_of(folder, Dice()), tmp_path_factory.mktemp("out"), **variants)
    assert [row["noisy"]["psnr"] for row in record["images"]] == [100] * IMAGES  # at level 0
    return pd.DataFrame(map(vars, summarize(record).lines)).set_index("inference")


@pytest.mark.slow
def test_the_error_of_a_mean_of_k_falls_as_one_over_k(table):
    for count in DRAWS.averaged:
        line = table.loc["one pass" if count == 1 else f"mean of {count}"]
        expected = 10 * np.log10(255**2 / (SIGMA**2 / count + ROUNDING))
        assert line["psnr"] == pytest.approx(expected, abs=0.05)
        assert line["runs"] == DRAWS.passes // count
        assert line["gain"] == pytest.approx(line["psnr"] - table.loc["one pass", "psnr"])


@pytest.mark.slow
def test_the_spread_is_that_of_the_mean_over_images_and_that_of_one_image(table):
    of_image = 10 / np.log(10) * np.sqrt(2 / VALUES)  # the error is a mean of so many squares
    line = table.loc["one pass"]
    relative = 4 / np.sqrt(2 * (DRAWS.passes - 1))  # 4 standard errors of a standard deviation
    assert line["image_spread"] == pytest.approx(of_image, rel=relative)
    assert line["spread"] == pytest.approx(of_image / np.sqrt(IMAGES), rel=relative)


@pytest.mark.slow
def test_the_share_of_the_error_which_averaging_removes_is_measured(folder, tmp_path):
    """Noise of the input stays; that of the passes, as strong, is half of their error."""
    (record,) = drawn(grid_of(folder, Dice(), levels=(SIGMA,)), tmp_path / "out")
    summary = summarize(record)
    assert summary.share == pytest.approx(0.5, abs=0.02)
    assert summary.limit == pytest.approx(10 * np.log10(2), abs=0.2)
    assert "no number of passes gains more than about +3." in gain(summary).sentence


def test_a_mean_of_k_costs_k_passes(table):
    for count in DRAWS.averaged[1:]:
        assert table.loc[f"mean of {count}", "relative"] == pytest.approx(count)


def test_every_variant_is_one_pass_without_spread_below_the_means(table):
    assert table.index[-3:].tolist() == ["mean of 16", "quiet", "loud"]
    assert table.loc["quiet", "psnr"] == 100  # at level 0 the noisy image is the clean one
    expected = 10 * np.log10(255**2 / (4 * SIGMA**2 + ROUNDING))
    assert table.loc["loud", "psnr"] == pytest.approx(expected, abs=0.5)
    assert (table.loc[["quiet", "loud"], "runs"] == 1).all()
    assert table.loc[["quiet", "loud"], "spread"].isna().all()


def test_a_mean_is_that_of_unrounded_outputs_each_under_a_key_of_its_own(folder, tmp_path):
    (record,) = drawn(grid_of(folder, Dice()), tmp_path / "out", Draws(passes=2, averaged=(1, 2)))
    clean = as_tensor(folder.read_uint8("1"))
    keys = [stream("passes", "folder", "1", "gaussian", 0, 0, number) for number in range(2)]
    mean = sum(WHOLE.run(Dice(), clean, key).image for key in keys) / 2
    rounded = as_tensor(to_uint8(mean[0].permute(1, 2, 0).numpy()))
    (found,) = record["images"][1]["means"]["2"]["psnr"]
    assert found == METRICS["psnr"]()(rounded, clean)


def test_every_pass_image_and_level_draws_numbers_of_its_own(folder, tmp_path):
    records = drawn(grid_of(folder, Dice(), levels=(0.0, 5.0)), tmp_path / "out", FEW)
    single = [psnr for one in records for row in scores(one) for psnr in row["means"]["1"]["psnr"]]
    assert len(set(single)) == len(single) == 2 * IMAGES * FEW.passes


@pytest.mark.sampled(every=6)
@pytest.mark.parametrize("name", sorted(name for name in DENOISERS if DENOISERS[name].sizes))
def test_only_networks_which_draw_random_numbers_are_measured(name):
    network = DENOISERS[name](**DENOISERS[name].sizes["tiny"])
    if name in STOCHASTIC:
        refuse_deterministic({name: network})
    else:
        with pytest.raises(ValueError, match=f"'{name}' gives the same output under two seeds"):
            refuse_deterministic({name: network})


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


@pytest.mark.slow
def test_the_same_numbers_again_and_in_any_order_of_images(folder, tmp_path):
    (first,) = drawn(grid_of(folder, Dice()), tmp_path / "a", FEW)
    (alone,) = drawn(grid_of(replace(folder, limit=1), Dice()), tmp_path / "b", FEW)
    (again,) = drawn(grid_of(folder, Dice()), tmp_path / "c", FEW)
    assert scores(first) == scores(again)
    assert scores(first)[:1] == scores(alone)


@pytest.mark.slow
def test_a_killed_run_goes_on_from_its_last_image_to_the_same_numbers(folder, tmp_path):
    killed = Dice(killed_at=2 + FEW.passes + 2)  # in the second image; 2 ask if it is random
    (whole,) = drawn(grid_of(folder, Dice()), tmp_path / "whole", FEW)
    with pytest.raises(KeyboardInterrupt):
        drawn(grid_of(folder, killed), tmp_path / "killed", FEW)
    rest = Dice()
    (resumed,) = drawn(grid_of(folder, rest), tmp_path / "killed", FEW)
    assert rest.calls == 2 + (IMAGES - 1) * FEW.passes
    assert scores(resumed) == scores(whole)


@pytest.mark.slow
def test_a_finished_folder_draws_nothing_and_other_settings_are_refused(folder, tmp_path):
    drawn(grid_of(folder, Dice()), tmp_path / "out", FEW)
    idle = Dice()
    drawn(grid_of(folder, idle), tmp_path / "out", FEW)
    assert idle.calls == 0
    with pytest.raises(ValueError, match=r"draws\.passes 4 \(now 2\)"):
        drawn(grid_of(folder, idle), tmp_path / "out", replace(FEW, passes=2))
    assert idle.calls == 0


@pytest.mark.slow
def test_of_fewer_images_the_record_is_that_of_fewer(folder, tmp_path):
    drawn(grid_of(folder, Dice()), tmp_path / "out", FEW)
    one = grid_of(replace(folder, limit=1), Dice())
    one.settings["data"]["folder"] |= {"limit": 1}
    (record,) = drawn(one, tmp_path / "out", FEW)
    assert len(record["images"]) == 1
    assert record["settings"]["dataset"] == one.settings_of(one.cells[0])["dataset"]


def test_rows_which_know_no_variants_are_drawn_again(folder, tmp_path):
    (first,) = drawn(grid_of(folder, Dice()), tmp_path / "out", FEW, quiet=Dice(sigma=0.0))
    (path,) = (tmp_path / "out").glob("cells/*/*/*.json")
    record = json.loads(path.read_bytes())
    for row in record["images"]:
        row["unmasked"] = row.pop("variants")["quiet"]  # as version 0.1 wrote it
    path.write_text(json.dumps(record))
    (again,) = drawn(grid_of(folder, Dice()), tmp_path / "out", FEW, quiet=Dice(sigma=0.0))
    assert scores(again) == scores(first)
    assert [line.inference for line in summarize(again).variants] == ["quiet"]
