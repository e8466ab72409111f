"""Seconds and memory of our networks beside those of the published code, at equal weights.

``python -m benchmark.speed.networks --published FOLDER --out networks.md`` prints the table and
writes it to a file. FOLDER holds clones of the published repositories, by the names of
`REPOSITORIES`; their code needs ``pip install timm einops entmax``. One that is missing is named.
Without FOLDER a network stands beside itself in plain layers of torch, as its paper has them.
``--quick`` takes seconds: tiny networks on 64x64 pixels, in one thread.
"""

import importlib
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.denoiser import DENOISERS, Denoiser, pad_to_multiple
from benchmark.denoiser.flops import MATRIX, gflop, peak_speed
from benchmark.denoiser.inference import Inference
from benchmark.denoiser.memory import peak_memory
from benchmark.registry import load_plugins
from benchmark.reporting.tables import Table
from benchmark.scoring.precision import multiplies_bf16
from benchmark.speed.machine import setting
from benchmark.speed.noises import measure
from benchmark.speed.options import parsed, parser_of
from benchmark.speed.pages import write_page
from benchmark.speed.plain import in_plain_layers, network_of

REPOSITORIES = {
    "MaskedDenoising": "https://github.com/haoyuc/MaskedDenoising",
    "KAIR": "https://github.com/cszn/KAIR",
    "RIDNet": "https://github.com/saeed-anwar/RIDNet",
    "RNAN": "https://github.com/yulunzhang/RNAN",
    "Restormer": "https://github.com/swz30/Restormer",
}
TINY = [f"{name}_tiny" for name in ("masked", "dncnn", "ridnet", "restormer")]
EXPLANATION = """\
Seconds for one image of 3 channels, without gradients: median of {repeats} calls taken in turn in \
one process, {threads} thread{s}. Both have the same random weights. {beside} GFLOP are those of \
the network's formula, 2 for a product and its sum, as PyTorch counts them; the share is of \
{peak:.0f} GFLOP/s, the fastest fp32 product of two {matrix}x{matrix} matrices in the same run. \
Peak memory is what torch held at once, weights aside.
"""
BESIDE = {
    "published": '"rnan" attends over the whole image where the published code attends over '
    'patches, and the masks of "masked" come from another generator: these two have no difference.',
    "plain": 'In "plain" our network takes layer after layer, as on a GPU in training.',
}

Call = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Published:
    """A network of published code, how its authors run it, and ours to compare."""

    repository: str
    folder: str  # what goes on Python's path, inside the repository
    build: Callable[[], nn.Module]
    ours: Callable[[], Denoiser]
    test: Callable[[nn.Module], Call] = lambda network: network
    exact: bool = True  # whether both outputs have to agree


def swinir(masks: bool | None, **sizes: Any) -> nn.Module:
    """The class of MaskedDenoising, or with None that of KAIR; ``sizes`` are settings of ours."""
    from models.network_swinir import SwinIR

    sizes = {"embed_dim": 60, "depths": (6, 6, 6, 6), "num_heads": 6, **sizes}
    masked = {"use_mask": masks, "mask_ratio1": 75, "mask_ratio2": 75, "mask_is_diff": False}
    further = {} if masks is None else {**masked, "type": "stand", "use_attn_fn": "softmax"}
    return SwinIR(
        upscale=1,
        img_size=64,
        window_size=8,
        depths=list(sizes["depths"]),
        embed_dim=sizes["embed_dim"],
        num_heads=[sizes["num_heads"]] * len(sizes["depths"]),
        mlp_ratio=2,
        upsampler=None,
        resi_connection="3conv",
        **further,
    )


def dncnn() -> nn.Module:
    from models.network_dncnn import DnCNN

    return DnCNN(in_nc=3, out_nc=3, nc=64, nb=17, act_mode="BR")


def ridnet() -> nn.Module:
    from model.ridnet import RIDNET

    return RIDNET(SimpleNamespace(n_feats=64, reduction=16, rgb_range=1))


def rnan() -> nn.Module:
    from model.rnan import RNAN

    sizes = {"n_resgroups": 10, "n_resblocks": 16, "n_feats": 64, "reduction": 16}
    return RNAN(SimpleNamespace(**sizes, n_colors=3, res_scale=1, scale=[1]))


