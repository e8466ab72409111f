"""A grid of objects and of what cells record of them: its datasets, levels, and how models run."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.console.log import log
from benchmark.datasets import Dataset
from benchmark.denoiser import Denoiser
from benchmark.denoiser.contract import name_of
from benchmark.denoiser.inference import Inference
from benchmark.denoiser.runtime.choice import choose_runtime
from benchmark.denoiser.tiling import check_tile
from benchmark.files.whole import file_name
from benchmark.metrics.metric import prepared
from benchmark.noise import NOISE_MODELS, NoiseModel
from benchmark.objects.building import Chosen
from benchmark.protocol import IN_DISTRIBUTION, REFERENCE, Protocol, protocol_of
from benchmark.registry import did_you_mean
from benchmark.scoring.grid import Grid
from benchmark.scoring.matched import TARGETS, match_levels
from benchmark.scoring.precision import choose_precision
from benchmark.settings import Settings, digest_of, joined

PROBE_SIDE = 64  # pixels, of the picture with which noises are asked what they make of one

Group = Mapping[str, Chosen]  # by the names that the user gave


def compose(
    models: Group,
    noises: Group,
    datasets: Group,
    metrics: Group,
    *,
    protocol: Protocol,
    seeds: Sequence[int],
    device: str,
    tile: str = "auto",
    precision: str = "fp32",
    runtime: str = "torch",
    matched: Path | None = None,
) -> Grid:
    """The grid of every model on every dataset under every noise, by the names of all.

    Parameters
    ----------
    noises
        Datasets with recorded noise as well, which bring their own images.
    device
        Of `pick_device`.
    tile, precision, runtime
        As typed: ``"auto"``, ``"none"`` or a side in pixels; ``"fp32"``, ``"bf16"`` or ``"auto"``;
        ``"torch"``, ``"openvino"`` or ``"auto"``.
    matched
        The folder which keeps the levels at which noises are equally strong, where these are to be
        taken; None for each noise's own levels.

    Raises
    ------
    ValueError
        If names clash, images are missing, models or all noises take others than the protocol's,
        ``tile``, ``precision`` or ``runtime`` is wrong, or no noise can be as strong as wanted.
    """
    _refuse_false_references(models)
    noises, datasets = _parted(noises, datasets)
    _refuse_other_channels(_made(models), protocol)
    noises = _of_kind(noises, protocol)
    _refuse_other_randomness(noises, protocol)
    by_group = {"model": models, "noise": noises, "data": datasets, "metric": metrics}
    settings = {
        group: {name: one.recorded for name, one in chosen.items()}
        for group, chosen in by_group.items()
    }
    identities = {}
    for name, dataset in _made(datasets).items():
        identities[name] = {float(lv): dataset.identities(lv) for lv in dataset.levels}
        by_level = {level: digest_of(images.values()) for level, images in identities[name].items()}
        facts = {"images": len(dataset), "sha256": by_level}
        settings["data"][name] = joined(f"dataset '{name}'", settings["data"][name], facts)
    inference = _inference(_made(models), device, tile, precision, runtime)
    for name, how in inference.items():
        facts = _of_identity(how)
        settings["model"][name] = joined(f"model '{name}'", settings["model"][name], facts)
    levels = {}
    for name, dataset in _made(datasets).items():
        if dataset.recorded:
            levels[name] = {name: dataset.levels}
        elif matched is None:
            levels[name] = {noise: model.levels for noise, model in _made(noises).items()}
        else:
            more = (seeds, settings, matched / name, protocol)
            levels[name] = _matched(_made(noises), name, dataset, *more)
    if matched is not None and not any(levels.values()):
        raise ValueError(
            f"levels=matched leaves nothing to score: on {' and '.join(levels)} none of "
            f"{', '.join(noises)} reaches any of {', '.join(f'{dB:g}' for dB in TARGETS)} dB; "
            f"leave levels= out"
        )
    return Grid(
        models=_made(models),
        noises=_made(noises),
        datasets=_made(datasets),
        metrics=_made(metrics),
        levels=levels,
        seeds=list(seeds),
        settings=settings,
        inference=inference,
        identities=identities,
        protocol=protocol,
    )


def protocol_asked(text: str) -> Protocol:
    """The protocol of a text, whose noises are all registered.

    Raises
    ------
    ValueError
        As `protocol_of` does, or if it names a noise which there is not.
    """
    protocol = protocol_of(text)
    for name in protocol.unclipped:
        if name not in NOISE_MODELS:
            hint = did_you_mean(name, NOISE_MODELS)
            raise ValueError(f"protocol={text}: unclipped names '{name}', which is no noise{hint}")
    return protocol


def with_available_metrics(grid: Grid) -> Grid:
    """The grid without the metrics that lack a package or weights, each named once."""
    fit = {n: m for n, m in grid.metrics.items() if not (m.rgb_only and grid.protocol.grey)}
    available, unavailable = prepared(fit)
    for name in grid.metrics.keys() - fit.keys():
        unavailable[name] = f"it compares colours, and protocol {grid.protocol.name} has none"
    for name, why in unavailable.items():
        log.info(f"no column {name}: {why}")
    if not available:
        raise ValueError("none of the metrics asked for is available; try metric=[psnr,ssim]")
    settings = {
        **grid.settings,
        "metric": {name: grid.settings["metric"][name] for name in available},
    }
    return replace(grid, metrics=available, settings=settings)


def _made(chosen: Group) -> dict[str, Any]:
    return {name: one.made for name, one in chosen.items()}


def _refuse_false_references(models: Group) -> None:
    """Raise ``ValueError`` for a variant with the name of what others are compared with."""
    for name in REFERENCE:
        if name in models and (of := models[name].recorded["of"]) != name:
            raise ValueError(
                f"'{name}' stands for itself in every table, and cannot be the name of a "
                f"'{of}'; give that another name: '+model.NAME={{of: ...}}'"
            )


def _parted(noises: Group, datasets: Group) -> tuple[Group, Group]:
    """Noise models, and datasets with those which recorded noises bring.

    Where every noise is recorded, clean images have no use and are left out.
    """
    recordings = {name: one for name, one in noises.items() if isinstance(one.made, Dataset)}
    models = {name: one for name, one in noises.items() if name not in recordings}
    used = {name: one for name, one in datasets.items() if models or one.made.recorded}
    for name in models.keys() & used.keys():
        raise ValueError(f"'{name}' is a noise and a dataset of this run; rename one of them")
    return models, {**used, **recordings}


def _refuse_other_channels(models: Mapping[str, Denoiser], protocol: Protocol) -> None:
    """Raise ``ValueError`` if models do not take images of the channels which a protocol has."""
    taken = {name: model.image_channels for name, model in models.items()}
    unfit = [name for name, channels in taken.items() if channels not in (None, protocol.channels)]
    if unfit:
        kind, other = ("grey", "RGB") if protocol.grey else ("RGB", "grey")
        theirs = "masked" if protocol.grey else "'masked(grey=true)'"
        verb = "restores" if len(unfit) == 1 else "restore"
        raise ValueError(
            f"protocol={protocol.name} has {kind} images, but {', '.join(unfit)} {verb} {other} "
            f"ones; leave out what does not fit, or score {other} images: protocol={theirs}"
        )


def _of_kind(noises: Group, protocol: Protocol) -> Group:
    """The noises which grey images can have, where a protocol has those; each other is named.

    Raises
    ------
    ValueError
        If there are noises, but none which grey images can have.
    """
    if not protocol.grey:
        return noises
    fit = {}
    for name, noise in noises.items():
        try:
            _probed(noise, protocol)
            fit[name] = noise
        except Exception as error:  # whatever a noise that was written for colours ends in
            kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
            log.info(f"no noise {name} of grey images: {kind}{error}")
    if noises and not fit:
        raise ValueError(
            f"none of the noises asked for can be had of grey images, which protocol="
            f"{protocol.name} has; try noise=[gaussian,poisson]"
        )
    return fit


def _probed(noise: Chosen, protocol: Protocol) -> np.ndarray:
    """What a noise at its mildest makes of a small and plain picture of a protocol's channels."""
    picture = np.full((PROBE_SIDE, PROBE_SIDE, protocol.channels), 0.5, np.float32)
    return noise.made(picture, noise.made.levels[0], np.random.default_rng(0))


