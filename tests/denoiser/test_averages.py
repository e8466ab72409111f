"""Whatever a checkpoint is wrapped in, its averaged weights are taken, and a warning says so.

In each layout the good weights stand beside others: whoever takes the wrong ones fails.
"""

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from doubles import Small
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from baselines.adapters import DeepInverse, Spandrel
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.denoiser.weights.averages import NoFit, fit
from benchmark.denoiser.weights.load import load_network
from benchmark.denoiser.weights.wrappers import flatten

State = dict[str, Tensor]
ADAM = {"state": {0: {"exp_avg": torch.ones(6, 3), "step": torch.tensor(3.0)}}, "param_groups": []}
VGG = {f"features.{place}.weight": torch.ones(2, 2) for place in range(30)}
COUNTER = {"step": torch.tensor([7]), "initted": torch.tensor([True])}


def under(prefix: str, state: State) -> State:
    return {prefix + key: value for key, value in state.items()}


def only_parameters(state: State) -> State:
    return {
        key: value for key, value in state.items() if "running" not in key and "num_" not in key
    }


def swa(state: State) -> State:
    """As `AveragedModel` saves itself."""
    return {"n_averaged": torch.tensor(5), **under("module.", state)}


def dotless(state: State) -> State:
    return {key.replace(".", ""): value for key, value in only_parameters(state).items()}


