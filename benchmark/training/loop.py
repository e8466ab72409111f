"""One loop which trains every denoiser: steps, validation, saves, stops; resumable at any step."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from benchmark.console.log import log
from benchmark.denoiser import Denoiser
from benchmark.denoiser.weights.load import read_header, save_weights
from benchmark.files.lease import Leases
from benchmark.files.whole import sweep
from benchmark.settings import differences, plain
from benchmark.training.distributed import Processes
from benchmark.training.log import History, LogEntry, Speedometer, Stopwatch, TrainingLog
from benchmark.training.patches import Patches
from benchmark.training.recipe import Execution, Recipe
from benchmark.training.state import load_state, save_state
from benchmark.training.step import OptimizerStep
from benchmark.training.validation import Validation

STOP_CHECK = 10  # steps between two questions whether another process was told to stop


@dataclass(frozen=True)
class TrainingResult:
    """How a session of training ended."""

    average: Denoiser
    history: History
    is_finished: bool
    signal: int | None  # the first that was noted: it ended the training, or came with its end


class Training:
    """One training in one folder, which goes on from the folder's last state if there is one.

    A step depends on its number, the recipe's seed and the weights alone, see `OptimizerStep` and
    `Patches`, so an interrupted and resumed training ends with the same weights as an uninterrupted
    one.

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
    validation
        What to validate on; None for nothing.
    processes
        Those that train together; batches are made on their device.
    environment
        Versions and hardware, for the headers of the weights.
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
        validation: Validation | None = None,
        processes: Processes | None = None,
        environment: dict[str, object] | None = None,
    ):
        self.arguments, self.patches, self.recipe, self.folder = arguments, patches, recipe, folder
        self.facts, self.environment = facts, environment or {}
        self.execution, self.processes = execution or Execution(), processes or Processes()
        self.validation = validation or Validation([], [])
        self.network = network
        self.step = OptimizerStep(network, recipe, self.execution, self.processes)
        self.history = History()
        self.losses: list[Tensor] = []  # of the steps since the log's last entry
        accumulate = self.execution.accumulate  # it decides what masks are drawn
        self.settings = plain({"recipe": asdict(recipe), **facts, "accumulate": accumulate})

    @property
    def average(self) -> Denoiser:
        """The network with the average of its weights so far."""
        return cast(Denoiser, self.step.average.module)

    def run(self) -> TrainingResult:
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
        with self._exclusive():
            self._resume()
            self._begin_session()
            if self.processes.is_main:
                self._mend()
            return self._train()

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        lease = Leases().waiting(self.folder / "training.lease", log.info)
        with lease if self.processes.is_main else nullcontext():
            self.processes.broadcast(0.0)  # the others read what is there only now
            yield

    def _begin_session(self) -> None:
        recipe, precision, step = self.recipe, self.execution.precision, self.history.step
        if self.history.precisions[-1:] != [precision]:
            self.history.precisions.append(precision)
        self.speedometer = Speedometer(self.average, recipe, precision, self.processes)
        self.log = None
        if self.processes.is_main:
            self.log = TrainingLog(self.folder, recipe, step, self.execution.tensorboard)
        self.stopwatch = Stopwatch(self.history.seconds)
        self.earlier = len(self.losses)  # steps since the last entry whose time was before this
        self.saved = time.perf_counter()

    def _mend(self) -> None:
        """What a process left that was killed, or whose disk was full, between two files."""
        sweep(self.folder)
        if self.history.step == 0:
            return
        with suppress(ValueError, OSError):
            header = read_header(self.folder / f"{self.folder.name}.safetensors")
            if header["training"].get("steps") == self.history.step:
                return
        self._export(self.folder.name)

    def _train(self) -> TrainingResult:
        stopped = False
        with _signals_noted() as signals:
            batches = self.patches.from_step(self.history.step)
            fraction = self._fraction()
            while fraction < 1 and not stopped:
                with self.stopwatch.waiting():
                    noisy, clean = next(batches)
                rate = self.recipe.rate(fraction)
                self.losses.append(self.step(noisy, clean, self.history.step, rate))
                self.history.step += 1
                fraction = self._fraction()
                stopped = fraction < 1 and self._is_stopped(signals)
                with self.stopwatch.pause():
                    self._write_what_is_due(rate, done=fraction >= 1, stopped=stopped)
        told = stopped or self.processes.any(bool(signals))
        by = [*signals, signal.SIGTERM][0] if told else None  # another process may have had it
        return TrainingResult(self.average.eval(), self.history, not stopped, by)

    def _fraction(self) -> float:
        """How much of the training lies behind, by the clock of the main process."""
        seconds = 0.0
        if self.recipe.minutes is not None:
            seconds = self.processes.broadcast(self.stopwatch.seconds)
        return self.recipe.fraction(self.history.step, seconds)

    def _is_stopped(self, signals: list[int]) -> bool:
        """Whether one of the processes was told to stop; all come to the same answer."""
        if self.processes.size == 1:
            return bool(signals)
        return self.history.step % STOP_CHECK == 0 and self.processes.any(bool(signals))

    def _write_what_is_due(self, rate: float, done: bool, stopped: bool) -> None:
        step, execution = self.history.step, self.execution
        if done or step % execution.log_every == 0:
            self._add_entry(rate)
        if self.log is None:
            return
        if done or step % execution.validate_every == 0:
            self._validate(self.log)
        late = time.perf_counter() - self.saved > 60 * execution.save_minutes
        counted = execution.save_every and step % execution.save_every == 0
        if done or stopped or late or counted:
            self._save()

    def _add_entry(self, rate: float) -> None:
        loss = self.processes.mean(torch.stack(self.losses).mean()).item()
        self._check_finite(loss)
        timed = len(self.losses) - self.earlier
        speeds = self.speedometer.speeds(timed, *self.stopwatch.lap())
        seconds = self.stopwatch.seconds
        entry = LogEntry(self.history.step, loss, rate, **speeds, seconds=seconds)
        self.history.log.append(entry)
        self.losses, self.earlier = [], 0
        if self.log is not None:
            self.log.write_entry(self.history)

    def _validate(self, to: TrainingLog) -> None:
        self._check_finite(sum(self._losses()))
        device, precision = self.processes.device, self.execution.precision
        scores = self.validation.scores(self.average, device, precision)
        if not scores:
            return
        self.history.validation += [
            {"step": self.history.step, "noise": noise, "level": level, "psnr": psnr}
            for (noise, level), psnr in scores.items()
        ]
        to.write_validation(self.history, scores)
        trained_on = next(iter(scores.values()))
        if trained_on > self.history.best:
            self.history.best = trained_on
            self._export("best")

    def _save(self) -> None:
        losses = self._losses()
        self._check_finite(sum(losses))
        seconds = self.stopwatch.seconds
        history = {**asdict(self.history), "losses": losses, "seconds": seconds}
        # "diary" is what the history is called in all states there are
        content = {"settings": self.settings, "diary": history, **self.step.state_dict()}
        save_state(self.folder, self.history.step, content, self.execution.state_megabytes)
        self._export(self.folder.name)
        self.saved = time.perf_counter()

    def _losses(self) -> list[float]:
        """Of the steps since the log's last entry."""
        return torch.stack(self.losses).tolist() if self.losses else []

    def _export(self, name: str) -> None:
        """The averaged weights, their header saying how they came about."""
        training = {
            "recipe": asdict(self.recipe),
            **self.facts,
            "steps": self.history.step,
            "final_loss": self.history.log[-1].loss if self.history.log else None,
            "hours": self.stopwatch.seconds / 3600,
            "precision": ", then ".join(self.history.precisions),
            "accumulate": self.execution.accumulate,
            "processes": self.processes.size,
            **self.environment,
        }
        path = self.folder / f"{name}.safetensors"
        save_weights(path, self.average, self.arguments, training)

    def _resume(self) -> None:
        """Load the folder's state, if there is one."""
        found = load_state(self.folder)
        if found is None:
            self._refuse_weights()
            return
        path, state = found
        try:
            before = {"accumulate": 1, **state["settings"]}  # older states do not say it
            changes = differences(before, self.settings)
            if not changes:
                self.step.load_state_dict(state)
                self.history = History.of(state["diary"])
                self.losses = list(torch.tensor(self.history.losses, device=self.step.device))
        except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            cause = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            raise ValueError(
                f"{path} is no state of this training ({cause}); move it away, or train into "
                f"another folder"
            ) from None
        if changes:
            raise ValueError(
                f"{path} was trained with {' and '.join(changes)}; "
                f"train into another folder, or delete that file"
            )

    def _refuse_weights(self) -> None:
        """Raise ``ValueError`` if an earlier training's weights, without a state, lie here."""
        path = self.folder / f"{self.folder.name}.safetensors"
        if path.exists():
            raise ValueError(
                f"{path} was trained earlier, and no state is left to go on from; train into "
                f"another folder, or move it away"
            )

    def _check_finite(self, loss: float) -> None:
        if not np.isfinite(loss):
            is_kept = any(self.folder.glob("state-*.pt"))
            raise ValueError(
                f"the loss became {loss} before step {self.history.step}; "
                f"try a smaller learning_rate"
                f"{f' in another folder: the state in {self.folder} is kept' if is_kept else ''}"
            )


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
