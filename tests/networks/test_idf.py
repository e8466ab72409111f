"""IDF mixes in training alone, loads as its authors published it, and never divides by 0."""

import pytest
import torch
from omegaconf import OmegaConf
from test_networks import assert_close, published

from baselines.idf import IDF, MEAN
from benchmark.denoiser.weights.load import load_network

TINY = {"iterations": 3, "width": 4}


def images(count: int = 2) -> torch.Tensor:
    return torch.rand(count, 3, 12, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["idf_tiny", "idf_tiny_power2"])
def test_training_under_given_parts_is_that_of_the_published_code(name):
    stored, meta, network = published(name)
    parts = iter(meta["train_alphas"])
    network.kept_part = lambda image: torch.tensor(next(parts))
    with torch.no_grad():
        assert_close(network.train()(stored["x"]), stored["y_train"])
    assert list(parts) == []


def test_training_draws_a_part_for_every_image_from_the_generator_of_torch():
    network, image = IDF(**TINY).train(), images(1)
    torch.manual_seed(0)
    first, second = network(torch.cat([image, image]))
    assert not torch.allclose(first, second)
    torch.manual_seed(0)
    assert torch.equal(network(torch.cat([image, image]))[0], first)


def test_testing_draws_nothing():
    network = IDF(**TINY).eval()
    before = torch.get_rng_state()
    network(images())
    assert torch.equal(torch.get_rng_state(), before)


def test_an_image_of_the_mean_colour_is_left_as_it_is_and_its_gradients_are_numbers():
    network = IDF(**TINY)
    image = torch.tensor(MEAN).view(1, 3, 1, 1).repeat(1, 1, 8, 8).requires_grad_()
    restored = network(image)
    torch.testing.assert_close(restored, image)
    restored.sum().backward()
    assert image.grad.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())


def test_no_pixel_leaves_the_colours_around_it_but_towards_the_mean():
    network, image = IDF(**TINY).eval(), images()
    with torch.no_grad():
        restored = network(image)
    colours = torch.cat([image.flatten(2), torch.tensor(MEAN).expand(2, 1, 3).mT], 2)
    assert (restored.flatten(2) <= colours.amax(2, keepdim=True) + 1e-6).all()
    assert (restored.flatten(2) >= colours.amin(2, keepdim=True) - 1e-6).all()


def test_a_checkpoint_of_its_authors_loads_with_the_settings_that_shapes_do_not_tell(tmp_path):
    network, path = IDF(width=4), tmp_path / "idf_g_15.ckpt"
    state = {f"model.{key}": value for key, value in network.state_dict().items()}
    config = OmegaConf.create({"params": {"num_iter": 10, "raw_mean": list(MEAN)}})
    lightning = {
        "epoch": 0,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": state,
        "loops": {"fit_loop": {"state_dict": {}}},
        "callbacks": {},
        "optimizer_states": [torch.optim.AdamW(network.parameters()).state_dict()],
        "hyper_parameters": {"denoiser_config": config, "misc_config": config["params"]},
    }
    torch.save(lightning, path)
    found = load_network(IDF, path, {})
    assert (found.iterations, found.block.power) == (10, 3.0)
    assert torch.equal(found.denoise(images()), network.denoise(images()))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"iterations": 1}, "idf needs iterations of 2 or more, got 1$"),
        ({"width": 0}, "idf needs width of 1 or more, got 0$"),
        ({"power": 0.5}, r"idf needs power of 1 or more, got 0\.5$"),
    ],
    ids=["iterations", "width", "power"],
)
def test_settings_that_make_no_filter_are_one_sentence(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        IDF(**settings)
