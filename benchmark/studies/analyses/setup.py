"""What an analysis is made of: networks, noises, and the crops which all of them see."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.analysis.activations import chosen_layers, features_of, layers_met
from benchmark.cells import Cell
from benchmark.cells.provenance import code_facts
from benchmark.console.log import log
from benchmark.noise.keys import stream
from benchmark.pixels import cut
from benchmark.protocol import IN_DISTRIBUTION
from benchmark.scoring.evaluate import noisy_pair
from benchmark.scoring.grid import Grid
from benchmark.studies.analyses.kept import Found, kept

LEAST = 4  # crops: fewer have no distribution


@dataclass(frozen=True)
class Setup:
    """The networks and noises of an analysis, and how many crops of which size they see.

    Parameters
    ----------
    grid
        Its cells are what is measured: a network under a noise at one level; see `conditions`.
    out
        The folder of the page; what is measured is kept there in ``measured``.
    crops
        How many crops, in turn of each image of a dataset.
    side
        Their height and width, in pixels.
    batch
        Crops of one pass.
    layers
        Patterns, as `chosen_layers` takes them, of any of the networks; none: those which each
        network names.
    hidden
        Shares of pixels, in percent, of `completion`.

    Raises
    ------
    ValueError
        If there are fewer than four crops, or they have no pixels.
    """

    grid: Grid
    out: Path
    crops: int
    side: int
    batch: int = 16
    layers: tuple[str, ...] = ()
    hidden: tuple[int, ...] = ()
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name, least in (("crops", LEAST), ("side", 8), ("batch", 1)):
            if (given := getattr(self, name)) < least:
                raise ValueError(f"an analysis needs {name} of {least} or more, got {given}")

    def require_layers(self) -> None:
        """Raise ``ValueError`` if a network has no layers, or not the named ones."""
        for name in self.grid.models:
            if not self.layers_of(name):
                raise ValueError(
                    f"'{name}' has no layers to be analysed; choose a network, such as model=masked"
                )

    def require_others(self) -> None:
        """Raise ``ValueError`` if a network is under no other noise than the reference's."""
        if any(not self.others(reference) for reference in self.references):
            noise, level = IN_DISTRIBUTION
            raise ValueError(
                f"noises which are added to the same images are compared here; name one beside "
                f"{noise} {level:g}"
            )

    def layers_of(self, model: str) -> list[str]:
        """The layers of a network which are looked at, the deepest last."""
        return self._layers[model]

    @property
    def references(self) -> list[Cell]:
        """Each network under the noise which all are trained on."""
        return [cell for cell in self.grid.cells if is_reference(cell)]

    def others(self, reference: Cell) -> list[Cell]:
        """The same network under the other noises and levels."""
        same = (reference.model, reference.dataset)
        cells = [cell for cell in self.grid.cells if (cell.model, cell.dataset) == same]
        return [cell for cell in cells if not is_reference(cell)]

    def settings(self, cell: Cell, layers: Sequence[str]) -> dict[str, object]:
        """Everything that what is measured of a cell depends on."""
        known = self.grid.settings_of(cell)
        own = {name: known[name] for name in ("model", "noise", "dataset", "protocol")}
        sizes = {name: getattr(self, name) for name in ("crops", "side", "batch")}
        return {"cell": asdict(cell), **own, **sizes, "layers": list(layers)}

    def features(
        self, cell: Cell, layers: Sequence[str], of: Callable[[Tensor], Any]
    ) -> Iterator[Mapping[str, Any]]:
        """What is kept of layers of a cell's network under its noise, batch by batch.

        The crops of a batch and the seed of its masks are the same for all networks and noises.
        """
        network = self.grid.models[cell.model].to(self.device)

        def finite(features: Tensor) -> Any:
            if not features.isfinite().all():
                raise no_numbers(cell)
            return of(features)

        for noisy, seed in self.batches(cell.dataset, self.crops_of(cell)[1]):
            yield features_of(network, layers, noisy, seed, finite)

    def batches(self, dataset: str, images: np.ndarray) -> Iterator[tuple[Tensor, int]]:
        """Crops of a dataset, (crops, H, W, C) as `crops_of` gives them, as networks take them.

        Returns
        -------
        iterator
            (batch, C, H, W) float32 on the device, and the seed of what a network draws for it.
        """
        crops = torch.from_numpy(images).permute(0, 3, 1, 2)
        for number, part in enumerate(crops.split(self.batch)):
            batch = part.float() / 255 if part.dtype == torch.uint8 else part
            seed = stream("analysis", dataset, number, self._seed) % 2**63
            yield batch.to(self.device), seed

    def deepest(self, cell: Cell) -> Iterator[np.ndarray]:
        """What goes on from a network's deepest layer, batch by batch: (crops, values) float32."""
        for part in self.features(cell, self.layers_of(cell.model)[-1:], torch.clone):
            yield [*part.values()][-1].float().cpu().numpy()

    def kept(
        self,
        name: str,
        settings: Mapping[str, object],
        measure: Callable[[], Mapping[str, object]],
        cells: Sequence[Cell],
    ) -> Found:
        """What ``measure`` gives of cells, or gave before by the same code; see `kept`."""
        facts: dict[str, str] = {}
        for cell in cells:
            facts |= code_facts(vars(cell), {**self.grid.code_of(cell), "metrics": {}})
        code = {what: source for what, source in facts.items() if what.startswith("source of")}
        return kept(self.out / "measured", name, settings, measure, self.device, code)

    def crops_of(self, cell: Cell) -> tuple[np.ndarray, np.ndarray]:
        """Crops of the clean and the noisy images of ``bench run``: (crops, side, side, C) each.

        One is of the first image, the next of the second, and so on; places are the same for all.

        Raises
        ------
        ValueError
            If an image is smaller than a crop, or too few crops differ.
        """
        dataset, found, boxes = self.grid.datasets[cell.dataset], {}, set()
        images = dataset.images()
        for place, image in enumerate(images[: self.crops]):
            noise = self.grid.noises[cell.noise]
            clean, noisy = noisy_pair(cell, dataset, noise, image, self.grid.protocol)
            if min(noisy.shape[:2]) < self.side:
                raise ValueError(
                    f"crops of {self.side}x{self.side} do not fit into {image} of {cell.dataset}, "
                    f"{noisy.shape[0]}x{noisy.shape[1]}; take side={min(noisy.shape[:2])}"
                )
            for number in range(place, self.crops, len(images)):
                rng = np.random.default_rng(stream("crop", cell.dataset, image, number, self.side))
                top, left = (int(rng.integers(edge - self.side + 1)) for edge in noisy.shape[:2])
                box = (top, left, self.side, self.side)
                found[number] = cut(clean, box), cut(noisy, box)
                boxes.add((image, box))
        if len(boxes) < LEAST:
            raise ValueError(
                f"only {len(boxes)} of {self.crops} crops of {self.side}x{self.side} from "
                f"{cell.dataset} differ; take more or larger images, or a smaller side"
            )
        ours, theirs = zip(*(found[number] for number in range(self.crops)), strict=True)
        return np.stack(ours), np.stack(theirs)

    @cached_property
    def _seed(self) -> int:
        return self.grid.seeds[0]

    @cached_property
    def _layers(self) -> dict[str, list[str]]:
        """By network, the layers which are looked at; a pattern may be of some networks only."""
        models, found = self.grid.models, {}
        known = {p for p in self.layers if any(layers_met(model, p) for model in models.values())}
        for name, model in models.items():
            own = [p for p in self.layers if p not in known or layers_met(model, p)]
            if self.layers and not own:
                raise ValueError(
                    f"'{name}' has no layer called {' or '.join(self.layers)}; add one of its own "
                    f"to layers=, which bench list layers shows"
                )
            found[name] = chosen_layers(model, own)
        return found


