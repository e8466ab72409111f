"""Every registered denoiser keeps the contract of denoisers."""

import pytest
import torch

from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.denoiser.promises import CHECKS, outcome
from benchmark.signature import keywords_of

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

# the others need a file or a name first: tests/test_adapters.py
READY = {name: cls for name, cls in sorted(DENOISERS.items()) if not cls.needs}
SLOW = {"bm3d": [pytest.mark.slow]}  # seconds for a small image
every_ready_denoiser = pytest.mark.parametrize(
    "cls", [pytest.param(cls, id=name, marks=SLOW.get(name, [])) for name, cls in READY.items()]
)


def small(cls: type[Denoiser]) -> Denoiser:
    keywords = keywords_of(cls)
    try:
        torch.manual_seed(0)
        return cls(**{key: value for key, value in SMALL.items() if key in keywords})
    except ValueError as error:
        if "not installed" in str(error):
            pytest.skip(str(error))
        raise


@every_ready_denoiser
@pytest.mark.parametrize("promise", CHECKS, ids=lambda one: one.__name__)
def test_the_contract_is_kept(cls, promise):
    found = outcome(promise, small(cls))
    if found.kept is None:
        pytest.skip(found.found)
    assert found.kept, found


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["dncnn", "restormer", "swinir"])
def test_a_network_restores_on_a_gpu_what_it_restores_on_a_cpu(name):
    model = small(DENOISERS[name])
    noisy = torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(0))
    expected = model.denoise(noisy)
    restored = model.to("cuda").denoise(noisy.to("cuda"))
    torch.testing.assert_close(restored.cpu(), expected, rtol=0, atol=0.5 / 255)


@every_denoiser
def test_settings_are_annotated_keywords_with_defaults(cls):
    for parameter, _ in keywords_of(cls).values():
        assert parameter.kind is parameter.KEYWORD_ONLY, parameter
        assert parameter.default is not parameter.empty, parameter
        assert parameter.annotation is not parameter.empty, parameter


@every_denoiser
def test_test_time_settings_are_settings(cls):
    assert set(cls.test_time) <= keywords_of(cls).keys()


@every_denoiser
def test_variants_are_test_time_settings_under_names_of_their_own(cls):
    for name, settings in cls.variants.items():
        assert name.strip()
        assert settings.keys() <= set(cls.test_time)


@every_denoiser
def test_a_network_is_compared_with_another_registered_one_if_any(cls):
    assert cls.compared_with is None or DENOISERS[cls.compared_with] is not cls


@every_ready_denoiser
def test_a_learned_network_learns_and_a_classical_method_has_nothing_to_learn(cls):
    parameters = list(small(cls).parameters())
    assert bool(parameters) == cls.learned
