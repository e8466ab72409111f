"""A GPU works through a queue while the CPU goes on: what it is given, what it took, what it made.

Nothing here waits for a GPU but what says so. A CPU and a Mac's GPU, whose float64 is missing, have
no queue: with them everything is done when a call returns.
"""

import time
from collections.abc import Sequence

import torch
from torch import Tensor

from benchmark.environment.device import synchronize

AHEAD = 4  # images which wait in a queue, so that it is never empty while the CPU is at something


def has_queue(device: str | torch.device) -> bool:
    """Whether a device goes on by itself with what it was told."""
    return torch.device(device).type not in ("cpu", "mps")


def to_device(tensor: Tensor, device: str | torch.device) -> Tensor:
    """A tensor on a device, which fetches it from the CPU when it comes to it."""
    if torch.device(device).type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    # from pageable memory, the end of the queue would be waited for
    return tensor.pin_memory().to(device, non_blocking=True)


class Arriving:
    """Tensors on their way to the CPU, behind all that their device was told before."""

    def __init__(self, tensors: Sequence[Tensor]):
        self._tensors = [tensor.to("cpu", non_blocking=True) for tensor in tensors]
        on_gpu = next((tensor.device for tensor in tensors if tensor.is_cuda), None)
        self._there = None if on_gpu is None else _mark(on_gpu)

    def wait(self) -> list[Tensor]:
        """Wait until they are there, but not for what the device was told later."""
        if self._there is not None:
            self._there.synchronize()
        return self._tensors


class Stopwatch:
    """How long a device takes for what it is told from now until `stop`."""

    def __init__(self, device: torch.device):
        self._device, self._since = device, time.perf_counter()
        self._begin = self._end = _mark(device) if device.type == "cuda" else None

    def stop(self, apart: float = 0.0) -> None:
        """Measure no further; a device without a queue is waited for.

        Parameters
        ----------
        apart
            Seconds which went into something else meanwhile, on a device without a queue.
        """
        if self._end is not None:
            self._end = _mark(self._device)
        else:
            synchronize(self._device)
            self._seconds = time.perf_counter() - self._since - apart

    def seconds(self) -> float:
        """Wait until the device has come so far, and say how long it took."""
        if self._begin is None or self._end is None:
            return self._seconds
        self._end.synchronize()
        return self._begin.elapsed_time(self._end) / 1000


def _mark(device: torch.device) -> torch.cuda.Event:
    mark = torch.cuda.Event(enable_timing=True)
    mark.record(torch.cuda.current_stream(device))
    return mark
