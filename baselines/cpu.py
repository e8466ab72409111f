"""When a network takes the code that exists for a CPU's sake."""

import torch
from torch import Tensor, nn
from torch.jit._trace import is_tracing

OUT_OF_CACHE = 2**19  # numbers in a map (2 MB in fp32) from which its way to memory and back counts


def without_gradients(network: nn.Module, features: Tensor) -> bool:
    """Whether plain arithmetic on a CPU is asked for: nothing is trained, traced or compiled."""
    trained = torch.is_grad_enabled() or network.training
    return not trained and features.device.type == "cpu" and computed(features)


def computed(features: Tensor) -> bool:
    """Whether a tensor has numbers, and is not there for a tracer or compiler to see its way."""
    return type(features) is Tensor and not (is_tracing() or torch.compiler.is_compiling())


def multiplied_in(features: Tensor) -> torch.dtype:
    """The type of the factors of products: that of mixed precision where it is on."""
    return torch.bfloat16 if torch.is_autocast_enabled("cpu") else features.dtype
