"""The next result is computed while the caller uses the present one."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def one_ahead(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """``map``, with the next result computed in another thread; ``items`` may have no end.

    Where the caller stops early, the result which nobody asks for any more is not waited for.
    """
    pool, wait = ThreadPoolExecutor(1), True
    try:
        coming = None
        for item in items:
            ready, coming = coming, pool.submit(function, item)
            if ready is not None:
                yield ready.result()
        if coming is not None:
            yield coming.result()
    except GeneratorExit:
        # perhaps of the garbage collector, in the middle of threading's own code, where one would
        # wait for ever for a thread
        wait = False
        raise
    finally:
        pool.shutdown(wait, cancel_futures=True)
