"""Megapixels per second of our noises and of the libraries which have the same ones.

``python -m benchmark.speed.noises --out noises.md`` prints the table and writes it to a file. A
library which is not installed is named and has no column; none of them is needed for anything else:
``pip install imagecorruptions deepinv "setuptools<81"`` (imagecorruptions imports pkg_resources).
``--quick`` takes seconds: a small image, and few calls.
"""

import os
import platform
import time
from collections.abc import Callable, Mapping
from functools import partial
from statistics import median

import numpy as np

from benchmark.noise import NOISE_MODELS, to_uint8
from benchmark.registry import load_plugins
from benchmark.reporting.tables import Table
from benchmark.speed.machine import processor, version_of
from benchmark.speed.options import parsed, parser_of
from benchmark.speed.pages import write_page

# each noise with the settings and the level at which the libraries have the same law
OURS = {
    "gaussian": ({}, 0.08 * 255),
    "poisson": ({}, 1),
    "speckle": ({"distribution": "normal"}, 0.15**2),
    "salt_and_pepper": ({}, 0.03),
    "uniform": ({}, 25),
    "laplace": ({}, 25),
    "rician": ({}, 25),
    "gamma_speckle": ({}, 10),
    "poisson_gaussian": ({}, 0.01),
    "spatially_variant": ({}, 25),
    "jpeg": ({}, 25),
}
SEVERITY = 1  # of imagecorruptions: sigma 0.08, variance 0.15^2, density 0.03, quality 25
EXPLANATION = """\
Megapixels per second, higher is better: a {size}x{size} image of 3 channels, median of {repeats} \
calls taken in turn in one process, one thread. Every call returns a clipped image in its \
library's own type (ours: float32, its input checked). imagecorruptions' poisson has 60 photons at \
white, the others have 256; scikit-image counts the image's distinct values for it.
"""

Call = Callable[[], object]


def ours(clean: np.ndarray) -> dict[str, Call]:
    """Our noises, on (H, W, 3) float32 in [0, 1], whose range they check."""
    rng = np.random.default_rng(0)
    return {
        name: partial(NOISE_MODELS[name](**settings), clean, level, rng)
        for name, (settings, level) in OURS.items()
    }


def of_scikit_image(clean: np.ndarray) -> dict[str, Call]:
    """`skimage.util.random_noise` on float64, which it converts everything else to."""
    from skimage.util import random_noise

    image, rng = clean.astype(np.float64), np.random.default_rng(0)
    modes = {
        "gaussian": {"mode": "gaussian", "var": 0.08**2},
        "poisson": {"mode": "poisson"},
        "speckle": {"mode": "speckle", "var": 0.15**2},
        "salt_and_pepper": {"mode": "s&p", "amount": 0.03},
        "spatially_variant": {"mode": "localvar", "local_vars": ramp(image.shape)},
    }
    return {name: partial(random_noise, image, rng=rng, **how) for name, how in modes.items()}


def ramp(shape: tuple[int, ...]) -> np.ndarray:
    """The variances of our spatially_variant, with something above 0 at the left border."""
    sigmas = 25 / 255 * np.linspace(0, 1, shape[1])[:, None]
    return np.broadcast_to(np.maximum(sigmas, 1e-6) ** 2, shape)


def of_imagecorruptions(clean: np.ndarray) -> dict[str, Call]:
    """ImageNet-C's corruptions on 8 bits, with 8 bits back."""
    from imagecorruptions import corrupt

    image = to_uint8(clean)
    names = {
        "gaussian": "gaussian_noise",
        "poisson": "shot_noise",
        "speckle": "speckle_noise",
        "salt_and_pepper": "impulse_noise",
        "jpeg": "jpeg_compression",
    }
    return {name: partial(corrupt, image, SEVERITY, theirs) for name, theirs in names.items()}


