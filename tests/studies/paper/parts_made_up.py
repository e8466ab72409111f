"""Made-up results of the parts of the paper, as commands of bench would leave them."""

from pathlib import Path

import pandas as pd

from benchmark.cells import ResultStore
from benchmark.cells.scores import Scores, as_scores
from benchmark.files.whole import write_whole
from benchmark.studies.paper.architecture import Architecture
from benchmark.studies.paper.plan import Plan
from benchmark.studies.paper.shown import Gallery
from benchmark.studies.variants import Ablation, Variant

FOLDERS = ("scores", "ablations", "analyses", "training")
DRAWN = Architecture(32, (4, 4), 2, 8, 2.0, "3conv", (80, 90), (75, 75), 87_235)


def variants_of(name: str) -> Ablation:
    variants = {one: Variant("masked", {"of": "masked"}) for one in ("input_only", "masked")}
    published = {"input_only": ["1", "input mask only"], "masked": ["1", "both masks"]}
    return Ablation(name, "What for?", variants, published=published)


def scored(*lines: tuple[str, str, float, float]) -> Scores:
    """Scores of one image from models, noises, levels and PSNR; the dataset is ``toy``."""
    rows = [
        {"model": model, "dataset": "toy", "noise": noise, "level": level, "seed": 0}
        | {"image": "a", "psnr": psnr, "ssim": psnr / 100, "seconds": 0.1}
        for model, noise, level, psnr in lines
    ]
    return as_scores(pd.DataFrame(rows))


def gallery_of(plan: Plan, **scores: Scores) -> Gallery:
    """A gallery which reads these scores, by the name of their folder, and none elsewhere."""

    def read(store: ResultStore) -> Scores:
        return scores.get(store.root.name, scored())

    return Gallery(plan, read, DRAWN)


def write_lines(path: Path, *lines: str) -> None:
    write_whole(path, "\n".join(lines) + "\n")
