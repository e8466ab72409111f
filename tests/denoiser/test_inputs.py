"""What may come in at the door of a model, and what it may do to it."""

import numpy as np
import pytest
import torch
from torch import Tensor
from toy_outputs import Raises, Returns, scored

from benchmark.denoiser import Denoiser
from benchmark.denoiser.contract import RestorationError
from benchmark.denoiser.inference import Inference

# what may come in at the door


class Colour(Denoiser):
    """A convolution, which fails in its own words where channels are missing."""

    name = "colour"
    image_channels = 3

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 3, 1, bias=False)
        torch.nn.init.dirac_(self.conv.weight)

    def forward(self, noisy: Tensor) -> Tensor:
        return self.conv(noisy)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (torch.zeros(3, 8, 8), r"got \(3, 8, 8\); add the dimension of the batch"),
        (torch.zeros(8, 8), r"got \(8, 8\)$"),
        (torch.zeros(1, 3, 0, 8), r"got \(1, 3, 0, 8\)$"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), "uint8; divide 8-bit values by 255"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.float64), "float32, got torch.float64; give it image"),
        (np.zeros((1, 3, 8, 8)), r"as a tensor .* got a numpy array of shape \(1, 3, 8, 8\)"),
        (torch.zeros(1, 8, 8, 3), r"\(B, 3, H, W\), got .*; put the channels first"),
        (torch.zeros(1, 1, 8, 8), r"\(B, 3, H, W\), got .*; repeat those of a grey image"),
    ],
)
def test_what_is_no_batch_of_images_is_one_sentence_at_the_door(given, sentence):
    with pytest.raises(ValueError, match=f"^'colour' takes .*{sentence}"):
        Colour().denoise(given)


def test_a_network_in_float64_takes_images_of_its_own_type():
    image = torch.rand(1, 3, 8, 8, dtype=torch.float64)
    assert Colour().double().denoise(image).dtype == torch.float32


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"tile": "big"}, "unknown tile=big; take auto, none, or a side"),
        ({"tile": 100}, "take tile=96"),
        ({"precision": "fp16"}, "unknown precision=fp16; take fp32 or bf16"),
    ],
)
def test_an_unknown_way_to_denoise_is_one_sentence(how, sentence):
    with pytest.raises(ValueError, match=sentence):
        Colour().denoise(torch.zeros(1, 3, 8, 8), **how)


def test_a_model_of_any_number_of_channels_gets_what_it_is_given():
    assert Returns(how="half").denoise(torch.zeros(2, 5, 7, 9)).shape == (2, 5, 7, 9)


class Halves(Denoiser):
    """A network of one scale more where it is told so."""

    def __init__(self, *, multiple: int = 2):
        super().__init__()
        self.multiple = multiple
        self.seen: list[tuple[int, ...]] = []

    def forward(self, noisy: Tensor) -> Tensor:
        self.seen.append(tuple(noisy.shape[2:]))
        return noisy


def test_an_instance_says_of_what_its_sides_are_a_multiple():
    small, large = Halves(), Halves(multiple=16)
    for model in (small, large):
        assert model.denoise(torch.zeros(1, 3, 17, 18)).shape == (1, 3, 17, 18)
    assert (small.seen, large.seen) == ([(18, 18)], [(32, 32)])


def test_denoise_clamps_unless_asked_not_to():
    model, noisy = Returns(how="overshoot"), torch.tensor([0.0, 1.0]).expand(1, 3, 4, 2)
    assert model.denoise(noisy).aminmax() == (0, 1)
    assert model.denoise(noisy, clamp=False).max() > 1.05


# a model's own errors, and what it does to its input


@pytest.mark.parametrize(
    "error", [RuntimeError("a"), TypeError("b"), KeyError("c"), AssertionError(), IndexError()]
)
def test_a_defect_of_a_model_keeps_its_traceback_and_says_where_it_was(error, images):
    with pytest.raises(type(error)) as raised:
        scored(Raises(error), images, Inference())
    assert raised.value is error
    assert "mine on d, gaussian 15, seed 0, image a" in error.__notes__[0]


@pytest.mark.parametrize("error", [ValueError("a grey image"), FileNotFoundError("no file x")])
def test_a_sentence_of_a_model_says_where_it_was(error, images):
    with pytest.raises(RestorationError, match=f"^mine on d, .*, image a: {error}$"):
        scored(Raises(error), images, Inference())


class Reuses(Denoiser):
    """Write every output into one buffer."""

    name = "reuses"
    buffer: Tensor | None = None

    def forward(self, noisy: Tensor) -> Tensor:
        if self.buffer is None:
            self.buffer = torch.empty_like(noisy)
        return self.buffer.copy_(noisy)


def test_an_output_is_not_changed_by_the_next_image():
    model, first = Reuses(), torch.full((1, 3, 8, 8), 0.25)
    restored = model.denoise(first, clamp=False)
    model.denoise(3 * first, clamp=False)
    assert torch.equal(restored, first)


@pytest.mark.parametrize("tile", ["none", 64])
def test_a_model_that_changes_its_input_changes_a_copy(tile):
    noisy = torch.linspace(0, 1, 3 * 96 * 96).reshape(1, 3, 96, 96)
    before = noisy.clone()
    restored = Returns(how="changes its input").denoise(noisy, tile=tile)
    assert torch.equal(noisy, before)
    torch.testing.assert_close(restored, 0.9 * before)
