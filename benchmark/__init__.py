"""noisebench: how well does a denoiser do on noise it was never trained on?"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmark.api import (
        add_noise,
        as_denoiser,
        denoise,
        leaderboard,
        list_names,
        load_model,
        score,
    )

__version__ = "0.1.0"
__all__ = [
    "add_noise",
    "as_denoiser",
    "denoise",
    "leaderboard",
    "list_names",
    "load_model",
    "score",
]


def __getattr__(name: str) -> Any:
    """Load `benchmark.api`, and with it torch, when one of its functions is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(importlib.import_module("benchmark.api"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
