"""What networks and noises are called in an analysis, and how its figures look."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmark.cells import Cell
from benchmark.cells.scores import label_of
from benchmark.reporting.figures.style import Size, Style, Styles


@dataclass(frozen=True)
class Look:
    """Labels by the name of a model or noise, and the style of figures."""

    labels: Mapping[str, str] = field(default_factory=dict)
    style: Style = field(default_factory=Style)

    @property
    def size(self) -> Size:
        """How large figures are."""
        return self.style.size

    @property
    def columns(self) -> int:
        """How many of a paper's two columns a figure fills; 0: those of a README."""
        return self.style.columns

    def label(self, name: str) -> str:
        """What readers see for a model or a noise."""
        return label_of(name, self.labels)

    def condition(self, cell: Cell) -> str:
        """A noise and its level in words: ``poisson 3``."""
        return f"{self.label(cell.noise)} {cell.level:g}"

    def lines(self, models: list[str]) -> Styles:
        """By model, not by its label, the keywords of `Axes.plot`."""
        return self.style.lines(models)

    def legend(self, looks: Styles) -> Styles:
        """The same by label, as a legend shows them."""
        return {self.label(model): look for model, look in looks.items()}


PLAIN = Look()  # names as they are
