"""One loop which trains every denoiser: L1, Adam, a weight average; resumable at any step."""

import csv
import io
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import l1_loss
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from benchmark.cells.reuse import differences
from benchmark.denoiser import Denoiser
from benchmark.denoiser.flops import gflop, peak_speed
from benchmark.denoiser.weights.load import save_weights
from benchmark.files.lease import Leases
from benchmark.files.whole import write_whole
from benchmark.noise import stream
from benchmark.training.distributed import Team
from benchmark.training.patches import Patches
from benchmark.training.recipe import Execution, Recipe
from benchmark.training.state import load_state, save_state
from benchmark.training.validation import Exam

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

STOP_CHECK = 10  # steps between two questions whether another process was told to stop
FORWARD_AND_BACKWARD = 3  # a step's operations, as a multiple of the forward pass's


@dataclass(frozen=True)
class Progress:
    """Where a training stands, as its log says it; the speeds are of the steps since the last line.

    ``data_wait`` is the share of time in which the network waited for crops, ``matmul_share`` the
    network's operations per second as a share of the machine's fastest matrix product.
    """

    step: int
    loss: float
    learning_rate: float
    steps_per_second: float
    images_per_second: float
    data_wait: float
    matmul_share: float
    seconds: float


@dataclass
class Diary:
    """What a training remembers beside its tensors."""

    log: list[Progress] = field(default_factory=list)
    validation: list[dict[str, object]] = field(default_factory=list)  # step, noise, level, psnr
    losses: list[float] = field(default_factory=list)  # of the steps since the log's last line
    step: int = 0
    seconds: float = 0.0  # of all sessions
    best: float = -np.inf  # PSNR on the training noise, in dB


@dataclass(frozen=True)
class Outcome:
    """How a session of training ended."""

    average: Denoiser
    diary: Diary
    stopped_by: int | None  # the signal which ended it before its time


