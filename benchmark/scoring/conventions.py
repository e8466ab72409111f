"""The conventions by which public code scores an image: each one declared, with who follows it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any

import numpy as np
import scipy.ndimage
from torch import Tensor

from benchmark.metrics.pixelwise import PSNR_CAP, SSIM_SIDE, SSIM_SIGMA, in_colour, ssim
from benchmark.pixels import without_border
from benchmark.protocol import MASKED, Protocol

PADDINGS = {"zero": partial(np.pad, mode="constant"), "reflect": partial(np.pad, mode="reflect")}
DOWNSAMPLED_TO = 256  # pixels of the shorter side, in Wang's ssim.m


@dataclass(frozen=True)
class Scoring:
    """How scores are made: a protocol, and what this benchmark always does in one way.

    Parameters
    ----------
    truncated
        Whether a restored image of 8 bits is cut off instead of rounded half to even.
    mean_of_channels
        Whether PSNR is the mean of each channel's instead of one over all channels.
    pooled
        Whether PSNR is that of the mean squared error over all images, instead of the images' mean.
    clean_peak
        Whether the peak of PSNR is the clean image's maximum instead of 255.
    unit_range
        Whether PSNR is computed in float32 in [0, 1] with a peak of 1, instead of float64 to 255.
    window
        Of SSIM: ``"gaussian"``, 11x11 of sigma 1.5, or ``"uniform"``, 7x7.
    sample_covariance
        Whether variances in SSIM are of a sample, over n - 1.
    padding
        What SSIM's windows see beyond the image: ``"valid"``, nothing, since only whole windows
        count; ``"zero"``; or ``"reflect"``.
    ssim_range
        Of values in [0, 1], as SSIM's constants take it.
    downsampled
        Whether images are averaged and subsampled for SSIM, so that their shorter side has about
        256 pixels.
    bgr
        Whether LPIPS sees the channels in reverse order.
    """

    protocol: Protocol = MASKED
    truncated: bool = False
    mean_of_channels: bool = False
    pooled: bool = False
    clean_peak: bool = False
    unit_range: bool = False
    window: str = "gaussian"
    sample_covariance: bool = False
    padding: str = "valid"
    ssim_range: float = 1.0
    downsampled: bool = False
    bgr: bool = False

    def changed(self, changes: Mapping[str, Any]) -> "Scoring":
        """The same with other values, those of the protocol's own fields included."""
        of_protocol = {field.name for field in fields(Protocol)}
        protocol = {name: value for name, value in changes.items() if name in of_protocol}
        own = {name: value for name, value in changes.items() if name not in of_protocol}
        return replace(self, protocol=replace(self.protocol, **protocol), **own)


@dataclass(frozen=True)
class Convention:
    """One thing that public code does differently.

    Parameters
    ----------
    name
        What is done, in words.
    who
        Who does it.
    changes
        The fields of `Scoring`, or of its protocol, that it sets.
    """

    name: str
    who: str
    changes: Mapping[str, Any] = field(hash=False)


def _noisy(clipped: bool, rounded: bool) -> dict[str, Any]:
    return {"noisy_clipped": clipped, "noisy_rounded": rounded, "unclipped": ()}


def _restored(clipped: bool, rounded: bool) -> dict[str, Any]:
    return {"restored_clipped": clipped, "restored_rounded": rounded, "truncated": False}


