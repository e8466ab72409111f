"""Processes share a grid: those of a launcher, or helpers on the cores of this machine."""

import contextlib
import math
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import torch

from benchmark.cells import Cell, ResultStore
from benchmark.cells.running.sharing import scored_of_unfinished, wait_for_others
from benchmark.console.log import log
from benchmark.denoiser.inference import AUTOMATIC, bytes_per_pixel
from benchmark.denoiser.memory import CPU, free_memory
from benchmark.environment.cgroup import container_cores
from benchmark.environment.device import use_threads
from benchmark.environment.helpers import helpers
from benchmark.scoring.grid import Grid

BASE = 3 * 2**28  # bytes that a process takes before its first image
CELLS = 2  # of a model that computes, for each process, so that none waits long for the last


def fill_by_workers(
    store: ResultStore, start: Callable[[Path], None], lacking: Callable[[], Sequence[Cell]]
) -> None:
    """Let workers score what is missing of a store.

    A worker that dies costs the image it was at: others take its cell. If all of them end before
    the work is done, as joblib's do where one is killed, they are started again, as long as any
    image was scored since. What they log stays, in ``workers-*``, only where this fails.

    Parameters
    ----------
    start
        Starts them, with the folder for what they log, and ends when they have, or raises what one
        of them did.
    lacking
        The cells which are missing now.

    Raises
    ------
    ValueError, OSError
        A mistake which a worker noticed.
    ChildProcessError
        If workers died and nothing was scored meanwhile; its cause says of what.
    """
    store.root.mkdir(parents=True, exist_ok=True)
    logs = Path(tempfile.mkdtemp(prefix="workers-", dir=store.root))
    left = lacking()
    while left:
        before = len(left), scored_of_unfinished(store)
        try:
            died = _started(start, logs)
        except BaseException:
            with contextlib.suppress(OSError):  # they have logged something
                logs.rmdir()
            raise
        wait_for_others(store, left)
        left = lacking()
        if left and (len(left), scored_of_unfinished(store)) == before:
            raise ChildProcessError(
                f"the workers ended and scored nothing ({_first_line(died)}); {len(left)} cells "
                f"are left, {left[0]} for one; what they logged is in {logs}, and with "
                f"HYDRA_FULL_ERROR=1 before it the command shows where they ended"
            ) from died
        if left:
            log.info(f"workers died ({_first_line(died)}); {len(left)} cells are left to new ones")
    shutil.rmtree(logs, ignore_errors=True)


def processes(grid: Grid, pixels: Mapping[str, int], cores: int) -> int:
    """How many processes on a CPU a grid is best shared by.

    A small network runs hardly faster in several threads than in one, and several of them do run
    side by side; so there is one process a core, as far as there are cells for them and every one
    finds the memory to restore the largest image whole, as one process alone would.

    Parameters
    ----------
    pixels
        Of the largest image of each dataset which is still to be scored on.
    """
    at_work = [cell for cell in grid.cells if not grid.models[cell.model].pointwise]
    most = min(cores, len(at_work) // CELLS)
    if most < 2 or any(how.runtime != "torch" for how in grid.inference.values()):
        return 1
    pairs = {(cell.model, cell.dataset) for cell in at_work if cell.dataset in pixels}
    need = max((_bytes_per_pixel(grid, model) * pixels[data] for model, data in pairs), default=0)
    # `tile=auto` takes half of what is free then, while all the others hold theirs
    return max(1, min(most, int(free_memory(CPU) / (BASE + need)) - 2))


def _bytes_per_pixel(grid: Grid, name: str) -> float:
    """What a model takes; of one outside torch it cannot be measured, and is little."""
    model = grid.models[name]
    if not model.in_torch:
        return 0.0
    precision = grid.inference.get(name, AUTOMATIC).precision
    try:
        return bytes_per_pixel(model, CPU, precision, 1 if grid.protocol.grey else 3)
    except Exception:  # whatever it is, the model says it at its first image, by name
        return math.inf


@contextlib.contextmanager
def helped(
    grid: Grid,
    words: Sequence[str],
    workers: int | None,
    threads: int | None,
    pixels: Mapping[str, int],
    lacking: int,
) -> Iterator[None]:
    """Have further processes on the cores of this machine score cells while a block does.

    Torch has the block's share of the threads meanwhile.

    Parameters
    ----------
    words
        The command that is being run, without ``threads=``.
    workers, threads
        How many processes and how many threads each; None for as many as `processes` says, one
        where ``threads`` is given, and for an equal part of the cores.
    pixels
        As of `processes`.
    lacking
        How many cells are to be scored: for no more are there processes. How many threads each has
        does not depend on it, so that a run which was stopped goes on with as many.
    """
    before, quota = torch.get_num_threads(), container_cores()
    cores = before
    if quota is not None:  # which torch does not know of
        cores = max(1, min(cores, round(quota)))
    wanted = workers or (1 if threads else processes(grid, pixels, cores))
    count = min(wanted, len(grid.cells))
    use_threads(threads or max(1, cores // count))
    each = torch.get_num_threads()
    with contextlib.ExitStack() as until_done:
        until_done.callback(use_threads, before)  # for the next run of a sweep
        if (needed := min(count, lacking)) > 1:
            said = f"{each} thread{'s' if each > 1 else ''}"
            log.info(f"{needed} processes of {said} share the cells")
            command = [*words, f"threads={each}"]
            until_done.enter_context(helpers(command, needed - 1, log.warning))
        yield


def _started(start: Callable[[Path], None], logs: Path) -> Exception | None:
    """What ended the workers, if it was no mistake of the user's."""
    try:
        start(logs)
    except (ValueError, OSError):
        raise
    except Exception as error:  # each launcher has exceptions of its own
        return error
    return None


def _first_line(error: Exception | None) -> str:
    text = str(error).strip().partition("\n")[0].partition(". ")[0] if error else ""
    return text or "without a word"
