"""How many operations a network takes, and how fast the machine's fastest product is."""

import time
from copy import deepcopy
from functools import cache

import torch

from benchmark.denoiser.model import Denoiser
from benchmark.environment.device import synchronize

MATRIX = 2048  # side of the matrices whose product is a machine's peak


@cache
def peak_speed(repeats: int = 5, device: str = "cpu", precision: str = "fp32") -> float:
    """GFLOP/s of the fastest of some matrix products in ``"fp32"`` or ``"bf16"``, measured once.

    On a CPU it goes by the time in which this process had it: other work does not count.
    """
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = torch.rand(2, MATRIX, MATRIX, device=device, dtype=kind)
    on_cpu = a.device.type == "cpu"
    taken, threads = [], torch.get_num_threads() if on_cpu else 1
    clock = time.process_time if on_cpu else time.perf_counter
    for _ in range(repeats + 1):
        start = clock()
        torch.matmul(a, b)
        synchronize(a.device)
        taken.append((clock() - start) / threads)
    return 2 * MATRIX**3 / min(taken) / 1e9


def gflop(network: Denoiser, size: int) -> float:
    """What the network's formula takes for a square image, 2 for a product and its sum."""
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.utils.flop_counter import FlopCounterMode  # loads all of triton

    device = next(network.parameters()).device
    network = deepcopy(network).eval()  # in training, normalisation would count this batch
    with FakeTensorMode(allow_non_fake_inputs=True), FlopCounterMode(display=False) as counter:
        channels = network.image_channels or 3
        network.restore(torch.empty(1, channels, size, size, device=device))
    return counter.get_total_flops() / 1e9
