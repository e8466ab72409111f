"""On which machine a table was measured, as the lines below it say."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from benchmark.environment.device import multiplies_bf16

UNITS = {"AVX2": "AVX2", "AVX512": "AVX-512"}  # torch's words of its kernels, and the field's


def setting(explanation: str, missing: list[str]) -> list[str]:
    """What stands below a table: how it was measured, on which machine, and what is not in it."""
    return [
        explanation,
        f"Machine: {processor()}, {platform.system()}, Python {platform.python_version()}, "
        f"noisebench {version_of('noisebench')}, torch {version_of('torch')}.",
        *(["", f"Missing: {'; '.join(missing)}."] if missing else []),
    ]


def processor() -> str:
    """The processor's name and the units which decide its speed: ``"EPYC, AVX2, no bf16"``."""
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{_name()}, {UNITS.get(capability, capability)}, {_units_of_bf16()}"


def _units_of_bf16() -> str:
    if not multiplies_bf16("cpu"):
        return "no bf16"
    has_amx = torch.cpu.get_capabilities().get("amx_bf16", False)
    return "bf16 in AMX" if has_amx else "bf16 in AVX-512"


def _name() -> str:
    """As Linux knows it, elsewhere what Python knows."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def version_of(package: str) -> str:
    """The version of a package which is installed, else "unknown"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
