"""What a training is, which is its recipe, and how it is run, its execution. Loads no torch."""

import math
from dataclasses import dataclass

SCHEDULES = ("halve", "cosine")


@dataclass(frozen=True)
class Recipe:
    """How to train; the defaults are the published recipe [1]_, its averaging from the code [2]_.

    Parameters
    ----------
    steps
        Optimizer steps.
    minutes
        Time instead of steps: training ends when it has run so long, all its sessions together,
        and the learning rate follows the clock. How many steps that were depends on the machine.
    batch
        Crops a step, of all processes together.
    patch
        Height and width of a crop, in pixels.
    learning_rate
        Adam's, at its highest.
    betas
        Adam's.
    schedule
        ``"halve"`` after each milestone, or ``"cosine"`` from the end of the warm-up down to 0.
    milestones
        Fractions of the training after which the learning rate is halved: 100k and 150k of 200k.
    warm_up
        Fraction of the training over which the learning rate rises from 0.
    ema
        Decay of the running average of the weights, which is what gets exported.
    seed
        Seeds the initial weights, the crops, their noise, and the network's own masks.

    Raises
    ------
    ValueError
        If a number is out of range or the schedule is unknown.

    References
    ----------
    .. [1] Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023,
       section 4.
    .. [2] https://github.com/haoyuc/MaskedDenoising, options/input_mask_80_90.json.
    """

    steps: int = 200_000
    minutes: float | None = None
    batch: int = 64
    patch: int = 64
    learning_rate: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.99)
    schedule: str = "halve"
    milestones: tuple[float, ...] = (0.5, 0.75)
    warm_up: float = 0.0
    ema: float = 0.999
    seed: int = 1

    def __post_init__(self):
        for name in ("steps", "minutes", "batch", "patch", "learning_rate"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be above 0, got {value}")
        for name in ("ema", "warm_up"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be in [0, 1), got {getattr(self, name):g}")
        for value in self.milestones:
            if not 0 < value < 1:
                raise ValueError(f"milestones are fractions between 0 and 1, got {value:g}")
        if not all(0 <= beta < 1 for beta in self.betas) or len(self.betas) != 2:
            raise ValueError(f"betas must be two numbers in [0, 1), got {list(self.betas)}")
        if self.schedule not in SCHEDULES:
            raise ValueError(
                f"unknown schedule '{self.schedule}'; choose one of: {', '.join(SCHEDULES)}"
            )

    def fraction(self, step: int, seconds: float) -> float:
        """How much of the training lies behind: 1 or more ends it.

        Parameters
        ----------
        step
            Steps done.
        seconds
            Time spent.
        """
        return step / self.steps if self.minutes is None else seconds / (60 * self.minutes)

    def rate(self, fraction: float) -> float:
        """The learning rate of the step which begins when so much lies behind."""
        if fraction < self.warm_up:
            return self.learning_rate * fraction / self.warm_up
        if self.schedule == "halve":
            return self.learning_rate * 0.5 ** sum(fraction >= mark for mark in self.milestones)
        gone = (fraction - self.warm_up) / (1 - self.warm_up)
        return self.learning_rate * (1 + math.cos(math.pi * min(gone, 1.0))) / 2


@dataclass(frozen=True)
class Execution:
    """How a training runs, which changes no more than rounding; its recipe says what it is.

    Of a network that draws random numbers, such as masks, `accumulate` also changes which ones:
    each piece has its own, as each process of several has.

    Parameters
    ----------
    precision
        ``"fp32"``, or ``"bf16"``: torch's automatic mixed precision around the network. The
        command also takes ``auto``: bf16 where the device has units for it.
    accumulate
        Pieces which each process's crops of a step go through the network in, one after the other;
        the step is that of all of them. A network that normalises over the batch sees a piece.
    compile
        Whether `torch.compile` translates the network first; null (None): on a GPU.
    log_every
        Steps between two lines of the log.
    validate_every
        Steps between two validations, a line each.
    save_minutes
        Minutes between two saved states.
    save_every
        Steps between two saved states, beside those by time; null (None): by time alone.
    state_megabytes
        The largest size of a file of the training's state; null (None) puts it all into
        one.
    tensorboard
        Whether to write TensorBoard's events as well.
    """

    precision: str = "fp32"
    accumulate: int = 1
    compile: bool | None = False
    log_every: int = 100
    validate_every: int = 1000
    save_minutes: float = 5.0
    save_every: int | None = None
    state_megabytes: float | None = None
    tensorboard: bool = False

    def __post_init__(self):
        names = ("accumulate", "log_every", "validate_every", "save_every", "state_megabytes")
        for name in names:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be above 0, got {value}")
        if not self.save_minutes >= 0:
            raise ValueError(f"save_minutes must not be below 0, got {self.save_minutes}")
