"""``bench explain``: which convention makes which part of the difference between two scores."""

from dataclasses import dataclass

from benchmark.cli.command import CommandLine, command, group
from benchmark.objects.spec import Specs


@dataclass(frozen=True)
class ExplainOptions:
    """What is scored, and from which protocol.

    Parameters
    ----------
    cell
        Stored cells in place of model, noise and data, named as for bench repro: FOLDER/ and
        MODEL/DATASET/NOISE-LEVEL-SEED, of results/local without FOLDER/; or a folder, for all.
    model
        Denoisers: a name, a list or all.
    noise
        Noises: a name, a formula, a list or all.
    data
        Images: a name, a list or all.
    protocol
        Where to begin, as for bench run; null: where a stored cell was scored, else masked.
    to
        A protocol to go to, one change after the other; null changes each convention alone.
    seed
        Of noise and networks.
    weights, images
        Where a stored cell's files and images are looked for, as for bench repro.
    out
        Gets explain.md and explain.csv; null writes nothing.
    device
        auto, cpu, cuda, cuda:1 ..., mps.
    threads
        Of torch on the CPU; null is all cores.
    """

    cell: tuple[str, ...] = ()
    model: Specs = group("masked")
    noise: Specs = group("gaussian")
    data: Specs = group("photos")
    protocol: str | None = None
    to: str | None = None
    seed: int = 0
    weights: tuple[str, ...] = ()
    images: str | None = None
    out: str | None = None
    device: str = "auto"
    threads: int | None = None


@command("explain", first_word="cell")
def explain(options: ExplainOptions, line: CommandLine) -> None:
    """Which convention makes which part of a score: clipping, 8 bits, border, luma, SSIM's window.

      bench explain model=dncnn noise.gaussian.levels=[25]
      bench explain model=dncnn noise.gaussian.levels=[25] protocol=masked to=kair
      bench explain results/kodak24/masked/kodak24/gaussian-25-0     a stored cell

    One set of outputs is scored under every convention, one change to the protocol at a time. With
    to= it goes from one protocol to another, and the changes add up to the whole difference. A
    stored cell begins with the protocol it was scored by.
    """
    import shlex
    from dataclasses import replace
    from pathlib import Path

    from benchmark.cli.objects.again import explained_grids
    from benchmark.cli.output import say_written
    from benchmark.console.log import fits, log
    from benchmark.environment.device import pick_device, use_threads
    from benchmark.files.output import prepare
    from benchmark.metrics import MetricUnavailable
    from benchmark.scoring.compose import protocol_asked
    from benchmark.studies import explain as study

    if options.cell and (given := line.given("model", "noise", "data", "seed")):
        raise ValueError(f"a stored cell says itself what it is of; leave out {' '.join(given)}")
    asked = protocol_asked(options.protocol) if options.protocol else None
    end = protocol_asked(options.to) if options.to else None
    device = pick_device(options.device)
    use_threads(options.threads)
    grids = explained_grids(options, device)
    if options.out is not None:
        prepare(options.out, {"explain.md": "explain", "explain.csv": "conventions"})
    try:
        lpips = study.lpips_metrics()
    except MetricUnavailable:
        lpips = None
        log.info("without LPIPS, whose AlexNet is not here; bring it with: bench fetch lpips")
    found: list[study.Explained] = []
    for grid, record in grids:
        start = asked or grid.protocol
        if start == end:
            raise ValueError(
                f"protocol={options.protocol or start.name} and to={options.to} are the same; name "
                f"two which differ"
            )
        border = study.border_of(record) if record and not asked else None
        for one in study.measure(grid, start, end, device, lpips, border):
            one = replace(one, stored=study.in_words(record)) if record else one
            log.info(study.heading(one))
            whole = study.table(one)
            (whole if fits(whole.terminal()) else study.table(one, brief=True)).show()
            found.append(one)
    if options.out is not None:
        out = Path(options.out)
        say_written(study.write_pages(found, out, shlex.join(line.without("out"))), out)
