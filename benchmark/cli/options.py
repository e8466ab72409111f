"""What each command can be told: the groups it has names from, and its plain settings."""

from dataclasses import dataclass, field
from typing import Any

from benchmark.rendering.render import RenderConfig
from benchmark.studies.passes import Draws

GROUPS_OF = {  # what each command is told by names; the others are told by plain settings alone
    "run": ("model", "noise", "data", "metric"),
    "train": ("model", "noise", "data"),
    "passes": ("model", "noise", "data"),
    "tiles": ("model", "noise", "data"),
    "ablate": ("noise", "data"),
    "noise": ("noise", "data"),
    "submit": ("model", "data"),
    "check-model": ("model",),
}

WATCHED = (  # what a training validates on, beside its own noise: the hardest of the paper's levels
    "gaussian(50)",
    "correlated(55)",
    "poisson(3.5)",
    "salt_and_pepper(0.02)",
    "speckle(0.04)",
)


def _group() -> dict[str, Any]:
    return field(default_factory=dict)


@dataclass
class RunConfig:
    """What ``bench run`` takes; Hydra's groups fill the first four."""

    model: dict[str, Any] = _group()
    noise: dict[str, Any] = _group()
    data: dict[str, Any] = _group()
    metric: dict[str, Any] = _group()

    levels: str | None = None
    seeds: list[int] = field(default_factory=lambda: [0])
    reference: list[str] = field(default_factory=lambda: ["identity"])
    tile: str = "auto"
    precision: str = "fp32"
    out: str = "results/local"
    device: str = "auto"
    threads: int | None = None
    shard: str = "1/1"
    rescore: str | None = None


@dataclass
class TrainingConfig:
    """What trainings take beside recipe and execution, whichever command starts them."""

    noise: dict[str, Any] = _group()
    data: dict[str, Any] = _group()

    level: float = 15.0
    watch: list[str] = field(default_factory=lambda: list(WATCHED))
    held_out: int | None = None
    start: str | None = None
    device: str = "auto"
    threads: int | None = None


@dataclass
class TrainConfig(TrainingConfig):
    """What ``bench train`` takes; Hydra's groups fill model, noise and data."""

    model: dict[str, Any] = _group()

    out: str = "runs"


@dataclass
class AblateConfig(TrainingConfig):
    """What ``bench ablate`` takes; Hydra's groups fill ablation, noise and data."""

    ablation: dict[str, Any] = _group()

    size: str | None = None
    runs: str = "runs/ablations"
    out: str = "results/ablations"
    test_noise: list[str] = field(default_factory=lambda: ["paper"])
    test_data: str = "kodak24"
    test_crop: int | None = 256
    test_limit: int | None = None


@dataclass
class ZooConfig:
    """What ``bench zoo`` takes."""

    weights: list[str] = field(default_factory=list)
    out: str = "results/zoo.md"


@dataclass
class PassesConfig:
    """What ``bench passes`` takes; Hydra's groups fill the first three."""

    model: dict[str, Any] = _group()
    noise: dict[str, Any] = _group()
    data: dict[str, Any] = _group()

    passes: int = Draws.passes
    averaged: list[int] = field(default_factory=lambda: list(Draws.averaged))
    seed: int = 0
    out: str = "results/passes"
    device: str = "auto"
    threads: int | None = None


@dataclass
class TilesConfig:
    """What ``bench tiles`` takes; Hydra's groups fill the first three."""

    model: dict[str, Any] = _group()
    noise: dict[str, Any] = _group()
    data: dict[str, Any] = _group()

    tiles: list[int] = field(default_factory=lambda: [128, 192])
    seed: int = 0
    out: str = "results/tiles"
    device: str = "auto"
    threads: int | None = None


@dataclass
class NoiseConfig:
    """What ``bench noise`` takes; Hydra's groups fill the first two."""

    noise: dict[str, Any] = _group()
    data: dict[str, Any] = _group()

    seed: int = 0
    out: str = "results/noises"


@dataclass
class SubmitConfig:
    """What ``bench submit`` takes; Hydra's groups fill the first two."""

    model: dict[str, Any] = _group()
    data: dict[str, Any] = _group()

    out: str = "submissions"
    device: str = "auto"


@dataclass
class CheckModelConfig:
    """What ``bench check-model`` takes; Hydra's groups fill the first."""

    model: dict[str, Any] = _group()

    device: str = "auto"


@dataclass
class ReportConfig:
    """What ``bench report`` takes."""

    out: str = "results/local"
    model: Any = "all"  # a name or a list of names of scored models
    to: str | None = None  # where it is written: by default out, of some models out/report-A+B


@dataclass
class PackConfig:
    """What ``bench pack`` takes."""

    out: str = "results/local"


@dataclass
class ListConfig:
    """What ``bench list`` takes."""

    kind: str = "all"


SCHEMAS = {  # those of train and ablate get the settings of a recipe and of its execution as well
    "run": RunConfig,
    "train": TrainConfig,
    "ablate": AblateConfig,
    "zoo": ZooConfig,
    "report": ReportConfig,
    "pack": PackConfig,
    "list": ListConfig,
    "noise": NoiseConfig,
    "passes": PassesConfig,
    "tiles": TilesConfig,
    "render": RenderConfig,
    "submit": SubmitConfig,
    "check_model": CheckModelConfig,
}
