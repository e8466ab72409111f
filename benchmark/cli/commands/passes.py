"""``bench passes``: what the mean of several outputs of a stochastic network gains."""

from dataclasses import dataclass

from benchmark.cli.command import CommandLine, command, group
from benchmark.objects.spec import Specs


@dataclass(frozen=True)
class PassesOptions:
    """What is drawn of which network.

    Parameters
    ----------
    model
        Stochastic networks: a name or a list.
    noise
        Noises: a name, a formula, a list or all.
    data
        Images: a name, a list or all.
    passes
        Outputs drawn for each image.
    averaged
        How many of them make a mean, 1 among these; groups share no output.
    seed
        Of noise and networks.
    out
        Gets passes.md, passes.csv, and in draws/ every image's scores.
    device
        auto, cpu, cuda, cuda:1 ..., mps.
    threads
        Of torch on the CPU; null is all cores.
    """

    model: Specs = group("masked")
    noise: Specs = group("gaussian")
    data: Specs = group("photos")
    passes: int = 32
    averaged: tuple[int, ...] = (1, 2, 4, 8, 16)
    seed: int = 0
    out: str = "results/passes"
    device: str = "auto"
    threads: int | None = None


@command("passes", goes_on=True)
def passes(options: PassesOptions, line: CommandLine) -> None:
    """A stochastic network: how far its runs differ, what the mean of several gains.

      bench passes model=masked
      bench passes data=kodak24 noise=[gaussian,poisson] noise.gaussian.levels=[15,50]
      bench passes '+model.mine={of: masked, weights: mine.safetensors}' passes=64

    Every image is restored many times, each time under a seed of its own. A table for each level
    has PSNR and SSIM of one pass, of the mean of several and of the network's variants, their gain
    over one pass, the standard deviation over runs, and the cost; below it stands whether the two
    claims of the author of masked training hold. Run the same command again after an
    interruption: it goes on from its last image.
    """
    import shlex
    from pathlib import Path

    from benchmark.cells import Cell, ResultStore
    from benchmark.cli.objects.grid import compose_grid, variants_of
    from benchmark.cli.objects.grid_options import of_whole_images
    from benchmark.cli.output import say_written, write_study_readme
    from benchmark.console.log import log
    from benchmark.environment.device import pick_device, use_threads
    from benchmark.files.output import prepare
    from benchmark.studies import passes as study

    averaged = options.averaged
    if not line.given("averaged"):  # its default is for many passes
        averaged = tuple(number for number in averaged if number <= max(options.passes, 2))
    draws = study.Draws(options.passes, averaged)
    device, out = pick_device(options.device), Path(options.out)
    use_threads(options.threads)
    grid = compose_grid(of_whole_images(options, study.SCORES))
    prepare(options.out, {"passes.md": "passes", "passes.csv": "draws"})
    for name, settings in grid.settings["model"].items():
        if settings.get("passes", 1) != 1:
            raise ValueError(
                f"'{name}' averages {settings['passes']} passes by itself, but here single ones "
                f"are counted; leave out model.{name}.passes"
            )
    store = ResultStore(out / "draws", study.is_drawn)
    records = study.measure(grid, variants_of(options.model), store, draws, device)
    command = line.without("out")
    written = study.write_pages(records, out, shlex.join(command))
    written += write_study_readme(records, [*written, store.root], out, command)
    for record in records:
        summary = study.summarize(record)
        verdicts = f"{study.stability(summary).sentence} {study.gain(summary).sentence}"
        log.info(f"{Cell(**record['cell'])}: {verdicts}")
    say_written(written, out)
