"""What each ``bench`` command does with its composed config."""

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from benchmark import __version__
from benchmark.cells import Cell, ResultStore
from benchmark.cli import variants as study
from benchmark.cli.compose import compose_grid, compose_training, with_available_metrics
from benchmark.cli.listing import left_out, listing, stand_ins
from benchmark.cli.schema import REGISTRIES, build, build_one, class_of, recorded_settings, schema
from benchmark.console.log import console, log, show
from benchmark.datasets import DND
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.denoiser.promises import as_table, check
from benchmark.denoiser.weights.load import all_shipped
from benchmark.environment.device import pick_device
from benchmark.files.output import prepare, refuse_among_images
from benchmark.files.whole import file_name, write_whole
from benchmark.rendering.render import RenderConfig, render_pairs
from benchmark.reporting import report
from benchmark.reporting import training_curves as curves
from benchmark.reporting.intervals import ROW
from benchmark.scoring.grid import Grid, fill, missing, remake_pictures
from benchmark.scoring.rescore import changes_of
from benchmark.studies import tiles, zoo
from benchmark.studies.noise_sheet import write_index, write_sheet
from benchmark.studies.passes import (
    SCORES,
    Draws,
    gain,
    is_drawn,
    measure,
    stability,
    summarize,
    write_pages,
)
from benchmark.studies.submission import write_submission
from benchmark.training.distributed import assembled

REPORT = {"leaderboard.md": "leaderboard", "leaderboard.csv": "means", "scores.csv": "scores"}
FIGURES = ("figure11_*", "strip_*.png")  # of a report


def run(config: DictConfig) -> None:
    """Score what is missing of the grid, then show and write its leaderboard."""
    _say_what_all_left_out()
    store, device = ResultStore(config.out), pick_device(config.device)
    _use_threads(config.threads)
    prepare(config.out, REPORT, FIGURES)
    grid = compose_grid(config)
    refuse_among_images(config.out, grid.datasets)
    if said := stand_ins(_with_shipped_weights(config)):
        log.info(said)
    lacking = missing(grid, store, config.shard, config.rescore)
    if said := changes_of(grid, store).sentence(config.rescore):
        log.info(said)
    to_score = bool(lacking)
    if lacking:
        grid = with_available_metrics(grid)
        lacking = missing(grid, store, config.shard, config.rescore)
    if lacking:
        fill(grid, store, lacking, device, config.rescore)
    remake_pictures(grid, store, device)
    still = "changed" if config.rescore else None
    others = len(missing(grid, store, rescore=still)) if to_score or config.shard != "1/1" else 0
    if gone := missing(grid, store, config.shard, still) if others else []:
        raise ValueError(
            f"{len(gone)} of {len(grid.cells)} cells are not there any more: something removed or "
            f"damaged them under {store.root}/cells while others were scored, {gone[0]} for one; "
            f"give the same command again"
        )
    if others:
        log.info(
            f"shard={config.shard} is done, {others} of {len(grid.cells)} cells are left to other "
            f"shards; then: bench report out={config.out}"
        )
    else:
        _publish(_of_grid(store.table(), grid), store, store.root)


def write_report(config: DictConfig) -> None:
    """Show and write the leaderboard of everything in a results folder."""
    store = ResultStore(config.out)
    table = store.table()
    if curves.read_runs(store.root):
        prepare(store.root, {"training.md": "training"}, ("training_curves.*",))
        _say_written(curves.write_curves(store.root), store.root)
    elif table.empty:
        raise ValueError(
            f"no finished cells under {store.root}/cells, and no trainings with curves under "
            f"{store.root} (watch=[] draws none); fill it with: bench run, or bench train"
        )
    if table.empty:
        return
    known = sorted(table["model"].unique())
    wanted = [config.model] if isinstance(config.model, str) else list(config.model)
    for name in wanted:
        if name not in [*known, "all"]:
            raise ValueError(
                f"no cells of model '{name}' under {store.root}; there are: {', '.join(known)}"
            )
    to = store.root
    if "all" not in wanted and set(wanted) < set(known):  # the full tables stay as they are
        table = table[table["model"].isin(wanted)]
        to = store.root / file_name(f"report-{'+'.join(sorted(set(wanted)))}")
    to = Path(config.to) if config.to else to
    prepare(to, REPORT, FIGURES)
    _publish(table, store, to)


