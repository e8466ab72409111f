"""What an ablation compares: a question, and variants of a network which are trained alike."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Variant:
    """A network's settings and, where it has others than the rest, its training's.

    ``of`` is the registered name, and stands in ``model`` as well; ``data`` names datasets;
    ``settings`` are further ones of a training, by the names which ``bench train`` has for them.
    """

    of: str
    model: Mapping[str, object]
    data: tuple[str, ...] | None = None
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Ablation:
    """Variants in the order of their lines on the page, and what the page has beside scores.

    ``published`` has for a variant the table of the paper and the row in it.
    """

    name: str
    question: str
    variants: Mapping[str, Variant]
    brightness: bool = False  # whether the page shows how bright the outputs are
    trade_off: bool = False  # whether it has the figure of one noise against the others
    published: Mapping[str, list[str]] = field(default_factory=dict)
