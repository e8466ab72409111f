"""The zoo: what the files of trained networks say of themselves, as one page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from torch import Tensor

from benchmark.denoiser.weights.checkpoint import read_checkpoint
from benchmark.denoiser.weights.load import COUNTER, read_header
from benchmark.denoiser.weights.sizes import Header, size_of
from benchmark.files.whole import file_hash
from benchmark.reporting.pages import render
from benchmark.reporting.tables import Table

SHORT = 8  # hexadecimal digits of a digest which people compare
MEASURED = ("running_mean", "running_var", COUNTER)  # of batch normalisation: not trained
TRAINING = (
    *("noise", "start", "steps", "batch", "patch", "seed"),
    *("hours", "hardware", "data", "final_loss"),
)
HEADINGS = {
    "sha256": "SHA-256",
    "start": "started from",
    "final_loss": "final loss",
    "file_size": "MB",
}


def zoo_table(paths: Sequence[Path]) -> pd.DataFrame:
    """One line per weights file, in the given order, from its header and its tensors.

    Columns of text: ``file`` (its name without suffix, after that of its folder where several files
    have it), ``model``, ``size`` (a registered size,
    or the arguments which differ from the published network), ``noise`` and level of training,
    ``start`` (the digest of the weights it began with), ``data`` (images and digest of each set),
    ``hardware`` and precision, ``sha256`` (short). Columns of numbers:
    ``parameters``, ``steps``, ``batch``, ``patch``, ``seed``, ``hours``, ``final_loss``,
    ``file_size`` in bytes. What an older file does not say is empty text or NA.

    Raises
    ------
    ValueError
        If there is no file, or one is missing or damaged, or was not written by ``bench train``.
    """
    if not paths:
        raise ValueError("a zoo needs weights files; write one with: bench train model=NAME")
    table = pd.DataFrame([_line(path) for path in paths])
    table["file"] = _names(paths)
    return table.astype(dict.fromkeys(("steps", "batch", "patch", "seed"), "Int64"))


def count_parameters(tensors: Mapping[str, Tensor]) -> int:
    """How many numbers of a state dict are trained: all but the statistics of normalisation."""
    return sum(value.numel() for key, value in tensors.items() if not key.endswith(MEASURED))


def markdown(table: pd.DataFrame, command: str) -> str:
    """The page of a `zoo_table`; what is the same for all networks is said once.

    Parameters
    ----------
    command
        What makes the page again.
    """
    shared = _shared(table)
    own = [name for name in TRAINING if name not in shared and any(_text(table, name))]
    return render(
        "zoo.md",
        command=command,
        megabytes=f"{table['file_size'].sum() / 1e6:.2f}",
        networks=_table(table, ["size", "parameters", "file_size", "sha256"]),
        training=_table(table, own) if own else None,
        shared=[f"{_heading(name)}: {text}" for name, text in shared.items()],
    )


def _line(path: Path) -> dict[str, object]:
    header, tensors = read_header(path), read_checkpoint(path)[1]
    training = header.get("training", {})
    recipe = training.get("recipe", {})
    return {
        "file": path.stem,
        "model": header["model"],
        "size": size_of(header),
        "parameters": count_parameters(tensors),
        "noise": _noise(training),
        "start": str(training.get("start", "")).removeprefix("sha256:")[:SHORT],
        # files without their own count were written at the end of a training only
        "steps": training.get("steps", recipe.get("steps")),
        "batch": recipe.get("batch"),
        "patch": recipe.get("patch"),
        "seed": recipe.get("seed"),
        "hours": training.get("hours"),
        "hardware": _hardware(training),
        "data": _data(training),
        "final_loss": training.get("final_loss"),
        "file_size": path.stat().st_size,
        "sha256": file_hash(path)[:SHORT],
    }


def _names(paths: Sequence[Path]) -> list[str]:
    """The stem of each file, after its folders where another one has the same."""
    whole = [path.resolve().with_suffix("").parts for path in paths]
    shown = []
    for parts in whole:
        others = [other for other in whole if other != parts]
        length = next(
            n for n in range(1, len(parts) + 1) if all(o[-n:] != parts[-n:] for o in others)
        )
        shown.append("/".join(parts[-length:]))
    return shown


def _noise(training: Header) -> str:
    if "noise" not in training:
        return ""
    noise = training["noise"]
    return noise.get("formula") or f"{noise['of']} {training['level']:g}"


def _hardware(training: Header) -> str:
    threads = training.get("threads")
    counted = f"{threads} thread{'s' * (threads != 1)}" if threads else ""
    facts = (training.get("device"), counted, training.get("precision"))
    return ", ".join(filter(None, facts))


def _data(training: Header) -> str:
    sets = ", ".join(
        f"{name} ({facts['images']} images, {facts['sha256'][:SHORT]})"
        for name, facts in training.get("data", {}).items()
    )
    held_out = training.get("held_out")
    return f"{sets}, {held_out} of them held out" if held_out else sets


def _shared(table: pd.DataFrame) -> dict[str, str]:
    """The training columns which have one and the same text in all of several lines."""
    texts = {name: set(_text(table, name)) for name in TRAINING if len(table) > 1}
    return {name: min(same) for name, same in texts.items() if len(same) == 1 and any(same)}


def _table(table: pd.DataFrame, columns: Sequence[str]) -> Table:
    names = ["file"] if list(table["file"]) == list(table["model"]) else ["file", "model"]
    names += columns
    rows = list(zip(*(_text(table, name) for name in names), strict=True))
    return Table(list(map(_heading, names)), rows)


def _heading(name: str) -> str:
    return HEADINGS.get(name, name)


def _text(table: pd.DataFrame, name: str) -> list[str]:
    """A column as it is printed, empty where nothing is known."""
    printed = _PRINTED.get(name, str)
    return ["" if pd.isna(value) else printed(value) for value in table[name]]


_PRINTED = {
    "parameters": lambda count: f"{count:,}",
    "hours": lambda hours: f"{hours:.2f}",
    "final_loss": lambda loss: f"{loss:.4f}",
    "file_size": lambda size: f"{size / 1e6:.2f}",
}
