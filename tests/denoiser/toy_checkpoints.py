"""Networks whose weights are saved, and how files of others are refused."""

import doubles
import pytest
from torch import nn

from benchmark.denoiser.weights.load import load_network

ARGUMENTS = {"depth": 3, "width": 8, "batch_norm": True}
TRAINING = {"recipe": {"steps": 7}, "final_loss": 0.25}
SWIN = {"embed_dim": 12, "depths": (2,), "num_heads": 2, "window_size": 4}


def refusal(cls: type, path, settings: dict[str, object] | None = None) -> str:
    with pytest.raises(ValueError) as caught:
        load_network(cls, path, settings or {})
    return str(caught.value)


class Small(doubles.Small):
    """A network of whose published tensors one is computed anew."""

    derived = ("index",)


class Other(Small):
    """The same with one more layer."""

    name = "other"

    def __init__(self, *, width: int = 4):
        super().__init__(width=width)
        self.more = nn.Conv2d(3, 3, 1)
