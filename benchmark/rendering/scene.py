"""What a scene is: a picture to render, as plain data. Needs no Mitsuba."""

import hashlib
import json
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from benchmark.registry import Registry

SCENES: "Registry[Scene]" = Registry("scene")

Description = dict[str, Any]


class Scene(ABC):
    """A picture to render, described as plain data; its docstring says what is hard about it."""

    name: ClassVar[str]  # set by the registry

    @abstractmethod
    def describe(self) -> Description:
        """Mitsuba's dictionary of the scene, with its integrator, and a sensor without film.

        A 4x4 array stands for a transformation, an (H, W, 3) uint8 array for an sRGB bitmap: the
        description needs no Mitsuba, and can be compared with the one of an earlier render.
        """


def digest(scene: Scene) -> str:
    """SHA-256, in hexadecimal, of a scene's description, its numbers rounded to 9 digits."""
    return hashlib.sha256(json.dumps(_plain(scene.describe())).encode()).hexdigest()


def _plain(part: object) -> object:
    if isinstance(part, dict):
        return {key: _plain(value) for key, value in part.items()}
    if isinstance(part, np.ndarray | list | float):
        return (np.round(part, 9) + 0).tolist()  # + 0: -0.0 is 0.0
    return part
