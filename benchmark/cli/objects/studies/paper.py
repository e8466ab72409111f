"""From the options of ``bench paper`` to its plan: sizes, weights, folders and shared words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from omegaconf import OmegaConf

from benchmark.cells import ResultStore
from benchmark.cells.scores import Scores
from benchmark.cli.command import CommandLine, all_commands
from benchmark.cli.objects.chosen import ablation_of
from benchmark.cli.objects.specs import spec_of
from benchmark.cli.registered.catalogue import open_catalogue, unavailable
from benchmark.cli.shown.options import stored_scores
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.denoiser.weights.load import all_shipped, read_header, shipped
from benchmark.objects.spec import Specs
from benchmark.reporting.tables import ABSENT, Table
from benchmark.signature import settings_of, spelled
from benchmark.studies.paper.architecture import Architecture
from benchmark.studies.paper.parts import Part
from benchmark.studies.paper.plan import NETWORKS, PRESETS, Plan
from benchmark.studies.variants import Ablation
from benchmark.training.recipe import Execution, Recipe

if TYPE_CHECKING:
    from benchmark.cli.commands.paper import PaperOptions

FOLDERS = ("scores", "ablations", "analyses", "training")
ORDER = ("masks", "attention_ratio", "input_ratio", "ihc")  # of ablations, the paper's
RECIPE = (*(f.name for f in fields(Recipe)), *(f.name for f in fields(Execution)))
NOT_HERE = {  # of the paper, whatever is on this machine
    "the mixture": "the paper never published its mixture of noises; ours is an estimate from one "
    "image of its kind, in four steps",
    "the Monte-Carlo test images": "never published; ours are our own scenes, rendered anew",
    "most levels": "of speckle, Poisson, salt and pepper and correlated noise come from the noisy "
    "images that the authors gave out, or are guesses; docs/noises.md says which",
}


def plan_of(options: PaperOptions, line: CommandLine) -> Plan:
    """What is asked for.

    Raises
    ------
    ValueError
        If there is no such size, a network does not name it, or there are several sets of images.
    """
    _check_size(options.size)
    if len(options.data) != 1:
        raise ValueError(
            f"bench paper tests on one set of images, got data={spelled([*options.data])}; name one"
        )
    ((dataset, images),) = options.data.items()
    tested = [f"test_data={dataset}"]
    tested += [f"test_{key}={spelled(images.settings.get(key))}" for key in ("crop", "limit")]
    out = Path(options.out)
    folders = {name: Path(getattr(options, name) or out / name) for name in FOLDERS}
    weights, to_train = {}, []
    for name in NETWORKS:
        file, cls = _file_name(name, options.size), DENOISERS[name]
        if file not in all_shipped(cls):
            weights[name] = str(folders["training"] / file / f"{file}.safetensors")
            to_train.append(name)
        elif shipped(cls).stem != file:
            weights[name] = file
    return Plan(
        size=options.size,
        preset=options.preset if line.given("preset") else PRESETS[options.size],
        out=out,
        folders=folders,
        dataset=dataset,
        data=tuple(line.given("data")) or (f"data={dataset}",),
        tested=tuple(tested),
        recipe=tuple(line.given(*RECIPE)),
        machine=tuple(line.given("device", "threads")),
        weights=weights,
        variants=_variants(options.size),
        to_train=tuple(to_train),
        ablations={name: _ablation(name) for name in ORDER},
        absent={**NOT_HERE, **_no_sidd()},
    )


def refuse_untold(plan: Plan, data: Specs, parts: Sequence[Part]) -> None:
    """Raise ``ValueError`` for parts whose ablations cannot be told which images to test on.

    ``bench ablate`` takes the name of a registered dataset, a crop and a limit.
    """
    ablated = [part for part in parts if plan.ablations.keys() & {*part.runs}]
    images = data[plan.dataset]
    known = plan.dataset in open_catalogue().groups["data"]
    default = spec_of("data", plan.dataset).settings if known else {}
    told = {key: images.settings.get(key) for key in ("crop", "limit")}
    if not ablated or (known and {**default, **told} == images.settings):
        return
    others = [part.name for part in parts if part not in ablated]
    rest = f": only=[{','.join(others)}]" if others else ""
    raise ValueError(
        f"{', '.join(part.name for part in ablated)} test ablations on a registered set of images, "
        f"of which crop and limit may be set, and {plan.dataset} has other settings; choose such a "
        f"set with data=NAME, or leave these parts out{rest}"
    )


def _check_size(size: str) -> None:
    if size not in PRESETS:
        raise ValueError(f"size={size} is unknown; choose one of: {', '.join(PRESETS)}")
    lacking = [n for n in NETWORKS if size != "published" and size not in DENOISERS[n].sizes]
    if lacking:
        there = {s for name in lacking for s in DENOISERS[name].sizes}
        raise ValueError(
            f"{', '.join(lacking)} {'name' if len(lacking) > 1 else 'names'} no size '{size}'; "
            f"choose {' or '.join(sorted({*there & {*PRESETS}, 'published'}))}"
        )


def _file_name(network: str, size: str) -> str:
    """What the weights of a network are called at a size."""
    return network if size == "published" else f"{network}_{size}"


def _variants(size: str) -> dict[str, str]:
    """Further weights of the masked network which ship at this size, by a name for them."""
    end = "" if size == "published" else f"_{size}"
    sizes = tuple(f"_{name}" for name in PRESETS)
    found = {}
    for file in all_shipped(DENOISERS["masked"]):
        name = file.removesuffix(end)
        if file.endswith(end) and name != "masked" and not name.endswith(sizes):
            found[name] = file
    return found


def _ablation(name: str) -> Ablation:
    file = resources.files("benchmark.cli.conf") / "ablation" / f"{name}.yaml"
    config: Any = OmegaConf.create(file.read_text("utf-8"))
    ablate = all_commands()["ablate"]
    return ablation_of(config, [*ablate.settings, *ablate.groups])


def _no_sidd() -> dict[str, str]:
    entry = open_catalogue().groups["noise"].get("sidd")
    why = unavailable("noise", entry) if entry else "no such noise"
    where = "bench list noise says where its files are from"
    return {"SIDD": f"{why} in NOISEBENCH_DATA; {where}"} if why else {}


def scores_of(store: ResultStore) -> Scores:
    """The scores of a folder's cells, by whichever protocol."""
    return stored_scores(store, None)