# how each is spelled, from the raw and the good weights of one network
AVERAGES: dict[str, Callable[[State, State], object]] = {
    "BasicSR": lambda r, g: {"params": r, "params_ema": g},
    "BasicSR, average first": lambda r, g: {"params_ema": g, "params": r},
    "BasicSR with a dash": lambda r, g: {"params": r, "params-ema": g},
    "model and ema": lambda r, g: {"model": r, "ema": g, "optimizer": ADAM},
    "ConvNeXt": lambda r, g: {"model": r, "optimizer": ADAM, "epoch": 3, "model_ema": g},
    "timm": lambda r, g: {"epoch": 3, "state_dict": r, "state_dict_ema": g, "optimizer": ADAM},
    "timm, parallel": lambda r, g: {"state_dict": under("module.", r), "state_dict_ema": g},
    "ema_state_dict": lambda r, g: {"model_state_dict": r, "ema_state_dict": g},
    "ema_model_state_dict": lambda r, g: {"model_state_dict": r, "ema_model_state_dict": g},
    "mmengine, which exchanges them": lambda r, g: {
        "meta": {"epoch": 3},
        "state_dict": g,
        "ema_state_dict": {"steps": torch.tensor(9), **under("module.", r)},
    },
    "mmcv, whose buffers are raw": lambda r, g: {
        "state_dict": {**g, **{f"ema_{k.replace('.', '_')}": v for k, v in r.items()}}
    },
    "KAIR in one file": lambda r, g: {"netG": r, "netE": g},
    "generator and its ema": lambda r, g: {
        "generator": r,
        "generator_ema": g,
        "discriminator": VGG,
    },
    "StyleGAN": lambda r, g: {"g": r, "d": VGG, "g_ema": g},
    "torch's AveragedModel": lambda r, g: {"net": r, "swa_model": swa(g)},
    "our own training": lambda r, g: {"network": r, "average": swa(g)},
    "AveragedModel of a compiled network": lambda r, g: {
        "model": under("_orig_mod.", r),
        "averaged_model": swa(under("_orig_mod.", g)),
    },
    "ema-pytorch": lambda r, g: {**under("online_model.", r), **under("ema_model.", g), **COUNTER},
    "ema-pytorch below a key": lambda r, g: {
        "model": r,
        "ema": {**under("online_model.", r), **under("ema_model.", g), **COUNTER},
    },
    "ema-pytorch without the online model": lambda r, g: {
        "model": r,
        "ema": {**under("ema_model.", g), **COUNTER},
    },
    "ema_model beside model": lambda r, g: {**under("model.", r), **under("ema_model.", g)},
    "model beside model_ema": lambda r, g: {**under("model.", r), **under("model_ema.", g)},
    "Lightning, an AveragedModel as a part": lambda r, g: {
        "state_dict": {**under("net.", r), **under("ema.", swa(g)), **under("loss.vgg.", VGG)},
        "optimizer_states": [ADAM],
    },
    "Lightning, ema-pytorch as a part": lambda r, g: {
        "state_dict": {
            **under("net.", r),
            **under("ema.online_model.", r),
            **under("ema.ema_model.", g),
            **under("ema.", COUNTER),
        }
    },
    "Lightning's WeightAveraging": lambda r, g: {
        "state_dict": under("model.", g),
        "current_model_state": under("model.", r),
        "averaging_state": {"n_averaged": torch.tensor(4)},
    },
    "Lightning, a callback's state": lambda r, g: {
        "state_dict": under("model.", r),
        "callbacks": {"EMACallback": {"ema_state": under("model.", g)}, "Best": {"score": 3}},
    },
    "Lightning, a callback with arguments": lambda r, g: {
        "state_dict": under("model.", r),
        "callbacks": {"EMA{'decay': 0.999}": {"weights": under("model.", only_parameters(g))}},
    },
    "Lightning, RAVE": lambda r, g: {"state_dict": r, "callbacks": {"EMA": g}},
    "Lightning, ema_state_dict": lambda r, g: {
        "state_dict": under("denoiser.", r),
        "ema_state_dict": under("denoiser.", g),
    },
    "LitEma of latent diffusion": lambda r, g: {
        "state_dict": {
            **under("model.", r),
            **under("model_ema.", dotless(g)),
            "model_ema.decay": torch.tensor(0.999),
            "model_ema.num_updates": torch.tensor(9),
        }
    },
    "a shadow of the parameters": lambda r, g: {
        "model": r,
        "ema": {"decay": 0.99, "shadow": only_parameters(g)},
    },
    "named shadow parameters": lambda r, g: {
        "model": r,
        "ema": {"shadow_params": only_parameters(g), "num_updates": 3},
    },
    "an ema of the parameters": lambda r, g: {"state_dict": r, "ema": only_parameters(g)},
    "D2Go": lambda r, g: {"model": r, "ema_state": g, "scheduler": {"last": torch.ones(2)}},
    "fairseq": lambda r, g: {"model": r, "extra_state": {"ema": g}},
    "below a key of its own": lambda r, g: {"checkpoint": {"model": r, "ema": {"model": g}}},
    "other prefixes": lambda r, g: {
        "model": under("module._orig_mod.", r),
        "ema": under("net.", g),
    },
    "in half precision": lambda r, g: {"model": r, "ema": {k: v.half() for k, v in g.items()}},
    "beside bare weights": lambda r, g: {**r, "ema": g},
    "EMA in capitals": lambda r, g: {"MODEL": r, "EMA": g},
    "camel case": lambda r, g: {"model": r, "modelEma": g},
    "moving average": lambda r, g: {"model": r, "exponential_moving_average": g},
}
PLAIN: dict[str, Callable[[State, State], object]] = {
    "bare": lambda r, g: g,
    "an average alone": lambda r, g: {"params_ema": g, "epoch": 3},
    "an AveragedModel alone": lambda r, g: swa(g),
    "an average and counters": lambda r, g: {**under("ema_model.", g), **COUNTER},
    "module.": lambda r, g: under("module.", g),
    "_orig_mod.": lambda r, g: under("_orig_mod.", g),
    "module._orig_mod.model.": lambda r, g: under("module._orig_mod.model.", g),
    "netG.": lambda r, g: under("netG.", g),
    "generator beside its discriminator": lambda r, g: {"generator": g, "discriminator": VGG},
    "net_g": lambda r, g: {"net_g": under("module.", g), "net_d": VGG},
    "a wrapper nobody knows": lambda r, g: under("my_restoration.", g),
    "two nobody knows": lambda r, g: {"outer": under("inner.", g)},
    "beside a larger loss network": lambda r, g: {
        "state_dict": {**under("denoiser.", g), **under("perceptual.", VGG)}
    },
    "nobody knows, beside a larger one": lambda r, g: {
        "state_dict": {**under("mine.", g), **under("perceptual.vgg.", VGG)}
    },
    "optimizer": lambda r, g: {"net": g, "optimizer": ADAM, "optim_state": ADAM, "lr_sched": ADAM},
    "a dead average": lambda r, g: {"model": g, "ema": None, "updates": None},
    "an average's settings": lambda r, g: {"model": g, "ema": {"decay": 0.9, "updates": 3}},
    "lists and texts": lambda r, g: {"args": ["a", 1], "model": g, "git": "0f", "log": [1.5]},
}


@pytest.fixture
def pair(monkeypatch) -> tuple[Small, Small]:
    """A network and one of the same shape that must not be taken; a registry of its class alone."""
    monkeypatch.setattr(DENOISERS, "data", {"small": Small})
    torch.manual_seed(0)
    raw, good = Small(width=6), Small(width=6)
    with torch.no_grad():
        for buffer in (good.norm.running_mean, good.norm.running_var):
            buffer += 0.5
    return raw, good


