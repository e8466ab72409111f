"""Which commands make the parts of the page, at which size, in which order and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmark.studies.paper.parts import Part
from benchmark.studies.paper.runs import Run, Training
from benchmark.studies.variants import Ablation

NETWORKS = ("dncnn", "ridnet", "rnan", "swinir", "restormer", "dropout", "baseline", "masked")
PAIR = ("baseline", "masked")  # the network without masks and with them, which analyses compare
REST = ("swinir", "restormer", "dncnn", "dropout", "ridnet", "rnan")  # figures show the pair first
PRESETS = {"tiny": "tiny", "small": "fast", "published": "paper"}
FOUR = ("correlated", "poisson", "salt_and_pepper", "speckle")  # of Figure 11, a guess
FEW_CROPS = ("crops=200", "side=64")  # of SRGA, which else takes hours on a CPU


@dataclass(frozen=True)
class Shown:
    """What a visual comparison shows: of ``bench show``.

    Parameters
    ----------
    run
        The name of the run whose models are shown.
    models
        In their order; none: all of the run's, without the reference.
    level
        One for each noise; none: of each the third, mild to hard.
    only_crops
        Whether the whole image is left out: many columns of it are many megabytes.
    """

    run: str
    noise: tuple[str, ...]
    models: tuple[str, ...] = ()
    level: tuple[float, ...] = ()
    only_crops: bool = False


BEYOND = ("speckle", "poisson", "correlated", "salt_and_pepper", "mixture")
COMPARISONS = {
    "figure_1": Shown("scores", ("gaussian", "mixture"), ("swinir", "masked"), (15, 3)),
    "figure_2": Shown("ihc", ("gaussian",), level=(15,)),
    "figure_6": Shown("masks", ("gaussian", "mixture"), level=(15, 3)),
    "figure_8": Shown("scores", BEYOND, only_crops=True),
    "figure_9": Shown("scores", ("mc_render",), level=(64,)),
    "figure_10": Shown("scores", ("isp",), level=(1,)),
}


@dataclass(frozen=True)
class Plan:
    """What is asked for: a size, where results lie, and the settings which commands share.

    Parameters
    ----------
    size
        ``tiny``, ``small`` or ``published``.
    preset
        Of trainings.
    dataset, data
        The name of the images, and the words which choose them.
    tested
        The words which choose them for ``bench ablate``.
    recipe
        Further words of trainings.
    machine
        Words of every command which computes: threads, device.
    weights
        By network the weights file which is given to runs; not of those whose own are right.
    variants
        By name further weights of the masked network, such as those of the paper's ratio.
    to_train
        The networks of this size without weights.
    ablations
        Those of `bench ablate`, by name.
    absent
        By what cannot be had here, why.
    """

    size: str
    preset: str
    out: Path
    folders: Mapping[str, Path]
    dataset: str
    data: tuple[str, ...]
    tested: tuple[str, ...] = ()
    recipe: tuple[str, ...] = ()
    machine: tuple[str, ...] = ()
    weights: Mapping[str, str] = field(default_factory=dict)
    variants: Mapping[str, str] = field(default_factory=dict)
    to_train: tuple[str, ...] = ()
    ablations: Mapping[str, Ablation] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)

    @property
    def models(self) -> list[str]:
        """What is scored beside the noisy input: the paper's networks, then what is ours."""
        return [*NETWORKS, *self.variants]

    @cached_property
    def runs(self) -> dict[str, Run]:
        """Every run by its name, in the order in which they are given: quick ones first."""
        return {run.name: run for run in self._runs()}

    def runs_of(self, parts: Sequence[Part]) -> list[Run]:
        """The runs which make these parts and what those build upon, in their order."""
        wanted = {name for part in parts for name in part.runs}
        for run in reversed(self.runs.values()):
            if run.name in wanted:
                wanted |= {*run.after}
        return [run for run in self.runs.values() if run.name in wanted]

    def shared(self, parts: Sequence[Part]) -> list[Run]:
        """The runs which several of these parts are made by, and trainings of networks."""
        counts = Counter(name for part in parts for name in part.runs)
        trained = {*map(self.size_name, self.to_train)}
        return [run for run in self.runs.values() if counts[run.name] > 1 or run.name in trained]

    def size_name(self, network: str) -> str:
        """The name which ``bench train`` has for a network at this size."""
        return network if self.size == "published" else f"{network}_{self.size}"

    def _runs(self) -> Iterator[Run]:
        for network in self.to_train:
            yield self._training(network)
        trained = tuple(map(self.size_name, self.to_train))
        yield Run(
            "scores",
            (
                *("run", *self._model_words(NETWORKS), "model.rnan.chop=true", "noise=paper"),
                *("metric=[psnr,ssim,lpips]", *self.data, *self.machine),
                f"out={self.folders['scores']}",
            ),
            self.folders["scores"],
            ("leaderboard.csv",),
            "README.md",
            after=trained,
        )
        for name, shown in COMPARISONS.items():
            if shown.run == "scores":
                yield self._comparison(name, shown)
        yield self._curves_by_level()
        pair = tuple(self.size_name(name) for name in PAIR if name in self.to_train)
        for kind in ("cka", "features", "completion", "srga"):
            more = FEW_CROPS if kind == "srga" and self.size != "published" else ()
            out = self.folders["analyses"]
            words = ("analyse", kind, *self._model_words(PAIR), *self.data, *more, *self.machine)
            yield Run(
                kind,
                (*words, f"out={out}"),
                out / kind,
                (f"{kind}.csv",),
                "README.md",
                after=pair,
            )
        yield from self._training_curves()
        for name, ablation in self.ablations.items():
            yield self._ablation(name, ablation)
            for figure, shown in COMPARISONS.items():
                if shown.run == name:
                    yield self._comparison(figure, shown)

    def _training(self, network: str) -> Run:
        name, out = self.size_name(network), self.folders["training"]
        words = ("train", f"preset={self.preset}", f"model={name}", *self.recipe, *self.machine)
        folder, leaves = out / name, (f"{name}.safetensors",)
        return Training(name, (*words, f"out={out}"), folder, leaves, trains=True)

    def _training_curves(self) -> Iterator[Run]:
        trained = [self.size_name(name) for name in PAIR]
        for name in PAIR:
            if name not in self.to_train:
                yield self._training(name)
        out = self.folders["training"]
        leaves = ("training.md", "training_curves.svg")
        words = ("report", f"out={out}")
        yield Run("curves", words, out, leaves, "training.md", after=tuple(trained))

    def _ablation(self, name: str, ablation: Ablation) -> Run:
        size = () if self.size == "published" else (f"size={self.size}",)
        words = ("ablate", name, f"preset={self.preset}", *size, *self.tested)
        where = (f"runs={self.trainings_of_ablations}", f"out={self.folders['ablations']}")
        folder = self.folders["ablations"] / name
        return Run(
            name,
            (*words, *self.recipe, *self.machine, *where),
            folder,
            ("README.md",),
            "README.md",
            trains=True,
        )

    @property
    def trainings_of_ablations(self) -> Path:
        """The folder of the trainings which ablations share."""
        return self.out / "runs"

    def _comparison(self, name: str, shown: Shown) -> Run:
        folder, to = self.runs_folder(shown.run), self.out / name
        words = ["show", f"out={folder}", f"model=[{','.join(self.models_of(shown))}]"]
        words.append(f"noise=[{','.join(shown.noise)}]")
        if shown.level:
            words.append(f"level=[{','.join(f'{level:g}' for level in shown.level)}]")
        weights = self._weights_of(shown)
        if weights:
            words.append(f"weights=[{','.join(weights)}]")
        words += ["insets=only"] * shown.only_crops
        words += ["formats=[png]", *self.machine, f"to={to}"]
        needs = tuple(weights) if shown.run in self.ablations else ()
        leaves = ("comparison_*.png",)
        return Run(name, tuple(words), to, leaves, after=(shown.run,), needs=needs)

    def models_of(self, shown: Shown) -> list[str]:
        """The models of a comparison, in the order of its columns."""
        if shown.run in self.ablations:
            return [*(shown.models or self.ablations[shown.run].variants)]
        models = shown.models or (*PAIR, *REST)
        place = models.index("masked") + 1
        return [*models[:place], *self.variants, *models[place:]]

    def runs_folder(self, run: str) -> Path:
        """Where the cells of a run lie."""
        return self.folders["ablations"] / run if run in self.ablations else self.folders[run]

    def _weights_of(self, shown: Shown) -> list[str]:
        """Where the weights lie which pictures are made again with, as far as they do not ship."""
        if shown.run in self.ablations:
            return [str(self.trainings_of_ablations / name) for name in self.models_of(shown)]
        return [self.weights[name] for name in self.models_of(shown) if name in self.weights]

    def _curves_by_level(self) -> Run:
        out, to = self.folders["scores"], self.out / "figure_11"
        models = [*PAIR, *self.variants, *REST]  # seven lines are told apart, others grey
        words = ("report", f"out={out}", f"model=[{','.join(models)}]", f"noise=[{','.join(FOUR)}]")
        words += ("metric=[psnr,ssim]", "formats=[svg]", f"to={to}")
        return Run("figure_11", words, to, ("figure11_*.svg",), after=("scores",))

    def _model_words(self, networks: Sequence[str]) -> list[str]:
        words = [f"model=[{','.join(networks)}]"]
        given = {name: path for name, path in self.weights.items() if name in networks}
        words += [f"model.{name}.weights={path}" for name, path in given.items()]
        if "masked" in networks:
            words += [
                f"+model.{name}={{of: masked, weights: {weights}}}"
                for name, weights in self.variants.items()
            ]
        return words
