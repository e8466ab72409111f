"""An ablation's work: variants of a network trained alike, scored alike, and compared."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.cells import Cell, ResultStore
from benchmark.cells.reuse import CURE, OtherScores
from benchmark.console.log import log
from benchmark.datasets import Recorded
from benchmark.denoiser.inference import AUTOMATIC
from benchmark.files.names import check_name
from benchmark.files.output import prepare
from benchmark.files.whole import file_hash, write_whole
from benchmark.noise import NoiseModel
from benchmark.protocol import IN_DISTRIBUTION
from benchmark.reporting.figures.saving import save_figure
from benchmark.scoring.evaluate import evaluate
from benchmark.scoring.grid import Grid, fill, missing
from benchmark.scoring.rescore import changes_of
from benchmark.studies.ablation import brightness, brightness_figure, markdown, trade_off_figure
from benchmark.studies.variants import Ablation
from benchmark.training.loop import Training


def check_tested(ablation: Ablation, noises: Mapping[str, NoiseModel | Recorded]) -> None:
    """Refuse test noises without those which the figures of an ablation are drawn of.

    Raises
    ------
    ValueError
        If a figure needs the training noise, or another beside it, and there is none.
    """
    tested = {(name, level) for name, noise in noises.items() for level in noise.levels}
    training = f"{IN_DISTRIBUTION[0]}({IN_DISTRIBUTION[1]:g})"
    if (ablation.brightness or ablation.trade_off) and IN_DISTRIBUTION not in tested:
        raise ValueError(
            f"ablation '{ablation.name}' draws what its variants do on {training}, which is not "
            f"among the noises of test_noise; add it"
        )
    if ablation.trade_off and tested == {IN_DISTRIBUTION}:
        raise ValueError(
            f"ablation '{ablation.name}' draws other noises against {training}, and test_noise has "
            f"no other; add some"
        )


def train_variants(
    ablation: Ablation, training_of: Callable[[str], Training]
) -> dict[str, Path] | int:
    """Each variant's weights by its name, or the signal which stopped the training of one."""
    weights = {}
    for name in ablation.variants:
        log.info(f"{ablation.name}: {name}")
        training = training_of(name)
        result = training.run()
        if result.signal is not None:
            return result.signal
        weights[name] = training.folder / f"{name}.safetensors"
    return weights


def of_other_weights(folder: Path, weights: Mapping[str, Path]) -> list[str]:
    """The variants which have scores in a folder by other weights than their files hold, or may."""
    now = {name: file_hash(path) if path.is_file() else "" for name, path in weights.items()}
    scored = {
        (cell.model, record["settings"]["model"].get("weights", "").removeprefix("sha256:"))
        for cell, record in ResultStore(folder).records()
        if cell.model in now
    }
    return sorted({name for name, stored in scored if stored != now[name]})


def score(grid: Grid, folder: Path, device: str) -> None:
    """Score and store every cell of the grid of all variants.

    Raises
    ------
    ValueError
        If the folder has scores of other images, noises or weights.
    """
    store = ResultStore(folder)
    try:
        if sentence := changes_of(grid, store).sentence(None):
            log.info(sentence)
        fill(grid, store, missing(grid, store), device)
    except OtherScores as error:  # variants are no lines of the command, and have their names
        raise ValueError(f"{error.found}; {CURE}") from None


def write_page(
    ablation: Ablation, grid: Grid, folder: Path, dataset: str, device: str, command: str
) -> list[Path]:
    """The ablation's page and its figures.

    Parameters
    ----------
    dataset
        The name of the test images; recorded noise has images of its own, which are left out.
    command
        The command line that the page says it was made by.
    """
    names, scores = list(ablation.variants), ResultStore(folder).scores().of(datasets=[dataset])
    drawn, paragraphs, histograms, written = {}, [], None, [folder / "README.md"]
    if ablation.brightness:
        histograms = _histograms(names, grid, dataset, device)
        written.append(folder / "brightness.csv")
        write_whole(written[-1], pd.DataFrame(histograms).to_csv(index_label="luma"))
        noise, level = IN_DISTRIBUTION
        drawn["brightness"] = brightness_figure, histograms, f"{dataset}, {noise} {level:g}"
        paragraphs.append("![How bright the outputs are](brightness.svg)")
    if ablation.trade_off:
        drawn["trade_off"] = trade_off_figure, scores, names
        paragraphs.append("![Out of distribution against in distribution](trade_off.svg)")
    text = markdown(
        ablation.name,
        ablation.question,
        command,
        scores,
        names,
        published=ablation.published,
        histograms=histograms,
        paragraphs=paragraphs,
    )
    write_whole(written[0], text)
    for name, shown in drawn.items():
        written += save_figure(folder / name, ["svg"], *shown)
    return written


def _histograms(names: list[str], grid: Grid, data: str, device: str) -> dict[str, np.ndarray]:
    """Brightness of the clean test images, and of each variant's outputs on the training noise."""
    noise, level = IN_DISTRIBUTION
    dataset = grid.datasets[data]
    found = {}
    for name in names:
        cell = Cell(name, data, noise, level, 0)
        model, images = grid.models[name].to(device), dataset.images()
        done = list(
            evaluate(cell, model, dataset, grid.noises[noise], {}, images, device, AUTOMATIC)
        )
        found.setdefault("clean", brightness(image.clean for image in done))
        found[name] = brightness(image.restored for image in done)
    return found


def prepare_page(ablation: Ablation, out: str) -> None:
    """See that the folder of an ablation's page can be made and written: see `prepare`."""
    prepare(out)
    pictures = ("brightness.*", "trade_off.*")
    pages = {"README.md": "ablation", "brightness.csv": "brightness"}
    prepare(folder_of(ablation, out), pages, pictures)


def folder_of(ablation: Ablation, out: str) -> Path:
    """Where an ablation's page lies below the folder of all of them."""
    check_name("ablation", ablation.name)
    return Path(out) / ablation.name
