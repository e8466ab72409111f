"""From the options of a run to its grid, and what else is made of its models."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.cli.objects.missing import refuse_missing
from benchmark.cli.objects.specs import spec_of
from benchmark.datasets import Dataset
from benchmark.denoiser import Denoiser
from benchmark.denoiser.weights.load import read_header, shipped
from benchmark.denoiser.weights.sizes import own_settings
from benchmark.environment.device import pick_device
from benchmark.objects.building import build_one, chosen_of
from benchmark.objects.registries import REGISTRIES
from benchmark.objects.spec import Specs
from benchmark.offline.asked import offline_by
from benchmark.scoring.compose import compose, protocol_asked
from benchmark.scoring.grid import Grid

if TYPE_CHECKING:
    from benchmark.cli.objects.grid_options import GridOptions


def compose_grid(options: "GridOptions") -> Grid:
    """The grid which a run asks for.

    Raises
    ------
    ValueError
        If a setting is wrong, or weights or data are missing.
    """
    protocol = protocol_asked(options.protocol)
    if options.levels not in (None, "matched"):
        raise ValueError(
            f"levels={options.levels} is unknown; take levels=matched, or leave it away and set "
            f"single ones with noise.NAME.levels=[...]"
        )
    specs = _specs(options)
    refuse_missing(needed_specs(options), metrics=options.offline or offline_by() is not None)
    chosen = {group: chosen_of(found) for group, found in specs.items()}
    return compose(
        *(chosen[group] for group in ("model", "noise", "data", "metric")),
        protocol=protocol,
        seeds=options.seeds,
        device=pick_device(options.device),
        tile=options.tile,
        precision=options.precision,
        runtime=options.runtime,
        matched=Path(options.out) / "matched" if options.levels else None,
    )


def needed_specs(options: "GridOptions") -> dict[str, Specs]:
    """What a run is made of, by group; as data only what it opens."""
    specs = _specs(options)
    return {**specs, "data": _used_datasets(specs)}


def _specs(options: "GridOptions") -> dict[str, Specs]:
    """What a run asks for, by group, with the models beside."""
    specs: dict[str, Specs] = {group: getattr(options, group) for group in REGISTRIES}
    beside = [name for name in options.reference if name not in specs["model"]]
    references = {name: spec_of("model", name) for name in beside}
    noises, datasets = _told_once(specs["noise"], specs["data"])
    models = {**specs["model"], **references}
    return {**specs, "model": models, "noise": noises, "data": datasets}


def _told_once(noises: Specs, datasets: Specs) -> tuple[Specs, Specs]:
    """Both, where a recorded noise and a dataset of one name are one, with the settings of either.

    Raises
    ------
    ValueError
        If both have settings, and others.
    """
    same = {}
    for name in noises.keys() & datasets.keys():
        noise, dataset = noises[name], datasets[name]
        if noise.cls is not dataset.cls or noise.settings == dataset.settings:
            continue
        default = spec_of("noise", noise.cls.name).settings
        if default not in (noise.settings, dataset.settings):
            raise ValueError(
                f"'{name}' is a noise and a dataset of this run, with other settings each; set "
                f"one of them: noise.{name}.* or data.{name}.*"
            )
        told = noise if dataset.settings == default else dataset
        same[name] = replace(noise, settings=told.settings)
    return {**noises, **same}, {**datasets, **same}


def _used_datasets(specs: Mapping[str, Specs]) -> Specs:
    """The images which a run opens: those it names, unless no noise is added, and recorded ones."""
    recorded = {name: s for name, s in specs["noise"].items() if issubclass(s.cls, Dataset)}
    is_added = recorded.keys() != specs["noise"].keys()
    named = {name: s for name, s in specs["data"].items() if is_added or s.cls.recorded}
    return {**named, **recorded}


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


def stand_ins(models: Specs) -> str:
    """Which networks ship only weights of a smaller size than the published one, of which size, and
    how these were trained otherwise than published, as one line; empty if none. Those whose
    weights are named do not count."""
    classes = [spec.cls for spec in models.values() if not spec.settings.get("weights")]
    paths = {cls.name: shipped(cls) for cls in classes if cls.learned}
    paths = {name: path for name, path in paths.items() if path.stem != name}
    if not paths:
        return ""
    sizes = {name: path.stem.removeprefix(f"{name}_") for name, path in paths.items()}
    named = [
        f"{', '.join(name for name, of in sizes.items() if of == size)}: {size} networks"
        for size in dict.fromkeys(sizes.values())
    ]
    ours = {name: own_settings(read_header(path)) for name, path in paths.items()}
    parts = [f"; {name} was trained with {settings}" for name, settings in ours.items() if settings]
    return (
        f"{'; '.join(named)}, trained on a CPU; they stand in until better ones are "
        f"trained{''.join(parts)}"
    )
