"""Modules and functions as denoisers, and what tells one from another."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from doubles import Constant
from torch import nn

from benchmark.denoiser.wrapped import as_denoiser, identity_of_object, left_as_found


class Net(nn.Module):
    def __init__(self, depths: tuple[int, ...] = (1, 2)):
        super().__init__()
        self.depths = depths
        self.conv = nn.Conv2d(3, 3, 1)
        nn.init.ones_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)


def changed(**attributes: object) -> Net:
    net = Net()
    for name, value in attributes.items():
        setattr(net, name, value)
    return net


def identity(model: object, **settings: int) -> dict[str, object]:
    return identity_of_object(as_denoiser(model, "model", **settings))


def test_the_same_network_made_again_is_the_same():
    net = Net().train().double().float()
    assert identity(net) == identity(Net().eval())


@pytest.mark.parametrize(
    ("net", "key"),
    [
        (Net((1, 3)), "layers"),
        (changed(depths={"a": [1]}), "layers"),
        (changed(depths=(1, np.int64(3))), "layers"),
        (changed(_by=0.5), "layers"),
        (changed(conv=nn.Conv2d(3, 3, 1, bias=False)), "weights"),
        (Net().half(), "weights"),
        (nn.Sequential(Net()), "of"),
    ],
)
def test_what_changes_the_output_changes_what_a_network_is_known_by(net, key):
    assert identity(net)[key] != identity(Net())[key]


def test_a_network_is_known_by_the_source_of_its_own_classes_alone():
    assert "source" in identity(Net())
    assert "source" not in identity(nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU()))
    assert identity(nn.Sequential(Net()))["source"] == identity(Net())["source"]


def test_a_function_is_known_by_its_source():
    first, again, other = (
        (lambda noisy: noisy / 2),
        (lambda noisy: noisy / 2),
        (lambda noisy: noisy / 3),
    )
    known = [identity(function)["source"] for function in (first, again, other)]
    assert known[0] == known[1] != known[2]
    assert identity(torch.nn.functional.relu)["of"] == "python:torch.nn.functional.relu"


class Scales:
    def __init__(self, by: float):
        self.by = by

    def __call__(self, noisy: torch.Tensor) -> torch.Tensor:
        return noisy * self.by

    run = __call__


def around(value: object) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda noisy: value(noisy) if callable(value) else noisy * value


def halved() -> Net:
    net = Net()
    nn.init.constant_(net.conv.weight, 0.5)
    return net


@pytest.mark.parametrize(
    ("make", "first", "other"),
    [
        (around, 0.5, 0.6),
        (around, torch.zeros(2), torch.ones(2)),
        (around, np.zeros(2), np.ones(2)),
        (around, Net(), halved()),
        (around, around(0.5), around(0.6)),
        (Scales, 0.5, 0.6),
        (lambda by: Scales(by).run, 0.5, 0.6),
        (lambda net: net.forward, Net(), halved()),
        (partial(partial, torch.mul), 0.5, 0.6),
        (lambda by: partial(torch.mul, other=by), 0.5, 0.6),
    ],
)
def test_a_function_is_known_by_what_it_reads(make, first, other):
    assert identity(make(first)) == identity(make(first))
    assert identity(make(first))["reads"] != identity(make(other))["reads"]


def test_a_function_is_known_by_the_global_values_it_reads(monkeypatch):
    monkeypatch.setitem(globals(), "STRENGTH", 0.5)
    before = identity(by_global)
    assert identity(by_global) == before
    monkeypatch.setitem(globals(), "STRENGTH", 0.6)
    assert identity(by_global) != before


def by_global(noisy: torch.Tensor) -> torch.Tensor:
    return noisy * STRENGTH  # noqa: F821, which the test sets


def typed(text: str, name: str) -> object:
    """What a text defines where nobody keeps it, as a notebook's cells that are gone."""
    names: dict[str, object] = {"nn": nn, "torch": torch, "__name__": "typed"}
    exec(text, names)
    return names[name]


@pytest.mark.parametrize(
    "text",
    [
        "class Model(nn.Module):\n  def forward(self, x):\n    return x * 0.5",
        "class Model(nn.Module):\n  by = 0.5\n  def forward(self, x):\n    return x * self.by",
        "class Model(nn.Module):\n  by = property(lambda self: 0.5)",
        "class Base(nn.Module):\n  def forward(self, x):\n    return x * 0.5\n"
        "class Model(Base):\n  pass",
        "def Model():\n  return lambda x: x * 0.5",
        "def Model():\n  def model(x):\n    return [y * 0.5 for y in x]\n  return model",
    ],
)
def test_what_has_no_source_is_known_by_what_python_compiled(text):
    first, again, other = (
        identity(typed(one, "Model")()) for one in (text, text, text.replace("0.5", "0.6"))
    )
    assert first == again != other


def test_a_lambda_of_two_lines_is_known_by_both():
    # fmt: off
    first, other = (
        lambda noisy: noisy
        / 2,
        lambda noisy: noisy
        / 3,
    )
    # fmt: on
    assert identity(first) != identity(other)


