"""Processes that train together, as ``torchrun`` starts them, or one alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed

from benchmark.environment.device import pick_device


@dataclass(frozen=True)
class Processes:
    """This process and how many there are; the main one, rank 0, writes and speaks for all."""

    device: str = "cpu"
    rank: int = 0
    size: int = 1

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    def mean(self, value: Tensor) -> Tensor:
        """The mean of a number over the processes."""
        if self.size == 1:
            return value
        total = value.detach().clone().to(self.device)
        distributed.all_reduce(total)
        return total / self.size

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in one of the processes."""
        return bool(self.mean(torch.tensor(float(flag))) > 0)

    def broadcast(self, number: float) -> float:
        """The number that the main process has."""
        if self.size == 1:
            return number
        shared = torch.tensor(number, dtype=torch.float64, device=self.device)
        distributed.broadcast(shared, 0)
        return shared.item()


@contextmanager
def process_group(device: str) -> Iterator[Processes]:
    """The processes of ``torchrun``, which tells them of each other by environment variables.

    Each process of a machine takes a GPU of its own where ``device`` is "cuda", in the order of
    ``LOCAL_RANK``; without ``torchrun`` there is one process.

    Raises
    ------
    ValueError
        If there are fewer GPUs than processes, or the device can be used by one process alone.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Processes(device)
        return
    if device == "mps":
        raise ValueError(f"device=mps trains in one process, not in {size}; leave out torchrun")
    if device == "cuda":
        device = pick_device(f"cuda:{os.environ['LOCAL_RANK']}")
        torch.cuda.set_device(device)
    distributed.init_process_group("gloo" if device == "cpu" else "nccl")
    try:
        yield Processes(device, distributed.get_rank(), size)
    finally:
        distributed.destroy_process_group()
