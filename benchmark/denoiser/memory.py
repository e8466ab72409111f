"""How much memory a computation in torch needs, and how much there is."""

import gc
import json
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import torch
from torch.profiler import ProfilerActivity, profile

from benchmark.console.streams import silent_stderr
from benchmark.environment.cgroup import container_free
from benchmark.environment.device import empty_cache, synchronize

CPU = torch.device("cpu")


def is_out_of_memory(error: Exception) -> bool:
    """Whether torch raised this for want of memory, the GPU's or the machine's."""
    said = ("DefaultCPUAllocator", "MPS backend out of memory", "Invalid buffer size")
    said += ("CUDA out of memory",)  # TorchScript wraps these in an error of its own
    return isinstance(error, torch.cuda.OutOfMemoryError) or any(s in str(error) for s in said)


def free_memory(device: torch.device) -> int:
    """Bytes that new tensors can take on a device without swapping, or leaving a container."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    available, left = psutil.virtual_memory().available, container_free()
    if left is not None:
        available = min(available, left)
    if device.type != "mps":
        return available
    held = torch.mps.current_allocated_memory()  # of the memory that it shares with the CPU
    kept = torch.mps.driver_allocated_memory() - held
    return max(0, min(available + kept, torch.mps.recommended_max_memory() - held))


def peak_memory(call: Callable[[], object], device: torch.device = CPU) -> int:
    """Most bytes that torch held at once during a call, beyond those it held before."""
    peak = {"cuda": _peak_on_gpu, "mps": _peak_on_mps}.get(device.type)
    return _peak_on_cpu(call) if peak is None else peak(call, device)


def _peak_on_gpu(call: Callable[[], object], device: torch.device) -> int:
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    call()
    return torch.cuda.max_memory_allocated(device) - before


def _peak_on_mps(call: Callable[[], object], device: torch.device) -> int:
    """What torch had to get from the system: it keeps what is freed until its cache is emptied."""
    synchronize(device)
    empty_cache(device)
    before = torch.mps.driver_allocated_memory()
    call()
    synchronize(device)
    return torch.mps.driver_allocated_memory() - before


def _peak_on_cpu(call: Callable[[], object]) -> int:
    """The highest sum of all that torch allocated and freed, in the order of time."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler's own: not a word on the console
    gc.collect()  # what is garbage already would be freed in between, and counted
    profiled = profile(activities=[ProfilerActivity.CPU], profile_memory=True)
    with silent_stderr():  # begun in another thread than torch was loaded in, it complains
        profiled.start()
    try:
        call()
    finally:
        profiled.stop()
    with TemporaryDirectory() as folder:  # the trace is the profiler's only record of single events
        path = Path(folder, "trace.json")
        profiled.export_chrome_trace(str(path))
        events = json.loads(path.read_text())["traceEvents"]
    held = peak = 0
    for event in sorted((e for e in events if e["name"] == "[memory]"), key=lambda e: e["ts"]):
        held += event["args"]["Bytes"]
        peak = max(peak, held)
    return peak
