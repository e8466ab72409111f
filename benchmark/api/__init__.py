"""The benchmark from Python: score, add noise, denoise, without a command or a plugin."""

from benchmark.api.images import add_noise, denoise
from benchmark.api.registered import list_names, load_model
from benchmark.api.scores import leaderboard, score
from benchmark.denoiser.wrapped import as_denoiser

__all__ = [
    "add_noise",
    "as_denoiser",
    "denoise",
    "leaderboard",
    "list_names",
    "load_model",
    "score",
]
