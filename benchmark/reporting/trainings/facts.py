"""What trainings were of, and with what: the headers of the weights which they wrote."""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmark.cells.records import Record
from benchmark.files.whole import file_hash
from benchmark.reporting.trainings.page import Runs

HEADER = "noisebench"  # as `benchmark.denoiser.weights.load`, which loads torch, calls it
FACTS = ("model", "recipe", "noise", "level", "data")  # of a training: the others are its machine's
MEASURED = ("steps", "final_loss", "hours")
RECIPE = ("held_out", "start", "precision")  # further settings


def facts_of_runs(
    out: Path, runs: Runs, shipped: Mapping[str, Path] | None = None
) -> dict[str, list[Record]]:
    """Of each run, a record like that of a cell for each of its datasets; none where none is known.

    A run is known by the weights beside its log, or by those which ship under its name. Its log
    has to end with the loss which they name.

    Parameters
    ----------
    shipped
        Weights files by name.
    """
    found: dict[str, list[Record]] = {}
    for name, run in runs.items():
        found[name] = []
        places = [out / name / f"{name}.safetensors", *filter(None, [(shipped or {}).get(name)])]
        last = math.nan if run.log is None else float(run.log.iloc[-1]["loss"])
        for path in places:
            training = _training_of(path)
            if not found[name] and math.isclose(training.get("final_loss", math.nan), last):
                found[name] = [*_records(name, path, training)]
    return found


def _training_of(path: Path) -> Mapping[str, Any]:
    """What a weights file says of its training; nothing where it is missing or another's."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            training = json.loads((file.metadata() or {})[HEADER])["training"]
    except (OSError, SafetensorError, ValueError, LookupError, TypeError):
        return {}
    return training if isinstance(training, dict) and training.keys() >= {*FACTS} else {}


def _records(name: str, path: Path, training: Mapping[str, Any]) -> Iterator[Record]:
    own = {key: training[key] for key in RECIPE if key in training}
    machine = training.keys() - {*FACTS, *MEASURED, *RECIPE}
    for dataset, facts in training["data"].items():
        yield {
            "cell": {
                "model": name,
                "dataset": dataset,
                "noise": training["noise"]["of"],
                "level": training["level"],
                "seed": training["recipe"].get("seed", 0),
            },
            "settings": {
                "model": {**training["model"], "weights": f"sha256:{file_hash(path)}"},
                "noise": training["noise"],
                "dataset": facts,
                "metrics": {},
                "protocol": {**training["recipe"], **own},
            },
            "labels": {"higher_is_better": {}},
            "environment": {key: training[key] for key in training if key in machine},
        }