def conditions(grid: Grid, chosen: Mapping[str, object], levels: str) -> Grid:
    """The grid with the levels which an analysis looks at, and the reference's.

    Recorded noise is left out, which a line says: it stands on no other noise's images.

    Parameters
    ----------
    chosen
        The noises which were asked for; the reference's may be in the grid beside them.
    levels
        ``"middle"``, one of each noise, or ``"all"``.

    Raises
    ------
    ValueError
        If ``levels`` is neither, or all noises are recorded.
    """
    if levels not in ("middle", "all"):
        raise ValueError(
            f"levels={levels} is unknown; take middle, one level of each noise, or all"
        )
    found: dict[str, dict[str, tuple[float, ...]]] = {}
    for dataset, noises in grid.levels.items():
        if grid.datasets[dataset].recorded:
            log.info(f"{dataset} is left out: recorded noise has no image under other noises")
            continue
        taken = {
            name: own if levels == "all" else (own[len(own) // 2],)
            for name, own in noises.items()
            if name in chosen
        }
        noise, level = IN_DISTRIBUTION
        reference = {noise: tuple(dict.fromkeys([level, *taken.pop(noise, ())]))}
        found[dataset] = {**reference, **taken}
    if not found:
        raise ValueError("an analysis compares noises of the same images; choose some to be added")
    datasets = {name: grid.datasets[name] for name in found}
    return replace(grid, levels=found, datasets=datasets)


def no_numbers(cell: Cell) -> ValueError:
    """What is raised where nothing can be measured of a network under its noise."""
    return ValueError(
        f"'{cell.model}' makes values that are no finite numbers of {cell.dataset} under "
        f"{cell.noise} {cell.level:g}, and nothing can be measured of it; leave it out"
    )


def is_reference(cell: Cell) -> bool:
    """Whether its noise is the one which all networks are trained on."""
    return (cell.noise, cell.level) == IN_DISTRIBUTION


def name_of(cell: Cell) -> str:
    """What the file of a cell's measurement is called: ``masked-kodak24-poisson-3-0``."""
    return f"{cell.model}-{cell.dataset}-{cell.condition}"
