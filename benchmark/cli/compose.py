"""From a composed config to the grid of a run, or to a training: objects and their settings."""

import math
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import fields, replace
from pathlib import Path

import torch
from omegaconf import DictConfig, ListConfig

from benchmark.cli.schema import (
    REGISTRIES,
    build,
    checked_settings,
    class_of,
    made,
    recorded_settings,
    said_settings,
    schema,
)
from benchmark.console.log import log
from benchmark.datasets import Dataset
from benchmark.denoiser import Denoiser
from benchmark.denoiser.inference import Inference
from benchmark.denoiser.tiling import check_tile
from benchmark.denoiser.weights.checkpoint import weights_file
from benchmark.denoiser.weights.load import load_network
from benchmark.environment.device import pick_device
from benchmark.environment.versions import describe_environment
from benchmark.files.whole import file_hash, file_name
from benchmark.metrics import MetricUnavailable
from benchmark.noise import NoiseModel
from benchmark.protocol import IN_DISTRIBUTION, REFERENCE
from benchmark.scoring.grid import Grid
from benchmark.scoring.matched import match_levels
from benchmark.scoring.precision import PRECISIONS, choose_precision, multiplies_bf16
from benchmark.settings import digest_of, joined
from benchmark.training.distributed import Processes
from benchmark.training.loop import Training
from benchmark.training.patches import Patches, hold_out, read_training_images
from benchmark.training.recipe import Execution, Recipe
from benchmark.training.validation import Condition, Validation, conditions_of

Settings = dict[str, dict[str, dict[str, object]]]  # group and name to what a cell's file says


def compose_grid(config: DictConfig) -> Grid:
    """The grid which the config of ``bench run`` asks for.

    Raises
    ------
    ValueError
        If a setting is wrong, or weights or data are missing.
    """
    nodes = {group: dict(config[group]) for group in REGISTRIES}
    for name in config.reference:
        nodes["model"].setdefault(name, schema(REGISTRIES["model"][name]))
    nodes["data"] = _datasets(nodes)
    _refuse_false_references(nodes["model"])
    objects = {group: build(group, nodes[group]) for group in REGISTRIES}
    settings = {
        group: {name: recorded_settings(group, name, node) for name, node in nodes[group].items()}
        for group in REGISTRIES
    }
    identities = {}
    for name, dataset in objects["data"].items():
        identities[name] = {float(lv): dataset.identities(lv) for lv in dataset.levels}
        by_level = {level: digest_of(found.values()) for level, found in identities[name].items()}
        facts = {"images": len(dataset), "sha256": by_level}
        settings["data"][name] = joined(f"dataset '{name}'", settings["data"][name], facts)
    inference = _inference(config, objects["model"])
    for name, how in inference.items():
        facts = _of_identity(how)
        settings["model"][name] = joined(f"model '{name}'", settings["model"][name], facts)
    return Grid(
        models=objects["model"],
        noises=objects["noise"],
        datasets=objects["data"],
        metrics=objects["metric"],
        levels=_levels(config, objects["noise"], objects["data"], settings),
        seeds=list(config.seeds),
        settings=settings,
        inference=inference,
        identities=identities,
    )


def _refuse_false_references(models: dict[str, DictConfig]) -> None:
    """Raise ``ValueError`` for a variant with the name of what others are compared with."""
    for name in REFERENCE:
        if name in models and class_of("model", name, models[name]).name != name:
            raise ValueError(
                f"'{name}' stands for itself in every table, and cannot be the name of a "
                f"'{models[name].of}'; give that another name: '+model.NAME={{of: ...}}'"
            )


def _inference(config: DictConfig, models: dict[str, Denoiser]) -> dict[str, Inference]:
    """How each model is run; where its precision was measured, a line says so."""
    device, found = pick_device(config.device), {}
    for name, model in models.items():
        precision, said = choose_precision(config.precision, model, device)
        if said:
            log.info(said)
        found[name] = Inference(_tile(config.tile, model), precision)
    return found


def _tile(asked: str, model: Denoiser) -> int | str:
    if asked in ("auto", "none"):
        return asked
    if not asked.isdecimal():
        raise ValueError(f"unknown tile={asked}; take auto, none, or a side in pixels: tile=256")
    check_tile(int(asked), model.multiple)
    return "none" if model.pointwise else int(asked)