def chopped(network: nn.Module) -> Call:
    """Patch by patch, as RNAN's test code does; it cannot hold the weights of a whole image."""
    from model import Model

    tester = SimpleNamespace(model=network, scale=[1], idx_scale=0, n_GPUs=1)
    tester.forward_chop = partial(Model.forward_chop, tester)
    return tester.forward_chop


def restormer() -> nn.Module:
    from restormer_arch import Restormer

    return Restormer(LayerNorm_type="BiasFree")


def ours(name: str, **settings: object) -> Callable[[], Denoiser]:
    return lambda: DENOISERS[name](**settings)


NETWORKS = {
    "masked": Published("MaskedDenoising", "", partial(swinir, True), ours("masked"), exact=False),
    "baseline": Published("MaskedDenoising", "", partial(swinir, False), ours("baseline")),
    "swinir": Published("KAIR", "", partial(swinir, None), ours("swinir")),
    "dncnn": Published("KAIR", "", dncnn, ours("dncnn")),
    "ridnet": Published("RIDNet", "TestCode/code", ridnet, ours("ridnet")),
    "restormer": Published("Restormer", "basicsr/models/archs", restormer, ours("restormer")),
    "rnan": Published("RNAN", "DN_RGB/code", rnan, ours("rnan"), chopped, exact=False),
    "rnan, chop": Published("RNAN", "DN_RGB/code", rnan, ours("rnan", chop=True), chopped),
}


@contextmanager
def on_path(folder: Path) -> Iterator[None]:
    """Import from a folder first, and forget its modules afterwards: several have one name."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if name.partition(".")[0] in ("models", "model"):
                del sys.modules[name]


def pair(name: str, published: Path) -> tuple[Call, Denoiser]:
    """The published network as a function of an image, and ours with the same weights.

    Raises
    ------
    ImportError
        If the published code, or a package it needs, is not there.
    """
    what = NETWORKS[name]
    torch.manual_seed(0)
    with on_path(published / what.repository / what.folder), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # timm's, of its own older names
        theirs = what.build().eval()
        call = what.test(theirs)
    for value in theirs.parameters():
        if value.dim() == 1:
            value.data += 0.1 * torch.randn_like(value)
    mine = what.ours().eval()
    learned = {k: v for k, v in theirs.state_dict().items() if not k.endswith(mine.derived)}
    mine.load_state_dict(learned)
    return torch.inference_mode()(call), mine


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
        start = time.perf_counter()
        memory[who] = peak_memory(lambda who=who, call=call: outputs.update({who: call()}))
        seconds[who] = time.perf_counter() - start
    if repeats:
        seconds = measure(calls, repeats)
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
        f"{apart:.0e}" if published is None or NETWORKS[name].exact else "–",
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
                missing.append(f"{name} ({error}; {REPOSITORIES[NETWORKS[name].repository]})")
                break
            print(" | ".join(rows[-1]), flush=True)
    theirs = "plain" if published is None else "published"
    head = [word.format(theirs=theirs) for word in HEAD]
    lines = Table(head, rows, left=head[:2]).markdown(padded=False)
    threads = torch.get_num_threads()
    numbers = {"repeats": repeats, "threads": threads, "s": "s" * (threads > 1)}
    numbers |= {"beside": BESIDE[theirs], "peak": peak, "matrix": MATRIX}
    return "\n".join([lines, "", *setting(EXPLANATION.format(**numbers), missing), ""])


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write where ``--out`` says."""
    parser = parser_of("networks", __doc__)
    parser.add_argument("--published", type=Path, help="clones of the repositories")
    parser.add_argument(
        "--networks",
        nargs="+",
        help=f"with --published of {', '.join(NETWORKS)}; without, NAME or NAME_SIZE",
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 500], help="sides of images")
    parser.add_argument(
        "--repeats", type=int, default=3, help="timed calls of each; 0 times the first, for memory"
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parsed(parser, arguments, sizes=[64], repeats=3, threads=1)
    names = options.networks or (list(NETWORKS) if options.published else TINY)
    if options.published and (unknown := [name for name in names if name not in NETWORKS]):
        parser.error(f"no published code of {', '.join(unknown)}; there is: {', '.join(NETWORKS)}")
    torch.set_num_threads(options.threads)
    load_plugins()
    text = table(names, options.published, options.sizes, options.repeats)
    if options.out:
        write_page(options.out, "networks", text, arguments)
    print(text)


if __name__ == "__main__":
    main()
