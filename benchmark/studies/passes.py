"""Stochastic inference, measured: masks on and off, the mean of several outputs, spread, cost."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from benchmark.cells import Cell, ResultStore
from benchmark.cells.filling import Part, Request
from benchmark.cells.records import Damaged, Row, all_finite
from benchmark.cells.sharing import lacking, share
from benchmark.console.log import log
from benchmark.console.progress import track
from benchmark.denoiser import Denoiser
from benchmark.denoiser.inference import Inference
from benchmark.environment.versions import describe_environment
from benchmark.files.whole import write_whole
from benchmark.metrics import Metric
from benchmark.reporting.tables import ABSENT, Table
from benchmark.scoring.evaluate import as_pixels, as_tensor, key_of, noisy_pair, score_of
from benchmark.scoring.grid import Grid
from benchmark.settings import plain

SCORES = ("psnr", "ssim")

# What the author of masked training says of the released network, on images and noise not named:
# https://github.com/haoyuc/MaskedDenoising/issues/1
ISSUE = "https://github.com/haoyuc/MaskedDenoising/issues/1"
CLAIMED_RUNS = 50
CLAIMED_SPREAD = 0.00971  # dB, standard deviation of the PSNR of those runs
CLAIMED_GAIN = 0.3  # dB, "about", by the mean of several outputs
ABOUT = 0.05  # dB: what rounds to the claimed gain is about as much

TAILS = (0.975, 0.025)  # of a 95 % interval
Record = Mapping[str, Any]  # a cell's file, as `ResultStore.read` gives it


@dataclass(frozen=True)
class Verdict:
    """What is said of a claim: a word, the number behind it, and both as a sentence."""

    word: str
    number: str
    sentence: str


@dataclass(frozen=True)
class Draws:
    """How many outputs are drawn for each image, and how many of them are averaged.

    Parameters
    ----------
    passes
        Outputs of each image, 2 or more.
    averaged
        Sizes K of the means: 1 and larger ones, none above ``passes``. The outputs are cut into
        ``passes // K`` groups which share none, so that a mean of K is drawn as often.

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    passes: int = 32
    averaged: tuple[int, ...] = (1, 2, 4, 8, 16)

    def __post_init__(self) -> None:
        if self.passes < 2:
            raise ValueError(
                f"a spread needs two outputs or more, got passes={self.passes}; take passes=32"
            )
        sizes = tuple(sorted(set(self.averaged)))
        if len(sizes) < 2 or sizes[0] != 1 or sizes[-1] > self.passes:
            raise ValueError(
                f"averaged={list(self.averaged)} should have 1, which the others are compared "
                f"with, and larger numbers up to passes={self.passes}"
            )
        object.__setattr__(self, "averaged", sizes)


def one_pass(model: Denoiser, noisy: Tensor, key: int, what: str = "") -> tuple[Tensor, float]:
    """One output of a whole image under one seed, not clamped or rounded, and its seconds.

    Parameters
    ----------
    noisy
        (1, C, H, W) in [0, 1]; the output has its shape.
    key
        The seed of all randomness, as `benchmark.noise.stream` gives it.
    what
        See `benchmark.denoiser.inference.Inference.run`.
    """
    done = Inference("none").run(model, noisy, key, what)
    return done.image, done.seconds


def is_stochastic(model: Denoiser, device: str = "cpu") -> bool:
    """Whether a model's output depends on the seed."""
    probe = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)).to(device)
    model, what = model.to(device), f"{model.name} on an image of random numbers"
    first, second = (one_pass(model, probe, seed, what)[0] for seed in (0, 1))
    return not torch.equal(first, second)


def refuse_deterministic(models: Mapping[str, Denoiser], device: str = "cpu") -> None:
    """Raise ``ValueError`` for a model whose output does not depend on the seed."""
    for name, model in models.items():
        if not is_stochastic(model, device):
            raise ValueError(
                f"'{name}' gives the same output under two seeds, so its outputs have no spread "
                f"and their mean no gain; choose a stochastic network, such as model=masked"
            )


