"""From the options of a run to its grid: objects and their settings."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.cli.objects.spec import Spec, Specs
from benchmark.cli.objects.specs import build, build_one, recorded_settings, spec_of
from benchmark.cli.registered.registries import REGISTRIES
from benchmark.console.log import log
from benchmark.datasets import Dataset
from benchmark.denoiser import Denoiser
from benchmark.denoiser.inference import Inference
from benchmark.denoiser.tiling import check_tile
from benchmark.denoiser.weights.load import read_header, shipped
from benchmark.denoiser.weights.sizes import own_settings
from benchmark.environment.device import pick_device
from benchmark.files.whole import file_name
from benchmark.metrics.metric import prepared
from benchmark.noise import NOISE_MODELS, NoiseModel
from benchmark.protocol import IN_DISTRIBUTION, REFERENCE, Protocol, protocol_of
from benchmark.registry import did_you_mean
from benchmark.scoring.grid import Grid
from benchmark.scoring.precision import choose_precision
from benchmark.settings import digest_of, joined

if TYPE_CHECKING:
    from benchmark.cli.objects.grid_options import GridOptions

Settings = dict[str, dict[str, dict[str, Any]]]  # group and name to what a cell's file says


def compose_grid(options: "GridOptions") -> Grid:
    """The grid which a run asks for.

    Raises
    ------
    ValueError
        If a setting is wrong, or weights or data are missing.
    """
    protocol = protocol_asked(options.protocol)
    specs: dict[str, dict[str, Spec]] = {g: dict(getattr(options, g)) for g in REGISTRIES}
    for name in options.reference:
        specs["model"].setdefault(name, spec_of("model", name))
    specs["data"] = _datasets(specs)
    _refuse_false_references(specs["model"])
    objects = {group: build(specs[group]) for group in REGISTRIES}
    settings = {
        group: {name: recorded_settings(spec) for name, spec in chosen.items()}
        for group, chosen in specs.items()
    }
    identities = {}
    for name, dataset in objects["data"].items():
        identities[name] = {float(lv): dataset.identities(lv) for lv in dataset.levels}
        by_level = {level: digest_of(images.values()) for level, images in identities[name].items()}
        facts = {"images": len(dataset), "sha256": by_level}
        settings["data"][name] = joined(f"dataset '{name}'", settings["data"][name], facts)
    inference = _inference(options, objects["model"])
    for name, how in inference.items():
        facts = _of_identity(how)
        settings["model"][name] = joined(f"model '{name}'", settings["model"][name], facts)
    return Grid(
        models=objects["model"],
        noises=objects["noise"],
        datasets=objects["data"],
        metrics=objects["metric"],
        levels=_levels(options, objects["noise"], objects["data"], settings),
        seeds=list(options.seeds),
        settings=settings,
        inference=inference,
        identities=identities,
        protocol=protocol,
    )


def protocol_asked(text: str) -> Protocol:
    """The protocol of a command line, whose noises are all registered.

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


def _refuse_false_references(models: Specs) -> None:
    """Raise ``ValueError`` for a variant with the name of what others are compared with."""
    for name in REFERENCE:
        if name in models and models[name].cls.name != name:
            raise ValueError(
                f"'{name}' stands for itself in every table, and cannot be the name of a "
                f"'{models[name].cls.name}'; give that another name: '+model.NAME={{of: ...}}'"
            )


def _inference(options: "GridOptions", models: Mapping[str, Denoiser]) -> dict[str, Inference]:
    """How each model is run; where its precision was measured, a line says so."""
    device, inference = pick_device(options.device), {}
    for name, model in models.items():
        precision, measured = choose_precision(options.precision, model, device)
        if measured:
            log.info(measured)
        inference[name] = Inference(_tile(options.tile, model), precision)
    return inference


def _tile(asked: str, model: Denoiser) -> int | str:
    if asked in ("auto", "none"):
        return asked
    if not asked.isdecimal():
        raise ValueError(f"unknown tile={asked}; take auto, none, or a side in pixels: tile=256")
    check_tile(int(asked), model.multiple)
    return "none" if model.pointwise else int(asked)


def _of_identity(how: Inference) -> dict[str, object]:
    """What is part of a cell's identity: tiles which were asked for, and a precision below fp32."""
    tile: dict[str, object] = {"tile": how.tile} if isinstance(how.tile, int) else {}
    return tile | ({"precision": how.precision} if how.precision != "fp32" else {})


