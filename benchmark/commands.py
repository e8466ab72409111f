"""What each ``bench`` command does with its composed config."""

import re
from dataclasses import asdict, fields, replace
from pathlib import Path

import pandas as pd
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, ListConfig
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmark import report
from benchmark.cells import ResultStore
from benchmark.config import (
    REGISTRIES,
    build,
    checked_settings,
    class_of,
    recorded_settings,
    schema,
    unavailable,
)
from benchmark.metrics import MetricUnavailable
from benchmark.run import Grid, describe_environment, fill, missing, pick_device
from benchmark.train import Patches, Progress, Recipe, read_training_images, train
from benchmark.weights import read_header, save_weights, shipped

CONDITION = ("dataset", "noise", "level", "seed")  # a cell, whatever its model


def run(config: DictConfig) -> None:
    """Score what is missing of the grid, then show and write its leaderboard."""
    console = Console()
    _say_what_all_left_out(console)
    store, device = ResultStore(config.out), pick_device(config.device)
    if config.threads is not None:
        if config.threads < 1:
            raise ValueError(f"threads must be 1 or more, got {config.threads}")
        torch.set_num_threads(config.threads)
    grid = _grid(config)
    lacking = missing(grid, store, config.shard)
    if lacking:
        grid = _with_available_metrics(grid, console)
        lacking = missing(grid, store, config.shard)
    if lacking:
        fill(grid, store, lacking, device, console)
    others = sum(cell not in store for cell in grid.cells)
    if others:
        console.print(
            f"shard={config.shard} is done, {others} of {len(grid.cells)} cells are left to other "
            f"shards; then: bench report out={config.out}",
            highlight=False,
            soft_wrap=True,
        )
    else:
        _publish(_of_grid(store.table(), grid), store, console)


def write_report(config: DictConfig) -> None:
    """Show and write the leaderboard of everything in a results folder."""
    store = ResultStore(config.out)
    table = store.table()
    if table.empty:
        raise ValueError(f"no finished cells under {store.root}/cells; fill it with: bench run")
    known = sorted(table["model"].unique())
    wanted = [config.model] if isinstance(config.model, str) else list(config.model)
    for name in wanted:
        if name not in [*known, "all"]:
            raise ValueError(
                f"no cells of model '{name}' under {store.root}; there are: {', '.join(known)}"
            )
    if "all" not in wanted:
        table = table[table["model"].isin(wanted)]
    _publish(table, store, Console())


def train_network(config: DictConfig) -> None:
    """Train one network and export it as a safetensors file."""
    if len(config.model) != 1 or len(config.noise) != 1:
        raise ValueError("bench train takes one model and one noise at a time")
    (name, node), device = next(iter(config.model.items())), pick_device(config.device)
    cls = class_of("model", name, node)
    if not cls.learned:
        raise ValueError(f"'{name}' has nothing to train; choose a network: bench list model")
    arguments = checked_settings("model", name, node, training=True)
    recipe = Recipe(**_fields(config, Recipe))
    (noise_name, noise), *_ = build("noise", config.noise).items()
    noise.check_level(config.level)
    console = Console()
    console.print(f"reading the images of {', '.join(config.data)}", highlight=False)
    images, data = read_training_images(list(build("data", config.data).values()), recipe.patch)
    torch.manual_seed(recipe.seed)
    network = cls(**arguments)
    facts = {
        "model": {"of": cls.name, **arguments},
        "noise": recorded_settings("noise", noise_name, config.noise[noise_name]),
        "level": float(config.level),
        "data": data,
    }
    folder = Path(config.out) / name
    average, last = train(
        network,
        Patches(images, noise, config.level, recipe),
        recipe,
        folder,
        facts,
        device=device,
        log_every=config.log_every,
        save_seconds=60 * config.save_minutes,
        report=lambda line: console.print(_log_line(line, recipe.steps), highlight=False),
    )
    path = folder / f"{name}.safetensors"
    training = {
        "recipe": asdict(recipe),
        **facts,
        "final_loss": last.loss,
        "hours": last.seconds / 3600,
    }
    save_weights(path, average, arguments, {**training, **describe_environment(device)})
    console.print(
        f"wrote {path}; score it with: bench run model={cls.name} model.{cls.name}.weights={path}",
        highlight=False,
        soft_wrap=True,
    )


def show_list(config: DictConfig) -> None:
    """Show what is registered."""
    kinds = list(REGISTRIES) if config.kind == "all" else [config.kind]
    console = Console()
    for kind in kinds:
        if kind not in REGISTRIES:
            raise ValueError(f"unknown kind '{kind}'; known: all, {', '.join(REGISTRIES)}")
        console.print(_listing(kind))