def _of_identity(how: Inference) -> dict[str, object]:
    """What is part of a cell's identity: tiles which were asked for, and a precision below fp32."""
    tile = {"tile": how.tile} if isinstance(how.tile, int) else {}
    return tile | ({"precision": how.precision} if how.precision != "fp32" else {})


def _datasets(nodes: dict[str, dict[str, DictConfig]]) -> dict[str, DictConfig]:
    """The datasets of a run, with those which the chosen noises bring; the latter leave ``noise``.

    Where every noise is recorded, clean images have no use and are left out.
    """
    recorded = {
        name: nodes["noise"].pop(name)
        for name, node in list(nodes["noise"].items())
        if issubclass(class_of("noise", name, node), Dataset)
    }
    used = {
        name: node
        for name, node in nodes["data"].items()
        if nodes["noise"] or class_of("data", name, node).recorded
    }
    for name in nodes["noise"].keys() & used.keys():
        raise ValueError(f"'{name}' is a noise and a dataset of this run; rename one of them")
    return {**used, **recorded}


def _levels(
    config: DictConfig,
    noises: dict[str, NoiseModel],
    datasets: dict[str, Dataset],
    settings: Settings,
) -> dict[str, dict[str, tuple[float, ...]]]:
    """The levels of every noise on every dataset: the noise's own, or chosen by noisy PSNR."""
    if config.levels not in (None, "matched"):
        raise ValueError(
            f"levels={config.levels} is unknown; take levels=matched, or leave it away and set "
            f"single ones with noise.NAME.levels=[...]"
        )
    levels = {}
    for name, dataset in datasets.items():
        if dataset.recorded:
            levels[name] = {name: dataset.levels}
        elif config.levels is None:
            levels[name] = {noise: model.levels for noise, model in noises.items()}
        else:
            folder = Path(config.out) / "matched" / name
            seeds = list(config.seeds)
            levels[name] = _matched(noises, name, dataset, seeds, settings, folder)
    return levels


def _matched(
    noises: dict[str, NoiseModel],
    name: str,
    dataset: Dataset,
    seeds: list[int],
    settings: Settings,
    folder: Path,
) -> dict[str, tuple[float, ...]]:
    levels, data = {}, settings["data"][name]
    for noise, model in noises.items():
        images = {**data, "sha256": data["sha256"][0.0]}
        facts = {"dataset": images, "noise": settings["noise"][noise]}
        path = folder / f"{file_name(noise)}.json"
        matches = match_levels(model, noise, dataset, name, seeds, facts, path)
        found = [f"{match.level:g} ({match.psnr:.2f} dB)" for match in matches]
        log.info(
            f"matched on {name}: {noise} {', '.join(found) or 'reaches none of these severities'}"
        )
        if matches:
            chosen = {match.level for match in matches}
            extra = {IN_DISTRIBUTION[1]} if noise == IN_DISTRIBUTION[0] else set()
            levels[noise] = tuple(sorted(chosen | extra))
    return levels


def with_available_metrics(grid: Grid) -> Grid:
    """The grid without the metrics that lack a package or weights, each named once."""
    available = {}
    for name, metric in grid.metrics.items():
        try:
            metric.prepare()
            available[name] = metric
        except MetricUnavailable as error:
            log.info(f"no column {name}: {error}")
    if not available:
        raise ValueError("none of the metrics asked for is available; try metric=[psnr,ssim]")
    settings = {
        **grid.settings,
        "metric": {name: grid.settings["metric"][name] for name in available},
    }
    return replace(grid, metrics=available, settings=settings)


