"""From the options of ``bench analyse`` to what its study is told."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from benchmark.cli.objects.grid import compose_grid
from benchmark.cli.objects.grid_options import of_whole_images
from benchmark.cli.objects.specs import by_name
from benchmark.environment.device import pick_device
from benchmark.files.output import prepare
from benchmark.protocol import IN_DISTRIBUTION
from benchmark.registry import did_you_mean
from benchmark.reporting.figures.saving import FORMATS
from benchmark.studies.analyses import Setup, cka, conditions, features, srga

if TYPE_CHECKING:
    from benchmark.cli.commands.analyse import AnalyseOptions

ANALYSES = {"cka": cka, "srga": srga, "features": features}


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


def setup_of(options: "AnalyseOptions", study: ModuleType, out: Path) -> Setup:
    """What a study is told: the grid with the reference's noise in it, and sizes.

    Raises
    ------
    ValueError
        If a setting is wrong, weights or data are missing, or a page in the folder is another's.
    """
    pages = {f"{options.kind}.md": options.kind, f"{options.kind}.csv": f"{options.kind} table"}
    prepare(out, pages, [f"{options.kind}*.{end}" for end in FORMATS])
    device = pick_device(options.device)
    reference = by_name("noise", IN_DISTRIBUTION[:1])
    wanted = replace(options, noise={**reference, **options.noise})
    grid = compose_grid(of_whole_images(wanted, ("psnr",)))
    return Setup(
        grid=conditions(grid, options.noise, options.levels),
        out=out,
        crops=study.CROPS if options.crops is None else options.crops,
        side=study.SIDE if options.side is None else options.side,
        batch=options.batch,
        layers=options.layers,
        device=device,
    )