# Read in the public code of each: KAIR (main_test_dncnn.py), FFDNet (Demo_AWGN_Color.m), SwinIR and
# masked training (main_test_swinir.py), Restormer (test_gaussian_color_denoising.py), CLIPDenoising
# (test_synthetic_denoising.py, utils.py), IDF (lit_denoising.py), IPT (utility.py; its coefficients
# of Y are those over 256), pytorch-ssim, kornia and piq (whose averages are of squares from the
# corner, so a pixel from Wang's for odd factors). Computed beside scikit-image and OpenCV. Not
# checked against a source: that Restormer's evaluation leaves out no border, which range old
# versions of scikit-image took, and what names no code, such as "loops over channels".
CONVENTIONS = (
    Convention("noisy: clipped, 8 bits", "masked training; any set of PNGs", _noisy(True, True)),
    Convention("noisy: clipped, float", "CLIPDenoising's Poisson noise", _noisy(True, False)),
    Convention("noisy: float", "KAIR, FFDNet, SwinIR, Restormer", _noisy(False, False)),
    Convention("noise by key", "this benchmark", {"draw": "key"}),
    Convention("noise of a script's seed, RGB", "KAIR, Restormer", {"draw": "seed0"}),
    Convention("noise of a script's seed, BGR", "SwinIR", {"draw": "seed0_bgr"}),
    Convention("restored: clipped, 8 bits", "KAIR, SwinIR, Restormer", _restored(True, True)),
    Convention("restored: clipped, float", "CLIPDenoising, IDF", _restored(True, False)),
    Convention("restored: float", "validation of a raw output", _restored(False, False)),
    Convention(
        "restored: cut off to 8 bits",
        "astype(uint8) without rounding",
        {**_restored(True, True), "truncated": True},
    ),
    Convention("border 0", "KAIR, FFDNet, SwinIR, Restormer", {"border": 0}),
    Convention("border 1", "masked training", {"border": 1}),
    Convention("border 2", "super-resolution, scale 2", {"border": 2}),
    Convention("border 4", "super-resolution, scale 4", {"border": 4}),
    Convention("border 8", "super-resolution, scale 8", {"border": 8}),
    Convention("RGB", "most papers on colour denoising", {"colour": "rgb"}),
    Convention("Y, 16 to 235", "MATLAB's rgb2ycbcr; IPT", {"colour": "y"}),
    Convention("Y, 0 to 255", "OpenCV, Pillow", {"colour": "y_full"}),
    Convention("PSNR: mean of channels", "loops over channels", {"mean_of_channels": True}),
    Convention("PSNR: of all images' MSE", "averages of the loss", {"pooled": True}),
    Convention("PSNR: peak of the clean image", "clean.max() as peak", {"clean_peak": True}),
    Convention("PSNR: [0, 1], float32, peak 1", "PyTorch training code", {"unit_range": True}),
    Convention(
        "SSIM: uniform 7x7, sample covariance",
        "scikit-image by default",
        {"window": "uniform", "sample_covariance": True},
    ),
    Convention("SSIM: uniform 7x7", "scikit-image, population covariance", {"window": "uniform"}),
    Convention(
        "SSIM: sample covariance",
        "scikit-image with gaussian_weights alone",
        {"sample_covariance": True},
    ),
    Convention("SSIM: zeros beyond the image", "pytorch-ssim", {"padding": "zero"}),
    Convention("SSIM: reflected beyond the image", "kornia", {"padding": "reflect"}),
    Convention(
        "SSIM: data range 2 of [0, 1]",
        "old scikit-image, no data_range given",
        {"ssim_range": 2.0},
    ),
    Convention("SSIM: downsampled", "Wang's ssim.m, piq", {"downsampled": True}),
    Convention("LPIPS: BGR", "masked training", {"bgr": True}),
)


def others(base: Scoring) -> dict[str, Scoring]:
    """By name, each convention alone put in the place of what ``base`` does; without its own.

    Grey images have no colours to compare.
    """
    found = {
        convention.name: base.changed(convention.changes)
        for convention in CONVENTIONS
        if not (base.protocol.grey and "colour" in convention.changes)
    }
    return {name: scoring for name, scoring in found.items() if scoring != base}


# what a protocol sets, in the order in which an image meets it
STEPS = (
    ("noise drawn", ("draw",)),
    ("noisy", ("noisy_clipped", "noisy_rounded", "unclipped")),
    ("restored", ("restored_clipped", "restored_rounded")),
    ("border", ("border",)),
    ("colour", ("colour",)),
)


