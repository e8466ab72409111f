"""What a noise model is. Loads no torch."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import Field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from benchmark.registry import Registry

if TYPE_CHECKING:
    from torch import Generator, Tensor

MOST_TIMES = 16  # as bright as the clean picture: more is a mistake of scale, and would be white
LEAST_ALIKE, LEAST_SEEN = 0.5, 256  # correlation and values by which one is seen; chance is neither

NOISE_MODELS: "Registry[NoiseModel]" = Registry("noise model")


class NoiseModel(ABC):
    """A frozen dataclass whose fields are its settings; it keeps no state between images.

    Subclasses write their law and set ``unit`` and a default for ``levels``; everyone else calls
    the object, or ``pair``. ``levels`` run from mildest to hardest and are swept when none are
    named. The law is one method: ``sample``, or ``sample_pair`` where the noise also redevelops the
    clean image. A class which writes both raises ``ValueError``, one with neither is abstract.
    """

    name: ClassVar[str]  #: set by the registry
    unit: ClassVar[str]  #: what a level counts: "sigma, in 8-bit steps"
    note: ClassVar[str] = ""  #: a caveat which lists and tables show beside the name
    family: ClassVar[str] = ""  #: one of `families.FAMILIES`, or another; empty: one of its own
    suites: ClassVar[tuple[str, ...]] = ()  #: names which choose several at once: noise=paper
    cites: ClassVar[tuple[str, ...]] = ()  #: keys of references.bib, or whole entries of BibTeX
    domain: ClassVar[tuple[float, float]] = (0, math.inf)  #: the lowest and the highest level
    whole_levels: ClassVar[bool] = False  #: whether levels are whole numbers
    deterministic: ClassVar[bool] = False  #: whether it draws no random numbers
    constant_variance: ClassVar[float | None] = None  #: of any intensity, over (level / 255)^2
    located: ClassVar[tuple[str, ...]] = ()  #: settings which say where something lies, not what
    files: ClassVar[tuple[str, ...]] = ()  #: settings which name a file: its content counts
    later: ClassVar[tuple[str, ...]] = ()  #: settings younger than stored scores
    in_key: ClassVar[tuple[str, ...]] = ("levels",)  #: settings which a cell's key tells
    levels: tuple[float, ...]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]  # of subclasses, which are dataclasses

    if TYPE_CHECKING:

        def __init__(self, **settings: Any) -> None: ...

    def __init_subclass__(cls, **keywords: object) -> None:
        """Refuse a second law, and inherit nothing that is said of another noise or law."""
        super().__init_subclass__(**keywords)
        for said in ("suites", "note", "cites"):
            if said not in vars(cls):
                setattr(cls, said, vars(NoiseModel)[said])
        if cls.sample_pair is not NoiseModel.sample_pair:
            if vars(cls).get("sample", _noisy_of_pair) is not _noisy_of_pair:
                raise ValueError(
                    f"{cls.__qualname__} writes sample, but its law is sample_pair, its own or its "
                    f"parent's, and a noise has one law; write sample_pair alone, or sample alone "
                    f"where the clean image is the one to restore"
                )
            if cls.sample is NoiseModel.sample:
                cls.sample = _noisy_of_pair
        owners = {
            method: next(i for i, owner in enumerate(cls.__mro__) if method in vars(owner))
            for method in ("sample", "sample_pair", "sample_batch", "variance", "constant_variance")
        }
        law = min(owners["sample"], owners["sample_pair"])
        for promise in ("sample_batch", "variance", "constant_variance"):
            if owners[promise] > law:
                setattr(cls, promise, vars(NoiseModel)[promise])

    def __post_init__(self) -> None:
        """Check every level at once, so that a wrong one is an error before anything runs."""
        if not isinstance(self.levels, tuple | list):
            raise ValueError(
                f"the levels of {self.name} should be several numbers, such as ({self.levels!r},)"
            )
        for level in self.levels:
            self.check_level(level)

    @abstractmethod
    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        """Return a noisy copy of ``clean``, (H, W, C) float32 in [0, 1]; it may leave the range."""

    def sample_pair(
        self, clean: np.ndarray, level: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """The image a denoiser should restore, and its noisy version; both may leave [0, 1]."""
        return clean, self.sample(clean, level, rng)

    def sample_onward(
        self, target: np.ndarray, noisy: np.ndarray, level: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """The two images after this noise, where others came before it: a stage of ``a>>b``.

        A noise which redevelops the image develops the one to restore as well, from a copy of the
        generator which the noisy one is made with. That is the same development for both as long as
        its random numbers are drawn before those of the noise; where they are not, the class writes
        this method.

        Parameters
        ----------
        target, noisy
            (H, W, C) before this noise; they may leave [0, 1].
        """
        if type(self).sample_pair is not NoiseModel.sample_pair:
            target, _ = self.sample_pair(in_range(target), level, deepcopy(rng))
        return target, self.sample_pair(in_range(noisy), level, rng)[1]

    def sample_batch(
        self, clean: "Tensor", level: float, generator: "Generator"
    ) -> "Tensor | None":
        """A noisy copy of (B, C, H, W) float32 in [0, 1] on any device; it may leave the range.

        Each image gets the law of ``sample`` by itself, in other random numbers: those of
        ``generator``, which is of the same device. It is written where networks are trained on the
        noise. None: there is no batched form, and training makes its crops one by one on the CPU.
        """
        return None

    def variance(self, intensity: np.ndarray, level: float) -> np.ndarray | None:
        """The variance which this noise promises at clean values in [0, 1], before clipping.

        On the scale of [0, 1], one number for each intensity, away from the image's border; None
        where the noise promises no such law. Written where it depends on the intensity.
        """
        if self.constant_variance is None:
            return None
        return np.full(np.shape(intensity), self.constant_variance * (level / 255) ** 2)

    def check_choice(self, setting: str, known: Iterable[str]) -> None:
        """Raise ``ValueError`` for a setting whose value is none of the known ones."""
        value = getattr(self, setting)
        if value not in known:
            raise ValueError(
                f"{self.name} has no {setting} '{value}'; take one of {', '.join(known)}"
            )

    def check_level(self, level: float) -> None:
        """Raise ``ValueError`` for a level outside ``domain``, or not whole where it has to be."""
        low, high = self.domain
        if not (np.isfinite(level) and low <= level <= high) or (
            self.whole_levels and level != int(level)
        ):
            kind = "whole" if self.whole_levels else "finite" if math.isinf(high) else ""
            span = f">= {low:g}" if math.isinf(high) else f"from {low:g} to {high:g}"
            wanted = " ".join(f"{kind} level {span}".split())
            raise ValueError(f"{self.name} needs a {wanted} ({self.unit}), got {level}")

    def __call__(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        """The noisy image of `pair`."""
        return self.pair(clean, level, rng)[1]

    def pair(
        self, clean: np.ndarray, level: float, rng: np.random.Generator, clip: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """The image to restore and its noisy version, both clipped to [0, 1], float32.

        The first is ``clean`` itself, but for a noise which redevelops the image, as a camera does.

        Parameters
        ----------
        clean
            (H, W, C) float32 in [0, 1]; left unchanged.
        level
            Strength, in this noise's ``unit``.
        rng
            The only randomness used; see `rng_for`.
        clip
            Whether the noisy version is clipped; the other one always is.

        Raises
        ------
        ValueError
            If ``clean`` has another shape or type, NaN or values outside [0, 1], if ``level`` is
            outside the noise's domain or too high to compute with, or if the noise makes no finite
            pictures of the same shape, or changes ``clean``.
        """
        if clean.ndim != 3 or clean.dtype != np.float32:
            raise ValueError(
                f"{self.name} needs (H, W, C) float32, got {clean.shape} {clean.dtype}"
            )
        if not (clean.size and clean.min() >= 0 and clean.max() <= 1):  # NaN fails this as well
            raise ValueError(f"{self.name} needs values in [0, 1], got {_extent(clean)}")
        self.check_level(level)
        before = clean.copy()
        try:
            made = self.sample_pair(clean, level, rng)
        except OverflowError as error:
            raise ValueError(f"{self.name} cannot make noise of level {level:g}: {error}") from None
        if not isinstance(made, tuple | list) or len(made) != 2:
            raise ValueError(
                f"{self.name}.sample_pair returned {type(made).__name__}, not the image to restore "
                f"and the noisy one"
            )
        target, noisy = (
            image if image is clean else self._picture(image, clean, clipped)
            for image, clipped in zip(made, (True, clip), strict=True)
        )
        if not np.array_equal(before, clean):
            raise ValueError(
                f"{self.name} changed the clean image, which everything else is compared with; "
                f"a noise works on a copy: noisy = clean.copy()"
            )
        return target, noisy

    def _picture(self, image: np.ndarray, clean: np.ndarray, clip: bool) -> np.ndarray:
        """What the noise made, float32; ``ValueError`` if it is no picture like the clean one."""
        if not isinstance(image, np.ndarray) or image.dtype.kind != "f":
            kind = getattr(image, "dtype", type(image).__name__)
            raise ValueError(
                f"{self.name} made {kind}, but a noisy image is a numpy array of floating-point "
                f"numbers in [0, 1]"
            )
        if image.shape != clean.shape:
            raise ValueError(
                f"{self.name} made {image.shape} of {clean.shape}; a noisy image has the shape of "
                f"the clean one"
            )
        if not clip:
            with np.errstate(over="ignore"):
                image = image.astype(np.float32)  # 1e39 is infinite there
        if not np.isfinite(image).all():
            raise ValueError(
                f"{self.name} made values which are NaN or infinite of a picture in [0, 1]"
            )
        if clip and (times := _times_as_bright(clean, image)) > MOST_TIMES:
            raise ValueError(
                f"{self.name} made a picture {times:.3g} times as bright as the clean one, which "
                f"is in [0, 1]; a noise for 0 to 255 divides what it returns by 255"
            )
        return in_range(image) if clip else image


def _times_as_bright(clean: np.ndarray, image: np.ndarray) -> float:
    """The slope of a noisy picture against the clean one; 1 where the two hardly go together.

    And 1 of a picture in whose brightest place that is not seen: where a clean one is even, smooth
    noise can go along with the little that there is.
    """
    if image.max() <= MOST_TIMES * clean.max():
        return 1.0
    step = max(1, int((clean.size / (16 * LEAST_SEEN)) ** 0.5))  # a part of the pixels will do
    x, y = (part[::step, ::step].astype(float).ravel() for part in (clean, image))
    with np.errstate(over="ignore", invalid="ignore"):  # of levels beyond all reason
        x, y = x - x.mean(), y - y.mean()
        spread, both = x @ x, x @ y
        is_alike = both > LEAST_ALIKE * np.sqrt(spread * (y @ y))  # false of NaN
    return float(both / spread) if len(x) >= LEAST_SEEN and is_alike else 1.0


def to_uint8(image: np.ndarray) -> np.ndarray:
    """Round [0, 1] to 8 bits, half to even: what a saved PNG holds, as in the published sets."""
    scaled = np.clip(image, 0.0, 1.0)
    scaled *= 255
    return np.rint(scaled, out=scaled).astype(np.uint8)


def in_range(image: np.ndarray) -> np.ndarray:
    """Clip to [0, 1] and give float32, what a noise model takes and returns."""
    clipped = np.empty(image.shape, np.float32)
    return np.clip(image, 0, 1, out=clipped, casting="same_kind")


def _extent(image: np.ndarray) -> str:
    if not image.size:
        return f"an empty image {image.shape}"
    if np.isnan(image).any():
        return "NaN"
    return f"{image.min():g} to {image.max():g}"


def _noisy_of_pair(
    self: NoiseModel, clean: np.ndarray, level: float, rng: np.random.Generator
) -> np.ndarray:
    """The noisy image of ``sample_pair``, where that is the law."""
    return self.sample_pair(clean, level, rng)[1]
