"""The fast Swin block computes what the paper's does, and the paper's what its definition says."""

import pytest
import torch

from baselines.swin import branches, fast, inference, mlp
from baselines.swin.block import SwinBlock
from baselines.swin.fast import FastSwinBlock
from baselines.swinir import SwinIR
from masked_model.masking import AttentionMask


@pytest.fixture(params=["inside", "shifted"])
def block(request):
    torch.manual_seed(0)
    block = FastSwinBlock(
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
def test_without_gradients_a_few_windows_at_a_time_are_as_good_as_all(block, shape):
    features = torch.randn(*shape, 12)
    with torch.no_grad():
        expected, found = SwinBlock.forward(block, features), block(features)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("percent", [30, 75, 97, 100])
def test_how_many_windows_at_a_time_makes_no_difference_to_the_masks(block, monkeypatch, percent):
    block.attn.token_drop = AttentionMask((percent, percent))
    features = torch.randn(2, 24, 20, 12)
    outputs = []
    for windows in (1, 7, 1000):
        monkeypatch.setattr(inference, "windows_at_a_time", lambda *_, n=windows: n)
        torch.manual_seed(1)
        with torch.no_grad():
            outputs.append(block(features))
    torch.manual_seed(1)
    outputs.append(SwinBlock.forward(block, features).detach())
    for output in outputs[1:]:
        torch.testing.assert_close(output, outputs[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("percent", [0, 80])
def test_scores_beyond_the_range_of_powers_in_fp32_are_the_softmaxs(block, percent):
    block.attn.token_drop = AttentionMask((percent, percent))
    block.attn.qkv.weight.data[:24] *= 12  # queries and keys
    features = torch.randn(1, 24, 20, 12)
    outputs = []
    for forward in (block, lambda x: SwinBlock.forward(block, x)):
        torch.manual_seed(1)
        with torch.no_grad():
            outputs.append(forward(features))
    assert outputs[0].isfinite().all()
    torch.testing.assert_close(*outputs, rtol=1e-3, atol=1e-3)


@pytest.mark.filterwarnings("ignore")  # of torch: that tracing is old, and what is unrolled
def test_what_is_traced_holds_no_choice_made_for_one_mask(block, monkeypatch):
    block.attn.token_drop = AttentionMask((75, 75))
    monkeypatch.setattr(fast, "without_gradients", None)
    with torch.no_grad():
        torch.jit.trace(block, torch.randn(1, 8, 8, 12), check_trace=False)


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
    network = SwinIR(embed_dim=12, depths=(2,), num_heads=3).eval()
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


# with gradients


def by_definition(block: SwinBlock, features: torch.Tensor) -> torch.Tensor:
    """A block without stochastic depth, window by window and head by head; draws masks itself."""
    size, attn = block.window_size, block.attn
    height, width, channels = features.shape[1:]
    shifted = features.roll((-block.shift, -block.shift), (1, 2))
    side = torch.arange(size)
    place = torch.cartesian_prod(side, side)
    between = place[:, None] - place + size - 1
    bias = attn.relative_position_bias_table[between[..., 0] * (2 * size - 1) + between[..., 1]]
    normed = torch.layer_norm(shifted, (channels,), block.norm1.weight, block.norm1.bias, 1e-5)
    grid = features.new_ones(len(features), height // size, width // size, size * size, 1)
    kept = attn.token_drop(grid)
    attended = torch.zeros_like(features)
    for image in range(len(features)):
        for top in range(0, height, size):
            for left in range(0, width, size):
                window = normed[image, top : top + size, left : left + size].flatten(0, 1)
                window = window * kept[image, top // size, left // size]
                query, key, value = attn.qkv(window).chunk(3, dim=-1)
                far = torch.zeros(size * size, size * size, dtype=torch.bool)
                for axis, (start, end) in enumerate([(top, height), (left, width)]):
                    beyond = start + place[:, axis] >= end - block.shift
                    far |= beyond[:, None] != beyond
                outputs = []
                for head, (q, k, v) in enumerate(
                    zip(
                        *(part.chunk(attn.num_heads, -1) for part in (query, key, value)),
                        strict=True,
                    )
                ):
                    scores = q @ k.T / q.shape[-1] ** 0.5 + bias[..., head]
                    outputs.append((scores - 100.0 * far).softmax(-1) @ v)
                rows = attn.proj(torch.cat(outputs, -1)).unflatten(0, (size, size))
                attended[image, top : top + size, left : left + size] = rows
    features = features + attended.roll((block.shift, block.shift), (1, 2))
    normed = torch.layer_norm(features, (channels,), block.norm2.weight, block.norm2.bias, 1e-5)
    hidden = normed @ block.mlp.fc1.weight.T + block.mlp.fc1.bias
    hidden = hidden * (1 + torch.erf(hidden / 2**0.5)) / 2
    return features + hidden @ block.mlp.fc2.weight.T + block.mlp.fc2.bias


def gradients(function, block, features, weights):
    """Of the weighted sum of what comes out, by the input and by each parameter; and the output."""
    features = features.clone().requires_grad_()
    block.zero_grad()
    torch.manual_seed(3)
    restored = function(features)
    (restored * weights).sum().backward()
    named = {name: parameter.grad.clone() for name, parameter in block.named_parameters()}
    return {"output": restored.detach(), "input": features.grad, **named}


@pytest.mark.parametrize("masked", [False, True], ids=["all-tokens", "masked"])
@pytest.mark.parametrize("windows", [None, 2, 32], ids=["paper", "many-pieces", "few-pieces"])
@pytest.mark.parametrize("shape", [(1, 4, 4), (1, 4, 12), (2, 12, 8)])
def test_every_gradient_is_that_of_the_definition(block, shape, windows, masked, monkeypatch):
    monkeypatch.setattr(branches, "WEIGHTS", (windows or 1) * 3 * 16**2)
    monkeypatch.setattr(mlp, "TOKENS", (windows or 1) * 16)
    computed = block if windows else lambda x: SwinBlock.forward(block, x)
    block.double()
    if masked:
        block.attn.token_drop = AttentionMask((60, 60))
    features, weights = torch.randn(2, *shape, 12, dtype=torch.float64)
    expected = gradients(lambda x: by_definition(block, x), block, features, weights)
    for name, found in gradients(computed, block, features, weights).items():
        scale = expected[name].abs().max()
        torch.testing.assert_close(
            found, expected[name], rtol=0, atol=1e-10 * scale.item(), msg=name
        )


def test_training_draws_what_the_papers_forward_draws_and_has_its_gradients(block):
    block.double().train().attn.token_drop = AttentionMask((75, 75))
    features, weights = torch.randn(2, 8, 8, 12, 12, dtype=torch.float64)
    expected = gradients(lambda x: SwinBlock.forward(block, x), block, features, weights)
    for name, found in gradients(block, block, features, weights).items():
        scale = expected[name].abs().max()
        assert (found - expected[name]).abs().max() < 1e-10 * scale, name


class FixedMask(torch.nn.Module):
    """The same draws in any precision."""

    def forward(self, tokens):
        generator = torch.Generator().manual_seed(0)
        return tokens * (torch.rand(tokens[..., :1].shape, generator=generator) >= 0.75)


def test_gradients_in_fp32_are_those_of_fp64_to_rounding(block):
    block.attn.token_drop = FixedMask()
    features, weights = torch.randn(2, 2, 24, 20, 12)
    found = gradients(block, block, features, weights)
    block.double()
    expected = gradients(block, block, features.double(), weights.double())
    for name, value in found.items():
        scale = expected[name].abs().max()
        assert (value - expected[name]).abs().max() < 1e-5 * scale, name


def test_no_weight_of_attention_is_a_denormal_number(block, monkeypatch):
    weights = []
    weights_of = branches.weights_of

    def noted(*arguments):
        weights.append(weights_of(*arguments).clone())
        return weights[-1]

    monkeypatch.setattr(branches, "weights_of", noted)
    block(torch.randn(1, 8, 8, 12))
    assert sum(each.numel() for each in weights) == 4 * 3 * 16 * 16
    tiny = torch.finfo(torch.float32).tiny
    assert all(((each == 0) | (each >= tiny)).all() for each in weights)


@pytest.mark.parametrize("block", ["inside"], indirect=True)
@pytest.mark.parametrize("size", [10.0, 30.0])
def test_scores_whose_exp_is_beyond_fp32_have_their_gradients_too(block, size):
    with torch.no_grad():
        block.attn.qkv.weight *= size
    features, weights = torch.randn(2, 2, 8, 8, 12)
    found = gradients(block, block, features, weights)
    block.double()
    expected = gradients(block, block, features.double(), weights.double())
    reference = gradients(
        lambda x: SwinBlock.forward(block, x), block, features.double(), weights.double()
    )
    for name, value in expected.items():
        scale = reference[name].abs().max()
        assert (value - reference[name]).abs().max() < 1e-9 * scale, name
        assert (found[name] - value).abs().max() < 1e-2 * scale, name


def test_a_hidden_window_and_an_image_all_hidden_have_gradients_too(block):
    block.double().attn.token_drop = AttentionMask((100, 100))
    features, weights = torch.randn(2, 1, 8, 8, 12, dtype=torch.float64)
    expected = gradients(lambda x: by_definition(block, x), block, features, weights)
    for name, found in gradients(block, block, features, weights).items():
        torch.testing.assert_close(found, expected[name], rtol=0, atol=1e-9, msg=name)


def test_stochastic_depth_leaves_an_image_or_scales_its_branch(block):
    block.double().train()
    features, weights = torch.randn(2, 48, 4, 4, 12, dtype=torch.float64)
    both = gradients(block, block, features, weights)
    with torch.no_grad():
        kept = block.eval()(features)
    untouched = [torch.equal(a, b) for a, b in zip(both["output"], features, strict=True)]
    assert 3 <= sum(untouched) <= 24  # a quarter of 48 are expected to skip both branches
    for image, same in enumerate(untouched):
        if same:  # no branch, so the gradient passes unchanged
            assert torch.equal(both["input"][image], weights[image])
        assert not torch.allclose(both["output"][image], kept[image])  # a kept branch is doubled


def test_a_training_step_can_be_repeated_to_the_bit(block):
    block.train().attn.token_drop = AttentionMask((75, 75))
    features, weights = torch.randn(2, 3, 24, 20, 12)
    first, second = (gradients(block, block, features, weights) for _ in range(2))
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize("masked", [False, True], ids=["all-tokens", "masked"])
def test_a_compiled_block_computes_the_same_as_one_graph(block, masked):
    if masked:
        block.attn.token_drop = AttentionMask((75, 75))
    features, weights = torch.randn(2, 2, 8, 12, 12)
    whole = torch.compile(block, fullgraph=True, backend="aot_eager")
    expected = gradients(block, block, features, weights)
    for name, found in gradients(whole, block, features, weights).items():
        torch.testing.assert_close(found, expected[name], rtol=1e-4, atol=1e-4, msg=name)


@pytest.mark.parametrize("mask", [torch.nn.Identity(), FixedMask()], ids=["all-tokens", "masked"])
def test_training_in_bf16_has_gradients_close_to_those_of_fp32(block, mask):
    block.attn.token_drop = mask
    features, weights = torch.randn(2, 2, 8, 12, 12)

    def in_bf16(features):
        with torch.autocast("cpu", torch.bfloat16):
            return block(features).float()

    expected = gradients(block, block, features, weights)
    for name, found in gradients(in_bf16, block, features, weights).items():
        apart = (found - expected[name]).norm() / expected[name].norm()
        assert apart < 0.05, name
