"""The denoisers which come with the benchmark; importing this fills the registry."""

from baselines import (
    adapters,
    classical,
    dncnn,
    dropout,
    files,
    identity,
    idf,
    restormer,
    ridnet,
    rnan,
    swinir,
)
from benchmark.denoiser import DENOISERS

__all__ = [
    "DENOISERS",
    "adapters",
    "classical",
    "dncnn",
    "dropout",
    "files",
    "identity",
    "idf",
    "restormer",
    "ridnet",
    "rnan",
    "swinir",
]
