"""What was chosen of a registry: a class, the name a user gave it, and its settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Spec:
    """A registered class and the checked settings which an object of it is made with.

    Settings have the types of the class's signature. Those of a learned network are its whole
    signature where it is trained; elsewhere ``weights`` and its ``test_time`` keywords.
    """

    group: str  # model, noise, data or metric
    name: str
    cls: type
    settings: Mapping[str, Any]


Specs = Mapping[str, Spec]  # by the name that the user gave
