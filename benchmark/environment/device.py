"""The device that torch works on: which one is meant, and what differs between their kinds."""

import platform
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch

GENERATORS = threading.RLock()  # held by whoever uses torch's, which all threads share


def pick_device(name: str | torch.device) -> str:
    """The device that a setting names, as torch spells it.

    Parameters
    ----------
    name
        ``auto`` (cuda where there is one, else cpu), ``cpu``, ``cuda``, ``cuda:N``, the GPU of that
        number from 0, or ``mps``, the GPU of a Mac.

    Raises
    ------
    ValueError
        If there is no such device here.
    """
    name, there = str(name), devices()
    if name == "auto":
        return "cuda" if "cuda" in there else "cpu"
    number = re.fullmatch("cuda:([0-9]+)", name)
    device = f"cuda:{int(number[1])}" if number else name
    if device not in there:
        *most, last = there
        known = f"{', '.join(most)} and {last}" if most else f"only {last}"
        raise ValueError(f"device={name} is not here; there is {known}: take one, or device=auto")
    return device


def devices() -> list[str]:
    """The names of the devices that torch can use here."""
    found = ["cpu"]
    if torch.cuda.is_available():
        found += ["cuda", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        found.append("mps")
    return found


def device_name(device: str) -> str:
    """What hardware a device is, as cells record it."""
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.get_device_name(device)
    if kind == "mps":  # older versions of torch do not tell
        return getattr(torch.backends.mps, "get_name", lambda: f"{platform.machine()} mps")()
    return platform.machine()


def saved_rng(device: torch.device) -> Callable[[], None]:
    """A function which sets torch's generators, the CPU's and a device's, as they are now."""
    setters = [partial(torch.set_rng_state, torch.get_rng_state())]
    if device.type == "cuda":
        state = torch.cuda.get_rng_state(device)
        setters.append(partial(torch.cuda.set_rng_state, state, device))
    elif device.type == "mps":
        setters.append(partial(torch.mps.set_rng_state, torch.mps.get_rng_state()))

    def set_back() -> None:
        for setter in setters:
            setter()

    return set_back


@contextmanager
def forked_rng(device: torch.device) -> Iterator[None]:
    """Give torch's generators of the CPU and of a device back as they were.

    They are of the process: other threads wait until they are given back.
    """
    with GENERATORS:
        set_back = saved_rng(device)
        try:
            yield
        finally:
            set_back()


def multiplies_bf16(device: str) -> bool:
    """Whether a device has units for bf16 matrices: a GPU since Ampere, x86 with AMX or AVX-512."""
    if device == "mps":
        return False  # some Macs do, but torch does not tell
    if device != "cpu":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()  # older versions do not tell
    return any(capabilities.get(name, False) for name in ("amx_bf16", "avx512_bf16"))


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has done what it was told; a CPU always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def empty_cache(device: torch.device) -> None:
    """Give the memory back which torch keeps of a GPU for later tensors."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def use_threads(threads: int | None) -> None:
    """Set torch's threads on the CPU; None leaves them as they are."""
    if threads is not None:
        torch.set_num_threads(threads)
