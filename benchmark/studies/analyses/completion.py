"""Completion of images with most pixels hidden: measured, as a table, a page and Figure 3."""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.analysis.completion import SPREAD, hidden_pixels, hide, interpolated, psnr_of
from benchmark.cells import Cell
from benchmark.denoiser.inference import Inference
from benchmark.noise import to_uint8
from benchmark.noise.keys import stream
from benchmark.pixels import small_png_bytes
from benchmark.reporting.tables import ABSENT, Table
from benchmark.scoring.evaluate import as_pixels
from benchmark.studies.analyses.figures.completed import Completed, completed
from benchmark.studies.analyses.look import PLAIN, Look
from benchmark.studies.analyses.pages import save_by_dataset, write_analysis
from benchmark.studies.analyses.setup import Setup, is_reference, name_of

VERSION = 1  # of what is measured; another measures everything again
CROPS, SIDE = 16, 128
COMPARES = False  # by default the noise of training alone
UNUSED = ("layers",)
CLEAN = "clean"  # the image without noise, among the noises
BLUR = "interpolation"  # among the models
NUMBERS = ("psnr", "psnr_hidden", "blur", "blur_hidden")
INFERENCE = Inference("none", bounded=False)  # a network may fail where most is hidden
CAPTION = (
    "What networks make of an image of which most pixels are hidden, above, black here. Numbers: "
    "PSNR of these crops in dB, of all pixels, and of those alone which were hidden."
)


@dataclass(frozen=True, eq=False)
class Completion:
    """What a network makes of crops of which a share is hidden.

    Parameters
    ----------
    noise, level
        What the visible pixels have; ``"clean"`` and 0: none.
    hidden
        In percent.
    psnr, psnr_hidden
        (crops,) in dB, of all pixels and of the hidden ones; NaN of no pixels.
    blur, blur_hidden
        The same of `benchmark.analysis.completion.interpolated`.
    given, restored
        (side, side, 3) uint8 of the first crop: before pixels are hidden, and what comes out.
    """

    cell: Cell
    noise: str
    level: float
    hidden: int
    psnr: np.ndarray
    psnr_hidden: np.ndarray
    blur: np.ndarray
    blur_hidden: np.ndarray
    given: np.ndarray
    restored: np.ndarray
    seconds: float

    def condition(self, look: Look = PLAIN) -> str:
        """What the visible pixels have, in words."""
        return CLEAN if self.noise == CLEAN else look.condition(self.cell)


def measure(setup: Setup) -> list[Completion]:
    """What each network makes of clean images and of those under each noise, each kept.

    Raises
    ------
    ValueError
        If no share is to be hidden, or one is none of 0 to 99 percent.
    """
    if not setup.hidden or not all(0 <= percent <= 99 for percent in setup.hidden):
        given = ",".join(map(str, setup.hidden))
        raise ValueError(f"hidden=[{given}] should be percentages from 0 to 99: [0,50,75,90]")
    return [
        one
        for reference in setup.references
        for cell in (None, reference, *setup.others(reference))
        for one in _kept(setup, cell or reference, clean=cell is None)
    ]


def _kept(setup: Setup, cell: Cell, clean: bool) -> Iterator[Completion]:
    """What is measured of a network at each share, under a noise or on clean images."""
    value = setup.grid.models[cell.model].hidden_pixel
    settings = {"completion": VERSION, "clean": clean, "hidden": setup.hidden, "value": value}
    settings |= setup.settings(cell, [])
    name = f"{cell.model}-{cell.dataset}-{CLEAN}" if clean else name_of(cell)
    found = setup.kept(name, settings, lambda: _measured(setup, cell, clean), [cell])
    noise, level = (CLEAN, 0.0) if clean else (cell.noise, cell.level)
    seconds, given = found["seconds"] / len(setup.hidden), _read(found["given"])
    for percent, line in zip(setup.hidden, found["lines"], strict=True):
        numbers = {name: np.array(line[name], float) for name in NUMBERS}
        restored = _read(line["restored"])
        yield Completion(
            cell, noise, level, percent, given=given, restored=restored, seconds=seconds, **numbers
        )


def _measured(setup: Setup, cell: Cell, clean: bool) -> Mapping[str, object]:
    network = setup.grid.models[cell.model].to(setup.device)
    originals, noisy = setup.crops_of(cell)
    targets, given = _in_8_bits(originals), originals if clean else noisy
    images = given.astype(np.float32) / 255 if given.dtype == np.uint8 else given
    lines = []
    for percent in setup.hidden:
        hidden = hidden_of(setup, cell.dataset, percent)
        what = f"{cell.model} with {percent} % of the pixels hidden"
        seen = np.stack([*map(hide, images, hidden, [network.hidden_pixel] * len(images))])
        restored = []
        for batch, seed in setup.batches(cell.dataset, seen):
            found = INFERENCE.run(network, batch, seed, what).image.clamp(0, 1)
            restored += [as_pixels(image[None]) for image in found]
        filled = [to_uint8(interpolated(*pair)) for pair in zip(images, hidden, strict=True)]
        everywhere = np.ones_like(hidden)
        lines.append(
            {
                "psnr": _psnr(restored, targets, everywhere),
                "psnr_hidden": _psnr(restored, targets, hidden),
                "blur": _psnr(filled, targets, everywhere),
                "blur_hidden": _psnr(filled, targets, hidden),
                "restored": _written(restored[0]),
            }
        )
    return {"given": _written(_in_8_bits(given)[0]), "lines": lines}


