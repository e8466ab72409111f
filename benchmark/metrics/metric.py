"""What a metric is: a restored image and the clean one in, one number out. Loads no torch."""

from collections.abc import Mapping
from dataclasses import Field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from benchmark.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor

METRICS: "Registry[Metric]" = Registry("metric")


class MetricUnavailable(Exception):
    """A metric's package or weights are not on this machine; the message says how to get them."""


class Metric:
    """A frozen dataclass whose fields are its settings; calling it scores one pair of images.

    Subclasses write ``score``; everyone else calls ``prepare`` once and then the object. Where the
    clean image alone takes a good part of the time, ``features`` and ``compare`` are written too.
    """

    name: ClassVar[str]  #: set by the registry
    higher_is_better: ClassVar[bool]
    unit: ClassVar[str] = ""
    digits: ClassVar[int] = 4  #: behind the point, wherever a score is printed
    rgb_only: ClassVar[bool] = False
    #: whether it scores tensors of a GPU, and gives a tensor of no dimension there without waiting
    #: for it; others get tensors of the CPU. A subclass has to say it again
    on_device: ClassVar[bool] = False
    #: whether ``features`` are worth being kept while the restored image changes
    keeps_features: ClassVar[bool] = False
    cites: ClassVar[tuple[str, ...]] = ()  #: keys of references.bib, or whole entries of BibTeX
    located: ClassVar[tuple[str, ...]] = ()  #: settings which say where something lies, not what
    files: ClassVar[tuple[str, ...]] = ()  #: settings which name a file: its content counts
    later: ClassVar[tuple[str, ...]] = ()  #: settings younger than stored scores
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]  # of subclasses, which are dataclasses

    def __init_subclass__(cls, **keywords: object) -> None:
        """Take no promise over from a parent which another ``score`` may not keep."""
        super().__init_subclass__(**keywords)
        for promise in ("on_device", "keeps_features"):
            if promise not in vars(cls):
                setattr(cls, promise, False)

    @property
    def minimum_size(self) -> int:
        """The smallest height and width, in pixels, that can be scored."""
        return 1

    def prepare(self) -> None:
        """Load what scoring needs; called before any model runs.

        Raises
        ------
        MetricUnavailable
            If a package or weights are missing; the others can still be scored.
        """

    def found_files(self) -> list[Path]:
        """What `prepare` reads that comes with no package and that no setting names.

        Raises
        ------
        MetricUnavailable
            As `prepare` does.
        """
        return []

    def score(self, restored: "Tensor", clean: "Tensor") -> "float | Tensor":
        """One number for one pair whose shape has been checked; see `__call__`."""
        raise NotImplementedError

    def features(self, clean: "Tensor") -> Any:
        """What a score needs of a clean image alone; by default the image."""
        return clean

    def compare(self, restored: "Tensor", features: Any) -> "float | Tensor":
        """`score`, of a restored image and the ``features`` of the clean one."""
        return self.score(restored, features)

    def __call__(self, restored: "Tensor", clean: "Tensor", features: Any = None) -> float:
        """Score one pair, (1, C, H, W) float in [0, 1], both already rounded to 8 bits.

        Parameters
        ----------
        features
            Of the clean image, where they are known.

        Raises
        ------
        ValueError
            If the shapes differ, are no single image, or are smaller than ``minimum_size``, or
            ``score`` gives something else than one number.
        """
        return one_number(self.name, self.unread(restored, clean, features))

    def unread(self, restored: "Tensor", clean: "Tensor", features: Any = None) -> "float | Tensor":
        """`__call__` without waiting: on a device with a queue the score may still be computed."""
        if restored.shape != clean.shape or clean.ndim != 4 or len(clean) != 1:
            raise ValueError(
                f"{self.name} compares one pair of (1, C, H, W) images, "
                f"got {tuple(restored.shape)} and {tuple(clean.shape)}"
            )
        channels, height, width = clean.shape[1:]
        if self.rgb_only and channels != 3:
            raise ValueError(f"{self.name} needs RGB images, got {channels} channels")
        if min(height, width) < self.minimum_size:
            raise ValueError(
                f"{self.name} needs images of at least {self.minimum_size}x{self.minimum_size} "
                f"pixels, got {height}x{width}; leave it out or use larger images"
            )
        known = self.features(clean) if features is None else features
        return self.compare(restored, known)


def one_number(name: str, value: Any) -> float:
    """What a metric of this name gave; ``ValueError`` if that is not one number."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise ValueError(f"metric '{name}' gave {value!r:.60}, not one number") from None


def prepared(metrics: Mapping[str, Metric]) -> tuple[dict[str, Metric], dict[str, str]]:
    """The metrics which can score here, and why each of the others cannot."""
    available, unavailable = {}, {}
    for name, metric in metrics.items():
        try:
            metric.prepare()
            available[name] = metric
        except MetricUnavailable as error:
            unavailable[name] = str(error)
    return available, unavailable
