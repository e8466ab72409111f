"""The batched form of a noise, which training uses, has the law of its one-image form."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from benchmark.noise import NOISE_MODELS, NoiseModel
from noise_models import Gaussian, Speckle

COUNT, HEIGHT, WIDTH = 1000, 8, 6
TRAINED_ON = ("gaussian", "speckle")  # by the published recipe, and by the README's oracle


def batch_of(noise: NoiseModel, clean: Tensor, level: float, seed: int = 0) -> Tensor:
    return noise.sample_batch(clean, level, Generator(clean.device).manual_seed(seed))


def has_batched_form(noise: NoiseModel) -> bool:
    return batch_of(noise, torch.rand(1, 3, 16, 16), noise.levels[0]) is not None


NOISES = {name: cls() for name, cls in sorted(NOISE_MODELS.items())}
BATCHED = {name: noise for name, noise in NOISES.items() if has_batched_form(noise)}
every_batched_noise = pytest.mark.parametrize(
    "noise",
    [
        *(pytest.param(noise, id=name) for name, noise in BATCHED.items()),
        pytest.param(Speckle(distribution="normal"), id="speckle-normal"),
    ],
)


@pytest.fixture
def clean() -> Tensor:
    return torch.rand(4, 3, 24, 20, generator=Generator().manual_seed(5))


def test_a_batched_form_exists_where_networks_are_trained_on_the_noise_and_nowhere_else():
    ours = [n for n, noise in BATCHED.items() if type(noise).__module__.startswith("noise_models.")]
    assert sorted(ours) == sorted(TRAINED_ON)


@every_batched_noise
def test_a_noisy_batch_is_new_and_like_its_clean_one(noise, clean):
    before = clean.clone()
    for level in noise.levels:
        noisy = batch_of(noise, clean, level)
        assert (noisy.shape, noisy.dtype, noisy.device) == (clean.shape, clean.dtype, clean.device)
        assert noisy.isfinite().all()
        assert noisy.data_ptr() != clean.data_ptr()
        assert not torch.equal(noisy, clean)
    assert torch.equal(clean, before)


@every_batched_noise
def test_the_generator_alone_decides_a_batch(noise, clean):
    level = noise.levels[-1]
    first = batch_of(noise, clean, level)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    assert torch.equal(batch_of(noise, clean, level), first)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(batch_of(noise, clean, level, seed=1), first)


@every_batched_noise
def test_the_memory_layout_of_a_batch_decides_nothing(noise, clean):
    other = clean.contiguous(memory_format=torch.channels_last)
    level = noise.levels[-1]
    torch.testing.assert_close(batch_of(noise, other, level), batch_of(noise, clean, level))


@every_batched_noise
def test_every_image_of_a_batch_gets_other_noise(noise, clean):
    same = clean[:1].expand(4, -1, -1, -1)
    noisy = batch_of(noise, same, noise.levels[-1])
    assert len({image.numpy().tobytes() for image in noisy}) == 4


@every_batched_noise
def test_a_batch_of_level_0_is_clean(noise, clean):
    torch.testing.assert_close(batch_of(noise, clean, 0), clean)


def statistics(noise: np.ndarray) -> dict[str, np.ndarray]:
    """For (images, C, H, W) noise, an array for each image, of means over the image.

    They tell apart means, tails, correlations, and variances which depend on the place.
    """
    return {
        "mean": noise.mean((1, 2, 3)),
        "variance": np.square(noise).mean((1, 2, 3)),
        "fourth moment": (noise**4).mean((1, 2, 3)),
        "covariance of channels": np.einsum("ncyx,ndyx->ncd", noise, noise),
        "covariance of rows": np.einsum("ncyx,nczx->nyz", noise, noise),
        "covariance of columns": np.einsum("ncyx,ncyz->nxz", noise, noise),
    }


@pytest.mark.parametrize("intensity", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("end", [0, -1], ids=["mildest", "hardest"])
@every_batched_noise
def test_a_batch_has_the_law_of_single_images(noise, end, intensity):
    """Each statistic of 1000 images agrees within 5 standard errors, which the images tell."""
    level = noise.levels[end]
    flat = np.full((HEIGHT, WIDTH, 3), intensity, np.float32)
    rng = np.random.default_rng(3)
    single = np.stack([noise.sample(flat, level, rng) for _ in range(COUNT)]).transpose(0, 3, 1, 2)
    batch = batch_of(noise, torch.full((COUNT, 3, HEIGHT, WIDTH), intensity), level).numpy()
    ours, theirs = (statistics((made - flat[0, 0, 0]) * 255) for made in (batch, single))
    for name, values in theirs.items():
        difference = ours[name].mean(0) - values.mean(0)
        error = np.sqrt((ours[name].var(0) + values.var(0)) / COUNT)
        rounding = 1e-5 * np.abs(values).max()  # to float32
        assert (np.abs(difference) <= 5 * error + rounding).all(), (name, difference, error)


# Who has no batched form


@dataclass(frozen=True)
class Halved(Gaussian):
    """Another law than its parent's."""

    def sample(self, clean, level, rng):
        return super().sample(clean, level / 2, rng)


@dataclass(frozen=True)
class Mild(Gaussian):
    """The same law at other levels."""

    levels: tuple[float, ...] = (5,)


@dataclass(frozen=True)
class HalvedInBatches(Halved):
    """Another law, in both forms."""

    def sample_batch(self, clean, level, generator):
        return Gaussian.sample_batch(self, clean, level / 2, generator)


class Redeveloped:
    """To be mixed in: restores another image."""

    def sample_pair(self, clean, level, rng):
        return clean / 2, clean


class Mixed(Redeveloped, Gaussian):
    """Another image to restore than its second parent's."""


@dataclass(frozen=True)
class HalvedAndMild(Halved):
    """Inherits a law which has no batched form."""

    levels: tuple[float, ...] = (5,)


@pytest.mark.parametrize(
    ("cls", "expected"),
    [
        (Mild, True),
        (HalvedInBatches, True),
        (Halved, False),
        (HalvedAndMild, False),
        (Mixed, False),
    ],
)
def test_another_law_does_not_inherit_a_batched_form(cls, expected):
    assert has_batched_form(cls()) == expected


@pytest.mark.parametrize(("cls", "promises"), [(Mild, True), (Halved, False), (Mixed, False)])
def test_another_law_does_not_inherit_what_its_parent_promises_of_its_variance(cls, promises):
    assert (cls().variance(np.array([0.5]), 5) is not None) == promises


def test_what_is_said_of_a_noise_is_not_said_of_its_children():
    assert Gaussian.suites and Gaussian.cites
    assert (Mild.suites, Mild.cites, Mild.note) == ((), (), "")
