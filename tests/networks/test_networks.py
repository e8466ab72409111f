"""Our networks compute what the published code computes, and are of the published size.

Each file of ``golden/networks`` holds the output of a published class in a tiny configuration,
in float64. Its ``meta`` says how the weights were drawn from the names of the state dict.
"""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from baselines.dncnn import DnCNN
from baselines.dropout import Dropout
from baselines.idf import IDF
from baselines.restormer import Restormer
from baselines.ridnet import RIDNet
from baselines.rnan import RNAN
from baselines.swin.block import StochasticDepth
from baselines.swinir import Baseline, SwinIR
from benchmark.denoiser import Denoiser, pad_to_multiple
from masked_model.swinir import MaskedSwinIR

GOLDEN = Path(__file__).parents[1] / "golden" / "networks"
TOLERANCE = 5e-5  # the smallest mistake tried, another kind of GELU, changes outputs by 2e-4
TINY = {"embed_dim": 24, "depths": (2, 2), "num_heads": 3}
TINY_RESTORMER = {"dim": 8, "num_blocks": (1, 2, 1, 1), "num_refinement_blocks": 1}


class StoredMask(nn.Module):
    """Keeps the tokens which a published run kept."""

    def __init__(self, keep: np.ndarray):
        super().__init__()
        self.register_buffer("keep", torch.from_numpy(keep).float(), persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens * self.keep.view(*tokens.shape[:-1], 1)


def masked_as_stored() -> MaskedSwinIR:
    network = MaskedSwinIR(**TINY)
    golden = np.load(GOLDEN / "swinir_masked_tiny_attnmask.npz")
    for key in golden.files:
        if key.startswith("mask/"):
            attention = network.get_submodule(key.removeprefix("mask/"))
            attention.token_drop = StoredMask(golden[key])
    return network


NETWORKS = {
    "swinir_tiny_1conv": lambda: SwinIR(**TINY, resi_connection="1conv"),
    "swinir_tiny_3conv": lambda: SwinIR(**TINY),
    "swinir_masked_tiny": lambda: Baseline(**TINY),
    "swinir_masked_tiny_attnmask": masked_as_stored,
    "restormer_tiny_BiasFree": lambda: Restormer(**TINY_RESTORMER),
    "restormer_tiny_WithBias": lambda: Restormer(**TINY_RESTORMER, layer_norm="WithBias"),
    "rnan_tiny": lambda: RNAN(groups=3, width=8),
    "ridnet_tiny": lambda: RIDNet(width=16),
    "ridnet_mdvariant_tiny": lambda: RIDNet(width=16, batch_norm=True),
    "dncnn_tiny_BR": lambda: DnCNN(depth=6, width=16),
    "dncnn_tiny_R": lambda: DnCNN(depth=6, width=16, batch_norm=False),
    "idf_tiny": lambda: IDF(iterations=4, width=8),
    "idf_tiny_power2": lambda: IDF(iterations=4, width=8, power=2.0),
}
every_network = pytest.mark.parametrize("name", NETWORKS)
every_free_network = pytest.mark.parametrize(  # stored masks fit one image of one size
    "name", [name for name in NETWORKS if not name.endswith("attnmask")]
)
every_network_of_any_size = pytest.mark.parametrize(  # the published RNAN takes even sides only
    "name", [name for name in NETWORKS if not name.endswith("attnmask") and name != "rnan_tiny"]
)
every_network_with_a_trace = pytest.mark.parametrize(  # training draws random numbers in IDF
    "name", [name for name in NETWORKS if not name.startswith("idf")]
)


def published(
    name: str, network: Denoiser | None = None
) -> tuple[dict[str, Tensor], dict, Denoiser]:
    """The stored tensors, their facts, and our network with the same weights in evaluation mode."""
    with np.load(GOLDEN / f"{name}.npz") as arrays:
        stored = {key: torch.from_numpy(arrays[key]) for key in arrays.files if key != "meta"}
        meta = json.loads(bytes(arrays["meta"]).decode())
    network = network or NETWORKS[name]()
    state = {key: drawn(key, shape, meta["gain"]) for key, shape in meta["keys"]}
    missing, unexpected = network.load_state_dict(state, strict=False)
    assert unexpected == []
    assert set(missing) <= undrawn(meta).keys()
    return stored, meta, network.eval()


def undrawn(meta: dict) -> dict[str, list[int]]:
    """Published tensors which are as constructed, by their shapes, but for those we derive."""
    tables = ("relative_position_index", "attn_mask")
    return {key: shape for key, shape in meta["left_as_constructed"] if not key.endswith(tables)}


def drawn(key: str, shape: list[int], gain: float) -> Tensor:
    rng = np.random.Generator(np.random.PCG64(zlib.crc32(key.encode())))
    normal = rng.standard_normal(shape)
    kind = key.rsplit(".", 1)[-1]
    if kind == "running_var":
        values = 0.25 + 0.5 * np.abs(normal)
    elif kind == "temperature":
        values = 3 + 0.5 * normal
    elif kind in ("running_mean", "bias"):
        values = 0.1 * normal
    elif kind == "relative_position_bias_table":
        values = 0.5 * normal
    elif len(shape) == 1:
        values = 1 + 0.1 * normal
    else:
        values = gain * normal / np.sqrt(np.prod(shape[1:]))
    return torch.from_numpy(values.astype(np.float32))


def assert_close(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, atol=TOLERANCE, rtol=0)


@every_network
@pytest.mark.parametrize("training_path", [False, True], ids=["inference", "with-gradients"])
def test_outputs_are_those_of_the_published_code(name, training_path):
    stored, _, network = published(name)
    with torch.set_grad_enabled(training_path):
        assert_close(network(stored["x"]).detach(), stored["y"])


@every_network_of_any_size
def test_sides_which_are_no_multiple_are_reflected_as_in_the_published_code(name):
    stored, _, network = published(name)
    height, width = stored["x_odd"].shape[-2:]
    padded = pad_to_multiple(stored["x_odd"], network.multiple)
    with torch.inference_mode():
        assert_close(network(padded)[..., :height, :width], stored["y_odd"])


@every_free_network
def test_a_batch_gives_what_its_images_give_alone(name):
    stored, _, network = published(name)
    images = torch.cat([stored["x"], stored["x"].flip(-1)])
    for training_path in (False, True):
        with torch.set_grad_enabled(training_path):
            assert_close(network(images)[:1].detach(), stored["y"])
            assert_close(network(images)[1:].detach(), network(images[1:]).detach())


@pytest.mark.sampled(every=4)
@every_network_with_a_trace
def test_three_steps_of_adam_follow_the_published_losses_and_gradients(name):
    stored, meta, network = published(name)
    trace, network = meta["train"], network.double()
    noisy = stored["x"].double()
    rng = np.random.Generator(np.random.PCG64(2))
    clean = torch.from_numpy(rng.random(stored["x"].shape).astype(np.float32)).double()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    losses = []
    for step in range(4):
        loss = (network(noisy) - clean).abs().mean()
        losses.append(loss.item())
        if step == 3:
            break
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            norms = {key: p.grad.norm().item() for key, p in network.named_parameters()}
            # a key's bias shifts all logits of a softmax: its gradient is rounding error
            assert norms == pytest.approx(trace["grad_l2_step1"], rel=1e-4, abs=1e-9)
        optimizer.step()
    assert losses == pytest.approx(trace["losses"], rel=1e-5)
    total = sum(p.sum().item() for p in network.parameters())
    assert total == pytest.approx(trace["sum_params_after"], rel=1e-5)


@every_network
def test_the_state_dict_has_the_published_names_and_shapes(name):
    _, meta, network = published(name)
    ours = {key: list(value.shape) for key, value in network.state_dict().items()}
    assert ours == dict(meta["keys"]) | undrawn(meta)


def test_batch_normalisation_learns_at_the_published_pace():
    stored, _, network = published("dncnn_tiny_BR")
    network.train()
    with torch.no_grad():
        assert_close(network(stored["x"]), stored["y_train"])
    state = network.state_dict()
    for key, value in stored.items():
        if key.startswith("bn_after/"):
            assert_close(state[key.removeprefix("bn_after/")], value)


@pytest.mark.parametrize(
    ("network", "count"),
    [
        (MaskedSwinIR, 824_118),
        (Baseline, 824_118),
        (SwinIR, 825_558),
        (lambda: SwinIR(resi_connection="1conv"), 905_283),
        (Restormer, 26_111_668),
        (lambda: Restormer(layer_norm="WithBias"), 26_126_644),
        (RNAN, 8_959_555),
        (RIDNet, 1_499_371),
        (lambda: RIDNet(batch_norm=True), 1_499_515),
        (Dropout, 824_118),
        (IDF, 49_021),
        (DnCNN, 559_363),
        (lambda: DnCNN(batch_norm=False), 557_443),
        (lambda: DnCNN(batch_norm=False, channels=1), 555_137),
    ],
    ids=[
        "masked",
        "baseline",
        "swinir",
        "swinir-1conv",
        "restormer",
        "restormer-bias",
        "rnan",
        "ridnet",
        "ridnet-norm",
        "dropout",
        "idf",
        "dncnn",
        "dncnn-merged",
        "dncnn-grey",
    ],
)
def test_the_default_is_of_the_published_size(network, count):
    with torch.device("meta"):
        parameters = list(network().parameters())
    assert sum(p.numel() for p in parameters) == count


def test_padding_outside_changes_nothing():
    network = Baseline(**TINY).eval()
    image = torch.rand(1, 3, 13, 21)
    with torch.inference_mode():
        outside = network(pad_to_multiple(image, 8))[..., :13, :21]
        torch.testing.assert_close(network(image), outside)


def test_an_image_of_one_window_is_shifted_like_any_other():
    network = Baseline(**TINY).eval()
    image = torch.rand(2, 3, 8, 8)
    with torch.no_grad():
        fused = network(image)
    torch.testing.assert_close(network(image).detach(), fused, atol=1e-5, rtol=0)


@every_free_network
def test_frozen_weights_still_give_the_image_a_gradient(name):
    stored, _, network = published(name)
    image = stored["x"].clone().requires_grad_()
    network(image).sum().backward()
    expected = image.grad.clone()
    image.grad = None
    network.requires_grad_(False)
    network(image).sum().backward()
    torch.testing.assert_close(image.grad, expected)


def test_stochastic_depth_grows_linearly_and_stops_in_evaluation():
    network = Baseline(embed_dim=12, depths=(2, 3), num_heads=2, drop_path=0.4)
    depths = [m for m in network.modules() if isinstance(m, StochasticDepth)]
    assert [d.probability for d in depths] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    torch.manual_seed(0)
    branch = torch.ones(20_000, 1, 1)
    kept = depths[-1].train()(branch)
    assert kept.unique().tolist() == pytest.approx([0, 1 / 0.6])
    assert (kept == 0).float().mean() == pytest.approx(0.4, abs=4 * (0.24 / 20_000) ** 0.5)
    assert torch.equal(depths[-1].eval()(branch), branch)


@pytest.mark.parametrize("network", [SwinIR, Baseline, MaskedSwinIR])
def test_wrong_settings_are_one_sentence(network):
    with pytest.raises(ValueError, match=r"embed_dim=60 among num_heads=7"):
        network(num_heads=7)
    with pytest.raises(ValueError, match=r"unknown resi_connection '2conv'.*1conv, 3conv"):
        network(resi_connection="2conv")


def test_a_grey_network_restores_each_colour_by_itself():
    network = DnCNN(depth=3, width=8, channels=1).eval()
    images = torch.rand(2, 3, 13, 21)
    with torch.inference_mode():
        colours = [network.denoise(colour) for colour in images.split(1, 1)]
        torch.testing.assert_close(network.denoise(images), torch.cat(colours, 1))


@pytest.mark.parametrize(
    ("depth", "width", "batch_norm", "channels"),
    [(2, 4, False, 1), (2, 4, False, 3), (7, 5, False, 1), (7, 5, True, 1), (20, 6, True, 3)],
)
def test_shapes_tell_all_of_a_stack_of_convolutions(depth, width, batch_norm, channels):
    arguments = {"depth": depth, "width": width, "batch_norm": batch_norm, "channels": channels}
    network = DnCNN(**arguments)
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    assert DnCNN.arguments_of(shapes) == arguments


def test_impossible_stacks_of_convolutions_are_one_sentence():
    with pytest.raises(ValueError, match="depth of 2 or more, got 1"):
        DnCNN(depth=1)
    with pytest.raises(ValueError, match="3 channels, or 1 and each colour by itself, got 4"):
        DnCNN(channels=4)