def measure(
    grid: Grid,
    unmasked: Mapping[str, Denoiser],
    store: ResultStore,
    draws: Draws,
    device: str,
) -> list[Record]:
    """Draw and score what the store lacks of the grid, image by image; all of its cells' records.

    Pass p of an image depends on (dataset, image, noise, level, seed, p) alone, the noisy image is
    that of ``bench run``, and every mean is clipped and rounded to 8 bits before it is scored.

    Parameters
    ----------
    grid
        Its metrics are `SCORES`; none of its models averages several passes by itself.
    unmasked
        By name of a model, the same network without masks, for those which have them.

    Raises
    ------
    ValueError
        If a cell is stored with other settings, an image cannot be used, or a model is not
        stochastic; nothing has been drawn then.
    """
    requests = lacking(store, [_request(grid, draws, cell) for cell in grid.cells])
    cells = [request.cell for request in requests]
    smallest = max(metric.minimum_size for metric in grid.metrics.values())
    for name in dict.fromkeys(cell.dataset for cell in cells):
        grid.datasets[name].check(minimum=smallest)
    names = dict.fromkeys(cell.model for cell in cells)
    refuse_deterministic({name: grid.models[name] for name in names}, device)
    for part in share(store, requests, log.info):
        images = _fill(grid, part, unmasked.get(part.cell.model), draws, device)
        total = len(grid.datasets[part.cell.dataset])
        with part:
            for _ in track(images, "images", total, str(part.cell)):
                pass
    return [_wanted(store.read(cell), grid, cell) for cell in grid.cells]


def is_drawn(row: Row, settings: Mapping[str, object]) -> bool:
    """Whether a row of ``bench passes`` has all its numbers: `is_scored` for its store."""
    means, noisy, unmasked = (row.get(name) for name in ("means", "noisy", "unmasked"))
    draws, named = settings.get("draws"), {"image": row["image"]}
    if not (isinstance(draws, dict) and isinstance(noisy, dict) and isinstance(means, dict)):
        raise Damaged(f"image {row['image']!r} has no draws")
    found = all_finite(row, ["seconds"]) and all_finite(noisy | named, SCORES)
    for scores in means.values():
        for name in SCORES:
            values = scores.get(name) if isinstance(scores, dict) else None
            if not isinstance(values, list) or not values:
                raise Damaged(f"the means of image {row['image']!r} have no {name}")
            numbered = {str(number): value for number, value in enumerate(values)}
            found &= all_finite(numbered | named, numbered)
    if unmasked is not None and not isinstance(unmasked, dict):
        raise Damaged(f"'unmasked' of image {row['image']!r} is no JSON object")
    if unmasked:
        found &= all_finite(unmasked | named, (*SCORES, "seconds"))
    return found and "1" in means


def _wanted(record: Record, grid: Grid, cell: Cell) -> Record:
    """A cell without the images which it has beside those of the grid."""
    rows = {row["image"]: row for row in record["images"]}
    return {**record, "images": [rows[name] for name in grid.datasets[cell.dataset].images()]}


def summarize(record: Record) -> pd.DataFrame:
    """One line per way of inference: the noisy input, K = 1 and so on, and that without masks.

    Its columns: inference, passes (K, 0 for the noisy input), runs, images; psnr (dB) and ssim,
    means over runs and images; gain, of psnr over one pass, and gain_low and gain_high, the least
    and the most of an image; spread, the standard deviation over runs of the mean PSNR of all
    images, and image_spread, the same of one image, as root mean square; seconds per image, and
    relative, to one pass. A spread is NaN where there is one run.
    """
    images = record["images"]
    once = np.array([row["means"]["1"]["psnr"] for row in images]).mean(axis=1)
    seconds = float(np.mean([row["seconds"] for row in images]))
    psnr, ssim = (np.array([[row["noisy"][name]] for row in images]) for name in SCORES)
    lines = [_line("noisy input", 0, psnr, ssim, once, 0.0, seconds)]
    for count in images[0]["means"]:
        psnr, ssim = (np.array([row["means"][count][n] for row in images]) for n in SCORES)
        way = "one pass" if count == "1" else f"mean of {count}"
        lines.append(_line(way, int(count), psnr, ssim, once, int(count) * seconds, seconds))
    if images[0]["unmasked"]:
        found = [row["unmasked"] for row in images]
        psnr, ssim = (np.array([[one[name]] for one in found]) for name in SCORES)
        alone = float(np.mean([one["seconds"] for one in found]))
        lines.append(_line("mask off", 1, psnr, ssim, once, alone, seconds))
    return pd.DataFrame(lines)


