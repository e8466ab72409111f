"""A device is one that is here, is treated as its kind needs, and a container's limit is known."""

from pathlib import Path

import psutil
import pytest
import torch
from doubles import Dice

from benchmark.denoiser import memory
from benchmark.denoiser.inference import Inference
from benchmark.environment.cgroup import container_cores, container_free
from benchmark.environment.device import (
    device_name,
    devices,
    empty_cache,
    forked_rng,
    multiplies_bf16,
    pick_device,
    synchronize,
)
from benchmark.training.distributed import process_group

MIB = 2**20
GIB = 2**30
MPS = torch.device("mps")


class FakeMps:
    """What `torch.mps` does, in numbers."""

    def __init__(self):
        self.held, self.kept, self.calls, self.state = 3 * MIB, 5 * MIB, [], torch.tensor([1])

    def current_allocated_memory(self) -> int:
        return self.held

    def driver_allocated_memory(self) -> int:
        return self.held + self.kept

    def recommended_max_memory(self) -> int:
        return 10 * MIB

    def empty_cache(self) -> None:
        self.calls.append("empty_cache")
        self.kept = 0

    def synchronize(self) -> None:
        self.calls.append("synchronize")

    def get_rng_state(self) -> torch.Tensor:
        return self.state.clone()

    def set_rng_state(self, state: torch.Tensor) -> None:
        self.state = state


@pytest.fixture
def machine(monkeypatch):
    """Make this a machine with so many CUDA GPUs, and a Mac's or none."""

    def make(gpus: int, mps: bool) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return make


@pytest.fixture
def mps(monkeypatch) -> FakeMps:
    fake = FakeMps()
    for name in dir(FakeMps):
        if not name.startswith("_"):
            monkeypatch.setattr(torch.mps, name, getattr(fake, name))
    return fake


@pytest.mark.parametrize(
    ("asked", "gpus", "mac", "found"),
    [
        ("auto", 0, False, "cpu"),
        ("auto", 1, False, "cuda"),
        ("auto", 0, True, "cpu"),  # a Mac's GPU is used where it is asked for
        ("cpu", 2, False, "cpu"),
        ("cuda", 1, False, "cuda"),
        ("cuda:0", 1, False, "cuda:0"),
        ("cuda:1", 2, False, "cuda:1"),
        ("cuda:01", 2, False, "cuda:1"),
        ("mps", 0, True, "mps"),
    ],
)
def test_a_device_that_is_here_is_taken(machine, asked, gpus, mac, found):
    machine(gpus, mac)
    assert pick_device(asked) == found


@pytest.mark.parametrize(
    ("gpus", "mac", "known"),
    [
        (0, False, "only cpu"),
        (1, False, "cpu, cuda and cuda:0"),
        (2, False, "cpu, cuda, cuda:0 and cuda:1"),
        (0, True, "cpu and mps"),
    ],
)
def test_a_device_that_is_not_here_is_refused_with_those_that_are(machine, gpus, mac, known):
    machine(gpus, mac)
    with pytest.raises(ValueError) as error:
        pick_device("cuda:7")
    assert str(error.value) == (
        f"device=cuda:7 is not here; there is {known}: take one, or device=auto"
    )


@pytest.mark.parametrize(
    "asked",
    ["cuda:-1", "cuda:x", "cuda:", "cuda:0:0", "cuda:1.0", "cuda0", "CUDA", "Cpu", "gpu", "xpu"]
    + ["cpu:0", "mps:1", "meta", "0", "", " ", "cuda:٧", "cuda,cpu", "cuda:99999999999999"],
)
def test_what_is_no_name_of_a_device_is_refused(machine, asked):
    machine(2, True)
    with pytest.raises(ValueError, match=f"^device={asked} is not here; there is cpu, cuda, "):
        pick_device(asked)


def test_the_cuda_and_mps_of_other_machines_are_refused(machine):
    machine(0, False)
    for name in ("cuda", "cuda:0", "mps"):
        with pytest.raises(ValueError, match="only cpu"):
            pick_device(name)


