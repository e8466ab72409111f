"""A network for grey images alone is asked for nothing else, wherever a model is tried out."""

import pytest
import torch
from torch import Tensor, nn

from benchmark.denoiser import Denoiser, inference
from benchmark.denoiser.flops import gflop
from benchmark.denoiser.promises import check
from benchmark.scoring.precision import compare
from benchmark.studies.stochastic import is_stochastic


class Grey(Denoiser):
    """A blur of one channel."""

    name = "grey"
    image_channels = 1

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1, bias=False)
        nn.init.constant_(self.conv.weight, 1 / 9)

    def forward(self, noisy: Tensor) -> Tensor:
        return self.conv(noisy)


def test_it_can_keep_every_promise():
    assert [one.name for one in check(Grey()) if not one.kept] == []


def test_colours_are_refused_at_the_door():
    with pytest.raises(ValueError, match=r"\(B, 1, H, W\), got \(1, 3, 8, 8\); make it grey"):
        Grey().denoise(torch.zeros(1, 3, 8, 8))


def test_its_memory_is_measured_on_a_grey_image(monkeypatch):
    asked = []
    monkeypatch.setattr(inference, "SMALL", 0)
    monkeypatch.setattr(inference, "bytes_per_pixel", lambda *given: asked.append(given[-1]) or 1)
    Grey().denoise(torch.zeros(1, 1, 40, 40))
    assert asked == [1]
    monkeypatch.undo()
    assert inference.bytes_per_pixel(Grey(), torch.device("cpu"), "fp32", 1) > 0


def test_its_cost_precision_and_randomness_are_of_grey_images():
    assert gflop(Grey(), 10) == pytest.approx(2 * 9 * 100 / 1e9)
    assert compare(Grey(), "cpu").change < 0.5
    assert not is_stochastic(Grey())