def random_error(record: Record) -> tuple[float, float]:
    """What averaging can remove: a share of the squared error, and the gain (dB) without it.

    The share of the error of one pass that changes with its seed: a mean of K leaves the K-th part
    of it. The gain is what no number of passes exceeds. Both are means over images.
    """
    shares = np.array([_share(row["means"]) for row in record["images"]])
    return float(shares.mean()), float(np.mean(_decibels(1 - shares)))


def write_pages(records: list[Record], out: Path, command: str) -> list[Path]:
    """Write ``passes.md`` and ``passes.csv``, a table for each cell and one of them all."""
    tables = [summarize(record).assign(**record["cell"]) for record in records]
    table = pd.concat(tables, ignore_index=True)
    key = [*records[0]["cell"]]
    ordered = table[[*key, *(name for name in table.columns if name not in key)]]
    write_whole(out / "passes.csv", ordered.to_csv(index=False))
    write_whole(out / "passes.md", page(records, command))
    return [out / "passes.md", out / "passes.csv"]


def page(records: list[Record], command: str) -> str:
    """The measured numbers as Markdown, the author's two claims beside them."""
    paragraphs = [
        "# Stochastic inference",
        f"Made with `{command}`.",
        f"The author of masked training says of the released network ([issue 1]({ISSUE})), on "
        f"images and noise which are not named: the PSNR of {CLAIMED_RUNS} test runs has a "
        f"standard deviation of {CLAIMED_SPREAD} dB, and the mean of several outputs gains about "
        f"{CLAIMED_GAIN} dB.",
    ]
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        groups.setdefault((record["cell"]["model"], record["cell"]["dataset"]), []).append(record)
    for (model, dataset), members in groups.items():
        paragraphs += [f"## {model} on {dataset}", "\n".join(_headlines(members))]
        for record in members:
            paragraphs += _section(record)
    paragraphs.append(_explanation(records))
    return "\n\n".join(paragraphs) + "\n"


def stability(record: Record) -> Verdict:
    """Whether single runs differ no more than the author's do.

    The claim fails where the whole interval of the measured spread, of a normal law and 95 %, is
    above the claimed one, and stays open where a part of it is.
    """
    table = summarize(record)
    line = table[table["inference"] == "one pass"].iloc[0]
    low, high = _interval(line["spread"], line["runs"])
    if line["spread"] <= CLAIMED_SPREAD:
        word = "holds"
    else:
        word = "stays open" if low <= CLAIMED_SPREAD else "does not hold"
    number = f"{line['spread']:.5f} dB"
    sentence = (
        f"The claim of stability {word} here: the PSNR of {line['runs']} runs of one pass has a "
        f"standard deviation of {number} (95 % interval {low:.5f} to {high:.5f}), claimed are "
        f"{CLAIMED_SPREAD} dB; a single image's has {line['image_spread']:.5f} dB."
    )
    return Verdict(word, number, sentence)


def gain(record: Record) -> Verdict:
    """Whether the largest mean gains about as much as the author says."""
    table, (share, limit) = summarize(record), random_error(record)
    line = table.iloc[table["passes"].argmax()]
    if line["gain"] < CLAIMED_GAIN - ABOUT:
        word = "does not hold"
    elif line["gain"] < CLAIMED_GAIN + ABOUT:
        word = "holds"
    else:
        word = "is exceeded"
    number = f"{_signed(line['gain'])} dB by the {line['inference']}"
    sentence = (
        f"The claim of a gain {word} here: {number} ({_signed(line['gain_low'])} to "
        f"{_signed(line['gain_high'])} dB in single images), claimed are about {CLAIMED_GAIN} dB; "
        f"{100 * share:.2f} % of the squared error of one pass change with its "
        f"seed, so that no number of passes gains more than about {_signed(limit)} dB."
    )
    return Verdict(word, number, sentence)


def _request(grid: Grid, draws: Draws, cell: Cell) -> Request:
    request = grid.request(cell)
    return replace(request, settings={**request.settings, "draws": plain(asdict(draws))})