def test_every_device_of_this_machine_has_a_name():
    assert all(device_name(device) for device in devices())


def test_a_mac_s_gpu_has_a_name_in_any_version_of_torch(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "get_name", lambda: "Apple M9", raising=False)
    assert device_name("mps") == "Apple M9"
    monkeypatch.delattr(torch.backends.mps, "get_name")
    assert device_name("mps").endswith("mps")


def test_the_generators_of_the_cpu_and_of_a_mac_s_gpu_come_back(mps):
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="stop"), forked_rng(MPS):
        torch.rand(3)
        mps.state = torch.tensor([2])
        raise RuntimeError("stop")
    assert torch.equal(torch.get_rng_state(), before)
    assert mps.state.item() == 1


def test_a_mac_s_gpu_is_waited_for_and_emptied_and_a_cpu_needs_neither(mps):
    synchronize(torch.device("cpu"))
    empty_cache(torch.device("cpu"))
    assert mps.calls == []
    synchronize(MPS)
    empty_cache(MPS)
    assert mps.calls == ["synchronize", "empty_cache"]


def test_a_mac_s_gpu_has_what_it_may_take_and_the_machine_has(mps, monkeypatch):
    class Free:
        available = 100 * MIB

    monkeypatch.setattr(psutil, "virtual_memory", lambda: Free)
    assert memory.free_memory(MPS) == 7 * MIB  # of the 10 which are recommended
    Free.available = 1 * MIB
    assert memory.free_memory(MPS) == 6 * MIB  # and the 5 which torch keeps


def test_the_peak_on_a_mac_s_gpu_is_what_the_system_had_to_give(mps):
    def call() -> None:
        mps.kept += 4 * MIB  # freed already, but not given back

    assert memory.peak_memory(call, MPS) == 4 * MIB


@pytest.mark.parametrize(
    ("error", "known"),
    [
        (RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GiB, ...)"), True),
        (RuntimeError("Invalid buffer size: 16.00 GiB"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
        (torch.cuda.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("shapes do not match"), False),
    ],
)
def test_want_of_memory_is_known_on_every_device(error, known):
    assert memory.is_out_of_memory(error) is known


def test_a_mac_s_gpu_runs_in_fp32_unless_asked():
    assert multiplies_bf16("mps") is False


def test_inference_leaves_the_generators_as_they_were():
    before = torch.get_rng_state()
    first, again = (Inference().run(Dice(), torch.zeros(1, 3, 8, 8), 1).image for _ in range(2))
    assert torch.equal(first, again)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("device", "message"), [("mps", "one process, not in 2"), ("cuda", "device=cuda:3 is not here")]
)
def test_processes_without_a_gpu_each_are_refused(machine, monkeypatch, device, message):
    machine(2, device == "mps")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "3")
    with pytest.raises(ValueError, match=message), process_group(device):
        pass


# The memory of a container