def _datasets(specs: Mapping[str, dict[str, Spec]]) -> dict[str, Spec]:
    """The datasets of a run, with those which the chosen noises bring; the latter leave ``noise``.

    Where every noise is recorded, clean images have no use and are left out.
    """
    recordings = {
        name: specs["noise"].pop(name)
        for name, spec in list(specs["noise"].items())
        if issubclass(spec.cls, Dataset)
    }
    used = {
        name: spec for name, spec in specs["data"].items() if specs["noise"] or spec.cls.recorded
    }
    for name in specs["noise"].keys() & used.keys():
        raise ValueError(f"'{name}' is a noise and a dataset of this run; rename one of them")
    return {**used, **recordings}


def _levels(
    options: "GridOptions",
    noises: dict[str, NoiseModel],
    datasets: dict[str, Dataset],
    settings: Settings,
) -> dict[str, dict[str, tuple[float, ...]]]:
    """The levels of every noise on every dataset: the noise's own, or chosen by noisy PSNR."""
    if options.levels not in (None, "matched"):
        raise ValueError(
            f"levels={options.levels} is unknown; take levels=matched, or leave it away and set "
            f"single ones with noise.NAME.levels=[...]"
        )
    levels = {}
    for name, dataset in datasets.items():
        if dataset.recorded:
            levels[name] = {name: dataset.levels}
        elif options.levels is None:
            levels[name] = {noise: model.levels for noise, model in noises.items()}
        else:
            folder = Path(options.out) / "matched" / name
            seeds = list(options.seeds)
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
    from benchmark.scoring.matched import match_levels  # loads scipy.optimize

    levels, data = {}, settings["data"][name]
    for noise, model in noises.items():
        images = {**data, "sha256": data["sha256"][0.0]}
        facts = {"dataset": images, "noise": settings["noise"][noise]}
        path = folder / f"{file_name(noise)}.json"
        matches = match_levels(model, noise, dataset, name, seeds, facts, path)
        listed = [f"{match.level:g} ({match.psnr:.2f} dB)" for match in matches]
        log.info(
            f"matched on {name}: {noise} {', '.join(listed) or 'reaches none of these severities'}"
        )
        if matches:
            chosen = {match.level for match in matches}
            extra = {IN_DISTRIBUTION[1]} if noise == IN_DISTRIBUTION[0] else set()
            levels[noise] = tuple(sorted(chosen | extra))
    return levels


def with_available_metrics(grid: Grid) -> Grid:
    """The grid without the metrics that lack a package or weights, each named once."""
    available, unavailable = prepared(grid.metrics)
    for name, why in unavailable.items():
        log.info(f"no column {name}: {why}")
    if not available:
        raise ValueError("none of the metrics asked for is available; try metric=[psnr,ssim]")
    settings = {
        **grid.settings,
        "metric": {name: grid.settings["metric"][name] for name in available},
    }
    return replace(grid, metrics=available, settings=settings)


def variants_of(models: Specs) -> dict[str, dict[str, Denoiser]]:
    """By name of each model, its class's other ways to test the same weights, by their names."""
    return {
        name: {
            variant: build_one(replace(spec, settings={**spec.settings, **changes}))
            for variant, changes in spec.cls.variants.items()
            if any(spec.settings.get(key) != value for key, value in changes.items())
        }
        for name, spec in models.items()
    }


def shipped_tiny(models: Specs) -> str:
    """Which networks ship only weights of the size "tiny", and how these were trained otherwise
    than published, as one line; empty if none. Those whose weights are named do not count."""
    classes = [spec.cls for spec in models.values() if not spec.settings.get("weights")]
    paths = {cls.name: shipped(cls) for cls in classes if cls.learned}
    paths = {name: path for name, path in paths.items() if path.stem != name}
    if not paths:
        return ""
    ours = {name: own_settings(read_header(path)) for name, path in paths.items()}
    parts = [f"; {name} was trained with {settings}" for name, settings in ours.items() if settings]
    return (
        f"{', '.join(paths)}: tiny networks, trained for minutes on a CPU; they stand in until "
        f"better ones are trained{''.join(parts)}"
    )
