"""What a check measures: means and spreads of runs, cells which fail, and relative speed."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from doubles import Constant, Dice, Offset

from benchmark.datasets import DATASETS
from benchmark.denoiser import Denoiser
from benchmark.metrics import METRICS
from benchmark.noise import stream
from benchmark.reporting.gate.compare import REPEATS
from benchmark.scoring.grid import Grid
from benchmark.studies.gate.runs import first_image
from benchmark.studies.gate.scored import score
from benchmark.studies.gate.speed import FixedNetwork, relative


class Dizzy(Denoiser):
    """The input, but for a little randomness; or none of it."""

    name = "dizzy"

    def __init__(self, strength: float = 0.05):
        super().__init__()
        self.strength = strength

    def forward(self, noisy):
        return noisy + self.strength * torch.randn_like(noisy)


class Bright(Denoiser):
    """No picture where an image is bright."""

    name = "bright"

    def forward(self, noisy):
        return noisy / (noisy.mean() < 0.4)


class Raising(Denoiser):
    """A network which a commit broke: it raises, on every image."""

    name = "raising"

    def __init__(self, error: BaseException):
        super().__init__()
        self.error = error

    def forward(self, noisy):
        raise self.error


def grid_of(crop: int = 16, **models: Denoiser) -> Grid:
    data = DATASETS["photos"](limit=2, crop=crop)
    return Grid(
        models=models,
        noises={"offset": Offset()},
        datasets={"photos": data},
        metrics={"psnr": METRICS["psnr"]()},
        levels={"photos": {"offset": (0.1, 0.2)}},
        seeds=[0],
        settings={
            "model": {name: {"of": model.name} for name, model in models.items()},
            "noise": {"offset": {"of": "offset"}},
            "data": {"photos": {"of": "photos", "sha256": {0.0: "same"}}},
            "metric": {"psnr": {"of": "psnr"}},
        },
    )


def test_a_stochastic_model_has_the_mean_of_its_runs_and_the_spread_of_that_mean(tmp_path):
    lines, failed = score(grid_of(dizzy=Dizzy(), constant=Constant(0.5)), tmp_path, "cpu")
    assert not failed
    assert [(line.cell.model, line.cell.level, line.images) for line in lines] == [
        ("dizzy", 0.1, 2), ("constant", 0.1, 2), ("dizzy", 0.2, 2), ("constant", 0.2, 2),
    ]  # fmt: skip
    assert len(list(tmp_path.glob("cells/*/photos/offset-0.1-0.json"))) == REPEATS + 1
    dizzy, constant = lines[:2]
    assert constant.spreads == {"psnr": 0.0}
    assert 0.001 < dizzy.spreads["psnr"] < 0.1


@pytest.mark.slow
def test_the_spread_is_how_far_such_means_are_apart(tmp_path, monkeypatch):
    grid = grid_of(dizzy=Dizzy())
    means, spreads = [], []
    for other in range(8):
        key = f"other numbers {other}"
        monkeypatch.setattr(
            "benchmark.studies.gate.runs.stream", lambda *k, key=key: stream(key, *k)
        )
        line = score(grid, tmp_path / str(other), "cpu")[0][0]
        means.append(line.scores["psnr"])
        spreads.append(line.spreads["psnr"])
    # the deviation of 8 means is known to a factor of 2 in 99 of 100 cases
    assert np.mean(spreads) / 2.2 < np.std(means, ddof=1) < np.mean(spreads) * 2.2


def test_the_same_runs_have_the_same_numbers(tmp_path):
    first, second = (score(grid_of(dizzy=Dizzy()), tmp_path / n, "cpu")[0] for n in "ab")
    assert first == second


def test_a_model_that_makes_no_picture_costs_only_its_own_cells_their_scores(tmp_path):
    lines, failed = score(grid_of(bright=Bright(), constant=Constant(0.5)), tmp_path, "cpu")
    assert {line.cell.model for line in lines} == {"constant"}
    assert {cell.model for cell in failed} == {"bright"}
    for cell, reason in failed.items():
        assert reason.startswith(f"{cell}, image ")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("3 channels\nare not 5"), "RuntimeError: 3 channels are not 5"),
        (KeyError("gone"), "KeyError: 'gone'"),
        (NotImplementedError(), "NotImplementedError"),
        (ValueError("it is Monday"), "it is Monday"),
        (SystemExit(3), "a model ended the program"),
    ],
    ids=["runtime", "key", "wordless", "value", "exit"],
)
def test_whatever_a_model_raises_is_one_line_of_its_cells_and_others_are_scored(
    error, said, tmp_path
):
    grid = grid_of(raising=Raising(error), constant=Constant(0.5))
    lines, failed = score(grid, tmp_path, "cpu")
    assert [line.cell.model for line in lines] == ["constant"] * 2
    assert {cell.model for cell in failed} == {"raising"} and len(failed) == 2
    for cell, reason in failed.items():
        assert reason.startswith(f"{cell}, image ") and reason.endswith(f": {said}")


def test_a_model_that_is_interrupted_ends_the_check(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        score(grid_of(raising=Raising(KeyboardInterrupt())), tmp_path, "cpu")


def test_a_metric_without_a_number_is_said_of_its_cell(tmp_path):
    grid = grid_of(constant=Constant(0.5))
    nothing = replace(METRICS["psnr"](), border=1)
    object.__setattr__(nothing, "score", lambda restored, clean: float("nan"))
    lines, failed = score(replace(grid, metrics={"psnr": nothing}), tmp_path, "cpu")
    assert not lines
    assert all("psnr is nan" in reason for reason in failed.values())


def test_what_a_line_is_of_changes_with_images_noise_and_metric_and_not_with_the_model(tmp_path):
    grids = {
        "base": grid_of(model=Constant(0.5)),
        "model": grid_of(model=Constant(0.7)),
        "data": grid_of(crop=20, model=Constant(0.5)),
        "metric": grid_of(model=Constant(0.5)),
    }
    grids["metric"].settings["metric"]["psnr"]["border"] = 4
    settings = {
        name: score(grid, tmp_path / name, "cpu")[0][0].settings for name, grid in grids.items()
    }
    changed = {
        name: {part for part, digest in found.items() if digest != settings["base"][part]}
        for name, found in settings.items()
    }
    assert changed["model"] == set()
    assert changed["data"] == {"clean", "noisy"}
    assert changed["metric"] == {"psnr"}


def test_a_dataset_which_cannot_be_read_is_no_fault_of_a_cell(tmp_path, monkeypatch):
    grid = grid_of(crop=4, model=Constant(0.5))
    metrics = {"ssim": METRICS["ssim"]()}
    settings = {**grid.settings, "metric": {"ssim": {}}}
    with pytest.raises(ValueError, match="4x4"):
        score(replace(grid, metrics=metrics, settings=settings), tmp_path, "cpu")


def test_a_noise_which_a_dice_is_restored_from_is_not_drawn_anew(tmp_path):
    (line, _), _ = score(grid_of(dice=Dice()), tmp_path, "cpu")
    (other, _), _ = score(grid_of(other=Constant(0.5)), tmp_path / "other", "cpu")
    assert line.settings == other.settings


def test_speed_is_the_median_ratio_to_the_fixed_network_beside_it():
    asked = []
    drift = iter(range(1, 1000))  # a machine which gets slower and slower

    def seconds(name):
        asked.append(name)
        return next(drift) * {None: 1.0, "slow": 30.0, "quick": 0.5}[name]

    found = relative(seconds, ["slow", "quick"])
    assert asked[3:7] == ["slow", None, "quick", None]  # after one run of each
    assert found == pytest.approx({"slow": 30.0, "quick": 0.5}, rel=0.1)


def test_the_fixed_network_is_always_the_same_and_makes_a_picture():
    image = first_image(grid_of(model=Constant(0.5)), "photos")
    first, second = (FixedNetwork().denoise(image) for _ in range(2))
    assert torch.equal(first, second)
    assert first.shape == image.shape == (1, 3, 16, 16)
