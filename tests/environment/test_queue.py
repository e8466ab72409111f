"""A GPU is given things from pinned memory, and waited for at marks, never as a whole."""

import pytest
import torch

from benchmark.environment.queue import Arriving, Stopwatch, has_queue, to_device

CUDA = torch.device("cuda", 0)


class OnGpu:
    """What a tensor of a GPU does, as far as it is read."""

    is_cuda, device = True, CUDA

    def __init__(self, calls: list[object]):
        self.calls = calls

    def to(self, *arguments: object, **keywords: object) -> torch.Tensor:
        self.calls.append(("to", *arguments, keywords))
        return torch.zeros(1)


@pytest.fixture
def calls(monkeypatch) -> list[object]:
    """What CUDA is asked for, by name."""
    calls: list[object] = []

    class Event:
        def __init__(self, enable_timing: bool):
            calls.append("mark")

        def record(self, stream: object) -> None:
            calls.append(stream)

        def synchronize(self) -> None:
            calls.append("wait for mark")

        def elapsed_time(self, end: object) -> float:
            return 250.0

    def whole(*_: object) -> None:
        raise AssertionError("the whole device was waited for")

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: f"stream of {device}")
    monkeypatch.setattr(torch.cuda, "synchronize", whole)
    return calls


def test_cpus_and_macs_have_no_queue():
    assert [has_queue(name) for name in ("cpu", "mps", "cuda", "cuda:1")] == [0, 0, 1, 1]


def test_what_comes_from_a_gpu_is_waited_for_by_a_mark_behind_it(calls):
    arriving = Arriving([OnGpu(calls), OnGpu(calls)])
    copy = ("to", "cpu", {"non_blocking": True})
    assert calls == [copy, copy, "mark", "stream of cuda:0"]
    assert len(arriving.wait()) == 2
    assert calls[4:] == ["wait for mark"]


def test_what_is_on_the_cpu_is_there_at_once(calls):
    tensor = torch.rand(3)
    (same,) = Arriving([tensor]).wait()
    assert torch.equal(same, tensor) and not calls


def test_a_gpu_is_timed_by_marks_and_waited_for_when_the_time_is_asked_for(calls):
    stopwatch = Stopwatch(CUDA)
    stopwatch.stop()
    assert calls == ["mark", "stream of cuda:0"] * 2
    assert stopwatch.seconds() == 0.25
    assert calls[-1] == "wait for mark"


def test_a_cpu_is_timed_by_the_clock(calls):
    stopwatch = Stopwatch(torch.device("cpu"))
    stopwatch.stop()
    assert 0 <= stopwatch.seconds() == stopwatch.seconds() < 1
    assert not calls


def test_a_gpu_fetches_from_pinned_memory(monkeypatch):
    calls = []
    tensor = torch.zeros(2)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: OnGpu(calls))
    to_device(tensor, "cuda:0")
    assert calls == [("to", "cuda:0", {"non_blocking": True})]
    assert to_device(tensor, "cpu") is tensor


def test_what_is_on_a_gpu_is_not_pinned():
    calls = []
    to_device(OnGpu(calls), "cuda:0")
    assert calls == [("to", "cuda:0", {})]
