"""A GPU is told of several images before it is waited for, and no number is read from it meanwhile.

There need be no GPU: torch's fake tensors have its device, and no values that could be read.
"""

import time
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from importlib import import_module

import numpy as np
import pytest
import torch
from doubles import Offset, Recorder
from smallest import SMALLEST
from torch import nn
from torch._subclasses import FakeTensorMode
from torch._subclasses.fake_tensor import DataDependentOutputException

from benchmark.cells import Cell
from benchmark.datasets import DATASETS, Dataset
from benchmark.denoiser import DENOISERS, Denoiser, inference
from benchmark.denoiser.contract import RestorationError
from benchmark.denoiser.inference import Inference
from benchmark.environment import queue
from benchmark.metrics import METRICS, Metric
from benchmark.noise import NOISE_MODELS
from benchmark.protocol import MASKED, PROTOCOLS
from benchmark.scoring import evaluate as scoring
from benchmark.scoring.evaluate import as_tensor, compared, evaluate

ON_DEVICE = [name for name, cls in METRICS.items() if cls.on_device]
CELL = Cell("m", "photos", "gaussian", 25.0, 0)


class Mark:
    """An event of CUDA which has always come."""

    def __init__(self, enable_timing: bool):
        pass

    def record(self, stream: object) -> None:
        pass


@pytest.fixture
def gpu(monkeypatch) -> Iterator[torch.device]:
    """A GPU which remembers shapes alone: to read a value from it is an error."""
    import_module("torch._dynamo")  # which notes functions of torch as they are when it is loaded
    monkeypatch.setattr(torch.cuda, "Event", Mark)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: None)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor)
    monkeypatch.setattr(inference, "forked_rng", lambda device: nullcontext())
    monkeypatch.setattr(inference, "saved_rng", lambda device: lambda: None)
    with FakeTensorMode():
        yield torch.device("cuda", 0)


def moved(network: nn.Module, device: torch.device) -> nn.Module:
    """A network whose parameters and buffers are on a device, without values."""
    for module in network.modules():
        for tensors in (module._parameters, module._buffers):
            for name, tensor in tensors.items():
                if tensor is not None:
                    fake = torch.empty(tensor.shape, dtype=tensor.dtype, device=device)
                    is_parameter = isinstance(tensor, nn.Parameter)
                    tensors[name] = nn.Parameter(fake, False) if is_parameter else fake
    return network


@pytest.mark.sampled(every=8)
@pytest.mark.parametrize("tile", ["none", 64])
@pytest.mark.parametrize("name", SMALLEST)
def test_a_network_restores_without_a_number_read_from_the_gpu(name, tile, request):
    network = DENOISERS[name](**SMALLEST[name]).eval()
    device = request.getfixturevalue("gpu")  # only now: a network is made of values
    launched = Inference(tile).launch(
        moved(network, device), torch.rand(1, 3, 72, 66, device=device), 1
    )
    assert launched.image.shape == (1, 3, 72, 66)
    assert launched.image.device == device


@pytest.mark.parametrize("colour", ["rgb", "y"])
@pytest.mark.parametrize("name", ["psnr", "ssim", "psnr_y", "ssim_y"])
def test_a_metric_scores_without_a_number_read_from_the_gpu(gpu, name, colour):
    pair = torch.rand(1, 3, 20, 20, device=gpu), torch.rand(1, 3, 20, 20, device=gpu)
    if colour == "y" and not METRICS[name].rgb_only:
        pair = tuple(scoring.in_colour(image, colour) for image in pair)
    score = METRICS[name]().unread(*pair)
    assert score.shape == () and score.device == gpu


@pytest.mark.parametrize("protocol", ["masked", "clipdenoising", "float", "masked(bits=16)"])
def test_what_is_compared_stays_on_the_gpu(gpu, protocol):
    how = PROTOCOLS.get(protocol) or MASKED.__class__(bits=16)
    pixels = compared(torch.rand(1, 3, 6, 5, device=gpu), how)
    assert pixels.shape == (6, 5, 3)
    assert as_tensor(pixels).device == gpu


def test_what_reads_a_number_is_noticed(gpu):
    class Curious(Denoiser):
        name = "curious"

        def forward(self, noisy):
            return noisy * noisy.max().item()

    with pytest.raises(DataDependentOutputException):
        Inference("none").launch(Curious(), torch.rand(1, 3, 8, 8, device=gpu), 1)


