"""What a grid is composed from; the commands which score one have these options, and more."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.cli.command import group
from benchmark.objects.spec import Specs

if TYPE_CHECKING:
    from benchmark.cli.commands.analyse import AnalyseOptions
    from benchmark.cli.commands.explain import ExplainOptions
    from benchmark.cli.commands.passes import PassesOptions
    from benchmark.cli.commands.tiles import TilesOptions


@dataclass(frozen=True)
class GridOptions:
    """What a grid is told.

    Parameters
    ----------
    model
        Denoisers: a name, a list or all.
    noise
        Noises: a name, a formula, a list, all, or paper, the noises of the paper.
    data
        Images: a name, a list or all.
    metric
        Metrics: a name, a list or all.
    protocol
        How images are treated and compared: masked, kair, kair_grey, swinir, restormer,
        clipdenoising, sidd or float, and changes in parentheses: 'kair(border=2)',
        'masked(bits=16)'. One protocol a folder.
    levels
        null: each noise's own; matched: those at which the dataset's noisy images have 28, 25, 22
        and 19 dB, found by bisection and kept in OUT/matched.
    seeds
        Noisy versions of every image, one each.
    reference
        Models scored beside yours: the noisy input, or [identity,bm3d].
    tile
        auto: images whole where memory allows, else in overlapping tiles; none: always whole; 256:
        in tiles of 256x256 pixels, a setting of every cell, as bf16 is.
    precision
        fp32: the same scores on every machine; bf16; or auto: bf16 for networks where the device
        has units for it and their PSNR changes by less than 0.01 dB, else fp32. Each cell records
        which it was.
    runtime
        What computes networks on a CPU: torch; openvino, compiled, in fp32; or auto: openvino where
        its output is torch's to 1e-5 and comes sooner. What cannot be compiled stays in torch, and
        a line says why. A setting of every cell, as bf16 is.
    out
        The results folder: cells, README.md, leaderboard.md, leaderboard.csv, ranking.csv,
        scores.csv, figures.
    device
        auto, cpu, cuda, cuda:1 ..., mps.
    offline
        Whether every metric asked for has to be here too, else one that lacks something is left
        out; NOISEBENCH_OFFLINE=1 says the same. Nothing is ever fetched by a run.
    """

    model: Specs = group("masked")
    noise: Specs = group("all")
    data: Specs = group("photos")
    metric: Specs = group("psnr", "ssim")
    protocol: str = "masked"
    levels: str | None = None
    seeds: tuple[int, ...] = (0,)
    reference: tuple[str, ...] = ("identity",)
    tile: str = "auto"
    precision: str = "fp32"
    runtime: str = "torch"
    out: str = "results/local"
    device: str = "auto"
    offline: bool = False


def of_whole_images(
    options: "AnalyseOptions | ExplainOptions | PassesOptions | TilesOptions",
    metrics: tuple[str, ...],
) -> GridOptions:
    """The grid of a study: whole images in fp32, under one seed, with no other models beside."""
    from benchmark.cli.objects.specs import by_name

    return GridOptions(
        model=options.model,
        noise=options.noise,
        data=options.data,
        metric=by_name("metric", metrics),
        seeds=(options.seed,),
        reference=(),
        tile="none",
        out=options.out or GridOptions.out,
        device=options.device,
    )