def train_network(config: DictConfig) -> None:
    """Train one network and export it as a safetensors file."""
    if len(config.model) != 1:
        raise ValueError("bench train takes one model at a time")
    _use_threads(config.threads)
    with assembled(pick_device(config.device)) as team:
        show(quiet=not team.leads)
        training = compose_training(config, team)
        if team.leads:
            prepare(config.out)
        outcome = training.run()
        if outcome.stopped_by is not None:
            log.info(f"stopped at step {outcome.diary.step}; the same command goes on from there")
            sys.exit(128 + outcome.stopped_by)
    of, path = training.network.name, training.folder / f"{training.folder.name}.safetensors"
    log.info(
        f"wrote {path}; score it with: bench run '+model.mine={{of: {of}, weights: {path}}}'; "
        f"its curves: bench report out={config.out}"
    )


def ablate(config: DictConfig) -> None:
    """Train the variants of an ablation, score them, and write its page."""
    _use_threads(config.threads)
    with assembled(pick_device(config.device)) as team:
        show(quiet=not team.leads)
        if team.leads:
            study.prepare_page(config)
        trained = study.train_variants(config, team)
        if isinstance(trained, int):
            log.info("stopped; the same command goes on from there")
            sys.exit(128 + trained)
        if team.leads:
            grid = study.score(config, trained, team.device)
            words = [w for w in _command("ablate").split(" ") if not w.startswith("runs=")]
            command = " ".join(words).replace("ablation=", "", 1)
            written = study.write_page(config, grid, team.device, command)
            _say_written(written, written[0].parent)


def write_zoo(config: DictConfig) -> None:
    """Write the page of trained networks: the weights that ship, or those named."""
    paths = [Path(path).expanduser() for path in config.weights] or [
        path for cls in DENOISERS.values() if cls.learned for path in all_shipped(cls).values()
    ]
    if not paths:
        raise ValueError("no network ships weights; name some: weights=[a.safetensors]")
    out = Path(config.out)
    prepare(out.parent if out.name else config.out, {out.name: "zoo"})
    write_whole(out, zoo.markdown(zoo.zoo_table(paths), _command("zoo")))
    _say_written([out], out.parent)


def measure_passes(config: DictConfig) -> None:
    """Draw many outputs of a stochastic network, and write what their means and spread are."""
    _say_what_all_left_out()
    draws = Draws(config.passes, tuple(config.averaged))
    device, out = pick_device(config.device), Path(config.out)
    _use_threads(config.threads)
    grid = _plain_grid(config, SCORES)
    prepare(config.out, {"passes.md": "passes", "passes.csv": "draws"})
    for name, settings in grid.settings["model"].items():
        if settings.get("passes", 1) != 1:
            raise ValueError(
                f"'{name}' averages {settings['passes']} passes by itself, but here single ones "
                f"are counted; leave out model.{name}.passes"
            )
    unmasked = _without_masks(config, grid)
    store = ResultStore(out / "draws", is_drawn)
    records = measure(grid, unmasked, store, draws, device)
    written = write_pages(records, out, _command("passes"))
    for record in records:
        table = summarize(record)
        log.info(f"{Cell(**record['cell'])}: {stability(table).sentence} {gain(table).sentence}")
    _say_written(written, out)


def measure_tiles(config: DictConfig) -> None:
    """Restore images whole and in tiles, and write how far the results are apart."""
    _say_what_all_left_out()
    device, out = pick_device(config.device), Path(config.out)
    _use_threads(config.threads)
    grid = _plain_grid(config, ("psnr",))
    prepare(config.out, {"tiles.md": "tiles", "tiles.csv": "ways"})
    table = tiles.measure_tiles(grid, _without_masks(config, grid), list(config.tiles), device)
    weights = {n: s["weights"] for n, s in grid.settings["model"].items() if "weights" in s}
    written = tiles.write_pages(table, out, _command("tiles"), weights)
    for _, line in tiles.summarize(table).iterrows():
        log.info(
            f"{line['model']}, {line['noise']} {line['level']:g} on {line['dataset']}, "
            f"{line['inference']}: {line['psnr_difference']:+.4f} dB, at most "
            f"{line['difference']:.3f} of 255 in a pixel"
        )
    _say_written(written, out)


def measure_noises(config: DictConfig) -> None:
    """Write the data sheet of each noise, and their table if there are several."""
    _say_what_all_left_out()
    if len(config.data) != 1:
        raise ValueError("bench noise takes the images of one dataset at a time")
    datasets = build("data", config.data)
    refuse_among_images(config.out, datasets)
    (dataset,) = datasets.values()
    settings = [
        word for word in HydraConfig.get().overrides.task if not re.match("(noise|out)=", word)
    ]
    sheets, subjects = [], build("noise", config.noise)
    for name in subjects:
        prepare(config.out, {f"{file_name(name)}.md": "sheet"}, [f"{file_name(name)}.png"])
    if len(subjects) > 1:
        prepare(config.out, {"README.md": "sheets"})
    for name, subject in subjects.items():
        log.info(f"measuring {name}")
        command = shlex.join(["bench", "noise", name, *settings])
        sheets.append(write_sheet(name, subject, dataset, Path(config.out), command, config.seed))
    if len(sheets) > 1:
        write_index(sheets, Path(config.out), shlex.join(["bench", "noise", "all", *settings]))
    pages = [f"{file_name(sheet.name)}.md" for sheet in sheets]
    said = pages[0] if len(pages) == 1 else f"README.md and {len(pages)} pages"
    log.info(f"written: {said} in {config.out}")


