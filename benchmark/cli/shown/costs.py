"""What stored models take: parameters and operations, counted from the models made again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from benchmark.cells.records import Record
from benchmark.cli.objects.again import Files, model_again
from benchmark.denoiser import Denoiser
from benchmark.denoiser.flops import gflop
from benchmark.registry import UnknownName
from benchmark.reporting.explorer.facts import Cost

SIDE = 128  # pixels of the square image that is counted: whole windows of every network
NO_NETWORK = "not a network of torch, so its operations are not counted"


def costs_of(records: Iterable[Record], files: Files) -> dict[str, Cost]:
    """The cost of every model of stored cells; of one which cannot be made again, why not.

    Operations are those of one restored image of 128x128 pixels, which is not calculated.
    """
    recorded: dict[str, Mapping[str, Any]] = {}
    for record in records:
        recorded.setdefault(record["cell"]["model"], record["settings"]["model"])
    return {name: _cost(name, settings, files) for name, settings in recorded.items()}


def _cost(name: str, recorded: Mapping[str, Any], files: Files) -> Cost:
    try:
        model = model_again(name, recorded, files)
    except (ValueError, UnknownName, OSError) as error:
        return Cost(note=f"not made again, so not counted: {error}")
    parameters = sum(tensor.numel() for tensor in model.parameters())
    return Cost(parameters, *_operations(model)) if parameters else Cost(note=NO_NETWORK)


def _operations(model: Denoiser) -> tuple[float | None, str]:
    """GMACs per megapixel, or why they are not counted."""
    try:
        gmacs = gflop(model, SIDE) / 2 / (SIDE**2 / 1e6)
        return float(f"{gmacs:.4g}"), ""
    except Exception as error:  # whatever a stranger's network raises, the others are counted
        reason = (str(error) or type(error).__name__).partition("\n")[0]
        return None, f"its operations cannot be counted: {reason}"