def compose_training(config: DictConfig, processes: Processes) -> Training:
    """The training that a config describes, its images read and its network made."""
    ((name, node),) = config.model.items()
    cls = class_of("model", name, node)
    if not cls.learned:
        raise ValueError(f"'{name}' has nothing to train; choose a network: bench list model")
    arguments = checked_settings("model", name, node, training=True)
    recipe = Recipe(**_fields(config, Recipe))
    device, rank, size = processes.device, processes.rank, processes.size
    precision = _precision(config, device)
    execution = Execution(**{**_fields(config, Execution), "precision": precision})
    noise_name, noise = _training_noise(config)
    trained_on = (noise_name, noise, float(config.level))
    conditions = [trained_on, *_further_conditions(config, noise_name)]
    torch.manual_seed(recipe.seed)
    network = _tried(f"model.{name}.", cls, arguments)
    facts = {
        "model": {"of": cls.name, **arguments},
        "noise": recorded_settings("noise", noise_name, config.noise[noise_name]),
        "level": float(config.level),
    }
    if config.start:
        facts["start"] = f"sha256:{start_from(network, config.start)}"
    log.info(f"reading the images of {', '.join(config.data)}")
    datasets = list(build("data", config.data).values())
    images, facts["data"] = read_training_images(datasets, recipe.patch)
    images, crops = hold_out(images, config.held_out)
    facts["held_out"] = len(crops)
    patches = Patches(images, noise, config.level, recipe, device, rank, size)
    return Training(
        network,
        arguments,
        patches,
        recipe,
        Path(config.out) / name,
        facts,
        execution=execution,
        validation=Validation(crops, conditions),
        processes=processes,
        environment=describe_environment(device),
    )


def _tried(where: str, cls: type[Denoiser], arguments: Mapping[str, object]) -> Denoiser:
    """A network which restores a small batch in training; settings with which it cannot are wrong.

    torch makes a layer of no channels without a word, and fails when it is used.
    """
    network = made(where, cls, arguments)
    changed = said_settings(where, cls, arguments)
    if changed:
        side = network.multiple * math.ceil(16 / network.multiple)
        probe = torch.full((2, getattr(network, "channels", 3), side, side), 0.5)
        try:
            with torch.random.fork_rng(devices=[]), torch.no_grad():
                restored = deepcopy(network).train()(probe)
            problem = "" if restored.isfinite().all() else "its output is not finite"
        except (RuntimeError, ArithmeticError, ValueError, IndexError, TypeError) as error:
            problem = f"{type(error).__name__}: {error}"
        if problem:
            raise ValueError(f"'{cls.name}' cannot be trained with {changed} ({problem})")
    return network


def _training_noise(config: DictConfig) -> tuple[str, NoiseModel]:
    if len(config.noise) != 1:
        raise ValueError("bench train takes one noise at a time")
    ((name, noise),) = build("noise", config.noise).items()
    if isinstance(noise, Dataset):
        raise ValueError(
            f"'{name}' is recorded noise, which comes with its own images and cannot be "
            f"added to crops; train on a noise model: noise=gaussian"
        )
    noise.check_level(config.level)
    return name, noise


def _further_conditions(config: DictConfig, trained_on: str) -> list[Condition]:
    """What to validate on beside the training noise, which is not watched twice."""
    known = (trained_on, float(config.level))
    return [found for found in conditions_of(list(config.watch)) if (found[0], found[2]) != known]


def _precision(config: DictConfig, device: str) -> str:
    if config.precision not in PRECISIONS:
        raise ValueError(
            f"unknown precision={config.precision}; choose one of: {', '.join(PRECISIONS)}"
        )
    if config.precision != "auto":
        return config.precision
    return "bf16" if multiplies_bf16(device) else "fp32"


def start_from(network: Denoiser, given: str) -> str:
    """Give a network the weights of a file, and return the file's hash.

    Raises
    ------
    ValueError
        If there is no such file, or it holds another network or one of another size.
    """
    path = weights_file(given)
    if not path.is_file():
        raise ValueError(
            f"there is no file {path}; give weights to go on from, start=FILE, or leave it away"
        )
    found = load_network(type(network), path, {})
    ours, theirs = ({k: v.shape for k, v in n.state_dict().items()} for n in (network, found))
    if ours != theirs:
        raise ValueError(
            f"start={path} holds a '{network.name}' of another size than the one to be trained; "
            f"give this one the same settings"
        )
    network.load_state_dict(found.state_dict())
    return file_hash(path)


def _fields(config: DictConfig, cls: type) -> dict[str, object]:
    values = {field.name: config[field.name] for field in fields(cls)}
    return {k: tuple(v) if isinstance(v, ListConfig) else v for k, v in values.items()}
