"""Memory that was freed is used again without asking the system for it."""

import os
import resource
import subprocess
import sys
from pathlib import Path

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


MODE = Path("/sys/kernel/mm/transparent_hugepage/enabled")  # there if Linux has such pages
LARGE_PAGES = """
from benchmark.environment.allocator import keep_freed_memory
keep_freed_memory()
import torch
numbers = torch.ones(2**24)  # 64 MB
flags = [line.split() for line in open("/proc/self/smaps") if line.startswith("VmFlags")]
print(sum("hg" in each for each in flags))  # parts of memory for which large pages are asked
"""


@pytest.mark.slow
@pytest.mark.skipif(not MODE.is_file(), reason="Linux alone has pages of several sizes")
@pytest.mark.parametrize(("said", "asked"), [(None, True), ("0", False)])
def test_large_pages_are_asked_for_large_tensors_unless_the_environment_says_no(said, asked):
    environment = {key: value for key, value in os.environ.items() if key != "THP_MEM_ALLOC_ENABLE"}
    if said is not None:
        environment["THP_MEM_ALLOC_ENABLE"] = said
    command = [sys.executable, "-c", LARGE_PAGES]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert (int(done.stdout) > 0) == asked


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert keep_freed_memory() is False
