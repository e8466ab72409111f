"""One loop which trains every denoiser: L1, Adam, a weight average; resumable at any step."""

import csv
import io
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import l1_loss
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from benchmark.cells import differences
from benchmark.datasets import Dataset
from benchmark.denoiser import Denoiser
from benchmark.files import write_whole
from benchmark.noise import NoiseModel, stream


@dataclass(frozen=True)
class Recipe:
    """How to train; the defaults are the published recipe [1]_, its averaging from the code [2]_.

    Parameters
    ----------
    steps
        Optimizer steps.
    batch
        Crops a step.
    patch
        Height and width of a crop, in pixels.
    learning_rate
        Adam's, until the first milestone.
    betas
        Adam's.
    milestones
        Fractions of ``steps`` after which the learning rate is halved: 100k and 150k of 200k.
    ema
        Decay of the running average of the weights, which is what gets exported.
    seed
        Seeds the initial weights, the crops, their noise, and the network's own masks.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
       section 4.
    .. [2] https://github.com/haoyuc/MaskedDenoising, options/input_mask_80_90.json.
    """

    steps: int = 200_000
    batch: int = 64
    patch: int = 64
    learning_rate: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.99)
    milestones: tuple[float, ...] = (0.5, 0.75)
    ema: float = 0.999
    seed: int = 1

    def __post_init__(self):
        for name in ("steps", "batch", "patch", "learning_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema must be in [0, 1), got {self.ema:g}")


class Patches:
    """Noisy and clean crops; the batch of a step depends on the seed and the step alone.

    A training sample is made in the published order: a random crop, one of its eight flips and
    quarter turns, division by 255, noise, clipping to [0, 1].

    Parameters
    ----------
    images
        Clean images, (H, W, 3) uint8, each at least ``recipe.patch`` high and wide.
    noise, level
        What to add; the published recipe is Gaussian noise of sigma 15.
    recipe
        Its ``batch``, ``patch`` and ``seed`` are read.
    """

    def __init__(self, images: list[np.ndarray], noise: NoiseModel, level: float, recipe: Recipe):
        if not images:
            raise ValueError("no images to train on; name a dataset: data=[bsds400,extra_train]")
        self.images, self.noise, self.level, self.recipe = images, noise, level, recipe

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """The noisy and clean crops of a step, each (B, 3, patch, patch) float32 in [0, 1]."""
        pairs = [self._pair(step, index) for index in range(self.recipe.batch)]
        noisy, clean = (torch.from_numpy(np.stack(side)) for side in zip(*pairs, strict=True))
        return noisy.permute(0, 3, 1, 2), clean.permute(0, 3, 1, 2)

    def _pair(self, step: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        seed = stream("train", self.recipe.seed, step, index)
        rng = np.random.Generator(np.random.PCG64(seed))
        image = self.images[rng.integers(len(self.images))]
        size = self.recipe.patch
        top, left = (rng.integers(side - size + 1) for side in image.shape[:2])
        crop = np.rot90(image[top : top + size, left : left + size], rng.integers(4))
        if rng.integers(2):
            crop = crop[:, ::-1]
        clean = np.ascontiguousarray(crop, dtype=np.float32) / np.float32(255)
        target, noisy = self.noise.pair(clean, self.level, rng)
        return noisy, target


@dataclass(frozen=True)
class Progress:
    """Where a training stands, as its log says it."""

    step: int
    loss: float
    learning_rate: float
    images_per_second: float
    seconds: float


def read_training_images(datasets: list[Dataset], patch: int) -> tuple[list[np.ndarray], dict]:
    """Every image of the datasets as (H, W, 3) uint8, and each dataset's size and digest.

    Raises
    ------
    ValueError
        If a dataset is a published test set, or an image is unreadable or smaller than a crop.
    """
    images, facts = [], {}
    for dataset in datasets:
        if dataset.split == "test" and dataset.count is not None:
            raise ValueError(
                f"'{dataset.name}' is a test set, and scores on images a network was trained on "
                f"mean nothing; train on bsds400, extra_train or a folder of your own"
            )
        dataset.check(minimum=patch)
        images += [dataset.read_uint8(name) for name in dataset.images()]
        facts[dataset.name] = {"images": len(dataset), "sha256": dataset.digest()}
    return images, facts


def train(
    network: Denoiser,
    patches: Patches,
    recipe: Recipe,
    folder: Path,
    facts: dict[str, object],
    *,
    device: str = "cpu",
    log_every: int = 100,
    save_seconds: float = 300.0,
    report: Callable[[Progress], None] = lambda progress: None,
) -> tuple[Denoiser, Progress]:
    """Train a network, from the folder's last checkpoint if it has one.

    The loss of a step is ``l1_loss(network(noisy), clean)``; masks and dropout are the network's
    own, under ``training``. Before each step torch's generators are seeded from (seed, step), so
    an interrupted and resumed training ends with the same weights as an uninterrupted one.

    Parameters
    ----------
    network
        Freshly constructed, its initial weights drawn after ``torch.manual_seed(recipe.seed)``.
    folder
        Gets ``checkpoint.pt`` (weights, average, optimizer) and ``log.csv``.
    facts
        What must not change between interruption and resumption: model, noise, data.
    log_every
        Steps between two lines of the log.
    save_seconds
        Time between two checkpoints.
    report
        Called with each line of the log.

    Returns
    -------
    The averaged network, and the last line of the log.

    Raises
    ------
    ValueError
        If the checkpoint was made with another recipe, or the loss is no longer finite; the
        checkpoint on disk is kept.
    """
    network = network.to(device).train()
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema))
    optimizer = torch.optim.Adam(network.parameters(), recipe.learning_rate, betas=recipe.betas)
    milestones = [round(fraction * recipe.steps) for fraction in recipe.milestones]
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones, gamma=0.5)
    parts = {"network": network, "average": average, "optimizer": optimizer, "schedule": schedule}
    settings = {"recipe": _plain(asdict(recipe)), **_plain(facts)}
    log, first, spent = _resume(folder, parts, settings)
    saved = begin = time.perf_counter()
    losses = []
    for step, noisy, clean in _ahead(patches, first, recipe.steps):
        torch.manual_seed(stream("step", recipe.seed, step) % 2**63)
        optimizer.zero_grad(set_to_none=True)
        loss = l1_loss(network(noisy.to(device)), clean.to(device))
        loss.backward()
        optimizer.step()
        schedule.step()
        average.update_parameters(network)
        losses.append(loss.detach())
        done = step + 1
        if done % log_every == 0 or done == recipe.steps:
            now = time.perf_counter()
            mean = torch.stack(losses).mean().item()
            if not np.isfinite(mean):
                raise ValueError(
                    f"the loss became {mean} before step {done}; the checkpoint in {folder} is "
                    f"kept; try a smaller learning_rate"
                )
            seconds = spent + now - begin
            speed = len(losses) * recipe.batch / (seconds - (log[-1].seconds if log else 0.0))
            log.append(Progress(done, mean, optimizer.param_groups[0]["lr"], speed, seconds))
            losses = []
            report(log[-1])
            if now - saved > save_seconds or done == recipe.steps:
                _save(folder, parts, settings, log)
                saved = now
    return average.module.eval(), log[-1]


