"""Trainings as they are typed, and runs of what they wrote."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from command_results import SMALL, cells

from benchmark.cli.objects.training import _training_noise


@pytest.fixture
def photographs(tmp_path) -> Path:
    """A folder of two smooth pictures."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("one", "two"):
        coarse = rng.integers(0, 256, (6, 8, 3), np.uint8)
        cv2.imwrite(str(folder / f"{name}.png"), cv2.resize(coarse, (64, 48)))
    return folder


@pytest.mark.slow
def test_a_network_trained_on_a_folder_can_be_run_from_its_file(bench, tmp_path, photographs):
    from benchmark.denoiser.weights.load import read_header

    tiny = ["model.dncnn.depth=3", "model.dncnn.width=8", "model.dncnn.batch_norm=false"]
    tiny += ["steps=4", "batch=2", "patch=16"]
    data = ["data=folder", f"data.folder.path={photographs}"]
    status, out, err = bench("train", "model=dncnn", *tiny, *data, "log_every=2", "out=runs")
    assert (status, err) == (0, "")
    assert "step 2/4" in out
    weights = tmp_path / "runs" / "dncnn" / "dncnn.safetensors"
    header = read_header(weights)
    assert header["arguments"] == {"depth": 3, "width": 8, "batch_norm": False, "channels": 3}
    assert header["training"]["recipe"]["steps"] == 4
    assert header["training"]["data"]["folder"]["images"] == 2
    assert header["training"]["torch"]

    levels = ["noise=gaussian", "noise.gaussian.levels=[25]", *SMALL, "out=o"]
    status, _, err = bench("run", "model=dncnn", f"model.dncnn.weights={weights}", *levels)
    assert status == 0, err
    assert "cells/dncnn/photos/gaussian-25-0.json" in cells(tmp_path / "o")
    moved = tmp_path / "elsewhere.safetensors"
    weights.rename(moved)
    before = cells(tmp_path / "o")
    status, _, err = bench("run", "model=dncnn", f"model.dncnn.weights={moved}", *levels)
    assert status == 0, err
    assert cells(tmp_path / "o") == before  # the hash counts, not the place

    bench("train", "model=dncnn", *tiny, *data, "steps=5", "out=other")
    other = tmp_path / "other" / "dncnn" / "dncnn.safetensors"
    status, _, err = bench("run", "model=dncnn", f"model.dncnn.weights={other}", *levels)
    assert status == 2
    assert "model.weights 'sha256:" in err


def test_crops_which_a_network_cannot_take_are_refused_before_an_image_is_read(bench, photographs):
    data = ["data=folder", f"data.folder.path={photographs}", "out=runs"]
    status, out, err = bench("train", "preset=tiny", "model=restormer_tiny", "patch=36", *data)
    assert (status, out) == (2, "")
    assert err == (
        "bench: patch=36 does not suit 'restormer_tiny', whose crops have sides that are a "
        "multiple of 8; take patch=40\n"
    )
    words = ["model=ridnet_tiny", "model.ridnet_tiny.batch_norm=true", "batch=4", "accumulate=4"]
    status, out, err = bench("train", "preset=tiny", *words, *data)
    assert (status, out) == (2, "")
    assert "'ridnet_tiny' cannot be trained on one crop at once (ValueError: Expected more" in err
    assert err.endswith("; take a larger batch, or a smaller accumulate\n") and err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "level"),
    [
        (["noise=gaussian"], 15),
        (["noise=gaussian(25)"], 25),
        (["noise=gaussian", "noise.gaussian.levels=[25]"], 25),
        (["noise=gaussian(25)", "level=25"], 25),
        (["noise=gaussian", "level=20"], 20),
        (["noise=speckle(0.03)"], 0.03),
        (["noise=poisson", "level=2"], 2),
        (["noise=gaussian(25)+poisson(2)"], 1),
    ],
)
def test_the_level_of_the_training_noise_is_the_one_which_is_typed(bench, called, words, level):
    given = called("train")
    assert bench("train", "model=dncnn", "data=photos", *words)[0] == 0
    ((options, _),) = given
    assert _training_noise(options)[2] == level


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["noise=speckle"],
            "noise 'speckle' is trained on at one level, such as level=0.04;",
        ),
        (["noise=[gaussian(25),gaussian(50)]"], "one level, such as level=50; there are 25, 50"),
        (["noise=gaussian(25)", "level=50"], "level=50 is no level of what noise= chooses, 25;"),
    ],
)
def test_a_level_that_is_not_told_or_contradicts_the_noise_is_refused(bench, words, says):
    status, out, err = bench("train", "model=dncnn", "data=photos", *words)
    assert (status, out) == (2, "")
    assert says in err and err.count("\n") == 1


@pytest.mark.slow
def test_training_with_another_recipe_in_the_same_folder_is_refused(bench, photographs):
    tiny = ["model.dncnn.depth=3", "model.dncnn.width=8", "batch=2", "patch=16", "out=runs"]
    command = ["train", "model=dncnn", *tiny, "data=folder", f"data.folder.path={photographs}"]
    bench(*command, "steps=2")
    status, _, err = bench(*command, "steps=3")
    assert status == 2
    assert "recipe.steps 2 (now 3)" in err
    assert err.count("\n") == 1


@pytest.mark.slow
def test_a_state_of_before_a_later_setting_is_gone_on_from(bench, photographs, tmp_path):
    from benchmark.training.state import load_state

    sizes = ["depths=[2]", "embed_dim=8", "num_heads=2"]
    tiny = [f"model.masked.{size}" for size in sizes] + ["batch=2", "patch=16", "steps=2"]
    command = ["train", "model=masked", *tiny, "data=folder", f"data.folder.path={photographs}"]
    status, _, err = bench(*command, "out=runs")
    assert (status, err) == (0, "")
    _, state = load_state(tmp_path / "runs" / "masked")
    assert "input_ratio" in state["settings"]["model"]
    assert "test_ratio" not in state["settings"]["model"]
