"""What each ``bench`` command does with its composed config."""

import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

import pandas as pd
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, ListConfig, OmegaConf
from rich.console import Console

from benchmark import report, tiles
from benchmark.cells import Cell, ResultStore
from benchmark.check import as_table, check
from benchmark.compose import compose_grid, with_available_metrics
from benchmark.config import (
    REGISTRIES,
    build,
    build_one,
    checked_settings,
    class_of,
    recorded_settings,
    schema,
)
from benchmark.datasets import Dataset
from benchmark.denoiser import Denoiser
from benchmark.files import file_name
from benchmark.listing import left_out, listing
from benchmark.passes import (
    SCORES,
    Draws,
    gain,
    measure,
    stability,
    summarize,
    write_pages,
)
from benchmark.recorded import DND
from benchmark.render import RenderConfig, render_pairs
from benchmark.run import Grid, describe_environment, fill, missing, pick_device
from benchmark.sheet import write_index, write_sheet
from benchmark.submission import write_submission
from benchmark.train import Patches, Progress, Recipe, read_training_images, train
from benchmark.weights import save_weights

CONDITION = ("dataset", "noise", "level", "seed")  # a cell, whatever its model


def run(config: DictConfig) -> None:
    """Score what is missing of the grid, then show and write its leaderboard."""
    console = Console()
    _say_what_all_left_out(console)
    store, device = ResultStore(config.out), pick_device(config.device)
    _use_threads(config.threads)
    grid = compose_grid(config, console)
    lacking = missing(grid, store, config.shard)
    if lacking:
        grid = with_available_metrics(grid, console)
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
    if isinstance(noise, Dataset):
        raise ValueError(
            f"'{noise_name}' is recorded noise, which comes with its own images and cannot be "
            f"added to crops; train on a noise model: noise=gaussian"
        )
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


def measure_passes(config: DictConfig) -> None:
    """Draw many outputs of a stochastic network, and write what their means and spread are."""
    console = Console()
    _say_what_all_left_out(console)
    draws = Draws(config.passes, tuple(config.averaged))
    device, out = pick_device(config.device), Path(config.out)
    _use_threads(config.threads)
    grid = _plain_grid(config, SCORES, console)
    for name, settings in grid.settings["model"].items():
        if settings.get("passes", 1) != 1:
            raise ValueError(
                f"'{name}' averages {settings['passes']} passes by itself, but here single ones "
                f"are counted; leave out model.{name}.passes"
            )
    unmasked = _without_masks(config, grid)
    store = ResultStore(out / "draws")
    records = measure(grid, unmasked, store, draws, device, console)
    written = write_pages(records, out, _command("passes"))
    for record in records:
        table = summarize(record)
        console.print(
            f"{Cell(**record['cell'])}: {stability(table).sentence} {gain(table).sentence}",
            highlight=False,
            soft_wrap=True,
        )
    _say_written(written, out, console)


def measure_tiles(config: DictConfig) -> None:
    """Restore images whole and in tiles, and write how far the results are apart."""
    console = Console()
    _say_what_all_left_out(console)
    device, out = pick_device(config.device), Path(config.out)
    _use_threads(config.threads)
    grid = _plain_grid(config, ("psnr",), console)
    table = tiles.measure_tiles(
        grid, _without_masks(config, grid), list(config.tiles), device, console
    )
    weights = {n: s["weights"] for n, s in grid.settings["model"].items() if "weights" in s}
    written = tiles.write_pages(table, out, _command("tiles"), weights)
    for _, line in tiles.summarize(table).iterrows():
        console.print(
            f"{line['model']}, {line['noise']} {line['level']:g} on {line['dataset']}, "
            f"{line['inference']}: {line['psnr_difference']:+.4f} dB, at most "
            f"{line['difference']:.3f} of 255 in a pixel",
            highlight=False,
            soft_wrap=True,
        )
    _say_written(written, out, console)


def measure_noises(config: DictConfig) -> None:
    """Write the data sheet of each noise, and their table if there are several."""
    console = Console()
    _say_what_all_left_out(console)
    if len(config.data) != 1:
        raise ValueError("bench noise takes the images of one dataset at a time")
    (dataset,) = build("data", config.data).values()
    settings = [
        word for word in HydraConfig.get().overrides.task if not re.match("(noise|out)=", word)
    ]
    sheets = []
    for name, subject in build("noise", config.noise).items():
        console.print(f"measuring {name}", highlight=False)
        command = shlex.join(["bench", "noise", name, *settings])
        sheets.append(write_sheet(name, subject, dataset, Path(config.out), command, config.seed))
    if len(sheets) > 1:
        write_index(sheets, Path(config.out), shlex.join(["bench", "noise", "all", *settings]))
    pages = [f"{file_name(sheet.name)}.md" for sheet in sheets]
    said = pages[0] if len(pages) == 1 else f"README.md and {len(pages)} pages"
    console.print(f"written: {said} in {config.out}", highlight=False)