def write(root: Path, files: dict[str, object]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    return root


V2, V1 = "sys/fs/cgroup", "sys/fs/cgroup/memory"
PROC = "proc/self/cgroup"
NONE_V1 = 9223372036854771712
STAT = "anon 5\nfile 7\ninactive_file {}\nactive_file 3"


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({}, None),  # no Linux
        ({PROC: "0::/"}, None),
        ({PROC: "0::/", f"{V2}/memory.max": "max", f"{V2}/memory.current": GIB}, None),
        ({PROC: "0::/", f"{V2}/memory.max": 4 * GIB, f"{V2}/memory.current": GIB}, 3 * GIB),
        (  # file cache is dropped before memory runs out
            {
                PROC: "0::/",
                f"{V2}/memory.max": 4 * GIB,
                f"{V2}/memory.current": 3 * GIB,
                f"{V2}/memory.stat": STAT.format(2 * GIB),
            },
            3 * GIB,
        ),
        (  # a group inside others: the tightest counts
            {
                PROC: "0::/user.slice/job",
                f"{V2}/user.slice/job/memory.max": "max",
                f"{V2}/user.slice/job/memory.current": GIB,
                f"{V2}/user.slice/memory.max": 4 * GIB,
                f"{V2}/user.slice/memory.current": 3 * GIB,
            },
            GIB,
        ),
        (
            {
                PROC: "0::/a/b",
                f"{V2}/a/b/memory.max": 2 * GIB,
                f"{V2}/a/b/memory.current": GIB // 2,
                f"{V2}/a/memory.max": 9 * GIB,
                f"{V2}/a/memory.current": GIB,
            },
            3 * GIB // 2,
        ),
        (  # from memory.high on, a process is held up until it has given memory back
            {
                PROC: "0::/",
                f"{V2}/memory.max": 4 * GIB,
                f"{V2}/memory.high": 2 * GIB,
                f"{V2}/memory.current": GIB,
            },
            GIB,
        ),
        (  # the path of the host, of which the container sees its own group alone
            {PROC: "0::/docker/1234", f"{V2}/memory.max": GIB, f"{V2}/memory.current": 0},
            GIB,
        ),
        ({PROC: "0::/../x", f"{V2}/memory.max": GIB, f"{V2}/memory.current": 0}, GIB),
        ({PROC: "0::/", f"{V2}/memory.max": GIB, f"{V2}/memory.current": 2 * GIB}, 0),
        (
            {
                PROC: "12:cpuset:/x\n4:memory:/x\n1:name=systemd:/x\n0::/x",
                f"{V1}/x/memory.limit_in_bytes": 2 * GIB,
                f"{V1}/x/memory.usage_in_bytes": GIB,
                f"{V1}/x/memory.stat": f"inactive_file 1\ntotal_inactive_file {MIB}",
                f"{V1}/memory.limit_in_bytes": NONE_V1,
                f"{V1}/memory.usage_in_bytes": 9 * GIB,
            },
            GIB + MIB,
        ),
        (
            {
                PROC: "4:cpu,memory:/docker/1234",
                f"{V1}/memory.limit_in_bytes": 2 * GIB,
                f"{V1}/memory.usage_in_bytes": GIB,
            },
            GIB,
        ),
    ],
)
def test_a_container_s_limit_is_seen_in_either_version_and_in_groups_around(tmp_path, files, free):
    assert container_free(write(tmp_path, files)) == free


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, None),
        ({PROC: "0::/"}, None),
        ({PROC: "0::/", f"{V2}/cpu.max": "max 100000"}, None),
        ({PROC: "0::/", f"{V2}/cpu.max": "250000 100000"}, 2.5),
        (  # the tightest of all around
            {
                PROC: "0::/a/b",
                f"{V2}/a/b/cpu.max": "400000 100000",
                f"{V2}/a/cpu.max": "50000 50000",
            },
            1.0,
        ),
        ({PROC: "0::/docker/1234", f"{V2}/cpu.max": "200000 100000"}, 2.0),
        (
            {
                PROC: "3:cpu,cpuacct:/x",  # version 1
                f"{V2}/cpu/x/cpu.cfs_quota_us": 300000,
                f"{V2}/cpu/x/cpu.cfs_period_us": 100000,
                f"{V2}/cpu/cpu.cfs_quota_us": -1,
                f"{V2}/cpu/cpu.cfs_period_us": 100000,
            },
            3.0,
        ),
    ],
)
def test_a_container_s_cores_are_those_of_its_quota(tmp_path, files, cores):
    assert container_cores(write(tmp_path, files)) == cores


def test_free_memory_is_the_machine_s_or_the_container_s_whichever_is_less(monkeypatch):
    whole = psutil.virtual_memory().total
    for left, expected in ((MIB, MIB), (0, 0)):
        monkeypatch.setattr(memory, "container_free", lambda left=left: left)
        assert memory.free_memory(torch.device("cpu")) == expected
    for left in (2 * whole, None):
        monkeypatch.setattr(memory, "container_free", lambda left=left: left)
        assert 0 < memory.free_memory(torch.device("cpu")) <= whole
