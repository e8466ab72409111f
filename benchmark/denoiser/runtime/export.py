"""A network's forward pass as a graph, whose inputs are the image and what it draws at random."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram
from torch.overrides import TorchFunctionMode

from benchmark.denoiser.model import Denoiser
from benchmark.environment.device import saved_rng

# how torch fills memory with what each of its functions draws
MADE = {"rand": "uniform_", "randn": "normal_", "randint": "random_"}
MADE |= {f"{name}_like": filled for name, filled in MADE.items()}
FILLED = {"bernoulli_", "exponential_", "normal_", "random_", "uniform_"}
# memory to be filled; compilers have no empty one
MEMORY = {"empty": torch.zeros, "empty_like": torch.zeros_like, "new_empty": Tensor.new_zeros}
LONGEST = 160  # characters of what torch says of a network that it cannot export


class NotExportable(ValueError):
    """A network has no graph; the message ends the sentence "it runs in torch: ..."."""


@dataclass(frozen=True)
class Draw:
    """Random numbers which a network draws from torch's global generator.

    Parameters
    ----------
    fill
        The method of a tensor which draws them in place, such as ``"uniform_"``.
    numbers
        Its arguments.
    shape, stride, dtype
        Of the tensor: how it lies in memory is the order in which it is filled.
    """

    fill: str
    numbers: tuple[float, ...]
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: str

    def __call__(self) -> Tensor:
        """Draw them."""
        dtype = getattr(torch, self.dtype)
        empty = torch.empty_strided(self.shape, self.stride, dtype=dtype)
        return getattr(empty, self.fill)(*self.numbers)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> "Draw":
        """A draw from what `as_json` gave."""
        tuples = {key: tuple(said[key]) for key in ("numbers", "shape", "stride")}
        return cls(**{**said, **tuples})


@dataclass(frozen=True)
class Exported:
    """A network at one shape of image.

    Parameters
    ----------
    program
        From the image, and the draws in their order, to the output.
    image, output
        A noisy image of that shape, not the one it was exported with, and what torch makes of it.
    values
        What was drawn for it.
    """

    program: ExportedProgram
    draws: list[Draw]
    image: Tensor
    output: Tensor
    values: list[Tensor]


def exported(network: Denoiser, shape: tuple[int, ...]) -> Exported:
    """Export a network in evaluation for images of a shape, (B, C, H, W).

    Its forward pass runs with gradients enabled: what networks do only without them, faster but in
    place and in pieces, has no graph.

    Raises
    ------
    NotExportable
        If it says itself that it has no graph, torch cannot make one, or it draws random numbers
        which depend on more than a shape: on the values of an image, say.
    """
    with torch.inference_mode(False), torch.enable_grad():
        module = _copied(network)
        image = torch.rand(shape, generator=torch.Generator().manual_seed(0))
        other = 0.5 * image.square()  # darker and of less contrast
        set_back, first, recording = saved_rng(image.device), Recording(), Recording()
        try:
            with first:
                module(image.clone())
            set_back()
            with recording:
                output = module(other.clone()).detach()
            after = torch.get_rng_state()
            set_back()
            same = first.draws == recording.draws and recording.is_redrawn()
            if not (same and torch.equal(after, torch.get_rng_state())):
                raise NotExportable("it draws random numbers which depend on more than a shape")
            inputs = (image, *recording.values)
            program = torch.export.export(_Given(module), inputs, strict=False)
        except NotExportable:
            raise
        except Exception as error:  # torch raises anything at what it cannot trace
            raise NotExportable(f"torch cannot export it: {_short(error)}") from error
        finally:
            set_back()
    return Exported(program, recording.draws, other, output, recording.values)


def _copied(network: Denoiser) -> nn.Module:
    """What is exported of a network, which the network does not notice."""
    try:
        return deepcopy(network.exported()).eval().requires_grad_()
    except ValueError as error:
        raise NotExportable(str(error)) from None
    except Exception as error:  # of a stranger's network
        raise NotExportable(f"it cannot be copied: {_short(error)}") from None


class Recording(TorchFunctionMode):
    """While this is entered, it remembers what is drawn."""

    def __init__(self) -> None:
        self.draws: list[Draw] = []
        self.values: list[Tensor] = []

    def is_redrawn(self) -> bool:
        """Whether the same numbers are drawn again, from the generator as it was."""
        redrawn = [draw() for draw in self.draws]
        return all(map(torch.equal, self.values, redrawn))

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        if (fill := _fill_of(func)) and isinstance(output, Tensor):
            given = [*args, *(kwargs or {}).values()]
            numbers = [n for n in given if isinstance(n, int | float) and not isinstance(n, bool)]
            if func.__name__ in ("rand", "randn"):
                numbers = []  # sides of the tensor
            dtype = str(output.dtype).removeprefix("torch.")
            shape, stride = tuple(output.shape), tuple(output.stride())
            self.draws.append(Draw(fill, tuple(numbers), shape, stride, dtype))
            self.values.append(output.detach().clone())
        return output


class _Given(nn.Module):
    """A network which is given what it would have drawn."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, noisy: Tensor, *draws: Tensor) -> Tensor:
        with _Replaying(iter(draws)):
            return self.network(noisy)


class _Replaying(TorchFunctionMode):
    """While this is entered, what would be drawn is taken from given tensors, in their order."""

    def __init__(self, draws: Iterator[Tensor]):
        self.draws = draws

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if not _fill_of(func):
            name = getattr(func, "__name__", "")
            return MEMORY.get(name, func)(*args, **(kwargs or {}))
        given = next(self.draws)
        return args[0].copy_(given) if func.__name__ in FILLED else given


def _fill_of(func: Any) -> str | None:
    """The method by which a function of torch draws; None if it draws nothing."""
    name = getattr(func, "__name__", "")
    return MADE.get(name) or (name if name in FILLED else None)


def _short(error: Exception) -> str:
    """The first line of what a library says of a failure."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = lines[0] if lines else type(error).__name__
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 3]}..."
