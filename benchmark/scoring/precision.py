"""In which precision a network runs: bf16 where the machine is fast at it and the scores agree."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from platformdirs import user_cache_path

from benchmark.datasets import DATASETS
from benchmark.denoiser import Denoiser
from benchmark.denoiser.contract import name_of
from benchmark.denoiser.inference import Inference
from benchmark.denoiser.runtime.choice import FASTER
from benchmark.denoiser.runtime.identity import digest_of_network
from benchmark.denoiser.runtime.kept import measured_once
from benchmark.environment.device import multiplies_bf16
from benchmark.environment.queue import has_queue
from benchmark.noise import NOISE_MODELS, Key, to_uint8
from benchmark.pixels import psnr
from benchmark.protocol import MASKED
from benchmark.scoring.evaluate import as_pixels, as_tensor

PRECISIONS = ("auto", "fp32", "bf16")
TOLERANCE = 0.01  # dB between the PSNRs in fp32 and bf16
PICTURES, CROP, SIGMAS = ("astronaut", "coffee"), 128, (15.0, 50.0)  # on which both are compared


@dataclass(frozen=True)
class Compared:
    """A network in bf16 beside itself in fp32, on the same noisy pictures."""

    change: float  # the largest difference of their PSNRs, in dB
    speed: float  # seconds in fp32 by those in bf16


def choose_precision(asked: str, model: Denoiser, device: str) -> tuple[str, str]:
    """``"fp32"`` or ``"bf16"`` for one model, and a sentence if the choice was measured, else "".

    A model without parameters runs in fp32. ``"auto"`` is bf16 for a network on a device which
    multiplies bf16 matrices in hardware, if it takes less time there by a tenth and no PSNR of two
    photographs, 128x128 and with Gaussian noise of sigma 15 and 50, changes by 0.01 dB or more.
    What was measured is kept on disk, so that the same command chooses the same again.

    Raises
    ------
    ValueError
        If what is asked for is none of `PRECISIONS`.
    """
    if asked not in PRECISIONS:
        raise ValueError(f"unknown precision={asked}; choose one of: {', '.join(PRECISIONS)}")
    if next(model.parameters(), None) is None:
        return "fp32", ""
    if asked != "auto":
        return asked, ""
    if not multiplies_bf16(device):
        return "fp32", ""
    found = compared(model, device)
    taken = "bf16" if found.change < TOLERANCE and found.speed >= FASTER else "fp32"
    return taken, (
        f"{name_of(model)} runs in {taken}: bf16 is {found.speed:.2f} times as fast as fp32 on "
        f"{CROP}x{CROP} pixels and changes its PSNR by up to {found.change:.4f} dB on "
        f"{len(PICTURES)} crops of photographs; it is taken from {FASTER} times and below "
        f"{TOLERANCE} dB"
    )


def folder() -> Path:
    """Where it is kept on disk what was measured; it need not be there."""
    return user_cache_path("noisebench") / "precision"


def compared(model: Denoiser, device: str) -> Compared:
    """What was measured of a network first on such a device, by whoever shares the folder."""
    digest = digest_of_network(model, ("torch", "noisebench"))
    path = folder() / f"{digest}-{torch.device(device).type}.json"
    return measured_once(path, Compared, lambda: compare(model, device))


def compare(model: Denoiser, device: str) -> Compared:
    """Run a network in both precisions, in turn and under the same seeds; the fastest run counts.

    On a CPU time is that of the process, for which other work on the machine does not count.
    """
    model, dataset = model.to(device), DATASETS["photos"](crop=CROP)
    protocol = replace(MASKED, grey=model.image_channels == 1)
    changes, seconds = [], {"fp32": float("inf"), "bf16": float("inf")}
    for picture in PICTURES:
        clean = dataset.read(picture, protocol=protocol).clean
        for sigma in SIGMAS:
            key = Key("photos", picture, "gaussian", sigma, 0)
            noisy = to_uint8(NOISE_MODELS["gaussian"]()(clean, sigma, key.rng()))
            seed, scores = key.torch_seed("precision"), []
            for precision, least in seconds.items():
                image, taken = _restored(model, noisy, seed, precision, device)
                scores.append(psnr(image, to_uint8(clean)))
                seconds[precision] = min(least, taken)
            changes.append(abs(scores[1] - scores[0]))
    return Compared(max(changes), seconds["fp32"] / seconds["bf16"])


def _restored(
    model: Denoiser, noisy: np.ndarray, seed: int, precision: str, device: str
) -> tuple[np.ndarray, float]:
    """What a model makes of pixels, and in how many seconds."""
    what = f"{name_of(model)} in {precision} on a crop of a photograph"
    how = Inference("none", precision, bounded=False)  # nothing is judged here but a difference
    image = as_tensor(noisy).to(device)
    begin = time.process_time()
    done = how.run(model, image, seed, what)
    taken = 0.0 if has_queue(device) else time.process_time() - begin
    return as_pixels(done.image), taken or done.seconds  # some systems' clocks are coarse
