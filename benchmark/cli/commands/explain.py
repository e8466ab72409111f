"""``bench explain``: which convention makes which part of the difference between two scores."""

from dataclasses import dataclass

from benchmark.cli.command import CommandLine, command, group
from benchmark.cli.objects.spec import Specs


@dataclass(frozen=True)
class ExplainOptions:
    """What is scored, and from which protocol.

    Parameters
    ----------
    model
        Denoisers: a name, a list or all.
    noise
        Noises: a name, a formula, a list or all.
    data
        Images: a name, a list or all.
    protocol
        Where to begin, as for bench run.
    to
        A protocol to go to, one change after the other; null changes each convention alone.
    seed
        Of noise and networks.
    out
        Gets explain.md and explain.csv; null writes nothing.
    device
        auto, cpu, cuda, cuda:1 ..., mps.
    threads
        Of torch on the CPU; null is all cores.
    """

    model: Specs = group("masked")
    noise: Specs = group("gaussian")
    data: Specs = group("photos")
    protocol: str = "masked"
    to: str | None = None
    seed: int = 0
    out: str | None = None
    device: str = "auto"
    threads: int | None = None


@command("explain")
def explain(options: ExplainOptions, line: CommandLine) -> None:
    """Which convention makes which part of a score: clipping, 8 bits, border, luma, SSIM's window.

      bench explain model=dncnn noise.gaussian.levels=[25]
      bench explain model=dncnn noise.gaussian.levels=[25] protocol=masked to=kair

    One set of outputs is scored under every convention, one change to the protocol at a time. With
    to= it goes from one protocol to another, and the changes add up to the whole difference.
    """
    import shlex
    from pathlib import Path

    from benchmark.cli.objects.grid import compose_grid, protocol_asked
    from benchmark.cli.objects.grid_options import of_whole_images
    from benchmark.cli.output import say_written
    from benchmark.console.log import console, log
    from benchmark.environment.device import pick_device, use_threads
    from benchmark.files.output import prepare
    from benchmark.metrics import MetricUnavailable
    from benchmark.studies import explain as study

    start, end = (
        protocol_asked(options.protocol),
        protocol_asked(options.to) if options.to else None,
    )
    if start == end:
        raise ValueError(
            f"protocol={options.protocol} and to={options.to} are the same; name two which differ"
        )
    device = pick_device(options.device)
    use_threads(options.threads)
    grid = compose_grid(of_whole_images(options, ("psnr", "ssim")))
    if options.out is not None:
        prepare(options.out, {"explain.md": "explain", "explain.csv": "conventions"})
    try:
        lpips = study.lpips_metrics()
    except MetricUnavailable:
        lpips = None
        log.info("without LPIPS, whose AlexNet is not among the downloads of torch.hub")
    found = study.measure(grid, start, end, device, lpips)
    for one in found:
        log.info(study.heading(one.cell, one.first.images))
        screen, shown = console(), study.table(one).terminal()
        unlimited = screen.options.update(width=10_000)
        is_wide = screen.measure(shown, options=unlimited).maximum > screen.width
        screen.print(study.table(one, brief=True).terminal() if is_wide else shown, crop=False)
    if options.out is not None:
        out = Path(options.out)
        say_written(study.write_pages(found, out, shlex.join(line.without("out"))), out)
