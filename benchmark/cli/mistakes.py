"""A user's mistake, wherever it was noticed, as one sentence."""

import os
import sys

from benchmark.files.whole import advice
from benchmark.registry import UnknownName


def explain(error: BaseException) -> str | None:
    """One sentence for a mistake a user can mend; None for a defect of ours."""
    if "hydra" in sys.modules:  # else it cannot be one of Hydra's, which takes long to load
        from benchmark.cli.hydra_mistakes import explain_composition

        if sentence := explain_composition(error):
            return sentence
    if isinstance(error, OSError) and error.filename is not None:
        return f"cannot read or write {error.filename}: {error.strerror or error}; {advice(error)}"
    if isinstance(error, FileNotFoundError) and not _has_working_folder():
        return (
            "the folder you are in was removed; change into another one, and give the command there"
        )
    if isinstance(error, ValueError | UnknownName | OSError):
        return str(error)
    return None


def _has_working_folder() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True