def architecture_of(plan: Plan) -> Architecture:
    """The masked network of this size, as its weights say, where they are there."""
    cls = DENOISERS["masked"]
    settings = _settings(cls, plan.size)
    header = _header(plan, "masked")
    return Architecture.of({**settings, **header.get("arguments", {})}, _count(cls, plan.size))


def networks_of(plan: Plan) -> tuple[Table, str]:
    """Parameters of every network beside the published ones, and what it was trained on."""
    header = ["network", "parameters", "published", "trained, here", "weights"]
    rows = [list(_line(plan, name)) for name in plan.models]
    budget = (
        "The published training is 200,000 steps of 64 crops of 64x64. A masked network whose name "
        "says no ratio of hidden pixels was trained with "
        f"{_ratio(plan, 'masked') or 'the published one'}; in ablations `masked` is another one, "
        "trained with the paper's 80 to 90 %."
    )
    return Table(header, rows, left=[header[0], *header[3:]]), budget


def _line(plan: Plan, name: str) -> Iterator[str]:
    cls = DENOISERS["masked" if name in plan.variants else name]
    header = _header(plan, name)
    training = header.get("training", {})
    recipe = training.get("recipe", {})
    yield name
    yield f"{_count(cls, plan.size):,}"
    yield f"{_count(cls, 'published'):,}"
    steps = training.get("steps", recipe.get("steps"))
    yield (
        f"{steps:,} steps of {recipe['batch']} crops of {recipe['patch']}x{recipe['patch']}"
        if steps and {"batch", "patch"} <= recipe.keys()
        else ABSENT
    )
    if not header:
        yield "missing"
    else:
        yield "trained here" if name in plan.to_train else "shipped"


def _ratio(plan: Plan, name: str) -> str:
    ratio = _header(plan, name).get("arguments", {}).get("input_ratio")
    return f"{ratio[0]} to {ratio[1]} %" if ratio else ""


def _header(plan: Plan, name: str) -> dict[str, Any]:
    """What the weights of a model say of themselves; nothing where they are missing."""
    cls = DENOISERS["masked" if name in plan.variants else name]
    known = all_shipped(cls)
    file = plan.variants.get(name) or _file_name(name, plan.size)
    path = known.get(file) or Path(plan.weights.get(name, file))
    return read_header(path) if path.is_file() else {}


def _settings(cls: type[Denoiser], size: str) -> dict[str, Any]:
    defaults = {key: default for key, (_, default) in settings_of(cls).items()}
    return {**defaults, **cls.sizes.get(size, {})}


def _count(cls: type[Denoiser], size: str) -> int:
    """How many numbers a network trains at a size; nothing of it is computed."""
    with torch.device("meta"):
        network = cls(**cls.sizes.get(size, {}))
    return sum(parameter.numel() for parameter in network.parameters())
