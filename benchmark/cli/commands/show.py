"""``bench show``: an image as stored models restore it, side by side, as a figure for a paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.cli.command import CommandLine, command
from benchmark.cli.shown.options import LookOptions

if TYPE_CHECKING:
    import numpy as np

    from benchmark.cells import Cell, ResultStore
    from benchmark.cli.objects.again import Files


@dataclass(frozen=True)
class ShowOptions(LookOptions):
    """What a visual comparison is told.

    Parameters
    ----------
    model
        Names of scored models, in the order of their columns, or all.
    noise
        Names of scored noises, one below the other, or all.
    level
        One for each noise, or one for all; by default of each the third, mild to hard.
    data
        The dataset; by default the first which has all these noises.
    image
        Its name; by default that on which the first two models differ most.
    seed
        Of the noise; by default the smallest.
    crops
        What is magnified, each x:y:side in pixels; by default where the models differ most.
    insets
        Crops stand below the image, in a corner of it, or they are all there is: only.
    metric
        Names of metrics below each picture; by default psnr and ssim where they were scored.
    formats
        Of pdf, png and tex those which are written.
    weights, images
        Where files of pictures which are made again are looked for, as in bench repro.
    device
        auto: what the cell was made on, where it is here, else the best there is; cpu, cuda, mps.
    threads
        Of torch on the CPU; null: as many as each cell says.
    to
        The folder of the figure, by default OUT.
    """

    model: tuple[str, ...] = ("all",)
    noise: tuple[str, ...] = ("all",)
    level: tuple[float, ...] = ()
    data: str | None = None
    image: str | None = None
    seed: int | None = None
    crops: tuple[str, ...] = ()
    insets: str = "below"
    metric: tuple[str, ...] = ("psnr", "ssim")
    formats: tuple[str, ...] = ("pdf", "png", "tex")
    weights: tuple[str, ...] = ()
    images: str | None = None
    device: str = "auto"
    threads: int | None = None
    to: str | None = None


@command("show", first_word="out")
def show(options: ShowOptions, line: CommandLine) -> None:
    """A visual comparison: one image, noisy, restored by each model, and clean.

    bench show results/photos noise=[gaussian,poisson] model=[baseline,masked]
    bench show results/photos noise=[gaussian,poisson] level=[50,3] image=coffee
    bench show results/photos noise=gaussian crops=[120:80:64,300:40:64]     x:y:side, in pixels
    bench show results/photos noise=mc_render insets=only to=paper

    Scores are those of the stored cells, over the whole image. Whole pictures which are not there
    are made from what the cells say, as bench repro does, and kept beside the others.
    """
    from pathlib import Path

    from benchmark.cells import Cell, ResultStore
    from benchmark.cells.scores import metric_names
    from benchmark.cli.objects.again import Files
    from benchmark.cli.output import say_written
    from benchmark.cli.shown.options import labelled, some_scores, stored_noises
    from benchmark.console.log import log
    from benchmark.console.progress import track
    from benchmark.files.output import prepare
    from benchmark.files.whole import file_name
    from benchmark.reporting.comparison import NOISY, choose_crop, comparison_of, crops_of
    from benchmark.reporting.figures.comparison import FORMATS, check_crops, comparison
    from benchmark.reporting.figures.saving import is_drawn, save_figure

    for word in options.formats:
        if word not in FORMATS:
            raise ValueError(f"formats has {word}; a comparison is written as {', '.join(FORMATS)}")
    store, to = ResultStore(options.out), Path(options.to or options.out)
    files = Files(options.weights)
    scores, style = labelled(options, some_scores(store, options.protocol))
    noise, metric = stored_noises(options.noise), options.metric
    if not line.given("metric"):
        scored = metric_names(scores.rows)
        metric = [name for name in metric if name in scored] or scored
    chosen = comparison_of(
        scores, options.model, noise, options.level, options.data, options.seed, metric
    )
    images = chosen.images()
    image = options.image or chosen.choose_image()
    if image not in images:
        raise ValueError(
            f"no scores of image {image} by all these models under all these noises; there are "
            f"those of {', '.join(images)}"
        )
    crops = crops_of(options.crops)
    stem = to / file_name(f"comparison_{chosen.dataset}_{image}")
    there = [path for word in FORMATS if (path := Path(f"{stem}.{word}")).exists()]
    prepare(to, figures=[path.name for path in there if not is_drawn(path)])
    shown = []
    for condition in track(chosen.conditions, "noises", len(chosen.conditions)):
        known: dict[str, np.ndarray] = {}
        for model in chosen.models or [NOISY]:
            cell = Cell(model, chosen.dataset, *condition, chosen.seed)
            known |= _whole_pictures(store, cell, image, files, options)
            check_crops(crops, options.insets, known["clean"].shape)
        shown.append({name: known[name] for name in ("noisy", *chosen.models, "clean")})
    if not crops:
        names = chosen.models if len(chosen.models) > 1 else [*shown[0]][-2:]
        crops = [choose_crop([[known[name] for name in names] for known in shown])]
    columns = [scores.label(name) for name in shown[0]]
    rows = [chosen.row(*of, image) for of in zip(chosen.conditions, shown, strict=True)]
    given = {"image": options.image, "crop": options.crops}
    caption = chosen.caption(image, crops, [name for name, value in given.items() if not value])
    written = save_figure(
        stem,
        options.formats,
        comparison,
        rows,
        columns,
        crops,
        options.insets,
        style.size,
        caption=caption,
        columns=style.columns,
    )
    log.info(caption)
    say_written(written, to)


def _whole_pictures(
    store: ResultStore, cell: Cell, image: str, files: Files, options: ShowOptions
) -> dict[str, np.ndarray]:
    """The whole pictures of one image of a cell by name, those that are there or made again.

    Raises
    ------
    ValueError, UnknownName
        If they are not there and cannot be made.
    """
    from benchmark.cells import pictures
    from benchmark.cells.provenance import PIXELS
    from benchmark.cli.objects.again import device_of, grid_of
    from benchmark.environment.device import use_threads

    folder = store.pictures(cell, image)
    for place in (folder, folder / pictures.WHOLE):
        scene = pictures.scene(place, [cell], image)
        if scene and scene.is_whole and len(scene.paths) == 3:
            return {name: scene.read(name) for name in scene.paths}
    record = store.read(cell)
    environment = record.get("environment", {})
    device = device_of(options.device, environment.get("device"))
    use_threads(options.threads or environment.get("threads"))
    grid = grid_of(cell, record, (), files, options.images, device)
    if image not in grid.datasets[cell.dataset].images():
        raise ValueError(
            f"dataset {cell.dataset} has no image {image} here; of images which only a path leads "
            f"to, name the folder: images=FOLDER"
        )
    (done,) = grid.evaluate(cell, [image], device, tiles=environment.get("tile", {}))
    (row,) = (row for row in record["images"] if row["image"] == image)
    for kind in PIXELS:
        if row.get(kind, done.row[kind]) != done.row[kind]:
            raise ValueError(
                f"{cell}: the {kind} pixels of image {image} are not those which were scored "
                f"({row[kind]}, now {done.row[kind]}); its scores would stand below another "
                f"picture. bench repro says what differs"
            )
    pictures.keep(folder / pictures.WHOLE, cell.model, done, None)
    return {"clean": done.clean, "noisy": done.noisy, cell.model: done.restored}