def _fill(
    grid: Grid, part: Part, unmasked: Denoiser | None, draws: Draws, device: str
) -> Iterator[str]:
    yield from part.rows
    cell = part.cell
    names = grid.datasets[cell.dataset].images()
    for image in part.lacking(names):
        part.append(_image(grid, cell, image, unmasked, draws, device))
        yield image
    part.finish(names, labels=grid.labels_of(cell), environment=describe_environment(device))


def _image(
    grid: Grid, cell: Cell, image: str, unmasked: Denoiser | None, draws: Draws, device: str
) -> dict[str, object]:
    """One image: the scores of every mean by K, those without masks, mean seconds of a pass."""
    key = key_of(cell, image)
    noise = None if cell.recorded else grid.noises[cell.noise]
    clean, noisy = map(as_tensor, noisy_pair(cell, grid.datasets[cell.dataset], noise, image))
    noisy, metrics = noisy.to(device), grid.metrics_of(cell)
    model = grid.models[cell.model].to(device)
    what = f"{cell}, image {image}"
    sums = {count: torch.zeros_like(noisy) for count in draws.averaged}
    means = {str(count): {name: [] for name in metrics} for count in draws.averaged}
    spent = []
    for number in range(draws.passes):
        restored, seconds = one_pass(model, noisy, key.torch_seed("passes", number), what)
        spent.append(seconds)
        for count, total in sums.items():
            total += restored
            if (number + 1) % count == 0:
                for name, value in _scores(metrics, total / count, clean).items():
                    means[str(count)][name].append(value)
                total.zero_()
    row = {
        "image": image,
        "noisy": _scores(metrics, noisy, clean),
        "means": means,
        "unmasked": None,
        "seconds": float(np.mean(spent)),
    }
    if unmasked:
        what = f"{what}, mask off"
        restored, seconds = one_pass(unmasked.to(device), noisy, key.torch_seed("passes", 0), what)
        row["unmasked"] = {**_scores(metrics, restored, clean), "seconds": seconds}
    return row


def _scores(metrics: Mapping[str, Metric], restored: Tensor, clean: Tensor) -> dict[str, float]:
    pixels = as_tensor(as_pixels(restored))
    return {name: score_of(name, metric, (pixels, clean)) for name, metric in metrics.items()}


def _share(means: Mapping[str, Mapping[str, list[float]]]) -> float:
    """The part of one pass' squared error which a mean of K divides by K, from 0 to below 1."""
    errors = {int(k): np.mean(10 ** (-np.array(found["psnr"]) / 10)) for k, found in means.items()}
    most = max(errors)
    share = (1 - errors[most] / errors[1]) / (1 - 1 / most)
    return float(np.clip(share, 0, 1 - 1e-9))  # few runs can leave more than there is, or less


def _decibels(error: np.ndarray) -> np.ndarray:
    """By how many dB the PSNR grows where so much of the squared error is left."""
    return -10 * np.log10(error)


def _line(
    way: str,
    count: int,
    psnr: np.ndarray,
    ssim: np.ndarray,
    once: np.ndarray,
    seconds: float,
    one: float,
) -> dict[str, object]:
    """One line of `summarize`; scores are (images, runs), ``once`` the PSNR of one pass."""
    images, runs = psnr.shape
    gains = psnr.mean(axis=1) - once
    several = runs > 1
    return {
        "inference": way,
        "passes": count,
        "runs": runs,
        "images": images,
        "psnr": float(psnr.mean()),
        "ssim": float(ssim.mean()),
        "gain": float(gains.mean()),
        "gain_low": float(gains.min()),
        "gain_high": float(gains.max()),
        "spread": float(psnr.mean(axis=0).std(ddof=1)) if several else np.nan,
        "image_spread": float(np.sqrt(psnr.var(axis=1, ddof=1).mean())) if several else np.nan,
        "seconds": seconds,
        "relative": seconds / one,
    }


def _interval(spread: float, runs: int) -> tuple[float, float]:
    """Where the standard deviation of a normal law lies which was measured in so many runs."""
    from scipy.stats import chi2  # a second that other commands do not need

    low, high = (spread * np.sqrt((runs - 1) / chi2.ppf(tail, runs - 1)) for tail in TAILS)
    return float(low), float(high)


