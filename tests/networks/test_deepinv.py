"""Networks of DeepInverse restore images as ours do, or say why not."""

import pytest
import torch
from torch import Tensor
from toy_files import grey_dncnn, noisy

from baselines.adapters import Adapter, DeepInverse
from benchmark.denoiser.contract import RestorationError


@pytest.fixture
def tv() -> Adapter:
    pytest.importorskip("deepinv", reason="needs the package deepinv")
    return DeepInverse(denoiser="TVDenoiser", arguments={"n_it_max": 20})


# networks that raise


def test_a_deepinv_network_that_raises_is_one_sentence_with_a_cure(tv, monkeypatch):
    def fail(*_: object, **__: object) -> Tensor:
        raise RuntimeError("The size of tensor a (5) must match the size of tensor b (4)")

    monkeypatch.setattr(tv.network, "forward", fail)
    with pytest.raises(RestorationError, match=r"TVDenoiser fails .*model\.deepinv\.multiple=4, 8"):
        tv.denoise(noisy())


# deepinv


def test_deepinv_s_denoiser_gets_sigma_of_255(tv):
    from deepinv.models import TVDenoiser

    expected = TVDenoiser(n_it_max=20)(noisy(), 15 / 255).clamp(0, 1)
    torch.testing.assert_close(tv.denoise(noisy()), expected)
    strong = DeepInverse(denoiser="TVDenoiser", arguments={"n_it_max": 20}, sigma=60)
    assert strong.denoise(noisy()).std() < tv.denoise(noisy()).std()


def test_deepinv_s_warm_start_does_not_reach_the_next_image(tv):
    first = tv.denoise(noisy())
    tv.denoise(1 - noisy())
    assert torch.equal(tv.denoise(noisy()), first)


def test_deepinv_s_grey_networks_restore_each_colour(tmp_path):
    models = pytest.importorskip("deepinv.models", reason="needs the package deepinv")
    size = {"n_conv_layers": 3, "nf": 8}
    network = models.FFDNet(pretrained=None, **size).eval()
    torch.save(network.state_dict(), tmp_path / "ffdnet.pth")
    weights = str(tmp_path / "ffdnet.pth")
    model = DeepInverse(denoiser="FFDNet", arguments=size, weights=weights, multiple=2)
    image = noisy(20, 28)
    with torch.inference_mode():
        expected = network(image.transpose(0, 1), 15 / 255).transpose(0, 1).clamp(0, 1)
    torch.testing.assert_close(model.denoise(image), expected)
    assert model.denoise(noisy(7, 9)).shape == (1, 3, 7, 9)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"denoiser": "DRUnet"}, "deepinv has no denoiser 'DRUnet'; did you mean 'DRUNet'?"),
        ({"denoiser": "AnscombeDenoiser"}, "deepinv has no denoiser 'AnscombeDenoiser'"),
        ({"denoiser": "DRUNet"}, "deepinv's DRUNet needs a file: model.deepinv.weights=FILE"),
        ({"denoiser": "UNet"}, "deepinv's UNet needs a file: model.deepinv.weights=FILE"),
        (
            {"denoiser": "MedianFilter", "arguments": {"kernal": 3}},
            "deepinv's MedianFilter: ",
        ),
        (
            {"denoiser": "DnCNN", "arguments": {"pretrained": "download"}},
            "got multiple values for keyword argument 'pretrained'",
        ),
    ],
)
def test_what_deepinv_does_not_have_is_one_sentence(settings, sentence):
    pytest.importorskip("deepinv", reason="needs the package deepinv")
    with pytest.raises(ValueError) as refused:
        DeepInverse(**settings)
    assert sentence in str(refused.value)


def test_weights_of_another_network_are_one_sentence(tmp_path):
    pytest.importorskip("deepinv", reason="needs the package deepinv")
    grey_dncnn(tmp_path / "grey.pth")
    with pytest.raises(ValueError, match=r"grey\.pth does not fit: Error.* for DnCNN: Missing key"):
        DeepInverse(denoiser="DnCNN", weights=str(tmp_path / "grey.pth"))
