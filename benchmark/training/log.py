"""What is written of a training as it goes on: sentences, CSV files, TensorBoard's events."""

import csv
import io
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.console.log import log
from benchmark.denoiser import Denoiser
from benchmark.denoiser.flops import gflop, peak_speed
from benchmark.environment.device import multiplies_bf16
from benchmark.files.whole import write_whole
from benchmark.training.distributed import Processes
from benchmark.training.recipe import Recipe

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

FORWARD_AND_BACKWARD = 3  # a step's operations, as a multiple of the forward pass's


@dataclass(frozen=True)
class LogEntry:
    """A line of ``log.csv``; loss and speeds are of the steps since the line before.

    ``data_wait`` is the share of time in which the network waited for crops, ``matmul_share`` the
    network's operations per second as a share of the machine's fastest matrix product, NaN where
    they cannot be counted.
    """

    step: int
    loss: float
    learning_rate: float
    steps_per_second: float
    images_per_second: float
    data_wait: float
    matmul_share: float
    seconds: float  # of all sessions


@dataclass
class History:
    """What a training remembers beside its tensors."""

    log: list[LogEntry] = field(default_factory=list)
    validation: list[dict[str, object]] = field(default_factory=list)  # step, noise, level, psnr
    losses: list[float] = field(default_factory=list)  # of the steps since the log's last entry
    step: int = 0
    seconds: float = 0.0  # of all sessions
    best: float = -np.inf  # PSNR on the training noise, in dB
    precisions: list[str] = field(default_factory=list)  # of its sessions, where it changed

    @classmethod
    def of(cls, stored: dict) -> "History":
        """A history from what `asdict` makes of one."""
        return cls(**{**stored, "log": [LogEntry(**entry) for entry in stored["log"]]})


class Stopwatch:
    """Time since a session began, and how the steps since the last lap spent theirs.

    Parameters
    ----------
    before
        Seconds of earlier sessions.
    """

    def __init__(self, before: float = 0.0):
        self.begun = self.lapped = time.perf_counter()
        self.before, self.waited, self.paused = before, 0.0, 0.0

    @property
    def seconds(self) -> float:
        """Of all sessions."""
        return self.before + time.perf_counter() - self.begun

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Time of a step in which it has nothing to compute on."""
        begin = time.perf_counter()
        yield
        self.waited += time.perf_counter() - begin

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Time which belongs to no step; what was before a lap in it does not count twice."""
        begin = time.perf_counter()
        yield
        self.paused += time.perf_counter() - max(begin, self.lapped)

    def lap(self) -> tuple[float, float]:
        """Seconds of the steps since the last lap, and those of them spent waiting."""
        now = time.perf_counter()
        spent = max(now - self.lapped - self.paused, 1e-9), self.waited
        self.lapped, self.waited, self.paused = now, 0.0, 0.0
        return spent


class Speedometer:
    """How fast steps are beside what the machine could do; it measures that when it is made."""

    def __init__(self, network: Denoiser, recipe: Recipe, precision: str, processes: Processes):
        self.batch = recipe.batch
        self.gflop = np.nan  # of a step
        with suppress(Exception):  # of a network that looks at values, which there are none of then
            self.gflop = FORWARD_AND_BACKWARD * gflop(network, recipe.patch) * recipe.batch
        self.peak = np.nan  # without units for bf16, to measure it takes minutes
        if precision != "bf16" or multiplies_bf16(processes.device):
            self.peak = processes.size * peak_speed(3, processes.device, precision)

    def speeds(self, steps: int, seconds: float, waited: float) -> dict[str, float]:
        """The speeds of a `LogEntry`, of so many steps in these seconds, some of them waited."""
        rate = steps / seconds
        return {
            "steps_per_second": rate,
            "images_per_second": rate * self.batch,
            "data_wait": waited / seconds,
            "matmul_share": rate * self.gflop / self.peak,
        }


class TrainingLog:
    """Writes the history of a training into its folder, and says it; for the main process.

    Parameters
    ----------
    folder
        Gets ``log.csv`` and ``validation.csv``, and TensorBoard's events where they are asked for.
    step
        Which this session begins with: events from there on are an older session's.
    """

    def __init__(self, folder: Path, recipe: Recipe, step: int, tensorboard: bool):
        self.folder, self.recipe = folder, recipe
        self.events = _summary_writer(folder, step) if tensorboard else None

    def write_entry(self, history: History) -> None:
        """Write the newest entry of the log."""
        entry = history.log[-1]
        log.info(self._sentence(entry))
        _write_csv(self.folder / "log.csv", [asdict(line) for line in history.log])
        values = {name: value for name, value in asdict(entry).items() if name != "step"}
        self._write_events(values, entry.step)

    def write_validation(self, history: History, scores: Mapping[tuple[str, float], float]) -> None:
        """Write the newest lines of the validation; ``scores`` is PSNR in dB by noise and level."""
        named = {f"{noise} {level:g}": psnr for (noise, level), psnr in scores.items()}
        said = ", ".join(f"{name} {psnr:.2f}" for name, psnr in named.items())
        log.info(f"PSNR of held-out crops: {said}")
        _write_csv(self.folder / "validation.csv", history.validation)
        self._write_events({f"psnr/{n}": psnr for n, psnr in named.items()}, history.step)

    def _sentence(self, entry: LogEntry) -> str:
        fraction = self.recipe.fraction(entry.step, entry.seconds)
        total = f"/{self.recipe.steps}" if self.recipe.minutes is None else ""
        left = (1 / fraction - 1) * entry.seconds / 60
        share = "" if np.isnan(entry.matmul_share) else f"{entry.matmul_share:.0%} of peak  "
        return (
            f"step {entry.step}{total}  loss {entry.loss:.5f}  lr {entry.learning_rate:.2g}  "
            f"{entry.images_per_second:.1f} images/s  waiting for data {entry.data_wait:.1%}  "
            f"{share}{left:.1f} min left"
        )

    def _write_events(self, values: Mapping[str, float], step: int) -> None:
        if self.events is not None:
            for name, value in values.items():
                self.events.add_scalar(name, value, step)
            self.events.flush()


def _write_csv(path: Path, lines: list[dict[str, object]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    write_whole(path, text.getvalue())


def _summary_writer(folder: Path, step: int) -> "SummaryWriter":
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ValueError(
            "tensorboard=true needs the package: pip install 'noisebench[tensorboard]'"
        ) from None
    return SummaryWriter(folder, purge_step=step)
