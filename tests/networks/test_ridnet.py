"""RIDNet's two published variants are told apart, and it sees white where it is told to."""

import pytest
import torch
from test_networks import published

from baselines.ridnet import RIDNet

IMAGE = torch.rand(1, 3, 12, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("batch_norm", [False, True], ids=["published", "copy"])
@pytest.mark.parametrize("width", [16, 33])
def test_shapes_tell_the_width_and_the_variant(width, batch_norm):
    network = RIDNet(width=width, batch_norm=batch_norm)
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    white = 1.0 if batch_norm else 255.0
    found = {"width": width, "batch_norm": batch_norm, "rgb_range": white}
    assert RIDNet.arguments_of(shapes) == found


def test_the_network_sees_white_at_rgb_range():
    seen = []
    network = RIDNet(width=16, rgb_range=255.0)
    network.head.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    with torch.inference_mode():
        restored = network(IMAGE)
        mean = torch.tensor([0.4488, 0.4371, 0.4040]).view(3, 1, 1)
        torch.testing.assert_close(seen[0], 255 * (IMAGE - mean), atol=1e-4, rtol=0)
        network.tail.weight.zero_()
        network.tail.bias.fill_(255.0)
        torch.testing.assert_close(network(IMAGE), IMAGE + mean + 1)  # the oddity: mean is added
    assert restored.shape == IMAGE.shape


def test_the_shifts_by_the_mean_are_trained_as_published():
    _, _, network = published("ridnet_tiny")
    network(IMAGE).mean().backward()
    for shift in (network.sub_mean, network.add_mean):
        assert all(parameter.grad.abs().max() > 0 for parameter in shift.parameters())


def test_a_width_without_a_sixteenth_is_one_sentence():
    with pytest.raises(ValueError, match=r"choose a width of 16 or more, got 8$"):
        RIDNet(width=8)