@pytest.mark.parametrize(
    "text", ["lambda x: (lambda y: y * BY)(x)", "lambda x: [y * BY for y in x]"]
)
def test_a_function_is_known_by_what_a_function_inside_it_reads(text):
    model = typed(f"model = {text}\nBY = 0.5", "model")
    before = identity(model)
    assert identity(model) == before
    model.__globals__["BY"] = 0.6
    assert identity(model) != before


@pytest.mark.parametrize(
    ("one", "other"), [(0.5, 0.6), (np.zeros(2), np.ones(2)), (Net(), halved())]
)
def test_a_function_is_known_by_its_defaults(one, other):
    for make in (lambda value: lambda x, by=value: by, lambda value: lambda x, *, by=value: by):
        assert identity(make(one)) == identity(make(one)) != identity(make(other))


@pytest.mark.parametrize("kind", [torch.float64, torch.float16, torch.bfloat16])
def test_a_module_in_numbers_of_another_type_is_given_images_in_it(kind):
    net = nn.Conv2d(3, 3, 1, bias=False)
    nn.init.dirac_(net.weight)
    image = torch.rand(1, 3, 8, 8)
    restored = as_denoiser(net.to(kind)).denoise(image)
    assert restored.dtype == torch.float32
    assert torch.equal(restored, image.to(kind).float())


@pytest.mark.parametrize("net", [nn.Conv2d(3, 3, 1, device="meta"), nn.LazyConv2d(3, 1)])
def test_a_network_without_values_is_one_sentence(net):
    with pytest.raises(ValueError, match="has no values for '.*'; load its weights"):
        identity(net)


def test_the_multiple_counts_where_images_are_padded():
    assert identity(Net()) == identity(Net(), multiple=1)
    assert identity(Net(), multiple=8) == {**identity(Net()), "multiple": 8}


def test_a_denoiser_stays_what_it_is_and_other_things_are_refused():
    constant = Constant(0.5)
    assert as_denoiser(constant) is constant
    with pytest.raises(ValueError, match="the class Net; make an object"):
        as_denoiser(Net)
    with pytest.raises(ValueError, match="a torch.nn.Module or a function"):
        as_denoiser("masked")
    with pytest.raises(ValueError, match="a whole number of pixels, 1 or more"):
        as_denoiser(Net(), multiple=0)
    with pytest.raises(ValueError, match="a whole number of pixels, 1 or more"):
        as_denoiser(Net(), multiple="8")


def test_modules_are_given_back_as_they_were_whatever_is_raised():
    net = Net().train()
    net.conv.eval()
    with pytest.raises(KeyError), left_as_found([net]):
        net.eval()
        raise KeyError
    assert (net.training, net.conv.training) == (True, False)


@pytest.mark.gpu
def test_modules_are_given_back_on_the_device_they_were_on():
    net = Net()
    with left_as_found([net]):
        net.to("cuda")
    assert net.conv.weight.device.type == "cpu"


def dimmed(noisy: torch.Tensor, by: float) -> torch.Tensor:
    return noisy * by


def turned(noisy: torch.Tensor, by: float) -> torch.Tensor:
    return 1 - noisy * by


class Inherits(Scales):
    pass


@pytest.mark.parametrize(
    ("one", "other"),
    [(dimmed, turned), (torch.nn.functional.avg_pool2d, torch.nn.functional.max_pool2d)],
    ids=["written", "compiled"],
)
def test_a_partial_is_known_by_its_function(one, other):
    assert identity(partial(one, by=0.5))["reads"] != identity(partial(other, by=0.5))["reads"]


def test_a_callable_object_is_known_by_what_its_call_reads_also_where_it_is_inherited(monkeypatch):
    class Reads:
        def __call__(self, noisy: torch.Tensor) -> torch.Tensor:
            return dimmed(noisy, 0.5)

    class Follows(Reads):
        pass

    before = [identity(made())["reads"] for made in (Reads, Follows)]
    monkeypatch.setitem(globals(), "dimmed", turned)
    assert all(a != identity(m())["reads"] for a, m in zip(before, (Reads, Follows), strict=True))


def test_a_class_is_known_by_what_it_is_derived_from():
    assert identity(Inherits(0.5))["source"] != identity(Scales(0.5))["source"]
    assert "source" in identity(partial(dimmed, by=0.5))


@pytest.mark.parametrize(
    "behind",
    [lambda net: net.forward, lambda net: partial(net.forward), around],
    ids=["method", "partial", "around"],
)
def test_a_network_behind_a_function_is_run_in_evaluation_mode_and_given_back(behind):
    net = nn.Sequential(nn.Dropout(0.5)).train()
    model = as_denoiser(behind(net), "model")
    with left_as_found([model]):
        model.eval()
        assert not net.training and not net[0].training
        assert torch.equal(model(torch.ones(1, 3, 4, 4)), torch.ones(1, 3, 4, 4))
    assert net.training and net[0].training
