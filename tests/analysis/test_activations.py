"""Hooks: which layers are looked at, what is taken of them, and that nothing stays behind."""

import pytest
import torch
from torch import nn

from benchmark.analysis.activations import (
    activations,
    by_image,
    chosen_layers,
    features_of,
)
from benchmark.denoiser import DENOISERS
from benchmark.denoiser.layers import default_layers


@pytest.fixture
def masked():
    return DENOISERS["masked"](embed_dim=16, depths=(2, 2), num_heads=2)


def test_layers_are_chosen_by_patterns(masked):
    names = chosen_layers(masked, ["layers.*.residual_group.blocks.*"])
    assert names == [f"layers.{i}.residual_group.blocks.{j}" for i in (0, 1) for j in (0, 1)]


def test_an_unknown_layer_is_named(masked):
    with pytest.raises(ValueError, match="no layer is called conv_lst; did you mean 'conv_last'"):
        chosen_layers(masked, ["conv_lst"])


def test_every_network_has_layers_which_run():
    for cls in DENOISERS.values():
        if cls.learned and cls.sizes:
            network = cls(**next(iter(cls.sizes.values())))
            names = chosen_layers(network)
            found = features_of(network, names, torch.rand(2, 3, 16, 16), seed=0)
            assert names
            assert all(len(values) == 2 for values in found.values())


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("masked", {"embed_dim": 8, "depths": (1, 1), "num_heads": 1}),
        ("dropout", {"embed_dim": 8, "depths": (1, 1), "num_heads": 1}),
        ("dncnn", {"depth": 4, "width": 4}),
        ("dncnn", {"depth": 3, "width": 4, "channels": 1}),
        ("ridnet", {"width": 16}),
        ("rnan", {"groups": 3, "width": 4}),
        ("restormer", {"dim": 8, "num_blocks": (1, 1, 1, 1), "num_refinement_blocks": 1}),
        ("idf", {"iterations": 2, "width": 4}),
    ],
)
def test_the_deepest_layer_is_what_the_last_convolution_sees(name, settings):
    network = DENOISERS[name](**settings)
    image, seen = torch.rand(2, 3, 16, 16), []
    convolutions = [part for part in network.modules() if isinstance(part, nn.Conv2d)]
    for part in convolutions:
        if part.out_channels in (1, 3, 9) and part.in_channels > 3:  # 9: kernels of 3x3 pixels
            part.register_forward_pre_hook(lambda _, given: seen.append(given[0].clone()))
    names = chosen_layers(network)
    found = features_of(network, names, image, seed=0)
    assert torch.equal(list(found.values())[-1], by_image(seen[-1], image))
    assert len(found) >= len(names)


def test_features_are_those_of_the_layer_whatever_follows_in_place():
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(inplace=True), nn.Conv2d(4, 3, 1))
    image = torch.rand(1, 3, 4, 4)
    with activations(network, ["0", "2:input"]) as taken:
        network(image)
    assert torch.equal(taken["0[0]"], network[0](image))
    assert torch.equal(taken["2:input[0]"], network[0](image).relu())


def test_a_layer_which_runs_again_and_again_is_taken_each_time():
    network = DENOISERS["idf"](iterations=3, width=4)
    found = features_of(network, ["block"], torch.rand(2, 3, 8, 8), seed=0)
    assert list(found) == ["block[0]", "block[1]", "block[2]"]


def test_hooks_are_gone_afterwards(masked):
    features_of(masked, ["conv_last"], torch.rand(1, 3, 8, 8), seed=0)
    assert not any(module._forward_hooks for module in masked.modules())


def test_masks_are_the_same_under_one_seed(masked):
    layers, image = chosen_layers(masked), torch.rand(2, 3, 16, 16)
    one, same, other = (features_of(masked, layers, image, seed) for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one[layers[-1]], other[layers[-1]])


def test_windows_lie_image_by_image():
    windows = torch.arange(24.0).reshape(6, 2, 2)  # of two images, three each
    assert torch.equal(by_image(windows, torch.rand(2, 3, 8, 8))[1], torch.arange(12.0, 24.0))


def test_default_layers_are_the_blocks():
    network = nn.ModuleDict(
        {
            "head": nn.Conv2d(3, 4, 1),
            "body": nn.Sequential(
                nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 1)
            ),
            "tail": nn.Conv2d(4, 3, 1),
        }
    )
    assert default_layers(network) == ["head", "body.0", "body.3", "tail"]