def loaded(path: Path) -> tuple[Denoiser, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        network = load_network(Small, path, {})
    return network, [str(warning.message) for warning in caught]


def assert_parameters(found: nn.Module, expected: nn.Module, atol: float = 0) -> None:
    wanted = dict(expected.named_parameters())
    for name, value in found.named_parameters():
        torch.testing.assert_close(value, wanted[name], atol=atol, rtol=0, msg=name)


@pytest.mark.parametrize("layout", AVERAGES)
def test_averaged_weights_are_taken_and_a_warning_says_so(layout, pair, tmp_path):
    raw, good = pair
    path = tmp_path / "published.pth"
    torch.save(AVERAGES[layout](raw.state_dict(), good.state_dict()), path)
    found, said = loaded(path)
    assert_parameters(found, good, atol=1e-3 if layout == "in half precision" else 0)
    assert len(said) == 1
    assert said[0].startswith(f"{path}: took its averaged weights, ")


@pytest.mark.parametrize("layout", PLAIN)
def test_a_network_is_found_whatever_is_around_it_and_nothing_is_said(layout, pair, tmp_path):
    raw, good = pair
    path = tmp_path / "published.pth"
    torch.save(PLAIN[layout](raw.state_dict(), good.state_dict()), path)
    found, said = loaded(path)
    assert said == []
    for key, value in good.state_dict().items():
        assert torch.equal(found.state_dict()[key], value), key


@pytest.mark.parametrize("layout", ["ema-pytorch", "ema_model beside model", "mmcv"])
def test_safetensors_may_hold_an_average_as_well(layout, pair, tmp_path):
    raw, good = (network.state_dict() for network in pair)
    if layout == "mmcv":
        stored = {**good, **{f"ema_{key.replace('.', '_')}": v.clone() for key, v in raw.items()}}
    else:
        stored = {key: value.clone() for key, value in AVERAGES[layout](raw, good).items()}
    save_file(stored, tmp_path / "a.safetensors")
    assert_parameters(loaded(tmp_path / "a.safetensors")[0], pair[1])


def test_buffers_that_were_not_averaged_are_those_beside(pair, tmp_path):
    raw, good = pair
    stored = {"model": raw.state_dict(), "ema": only_parameters(good.state_dict())}
    torch.save(stored, tmp_path / "a.pth")
    found, _ = loaded(tmp_path / "a.pth")
    assert torch.equal(found.norm.running_mean, raw.norm.running_mean)
    assert torch.equal(found.norm.weight, good.norm.weight)


def test_a_real_average_of_torch_is_found(pair, tmp_path):
    raw, good = pair
    average = AveragedModel(good)
    average.update_parameters(good)
    torch.save({"model": raw.state_dict(), "ema": average.state_dict()}, tmp_path / "a.pth")
    assert_parameters(loaded(tmp_path / "a.pth")[0], good)


@pytest.mark.parametrize(
    "stored",
    [
        lambda r, g: {"model": r, "ema": {"shadow_params": list(g.values()), "decay": 0.9}},
        lambda r, g: {
            "model": r,
            "ema": {"shadow_params": list(g.values()), "collected_params": []},
        },
        lambda r, g: {"state_dict": r, "callbacks": {"EMA": {"ema_weights": list(g.values())}}},
        lambda r, g: {"state_dict": r, "optimizer_states": [{"opt": ADAM, "ema": [*g.values()]}]},
        lambda r, g: {"net": r, "ema": tuple(g.values())},
    ],
)
def test_averages_without_names_are_refused_with_what_to_do(stored, pair, tmp_path):
    raw, good = (network.state_dict() for network in pair)
    torch.save(stored(raw, good), tmp_path / "a.pth")
    with pytest.raises(ValueError, match="as a list without names, .* torch.save"):
        loaded(tmp_path / "a.pth")


def test_two_networks_of_one_kind_are_refused_naming_both(pair, tmp_path):
    raw, good = (network.state_dict() for network in pair)
    torch.save({"student": raw, "teacher": good}, tmp_path / "a.pth")
    with pytest.raises(
        ValueError, match="two networks of this kind, 'student' and 'teacher'; save"
    ):
        loaded(tmp_path / "a.pth")


def test_two_equal_copies_are_no_question(pair, tmp_path):
    state = pair[1].state_dict()
    torch.save({"student": state, "teacher": state}, tmp_path / "a.pth")
    assert_parameters(loaded(tmp_path / "a.pth")[0], pair[1])


def test_an_average_of_another_network_gives_way_and_a_warning_says_so(pair, tmp_path):
    torch.save({"model": pair[1].state_dict(), "ema": {"x": torch.ones(3, 3)}}, tmp_path / "a.pth")
    found, said = loaded(tmp_path / "a.pth")
    assert_parameters(found, pair[1])
    assert said == [
        f"{tmp_path / 'a.pth'}: its averaged weights, 'ema', do not fit, and others were taken"
    ]


def test_the_average_that_kair_saves_beside_is_named(pair, tmp_path):
    raw, good = pair
    torch.save(raw.state_dict(), tmp_path / "5000_G.pth")
    torch.save(good.state_dict(), tmp_path / "5000_E.pth")
    _, said = loaded(tmp_path / "5000_G.pth")
    assert said == [
        f"{tmp_path / '5000_G.pth'}: its averaged weights may be those beside, 5000_E.pth"
    ]
    assert loaded(tmp_path / "5000_E.pth")[1] == []


class WithAttention(Denoiser):
    """A network with a part that is called like an average, beside one of the same shapes."""

    name = "attention"
    learned = True

    def __init__(self):
        super().__init__()
        self.conv, self.ema, self.avg = (nn.Conv2d(3, 3, 1) for _ in range(3))


@pytest.mark.parametrize("prefix", ["", "module.", "net._orig_mod."])
def test_a_network_may_have_parts_which_are_called_like_averages(prefix, monkeypatch, tmp_path):
    monkeypatch.setattr(DENOISERS, "data", {"attention": WithAttention})
    network = WithAttention()
    torch.save(under(prefix, network.state_dict()), tmp_path / "a.pth")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_parameters(load_network(WithAttention, tmp_path / "a.pth", {}), network)


@pytest.mark.parametrize("change", [dict, only_parameters, lambda s: {**s, **COUNTER}])
def test_and_be_averaged_all_the_same(change, monkeypatch, tmp_path):
    monkeypatch.setattr(DENOISERS, "data", {"attention": WithAttention})
    raw, good = WithAttention(), WithAttention()
    stored = {"model": raw.state_dict(), "ema": change(good.state_dict())}
    torch.save(stored, tmp_path / "a.pth")
    with pytest.warns(UserWarning, match="took its averaged weights, 'ema', and not 'model'"):
        assert_parameters(load_network(WithAttention, tmp_path / "a.pth", {}), good)


def test_of_several_averages_the_first_is_taken_and_the_others_are_named(pair, tmp_path):
    raw, good = (network.state_dict() for network in pair)
    torch.save({"model": raw, "ema_1": good, "ema_2": {**raw}}, tmp_path / "a.pth")
    found, said = loaded(tmp_path / "a.pth")
    assert_parameters(found, pair[1])
    assert said[0].endswith("took its averaged weights, 'ema_1', and not 'model' or 'ema_2'")


# the doors


def deepinv_file(state: object, path: Path) -> nn.Module:
    torch.save(state, path)
    return DeepInverse(denoiser="DnCNN", arguments={"depth": 3, "nf": 8}, weights=str(path)).network


def spandrel_file(state: object, path: Path) -> nn.Module:
    torch.save(state, path)
    return Spandrel(weights=str(path)).network


def of_deepinv() -> nn.Module:
    models = pytest.importorskip("deepinv.models", reason="needs the package deepinv")
    return models.DnCNN(pretrained=None, depth=3, nf=8)


def of_spandrel() -> nn.Module:
    pytest.importorskip("spandrel", reason="needs the package spandrel")
    from spandrel.architectures.DnCNN import DnCNN

    return DnCNN(in_nc=3, out_nc=3, nc=8, nb=8, act_mode="R")


DOORS = {"deepinv": (of_deepinv, deepinv_file), "spandrel": (of_spandrel, spandrel_file)}


FEW = ("BasicSR", "our own training", "an ema of the parameters", "in half precision", "netG.")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("layout", FEW)
@pytest.mark.filterwarnings("ignore:.*averaged weights")
def test_every_door_finds_the_same_weights(door, layout, tmp_path):
    make, opened = DOORS[door]
    raw, good = make(), make()
    with torch.no_grad():
        for value in good.parameters():
            value += 0.5
    layouts = {**AVERAGES, **PLAIN}
    found = opened(layouts[layout](raw.state_dict(), good.state_dict()), tmp_path / "a.pth")
    assert_parameters(found, good, atol=1e-3 if layout == "in half precision" else 0)


# the function itself


def test_what_contains_itself_is_entered_once():
    state = {"weight": torch.ones(2)}
    stored: dict[str, object] = {"state_dict": state}
    stored["self"] = stored
    stored["list"] = [stored, [stored]]
    assert list(flatten(stored)) == ["state_dict.weight"]


def test_nothing_is_too_deep():
    stored: object = {"weight": torch.ones(2)}
    for _ in range(20_000):
        stored = {"a": stored}
    (name,) = flatten(stored)
    assert name.count("a.") == 20_000


def test_where_nothing_fits_the_closest_reading_speaks(tmp_path):
    def build(tensors: State) -> None:
        raise NoFit(" ".join(tensors), shared=len(tensors) == 1)

    tensors = {"model.weight": torch.ones(2), "epoch": torch.ones(1)}
    with pytest.raises(NoFit, match="^weight$"):
        fit(tmp_path, tensors, build)
