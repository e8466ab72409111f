"""Workers share a grid: they are started, and again where they died, until every cell is there."""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmark.cells import Cell, ResultStore
from benchmark.cells.running.sharing import scored_of_unfinished, wait_for_others
from benchmark.console.log import log


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
