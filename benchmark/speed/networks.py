"""Seconds and memory of our networks beside those of the published code, at equal weights.

``python -m benchmark.speed.networks --published FOLDER --out networks.md`` prints the table and
writes it to a file. FOLDER holds clones of the published repositories, by the names of
`benchmark.speed.published.REPOSITORIES`; their code needs ``pip install timm einops entmax``. One
that is missing is named; ``masked_tiny`` is published code in a size of ours. Without FOLDER a
network stands beside itself in plain layers of torch, as its paper has them.
``--quick`` takes seconds: tiny networks on 64x64 pixels, in one thread.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from benchmark.denoiser import Denoiser, pad_to_multiple
from benchmark.denoiser.flops import MATRIX, gflop, peak_speed
from benchmark.denoiser.inference import Inference
from benchmark.denoiser.memory import peak_memory
from benchmark.environment.allocator import keep_freed_memory
from benchmark.environment.device import multiplies_bf16
from benchmark.registry import load_plugins
from benchmark.reporting.tables import Table
from benchmark.speed.machine import setting
from benchmark.speed.options import beside_published, parsed, parser_of
from benchmark.speed.pages import write_page
from benchmark.speed.plain import in_plain_layers, network_of
from benchmark.speed.published import NETWORKS, REPOSITORIES, is_published, pair, published_of
from benchmark.speed.timing import clock, least_seconds

TINY = [f"{name}_tiny" for name in ("masked", "dncnn", "ridnet", "restormer")]
EXPLANATION = """\
{clock} for one image of 3 channels, without gradients: the fewest of {repeats} calls or more, \
taken in turn in one process, {threads} thread{s}. Both have the same random weights. {beside} \
GFLOP are those of the network's formula, 2 for a product and its sum, as PyTorch counts them; the \
share is of {peak:.0f} GFLOP/s, the fastest fp32 product of two {matrix}x{matrix} matrices in the \
same run. Both keep memory that was freed, as `bench` does. Peak memory is what torch held at \
once, weights aside.
"""
BESIDE = {
    "published": '"rnan" attends over the whole image where the published code attends over '
    'patches, and the masks of "masked" come from another generator: these two have no difference.',
    "plain": 'In "plain" our network takes layer after layer, as on a GPU in training.',
}

Call = Callable[[Tensor], Tensor]


def plain(name: str) -> tuple[Call, Denoiser]:
    """A network in plain layers as a function of an image, with the same random masks, and itself.

    Parameters
    ----------
    name
        As `benchmark.speed.plain.network_of` takes it.
    """
    network = network_of(name)
    return in_plain_layers()(partial(restored, network)), network


def restored(network: Denoiser, image: Tensor, precision: str = "fp32") -> Tensor:
    """What our network makes of a whole image, with the same random masks each time."""
    return Inference("none", precision).run(network, image, 0).image


def row(name: str, published: Path | None, size: int, repeats: int, peak: float) -> list[str]:
    """One line of the table."""
    theirs, network = plain(name) if published is None else pair(name, published)
    image = pad_to_multiple(torch.rand(1, 3, size, size), network.multiple)
    denoise = partial(restored, network, image)
    calls: dict[str, Callable[[], Tensor]] = {"theirs": partial(theirs, image), "ours": denoise}
    if multiplies_bf16("cpu"):
        calls["bf16"] = partial(denoise, precision="bf16")
    outputs, memory, seconds = {}, {}, {}
    for who, call in calls.items():
        start = clock()()
        memory[who] = peak_memory(lambda who=who, call=call: outputs.update({who: call()}))
        seconds[who] = clock()() - start
    if repeats:
        seconds = least_seconds(calls, repeats)
    apart = (outputs["theirs"] - outputs["ours"]).abs().max()
    speed = gflop(network, image.shape[-1]) / seconds["ours"]
    bf16 = seconds.get("bf16")
    return [
        name,
        "x".join(map(str, image.shape[-2:])),
        f"{seconds['theirs']:.3g}",
        f"{seconds['ours']:.3g}",
        f"{seconds['theirs'] / seconds['ours']:.2f}",
        f"{seconds['theirs'] / bf16:.2f}" if bf16 else "–",
        f"{speed:.0f}",
        f"{100 * speed / peak:.0f} %",
        f"{memory['theirs'] / 1e6:.0f}",
        f"{memory['ours'] / 1e6:.0f}",
        f"{apart:.0e}" if published is None or published_of(name)[0].exact else "–",
    ]


HEAD = [
    "network",
    "image",
    "{theirs} (s)",
    "ours (s)",
    "{theirs} / ours",
    "{theirs} / ours in bf16",
    "ours (GFLOP/s)",
    "share of peak",
    "peak memory, {theirs} (MB)",
    "ours (MB)",
    "largest difference",
]


def table(names: list[str], published: Path | None, sizes: list[int], repeats: int) -> str:
    """The measured table as Markdown, with what was measured below it."""
    peak = peak_speed()
    rows, missing = [], []
    for name in names:
        for size in sizes:
            try:
                rows.append(row(name, published, size, repeats, peak))
            except ImportError as error:
                missing.append(
                    f"{name} ({error}; {REPOSITORIES[published_of(name)[0].repository]})"
                )
                break
            print(" | ".join(rows[-1]), flush=True)
    theirs = "plain" if published is None else "published"
    head = [word.format(theirs=theirs) for word in HEAD]
    lines = Table(head, rows, left=head[:2]).markdown(padded=False)
    threads = torch.get_num_threads()
    numbers = {"repeats": repeats, "threads": threads, "s": "s" * (threads > 1)}
    numbers |= {"beside": BESIDE[theirs], "peak": peak, "matrix": MATRIX}
    numbers["clock"] = "CPU seconds" if threads == 1 else "Seconds"
    return "\n".join([lines, "", *setting(EXPLANATION.format(**numbers), missing), ""])


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write where ``--out`` says."""
    parser = parser_of("networks", __doc__)
    beside_published(parser, NETWORKS)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 500], help="sides of images")
    parser.add_argument(
        "--repeats", type=int, default=3, help="timed calls of each; 0 times the first, for memory"
    )
    options = parsed(parser, arguments, sizes=[64], repeats=3, threads=1)
    names = options.networks or (list(NETWORKS) if options.published else TINY)
    torch.set_num_threads(options.threads)
    keep_freed_memory()
    load_plugins()
    if options.published and (unknown := [name for name in names if not is_published(name)]):
        parser.error(f"no published code of {', '.join(unknown)}; there is: {', '.join(NETWORKS)}")
    text = table(names, options.published, options.sizes, options.repeats)
    if options.out:
        write_page(options.out, "networks", text, arguments)
    print(text)


if __name__ == "__main__":
    main()
