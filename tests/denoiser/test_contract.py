"""No output that is no picture is scored, whichever door a model is used through."""

from pathlib import Path

import numpy as np
import pytest
import torch
from doubles import Boxes
from toy_outputs import BAD, GOOD, ONE_OF_EACH, RANGES, Returns, one_of_each, scored

from benchmark.cells import Cell
from benchmark.datasets import Folder
from benchmark.denoiser import Denoiser
from benchmark.denoiser.contract import OVERSHOOT, SHARE, RestorationError, require_range
from benchmark.denoiser.inference import WHOLE, Inference
from benchmark.noise import NOISE_MODELS
from benchmark.scoring.evaluate import evaluate
from benchmark.scoring.precision import choose_precision
from benchmark.studies.submission import write_submission
from benchmark.training.validation import Validation, conditions_of

# what a network may return by mistake, and what is said of it


every_bad_output = pytest.mark.parametrize("how", BAD)
every_good_output = pytest.mark.parametrize("how", GOOD)


@every_bad_output
def test_an_output_that_is_no_picture_is_not_scored(how, images):
    with pytest.raises(RestorationError) as refused:
        scored(Returns(how=how), images, Inference())
    message = str(refused.value)
    assert message.startswith("mine on d, gaussian 15, seed 0, image a: 'returns' returned ")
    assert BAD[how][1] in message
    assert "\n" not in message and len(message) < 300


@one_of_each
def test_nor_is_one_that_is_made_in_tiles(how, images):
    with pytest.raises(RestorationError, match="image a: 'returns' returned "):
        scored(Returns(how=how), images, Inference(64))


@pytest.mark.parametrize("inference", [Inference(), Inference(64)], ids=["whole", "tiles"])
@every_good_output
def test_a_picture_in_another_dress_is_scored(how, inference, images):
    assert [row["image"] for row in scored(Returns(how=how), images, inference)] == ["a", "b"]


def test_the_images_before_a_bad_one_are_finished(images):
    cell, folder = Cell("mine", "d", "gaussian", 15.0, 0), Folder(path=str(images))
    model = Returns(how="half")
    model.how = lambda noisy: noisy if noisy.shape[-1] == 80 else noisy * torch.nan
    done = []
    with pytest.raises(RestorationError, match="image b: 'returns' returned"):
        for one in evaluate(cell, model, folder, NOISE_MODELS["gaussian"](), {}, ["a", "b"]):
            done.append(one.row["image"])
    assert done == ["a"]


def submit(model: Denoiser, folder: Path) -> None:
    list(write_submission(Boxes(), model, folder / "mine"))


def repeat(model: Denoiser, _: Path) -> None:
    WHOLE.run(model, torch.linspace(0, 1, 3 * 24 * 24).reshape(1, 3, 24, 24), 0, "mine, image a")


def validate(model: Denoiser, _: Path) -> None:
    crop = np.linspace(0, 255, 24 * 24 * 3).astype(np.uint8).reshape(24, 24, 3)
    Validation([crop, crop], conditions_of(["gaussian(15)"])).scores(model, "cpu", "fp32")


def denoise(model: Denoiser, _: Path) -> None:
    model.denoise(torch.linspace(0, 1, 3 * 24 * 24).reshape(1, 3, 24, 24))


DOORS = {"submit": submit, "passes": repeat, "validation": validate, "denoise": denoise}


@pytest.mark.parametrize(
    ("door", "how"),
    [(d, h) for d in DOORS for h in ONE_OF_EACH if not (d == "validation" and h in RANGES)],
)
def test_every_door_holds_a_model_to_the_contract(door, how, tmp_path):
    with pytest.raises(RestorationError, match="'returns' returned"):
        DOORS[door](Returns(how=how), tmp_path)
    assert not list(tmp_path.rglob("*.mat"))


def test_a_network_in_training_may_be_far_from_a_picture(tmp_path):
    for how in RANGES:
        validate(Returns(how=how), tmp_path)


def test_the_first_measurement_of_a_precision_holds_to_the_contract(monkeypatch, tmp_path):
    monkeypatch.setattr("benchmark.scoring.precision.multiplies_bf16", lambda _: True)
    monkeypatch.setattr("benchmark.scoring.precision.folder", lambda: tmp_path)
    model = Returns(how="nan")
    model.weight = torch.nn.Parameter(torch.ones(()))
    with pytest.raises(RestorationError, match="^returns in fp32 on a crop of a photograph: "):
        choose_precision("auto", model, "cpu")
    assert not list(tmp_path.iterdir())


# how much of an image may leave the range


@pytest.mark.parametrize(("share", "refused"), [(SHARE - 0.01, False), (SHARE + 0.01, True)])
@pytest.mark.parametrize("value", [-OVERSHOOT - 0.01, 1 + OVERSHOOT + 0.01, 1e9])
def test_a_part_of_an_image_may_overshoot(share, refused, value):
    pair = torch.full((2, 1, 10, 100), 0.5)
    pair[1].view(-1)[: int(1000 * share)] = value
    if refused:
        with pytest.raises(RestorationError, match=f"{100 * share:.0f} % of an image more than"):
            require_range(pair, torch.full_like(pair, 0.5))
    else:
        require_range(pair, torch.full_like(pair, 0.5))


def test_an_image_may_leave_the_range_where_its_noise_does():
    noisy = torch.full((1, 1, 10, 10), 1.5)
    require_range(noisy + OVERSHOOT - 0.01, noisy)
    with pytest.raises(RestorationError):
        require_range(noisy + OVERSHOOT + 0.01, noisy)
