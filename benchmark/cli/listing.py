"""What is registered, and whether it is ready: the tables of ``bench list``."""

from collections.abc import Iterable

from rich.markup import escape
from rich.table import Table

from benchmark.cli.schema import REGISTRIES, registry_of, unavailable
from benchmark.datasets import Dataset
from benchmark.denoiser import Denoiser
from benchmark.denoiser.weights.load import read_header, shipped
from benchmark.denoiser.weights.sizes import own_settings, size_of
from benchmark.registry import summary
from benchmark.signature import choices_of, settings_of


def left_out(group: str) -> str:
    """What ``all`` leaves out of a group and why, as one line; empty if nothing."""
    reasons = [
        f"{name} ({reason})"
        for name, cls in sorted(registry_of(group).items())
        if (reason := unavailable(group, cls))
    ]
    if not reasons:
        return ""
    return f"{group}=all leaves out {', '.join(reasons)}; bench list {group} says more"


def listing(kind: str) -> Table:
    """Every registered name of a kind, what it is, and what there is of it.

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    if kind not in REGISTRIES:
        raise ValueError(f"unknown kind '{kind}'; known: all, {', '.join(REGISTRIES)}")
    table = Table(title=f"{REGISTRIES[kind].kind}s", title_justify="left", box=None, padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, cls in sorted(registry_of(kind).items()):
        details = [*_DETAILS[kind](cls), *_choices(cls)]
        lines = [summary(cls), *(f"[dim]{escape(line)}[/dim]" for line in details)]
        table.add_row(name, "\n".join([escape(lines[0]), *lines[1:]]))
    return table


def _noise_details(cls: type) -> list[str]:
    levels = " ".join(f"{level:g}" for level in cls.levels)
    lines = [f"levels {levels}: {cls.unit}"] if cls.unit else []
    lines += [cls.note] if cls.note else []
    return lines + (_data_details(cls) if issubclass(cls, Dataset) else [])


def _model_details(cls: type) -> list[str]:
    missing_part = unavailable("model", cls)
    if missing_part:
        return [f"not ready: {missing_part}"]
    return [f"trained: {_trained(cls)}"] if cls.learned else []


def _trained(cls: type) -> str:
    header = read_header(shipped(cls))
    training = header["training"]
    steps = training.get("steps", training["recipe"]["steps"])
    noise, recipe = training["noise"]["of"], training["recipe"]
    return (
        f"{noise} {training['level']:g}, size {size_of(header)}, "
        f"{steps} steps of {recipe['batch']} crops of {recipe['patch']}x{recipe['patch']}"
    )


def stand_ins(models: Iterable[type[Denoiser]]) -> str:
    """Which networks ship only weights of the size "tiny", and how these were trained otherwise
    than published, as one line; empty if none."""
    found = {cls.name: shipped(cls) for cls in models if cls.learned}
    found = {name: path for name, path in found.items() if path.stem != name}
    if not found:
        return ""
    ours = {name: own_settings(read_header(path)) for name, path in found.items()}
    said = [f"; {name} was trained with {settings}" for name, settings in ours.items() if settings]
    return (
        f"{', '.join(found)}: tiny networks, trained for minutes on a CPU; they stand in until "
        f"better ones are trained{''.join(said)}"
    )


def _data_details(cls: type) -> list[str]:
    status = cls().status()
    found = f"{status.found} of {status.count}" if status.count else f"{status.found}"
    places = " and ".join(map(str, status.searched))
    where = f"found {found} images; looked in {places}" if places else "needs a path"
    return [where, status.source]


def _choices(cls: type) -> list[str]:
    """Settings which take one of a few texts."""
    found = {key: choices_of(annotation) for key, (annotation, _) in settings_of(cls).items()}
    return [f"{key}: {', '.join(choices)}" for key, choices in found.items() if choices]


def _metric_details(cls: type) -> list[str]:
    return ["higher is better" if cls.higher_is_better else "lower is better"]


_DETAILS = {
    "noise": _noise_details,
    "model": _model_details,
    "data": _data_details,
    "metric": _metric_details,
}