def _refuse_other_randomness(noises: Group, protocol: Protocol) -> None:
    """Raise ``ValueError`` for a noise which makes two pictures of one key.

    Models would be scored on other noisy pixels, and nothing could be made again.
    """
    for name, noise in noises.items():
        try:
            one, other = (_probed(noise, protocol) for _ in range(2))
        except Exception:  # of a picture so small or plain; those to be scored say it themselves
            continue
        if not np.array_equal(one, other):
            raise ValueError(
                f"noise '{name}' makes other pixels each time it is given the same random "
                f"generator; it has to draw from rng alone, as in rng.normal(size=clean.shape), "
                f"and to keep nothing between images"
            )


def _inference(
    models: Mapping[str, Denoiser], device: str, tile: str, precision: str, runtime: str
) -> dict[str, Inference]:
    """How each model is run; where its precision or runtime was measured, a line says so."""
    inference = {}
    for name, model in models.items():
        taken, measured = choose_precision(precision, model, device)
        run_by, why = choose_runtime(runtime, model, device, taken)
        for said in filter(None, (measured, why)):
            log.info(said if name == name_of(model) else f"{name}: {said}")
        inference[name] = Inference(as_tile(tile, model), taken, runtime=run_by)
    return inference


def as_tile(asked: str, model: Denoiser) -> int | str:
    """The side of a model's tiles which a text asks for, or auto or none.

    Raises
    ------
    ValueError
        If it is none of these, or a side that the model cannot take.
    """
    if asked in ("auto", "none"):
        return asked
    if not asked.isdecimal():
        raise ValueError(f"unknown tile={asked}; take auto, none, or a side in pixels: tile=256")
    check_tile(int(asked), model.multiple)
    return "none" if model.pointwise else int(asked)


