"""Families of noises: what counts equally in a mean, however many noises there are of each."""

from typing import ClassVar, Protocol

FAMILIES = {
    "additive": "independent of the image, and in every value",
    "signal-dependent": "its variance depends on the value, as that of photons does",
    "multiplicative": "a factor on the value, as the speckle of coherent light",
    "correlated": "neighbouring values, or channels, are noisy alike",
    "pattern": "a shape over the whole image: stripes, waves",
    "impulse": "some values are replaced, the others are left",
    "compression": "what storing takes away: a lossy code, too few bits",
    "camera": "made in the raw data of a camera, and developed with them",
    "mixture": "noises of several other families, one after the other",
    "rendering": "too few samples of the paths of light",
    "recorded": "photographs, with whatever noise their cameras have",
}


class Named(Protocol):
    """A noise model, or a dataset with recorded noise."""

    name: ClassVar[str]
    family: ClassVar[str]


def family_of(noise: Named) -> str:
    """The family of a noise; one of its own, of its registered name, where it declares none."""
    return noise.family or noise.name
