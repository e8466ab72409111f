"""From the options of ``bench analyse`` to what its study is told."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from benchmark.cli.objects.grid import compose_grid
from benchmark.cli.objects.grid_options import of_whole_images
from benchmark.cli.objects.specs import by_name
from benchmark.cli.shown.options import looks
from benchmark.environment.device import pick_device
from benchmark.files.output import prepare
from benchmark.protocol import IN_DISTRIBUTION
from benchmark.registry import did_you_mean
from benchmark.reporting.figures.saving import FORMATS
from benchmark.studies.analyses import Setup, cka, completion, conditions, features, field, srga
from benchmark.studies.analyses.look import Look

if TYPE_CHECKING:
    from benchmark.cli.command import CommandLine
    from benchmark.cli.commands.analyse import AnalyseOptions

ANALYSES = {
    "cka": cka,
    "srga": srga,
    "features": features,
    "completion": completion,
    "field": field,
}


def analysis_of(kind: str) -> ModuleType:
    """The study of a name.

    Raises
    ------
    ValueError
        If there is none.
    """
    if kind not in ANALYSES:
        known = [*ANALYSES, "predict"]
        hint = did_you_mean(kind, known)
        raise ValueError(f"unknown analysis '{kind}'{hint} Known: {', '.join(known)}")
    return ANALYSES[kind]


def look_of(options: "AnalyseOptions", models: Collection[str], noises: Collection[str]) -> Look:
    """What models and noises are called, and how figures look.

    Raises
    ------
    ValueError
        As `benchmark.cli.shown.options.looks`.
    """
    labels, style = looks(options.labels, options.style, models, noises)
    return Look(labels, replace(style, columns=options.columns or style.columns))


def setup_of(options: "AnalyseOptions", study: ModuleType, out: Path, line: "CommandLine") -> Setup:
    """What a study is told: the grid with the reference's noise in it, and sizes.

    Raises
    ------
    ValueError
        If a setting is wrong or not of this study, weights or data are missing, or a page in the
        folder is another's.
    """
    if unused := line.given(*study.UNUSED, "scores"):
        raise ValueError(f"{options.kind} makes no use of it; leave out {' '.join(unused)}")
    pages = {f"{options.kind}.md": options.kind, f"{options.kind}.csv": f"{options.kind} table"}
    prepare(out, pages, [f"{options.kind}*.{end}" for end in FORMATS])
    device = pick_device(options.device)
    reference = by_name("noise", IN_DISTRIBUTION[:1])
    others = options.noise if study.COMPARES or line.given("noise") else {}
    wanted = replace(options, noise={**reference, **others})
    grid = compose_grid(of_whole_images(wanted, ("psnr",)))
    return Setup(
        grid=conditions(grid, others, options.levels),
        out=out,
        crops=study.CROPS if options.crops is None else options.crops,
        side=study.SIDE if options.side is None else options.side,
        batch=options.batch,
        layers=options.layers,
        hidden=options.hidden,
        device=device,
    )