def _grid(config: DictConfig) -> Grid:
    nodes = {group: dict(config[group]) for group in REGISTRIES}
    for name in config.reference:
        nodes["model"].setdefault(name, schema(REGISTRIES["model"][name]))
    objects = {group: build(group, nodes[group]) for group in REGISTRIES}
    settings = {
        group: {name: recorded_settings(group, name, node) for name, node in nodes[group].items()}
        for group in REGISTRIES
    }
    for name, dataset in objects["data"].items():
        settings["data"][name] |= {"images": len(dataset), "sha256": dataset.digest()}
    return Grid(
        models=objects["model"],
        noises=objects["noise"],
        datasets=objects["data"],
        metrics=objects["metric"],
        seeds=list(config.seeds),
        settings=settings,
    )


def _with_available_metrics(grid: Grid, console: Console) -> Grid:
    """The grid without the metrics that lack a package or weights, each named once."""
    available = {}
    for name, metric in grid.metrics.items():
        try:
            metric.prepare()
            available[name] = metric
        except MetricUnavailable as error:
            console.print(f"no column {name}: {error}", highlight=False, soft_wrap=True)
    if not available:
        raise ValueError("none of the metrics asked for is available; try metric=[psnr,ssim]")
    settings = {
        **grid.settings,
        "metric": {name: grid.settings["metric"][name] for name in available},
    }
    return replace(grid, metrics=available, settings=settings)


def _of_grid(table: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """The grid's lines, and those of every other stored model which has all of its cells."""
    cells = list(zip(*(table[name] for name in CONDITION), strict=True))
    wanted = {(cell.dataset, cell.noise, cell.level, cell.seed) for cell in grid.cells}
    table = table[[cell in wanted for cell in cells]]
    found = table.groupby("model")[list(CONDITION)].apply(lambda rows: len(rows.drop_duplicates()))
    complete = found.index[found == len(wanted)]
    return table[table["model"].isin([*grid.models, *complete])]


def _publish(table: pd.DataFrame, store: ResultStore, console: Console) -> None:
    report.print_leaderboard(table, console)
    written = report.write(table, store.root, store.root / "pictures")
    console.print(f"written: {', '.join(str(path) for path in written)}", highlight=False)


def _say_what_all_left_out(console: Console) -> None:
    for group, choice in HydraConfig.get().runtime.choices.items():
        if group not in REGISTRIES or "all" not in re.findall(r"\w+", str(choice)):
            continue
        reasons = [
            f"{name} ({reason})"
            for name, cls in sorted(REGISTRIES[group].items())
            if (reason := unavailable(cls))
        ]
        if reasons:
            console.print(
                f"{group}=all leaves out {', '.join(reasons)}", highlight=False, soft_wrap=True
            )


def _fields(config: DictConfig, cls: type) -> dict[str, object]:
    values = {field.name: config[field.name] for field in fields(cls)}
    return {k: tuple(v) if isinstance(v, ListConfig) else v for k, v in values.items()}


def _log_line(line: Progress, steps: int) -> str:
    left = (steps - line.step) / line.step * line.seconds
    return (
        f"step {line.step}/{steps}  loss {line.loss:.5f}  lr {line.learning_rate:.2g}  "
        f"{line.images_per_second:.1f} images/s  {left / 60:.1f} min left"
    )


def _listing(kind: str) -> Table:
    table = Table(title=f"{REGISTRIES[kind].kind}s", title_justify="left", box=None, padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, cls in sorted(REGISTRIES[kind].items()):
        about = (cls.__doc__ or "").strip().partition("\n\n")[0]
        about = re.sub(r" \[\d+\]_|``|`", "", " ".join(about.split()))  # reST of the docstring
        lines = [about, *(f"[dim]{escape(line)}[/dim]" for line in _DETAILS[kind](cls))]
        table.add_row(name, "\n".join([escape(lines[0]), *lines[1:]]))
    return table


def _noise_details(cls: type) -> list[str]:
    levels = " ".join(f"{level:g}" for level in cls.levels)
    return [f"levels {levels}: {cls.unit}", *([cls.note] if cls.note else [])]


def _model_details(cls: type) -> list[str]:
    missing_part = unavailable(cls)
    if missing_part:
        return [f"not ready: {missing_part}"]
    return [f"trained: {_trained(cls)}"] if cls.learned else []


def _trained(cls: type) -> str:
    training = read_header(shipped(cls))["training"]
    noise, recipe = training["noise"]["of"], training["recipe"]
    return f"{noise} {training['level']:g}, {recipe['steps']} steps of {recipe['batch']} crops"


def _data_details(cls: type) -> list[str]:
    status = cls().status()
    found = f"{status.found} of {status.count}" if status.count else f"{status.found}"
    places = " and ".join(map(str, status.searched))
    where = f"found {found} images; looked in {places}" if places else "needs a path"
    return [where, status.source]


def _metric_details(cls: type) -> list[str]:
    return ["higher is better" if cls.higher_is_better else "lower is better"]


_DETAILS = {
    "noise": _noise_details,
    "model": _model_details,
    "data": _data_details,
    "metric": _metric_details,
}

COMMANDS = {"run": run, "report": write_report, "train": train_network, "list": show_list}
