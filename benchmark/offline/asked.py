"""Whether the user wants nothing to be fetched, as environment variables say it."""

import os

VARIABLES = ("NOISEBENCH_OFFLINE", "HF_HUB_OFFLINE")  # ours, and the one of Hugging Face
TRUE = {"1", "on", "yes", "true"}  # as Hugging Face reads its own


def offline_by() -> str | None:
    """The variable which says that nothing is to be fetched; None if none does."""
    return next((name for name in VARIABLES if os.environ.get(name, "").lower() in TRUE), None)
