"""``bench repro``: make stored cells again, and say where they are not what they were."""

from dataclasses import dataclass

from benchmark.cli.command import CommandLine, command


@dataclass(frozen=True)
class ReproOptions:
    """Which stored cells are made again, and of what.

    Parameters
    ----------
    cell
        Cells, as MODEL/DATASET/NOISE-LEVEL-SEED, with * for any text; with their folder before
        them, or of out; or a results folder, for all of its cells.
    out
        The results folder of cells which are given without one. Nothing is written there.
    model, noise, data
        Only cells of these: a name, a list or all.
    level
        Only cells of these levels; of all where none is named.
    metric
        Only these metrics: a name, a list or all that a cell has.
    sample
        Only so many of the cells, drawn evenly.
    weights
        Files, or folders with files, in which weights (and other files which a setting names) are
        looked for by their SHA-256; those that ship with a network are known.
    images
        The folder of the images, for data=folder and others that only a path leads to.
    device
        auto: what the cell was made on, where it is here, else the best there is; cpu, cuda, mps.
    threads
        Of torch on the CPU; null: as many as each cell says.
    """

    cell: tuple[str, ...] = ()
    out: str = "results/local"
    model: tuple[str, ...] = ("all",)
    noise: tuple[str, ...] = ("all",)
    data: tuple[str, ...] = ("all",)
    level: tuple[float, ...] = ()
    metric: tuple[str, ...] = ("all",)
    sample: int | None = None
    weights: tuple[str, ...] = ()
    images: str | None = None
    device: str = "auto"
    threads: int | None = None


@command("repro", first_word="cell")
def repro(options: ReproOptions, line: CommandLine) -> None:
    """Make stored cells again from what they say, and compare every image.

    bench repro masked/kodak24/gaussian-25-0 out=results/kodak24
    bench repro results/kodak24/masked/kodak24/gaussian-25-0     the same
    bench repro results/kodak24 sample=10                        ten of its cells
    bench repro results/kodak24 model=masked noise=gaussian
    bench repro results/kodak24 model=mine weights=runs/mine     weights are found by their SHA-256

    Settings, weights, noise, images, tiles and threads are those which the cell records. On one
    machine scores are equal to the bit, elsewhere to within the rounding of its arithmetic. If one
    is not, or a cell cannot be made again, the exit status is 1 and what differs is named.
    """
    import sys

    from benchmark.cli.objects.again import Files, repeated
    from benchmark.cli.objects.stored import Choice, stored_cells
    from benchmark.cli.shown.options import stored_noises
    from benchmark.console.log import log
    from benchmark.reporting.differences.page import of_images

    files = Files(options.weights)
    noise = stored_noises(options.noise)
    choice = Choice(options.model, noise, options.data, options.level)
    cells = stored_cells(options.cell, options.out, choice, options.sample)
    counts = {"equal to the bit": 0, "within the tolerance": 0, "not the same": 0}
    failed = 0
    for cell, record in cells:
        log.info(f"\n{cell}")
        again = repeated(cell, record, files, options)
        if isinstance(again, str):
            log.info(f"cannot be made again: {again}")
            failed += 1
            continue
        of_images(again.lines, record["labels"]).show()
        log.info(again.sentence)
        within = "within the tolerance" if again.is_within else "not the same"
        counts["equal to the bit" if again.is_equal else within] += 1
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    parts = [f"{_cells(len(cells) - failed)} made again: {said}"] if said else []
    parts += [f"{_cells(failed)} cannot be made again"] if failed else []
    log.info(f"\n{'; '.join(parts)}")
    if counts["not the same"] or failed:
        sys.exit(1)


def _cells(count: int) -> str:
    return f"{count} cell{'s' * (count != 1)}"
