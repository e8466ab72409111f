"""Seconds of our networks in PyTorch and in runtimes which compile them, at equal weights.

``python -m benchmark.speed.runtimes --out runtimes.md`` prints the table and writes it to a file.
OpenVINO is what ``runtime=openvino`` takes; ONNX Runtime and ``torch.compile`` run the same graph
and are here to compare. All of it needs ``pip install openvino onnxruntime onnxscript`` and a C++
compiler; what fails is named. ``--quick`` takes seconds: a tiny network on 64x64 pixels, OpenVINO
alone.
"""

import os
import warnings
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from benchmark.denoiser import Denoiser
from benchmark.denoiser.runtime import openvino
from benchmark.denoiser.runtime.export import Exported, NotExportable, exported
from benchmark.environment.allocator import keep_freed_memory
from benchmark.environment.device import forked_rng
from benchmark.registry import load_plugins
from benchmark.reporting.tables import Table
from benchmark.speed.machine import setting, version_of
from benchmark.speed.options import number_of_threads, parsed, parser_of
from benchmark.speed.pages import write_page
from benchmark.speed.plain import network_of
from benchmark.speed.timing import least_seconds

NETWORKS = (
    "masked_tiny",
    "swinir_tiny",
    "restormer_tiny",
    "ridnet_tiny",
    "dncnn",
    "ridnet",
    "idf",
    "swinir",
    "masked",
)
EXPLANATION = """\
CPU seconds of this process for one image of 3 channels, without gradients: the fewest of \
{repeats} calls taken in turn, {threads} thread{s}, random weights. "torch" is the network as the \
benchmark runs it; the others run one graph of it, exported for this size. The difference is that \
of OpenVINO from PyTorch. "To compile" is what the first image of a size costs, export included; \
later runs read OpenVINO's graph from disk. Versions: {versions}.
"""
HEAD = [
    "network",
    "image",
    "torch (s)",
    "torch / OpenVINO",
    "torch / ONNX Runtime",
    "torch / torch.compile",
    "largest difference",
    "OpenVINO to compile (s)",
    "torch.compile to compile (s)",
]

Call = Callable[[], Tensor]


def compilers() -> dict[str, Callable[[Exported], Call]]:
    """By name, what makes a call of an exported network and of what is given to it."""
    return {"openvino": by_openvino, "onnxruntime": by_onnxruntime, "compile": by_torch_compile}


def by_openvino(done: Exported) -> Call:
    threads = torch.get_num_threads()
    graph = openvino.Graph(openvino.compile_graph(openvino.convert(done), threads), done.draws)
    return partial(graph.on, done.image, done.values)


def by_onnxruntime(done: Exported) -> Call:
    import onnxruntime

    with TemporaryDirectory() as folder:
        path = Path(folder, "network.onnx")
        torch.onnx.export(done.program, (), path, dynamo=True, verbose=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    values = [value.contiguous().numpy() for value in (done.image, *done.values)]
    inputs = {given.name: value for given, value in zip(session.get_inputs(), values, strict=True)}
    return lambda: torch.from_numpy(session.run(None, inputs)[0])


def by_torch_compile(done: Exported) -> Call:
    from torch._inductor import config

    config.compile_threads = 1  # in this process, whose time is taken
    compiled = torch.compile(done.program.module())
    return torch.no_grad()(partial(compiled, done.image, *done.values))


def row(name: str, size: int, repeats: int, asked: Collection[str]) -> tuple[list[str], list[str]]:
    """One line of the table, and which runtimes failed and why."""
    network = network_of(name)
    begin = cpu_seconds()
    done = exported(network, (1, 3, size, size))
    calls: dict[str, Call] = {"torch": partial(in_torch, network, done.image)}
    failed, to_compile, to_export = [], {}, cpu_seconds() - begin
    for who in asked:
        begin = cpu_seconds()
        try:
            calls[who] = compilers()[who](done)
            calls[who]()
        except Exception as error:  # each compiler raises what it likes
            calls.pop(who, None)
            failed.append(f"{name} in {who}: {str(error).strip().splitlines()[0][:120]}")
        to_compile[who] = to_export + cpu_seconds() - begin
    seconds = least_seconds(calls, repeats)
    apart = (calls["openvino"]() - done.output).abs().max() if "openvino" in calls else None
    ratios = [f"{seconds['torch'] / seconds[w]:.2f}" if w in calls else "–" for w in compilers()]
    return [
        name,
        f"{size}x{size}",
        f"{seconds['torch']:.3f}",
        *ratios,
        "–" if apart is None else f"{apart:.0e}",
        *(f"{to_compile[w]:.0f}" if w in calls else "–" for w in ("openvino", "compile")),
    ], failed


def cpu_seconds() -> float:
    """Of this process, and of those which it started and which have ended, such as compilers."""
    return sum(os.times()[:4])


@torch.inference_mode()
def in_torch(network: Denoiser, image: Tensor) -> Tensor:
    """What the network makes of an image by itself, its random numbers included."""
    with forked_rng(image.device):
        return network(image)


def table(names: list[str], sizes: list[int], repeats: int, asked: Collection[str]) -> str:
    """The measured table as Markdown, with what was measured below it."""
    rows, missing = [], []
    for name in names:
        for size in sizes:
            try:
                line, failed = row(name, size, repeats, asked)
            except NotExportable as error:
                missing.append(f"{name}: {error}")
                break
            rows.append(line)
            missing += failed
            print(" | ".join(line), flush=True)
    lines = Table(HEAD, rows, left=HEAD[:2]).markdown(padded=False)
    versions = [f"{name} {version_of(name)}" for name in ("openvino", "onnxruntime")]
    threads = torch.get_num_threads()
    numbers = {"repeats": repeats, "threads": threads, "s": "s" * (threads > 1)}
    explanation = EXPLANATION.format(**numbers, versions=", ".join(versions))
    return "\n".join([lines, "", *setting(explanation, missing), ""])


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write where ``--out`` says."""
    parser = parser_of("runtimes", __doc__)
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), help="NAME or NAME_SIZE")
    known = list(compilers())
    parser.add_argument("--runtimes", nargs="+", choices=known, default=known, help="beside torch")
    parser.add_argument("--sizes", type=int, nargs="+", default=[128], help="sides of images")
    parser.add_argument("--repeats", type=int, default=5, help="timed calls of each")
    parser.add_argument("--threads", type=number_of_threads, default=1)
    small = {"networks": ["dncnn_tiny"], "sizes": [64]}
    options = parsed(parser, arguments, **small, runtimes=["openvino"], repeats=5)
    torch.set_num_threads(options.threads)
    keep_freed_memory()
    load_plugins()
    warnings.simplefilter("ignore")  # the compilers', of what they will change
    text = table(options.networks, options.sizes, options.repeats, options.runtimes)
    if options.out:
        write_page(options.out, "runtimes", text, arguments)
    print(text)


if __name__ == "__main__":
    main()
