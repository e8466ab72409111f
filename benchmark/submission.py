"""What the server of a benchmark with hidden clean images takes: the restored boxes of DND."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy
import torch

from benchmark.denoiser import Denoiser
from benchmark.environment import forked_rng
from benchmark.files import write_whole
from benchmark.noise import stream
from benchmark.recorded import DND

EVALUATION = "1.0"  # the version of the server's evaluation which the files are made for


def write_submission(
    dataset: DND, model: Denoiser, folder: Path, device: str = "cpu"
) -> Iterator[Path]:
    """Restore every box and write the official files of the sRGB track, one a photograph.

    ``folder/0001.mat`` to ``0050.mat`` hold ``Idenoised``, a cell of 20 boxes, (512, 512, 3) single
    in [0, 1] and not rounded; ``israw``, false; and ``eval_version``, "1.0": what the benchmark's
    ``bundle_submissions_srgb`` writes into ``bundled`` [1]_. Each file is yielded as soon as it is
    whole, so that nothing happens unless the result is iterated. A stochastic network draws the
    same numbers for a box in any order and process.

    Raises
    ------
    ValueError
        If ``limit`` or ``crop`` leave out a part of the benchmark, or as `DND.crops` does.

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
    for image, boxes in dataset.crops():
        restored = np.empty((1, len(boxes)), dtype=object)  # a MATLAB cell
        for number, noisy in enumerate(boxes):
            key = stream("submission", dataset.name, image, number)
            restored[0, number] = _restored(model, noisy, key, device)
        content = io.BytesIO()
        variables = {"Idenoised": restored, "israw": False, "eval_version": EVALUATION}
        scipy.io.savemat(content, variables)
        write_whole(folder / f"{image}.mat", content.getvalue())
        yield folder / f"{image}.mat"


def _restored(model: Denoiser, noisy: np.ndarray, key: int, device: str) -> np.ndarray:
    batch = torch.from_numpy(noisy).permute(2, 0, 1).unsqueeze(0).to(device)
    with forked_rng(batch.device):
        torch.manual_seed(key % 2**63)
        return model.denoise(batch)[0].permute(1, 2, 0).float().cpu().numpy()
