"""``bench export``: noisy images as files, for programs which `bench` cannot run."""

from dataclasses import dataclass

from benchmark.cli.command import CommandLine, command, group
from benchmark.objects.spec import Specs


@dataclass(frozen=True)
class ExportOptions:
    """Which noisy images are written.

    Parameters
    ----------
    noise
        Noises: a name, a formula, a list, all, or paper, the noises of the paper.
    data
        Images: a name, a list or all.
    protocol
        As of bench run. Where it rounds noisy images they are PNG of 8 bits or TIFF of 16, else
        TIFF of 32-bit numbers. One protocol a folder.
    levels
        null: each noise's own; matched: as of bench run.
    seeds
        Noisy versions of every image, one each.
    clean
        Whether the clean images are written as well, into OUT/clean.
    out
        The folder: DATASET/NOISE-LEVEL-SEED/IMAGE.png, and manifest.json.
    """

    noise: Specs = group("all")
    data: Specs = group("photos")
    protocol: str = "masked"
    levels: str | None = None
    seeds: tuple[int, ...] = (0,)
    clean: bool = False
    out: str = "noisy"


@command("export", goes_on=True)
def export(options: ExportOptions, line: CommandLine) -> None:
    """Noisy images as files, to restore them with another program and score what it made.

    bench export noise=paper data=kodak24 out=noisy
    bench export noise=gaussian noise.gaussian.levels=[25] protocol=float out=unrounded
    bench run model=files model.files.path=restored model.files.manifest=noisy/manifest.json

    The other program writes each restored image under the name of its noisy one into another
    folder; the last line scores that as bench run scores a model.
    """
    from benchmark.cli.objects.grid import compose_grid
    from benchmark.cli.objects.grid_options import GridOptions
    from benchmark.console.log import log
    from benchmark.files.output import prepare, refuse_among_images
    from benchmark.scoring.exported.export import export as write
    from benchmark.scoring.exported.manifest import NAME

    out = prepare(options.out, {NAME: "manifest"})
    grid = compose_grid(
        GridOptions(
            model={},
            noise=options.noise,
            data=options.data,
            metric={},
            protocol=options.protocol,
            levels=options.levels,
            seeds=options.seeds,
            reference=(),
            out=options.out,
        )
    )
    refuse_among_images(out, grid.datasets)
    manifest = write(grid, out, options.clean)
    count = len(manifest.entries)
    images = f"{count} noisy image{'s' * (count != 1)}"
    log.info(f"{out / NAME} lists {images}: {manifest.conditions()}")
    log.info(
        "restore each, save it under the same name in another folder, then: bench run model=files "
        f"model.files.path=FOLDER model.files.manifest={out / NAME}"
    )
