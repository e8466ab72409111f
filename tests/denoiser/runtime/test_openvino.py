"""Networks run by OpenVINO: outputs of torch, also of what is random, in tiles and after passes."""

import importlib
import json
import os
import subprocess
import sys

import pytest
import torch
from doubles import Small
from smallest import SMALLEST
from torch import Tensor, nn

from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.denoiser.contract import RestorationError
from benchmark.denoiser.inference import Inference
from benchmark.denoiser.runtime import openvino
from benchmark.denoiser.runtime.choice import choose_runtime, measured
from benchmark.denoiser.runtime.identity import digest_of_network
from benchmark.denoiser.runtime.openvino import AGREE, in_openvino
from benchmark.denoiser.wrapped import as_denoiser

pytest.importorskip("openvino")


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """Where graphs are kept in a test: in no user's cache."""
    place = tmp_path / "graphs"
    monkeypatch.setattr(openvino, "folder", lambda: place)
    return place


class Stepped(Denoiser):
    """Three outputs of a convolution of what random numbers hide, one after the other, averaged."""

    name = "stepped"

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, noisy: Tensor) -> Tensor:
        ratio = torch.randint(20, 81, (len(noisy), 1, 1, 1)) / 100
        hidden = noisy * (torch.rand_like(noisy[:, :1]) >= ratio)
        hidden = hidden + 0.01 * torch.empty_like(noisy).normal_(0.5, 2.0)
        return noisy + self.conv(hidden) * torch.randn(1, 3, 1, 1)

    def restore(self, noisy: Tensor) -> Tensor:
        return (self(noisy) + self(noisy) + self(noisy)) / 3


class Averaged(Small):
    def forward(self, noisy: Tensor) -> Tensor:
        return noisy + self.last(self.norm(self.first(noisy)).relu())


class Dropping(Stepped):
    """What it draws depends on what it computes."""

    name = "dropping"

    def forward(self, noisy: Tensor) -> Tensor:
        return self.conv(torch.bernoulli(noisy.clamp(0, 1)))


class Branching(Stepped):
    """It looks at the values of an image."""

    name = "branching"

    def forward(self, noisy: Tensor) -> Tensor:
        return self.conv(noisy) if noisy.mean() > 0.3 else noisy


def picture(height: int = 24, width: int = 24) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1))


def both(model: Denoiser, noisy: Tensor, tile: int | str = "none") -> list[Tensor]:
    hows = (Inference(tile, bounded=False, runtime=name) for name in ("torch", "openvino"))
    return [how.run(model, noisy, 5).image for how in hows]


SIZES = {"swinir": (8, 8), "masked": (20, 17)}  # one window, and sides that are no multiples


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n, cls in DENOISERS.items() if cls.learned and n != "rnan"])
def test_each_network_has_the_outputs_of_torch(name):
    torch.manual_seed(0)
    model = DENOISERS[name](**SMALLEST[name]).eval()
    expected, found = both(model, picture(*SIZES.get(name, (24, 24))))
    torch.testing.assert_close(found, expected, rtol=0, atol=AGREE)


def test_random_numbers_are_drawn_as_torch_draws_them_in_every_pass_and_tile():
    model, noisy = Stepped(), picture(64, 72)
    torch.testing.assert_close(*both(model, noisy, 64), rtol=0, atol=AGREE)
    other = Inference("none", bounded=False, runtime="openvino").run(model, noisy, 6).image
    assert not torch.allclose(other, both(model, noisy)[1], atol=1e-3)


def test_the_generator_of_torch_goes_on_as_after_torch():
    model, states = Stepped(), []
    for runtime in ("torch", "openvino"):
        torch.manual_seed(2)
        model.denoise(picture(), runtime=runtime)
        states.append(torch.get_rng_state())
    assert torch.equal(*states)


def test_a_graph_is_kept_on_disk_and_not_made_again(kept, monkeypatch):
    model = Averaged()
    expected, first = both(model, picture())
    assert [path.name.split("-")[1] for path in kept.iterdir()] == ["1x3x24x24"]
    monkeypatch.setattr(openvino, "exported", forbidden)
    again = Averaged()
    again.load_state_dict(model.state_dict())
    assert torch.equal(both(again, picture())[1], first)
    torch.testing.assert_close(first, expected, rtol=0, atol=AGREE)


def test_nothing_is_reported_to_anybody(tmp_path, monkeypatch):
    telemetry = pytest.importorskip("openvino_telemetry")
    monkeypatch.setattr(telemetry.Telemetry, "send_event", forbidden)
    monkeypatch.setenv("HOME", str(tmp_path))
    expected, found = both(Averaged(), picture())
    torch.testing.assert_close(found, expected, rtol=0, atol=AGREE)
    assert not (tmp_path / "intel").exists()  # where its reports count what was done


