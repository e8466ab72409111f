"""A step of training reads no number from a GPU, so that steps queue up behind one another."""

from contextlib import nullcontext
from functools import partial
from importlib import import_module

import pytest
import torch
from smallest import SMALLEST

from baselines.swin import block as swin_block
from benchmark.denoiser import DENOISERS
from benchmark.training.distributed import Processes
from benchmark.training.recipe import Execution, Recipe
from benchmark.training.step import OptimizerStep


@pytest.fixture
def shapes_alone(monkeypatch) -> str:
    """The device of tensors without values: to read one is an error, on a GPU it is a wait."""
    import_module("torch._dynamo")  # which notes functions of torch as they are when it is loaded
    adam = torch.optim.Adam
    monkeypatch.setattr(
        torch.optim, "Adam", lambda *given, fused, **more: adam(*given, foreach=True, **more)
    )
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())
    monkeypatch.setattr(swin_block, "fused", lambda device: True)
    return "meta"


@pytest.mark.sampled(every=8)
@pytest.mark.parametrize("name", SMALLEST)
def test_steps_are_made_without_a_number_read_from_the_gpu(shapes_alone, name):
    network = DENOISERS[name](**SMALLEST[name])
    how = Execution(compile=False, accumulate=2)
    step = OptimizerStep(network, Recipe(batch=4, patch=16), how, Processes(device=shapes_alone))
    crops = partial(torch.rand, 4, 3, 16, 16, device=shapes_alone)
    losses = [step(crops(), crops(), number, 1e-4) for number in range(2)]
    assert [loss.device.type for loss in losses] == ["meta"] * 2
    with pytest.raises(RuntimeError):  # to read one would be noticed
        losses[0].item()