def _of_identity(how: Inference) -> dict[str, object]:
    """What is part of a cell's identity: tiles asked for, bf16, and a runtime beside torch."""
    tile: dict[str, object] = {"tile": how.tile} if isinstance(how.tile, int) else {}
    precision = {"precision": how.precision} if how.precision != "fp32" else {}
    return tile | precision | ({"runtime": how.runtime} if how.runtime != "torch" else {})


def _matched(
    noises: Mapping[str, NoiseModel],
    name: str,
    dataset: Dataset,
    seeds: Sequence[int],
    settings: Mapping[str, Mapping[str, Settings]],
    folder: Path,
    protocol: Protocol,
) -> dict[str, tuple[float, ...]]:
    """The levels of every noise on a dataset at which the noisy images have given PSNRs."""
    levels, data = {}, settings["data"][name]
    for noise, model in noises.items():
        images = {**data, "sha256": data["sha256"][0.0]}
        facts = {"dataset": images, "noise": settings["noise"][noise]}
        path = folder / f"{file_name(noise)}.json"
        matches = match_levels(model, noise, dataset, name, list(seeds), facts, path, protocol)
        listed = [f"{match.level:g} ({match.psnr:.2f} dB)" for match in matches]
        log.info(
            f"matched on {name}: {noise} {', '.join(listed) or 'reaches none of these severities'}"
        )
        if matches:
            chosen = {match.level for match in matches}
            extra = {IN_DISTRIBUTION[1]} if noise == IN_DISTRIBUTION[0] else set()
            levels[noise] = tuple(sorted(chosen | extra))
    return levels