def hidden_of(setup: Setup, dataset: str, percent: int) -> np.ndarray:
    """Which pixels of each crop are hidden, (crops, side, side) bool; the same for all networks."""
    rngs = (
        np.random.default_rng(stream("hidden", dataset, number, setup.side))
        for number in range(setup.crops)
    )
    return np.stack([hidden_pixels((setup.side, setup.side), percent, rng) for rng in rngs])


def _psnr(images: Sequence[np.ndarray], clean: np.ndarray, pixels: np.ndarray) -> list[float]:
    return [psnr_of(*three) for three in zip(images, clean, pixels, strict=True)]


def _mean(values: np.ndarray) -> float:
    """Of crops which have such pixels; NaN if none has."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if there.size else float("nan")


def _in_8_bits(images: np.ndarray) -> np.ndarray:
    return images if images.dtype == np.uint8 else to_uint8(images)


def _written(picture: np.ndarray) -> str:
    return b64encode(small_png_bytes(picture)).decode()


def _read(text: str) -> np.ndarray:
    from PIL import Image

    with Image.open(BytesIO(b64decode(text)), formats=["PNG"]) as image:
        return np.asarray(image.convert("RGB"))


def write_pages(
    found: Sequence[Completion],
    setup: Setup,
    command: str,
    formats: Sequence[str] = ("svg",),
    look: Look = PLAIN,
) -> list[Path]:
    """Write ``completion.md``, ``completion.csv`` and a figure for each dataset."""

    def shown(dataset: str) -> list[Completed]:
        return [
            _picture(setup, one)
            for one in found
            if one.cell.dataset == dataset and one.noise != CLEAN and is_reference(one.cell)
        ]

    figures = save_by_dataset(
        "completion", setup, formats, completed, shown, look=look, caption=CAPTION
    )
    values = {look.label(n): model.hidden_pixel for n, model in setup.grid.models.items()}
    facts = {"values": values, "spread": SPREAD, "seconds": sum(one.seconds for one in found)}
    return write_analysis(
        "completion", setup, command, all_lines(found), table(found, look), figures, **facts
    )


def _picture(setup: Setup, one: Completion) -> Completed:
    hidden = hidden_of(setup, one.cell.dataset, one.hidden)[0]
    given = np.where(hidden[..., None], np.uint8(0), one.given)
    numbers = float(one.psnr[0]), float(one.psnr_hidden[0])
    return Completed(one.cell.model, one.hidden, given, one.restored, *numbers)


def all_lines(found: Sequence[Completion]) -> pd.DataFrame:
    """A line for every network, noise and share."""
    lines = [
        {
            "dataset": one.cell.dataset,
            "model": one.cell.model,
            "noise": one.noise,
            "level": one.level,
            "hidden": one.hidden,
            **{name: _mean(getattr(one, name)) for name in NUMBERS},
        }
        for one in found
    ]
    return pd.DataFrame(lines)


def table(found: Sequence[Completion], look: Look = PLAIN) -> Table:
    """Of each network and noise, PSNR at each share, of all and of the hidden pixels."""
    shares = list(dict.fromkeys(one.hidden for one in found))
    header = ["dataset", "image", "model"]
    header += [f"{share} %{part}" for share in shares for part in ("", ", hidden")]
    rows: dict[tuple[str, str, str], dict[int, tuple[float, float]]] = {}
    for one in found:  # the same blur is beside every network
        place = (one.cell.dataset, one.condition(look))
        psnr, psnr_hidden, blur, blur_hidden = (_mean(getattr(one, name)) for name in NUMBERS)
        rows.setdefault((*place, BLUR), {})[one.hidden] = (blur, blur_hidden)
        rows.setdefault((*place, look.label(one.cell.model)), {})[one.hidden] = (psnr, psnr_hidden)
    places = list(dict.fromkeys(names[:2] for names in rows))
    texts = [
        [*names, *(_text(value) for share in shares for value in numbers[share])]
        for names, numbers in sorted(rows.items(), key=lambda row: places.index(row[0][:2]))
    ]
    empty = [place for place, _ in enumerate(header) if all(row[place] == ABSENT for row in texts)]
    whole = Table(header, texts, left=header[:3])
    return whole.only([place for place, _ in enumerate(header) if place not in empty])


def _text(value: float) -> str:
    return ABSENT if np.isnan(value) else f"{value:.2f}"
