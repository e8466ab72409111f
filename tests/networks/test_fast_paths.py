"""What exists for a CPU's sake computes what the paper's code computes."""

import pytest
import torch
from torch import Tensor, nn

from baselines import fused, restormer_cpu
from baselines.dncnn import DnCNN
from baselines.fused import FusedSequential
from baselines.restormer import Block
from baselines.restormer_cpu import banded
from benchmark.denoiser.inference import WHOLE, Inference


def layers() -> list[nn.Module]:
    """Convolutions with and without what may follow them, whose norms have seen an image."""
    made = [
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.Conv2d(8, 6, 3, padding=2, dilation=2, bias=False),
        nn.BatchNorm2d(6),
        nn.Conv2d(6, 6, 1, groups=2),
        nn.ReLU(),
        nn.Sigmoid(),
        nn.Conv2d(6, 2, 3, stride=2),
    ]
    nn.Sequential(*made)(torch.rand(4, 3, 12, 12))
    for layer in made:
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 2)
            nn.init.uniform_(layer.bias)
    return made


@pytest.fixture
def image() -> Tensor:
    torch.manual_seed(0)
    return torch.rand(2, 3, 13, 11)


@pytest.mark.parametrize("smallest", [0, fused.OUT_OF_CACHE])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_fused_layers_compute_what_they_compute_one_after_the_other(
    image, memory_format, smallest, monkeypatch
):
    monkeypatch.setattr(fused, "OUT_OF_CACHE", smallest)
    parts, image = layers(), image.contiguous(memory_format=memory_format)
    plain, together = nn.Sequential(*parts).eval(), FusedSequential(*parts).eval()
    with torch.no_grad():
        assert torch.allclose(together(image), plain(image), atol=2e-6, rtol=2e-6)


def test_fused_layers_leave_their_input_alone(image):
    before = image.clone()
    with torch.no_grad():
        FusedSequential(*layers()).eval()(image)
    assert torch.equal(image, before)


def test_a_hook_sees_the_output_of_every_layer(image):
    seen = []
    network = DnCNN(depth=4, width=4).eval()
    for name in network.analysed_layers():
        network.get_submodule(name).register_forward_hook(lambda *call: seen.append(call[2]))
    with torch.no_grad():
        network(image)
    assert len(seen) == 3 and all((output >= 0).all() for output in seen)


def test_fused_layers_have_the_gradients_and_statistics_of_layers(image):
    parts = layers()
    outputs = [kind(*parts)(image) for kind in (nn.Sequential, FusedSequential)]
    assert torch.equal(*outputs) and outputs[1].grad_fn is not None


@pytest.mark.parametrize("height", [1, 2, 3, 8, 9])
@pytest.mark.parametrize("layer_norm", ["BiasFree", "WithBias"])
def test_a_block_in_bands_computes_what_the_whole_block_computes(height, layer_norm, monkeypatch):
    torch.manual_seed(0)
    block, features = Block(12, 2, 2.66, layer_norm).eval().double(), torch.randn(2, 12, height, 7)
    features = features.double()
    for parameter in block.parameters():
        nn.init.normal_(parameter, 0.3, 0.5)
    whole = block(features)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    for rows in (2, 3, 100):
        monkeypatch.setattr(restormer_cpu, "BAND", rows * 7 * 64)
        with torch.no_grad():
            assert torch.allclose(banded(block, features), whole, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("given", [torch.float32, torch.bfloat16])
def test_mixed_precision_is_near_full_precision_in_bands(given):
    torch.manual_seed(0)
    block, features = Block(16, 2, 2.66, "BiasFree").eval(), torch.rand(1, 16, 16, 16)
    with torch.no_grad():
        full = banded(block, features)
        with torch.autocast("cpu", torch.bfloat16):
            mixed = banded(block, features.to(given))  # a convolution before gives bf16
    assert 0 < (mixed - full).abs().max() < 0.05 * full.abs().max()


def test_a_map_that_does_not_fit_a_cache_is_taken_in_bands(monkeypatch):
    seen = []
    monkeypatch.setattr("baselines.restormer.banded", lambda *call: seen.append(call))
    block = Block(8, 1, 2.66, "BiasFree").eval()
    with torch.no_grad():
        block(torch.rand(1, 8, 16, 16))
        assert not seen
        block(torch.empty(1, 8, 256, 256))
    assert len(seen) == 1


@pytest.mark.parametrize("smallest", [0, fused.OUT_OF_CACHE])
def test_bf16_is_asked_for_by_the_precision_of_a_run(image, smallest, monkeypatch):
    monkeypatch.setattr(fused, "OUT_OF_CACHE", smallest)
    network = DnCNN(depth=4, width=8)
    full, mixed = WHOLE.restore(network, image), Inference("none", "bf16").restore(network, image)
    assert 0 < (full.image - mixed.image).abs().max() < 0.05


def test_bf16_runs_where_onednn_fuses_nothing_in_it(image, monkeypatch):
    monkeypatch.setattr(fused, "OUT_OF_CACHE", 0)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    monkeypatch.setattr(torch.ops.mkldnn, "_convolution_pointwise", None)  # it raises there
    parts = layers()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        together = FusedSequential(*parts).eval()(image)
        torch.testing.assert_close(together, nn.Sequential(*parts)(image), rtol=0.02, atol=0.02)


@pytest.mark.parametrize("smallest", [0, fused.OUT_OF_CACHE])
@pytest.mark.parametrize("where", ["weight", "image"])
def test_what_is_no_number_stays_none_in_fused_layers(image, where, smallest, monkeypatch):
    monkeypatch.setattr(fused, "OUT_OF_CACHE", smallest)
    first = nn.Conv2d(3, 4, 3)
    network = FusedSequential(first, nn.ReLU(), nn.Conv2d(4, 3, 3)).eval()
    with torch.no_grad():
        (first.weight if where == "weight" else image).view(-1)[0] = torch.nan
        assert network(image).isnan().any()


def test_a_norm_which_still_learns_is_not_taken_into_a_convolution(image):
    parts = layers()
    plain, together = nn.Sequential(*parts).eval(), FusedSequential(*parts).eval()
    parts[1].train()
    with torch.no_grad():
        assert torch.equal(together(image), plain(image))


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_a_convolution_may_say_its_padding_in_words(image, padding, monkeypatch):
    monkeypatch.setattr(fused, "OUT_OF_CACHE", 0)
    parts = [nn.Conv2d(3, 4, 3, padding=padding), nn.ReLU()]
    with torch.no_grad():
        found, expected = FusedSequential(*parts).eval()(image), nn.Sequential(*parts)(image)
    assert torch.allclose(found, expected, atol=1e-6)