def of_deepinv(clean: np.ndarray) -> dict[str, Call]:
    """deepinv's noises on a (1, 3, H, W) float32 tensor; they do not clip, so a clamp follows."""
    import torch
    from deepinv.physics import noise

    image = torch.from_numpy(clean.transpose(2, 0, 1)[None].copy())
    models = {
        "gaussian": noise.GaussianNoise(0.08),
        "poisson": noise.PoissonNoise(1 / 256),
        "salt_and_pepper": noise.SaltPepperNoise(p=0.015, s=0.015),
        "uniform": noise.UniformNoise(25 / 255 * 3**0.5),
        "laplace": noise.LaplaceNoise(25 / 255 / 2**0.5),
        "rician": noise.RicianNoise(25 / 255),
        "gamma_speckle": noise.GammaNoise(10.0),
        "poisson_gaussian": noise.PoissonGaussianNoise(gain=0.01, sigma=0.02),
    }
    return {name: lambda model=model: model(image).clamp_(0, 1) for name, model in models.items()}


PEERS = {
    "scikit-image": of_scikit_image,
    "imagecorruptions": of_imagecorruptions,
    "deepinv": of_deepinv,
}


def measure(calls: Mapping[str, Call], repeats: int) -> dict[str, float]:
    """Median seconds of each call, taken in turn (A B C A B C ...) after one call of each."""
    for call in calls.values():
        call()
    seconds = {who: [] for who in calls}
    for _ in range(repeats):
        for who, call in calls.items():
            start = time.perf_counter()
            call()
            seconds[who].append(time.perf_counter() - start)
    return {who: median(taken) for who, taken in seconds.items()}


def picture(size: int) -> np.ndarray:
    """(size, size, 3) float32 of all 256 values, none of them 0, where gamma noise has no law."""
    values = np.random.default_rng(0).integers(1, 256, (size, size, 3))
    return values.astype(np.float32) / np.float32(255)


def one_thread() -> None:
    """Keep torch and OpenCV to one thread; NumPy draws its numbers in one anyway."""
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def installed(clean: np.ndarray) -> tuple[dict[str, dict[str, Call]], list[str]]:
    """The calls of each library that can be imported, and a reason for each that cannot."""
    present, missing = {}, []
    for peer, calls in PEERS.items():
        try:
            present[peer] = calls(clean)
        except ImportError as error:
            missing.append(f"{peer} ({error})")
    return present, missing


def table(size: int, repeats: int) -> str:
    """The measured table as Markdown, with what was measured below it."""
    clean = picture(size)
    present, missing = installed(clean)
    contenders = {"ours": ours(clean), **present}
    rows = []
    for name in contenders["ours"]:
        calls = {who: calls[name] for who, calls in contenders.items() if name in calls}
        if len(calls) > 1:
            seconds = measure(calls, repeats)
            speeds = {who: size**2 / 1e6 / taken for who, taken in seconds.items()}
            rows.append(compared(name, contenders, speeds))
    lines = Table(["noise", *contenders, "ours / fastest peer"], rows).markdown(padded=False)
    return "\n".join([lines, "", *_setting(size, repeats, list(present), missing), ""])


def compared(
    name: str, contenders: dict[str, dict[str, Call]], speeds: dict[str, float]
) -> list[str]:
    """The line of one noise: everybody's speed, and ours by that of the fastest other."""
    fastest = max(speed for who, speed in speeds.items() if who != "ours")
    cells = [f"{speeds[who]:.1f}" if who in speeds else "–" for who in contenders]
    return [name, *cells, f"{speeds['ours'] / fastest:.2f}"]


def _setting(size: int, repeats: int, present: list[str], missing: list[str]) -> list[str]:
    packages = ["noisebench", "numpy", "torch", "opencv-python-headless", *present]
    return [
        EXPLANATION.format(size=size, repeats=repeats),
        f"Machine: {processor()}, {os.cpu_count()} logical cores, {platform.system()}, "
        f"Python {platform.python_version()}. "
        f"Versions: {', '.join(f'{name} {version_of(name)}' for name in packages)}.",
        *(["", f"Not installed: {'; '.join(missing)}."] if missing else []),
    ]


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write where ``--out`` says."""
    parser = parser_of("noises", __doc__)
    parser.add_argument("--size", type=int, default=512, help="side of the image")
    parser.add_argument("--repeats", type=int, default=25, help="timed calls of each")
    options = parsed(parser, arguments, size=128, repeats=5)
    load_plugins()
    one_thread()
    text = table(options.size, options.repeats)
    if options.out:
        write_page(options.out, "noises", text, arguments)
    print(text)


if __name__ == "__main__":
    main()
