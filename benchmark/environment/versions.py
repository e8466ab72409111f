"""What a cell and a file of weights record about where they were made: versions and hardware."""

import platform
from importlib.metadata import version

import cv2
import torch

from benchmark import __version__
from benchmark.environment.device import device_name


def describe_environment(device: str) -> dict[str, object]:
    """Versions of this package and of those its numbers depend on, the device and the threads."""
    return {
        "noisebench": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "numpy", "scipy", "scikit-image")},
        "opencv": cv2.__version__,
        "device": device_name(device),
        "threads": torch.get_num_threads(),
    }
