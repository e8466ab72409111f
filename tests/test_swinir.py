"""Without gradients a block goes through a few windows at a time; what comes out is the same."""

import pytest
import torch

from baselines import swinir
from baselines.swinir import SwinBlock
from masked_model.masking import AttentionMask


@pytest.fixture(params=["inside", "shifted"])
def block(request):
    torch.manual_seed(0)
    block = SwinBlock(
        embed_dim=12,
        num_heads=3,
        window_size=4,
        mlp_ratio=2.0,
        drop_path=0.5,
        shifted=request.param == "shifted",
    )
    for parameter in block.parameters():  # none is 0 or 1, as biases and norms are at first
        torch.nn.init.normal_(parameter, std=0.5)
    return block.eval()


@pytest.mark.parametrize("shape", [(1, 4, 4), (1, 4, 24), (2, 24, 20), (3, 40, 32)])
def test_a_few_windows_at_a_time_are_as_good_as_all(block, shape):
    features = torch.randn(*shape, 12)
    expected = block(features).detach()
    with torch.no_grad():
        found = block(features)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_how_many_windows_at_a_time_makes_no_difference_to_the_masks(block, monkeypatch):
    block.attn.token_mask = AttentionMask((75, 75))
    features = torch.randn(2, 24, 20, 12)
    outputs = []
    for windows in (1, 7, 1000):
        monkeypatch.setattr(swinir, "WINDOWS_AT_A_TIME", windows)
        torch.manual_seed(1)
        with torch.no_grad():
            outputs.append(block(features))
    torch.manual_seed(1)
    outputs.append(block(features).detach())
    for output in outputs[1:]:
        torch.testing.assert_close(output, outputs[0], rtol=0, atol=1e-5)


def test_the_input_is_left_as_it_was(block):
    features = torch.randn(1, 8, 8, 12)
    before = features.clone()
    with torch.no_grad():
        block(features)
    assert torch.equal(features, before)


def test_training_without_gradients_still_drops_branches(block):
    features = torch.randn(64, 4, 4, 12)
    with torch.no_grad():
        assert torch.equal(block(features), block(features))
        block.train()
        assert not torch.equal(block(features), block(features))


def test_the_last_convolution_is_in_fp32_whatever_the_rest_is_in():
    network = swinir.SwinIR(embed_dim=12, depths=(2,), num_heads=3).eval()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert network(torch.rand(1, 3, 16, 16)).dtype == torch.float32
        assert network.last(torch.rand(1, 12, 16, 16).bfloat16()).dtype == torch.float32


def test_the_same_in_bf16_to_its_rounding(block):
    features = torch.randn(2, 24, 20, 12)
    with torch.no_grad():
        expected = block(features)
        with torch.autocast("cpu", torch.bfloat16):
            found = block(features)
    scale = expected.abs().mean()
    assert 0 < (found.float() - expected).abs().mean() < 0.02 * scale
