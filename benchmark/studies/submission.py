"""What the server of a benchmark with hidden clean images takes: the restored boxes of DND."""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy
import torch

from benchmark.cells.provenance import code_of, pixels_hash
from benchmark.datasets import DND
from benchmark.denoiser import Denoiser
from benchmark.denoiser.inference import AUTOMATIC
from benchmark.files.whole import file_hash, write_whole
from benchmark.noise import stream

EVALUATION = "1.0"  # the version of the server's evaluation which the files are made for


class Submitted(NamedTuple):
    """A file of a submission; kept is one which was there from an earlier call."""

    path: Path
    kept: bool


def write_submission(
    dataset: DND,
    model: Denoiser,
    folder: Path,
    device: str = "cpu",
    settings: Mapping[str, object] | None = None,
) -> Iterator[Submitted]:
    """Restore every box and write the official files of the sRGB track, one a photograph.

    ``folder/0001.mat`` to ``0050.mat`` hold ``Idenoised``, a cell of 20 boxes, (512, 512, 3) single
    in [0, 1] and not rounded; ``israw``, false; and ``eval_version``, "1.0": what the benchmark's
    ``bundle_submissions_srgb`` writes into ``bundled`` [1]_. Each file is yielded as soon as it is
    whole, so that nothing happens unless the result is iterated. A stochastic network draws the
    same numbers for a box in any order and process.

    Parameters
    ----------
    settings
        What the files depend on beside the network's code and the images, in types of JSON. Beside
        the folder, a file of its name and ``.json`` records all of it with each file's hash: what
        the same settings and code wrote of the same images is kept when a submission that was
        interrupted starts again. None writes every file anew.

    Raises
    ------
    ValueError
        If ``limit`` or ``crop`` leave out a part of the benchmark, or as `DND.crops` does; or if
        files that no record names, or another's record, would be replaced.
    RestorationError
        If the model makes no picture of a box; the files before it are kept.

    References
    ----------
    .. [1] Plötz and Roth, "Benchmarking Denoising Algorithms with Real Photographs", CVPR 2017;
       code: bundle_submissions.py of https://noise.visinf.tu-darmstadt.de/downloads.
    """
    if dataset.limit is not None or dataset.crop is not None:
        raise ValueError(
            f"a submission to '{dataset.name}' has every box of every image whole; leave out limit "
            f"and crop"
        )
    model.to(device)
    record = folder.with_name(f"{folder.name}.json")
    made = {"settings": settings, "code": code_of(type(model))}
    before = Record({}, {}, set()) if settings is None else _read(record, folder)
    written = before.files if before.made == made else {}
    others = (before.files.keys() | before.replaces) - written.keys()
    for image, boxes in dataset.crops():
        path = folder / f"{image}.mat"
        hashes = {"noisy": [pixels_hash(noisy) for noisy in boxes]}
        kept = path.is_file() and written.get(path.name) == {**hashes, "sha256": file_hash(path)}
        if not kept:
            restored = np.empty((1, len(boxes)), dtype=object)  # a MATLAB cell
            for number, noisy in enumerate(boxes):
                key = stream("submission", dataset.name, image, number)
                what = f"{folder.name} on {dataset.name}, image {image}, box {number + 1}"
                restored[0, number] = _restored(model, noisy, key, device, what)
            content = io.BytesIO()
            variables = {"Idenoised": restored, "israw": False, "eval_version": EVALUATION}
            scipy.io.savemat(content, variables)
            if settings is not None:  # first: a file which no record names is another's
                digest = hashlib.sha256(content.getvalue()).hexdigest()
                written[path.name] = {**hashes, "sha256": digest}
                others.discard(path.name)
                known = {**made, "files": written} | ({"replaces": [*others]} if others else {})
                write_whole(record, json.dumps(known, indent=1) + "\n")
            write_whole(path, content.getvalue())
        yield Submitted(path, kept)


class Record(NamedTuple):
    """What wrote the files of a submission, their hashes, and those left which others wrote."""

    made: dict[str, Any]
    files: dict[str, Any]
    replaces: set[str]


def _read(path: Path, folder: Path) -> Record:
    """The record of a submission; an empty one where nothing is.

    Raises
    ------
    ValueError
        If a file which no record of ours names, or such a record, would be replaced.
    """
    record = Record({}, {}, set())
    try:
        stored = json.loads(path.read_bytes())
        made = {key: stored[key] for key in ("settings", "code")}
        record = Record(made, dict(stored["files"]), set(stored.get("replaces", ())))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # none yet, or not ours
    ours = record.files.keys() | record.replaces
    foreign = [found for found in folder.glob("*.mat") if found.name not in ours]
    if path.exists() and not record.made:
        foreign.append(path)
    if foreign:
        raise ValueError(
            f"{min(foreign)} was not written by bench submit, and would be replaced; choose "
            f"another folder with out=FOLDER, or move it away"
        )
    return record


def _restored(model: Denoiser, noisy: np.ndarray, key: int, device: str, what: str) -> np.ndarray:
    batch = torch.from_numpy(noisy).permute(2, 0, 1).unsqueeze(0).to(device)
    restored = AUTOMATIC.run(model, batch, key, what).image.clamp(0, 1)
    return restored[0].permute(1, 2, 0).cpu().numpy()