SIGNALLED = """
import gc, signal, sys
from pathlib import Path
import torch
from benchmark.denoiser import DENOISERS
from benchmark.denoiser.runtime import openvino
from benchmark.registry import load_plugins
load_plugins()
openvino.folder = lambda: Path(sys.argv[1])
signal.signal(signal.SIGTERM, lambda *_: sys.exit("heard"))
models = [DENOISERS["dncnn"](depth=3, width=4) for _ in range(2)]
for model in models:
    model.denoise(torch.rand(1, 3, 24, 24), runtime="openvino")
for _ in range(2):
    del model, models[0]  # the first goes first
    model = gc.collect()
signal.raise_signal(signal.SIGTERM)
"""


@pytest.mark.slow
def test_a_signal_is_heard_after_a_graph_and_nothing_else_is_said(tmp_path):
    words = [sys.executable, "-c", SIGNALLED, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "heard\n")


def test_other_weights_are_another_graph():
    model = Averaged()
    both(model, picture())
    with torch.no_grad():
        model.last.weight += 1
    torch.testing.assert_close(*both(model, picture()), rtol=1e-5, atol=1e-4)


def test_where_nothing_can_be_kept_a_network_runs_all_the_same(kept):
    kept.write_text("a file in the place of the folder")
    torch.testing.assert_close(*both(Averaged(), picture()), rtol=0, atol=AGREE)


def test_of_many_graphs_those_made_first_make_room(kept, monkeypatch):
    monkeypatch.setattr(openvino, "ON_DISK", 1)
    for side in (8, 16):
        both(Averaged(), picture(side, side))
    assert [path.name.split("-")[1] for path in kept.iterdir()] == ["1x3x16x16"]


def test_the_model_itself_stays_as_it_is():
    model = Averaged()
    compiled = in_openvino(model)
    assert compiled is in_openvino(model) is not model
    assert "forward" not in vars(model) and "forward" in vars(compiled)
    assert list(compiled.parameters())[0] is list(model.parameters())[0]


def test_compiling_is_no_time_of_an_image(monkeypatch):
    how, model = Inference("none", runtime="openvino"), Averaged()
    first = how.run(model, picture(), 0).seconds
    assert first < openvino.seconds_compiling(in_openvino(model))


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (Dropping(), "it draws random numbers which depend on more than a shape"),
        (Branching(), "torch cannot export it: Could not guard on data-dependent expression"),
        (DENOISERS["rnan"](groups=2, width=2), "its attention between all pixels would take"),
    ],
    ids=lambda given: getattr(given, "name", ""),
)
def test_what_has_no_graph_stays_in_torch_and_a_sentence_says_why(model, reason, kept):
    for asked in ("auto", "openvino"):
        chosen, said = choose_runtime(asked, model, "cpu", "fp32")
        assert chosen == "torch"
        assert said.startswith(f"{model.name} runs in torch: {reason}")
    with pytest.raises(RestorationError, match=f"'{model.name}' cannot be run by OpenVINO on 1x3"):
        Inference(runtime="openvino").run(model, picture(), 0)


def forbidden(*_: object) -> None:
    raise AssertionError("this was known already")


@pytest.fixture
def fast(kept, monkeypatch):
    """A network which was measured: how many times as fast it is in OpenVINO."""

    def measured_as(model: Denoiser, speed: float) -> Denoiser:
        kept.mkdir(exist_ok=True)
        what = {"reason": "", "apart": 2e-7, "speed": speed}
        (kept / f"{openvino.digest_of_network(model)}.json").write_text(json.dumps(what))
        return model

    monkeypatch.setattr("benchmark.denoiser.runtime.choice.measure", forbidden)
    return measured_as


def test_auto_takes_openvino_where_it_was_measured_to_be_faster_and_says_so(fast):
    said = "small runs in openvino: 1.50 times as fast as torch on 128x128 pixels, where they"
    chosen, why = choose_runtime("auto", fast(Averaged(), 1.5), "cpu", "fp32")
    assert chosen == "openvino" and why.startswith(said)


def test_auto_stays_in_torch_where_openvino_is_hardly_faster_which_may_be_asked_for(fast):
    model = fast(Averaged(), 1.05)
    chosen, why = choose_runtime("auto", model, "cpu", "fp32")
    assert chosen == "torch" and "small runs in torch: openvino is 1.05 times as fast" in why
    assert choose_runtime("openvino", model, "cpu", "fp32") == ("openvino", "")


def test_what_was_measured_first_holds(kept):
    model = Averaged()
    first = measured(model)
    assert first.reason == "" and 0 <= first.apart <= AGREE and first.speed > 0
    assert measured(model) == first


@pytest.mark.parametrize(
    ("device", "precision", "why"),
    [("cuda:0", "fp32", "the device is cuda:0"), ("cpu", "bf16", "precision is bf16")],
)
def test_gpus_and_bf16_are_for_torch(device, precision, why):
    chosen, said = choose_runtime("auto", Averaged(), device, precision)
    assert chosen == "torch" and said.startswith("small runs in torch") and said.endswith(why)


class Seeing(Stepped):
    """The deviation of what it draws is that of the image."""

    name = "seeing"

    def forward(self, noisy: Tensor) -> Tensor:
        return self.conv(noisy) + torch.empty_like(noisy).normal_(0, noisy.std().item())


