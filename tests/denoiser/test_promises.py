"""Every promise of denoisers can be broken, and `bench check-model` says which was."""

from functools import partial
from io import StringIO

import pytest
import torch
from doubles import Dice
from hydra.core.config_store import ConfigStore
from rich.console import Console
from torch import Tensor, nn

from baselines.identity import Identity
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.denoiser.promises import CHECKS, as_table, check


class OneRowLess(Identity):
    def denoise(self, noisy: Tensor) -> Tensor:
        return super().denoise(noisy)[..., 1:, :]


class DoublePrecision(Identity):
    def denoise(self, noisy: Tensor) -> Tensor:
        return super().denoise(noisy).double()


class NotClamped(Identity):
    def denoise(self, noisy: Tensor) -> Tensor:
        return super().denoise(noisy) * 1.1


class NoNumbers(Denoiser):
    def forward(self, noisy: Tensor) -> Tensor:
        return noisy * float("nan")


class InPlace(Denoiser):
    def forward(self, noisy: Tensor) -> Tensor:
        return noisy.mul_(0.5)


class StaysInTraining(Denoiser):
    def __init__(self):
        super().__init__()
        self.inner = nn.Dropout()

    def train(self, mode: bool = True) -> "StaysInTraining":
        super().train(mode)
        self.inner.train()
        return self

    def forward(self, noisy: Tensor) -> Tensor:
        return noisy


class KeepsTheGraph(Identity):
    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))

    def denoise(self, noisy: Tensor) -> Tensor:
        return self.eval()(noisy * self.gain).clamp(0, 1)


class RandomOfItsOwn(Denoiser):
    def __init__(self):
        super().__init__()
        self.generator = torch.Generator()

    def forward(self, noisy: Tensor) -> Tensor:
        return noisy * torch.rand((), generator=self.generator)


class Remembers(Denoiser):
    last: Tensor | None = None

    def forward(self, noisy: Tensor) -> Tensor:
        start = noisy if self.last is None or self.last.shape != noisy.shape else self.last
        self.last = noisy
        return (noisy + start) / 2


class EvenSidesOnly(Denoiser):
    def forward(self, noisy: Tensor) -> Tensor:
        return nn.functional.pixel_shuffle(nn.functional.pixel_unshuffle(noisy, 2), 2)


class BatchStatistics(Denoiser):
    def forward(self, noisy: Tensor) -> Tensor:
        return noisy - noisy.mean() + 0.5


class PairsOnly(Denoiser):
    def restore(self, noisy: Tensor) -> Tensor:
        return noisy[..., :40]  # what no image but the tiled one is wider than


class Told(Denoiser):
    def forward(self, noisy: Tensor, sigma: float = 0.1) -> Tensor:
        return noisy


def broken(model: Denoiser) -> dict[str, str]:
    return {one.name: one.found for one in check(model) if one.kept is False}


@pytest.mark.parametrize(
    ("model", "name", "found"),
    [
        (OneRowLess, "shape", "(1, 3, 31, 40) from (1, 3, 32, 40)"),
        (DoublePrecision, "dtype", "torch.float64"),
        (NotClamped, "value range", "to 1.1"),
        (NoNumbers, "value range", "values that are no numbers: 3072 NaN of 3072"),
        (InPlace, "input unchanged", "changed by up to 0."),
        (StaysInTraining, "evaluation", "still in training mode: inner"),
        (KeepsTheGraph, "evaluation", "keeps the graph"),
        (RandomOfItsOwn, "determinism", "the same image and seed differ by up to 0."),
        (Remembers, "determinism", "the same image and seed differ by up to 0."),
        (EvenSidesOnly, "sizes", "1x1: RuntimeError: "),
        (NoNumbers, "sizes", "1x1: 'NoNumbers' returned values that are no numbers"),
        (BatchStatistics, "batch", "from each alone"),
        (PairsOnly, "tiles", "returned (1, 3, 64, 40) for (1, 3, 64, 64)"),
        (NoNumbers, "tiles", "values that are no numbers"),
        (Told, "level not told", "forward takes noisy, sigma"),
    ],
)
def test_a_broken_promise_is_found_and_named(model, name, found):
    assert found in broken(model())[name]


def test_each_promise_has_a_model_that_breaks_it():
    models = [OneRowLess, DoublePrecision, NotClamped, InPlace, StaysInTraining, Remembers]
    models += [EvenSidesOnly, BatchStatistics, PairsOnly, Told]
    found = set().union(*(broken(model()) for model in models))
    assert found == {one.__name__.replace("_", " ") for one in CHECKS}


def test_the_identity_keeps_every_promise():
    assert [one.kept for one in check(Identity())] == [True] * len(CHECKS)


@pytest.mark.parametrize("multiple", [24, 64])
def test_a_network_of_large_blocks_keeps_them_too(multiple):
    class Blocks(Identity):
        def forward(self, noisy: Tensor) -> Tensor:
            blocks = nn.functional.pixel_unshuffle(noisy, multiple)
            return nn.functional.pixel_shuffle(blocks, multiple)

    Blocks.multiple = multiple
    assert broken(Blocks()) == {}


def test_batches_and_tiles_of_a_random_network_are_skipped_and_it_is_said_why():
    skipped = {one.name: one.found for one in check(Dice()) if one.kept is None}
    assert list(skipped) == ["batch", "tiles"]
    assert set(skipped.values()) == {
        "draws random numbers; if they can be switched off, check it without"
    }
    assert not broken(Dice())


def test_a_tile_can_change_the_image_without_breaking_a_promise():
    (found,) = (one for one in check(Centred()) if one.name == "tiles")
    assert found.kept
    assert "64x64 of 96x96 change a pixel by" in found.found
    assert "by 0 of 255" not in found.found


class Centred(Denoiser):
    def forward(self, noisy: Tensor) -> Tensor:
        return noisy - noisy.mean(dim=(1, 2, 3), keepdim=True) + 0.5


def test_the_table_names_every_promise():
    console = Console(width=120, file=StringIO())
    console.print(as_table("told", check(Told())))
    text = console.file.getvalue()
    assert text.splitlines()[0].strip() == "told"
    assert [line.split("  ")[1].strip() for line in text.splitlines()[1:]] == [
        one.__name__.replace("_", " ") for one in CHECKS
    ]
    assert "broken" in text


# the command


@pytest.fixture
def bench(bench):
    """Run ``bench check-model`` in this process: its exit status, output and errors."""
    yield partial(bench, "check-model")
    ConfigStore.instance().repo.pop("model", None)  # it may hold a model of a test


def test_a_model_that_keeps_its_promises_is_a_success(bench):
    status, out, _ = bench("identity")
    assert status == 0
    assert out.split()[:3] == ["identity", "shape", "kept"]
    assert "broken" not in out


def test_a_broken_promise_is_a_failure_with_one_sentence(bench, monkeypatch):
    monkeypatch.setitem(DENOISERS.data, "told", Told)
    monkeypatch.setattr(Told, "name", "told", raising=False)
    status, out, _ = bench("[identity,told]")
    assert status == "bench: not every denoiser keeps its promises: told, level not told"
    assert "forward takes noisy, sigma" in out


@pytest.mark.slow
def test_settings_reach_the_model(bench):
    status, out, err = bench("masked", "model.masked.mask=false")
    assert status == 0, err
    assert "skipped" not in out


def test_an_unknown_model_is_a_mistake_with_a_sentence(bench):
    status, _, err = bench("identiti")
    assert status == 2
    assert "unknown denoiser 'identiti'; did you mean 'identity'" in err
