"""An ablation: variants of a network trained under one recipe, scored alike, and compared."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from omegaconf import DictConfig, OmegaConf

from benchmark.cells import Cell, ResultStore
from benchmark.cli.compose import compose_grid, compose_training
from benchmark.cli.schema import build, class_of, registry_of, schema, sized, suites
from benchmark.console.log import log
from benchmark.denoiser.inference import AUTOMATIC
from benchmark.files.names import check_name
from benchmark.files.output import prepare
from benchmark.files.whole import write_whole
from benchmark.noise.formula import as_choice
from benchmark.noise.grammar import is_formula
from benchmark.protocol import IN_DISTRIBUTION
from benchmark.reporting.figures.saving import save_svg
from benchmark.scoring.evaluate import evaluate
from benchmark.scoring.grid import Grid, fill, missing
from benchmark.scoring.rescore import changes_of
from benchmark.studies.ablation import brightness, brightness_figure, markdown, trade_off_figure
from benchmark.training.distributed import Team

METRICS = ("psnr", "ssim")


def train_variants(config: DictConfig, team: Team) -> dict[str, Path] | int:
    """Each variant's weights by its name, or the signal which stopped the training of one.

    What they are to be scored on is looked up first: a mistake in it costs no training.
    """
    _folder(config)
    tested = _run_config(config, {}, team.device)
    build("noise", tested["noise"])
    build("data", tested["data"])[config.test_data].images()
    weights = {}
    for name, variant in config.ablation.variants.items():
        log.info(f"{config.ablation.name}: {name}")
        training = compose_training(_training_config(config, name, variant), team)
        outcome = training.run()
        if outcome.stopped_by is not None:
            return outcome.stopped_by
        weights[name] = training.folder / f"{name}.safetensors"
    return weights


def _training_config(config: DictConfig, name: str, variant: DictConfig) -> DictConfig:
    """The config of ``bench train`` for one variant: what all share, then what is its own."""
    own = {key: value for key, value in variant.items() if key not in ("model", "data")}
    cls = class_of("model", name, variant.model)
    chosen = OmegaConf.create({**config, **own, "out": config.runs})
    chosen.model = {name: OmegaConf.merge(sized(cls, config.size), variant.model)}
    if "data" in variant:
        chosen.data = {name: schema(registry_of("data")[name]) for name in variant.data}
    return chosen


def score(config: DictConfig, weights: Mapping[str, Path], device: str) -> Grid:
    """The grid of all variants on the test noises, every cell of it scored and stored."""
    grid = compose_grid(OmegaConf.create(_run_config(config, weights, device)))
    store = ResultStore(_folder(config))
    if said := changes_of(grid, store).sentence(None):
        log.info(said)
    fill(grid, store, missing(grid, store), device)
    return grid


def _run_config(config: DictConfig, weights: Mapping[str, Path], device: str) -> dict[str, object]:
    """The config of ``bench run`` for the variants."""
    noises = [m for name in config.test_noise for m in suites().get(name, [name])]
    chosen = [as_choice(m) if is_formula(m) else (m, {}) for m in noises]
    variants = config.ablation.variants
    data = OmegaConf.merge(
        schema(registry_of("data")[config.test_data]),
        {"crop": config.test_crop, "limit": config.test_limit},
    )
    return {
        "model": {
            name: {"of": class_of("model", name, variants[name].model).name, "weights": str(path)}
            for name, path in weights.items()
        },
        "noise": {
            name: OmegaConf.merge(schema(class_of("noise", name, node)), node)
            for name, node in chosen
        },
        "data": {config.test_data: data},
        "metric": {name: schema(registry_of("metric")[name]) for name in METRICS},
        "levels": None,
        "seeds": [0],
        "reference": ["identity"],
        "tile": "auto",
        "precision": "fp32",
        "device": device,
    }


def write_page(config: DictConfig, grid: Grid, device: str, command: str) -> list[Path]:
    """The ablation's page and its figures."""
    ablation, folder = config.ablation, _folder(config)
    names, table = list(ablation.variants), _table(config)
    drawn, paragraphs, histograms = {}, [], None
    if ablation.brightness:
        histograms = _histograms(config, grid, device)
        noise, level = IN_DISTRIBUTION
        title = f"{config.test_data}, {noise} {level:g}"
        drawn["brightness"] = brightness_figure, histograms, title
        paragraphs.append("![How bright the outputs are](brightness.svg)")
    if ablation.trade_off:
        drawn["trade_off"] = trade_off_figure, table, names
        paragraphs.append("![Out of distribution against in distribution](trade_off.svg)")
    text = markdown(
        ablation.name,
        ablation.question,
        command,
        table,
        names,
        published=OmegaConf.to_container(ablation.published),
        histograms=histograms,
        paragraphs=paragraphs,
    )
    written = [folder / "README.md"]
    write_whole(written[0], text)
    written += [save_svg(folder / f"{name}.svg", *shown) for name, shown in drawn.items()]
    return written


def _table(config: DictConfig) -> pd.DataFrame:
    """The scores on the test images; recorded noise has images of its own."""
    table = ResultStore(_folder(config)).table()
    attributes = table.attrs
    table = table[table["dataset"] == config.test_data]
    table.attrs = attributes
    return table


def _histograms(config: DictConfig, grid: Grid, device: str) -> dict[str, np.ndarray]:
    """Brightness of the clean test images, and of each variant's outputs on the training noise."""
    noise, level = IN_DISTRIBUTION
    dataset = grid.datasets[config.test_data]
    found = {}
    for name in config.ablation.variants:
        cell = Cell(name, config.test_data, noise, level, 0)
        model, images = grid.models[name].to(device), dataset.images()
        done = list(
            evaluate(cell, model, dataset, grid.noises[noise], {}, images, device, AUTOMATIC)
        )
        found.setdefault("clean", brightness(one.clean for one in done))
        found[name] = brightness(one.restored for one in done)
    return found


def prepare_page(config: DictConfig) -> None:
    """See that the folder of an ablation's page can be made and written: see `prepare`."""
    prepare(config.out)
    prepare(_folder(config), {"README.md": "ablation"}, ("brightness.*", "trade_off.*"))


def _folder(config: DictConfig) -> Path:
    check_name("ablation", config.ablation.name)
    return Path(config.out) / config.ablation.name
