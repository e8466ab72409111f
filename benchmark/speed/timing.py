"""The time that calls take which are compared with each other."""

import time
from collections.abc import Callable, Mapping

import torch

SHORTEST = 1.0  # seconds in which calls are repeated


def clock() -> Callable[[], float]:
    """CPU seconds in one thread, which other processes do not lengthen; else those on the wall."""
    return time.process_time if torch.get_num_threads() == 1 else time.perf_counter


def least_seconds(calls: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """The fewest seconds of each call, taken in turn (A B A B ...) after one call of each.

    Each is timed ``repeats`` times, and more often where all of that takes less than a second.
    """
    now, seconds = clock(), {who: float("inf") for who in calls}
    for call in calls.values():
        call()
    turns, start = 0, now()
    while turns < repeats or now() - start < SHORTEST:
        turns += 1
        for who, call in calls.items():
            begin = now()
            call()
            seconds[who] = min(seconds[who], now() - begin)
    return seconds
