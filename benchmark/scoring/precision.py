"""In which precision a network runs: bf16 where the machine is fast at it and the scores agree."""

from dataclasses import replace

import numpy as np
import torch

from benchmark.datasets import DATASETS
from benchmark.denoiser import Denoiser
from benchmark.denoiser.inference import Inference
from benchmark.noise import NOISE_MODELS, Key, to_uint8
from benchmark.pixels import psnr
from benchmark.protocol import MASKED
from benchmark.scoring.evaluate import as_pixels, as_tensor

PRECISIONS = ("auto", "fp32", "bf16")
TOLERANCE = 0.01  # dB between the PSNRs in fp32 and bf16
PICTURES, CROP, SIGMAS = ("astronaut", "coffee"), 128, (15.0, 50.0)  # on which both are compared


def choose_precision(asked: str, model: Denoiser, device: str) -> tuple[str, str]:
    """``"fp32"`` or ``"bf16"`` for one model, and a sentence if the choice was measured, else "".

    A model without parameters runs in fp32. ``"auto"`` is bf16 for a network on a device which
    multiplies bf16 matrices in hardware, if no PSNR of two photographs, 128x128 and with Gaussian
    noise of sigma 15 and 50, changes by 0.01 dB or more.

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
    change = psnr_change(model, device)
    said = f"bf16 changes its PSNR by up to {change:.4f} dB on {len(PICTURES)} crops of photographs"
    if change < TOLERANCE:
        return "bf16", f"{model.name} runs in bf16: {said}, less than {TOLERANCE} dB"
    return "fp32", f"{model.name} runs in fp32: {said}, not less than {TOLERANCE} dB"


def multiplies_bf16(device: str) -> bool:
    """Whether a device has units for bf16 matrices: a GPU since Ampere, x86 with AMX or AVX-512."""
    if device == "mps":
        return False  # some Macs do, but torch does not tell
    if device != "cpu":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()  # older versions do not tell
    return any(capabilities.get(name, False) for name in ("amx_bf16", "avx512_bf16"))


def psnr_change(model: Denoiser, device: str) -> float:
    """The largest difference (dB) between fp32 and bf16, both under the same seed."""
    model, dataset = model.to(device), DATASETS["photos"](crop=CROP)
    protocol = replace(MASKED, grey=model.image_channels == 1)
    changes = []
    for picture in PICTURES:
        clean = dataset.read(picture, protocol=protocol).clean
        for sigma in SIGMAS:
            key = Key("photos", picture, "gaussian", sigma, 0)
            noisy = to_uint8(NOISE_MODELS["gaussian"]()(clean, sigma, key.rng()))
            seed = key.torch_seed("precision")
            scores = [
                _score(model, noisy, to_uint8(clean), seed, precision, device)
                for precision in ("fp32", "bf16")
            ]
            changes.append(abs(scores[1] - scores[0]))
    return max(changes)


def _score(
    model: Denoiser, noisy: np.ndarray, clean: np.ndarray, seed: int, precision: str, device: str
) -> float:
    what = f"{model.name} in {precision} on a crop of a photograph"
    how = Inference("none", precision, bounded=False)  # nothing is judged here but a difference
    done = how.run(model, as_tensor(noisy).to(device), seed, what)
    return psnr(as_pixels(done.image), clean)
