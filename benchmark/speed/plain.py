"""Networks by their names and sizes, and beside the fast code the plain layers of their papers."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import torch

from benchmark.denoiser import DENOISERS, Denoiser


def network_of(name: str) -> Denoiser:
    """A network of a registered name, with one of its ``sizes`` behind it: ``"masked_tiny"``.

    It is in evaluation, and its weights are random, the same each time.
    """
    torch.manual_seed(0)
    of, _, size = name.rpartition("_")
    if of in DENOISERS and size in DENOISERS[of].sizes:
        return DENOISERS[of](**dict(DENOISERS[of].sizes[size])).eval()
    return DENOISERS[name]().eval()


@contextmanager
def in_plain_layers() -> Iterator[None]:
    """Networks compute as for a tracer meanwhile, which is shown none of what is there for speed.

    It is on for the whole process.
    """
    with patch.object(torch._C, "_is_tracing", lambda: True):
        yield
