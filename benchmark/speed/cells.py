"""CPU seconds of an image of a cell, by what they go into: network, noise, metrics, files.

``python -m benchmark.speed.cells --out cells.md`` prints the table and writes it to a file. It
needs no images but those of ``photos``. A metric whose weights are not here is named and has no
column. ``--quick`` takes seconds: tiny networks on 64x64 pixels.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from benchmark.cells import Cell, ResultStore, pictures
from benchmark.datasets import DATASETS, Dataset
from benchmark.denoiser import Denoiser
from benchmark.denoiser.inference import Inference
from benchmark.environment.allocator import keep_freed_memory
from benchmark.metrics import METRICS, Metric
from benchmark.metrics.metric import prepared
from benchmark.noise import NOISE_MODELS
from benchmark.protocol import MASKED
from benchmark.registry import load_plugins
from benchmark.reporting.tables import Table
from benchmark.scoring.evaluate import Evaluated, as_tensor, evaluate, key_of, noisy_pair
from benchmark.speed.machine import setting
from benchmark.speed.options import number_of_threads, parsed, parser_of
from benchmark.speed.pages import write_page
from benchmark.speed.plain import network_of

MODELS = ("dncnn_tiny", "masked_tiny", "masked")
COMPARED = ("psnr", "ssim", "lpips")
ONCE = ("decoding", "pictures")
LEVEL = 25.0
EXPLANATION = """\
CPU milliseconds of one image, {threads} thread{s}: the least of {repeats} calls, one image of \
`{data}` with the noise `{noise}`, networks with random weights, in fp32. "cell" is all that is \
done for an image from reading it to keeping its row; the columns behind it are shares of that, \
measured by themselves, and what is left are copies, hashes and rounding. Most of it is not waited \
for: the next image is read and made noisy and the last one scored while one is restored. What \
happens once is not in it: an image is decoded, and LPIPS sees a clean one, for all noises and \
models of a run, and a cell keeps pictures of its first image. A noisy image is made once for all \
models. The last column is the share of noise and metrics together.
"""

Call = Callable[[], object]


def cpu_seconds(call: Call, repeats: int) -> float:
    """The least CPU time of several calls, after one that warms up."""
    call()
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return min(taken)


def measured(
    model: Denoiser, dataset: Dataset, noise: str, metrics: Mapping[str, Metric], repeats: int
) -> dict[str, float]:
    """CPU seconds of a whole image of a cell, under "cell", and of its parts by themselves."""
    law, image = NOISE_MODELS[noise](), dataset.images()[0]
    cell, number = Cell("any", dataset.name, noise, LEVEL, 0), count()
    protocol = replace(MASKED, grey=model.image_channels == 1)
    inference = Inference("none", bounded=False)  # random weights make no picture
    clean = dataset.read(image, protocol=protocol).clean
    rounded = noisy_pair(cell, dataset, law, image, protocol)
    target, noisy = map(as_tensor, rounded)

    def scored() -> Evaluated:  # under noise of a level which is new each time
        other = replace(cell, level=LEVEL + next(number) / 1000)
        more = [image], "cpu", inference, protocol
        (done,) = evaluate(other, model, dataset, law, metrics, *more)
        return done

    done = scored()
    with TemporaryDirectory() as folder:
        store = ResultStore(Path(folder))
        with store.filling(cell, {"metrics": dict.fromkeys(metrics, {})}) as part:

            def keep_row() -> None:
                part.append({**done.row, "image": f"image {next(number)}"})

            def keep_pictures() -> None:
                pictures.keep(Path(folder, f"pictures {next(number)}"), cell.model, done)

            parts: dict[str, Call] = {
                "cell": lambda: (scored(), keep_row()),
                "network": lambda: inference.run(model, noisy, 0),
                "noise": lambda: law.pair(clean, LEVEL, key_of(cell, image).rng()),
                **{name: _scoring(metric, noisy, target) for name, metric in metrics.items()},
                "reading": lambda: dataset.read(image, protocol=protocol),
                "writing": keep_row,
                "decoding": lambda: dataset.read_uint8(image, protocol),
                **{
                    f"{name}, clean image": partial(metric.features, target)
                    for name, metric in metrics.items()
                    if metric.keeps_features
                },
                "pictures": keep_pictures,
            }
            return {name: cpu_seconds(call, repeats) for name, call in parts.items()}


def _scoring(metric: Metric, restored: Tensor, clean: Tensor) -> Call:
    known = metric.features(clean) if metric.keeps_features else None
    return lambda: metric(restored, clean, known)


def row(name: str, size: int, seconds: Mapping[str, float], metrics: Iterable[str]) -> list[str]:
    """One line of the table: shares of the cell, and milliseconds of what happens once."""
    shares = {part: 100 * taken / seconds["cell"] for part, taken in seconds.items()}
    parts = ["network", "noise", *metrics, "reading", "writing"]
    return [
        name,
        f"{size}x{size}",
        f"{1000 * seconds['cell']:.0f}",
        *(f"{shares[part]:.1f} %" for part in parts),
        *(f"{1000 * seconds[part]:.1f}" for part in _once(seconds)),
        f"{shares['noise'] + sum(shares[metric] for metric in metrics):.1f} %",
    ]


def _once(parts: Iterable[str]) -> list[str]:
    return [part for part in parts if part in ONCE or part.endswith("clean image")]


def table(models: list[str], sizes: list[int], data: str, noise: str, repeats: int) -> str:
    """The measured table as Markdown, with what was measured below it."""
    metrics, missing = prepared({name: METRICS[name]() for name in COMPARED})
    rows, once = [], []
    for name in models:
        for size in sizes:
            dataset = DATASETS[data](crop=size, limit=1)
            seconds = measured(network_of(name), dataset, noise, metrics, repeats)
            rows.append(row(name, size, seconds, metrics))
            once = [f"{part}, once (ms)" for part in _once(seconds)]
            print(" | ".join(rows[-1]), flush=True)
    head = ["network", "image", "cell (ms)", "network's share", "noise", *metrics]
    head += ["reading", "writing", *once, "noise and metrics"]
    threads = torch.get_num_threads()
    facts = {"threads": threads, "s": "s" * (threads > 1), "repeats": repeats}
    explanation = EXPLANATION.format(**facts, data=data, noise=noise)
    reasons = [f"{name} ({reason})" for name, reason in missing.items()]
    lines = Table(head, rows, left=head[:2]).markdown(padded=False)
    return "\n".join([lines, "", *setting(explanation, reasons), ""])


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write where ``--out`` says."""
    keep_freed_memory()  # as a command does, before there are threads
    parser = parser_of("cells", __doc__)
    parser.add_argument("--models", nargs="+", default=list(MODELS), help="NAME or NAME_SIZE")
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256], help="sides of images")
    parser.add_argument("--data", default="photos")
    parser.add_argument("--noise", default="gaussian")
    parser.add_argument("--repeats", type=int, default=5, help="timed calls of each part")
    parser.add_argument("--threads", type=number_of_threads, default=1)
    options = parsed(parser, arguments, models=["dncnn_tiny", "masked_tiny"], sizes=[64], repeats=3)
    torch.set_num_threads(options.threads)
    load_plugins()
    text = table(options.models, options.sizes, options.data, options.noise, options.repeats)
    if options.out:
        write_page(options.out, "cells", text, arguments)
    print(text)


if __name__ == "__main__":
    main()
