"""The named sizes of the networks: of about as many parameters each, or about as much work."""

import pytest
import torch

from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.denoiser.flops import gflop

LEARNED = sorted(name for name, cls in DENOISERS.items() if cls.learned)
SIZES = sorted((name, size) for name in LEARNED for size in DENOISERS[name].sizes)
PARAMETERS = {"tiny": (0.08e6, 0.13e6), "s": (2e6, 3e6)}  # at least, at most
WORK = {"small": (320, 350)}  # GMAC a megapixel, at least, at most
SIDE = 64  # pixels of the image that is counted


def network_of(name: str, size: str | None = None) -> Denoiser:
    cls = DENOISERS[name]
    with torch.device("meta"):  # shapes without numbers
        return cls(**(cls.sizes[size] if size else {}))


def parameters_of(network: Denoiser) -> int:
    return sum(p.numel() for p in network.parameters())


def shapes_of(network: Denoiser) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


@pytest.mark.parametrize("name", LEARNED)
def test_every_learned_network_has_a_tiny_size_or_is_tiny_as_published(name):
    _, most = PARAMETERS["tiny"]
    assert "tiny" in DENOISERS[name].sizes or parameters_of(network_of(name)) <= most


@pytest.mark.parametrize("name", ["restormer", "rnan"])
def test_the_networks_too_slow_for_a_cpu_have_a_size_between(name):
    assert "s" in DENOISERS[name].sizes


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), [one for one in SIZES if one[1] in WORK])
def test_small_networks_do_about_as_much_for_a_pixel(name, size):
    least, most = WORK[size]
    network = DENOISERS[name](**DENOISERS[name].sizes[size])
    assert least <= gflop(network, SIDE) / 2 / (SIDE**2 / 1e6) <= most


@pytest.mark.parametrize(("name", "size"), [one for one in SIZES if one[1] in PARAMETERS])
def test_networks_of_one_size_have_about_as_many_parameters(name, size):
    least, most = PARAMETERS[size]
    assert least <= parameters_of(network_of(name, size)) <= most


@pytest.mark.parametrize("name", [name for name, size in SIZES if size == "tiny"])
def test_a_tiny_network_has_every_part_of_the_published_one(name):
    with torch.device("meta"):
        networks = network_of(name, "tiny"), network_of(name)
    tiny, published = ({type(module) for module in network.modules()} for network in networks)
    assert tiny == published


def test_masked_training_and_its_baseline_are_one_network_in_every_size():
    masked, baseline = DENOISERS["masked"], DENOISERS["baseline"]
    assert masked.sizes == baseline.sizes
    for size in masked.sizes:
        shapes = [shapes_of(network_of(name, size)) for name in ("masked", "baseline")]
        assert shapes[0] == shapes[1]


@pytest.mark.parametrize("name", [name for name, cls in DENOISERS.items() if not cls.learned])
def test_what_learns_nothing_has_no_sizes(name):
    assert DENOISERS[name].sizes == {}
