"""RNAN's attention is exact in bounded memory, and its chop is that of the published test code."""

from unittest.mock import patch

import numpy as np
import pytest
import torch
from test_networks import GOLDEN, assert_close, published
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from baselines import rnan
from baselines.rnan import ATTENTIONS, RNAN
from benchmark.denoiser import pad_to_multiple
from benchmark.denoiser.inference import Inference

every_attention = pytest.mark.parametrize("softmax", ATTENTIONS)
PIXEL_AXIS = {"queries": 1, "keys": 2}  # over which a key's, or a query's, weights sum to 1


class Sizes(TorchDispatchMode):
    """Notes the largest number of elements of any tensor that an operation returns."""

    largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            self.largest = max(self.largest, result.numel())
        return result


def features(pixels: int, size: float = 1.0, batch: int = 2) -> list[Tensor]:
    generator = torch.Generator().manual_seed(pixels)
    query, key, value = torch.randn(3, batch, pixels, 4, generator=generator)
    return [size * query, key, value]


def small_net(**settings: float | bool | str) -> RNAN:
    torch.manual_seed(0)
    network = RNAN(groups=3, width=4, **settings).eval()
    for name, parameter in network.named_parameters():
        if ".W." in name:  # zero at the start of training
            torch.nn.init.normal_(parameter)
    return network


@every_attention
@pytest.mark.parametrize("pixels", [1, 63, 64, 65, 200])
@pytest.mark.parametrize("size", [1.0, 300.0], ids=["moderate", "large-logits"])
@pytest.mark.parametrize("training_path", [False, True], ids=["inference", "with-gradients"])
def test_attention_is_exact_at_any_number_of_pixels(
    softmax, pixels, size, training_path, monkeypatch
):
    monkeypatch.setattr(rnan, "TILE", 64)
    parts = features(pixels, size)
    query, key, value = (part.double() for part in parts)
    weights = (query @ key.transpose(1, 2)).softmax(PIXEL_AXIS[softmax])
    parts[0].requires_grad_(training_path)
    attended = ATTENTIONS[softmax](*parts).detach()
    torch.testing.assert_close(attended, (weights @ value).float(), rtol=1e-4, atol=1e-3)


@every_attention
def test_no_tensor_grows_with_the_square_of_the_pixels(softmax, monkeypatch):
    monkeypatch.setattr(rnan, "TILE", 256)
    parts = features(2000, batch=1)
    with torch.inference_mode(), Sizes() as sizes:
        ATTENTIONS[softmax](*parts)
    assert 0 < sizes.largest <= 256**2
    with Sizes() as sizes:
        (parts[0] @ parts[1].transpose(1, 2)).softmax(1)
    assert sizes.largest == 2000**2  # the measure sees what it should


@every_attention
@pytest.mark.parametrize("pixels", [1, 63, 64, 65, 200])
def test_gradients_are_those_of_all_weights_at_once(softmax, pixels, monkeypatch):
    monkeypatch.setattr(rnan, "TRAINED_KEYS", 64)
    parts = [part.requires_grad_() for part in features(pixels)]
    query, key, value = exact = [part.detach().double().requires_grad_() for part in parts]
    weights = (query @ key.transpose(1, 2)).softmax(PIXEL_AXIS[softmax])
    (weights @ value).square().sum().backward()
    ATTENTIONS[softmax](*parts).square().sum().backward()
    for part, wanted in zip(parts, exact, strict=True):
        torch.testing.assert_close(part.grad, wanted.grad.float(), rtol=1e-4, atol=1e-4)


@every_attention
def test_no_gradient_grows_with_the_square_of_the_pixels(softmax):
    parts = [part.requires_grad_() for part in features(2000, batch=1)]
    with Sizes() as sizes:
        ATTENTIONS[softmax](*parts).sum().backward()
    assert 0 < sizes.largest <= rnan.TRAINED_KEYS * 2000


def test_weights_are_shared_out_by_each_key_unless_the_paper_is_asked_for():
    query, key, value = features(50)
    ones = torch.ones_like(value)
    by_paper = ATTENTIONS["keys"](query, key, ones)
    torch.testing.assert_close(by_paper, ones)
    as_published = ATTENTIONS["queries"](query, key, ones)
    torch.testing.assert_close(as_published.mean(1), ones.mean(1))
    assert as_published.std() > 0.1
    image = torch.rand(1, 3, 16, 16)
    with torch.inference_mode():
        assert torch.equal(small_net()(image), small_net(softmax="queries")(image))
        assert not torch.allclose(small_net()(image), small_net(softmax="keys")(image))


def test_an_odd_side_is_reflected_to_an_even_one_and_cropped_again():
    network = small_net()
    image = torch.rand(1, 3, 13, 21)
    with torch.inference_mode():
        padded = network(pad_to_multiple(image, 2))
        assert padded.shape[-2:] == (14, 22)
        torch.testing.assert_close(network(image), padded[..., :13, :21])


def test_the_network_sees_white_at_rgb_range():
    image = torch.rand(1, 3, 12, 16)
    with torch.inference_mode():
        expected = small_net()(255 * image) / 255
        torch.testing.assert_close(small_net(rgb_range=255.0)(image), expected)


def test_chop_gives_what_the_published_chop_gives():
    stored = np.load(GOLDEN / "rnan_tiny_chop.npz")
    image, expected = torch.from_numpy(stored["x"]), torch.from_numpy(stored["y"])
    _, _, network = published("rnan_tiny")
    unbounded = Inference("none", bounded=False)  # random weights
    whole = unbounded.restore(network, image).image.clamp(0, 1)
    network.chop = True
    with torch.inference_mode():
        assert_close(network.restore(image), expected)
    assert_close(unbounded.restore(network, image).image, expected)
    assert (whole - expected.clamp(0, 1)).abs().max() > 1e-3


@pytest.mark.parametrize(
    "size", [(1, 1), (7, 9), (8, 700), (19, 24), (45, 51), (230, 231), (481, 321)]
)
def test_every_pixel_of_a_chopped_image_is_its_own(size):
    image = torch.rand(2, 3, *size)
    with patch.object(RNAN, "forward", lambda self, noisy: 2 * noisy):
        assert torch.equal(small_net().chopped(image), 2 * image)


@pytest.mark.parametrize(
    ("size", "count", "patch_size"),
    [((100, 100), 4, (60, 60)), ((256, 256), 16, (80, 80)), ((500, 500), 64, (80, 80))],
)
def test_chop_makes_the_published_patches(size, count, patch_size):
    seen = []
    with patch.object(RNAN, "forward", lambda self, noisy: seen.append(noisy.shape) or noisy):
        small_net(chop=True).denoise(torch.rand(1, 3, *size), tile="none")
    assert seen == [(1, 3, *patch_size)] * count


@pytest.mark.parametrize(("groups", "width"), [(2, 4), (3, 8), (13, 2)])
def test_shapes_tell_the_groups_and_the_width(groups, width):
    network = RNAN(groups=groups, width=width)
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    authors = {"rgb_range": 255.0}
    assert RNAN.arguments_of(shapes) == {"groups": groups, "width": width, **authors}
    assert RNAN.arguments_of({}) == {"groups": 2, **authors}


def test_wrong_settings_are_one_sentence():
    with pytest.raises(ValueError, match=r"2 or more groups and channels, got groups=1 and width"):
        RNAN(groups=1)
    with pytest.raises(ValueError, match=r"got groups=10 and width=1"):
        RNAN(width=1)
    with pytest.raises(ValueError, match=r"unknown softmax 'rows'.*queries, keys"):
        RNAN(softmax="rows")