def _headlines(records: list[Record]) -> Iterator[str]:
    """A line for each claim: at which noises it holds, and the number behind it."""
    tables = {_condition(record): summarize(record) for record in records}
    for claim, judge in (
        (f"Runs differ by {CLAIMED_SPREAD} dB", stability),
        (f"Averaging gains about {CLAIMED_GAIN} dB", gain),
    ):
        found: dict[str, list[str]] = {}
        for record in records:
            verdict, condition = judge(record), _condition(record)
            found.setdefault(verdict.word, []).append(f"{condition} ({verdict.number})")
        said = "; ".join(f"**{word}** at {', '.join(at)}" for word, at in found.items())
        yield f"- {claim}: {said}."
    off = [
        f"{_signed(table.iloc[-1]['gain'])} dB at {condition}"
        for condition, table in tables.items()
        if table.iloc[-1]["inference"] == "mask off"
    ]
    if off:
        yield f"- Without masks, compared with one pass: {', '.join(off)}."
    for condition, table in tables.items():
        noisy, once = (
            table[table["inference"] == way].iloc[0]["psnr"] for way in ("noisy input", "one pass")
        )
        if once < noisy:
            yield (
                f"- At {condition} one pass is {noisy - once:.3f} dB below its noisy input: the "
                f"verdicts there are about a network which does not denoise."
            )


def _section(record: Record) -> Iterator[str]:
    table = summarize(record)
    unit = record["labels"]["unit"]
    yield f"### {_condition(record)}" + (f" ({unit})" if unit else "")
    headings = ["inference", "PSNR (dB) ↑", "SSIM ↑", "gain (dB)", "of an image"]
    headings += ["runs", "spread (dB)", "of an image", "s/image", "x one pass"]
    rows = []
    for _, line in table.iterrows():
        itself = line["inference"] == "one pass"
        span = f"{_signed(line['gain_low'])} to {_signed(line['gain_high'])}"
        texts = [
            line["inference"],
            f"{line['psnr']:.3f}",
            f"{line['ssim']:.4f}",
            ABSENT if itself else _signed(line["gain"]),
            ABSENT if itself else span,
            f"{line['runs']}",
            *(_spelled(line[name]) for name in ("spread", "image_spread")),
            f"{line['seconds']:.2f}",
            f"{line['relative']:.2f}",
        ]
        rows.append(texts)
    yield Table(headings, rows).markdown()
    yield f"{stability(record).sentence} {gain(record).sentence}"


def _explanation(records: list[Record]) -> str:
    drawn = records[0]["settings"]["draws"]["passes"]
    counts = sorted({len(record["images"]) for record in records})
    size = " or ".join(map(str, counts))
    weights = dict.fromkeys(
        f"`{record['cell']['model']}` {record['settings']['model']['weights']}"
        for record in records
        if "weights" in record["settings"]["model"]
    )
    where = dict.fromkeys(
        f"{record['environment']['device']}, threads: {record['environment']['threads']}"
        for record in records
    )
    return (
        f"PSNR and SSIM are means over {size} images and all runs, of outputs clipped and rounded "
        f"to 8 bits; {drawn} outputs of an image were drawn and averaged before either, in groups "
        f"which share none: a run is one group of every image. Gain is over one pass, and from "
        f"the least to the most of an image. Spread is the standard deviation over runs of the "
        f"mean PSNR of all images, and that of a single image's PSNR (root mean square over "
        f"images): the former is about the latter divided by the square root of the number of "
        f"images. A mean of K costs K passes, whose mean time was taken ({'; '.join(where)}). "
        f"Stability fails where the whole interval is above the claim and stays open where a part "
        f"of it and the number itself are; the gain, of the largest mean, counts as about "
        f"{CLAIMED_GAIN} dB from {CLAIMED_GAIN - ABOUT:.2f} to {CLAIMED_GAIN + ABOUT:.2f} dB. "
        + (f"Weights: {', '.join(weights)}." if weights else "")
    ).strip()


def _condition(record: Record) -> str:
    cell = record["cell"]
    return f"{cell['noise']} {cell['level']:g}"


def _signed(value: float) -> str:
    return f"{value:+.3f}"


def _spelled(spread: float) -> str:
    return ABSENT if np.isnan(spread) else f"{spread:.5f}"
