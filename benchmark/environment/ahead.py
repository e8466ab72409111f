"""The next results are computed while the caller uses the present one."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def one_ahead(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """``map``, with the next result computed in another thread; ``items`` may have no end.

    Where the caller stops early, the result which nobody asks for any more is not waited for.
    """
    return several_ahead(function, items, 1)


def several_ahead(
    function: Callable[[Item], Result], items: Iterable[Item], number: int, threads: int = 1
) -> Iterator[Result]:
    """`one_ahead` with so many of the next results, in order, computed in so many threads."""
    pool, wait = ThreadPoolExecutor(threads), True
    try:
        coming: deque[Future[Result]] = deque()
        for item in items:
            coming.append(pool.submit(function, item))
            if len(coming) > number:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
    except GeneratorExit:
        # perhaps of the garbage collector, in the middle of threading's own code, where one would
        # wait for ever for a thread
        wait = False
        raise
    finally:
        pool.shutdown(wait, cancel_futures=True)