def render(config: DictConfig) -> None:
    """Render the noisy images and references that a folder lacks."""
    paths = render_pairs(RenderConfig(**OmegaConf.to_container(config)))
    log.info(
        f"{len(paths)} images in {config.out}; score them with: bench run noise=mc_render "
        f"noise.mc_render.path={config.out}"
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
    folder, device = Path(config.out, model_name), pick_device(config.device)
    prepare(config.out)
    settings = {
        "noisebench": __version__,
        "model": recorded_settings("model", model_name, config.model[model_name]),
    }
    for path in write_submission(dataset, model, folder, device, settings):
        log.info(f"written: {path}")


def check_models(config: DictConfig) -> None:
    """Hold models to the contract of denoisers; a broken promise ends it with exit status 1."""
    device = pick_device(config.device)
    _say_what_all_left_out()
    broken = []
    for name, model in build("model", config.model).items():
        outcomes = check(model.to(device))
        console().print(as_table(name, outcomes))
        broken += [f"{name}, {one.name}" for one in outcomes if one.kept is False]
    if broken:
        sys.exit(f"bench: not every denoiser keeps its promises: {'; '.join(broken)}")


def show_list(config: DictConfig) -> None:
    """Show what is registered."""
    for kind in REGISTRIES if config.kind == "all" else [config.kind]:
        console().print(listing(kind))


def _plain_grid(config: DictConfig, metrics: Sequence[str]) -> Grid:
    """The grid of a command which measures inference itself: whole images in fp32, by itself."""
    further = {
        "metric": {name: schema(REGISTRIES["metric"][name]) for name in metrics},
        "levels": None,
        "seeds": [config.seed],
        "reference": [],
        "tile": "none",
        "precision": "fp32",
    }
    return compose_grid(OmegaConf.create({**config, **further}))


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


def _say_written(written: list[Path], out: Path) -> None:
    names = ", ".join(path.name for path in written)
    log.info(f"written to {out}: {names}")


def _of_grid(table: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """The grid's lines, and those of every other stored model which has all of its images."""
    images = {name: dataset.images() for name, dataset in grid.datasets.items()}
    wanted = {
        (cell.dataset, cell.noise, cell.level, cell.seed, image)
        for cell in grid.cells
        for image in images[cell.dataset]
    }
    lines = list(zip(*(table[name] for name in ROW), strict=True))
    table = table[[line in wanted for line in lines]]
    found = table.groupby("model").size()
    complete = found.index[found == len(wanted)]
    return table[table["model"].isin([*grid.models, *complete])]


def _publish(table: pd.DataFrame, store: ResultStore, out: Path) -> None:
    """Write the report, then show it: what becomes of the terminal costs no file."""
    written = report.write(table, out, store.root / "pictures")
    report.print_leaderboard(table, console())
    pages = [path.name for path in written if "strip" not in path.name]
    others = len(written) - len(pages)
    more = f" and {others} more file{'s' * (others > 1)}" if others else ""
    said = f"written to {out}: {', '.join(pages)}{more}"
    log.info(said)


def _say_what_all_left_out() -> None:
    for group, choice in HydraConfig.get().runtime.choices.items():
        everything = group in REGISTRIES and "all" in re.findall(r"\w+", str(choice))
        if everything and (said := left_out(group)):
            log.info(said)


def _with_shipped_weights(config: DictConfig) -> list[type[Denoiser]]:
    """The classes of the models for which no weights are named."""
    nodes = config.model.items()
    return [class_of("model", name, node) for name, node in nodes if not node.get("weights")]


def _use_threads(threads: int | None) -> None:
    """Set torch's threads on the CPU; None leaves them as they are."""
    if threads is not None:
        torch.set_num_threads(threads)


COMMANDS = {
    "run": run,
    "report": write_report,
    "train": train_network,
    "ablate": ablate,
    "zoo": write_zoo,
    "noise": measure_noises,
    "passes": measure_passes,
    "tiles": measure_tiles,
    "render": render,
    "submit": submit,
    "check-model": check_models,
    "list": show_list,
}
