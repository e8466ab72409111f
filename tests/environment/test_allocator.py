"""Memory that was freed is used again without asking the system for it."""

import resource
import sys

import pytest
import torch

from benchmark.environment.allocator import keep_freed_memory


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is Linux's")
def test_what_layers_free_is_there_for_the_next_image():
    assert keep_freed_memory()
    layers = torch.nn.Sequential(*(torch.nn.Conv2d(16, 16, 1) for _ in range(4)))
    image, cleared = torch.rand(1, 16, 128, 128), []  # 1 MB, 256 pages
    for _ in range(8):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        with torch.no_grad():
            layers(image)
        cleared.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    assert min(cleared) < 64


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert keep_freed_memory() is False
