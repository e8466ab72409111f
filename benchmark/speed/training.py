"""Training steps a second of our networks and loop beside the published network and loop.

``python -m benchmark.speed.training --published FOLDER --batch 4 --out training.md`` prints the
table and writes it to a file. FOLDER holds a clone of MaskedDenoising, as for
``benchmark.speed.networks``; its code needs ``pip install timm einops entmax``. Without FOLDER our
loop stands beside itself with the plain layers of the papers, each with gradients of torch's.
``--quick`` takes seconds: tiny networks, two crops a step, in one thread.
"""

import copy
import random
import warnings
from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.environment.device import multiplies_bf16
from benchmark.noise import NOISE_MODELS
from benchmark.registry import load_plugins
from benchmark.reporting.tables import Table
from benchmark.speed.machine import setting
from benchmark.speed.options import beside_published, parsed, parser_of
from benchmark.speed.pages import write_page
from benchmark.speed.plain import in_plain_layers, network_of
from benchmark.speed.published import REPOSITORIES, on_path, swinir
from benchmark.speed.timing import least_seconds
from benchmark.training.distributed import Processes
from benchmark.training.patches import Patches
from benchmark.training.recipe import Execution, Recipe
from benchmark.training.step import OptimizerStep

REPOSITORY = "MaskedDenoising"
# networks whose published code trains by the published loop, and a size of ours they are built in
TRAINED = ("masked", "baseline", "masked_small", "baseline_small")
SIZE = (321, 481)  # of a training image of BSDS
LEVEL = 15.0  # of the noise, in 8-bit steps
TINY = ("masked_tiny", "dncnn_tiny")
EXPLANATION = """\
Optimizer steps a second{of_cpu}, by the fastest of {repeats} steps of each or more, taken in turn \
in one process, {threads} thread{s}. Equal are the sizes of the networks ("small" and "tiny" are \
ours of that name), the batch of {patch}x{patch} crops of random images held in memory, Gaussian \
noise of sigma 15 clipped to [0, 1], the masks' ratios (input 80 to 90 %, attention 75 %), \
stochastic depth, L1, Adam with betas 0.9 and 0.99, and an average of the weights with decay \
0.999. {beside} Both are in fp32 except where the head says bf16, which is ours alone under \
autocast.
"""
BESIDE = {
    "published": "The published side makes its crops, noise and masks sample by sample in NumPy, "
    "as its loader does, but reads no files and uses no further processes; ours makes a batch at "
    "once.",
    "plain": 'In "plain" our loop trains layers as the papers have them, with gradients of '
    "torch's.",
}
HEAD = [
    "network",
    "batch",
    "{theirs} (steps/s)",
    "ours (steps/s)",
    "ours / {theirs}",
    "ours in bf16 / {theirs}",
]

Step = Callable[[], None]


def images(number: int) -> list[np.ndarray]:
    """Random images, uint8, of the size of those one trains on."""
    return list(np.random.default_rng(0).integers(0, 256, (number, *SIZE, 3), dtype=np.uint8))


def published_sample(image: np.ndarray, patch: int, masked: bool) -> tuple[Tensor, Tensor]:
    """A noisy and a clean crop, (3, patch, patch), made as the published loader makes them."""
    top, left = (random.randint(0, side - patch) for side in image.shape[:2])
    crop = np.rot90(image[top : top + patch, left : left + patch], random.randint(0, 3))
    if random.randint(0, 1):
        crop = np.flipud(crop)
    clean = (crop / 255.0).astype(np.float32)
    noisy = clean + np.random.normal(0, LEVEL / 255, clean.shape).astype(np.float32)
    noisy = np.clip(noisy, 0.0, 1.0)
    if masked:
        hidden = random.randint(80, 90) / 100
        seen = np.random.choice([0, 1], size=(patch, patch), p=[hidden, 1 - hidden])
        noisy = np.where(np.repeat(seen[:, :, None], 3, axis=2) == 1, noisy, np.float32(-0.1))
    sides = (np.ascontiguousarray(side.transpose(2, 0, 1)) for side in (noisy, clean))
    noisy, clean = (torch.from_numpy(side).float() for side in sides)
    return noisy, clean


