"""Which runtime computes a network: OpenVINO where it was asked for, or is faster and agrees."""

from dataclasses import dataclass

import torch

from benchmark.console.log import log
from benchmark.denoiser.contract import RestorationError, name_of
from benchmark.denoiser.inference import Inference
from benchmark.denoiser.model import Denoiser
from benchmark.denoiser.runtime import openvino
from benchmark.denoiser.runtime.export import NotExportable
from benchmark.denoiser.runtime.kept import measured_once
from benchmark.denoiser.runtime.openvino import AGREE

RUNTIMES = ("torch", "openvino", "auto")
PROBE = 128  # side of the image on which both run, in pixels
REPEATS = 3  # of each, in turn; the fastest counts
FASTER = 1.1  # as many times as fast as torch: less may be chance, and is not worth another runtime


@dataclass(frozen=True)
class Measured:
    """A network in OpenVINO beside itself in torch, on one image."""

    reason: str  # why OpenVINO does not run it; "" if it does
    apart: float = 0.0  # the largest difference of the outputs
    speed: float = 0.0  # seconds of torch by those of OpenVINO


def choose_runtime(asked: str, model: Denoiser, device: str, precision: str) -> tuple[str, str]:
    """``"torch"`` or ``"openvino"`` for one model, and why as a sentence, or "".

    A model without parameters is no network, and has no choice. ``"openvino"`` is taken where the
    network can be exported and its output on a picture of 128x128 is torch's to 1e-5; ``"auto"``
    where it also takes less time there by a tenth. What was measured is kept on disk beside the
    compiled graphs, so that the same command chooses the same again.

    Parameters
    ----------
    precision
        In which the model runs: OpenVINO has fp32 alone.

    Raises
    ------
    ValueError
        If what is asked for is none of `RUNTIMES`, or openvino, which is not installed.
    """
    if asked not in RUNTIMES:
        raise ValueError(f"unknown runtime={asked}; choose one of: {', '.join(RUNTIMES)}")
    if asked == "torch" or next(model.parameters(), None) is None:
        return "torch", ""
    stays = f"{name_of(model)} runs in torch"
    if not openvino.is_installed():
        if asked == "openvino":
            raise ValueError(openvino.MISSING)
        return "torch", f"{stays}: openvino is not installed; pip install 'noisebench[openvino]'"
    if torch.device(device).type != "cpu":
        return "torch", f"{stays}: openvino is for the CPU, and the device is {device}"
    if precision != "fp32":
        return "torch", f"{stays}: openvino computes in fp32 alone, and precision is {precision}"
    found = measured(model)
    if found.reason:
        return "torch", f"{stays}: {found.reason}"
    said = (
        f"{found.speed:.2f} times as fast as torch on {PROBE}x{PROBE} pixels, where they differ by "
        f"up to {found.apart:.0e}"
    )
    if asked == "auto" and found.speed < FASTER:
        return "torch", f"{stays}: openvino is {said}"
    return "openvino", f"{name_of(model)} runs in openvino: {said}" if asked == "auto" else ""


def measured(model: Denoiser) -> Measured:
    """What was measured of a network first, by whoever shares the folder of graphs."""
    path = openvino.folder() / f"{openvino.digest_of_network(model)}.json"
    return measured_once(path, Measured, lambda: _announced(model))


def _announced(model: Denoiser) -> Measured:
    try:
        model.exported()
    except Exception as error:  # of a stranger's network
        return Measured(str(error) or type(error).__name__)
    log.info(f"{name_of(model)} is compiled by openvino, which takes seconds to minutes, once")
    return measure(model)


def measure(model: Denoiser) -> Measured:
    """Run a network in both runtimes, in turn."""
    side = -(-PROBE // model.multiple) * model.multiple
    shape = (1, model.image_channels or 3, side, side)
    noisy = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    what = f"{name_of(model)} on {PROBE}x{PROBE} random pixels"
    hows = {name: Inference("none", bounded=False, runtime=name) for name in ("torch", "openvino")}
    try:
        done = [{name: how.run(model, noisy, 0, what) for name, how in hows.items()}]
    except RestorationError as error:
        return Measured(_reason(error) or f"it could not be measured: {error}")
    apart = (done[0]["torch"].image - done[0]["openvino"].image).abs().max().item()
    if not apart <= AGREE:
        return Measured(f"openvino's output differs from torch's by up to {apart:.0e}")
    for _ in range(REPEATS):
        done.append({name: how.run(model, noisy, 0, what) for name, how in hows.items()})
    torch_seconds, seconds = (min(each[name].seconds for each in done[1:]) for name in hows)
    return Measured("", apart, torch_seconds / seconds)


def _reason(error: BaseException | None) -> str:
    """Why there is no graph, if that is behind an error."""
    while error is not None and not isinstance(error, NotExportable):
        error = error.__cause__
    return str(error or "")