# With values, on a CPU which is taken for a device with a queue


@pytest.fixture
def queued(monkeypatch) -> None:
    monkeypatch.setattr(inference, "has_queue", lambda device: True)
    monkeypatch.setattr(scoring, "has_queue", lambda device: True)


@pytest.fixture
def photos() -> Dataset:
    return DATASETS["photos"](crop=24)


def rows(model: Denoiser, dataset: Dataset, metrics: dict[str, Metric], cell: Cell = CELL) -> list:
    done = evaluate(cell, model, dataset, NOISE_MODELS["gaussian"](), metrics, dataset.images())
    found = [{**each.row, "restored": each.restored.tolist()} for each in done]
    for row in found:
        del row["seconds"]
    return found


def test_a_queue_changes_no_score_and_no_picture(photos, request):
    torch.manual_seed(0)
    model = DENOISERS["masked"](**DENOISERS["masked"].sizes["tiny"]).eval()
    metrics = {name: METRICS[name]() for name in ("psnr", "ssim_y")}
    expected = rows(model, photos, metrics)
    request.getfixturevalue("queued")
    assert rows(model, photos, metrics) == expected


def test_several_images_are_in_a_queue_before_the_first_is_waited_for(queued, photos, monkeypatch):
    model, launched = Recorder(), []
    wait = inference.Launched.wait

    def noting(self: inference.Launched) -> inference.Restored:
        until = time.monotonic() + 30
        while not launched and len(model.seen) < len(photos) and time.monotonic() < until:
            time.sleep(0.001)
        launched.append(len(model.seen))
        return wait(self)

    monkeypatch.setattr(inference.Launched, "wait", noting)
    assert len(rows(model, photos, {})) == len(photos)
    assert launched[0] == min(queue.AHEAD + 1, len(photos))


class Spoilt(Recorder):
    """NaN from an image on."""

    name = "spoilt"

    def __init__(self, number: int):
        super().__init__()
        self.number = number

    def forward(self, noisy):
        restored = super().forward(noisy)
        return restored * float("nan") if len(self.seen) > self.number else restored


@pytest.mark.parametrize("tile", ["none", 64])
def test_what_is_no_picture_is_refused_when_it_is_waited_for(queued, tile):
    launched = Inference(tile).launch(Spoilt(0), torch.rand(1, 3, 70, 70), 1, "image a")
    with pytest.raises(
        RestorationError, match="^image a: 'spoilt' returned values that are no num"
    ):
        launched.wait()


def test_images_before_one_that_fails_are_scored(queued, photos):
    found = []
    with pytest.raises(RestorationError, match="returned values that are no numbers"):
        law = NOISE_MODELS["gaussian"]()
        for done in evaluate(CELL, Spoilt(2), photos, law, {}, photos.images()):
            found.append(done.row["image"])
    assert found == photos.images()[:2]


def test_a_noisy_image_is_made_once_for_all_models_and_anew_for_another_seed(photos):
    made = []

    class Counted(Offset):
        def sample(self, clean, level, rng):
            made.append(level)
            return super().sample(clean, level, rng)

    law, images = Counted(), photos.images()
    score = partial(evaluate, dataset=photos, noise=law, metrics={}, images=images)
    for cell in (CELL, Cell("other", *list(vars(CELL).values())[1:])):
        assert len(list(score(cell, Recorder()))) == len(images)
    assert len(made) == len(images)
    list(score(Cell("m", "photos", "gaussian", 25.0, 1), Recorder()))
    assert len(made) == 2 * len(images)
    list(score(CELL, Recorder(), noise=Counted()))  # its settings are the same, and its files?
    assert len(made) == 3 * len(images)


def test_another_image_of_the_same_name_is_made_noisy_anew():
    seen = []
    for grey in (0.2, 0.6):
        model = Recorder()
        (row,) = evaluate(CELL, model, Plain(grey), LAW, {}, ["a"])
        seen.append((row.row["clean"], model.seen[0].mean().item()))
    assert seen[0] != seen[1]


LAW = Offset()


class Plain:
    """One grey image."""

    def __init__(self, grey: float):
        self.grey = grey

    def read(self, image, level=None, protocol=MASKED):
        from benchmark.datasets import Sample

        return Sample(image, np.full((8, 8, 3), self.grey, np.float32))
