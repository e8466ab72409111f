"""What a network may return by mistake, and what is said of it."""

from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmark.cells import Cell
from benchmark.datasets import Folder
from benchmark.denoiser import Denoiser
from benchmark.denoiser.inference import Inference
from benchmark.noise import NOISE_MODELS
from benchmark.scoring.evaluate import evaluate


def with_value(noisy: Tensor, value: float) -> Tensor:
    restored = noisy.clone()
    restored[..., -1, -1] = value
    return restored


def second_half_nan(noisy: Tensor) -> Tensor:
    """No number in pixels that are brighter than the mean: only in some images, or tiles."""
    return noisy.where(noisy <= noisy.mean(), torch.nan)


TYPES = {
    "none": (lambda x: None, "returned None, not a tensor"),
    "list": (lambda x: [x], "returned a list of 1, not a tensor"),
    "tuple": (lambda x: (x, x), "returned a tuple of 2"),
    "empty tuple": (lambda x: (), "returned a tuple of 0"),
    "dict": (lambda x: {"restored": x}, "returned a dict of restored"),
    "empty dict": (lambda x: {}, "returned an empty dict"),
    "numpy": (lambda x: x.numpy(), "returned a numpy array of shape (1, 3, "),
    "number": (lambda x: 0.5, "returned an object of type float"),
    "text": (lambda x: "restored", "returned an object of type str"),
    "generator": (lambda x: (y for y in x), "returned an object of type generator"),
    "sparse": (lambda x: x.to_sparse(), "returned a tensor of layout torch.sparse_coo"),
}

SHAPES = {
    "no batch": (lambda x: x[0], "keep the dimension of the batch"),
    "channels last": (lambda x: x.permute(0, 2, 3, 1), "put the channels first"),
    "scalar": (lambda x: x.mean(), "returned () for (1, 3, "),
    "two images": (lambda x: torch.cat([x, x]), "every image of a batch comes back"),
    "no image": (lambda x: x[:0], "every image of a batch comes back"),
    "grey": (lambda x: x[:, :1], "of the size and the channels it was given"),
    "fourth channel": (lambda x: torch.cat([x, x[:, :1]], 1), "the size and the channels"),
    "larger": (lambda x: x.repeat(1, 1, 2, 2), "the size and the channels"),
    "one row more": (lambda x: torch.cat([x, x[..., :1, :]], -2), "the size and the channels"),
    "one column less": (lambda x: x[..., 1:], "the size and the channels"),
    "five dimensions": (lambda x: x[None], "the size and the channels"),
    "elsewhere": (lambda x: x.to("meta"), "returned a tensor on meta for one on cpu"),
}

DTYPES = {
    "uint8": (lambda x: (255 * x).to(torch.uint8), "returned numbers of type torch.uint8"),
    "int64": (lambda x: x.long(), "returned numbers of type torch.int64"),
    "bool": (lambda x: x > 0.5, "returned numbers of type torch.bool"),
    "complex": (lambda x: torch.fft.fft2(x), "returned numbers of type torch.complex64"),
}

VALUES = {
    "nan": (lambda x: x * torch.nan, "returned values that are no numbers: "),
    "one nan": (partial(with_value, value=torch.nan), "are no numbers: 3 NaN of "),
    "some nan": (second_half_nan, " NaN of "),
    "one infinity": (partial(with_value, value=torch.inf), "are no numbers: 3 infinite of "),
    "minus infinity": (partial(with_value, value=-torch.inf), "are no numbers: 3 infinite of "),
    "beyond float16": (lambda x: (1e5 * x).half(), " infinite of "),
    "beyond float32": (lambda x: with_value(x.double(), 1e300), "3 infinite of "),
    "division by 0": (lambda x: (x - x) / (x - x), " NaN of "),
}

RANGES = {
    "[0, 255]": (lambda x: 255 * x, "scale its input and its output"),
    "[-1, 1]": (lambda x: 2 * x - 1, "scale its input and its output"),
    "[0, 65535]": (lambda x: 65535 * x.double(), "scale its input and its output"),
    "[-127.5, 127.5]": (lambda x: 255 * x - 127.5, "scale its input and its output"),
    "[1, 2]": (lambda x: x + 1, "scale its input and its output"),
    "negative": (lambda x: -x, "scale its input and its output"),
}

BAD = {**TYPES, **SHAPES, **DTYPES, **VALUES, **RANGES}
ONE_OF_EACH = ("tuple", "larger", "uint8", "one nan", "[0, 255]")  # kind of bad output

GOOD = {
    "half": lambda x: x.half(),
    "bfloat16": lambda x: x.bfloat16(),
    "double": lambda x: x.double(),
    "a view": lambda x: x.view(x.shape),
    "expanded": lambda x: x.mean(dim=(2, 3), keepdim=True).expand(x.shape),
    "channels-last memory": lambda x: x.contiguous(memory_format=torch.channels_last),
    "overshoot": lambda x: 1.2 * (x - 0.5) + 0.5,
    "a hot pixel": partial(with_value, value=1e6),
    "changes its input": lambda x: x.mul_(0.9),
    "needs gradients": lambda x: x * torch.nn.Parameter(torch.ones(())),
}

one_of_each = pytest.mark.parametrize("how", ONE_OF_EACH)


class Returns(Denoiser):
    """Return what is asked for."""

    name = "returns"

    def __init__(self, *, how: str = "nan"):
        super().__init__()
        self.how = GOOD[how] if how in GOOD else BAD[how][0]

    def forward(self, noisy: Tensor) -> Tensor:
        return self.how(noisy)


def scored(model: Denoiser, images: Path, inference: Inference) -> list[dict]:
    cell, noise = Cell("mine", "d", "gaussian", 15.0, 0), NOISE_MODELS["gaussian"]()
    folder = Folder(path=str(images))
    found = evaluate(cell, model, folder, noise, {}, ["a", "b"], inference=inference)
    return [one.row for one in found]


class Raises(Denoiser):
    name = "raises"

    def __init__(self, error: Exception):
        super().__init__()
        self.error = error

    def forward(self, noisy: Tensor) -> Tensor:
        raise self.error