def steps(start: Protocol, end: Protocol) -> dict[str, Scoring]:
    """From one protocol to another, one change after the other: each step with all before it.

    Their names say what changes: ``noisy: clipped, 8 bits -> float``. Empty for equal protocols.

    Raises
    ------
    ValueError
        If the images of one are grey, or of 16 bits, and those of the other are not.
    """
    if (start.grey, start.bits) != (end.grey, end.bits):
        raise ValueError(
            f"protocols {start.name} and {end.name} are of different images, grey or RGB, of 8 or "
            f"16 bits; name two which differ in how images are scored"
        )
    found, now = {}, start
    for what, names in STEPS:
        after = replace(now, **{name: getattr(end, name) for name in names})
        if after != now:
            found[f"{what}: {_said(what, now)} -> {_said(what, after)}"] = Scoring(after)
            now = after
    return found


def _said(what: str, protocol: Protocol) -> str:
    if what not in ("noisy", "restored"):
        return str(getattr(protocol, "draw" if what == "noise drawn" else what))
    but = f", {' and '.join(protocol.unclipped)} not clipped" if what == "noisy" else ""
    return f"{protocol.facts[what]}{but if protocol.unclipped else ''}"


def values(image: Tensor, scoring: Scoring) -> np.ndarray:
    """The (H, W, C) float64 values that are compared, 0 to 255, of (1, C, H, W) in [0, 1]."""
    protocol = scoring.protocol
    coloured = in_colour(image, protocol.colour)[0].permute(1, 2, 0)
    return without_border(coloured.double().cpu().numpy() * 255, protocol.border)


def squared_error(restored: np.ndarray, clean: np.ndarray) -> float:
    """The mean squared error of two arrays of `values`."""
    return float(np.mean((restored - clean) ** 2))


def psnr_of(restored: np.ndarray, clean: np.ndarray, scoring: Scoring) -> float:
    """PSNR in dB of two arrays of `values`, capped at 100 as the metric is."""
    peak = float(clean.max()) if scoring.clean_peak else 255.0
    if scoring.unit_range:
        peak /= 255
        restored, clean = (
            image.astype(np.float32) / np.float32(255) for image in (restored, clean)
        )
    if scoring.mean_of_channels:
        channels = range(clean.shape[-1])
        errors = [squared_error(restored[..., c], clean[..., c]) for c in channels]
    else:
        errors = [squared_error(restored, clean)]
    return sum(in_decibels(error, peak) for error in errors) / len(errors)


def in_decibels(error: float, peak: float = 255.0) -> float:
    """A mean squared error as PSNR, capped."""
    return min(10 * math.log10(peak**2 / error), PSNR_CAP) if error and peak else PSNR_CAP


def ssim_of(restored: np.ndarray, clean: np.ndarray, scoring: Scoring) -> float:
    """SSIM of two arrays of `values`."""
    from skimage.metrics import structural_similarity

    pair: tuple[np.ndarray, ...] = (restored, clean)
    if scoring.downsampled:
        factor = max(1, math.floor(min(clean.shape[:2]) / DOWNSAMPLED_TO + 0.5))  # half up
        pair = tuple(_downsampled(image, factor) for image in pair)
    side = SSIM_SIDE if scoring.window == "gaussian" else 7
    if scoring.padding != "valid":
        widths = [(side // 2, side // 2)] * 2 + [(0, 0)]
        pair = tuple(PADDINGS[scoring.padding](image, widths) for image in pair)
    plain = scoring.window == "gaussian" and not scoring.sample_covariance
    if plain and scoring.ssim_range == 1:
        return ssim(*pair)
    found: Any = structural_similarity(  # one number, as no maps are asked for
        *pair,
        win_size=side,
        data_range=255 * scoring.ssim_range,
        channel_axis=-1,
        gaussian_weights=scoring.window == "gaussian",
        sigma=SSIM_SIGMA,
        use_sample_covariance=scoring.sample_covariance,
    )
    return float(found)


def _downsampled(image: np.ndarray, factor: int) -> np.ndarray:
    """Averaged over squares of ``factor`` pixels and subsampled, as MATLAB's imfilter does it."""
    if factor == 1:
        return image
    origin = -1 if factor % 2 == 0 else 0  # a window of even size reaches one further down
    averaged = image
    for axis in (0, 1):
        averaged = scipy.ndimage.uniform_filter1d(averaged, factor, axis, origin=origin)
    return averaged[::factor, ::factor]
