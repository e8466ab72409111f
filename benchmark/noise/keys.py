"""Random numbers as a function of a key: the same in any process, order or batch."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmark.noise.formula import key_name
from benchmark.noise.script import Script


@dataclass(frozen=True)
class Key:
    """One noisy image; all that is drawn for it depends on these five values and on nothing else.

    Parameters
    ----------
    dataset, image, noise
        Their names; what a noise's means for the random numbers is said by `key_name`.
    level
        Strength, in the noise's unit.
    seed
        Of the run.
    """

    dataset: str
    image: str
    noise: str
    level: float
    seed: int

    @cached_property
    def _values(self) -> tuple[str | float, ...]:
        return self.dataset, self.image, key_name(self.noise), self.level, self.seed

    def rng(self) -> np.random.Generator:
        """The generator of the noise; no model enters, so all models restore the same image."""
        return np.random.Generator(np.random.PCG64(stream(*self._values)))

    def script_rng(self, bgr: bool = False) -> np.random.Generator:
        """The generator of published test scripts, which seed anew for each image; see `Script`."""
        return Script(self.seed, bgr)

    def torch_seed(self, purpose: str, *further: str | float) -> int:
        """A seed for what else is random about the image, below 2^63 as torch takes it.

        Parameters
        ----------
        purpose
            What the numbers are for: ``"denoise"``, ``"passes"``.
        *further
            What tells several seeds of one purpose apart, such as the number of a pass.
        """
        return stream(purpose, *self._values, *further) % 2**63


def rng_for(dataset: str, image: str, noise: str, level: float, seed: int) -> np.random.Generator:
    """The generator of one noisy image, `Key.rng`."""
    return Key(dataset, image, noise, level, seed).rng()


def stream(*key: str | float) -> int:
    """A 128-bit seed which depends on the key's values and on nothing else.

    ``25`` and ``25.0`` are the same key; ``("ab", "c")`` and ``("a", "bc")`` are not. Integers of
    any size keep all their digits, other numbers 15 of them.
    """
    text = "\x1f".join(_spelled(part) for part in key)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "little")


def _spelled(part: str | float) -> str:
    return str(part) if isinstance(part, str | int) else f"{part:.15g}"