class Training:
    """One training in one folder, which goes on from the folder's last state if there is one.

    The loss of a step is ``l1_loss(network(noisy), clean)``; masks and dropout are the network's
    own, under ``training``. Before each step torch's generators are seeded from (seed, step) and
    the number of the process, so an interrupted and resumed training ends with the same weights
    as an uninterrupted one.

    Parameters
    ----------
    network
        Freshly constructed, its initial weights drawn after ``torch.manual_seed(recipe.seed)``.
    arguments
        What it was constructed with.
    folder
        Gets ``NAME.safetensors``, the averaged weights, by the folder's own name;
        ``best.safetensors``, those with the highest PSNR on the training noise; ``state-STEP.pt``;
        ``log.csv`` and ``validation.csv``.
    facts
        What must not change between interruption and resumption: model, noise, data.
    exam
        What to validate on; None for nothing.
    team
        The processes that train together; their batches are made on its device.
    environment
        Versions and hardware, for the headers of the weights.
    say
        Gets each line of the log and of the validation.
    """

    def __init__(
        self,
        network: Denoiser,
        arguments: dict[str, object],
        patches: Patches,
        recipe: Recipe,
        folder: Path,
        facts: dict[str, object],
        *,
        execution: Execution | None = None,
        exam: Exam | None = None,
        team: Team | None = None,
        environment: dict[str, object] | None = None,
        say: Callable[[str], None] = lambda line: None,
    ):
        self.arguments, self.patches, self.recipe, self.folder = arguments, patches, recipe, folder
        self.facts, self.environment, self.say = facts, environment or {}, say
        self.execution, self.team = execution or Execution(), team or Team()
        self.exam = exam or Exam([], [])
        share = recipe.batch // self.team.size
        if share % self.execution.accumulate:
            raise ValueError(
                f"a process's {share} crops a step have no equal pieces for "
                f"accumulate={self.execution.accumulate}; choose a divisor of {share}"
            )
        self.device = torch.device(self.team.device)
        self.network = network.to(self.device).train()
        self.average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema))
        fused = self.device.type != "mps"  # which older versions of torch have no kernel for
        self.optimizer = torch.optim.Adam(
            network.parameters(), recipe.learning_rate, betas=recipe.betas, fused=fused
        )
        self.diary = Diary()
        self.losses: list[Tensor] = []  # of the steps since the log's last line
        self.settings = _plain({"recipe": asdict(recipe), **facts})

    def run(self) -> Outcome:
        """Train to the end, or until SIGTERM or SIGINT, which lets it save and return.

        While another process trains into the folder, this one waits, and goes on from what is
        there then.

        Raises
        ------
        ValueError
            If the state was made with another recipe, or the loss is no longer finite; the state
            on disk is kept.
        OSError
            If the disk is full; what was there before is kept.
        """
        with self._alone():
            return self._train()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        lease = Leases().waiting(self.folder / "training.lease", self.say)
        with lease if self.team.leads else nullcontext():
            self.team.leaders(0.0)  # the rest of the team reads what is there only now
            yield

    def _train(self) -> Outcome:
        self._resume()
        self._start_clock()
        stopped = False
        with _signals_noted() as signals:
            batches = self.patches.from_step(self.diary.step)
            fraction = self._fraction()
            while fraction < 1 and not stopped:
                self._step(batches, self.recipe.rate(fraction))
                fraction = self._fraction()
                stopped = fraction < 1 and self._told_to_stop(signals)
                with self._aside():
                    self._write(done=fraction >= 1, stopped=stopped)
        return Outcome(self.average.module.eval(), self.diary, signals[0] if stopped else None)

    def _step(self, batches: Iterator[tuple[Tensor, Tensor]], rate: float) -> None:
        asked = time.perf_counter()
        noisy, clean = next(batches)
        self.waited += time.perf_counter() - asked
        process = [self.team.rank] if self.team.rank else []
        torch.manual_seed(stream("step", self.recipe.seed, self.diary.step, *process) % 2**63)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        count = self.execution.accumulate
        sides = (side.to(self.device, non_blocking=True).chunk(count) for side in (noisy, clean))
        losses = []
        for number, (seen, wanted) in enumerate(zip(*sides, strict=True), start=1):
            apart = self.team.size > 1 and number < count  # gradients meet in the last piece
            with self.runner.no_sync() if apart else nullcontext():
                with torch.autocast(self.device.type, torch.bfloat16, enabled=self.in_bf16):
                    restored = self.runner(seen)
                loss = l1_loss(restored.float(), wanted) / count
                loss.backward()
            losses.append(loss.detach())
        self.optimizer.step()
        self.average.update_parameters(self.network)
        self.losses.append(torch.stack(losses).sum())
        self.diary.step += 1

    def _write(self, done: bool, stopped: bool) -> None:
        """The log's line, the validation and the state, each if it is due."""
        step, execution = self.diary.step, self.execution
        if done or step % execution.log_every == 0:
            self._log()
        if self.team.leads and (done or step % execution.validate_every == 0):
            self._validate()
        late = time.perf_counter() - self.saved > 60 * execution.save_minutes
        counted = execution.save_every and step % execution.save_every == 0
        if self.team.leads and (done or stopped or late or counted):
            self._save()

    def _log(self) -> None:
        mean = self.team.mean(torch.stack(self.losses).mean()).item()
        self._check_finite(mean)
        now, count = time.perf_counter(), len(self.losses)
        busy = max(now - self.logged - self.pause, 1e-9)
        speed = count / busy
        line = Progress(
            step=self.diary.step,
            loss=mean,
            learning_rate=self.optimizer.param_groups[0]["lr"],
            steps_per_second=speed,
            images_per_second=speed * self.recipe.batch,
            data_wait=self.waited / busy,
            matmul_share=speed * self.gflop / self.peak,
            seconds=self._seconds(),
        )
        self.diary.log.append(line)
        self.losses, self.logged, self.waited, self.pause = [], now, 0.0, 0.0
        if self.team.leads:
            self.say(self._said(line))
            _write_csv(self.folder / "log.csv", [asdict(entry) for entry in self.diary.log])
            self._event({key: value for key, value in asdict(line).items() if key != "step"})

    def _validate(self) -> None:
        device, precision = self.team.device, self.execution.precision
        scores = self.exam.scores(self.average.module, device, precision)
        if not scores:
            return
        lines = [
            {"step": self.diary.step, "noise": noise, "level": level, "psnr": psnr}
            for (noise, level), psnr in scores.items()
        ]
        self.diary.validation += lines
        _write_csv(self.folder / "validation.csv", self.diary.validation)
        named = {f"{noise} {level:g}": psnr for (noise, level), psnr in scores.items()}
        self.say("PSNR of held-out crops: " + ", ".join(f"{n} {p:.2f}" for n, p in named.items()))
        self._event({f"psnr/{name}": psnr for name, psnr in named.items()})
        trained_on = next(iter(scores.values()))
        if trained_on > self.diary.best:
            self.diary.best = trained_on
            self._export("best")

    def _save(self) -> None:
        losses = torch.stack(self.losses).tolist() if self.losses else []
        self._check_finite(sum(losses))
        diary = {**asdict(self.diary), "losses": losses, "seconds": self._seconds()}
        parts = {"network": self.network, "average": self.average, "optimizer": self.optimizer}
        state = {name: part.state_dict() for name, part in parts.items()}
        content = {"settings": self.settings, "diary": diary, **state}
        save_state(self.folder, self.diary.step, content, self.execution.state_megabytes)
        self._export(self.folder.name)
        self.saved = time.perf_counter()

    def _export(self, name: str) -> None:
        """The averaged weights, their header saying how they came about."""
        last = self.diary.log[-1].loss if self.diary.log else None
        training = {
            "recipe": asdict(self.recipe),
            **self.facts,
            "steps": self.diary.step,
            "final_loss": last,
            "hours": self._seconds() / 3600,
            "precision": self.execution.precision,
            "processes": self.team.size,
            **self.environment,
        }
        path = self.folder / f"{name}.safetensors"
        save_weights(path, self.average.module, self.arguments, training)

    def _resume(self) -> None:
        """Load the folder's state, if there is one."""
        found = load_state(self.folder)
        if found is None:
            return
        path, state = found
        try:
            changes = differences(state["settings"], self.settings)
            if not changes:
                self._restore(state)
        except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            cause = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            raise ValueError(
                f"{path} is no state of this training ({cause}); move it away, or choose another "
                f"folder: out=FOLDER"
            ) from None
        if changes:
            raise ValueError(
                f"{path} was trained with {' and '.join(changes)}; "
                f"choose another folder (out=FOLDER) or delete that file"
            )

    def _restore(self, state: dict) -> None:
        parts = {"network": self.network, "average": self.average, "optimizer": self.optimizer}
        for name, part in parts.items():
            part.load_state_dict(state[name])
        self.diary = Diary(**state["diary"])
        self.diary.log = [Progress(**line) for line in state["diary"]["log"]]
        self.losses = list(torch.tensor(self.diary.losses, device=self.device))

    def _start_clock(self) -> None:
        """What a session needs beside its state: the time, the network as it is run, the logs."""
        self.in_bf16 = self.execution.precision == "bf16"
        once = FORWARD_AND_BACKWARD * gflop(self.average.module, self.recipe.patch)
        self.gflop = once * self.recipe.batch  # of a step
        self.peak = self.team.size * peak_speed(3, self.team.device, self.execution.precision)
        self.runner = self.network
        if self.team.size > 1:
            self.runner = DistributedDataParallel(self.network)
        on_gpu = self.device.type == "cuda"
        if self.execution.compile or (self.execution.compile is None and on_gpu):
            self.runner = torch.compile(self.runner)
        self.events = None
        if self.execution.tensorboard and self.team.leads:
            self.events = _tensorboard(self.folder, self.diary.step)
        self.begun = self.saved = self.logged = time.perf_counter()
        self.waited = self.pause = 0.0

    def _seconds(self) -> float:
        return self.diary.seconds + time.perf_counter() - self.begun

    def _fraction(self) -> float:
        seconds = 0.0 if self.recipe.minutes is None else self.team.leaders(self._seconds())
        return self.recipe.fraction(self.diary.step, seconds)

    def _told_to_stop(self, signals: list[int]) -> bool:
        if self.team.size == 1:
            return bool(signals)
        return self.diary.step % STOP_CHECK == 0 and self.team.any(bool(signals))

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """Time which is not the training's own."""
        begin = time.perf_counter()
        yield
        self.pause += time.perf_counter() - max(begin, self.logged)

    def _check_finite(self, loss: float) -> None:
        if not np.isfinite(loss):
            raise ValueError(
                f"the loss became {loss} before step {self.diary.step}; the state in "
                f"{self.folder} is kept; try a smaller learning_rate"
            )

    def _said(self, line: Progress) -> str:
        seconds = line.seconds
        fraction = self.recipe.fraction(line.step, seconds)
        total = f"/{self.recipe.steps}" if self.recipe.minutes is None else ""
        return (
            f"step {line.step}{total}  loss {line.loss:.5f}  lr {line.learning_rate:.2g}  "
            f"{line.images_per_second:.1f} images/s  waiting for data {line.data_wait:.1%}  "
            f"{line.matmul_share:.0%} of peak  {(1 / fraction - 1) * seconds / 60:.1f} min left"
        )

    def _event(self, values: dict[str, float]) -> None:
        if self.events is not None:
            for name, value in values.items():
                self.events.add_scalar(name, value, self.diary.step)
            self.events.flush()


@contextmanager
def _signals_noted() -> Iterator[list[int]]:
    """SIGTERM and SIGINT in a list instead of ending the process; a second SIGINT interrupts."""
    noted: list[int] = []

    def note(number: int, frame: object) -> None:
        if noted and number == signal.SIGINT:
            raise KeyboardInterrupt
        noted.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield noted  # only the main thread may handle signals
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _write_csv(path: Path, lines: list[dict[str, object]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    write_whole(path, text.getvalue())


def _tensorboard(folder: Path, step: int) -> "SummaryWriter":
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ValueError(
            "tensorboard=true needs the package: pip install 'noisebench[tensorboard]'"
        ) from None
    return SummaryWriter(folder, purge_step=step)


def _plain(value: object) -> object:
    """Tuples as lists all the way down: what comes back from a file equals what went in."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
