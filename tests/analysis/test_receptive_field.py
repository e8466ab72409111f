"""Receptive fields and changed pixels of networks of which both are known."""

import numpy as np
import pytest
import torch

from benchmark.analysis.receptive_field import around, changes, gradients, side_of
from benchmark.denoiser import DENOISERS, Denoiser

IMAGE = torch.rand(2, 3, 20, 24, generator=torch.Generator().manual_seed(0))
PIXELS = [(9, 11), (12, 10)]


class Box(Denoiser):
    """The mean of 3x3 pixels of each channel, times what it draws."""

    name, multiple = "box", 8

    def __init__(self, is_random: bool = False):
        super().__init__()
        self.is_random = is_random

    def forward(self, noisy):
        factor = torch.rand(()) if self.is_random else 1
        return factor * torch.nn.functional.avg_pool2d(noisy, 3, 1, 1)


def test_the_field_of_a_mean_is_its_window_around_each_images_own_pixel():
    found = gradients(Box(), IMAGE, PIXELS, seed=0)
    assert found.shape == (2, 20, 24)
    for values, pixel in zip(found.numpy(), PIXELS, strict=True):
        assert around(values, pixel, 1) == pytest.approx(np.full((3, 3), 3 / 9))
        assert values.sum() == pytest.approx(3)


def test_a_changed_pixel_is_spread_over_the_window_by_what_it_changed():
    moved, given = changes(Box(), IMAGE, PIXELS, seed=0)
    for values, pixel, change in zip(moved, PIXELS, given, strict=True):
        assert around(values, pixel, 1) == pytest.approx(np.full((3, 3), change / 9), abs=1e-6)
        assert values.sum() == pytest.approx(change, abs=1e-5)
    colours = [IMAGE[place, :, *pixel] for place, pixel in enumerate(PIXELS)]
    expected = [(colour.mean() + (1 - colour).mean()) / 2 for colour in colours]
    assert given == pytest.approx(np.array(expected))


def test_a_stochastic_network_draws_the_same_before_and_after_and_the_generator_is_left_alone():
    torch.manual_seed(5)
    moved, _ = changes(Box(is_random=True), IMAGE, PIXELS, seed=0)
    assert torch.initial_seed() == 5
    assert around(moved[0], PIXELS[0], 9).sum() == pytest.approx(moved[0].sum())
    assert np.count_nonzero(moved[0]) == 9
    one, same, other = (
        gradients(Box(is_random=True), IMAGE, PIXELS, seed).sum() for seed in (0, 0, 1)
    )
    assert one == same != other


@pytest.mark.parametrize("model", ["masked", "baseline"])
def test_the_magnitude_is_that_of_a_finite_difference(model):
    torch.manual_seed(0)
    network = DENOISERS[model](embed_dim=8, depths=(2,), num_heads=1).double()
    image, step = IMAGE[:1].double(), 1e-5
    found = gradients(network, image, PIXELS[:1], seed=3)[0, 8, 12]
    expected = 0.0
    for channel in range(3):
        moved = []
        for sign in (-1, 1):
            changed = image.clone().requires_grad_()  # gradients take the pass with a graph
            with torch.no_grad():
                changed[0, channel, 8, 12] += sign * step
            torch.manual_seed(3)
            moved.append(network(torch.nn.functional.pad(changed, (0, 0, 0, 4), "reflect")))
        expected += abs((moved[1] - moved[0])[0, :, 9, 11].sum().item() / (2 * step))
    assert found.item() == pytest.approx(expected, rel=1e-4)


def test_a_square_is_the_smallest_that_holds_its_share():
    values = np.zeros((7, 7))
    values[3, 3], values[3, 4], values[0, 0] = 50, 44, 6
    assert [side_of(values, share) for share in (0.5, 0.51, 0.94, 0.95)] == [1, 3, 3, 7]


def test_a_network_without_a_graph_gives_no_gradients():
    class Cut(Box):
        def forward(self, noisy):
            return super().forward(noisy).detach()

    with pytest.raises(ValueError, match="'box' gives no gradients"):
        gradients(Cut(), IMAGE, PIXELS, seed=0)
