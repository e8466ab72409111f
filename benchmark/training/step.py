"""One optimizer step: forward and backward in pieces, Adam, and the average of the weights."""

from collections.abc import Callable
from contextlib import nullcontext
from copy import deepcopy

import torch
from torch import Tensor
from torch.nn.functional import l1_loss
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from benchmark.denoiser import Denoiser
from benchmark.denoiser.contract import naming, require_shape, require_tensor
from benchmark.environment.device import forked_rng
from benchmark.environment.queue import to_device
from benchmark.noise import stream
from benchmark.training.distributed import Processes
from benchmark.training.recipe import Execution, Recipe

STATISTICS = ("running_mean", "running_var")  # of batches, by the names of torch's layers


class OptimizerStep:
    """A function which makes a step of a training, and the state that steps change.

    The loss is ``l1_loss(network(noisy), clean)``; masks and dropout are the network's own, under
    ``training``. Before a step torch's generators are seeded from (seed, number of the step) and
    the rank of the process, so that any step can be made again by itself.

    Parameters
    ----------
    network
        Moved to the device of the processes.

    Raises
    ------
    ValueError
        If a process's crops cannot be cut into equal pieces.
    """

    def __init__(
        self, network: Denoiser, recipe: Recipe, execution: Execution, processes: Processes
    ):
        share = recipe.batch // processes.size
        if share % execution.accumulate:
            raise ValueError(
                f"a process's {share} crops a step have no equal pieces for "
                f"accumulate={execution.accumulate}; choose a divisor of {share}"
            )
        self.seed, self.pieces, self.processes = recipe.seed, execution.accumulate, processes
        self.device = torch.device(processes.device)
        self.in_bf16 = execution.precision == "bf16"
        self.network = network.to(self.device).train()
        self.average, self.ema = _average_of(network, recipe.ema), recipe.ema
        names = [name for name, _ in network.named_buffers()]
        self.statistics = [name for name in names if name.rpartition(".")[2] in STATISTICS]
        fused = self.device.type != "mps"  # which older versions of torch have no kernel for
        self.optimizer = torch.optim.Adam(
            network.parameters(), recipe.learning_rate, betas=recipe.betas, fused=fused
        )
        self.distributed = None
        if processes.size > 1:
            some = _leaves_some_unused(network, recipe.patch)
            self.distributed = DistributedDataParallel(network, find_unused_parameters=some)
        self.forward: Callable[[Tensor], Tensor] = self.distributed or network
        on_gpu = self.device.type == "cuda"
        if execution.compile or (execution.compile is None and on_gpu):
            self.forward = torch.compile(self.forward)

    def __call__(self, noisy: Tensor, clean: Tensor, number: int, learning_rate: float) -> Tensor:
        """Make the step of this number, from 0, on this process's crops; its mean loss.

        Parameters
        ----------
        noisy, clean
            (B, 3, patch, patch) in [0, 1], on any device.
        """
        rank = [self.processes.rank] if self.processes.rank else []
        torch.manual_seed(stream("step", self.seed, number, *rank) % 2**63)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.optimizer.zero_grad(set_to_none=True)
        sides = (to_device(side, self.device).chunk(self.pieces) for side in (noisy, clean))
        losses = [
            self._accumulate(*piece, is_last=place == self.pieces)
            for place, piece in enumerate(zip(*sides, strict=True), start=1)
        ]
        self.optimizer.step()
        self._average()
        return torch.stack(losses).sum()

    @torch.no_grad()
    def _average(self) -> None:
        """Average the weights, and the statistics of batch normalisation, which torch copies.

        Those of the last batches alone cost a small DnCNN 0.4 dB at sigma 15, and as much from one
        validation to the next.
        """
        average = self.average.module
        before = [average.get_buffer(name).clone() for name in self.statistics]
        self.average.update_parameters(self.network)
        if self.average.n_averaged > 1:
            for name, old in zip(self.statistics, before, strict=True):
                now = self.network.get_buffer(name)  # a network may put another in its place
                average.get_buffer(name).copy_(torch.lerp(old, now, 1 - self.ema))

    def _accumulate(self, noisy: Tensor, clean: Tensor, is_last: bool) -> Tensor:
        """Add the gradients of a piece; processes exchange theirs with the last one."""
        alone = None if is_last else self.distributed
        with nullcontext() if alone is None else alone.no_sync():
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.in_bf16):
                restored = self._restored(noisy)
            loss = l1_loss(restored.float(), clean) / self.pieces
            loss.backward()
        return loss.detach()

    def _restored(self, noisy: Tensor) -> Tensor:
        """What the network returns for a piece, if that is a tensor of the same shape."""
        side = noisy.shape[-1]
        with naming("model", f"'{self.network.name}', training on crops of {side}x{side}"):
            restored = require_tensor(self.forward(noisy))
            require_shape(restored, noisy)
        return restored

    def state_dict(self) -> dict[str, dict]:
        """What steps change, in tensors and plain values."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state_dict(self, state: dict[str, dict]) -> None:
        """Go on from what `state_dict` gave; what else is in it stays aside."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, torch.nn.Module | torch.optim.Optimizer]:
        return {"network": self.network, "average": self.average, "optimizer": self.optimizer}


def _average_of(network: Denoiser, ema: float) -> AveragedModel:
    """A copy of a network, to average its weights in."""
    try:
        return AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(ema))
    except RuntimeError as error:
        raise ValueError(
            f"'{network.name}' cannot be copied, so its weights cannot be averaged ({error}); "
            f"torch.nn.utils.parametrizations has forms of weight_norm and the like which can be"
        ) from None


def _leaves_some_unused(network: Denoiser, side: int) -> bool:
    """Whether a step leaves parameters without a gradient, which processes would wait for."""
    device = next(network.parameters()).device
    probe = torch.zeros(2, network.image_channels or 3, side, side, device=device)
    with forked_rng(device):
        tried = deepcopy(network)
        require_tensor(tried(probe)).sum().backward()
    return any(one.requires_grad and one.grad is None for one in tried.parameters())
