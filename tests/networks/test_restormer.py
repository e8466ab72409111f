"""Restormer's settings: read off a published state dict, or refused in one sentence."""

import pytest
import torch

from baselines.restormer import Restormer

SMALL = {"dim": 8, "num_blocks": (1, 2, 1, 3), "num_refinement_blocks": 2}


def shapes_of(network: Restormer) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"layer_norm": "WithBias"},
        {"heads": (2, 1, 8, 4)},
        {"dim": 14, "heads": (1, 2, 7, 1), "ffn_expansion_factor": 1.9},
        {"ffn_expansion_factor": 3.0},
    ],
)
def test_shapes_tell_every_setting(settings):
    defaults = {"heads": (1, 2, 4, 8), "ffn_expansion_factor": 2.66, "layer_norm": "BiasFree"}
    expected = {**SMALL, **defaults, **settings}
    found = Restormer.arguments_of(shapes_of(Restormer(**expected)))
    factor = found.pop("ffn_expansion_factor")
    assert found == {k: v for k, v in expected.items() if k != "ffn_expansion_factor"}
    assert factor == pytest.approx(expected["ffn_expansion_factor"], abs=0.02)


@pytest.mark.parametrize("factor", [1.0, 1.37, 2, 2.5, 2.66, 2.6666, 4.0])
@pytest.mark.parametrize("dim", [8, 14, 20])
def test_the_factor_read_off_the_shapes_gives_the_same_shapes(dim, factor):
    settings = {**SMALL, "dim": dim, "heads": (1, 1, 1, 1)}
    shapes = shapes_of(Restormer(**settings, ffn_expansion_factor=factor))
    assert shapes_of(Restormer(**Restormer.arguments_of(shapes))) == shapes


def test_the_published_shapes_are_those_of_the_default():
    with torch.device("meta"):
        network = Restormer()
    assert Restormer.arguments_of(shapes_of(network)) == {
        "dim": 48,
        "num_blocks": (4, 6, 6, 8),
        "num_refinement_blocks": 4,
        "heads": (1, 2, 4, 8),
        "ffn_expansion_factor": 2.66,
        "layer_norm": "BiasFree",
    }


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"dim": 9}, "dim=9 between levels; choose an even one"),
        ({"num_blocks": (4, 6, 8)}, r"4 levels, got num_blocks=\(4, 6, 8\); give one number"),
        ({"heads": (1, 2)}, r"4 levels, got heads=\(1, 2\); give one number"),
        ({"heads": (1, 2, 5, 8)}, "192 channels among 5 heads; choose a number of heads"),
        ({"layer_norm": "None"}, "unknown layer_norm 'None'.*: BiasFree, WithBias$"),
    ],
)
def test_wrong_settings_are_one_sentence(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        Restormer(**settings)


@pytest.mark.parametrize("layer_norm", ["BiasFree", "WithBias"])
def test_a_black_image_has_finite_gradients(layer_norm):
    network = Restormer(**SMALL, layer_norm=layer_norm)
    image = torch.zeros(1, 3, 16, 16, requires_grad=True)
    network(image).square().sum().backward()
    gradients = [image.grad, *(p.grad for p in network.parameters())]
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


def test_the_memory_layout_of_the_image_changes_nothing():
    network = Restormer(**SMALL).eval()
    image = torch.rand(2, 3, 24, 16)
    with torch.inference_mode():
        expected = network(image)
        restored = network(image.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(restored, expected)
