"""``bench run``: score what is missing of a grid, then show and write its leaderboard."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.cli.command import CommandLine, command
from benchmark.cli.objects.grid_options import GridOptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmark.cells import Cell, ResultStore
    from benchmark.cells.scores import Scores
    from benchmark.cli.finished import Watch
    from benchmark.scoring.grid import Grid

    Wanted = Mapping[Any, set[str]]  # images by dataset, noise, level and seed

WORKERS = 8  # so many may be asked for on any machine, and otherwise one a core


@dataclass(frozen=True)
class RunOptions(GridOptions):
    """What a run is told beside its grid.

    Parameters
    ----------
    threads
        Of torch on the CPU in each process; null: its part of the cores. Scores agree to the bit
        for one number of threads, which each cell records, and to about 1e-4 dB for different ones.
    workers
        Processes here which share the cells, on a CPU; null: as many as there are cores, cells and
        memory for, or one where threads are given.
    shard
        2/8: only the second of eight equal shares of the cells, for job arrays.
    shards
        4: with -m and hydra/launcher=joblib, submitit_slurm, submitit_local or ray, so many workers
        take what is free until every cell is there.
    rescore
        changed: score the finished cells again which other code scored; all: every one.
    pictures
        Which images' pictures are kept: first, of each dataset; worst:4, it and the four of each
        noise and level on which the models are worst; all or none.
    picture_size
        The side of these pictures, cut from the middle; null: whole images.
    """

    threads: int | None = None
    workers: int | None = None
    shard: str = "1/1"
    shards: int | None = None
    rescore: str | None = None
    pictures: str = "first"
    picture_size: int | None = 128


def show_finished(line: CommandLine) -> bool:
    """Show and write what a run of these words has found, if planning it would change nothing."""
    from benchmark.cli.finished import find

    found = find(line)
    if found is None:
        return False

    from benchmark.cells import ResultStore
    from benchmark.cli.output import FIGURES, REPORT
    from benchmark.console.log import say_again, show
    from benchmark.files.output import prepare

    try:
        prepare(Path(found.out), REPORT, FIGURES)
    except (ValueError, OSError):  # which a run that is planned says before anything else
        return False
    show()
    say_again(found.said)
    images = {name: set(names) for name, names in found.images.items()}
    wanted = {tuple(cell): images[cell[0]] for cell in found.conditions}
    _publish(ResultStore(found.out), found.models, wanted, line)
    return True


@command("run", goes_on=True, again=show_finished)
def run(options: RunOptions, line: CommandLine) -> None:
    """Score denoisers on noise: every model, noise, level, seed and image once.

    bench run model=masked noise=all
    bench run model=[identity,bm3d,masked] noise=[gaussian,poisson] data=kodak24
    bench run noise=gaussian noise.gaussian.levels=[25] metric=all
    bench run noise='gaussian(25)+poisson(2)>>jpeg(50)'          + adds noises, >> applies them in
                                                                 sequence; [A,B] for several
    bench run noise=paper levels=matched                         every noise equally strong
    bench run protocol=kair noise=gaussian                       as KAIR's test script scores
    bench run noise=polyu                                        recorded noise, on its images
    bench run '+model.masked_off={of: masked, mask: false}'      a variant with a name of its own
    bench run pictures=worst:4 picture_size=null                 whole images, restored, as PNG
    bench run -m model=masked,baseline                           one run after the other
    bench run -m hydra/launcher=joblib shards=4 threads=1        four workers share one run
    """
    from contextlib import nullcontext
    from dataclasses import replace
    from functools import partial

    from benchmark.cells import ResultStore
    from benchmark.cells.running.plans import Plan
    from benchmark.cli.finished import state_of_results
    from benchmark.cli.objects.grid import compose_grid, stand_ins
    from benchmark.cli.output import FIGURES, REPORT
    from benchmark.console.log import heard, log
    from benchmark.environment.device import pick_device, use_threads
    from benchmark.environment.helpers import place_of_helper
    from benchmark.files.output import prepare, refuse_among_images
    from benchmark.scoring.compose import with_available_metrics
    from benchmark.scoring.grid import alone, fill, in_order_of, missing
    from benchmark.scoring.launch import fill_by_workers, helped
    from benchmark.scoring.pictures import Kept, remake_pictures
    from benchmark.scoring.rescore import changes_of

    kept = Kept.of(options.pictures, options.picture_size)
    store, device = ResultStore(options.out), pick_device(options.device)
    use_threads(options.threads)
    prepare(options.out, REPORT, FIGURES)
    place = place_of_helper()
    is_worker = options.shards is not None or place is not None
    why_alone = _why_alone(options, device, line)
    if options.workers is not None:
        _check_workers(options.workers, why_alone)
    with heard() as planning:
        watch = _watch(options, line)
        grid = compose_grid(options)
        refuse_among_images(options.out, grid.datasets)
        standing_in = "" if is_worker else stand_ins(options.model)
        if standing_in:
            log.info(standing_in)
    shard = "1/1" if is_worker else options.shard
    state = state_of_results(store.root) if watch else ""
    images = {name: len(dataset) for name, dataset in grid.datasets.items()}
    plan = Plan(_words(line), list(grid.models), grid.levels, grid.seeds, images)
    plans, since = [plan], None
    if options.rescore == "all":
        plans.append(plan := replace(plan, again=True))
        if since := plan.begun(store):
            log.info(
                f"rescore=all goes on with what a stopped run has begun; to begin anew, remove "
                f"{plan.path(store)} first"
            )
    lacking = missing(grid, store, shard, options.rescore, since)
    if sentence := changes_of(grid, store).sentence(options.rescore, lacking):
        log.info(sentence)
    to_score, asked = bool(lacking), grid
    if lacking:
        grid = with_available_metrics(grid)
        if grid.metrics.keys() != asked.metrics.keys():
            lacking = missing(grid, store, shard, options.rescore, since)
    with plan.kept(store) if lacking and not is_worker else nullcontext():
        if lacking and line.launch:
            lack = partial(missing, grid, store, rescore=options.rescore)
            fill_by_workers(store, line.launch, lack)
        elif lacking:
            mine = in_order_of(grid, lacking, place or options.shard)
            shared = partial(helped, grid, _as_helper(line), options.workers, options.threads)
            how = alone if is_worker or why_alone else shared
            fill(grid, store, mine, device, options.rescore, kept, how, since)
    if is_worker:
        log.info(f"worker {options.shard} is done")
        return
    remake_pictures(grid, store, device, kept)
    still = "changed" if options.rescore else None
    if to_score and watch:
        state = state_of_results(store.root)
    others = missing(grid, store, rescore=still) if to_score or options.shard != "1/1" else []
    if others:
        _refuse_gone(missing(grid, store, options.shard, still), grid, store)
        log.info(
            f"shard={options.shard} is done, {len(others)} of {len(grid.cells)} cells are left to "
            f"other shards; then: bench report out={options.out}"
        )
        return
    for done in plans:
        done.forget(store)
    names = {name: dataset.images() for name, dataset in grid.datasets.items()}
    cells = dict.fromkeys((c.dataset, c.noise, c.level, c.seed) for c in grid.cells)
    _publish(store, list(grid.models), {cell: set(names[cell[0]]) for cell in cells}, line)
    if watch and grid.metrics.keys() == asked.metrics.keys():
        changes = filter(None, [changes_of(grid, store).sentence(None)])
        said = [*((False, s) for s in line.said), *planning, *((False, s) for s in changes)]
        where = plan.path(store)
        watch.keep(state, options.out, grid.models, cells, names, where, said)


def _words(line: CommandLine) -> str:
    """The command which fills a folder."""
    import shlex

    return shlex.join(line.without("out", "shard", "rescore", "workers"))


def _as_helper(line: CommandLine) -> list[str]:
    """What a process does which helps with a run."""
    return ["run", *line.words_without("workers", "threads")]


def _why_alone(options: RunOptions, device: str, line: CommandLine) -> str:
    """What keeps a run to one process, as the end of a sentence; empty where nothing does."""
    if options.shard != "1/1":
        return "shard= is for processes that are started one by one"
    if options.rescore is not None:
        return "rescore= is done by one process"
    if not line.says_all:
        return "each process would read these words for itself, and some are more than settings"
    return "" if device == "cpu" else f"device={device} is one device; workers are for the CPU"


def _check_workers(workers: int, why_alone: str) -> None:
    """Raise ``ValueError`` if the number of processes that was asked for cannot be."""
    import os

    cores = os.cpu_count() or 1
    most = max(cores, WORKERS)
    if not 1 <= workers <= most:
        raise ValueError(
            f"workers={workers} should be a number of processes, from 1 to {most}; there are "
            f"{cores} cores"
        )
    if why_alone and workers > 1:
        raise ValueError(f"workers={workers} cannot be here, since {why_alone}; leave it out")


def _watch(options: RunOptions, line: CommandLine) -> "Watch | None":
    """Of what is read from here on; None where a run is not known again by its words and files."""
    from benchmark.cli.finished import Watch
    from benchmark.cli.objects.grid import needed_specs
    from benchmark.cli.objects.needed import watched_files
    from benchmark.denoiser import Denoiser

    specs = needed_specs(options)
    looks_up = {spec.cls.recorded_at for spec in specs["model"].values()} - {Denoiser.recorded_at}
    measured = {options.levels, options.precision, options.runtime} - {None, "fp32", "torch"}
    a_share = options.shard != "1/1" or options.shards is not None or line.launch is not None
    if looks_up or measured or a_share or options.rescore or options.device not in ("auto", "cpu"):
        return None
    try:
        return Watch.of(line, watched_files(specs))
    except (ValueError, OSError):  # what is wrong is said where it is read
        return None


def _publish(
    store: "ResultStore", models: "Sequence[str]", wanted: "Wanted", line: CommandLine
) -> None:
    """Show and write the report of what a run has asked for."""
    from benchmark.cli.output import publish
    from benchmark.cli.shown.options import stored_scores

    scores = _of_grid(stored_scores(store, None), models, wanted)
    publish(scores, store, store.root, _words(line))


def _refuse_gone(gone: "list[Cell]", grid: "Grid", store: "ResultStore") -> None:
    """Raise ``ValueError`` if cells of a shard that is done are missing."""
    if gone:
        raise ValueError(
            f"{len(gone)} of {len(grid.cells)} cells are not there any more: something removed or "
            f"damaged them under {store.root}/cells while others were scored, {gone[0]} for one; "
            f"give the same command again"
        )


def _of_grid(scores: "Scores", models: "Sequence[str]", wanted: "Wanted") -> "Scores":
    """The lines of models, and those of every other stored one which has all that is wanted.

    Parameters
    ----------
    wanted
        The images by dataset, noise, level and seed.
    """
    from benchmark.cells.scores import ROW

    lines = zip(*(scores.rows[name] for name in ROW), strict=True)
    rows = scores.rows[[image in wanted.get(tuple(cell), ()) for *cell, image in lines]]
    counts = rows.groupby("model").size()
    complete = counts.index[counts == sum(map(len, wanted.values()))]
    return replace(scores, rows=rows[rows["model"].isin([*models, *complete])])