def test_what_is_drawn_by_the_values_of_an_image_has_no_graph():
    chosen, why = choose_runtime("openvino", Seeing(), "cpu", "fp32")
    assert chosen == "torch" and why.endswith("numbers which depend on more than a shape")


class Small8(Averaged):
    """It takes small images alone."""

    def forward(self, noisy: Tensor) -> Tensor:
        if noisy.shape[-1] > 8:
            raise ValueError("at most 8 pixels")
        return super().forward(noisy)


def test_what_cannot_be_measured_stays_in_torch_and_a_sentence_says_why():
    chosen, why = choose_runtime("auto", Small8(), "cpu", "fp32")
    assert chosen == "torch" and "could not be measured" in why and "at most 8 pixels" in why


class Holding(Averaged):
    """It multiplies by what it holds beside its weights."""

    buffer: Tensor

    def __init__(self, plain: float = 1.0, tensor: float = 1.0, buffer: float = 1.0):
        super().__init__()
        self._plain, self.tensor = plain, torch.tensor(tensor)
        self.register_buffer("buffer", torch.tensor(buffer), persistent=False)

    def forward(self, noisy: Tensor) -> Tensor:
        return super().forward(noisy) * self._plain * self.tensor * self.buffer


@pytest.mark.parametrize("what", ["plain", "tensor", "buffer"])
def test_what_a_network_holds_beside_its_weights_tells_its_graph(what):
    first = Holding()
    both(first, picture())
    other = Holding(**{what: 0.5})
    other.load_state_dict(first.state_dict())
    torch.testing.assert_close(*both(other, picture()), rtol=0, atol=AGREE)


def test_a_setting_may_be_changed_between_two_images():
    model = Holding()
    both(model, picture())
    model._plain = 0.5
    torch.testing.assert_close(*both(model, picture()), rtol=0, atol=AGREE)


def test_weights_may_be_written_between_two_images_also_where_torch_does_not_count():
    model = Averaged()
    both(model, picture())
    for write in (lambda weight: weight.detach().mul_(0.5), lambda weight: weight.data.mul_(0.5)):
        for weight in model.parameters():
            write(weight)
        torch.testing.assert_close(*both(model, picture()), rtol=0, atol=AGREE)


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("graph.bin", lambda content: bytes(byte ^ 1 for byte in content)),
        ("draws.json", lambda content: b"[{"),
    ],
)
def test_a_damaged_graph_on_disk_is_made_again(kept, file, damage):
    model = Averaged()
    both(model, picture())
    (path,) = kept.glob(f"*/{file}")
    path.write_bytes(damage(whole := path.read_bytes()))
    openvino._COMPILED.clear()
    torch.testing.assert_close(*both(model, picture()), rtol=0, atol=AGREE)
    assert len(path.read_bytes()) == len(whole)


def test_a_damaged_measurement_is_made_again(kept):
    model = Averaged()
    kept.mkdir()
    path = kept / f"{openvino.digest_of_network(model)}.json"
    path.write_text('{"rea')
    assert measured(model) == measured(model)
    assert json.loads(path.read_text())["reason"] == ""


def test_code_beside_a_plugin_tells_its_graph_and_code_younger_than_this_process_keeps_none(
    tmp_path, monkeypatch
):
    plugin = "import beside_it\nfrom torch import nn\nclass Plugin(nn.Module): pass\n"
    paths = {name: tmp_path / f"{name}.py" for name in ("plugin_of_it", "beside_it")}
    for path, text in zip(paths.values(), (plugin, "GAIN = 1\n"), strict=True):
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    network = as_denoiser(importlib.import_module("plugin_of_it").Plugin())
    assert digest_of_network(network) != digest_of_network(network)
    for path in paths.values():
        os.utime(path, (0, 0))
    first = digest_of_network(network)
    assert digest_of_network(network) == first
    paths["beside_it"].write_text("GAIN = 2\n")
    os.utime(paths["beside_it"], (0, 0))
    assert digest_of_network(network) != first


@pytest.mark.parametrize("asked", ["torch", "openvino", "auto"])
def test_what_has_no_parameters_has_no_choice(asked):
    assert choose_runtime(asked, DENOISERS["identity"](), "cpu", "fp32") == ("torch", "")


def test_without_the_package_a_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(openvino, "is_installed", lambda: False)
    assert choose_runtime("auto", Averaged(), "cpu", "fp32") == (
        "torch",
        "small runs in torch: openvino is not installed; pip install 'noisebench[openvino]'",
    )
    for use in (
        lambda: choose_runtime("openvino", Averaged(), "cpu", "fp32"),
        lambda: Averaged().denoise(picture(), runtime="openvino"),
    ):
        with pytest.raises(ValueError, match=r"pip install 'noisebench\[openvino\]'"):
            use()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"runtime": "tensorrt"}, "unknown runtime=tensorrt; take torch or openvino"),
        ({"runtime": "openvino", "precision": "bf16"}, "runtime=openvino computes in fp32 alone"),
    ],
)
def test_a_mistake_is_one_sentence(how, said):
    with pytest.raises(ValueError, match=said):
        Averaged().denoise(picture(), **how)
