"""Every registered denoiser keeps the contract of denoisers."""

import inspect

import pytest
import torch
from torch import nn

from benchmark.denoiser import DENOISERS, Denoiser

# smaller networks do for a contract; each keyword goes to the classes which have it
SMALL = {
    "embed_dim": 12,
    "depths": (2,),
    "num_heads": 2,
    "depth": 4,
    "width": 16,
    "groups": 3,
    "dim": 8,
    "num_blocks": (1, 1, 1, 1),
    "num_refinement_blocks": 1,
}

every_denoiser = pytest.mark.parametrize(
    "cls", [pytest.param(cls, id=name) for name, cls in sorted(DENOISERS.items())]
)


def small(cls: type[Denoiser]) -> Denoiser:
    keywords = inspect.signature(cls).parameters
    try:
        torch.manual_seed(0)
        return cls(**{key: value for key, value in SMALL.items() if key in keywords})
    except ValueError as error:
        if "not installed" in str(error):
            pytest.skip(str(error))
        raise


@every_denoiser
@pytest.mark.parametrize("size", [(64, 64), (61, 67), (8, 120), (1, 1), (7, 9)])
def test_any_size_comes_back_in_its_own_shape_and_range(cls, size):
    noisy = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(1))
    before = noisy.clone()
    restored = small(cls).denoise(noisy)
    assert restored.shape == noisy.shape
    assert restored.dtype == torch.float32
    assert torch.isfinite(restored).all()
    assert 0 <= restored.min() <= restored.max() <= 1
    assert torch.equal(noisy, before)


@every_denoiser
def test_the_seed_of_torch_decides_the_output(cls):
    denoiser = small(cls)
    noisy = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(1))
    outputs = []
    for _ in range(2):
        torch.manual_seed(3)
        outputs.append(denoiser.denoise(noisy))
    assert torch.equal(*outputs)


@every_denoiser
def test_denoise_keeps_no_graph_and_switches_to_evaluation(cls):
    denoiser = small(cls).train()
    assert not denoiser.denoise(torch.rand(1, 3, 16, 16)).requires_grad
    assert not denoiser.training


@every_denoiser
def test_settings_are_annotated_keywords_with_defaults(cls):
    if cls.__init__ is nn.Module.__init__:
        return  # a class without a constructor has no settings
    for parameter in inspect.signature(cls).parameters.values():
        assert parameter.kind is parameter.KEYWORD_ONLY, parameter
        assert parameter.default is not parameter.empty, parameter
        assert parameter.annotation is not parameter.empty, parameter


@every_denoiser
def test_test_time_settings_are_settings(cls):
    assert set(cls.test_time) <= set(inspect.signature(cls).parameters)


@every_denoiser
def test_a_learned_network_learns_and_a_classical_method_has_nothing_to_learn(cls):
    parameters = list(small(cls).parameters())
    assert bool(parameters) == cls.learned