def _ahead(patches: Patches, first: int, steps: int) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Steps and their batches, the next one made while the present one is used."""
    if first >= steps:
        return
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(patches.batch, first)
        for step in range(first, steps):
            batch = coming.result()
            if step + 1 < steps:
                coming = pool.submit(patches.batch, step + 1)
            yield step, *batch


def _save(folder: Path, parts: dict, settings: dict, log: list[Progress]) -> None:
    buffer = io.BytesIO()
    state = {name: part.state_dict() for name, part in parts.items()}
    torch.save({"settings": settings, "log": [asdict(line) for line in log], **state}, buffer)
    write_whole(folder / "checkpoint.pt", buffer.getvalue())
    text = io.StringIO()
    writer = csv.DictWriter(text, list(Progress.__dataclass_fields__), lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(line) for line in log)
    write_whole(folder / "log.csv", text.getvalue())


def _resume(folder: Path, parts: dict, settings: dict) -> tuple[list[Progress], int, float]:
    """Load the folder's checkpoint; return its log, the first step to do, and the seconds spent."""
    path = folder / "checkpoint.pt"
    if not path.is_file():
        return [], 0, 0.0
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    changes = differences(checkpoint["settings"], settings)
    if changes:
        raise ValueError(
            f"{path} was trained with {' and '.join(changes)}; "
            f"choose another folder (out=FOLDER) or delete that file"
        )
    for name, part in parts.items():
        part.load_state_dict(checkpoint[name])
    log = [Progress(**line) for line in checkpoint["log"]]
    return log, log[-1].step, log[-1].seconds


def _plain(value: object) -> object:
    """Tuples as lists all the way down: what comes back from a file equals what went in."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
