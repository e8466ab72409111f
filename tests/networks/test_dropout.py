"""Dropout before the last convolution acts on whole channels, and in training alone."""

import pytest
import torch
from test_networks import TINY, assert_close, published

from baselines.dropout import Dropout

SETTINGS = {"embed_dim": 12, "depths": (2,), "num_heads": 2, "drop_path": 0.0}


def tensors_of_the_last_convolution(network: Dropout) -> tuple[torch.Tensor, torch.Tensor]:
    """What comes before dropout and what the last convolution sees, for 16 images."""
    seen = {}
    network.dropout.register_forward_hook(lambda _, args, out: seen.update(before=args[0], out=out))
    network.conv_last.register_forward_pre_hook(lambda _, args: seen.update(last=args[0]))
    torch.manual_seed(0)
    with torch.no_grad():
        network(torch.rand(16, 3, 8, 16))
    assert torch.equal(seen["out"], seen["last"])
    return seen["before"], seen["last"]


def test_output_under_a_published_draw_of_channels():
    name = "swinir_masked_tiny_dropout"
    stored, meta, network = published(name, Dropout(**TINY, dropout=0.7))
    kept = stored["keep"][..., None, None] / (1 - meta["p"])
    network.dropout.register_forward_hook(lambda module, args, output: output * kept)
    with torch.inference_mode():
        assert_close(network(stored["x"]), stored["y"])


def test_testing_is_that_of_the_baseline_which_has_the_same_names():
    name = "swinir_masked_tiny"
    stored, meta, network = published(name, Dropout(**TINY))
    with torch.inference_mode():
        assert_close(network(stored["x"]), stored["y"])
    assert list(network.state_dict()) == [key for key, _ in meta["keys"]]


@pytest.mark.parametrize("probability", [0.0, 0.3, 0.7])
def test_training_zeroes_whole_channels_and_scales_the_others_up(probability):
    network = Dropout(**SETTINGS, dropout=probability).train()
    before, last = tensors_of_the_last_convolution(network)
    kept = (last != 0).flatten(2).any(2)
    expected = before * kept[..., None, None] / (1 - probability)
    torch.testing.assert_close(last, expected)
    deviation = (probability * (1 - probability) / kept.numel()) ** 0.5
    assert kept.float().mean() == pytest.approx(1 - probability, abs=4 * deviation)


def test_testing_zeroes_nothing():
    before, last = tensors_of_the_last_convolution(Dropout(**SETTINGS).eval())
    assert torch.equal(before, last)


@pytest.mark.parametrize("probability", [-0.1, 1.0])
def test_a_probability_that_leaves_nothing_is_one_sentence(probability):
    with pytest.raises(ValueError, match=f"from 0 to below 1, got dropout={probability}$"):
        Dropout(dropout=probability)