def published_step(
    network: nn.Module, pictures: list[np.ndarray], batch: int, patch: int, masked: bool
) -> tuple[Step, nn.Module]:
    """A step of the published loop as a function, and the average which it keeps."""
    network.train()
    average = copy.deepcopy(network).eval()
    optimizer = torch.optim.Adam(network.parameters(), 1e-4, betas=(0.9, 0.99))

    def step() -> None:
        chosen = random.choices(pictures, k=batch)
        pairs = [published_sample(picture, patch, masked) for picture in chosen]
        noisy, clean = (torch.stack(side) for side in zip(*pairs, strict=True))
        optimizer.zero_grad()
        loss = l1_loss(network(noisy), clean)
        loss.backward()
        optimizer.step()
        loss.item()
        weights = dict(network.named_parameters())
        for name, mean in average.named_parameters():
            mean.data.mul_(0.999).add_(weights[name].data, alpha=0.001)

    return step, average


def our_step(
    network: Denoiser, pictures: list[np.ndarray], batch: int, patch: int, bf16: bool = False
) -> Step:
    """A step as ``bench train`` makes it, as a function."""
    recipe = Recipe(batch=batch, patch=patch)
    patches = Patches(pictures, NOISE_MODELS["gaussian"](), LEVEL, recipe)
    execution = Execution(precision="bf16" if bf16 else "fp32")
    optimize = OptimizerStep(network, recipe, execution, Processes())
    numbers = count()

    def step() -> None:
        number = next(numbers)
        optimize(*patches.batch(number), number, recipe.learning_rate)

    return step


def their_step(
    name: str, published: Path, pictures: list[np.ndarray], batch: int, patch: int
) -> Step:
    """A step of the published loop with the published network.

    Raises
    ------
    ImportError
        If the published code, or a package it needs, is not there.
    """
    base, _, size = name.partition("_")
    settings = DENOISERS[base].sizes[size] if size else {}
    with on_path(published / REPOSITORY), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # timm's, of its own older names
        network = swinir(base == "masked", **settings)
    return published_step(network, pictures, batch, patch, base == "masked")[0]


def row(name: str, published: Path | None, batch: int, patch: int, repeats: int) -> list[str]:
    """One line of the table; raises ``ImportError`` as `their_step` does."""
    how = {"pictures": images(8), "batch": batch, "patch": patch}
    if published is None:
        theirs = in_plain_layers()(our_step(network_of(name), **how))
    else:
        theirs = their_step(name, published, **how)
    steps = {"theirs": theirs, "ours": our_step(network_of(name), **how)}
    if multiplies_bf16("cpu"):
        steps["bf16"] = our_step(network_of(name), **how, bf16=True)
    seconds = least_seconds(steps, repeats)
    bf16 = seconds.get("bf16")
    return [
        name,
        str(batch),
        f"{1 / seconds['theirs']:.3g}",
        f"{1 / seconds['ours']:.3g}",
        f"{seconds['theirs'] / seconds['ours']:.3g}",
        f"{seconds['theirs'] / bf16:.3g}" if bf16 else "–",
    ]


def table(names: list[str], published: Path | None, batch: int, patch: int, repeats: int) -> str:
    """The measured table as Markdown, with what was measured below it."""
    rows, missing = [], []
    for name in names:
        try:
            rows.append(row(name, published, batch, patch, repeats))
        except ImportError as error:
            missing.append(f"{name} ({error}; {REPOSITORIES[REPOSITORY]})")
            continue
        print(" | ".join(rows[-1]), flush=True)
    theirs, threads = "plain" if published is None else "published", torch.get_num_threads()
    numbers = {"repeats": repeats, "threads": threads, "s": "s" * (threads > 1), "patch": patch}
    numbers["of_cpu"] = " of CPU time" if threads == 1 else ""
    below = setting(EXPLANATION.format(**numbers, beside=BESIDE[theirs]), missing)
    head = [word.format(theirs=theirs) for word in HEAD]
    return "\n".join([Table(head, rows).markdown(padded=False), "", *below, ""])


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write where ``--out`` says."""
    parser = parser_of("training", __doc__)
    beside_published(parser, TRAINED)
    parser.add_argument("--batch", type=int, default=4, help="crops a step")
    parser.add_argument("--patch", type=int, default=64, help="side of a crop")
    parser.add_argument("--repeats", type=int, default=10, help="timed steps of each")
    options = parsed(parser, arguments, batch=2, repeats=2, threads=1)
    names = options.networks or (TRAINED if options.published else TINY)
    if options.published and (unknown := [name for name in names if name not in TRAINED]):
        parser.error(f"no published loop of {', '.join(unknown)}; there is: {', '.join(TRAINED)}")
    torch.set_num_threads(options.threads)
    load_plugins()
    text = table(list(names), options.published, options.batch, options.patch, options.repeats)
    if options.out:
        write_page(options.out, "training", text, arguments)
    print(text)


if __name__ == "__main__":
    main()