def render(config: DictConfig) -> None:
    """Render the noisy images and references that a folder lacks."""
    console = Console()
    paths = render_pairs(RenderConfig(**OmegaConf.to_container(config)), console)
    console.print(
        f"{len(paths)} images in {config.out}; score them with: bench run noise=mc_render "
        f"noise.mc_render.path={config.out}",
        highlight=False,
        soft_wrap=True,
    )


def submit(config: DictConfig) -> None:
    """Write what the server of a benchmark with hidden clean images takes."""
    if len(config.model) != 1 or len(config.data) != 1:
        raise ValueError("bench submit takes one model and one dataset at a time")
    (model_name, model), *_ = build("model", config.model).items()
    (dataset_name, dataset), *_ = build("data", config.data).items()
    if not isinstance(dataset, DND):
        raise ValueError(
            f"dataset '{dataset_name}' has its clean images here: score it with bench run; "
            f"bench submit is for dnd"
        )
    folder, device, console = Path(config.out, model_name), pick_device(config.device), Console()
    for path in write_submission(dataset, model, folder, device):
        console.print(f"written: {path}", highlight=False, soft_wrap=True)


def check_models(config: DictConfig) -> None:
    """Hold models to the contract of denoisers; a broken promise ends it with exit status 1."""
    console, device = Console(), pick_device(config.device)
    _say_what_all_left_out(console)
    broken = []
    for name, model in build("model", config.model).items():
        outcomes = check(model.to(device))
        console.print(as_table(name, outcomes))
        broken += [f"{name}, {one.name}" for one in outcomes if one.kept is False]
    if broken:
        sys.exit(f"bench: not every denoiser keeps its promises: {'; '.join(broken)}")


def show_list(config: DictConfig) -> None:
    """Show what is registered."""
    console = Console()
    for kind in REGISTRIES if config.kind == "all" else [config.kind]:
        console.print(listing(kind))


def _plain_grid(config: DictConfig, metrics: Sequence[str], console: Console) -> Grid:
    """The grid of a command which measures inference itself: whole images in fp32, by itself."""
    further = {
        "metric": {name: schema(REGISTRIES["metric"][name]) for name in metrics},
        "levels": None,
        "seeds": [config.seed],
        "reference": [],
        "tile": "none",
        "precision": "fp32",
    }
    return compose_grid(OmegaConf.create({**config, **further}), console)


def _without_masks(config: DictConfig, grid: Grid) -> dict[str, Denoiser]:
    """By name of each model which masks at test time, the same one without masks."""
    return {
        name: build_one("model", name, OmegaConf.merge(config.model[name], {"mask": False}))
        for name, settings in grid.settings["model"].items()
        if settings.get("mask")
    }


def _command(name: str) -> str:
    """The command line as it was given, without the folder of its results."""
    settings = [word for word in HydraConfig.get().overrides.task if not word.startswith("out=")]
    return shlex.join(["bench", name, *settings])


def _say_written(written: list[Path], out: Path, console: Console) -> None:
    names = ", ".join(path.name for path in written)
    console.print(f"written to {out}: {names}", highlight=False, soft_wrap=True)


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
    pages = [path.name for path in written if path.suffix != ".svg" and "strip" not in path.name]
    others = len(written) - len(pages)
    more = f" and {others} more file{'s' * (others > 1)}" if others else ""
    said = f"written to {store.root}: {', '.join(pages)}{more}"
    console.print(said, highlight=False, soft_wrap=True)


def _say_what_all_left_out(console: Console) -> None:
    for group, choice in HydraConfig.get().runtime.choices.items():
        everything = group in REGISTRIES and "all" in re.findall(r"\w+", str(choice))
        if everything and (said := left_out(group)):
            console.print(said, highlight=False, soft_wrap=True)


def _use_threads(threads: int | None) -> None:
    """Set torch's threads on the CPU; None leaves them as they are."""
    if threads is None:
        return
    if threads < 1:
        raise ValueError(f"threads must be 1 or more, got {threads}")
    torch.set_num_threads(threads)


def _fields(config: DictConfig, cls: type) -> dict[str, object]:
    values = {field.name: config[field.name] for field in fields(cls)}
    return {k: tuple(v) if isinstance(v, ListConfig) else v for k, v in values.items()}


def _log_line(line: Progress, steps: int) -> str:
    left = (steps - line.step) / line.step * line.seconds
    return (
        f"step {line.step}/{steps}  loss {line.loss:.5f}  lr {line.learning_rate:.2g}  "
        f"{line.images_per_second:.1f} images/s  {left / 60:.1f} min left"
    )


COMMANDS = {
    "run": run,
    "report": write_report,
    "train": train_network,
    "noise": measure_noises,
    "passes": measure_passes,
    "tiles": measure_tiles,
    "render": render,
    "submit": submit,
    "check-model": check_models,
    "list": show_list,
}
