"""Images to train on, and an ear for what a training says."""

import logging
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from benchmark.console.log import log


@pytest.fixture(autouse=True)
def callers_random_numbers():
    with torch.random.fork_rng([]):
        yield


@pytest.fixture
def images() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, size, np.uint8) for size in ((20, 31, 3), (40, 16, 3))]


class Listener(logging.Handler):
    """Call a function with each line that is logged."""

    def __init__(self, hear: Callable[[str], None]):
        super().__init__()
        self.hear = hear

    def emit(self, record: logging.LogRecord) -> None:
        self.hear(record.getMessage())


@pytest.fixture
def listen(monkeypatch) -> Callable[[Callable[[str], None] | None], None]:
    """Have a function hear what is logged from now on, in place of another one; None: nobody."""
    monkeypatch.setattr(log, "handlers", [])
    monkeypatch.setattr(log, "disabled", False)
    before = log.level
    log.setLevel(logging.INFO)

    def begin(hear: Callable[[str], None] | None) -> None:
        log.handlers = [Listener(hear)] if hear else []

    yield begin
    log.setLevel(before)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory) -> Path:
    """A folder of three images."""
    folder = tmp_path_factory.mktemp("images")
    for place in range(3):
        rng = np.random.default_rng(place)
        cv2.imwrite(str(folder / f"{place}.png"), rng.integers(0, 256, (32, 40, 3), np.uint8))
    return folder
