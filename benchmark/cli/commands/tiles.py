"""``bench tiles``: what changes where images are restored in tiles instead of whole."""

from dataclasses import dataclass

from benchmark.cli.command import CommandLine, command, group
from benchmark.objects.spec import Specs


@dataclass(frozen=True)
class TilesOptions:
    """What is restored in which tiles.

    Parameters
    ----------
    model
        Denoisers: a name, a list or all.
    noise
        Noises: a name, a formula, a list or all.
    data
        Images: a name, a list or all.
    tiles
        Their sides in pixels: multiples of 8, 64 or more; every image has to be larger.
    seed
        Of noise and networks.
    out
        Gets tiles.md and tiles.csv.
    device
        auto, cpu, cuda, cuda:1 ..., mps.
    threads
        Of torch on the CPU; null is all cores.
    """

    model: Specs = group("masked")
    noise: Specs = group("gaussian")
    data: Specs = group("photos")
    tiles: tuple[int, ...] = (128, 192)
    seed: int = 0
    out: str = "results/tiles"
    device: str = "auto"
    threads: int | None = None


@command("tiles")
def tiles(options: TilesOptions, line: CommandLine) -> None:
    """How far an image restored in tiles is from the same one restored whole.

      bench tiles model=masked
      bench tiles model=[masked,dncnn,tv] data=kodak24 tiles=[128,256] noise.gaussian.levels=[15]

    The largest difference of a pixel, and that of the PSNR, for each model, its variants and each
    tile. A stochastic network draws other numbers in tiles than for the whole image.
    """
    import shlex
    from pathlib import Path

    from benchmark.cli.objects.grid import compose_grid, variants_of
    from benchmark.cli.objects.grid_options import of_whole_images
    from benchmark.cli.output import say_written, write_study_readme
    from benchmark.console.log import log
    from benchmark.environment.device import pick_device, use_threads
    from benchmark.files.output import prepare
    from benchmark.studies import tiles as study

    device, out = pick_device(options.device), Path(options.out)
    use_threads(options.threads)
    grid = compose_grid(of_whole_images(options, ("psnr",)))
    prepare(options.out, {"tiles.md": "tiles", "tiles.csv": "ways"})
    table = study.measure_tiles(grid, variants_of(options.model), list(options.tiles), device)
    weights = {n: s["weights"] for n, s in grid.settings["model"].items() if "weights" in s}
    command = line.without("out")
    written = study.write_pages(table, out, shlex.join(command), weights)
    written += write_study_readme(grid.facts(device), written, out, command)
    for _, row in study.summarize(table).iterrows():
        log.info(
            f"{row['model']}, {row['noise']} {row['level']:g} on {row['dataset']}, "
            f"{row['inference']}: {row['psnr_difference']:+.4f} dB, at most "
            f"{row['difference']:.3f} of 255 in a pixel"
        )
    say_written(written, out)
