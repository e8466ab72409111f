"""The precision of a run: bf16 only where it was asked for, or is fast and changes nothing."""

import json
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.denoiser.inference import Inference
from benchmark.environment.device import multiplies_bf16
from benchmark.scoring import precision
from benchmark.scoring.precision import Compared, choose_precision, compare


class Mean(Denoiser):
    """The noisy image plus ``gain`` times a 3x3 mean without its middle; both exact in fp32."""

    name = "mean"

    def __init__(self, gain: float):
        super().__init__()
        self.gain = gain
        self.conv = nn.Conv2d(3, 3, 3, padding=1, groups=3)
        nn.init.constant_(self.conv.weight, 1 / 9)
        nn.init.zeros_(self.conv.bias)
        self.seen: list[torch.dtype] = []

    def forward(self, noisy: Tensor) -> Tensor:
        mean = self.conv(noisy)
        self.seen.append(mean.dtype)
        return noisy + self.gain * (mean - noisy)


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """Where it is kept in a test what was measured: in no user's cache."""
    place = tmp_path / "measured"
    monkeypatch.setattr(precision, "folder", lambda: place)
    return place


@pytest.fixture
def fast(monkeypatch) -> None:
    """A machine with units for bf16."""
    monkeypatch.setattr(precision, "multiplies_bf16", lambda device: True)


def forbidden(*_: object) -> float:
    raise AssertionError("nothing is to be measured")


def test_bf16_is_around_the_network_only():
    model, noisy = Mean(1.0), torch.rand(1, 3, 20, 70, generator=torch.Generator().manual_seed(0))
    for tile in ("none", 64):
        exact = Inference(tile).run(model, noisy, 0).image
        coarse = Inference(tile, "bf16").run(model, noisy, 0).image
        assert exact.dtype == coarse.dtype == torch.float32
        assert not torch.equal(exact, coarse)
        torch.testing.assert_close(exact, coarse, rtol=0, atol=2**-7)  # 8 bits in [0, 1]
    assert set(model.seen) == {torch.float32, torch.bfloat16}
    assert not torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize(
    ("capabilities", "found"),
    [
        ({"avx2": True, "amx_bf16": False, "avx512_bf16": False}, False),
        ({"amx_bf16": True, "avx512_bf16": False}, True),
        ({"avx512_bf16": True}, True),
        ({}, False),
    ],
)
def test_a_cpu_has_bf16_units_if_torch_says_so(monkeypatch, capabilities, found):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert multiplies_bf16("cpu") is found


def test_a_torch_which_does_not_tell_of_its_cpu_leaves_it_in_fp32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert multiplies_bf16("cpu") is False


@pytest.mark.parametrize(("capability", "found"), [((7, 5), False), ((8, 0), True), ((9, 0), True)])
def test_a_gpu_has_bf16_units_since_ampere(monkeypatch, capability, found):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert multiplies_bf16("cuda:0") is found


def measured_as(monkeypatch, change: float, speed: float) -> None:
    monkeypatch.setattr(precision, "compare", lambda *_: Compared(change, speed))


@pytest.mark.parametrize(
    ("change", "speed", "taken"),
    [
        (0.0096, 1.12, "bf16"),
        (0.0096, 1.07, "fp32"),
        (0.0096, 0.52, "fp32"),
        (0.0114, 4.03, "fp32"),
    ],
)
def test_auto_takes_bf16_where_it_is_faster_and_changes_little_and_says_both(
    fast, monkeypatch, change, speed, taken
):
    measured_as(monkeypatch, change, speed)
    chosen, said = choose_precision("auto", Mean(1.0), "cpu")
    assert chosen == taken and said.startswith(f"mean runs in {taken}: ")
    assert f"{speed:.2f} times as fast" in said and f"by up to {change:.4f} dB" in said


def test_what_was_measured_first_holds(fast, kept, monkeypatch):
    model = Mean(1.0)
    measured_as(monkeypatch, 0.001, 1.3)
    first = choose_precision("auto", model, "cpu")
    measured_as(monkeypatch, 0.001, 0.9)
    assert choose_precision("auto", model, "cpu") == first
    nn.init.ones_(model.conv.weight)
    assert choose_precision("auto", model, "cpu")[0] == "fp32"
    assert len(list(kept.iterdir())) == 2


def test_a_folder_which_cannot_be_written_keeps_nobody_from_measuring(fast, kept, monkeypatch):
    kept.write_text("a file stands there")
    measured_as(monkeypatch, 0.001, 1.3)
    assert choose_precision("auto", Mean(1.0), "cpu")[0] == "bf16"


def test_the_change_is_that_of_the_scores():
    assert compare(Mean(1e-3), "cpu").change < precision.TOLERANCE
    assert compare(Mean(-4.0), "cpu").change > precision.TOLERANCE


def test_the_fastest_run_of_each_precision_counts(monkeypatch):
    # of each two readings of the clock, one after the other: fp32, bf16, fp32, ...
    taken = [9.0, 8.0, 3.0, 2.5, 4.0, 2.0, 5.0, 7.0]
    clock = iter([time for second in taken for time in (100.0, 100.0 + second)])
    monkeypatch.setattr(precision.time, "process_time", lambda: next(clock))
    assert compare(Mean(1.0), "cpu").speed == 1.5


def test_auto_measures_and_says_nothing_without_units_for_bf16(monkeypatch):
    monkeypatch.setattr(precision, "multiplies_bf16", lambda device: False)
    monkeypatch.setattr(precision, "compare", forbidden)
    assert choose_precision("auto", Mean(1e-3), "cpu") == ("fp32", "")


@pytest.mark.parametrize("asked", ["auto", "fp32", "bf16"])
def test_what_has_no_parameters_runs_in_fp32(fast, monkeypatch, asked):
    monkeypatch.setattr(precision, "compare", forbidden)
    assert choose_precision(asked, DENOISERS["identity"](), "cpu") == ("fp32", "")


@pytest.mark.parametrize("asked", ["fp32", "bf16"])
def test_what_is_asked_for_is_taken_unmeasured(fast, monkeypatch, asked):
    monkeypatch.setattr(precision, "compare", forbidden)
    assert choose_precision(asked, Mean(1.0), "cpu") == (asked, "")


@pytest.fixture
def bench(bench):
    small = ["data.photos.limit=1", "data.photos.crop=48", "noise.gaussian.levels=[15]"]
    return partial(bench, "run", "model=dncnn", "noise=gaussian", *small, "out=o")


def stored(tmp_path, model: str) -> dict:
    return json.loads((tmp_path / f"o/cells/{model}/photos/gaussian-15-0.json").read_text())


@pytest.mark.slow
def test_fp32_is_recorded_and_no_setting(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "multiplies_bf16", lambda device: True)  # by default not used
    status, out, err = bench()
    assert status == 0, err
    assert "bf16" not in out
    for model in ("dncnn", "identity"):
        record = stored(tmp_path, model)
        assert record["environment"]["precision"] == "fp32"
        assert "precision" not in record["settings"]["model"]


@pytest.mark.slow
def test_bf16_is_recorded_a_setting_and_named_on_the_leaderboard(bench, tmp_path):
    status, out, err = bench("precision=bf16")
    assert status == 0, err
    record = stored(tmp_path, "dncnn")
    assert record["environment"]["precision"] == record["settings"]["model"]["precision"] == "bf16"
    assert stored(tmp_path, "identity")["environment"]["precision"] == "fp32"
    said = "Restored whole, in fp32 and by torch, but for: dncnn (bf16)."
    assert said in " ".join(out.split())
    assert said in (tmp_path / "o/leaderboard.md").read_text()
    status, _, err = bench("precision=fp32")
    assert status == 2 and "model.precision 'bf16' (now absent)" in err


@pytest.mark.slow
def test_auto_decides_before_a_cell_is_looked_up(bench, fast, tmp_path, monkeypatch):
    measured_as(monkeypatch, 0.001, 1.5)
    status, out, err = bench("precision=auto")
    assert status == 0, err
    assert out.count("dncnn runs in bf16: bf16 is 1.50 times as fast as fp32") == 1
    assert stored(tmp_path, "dncnn")["settings"]["model"]["precision"] == "bf16"
    assert bench("precision=bf16")[0] == 0  # the same cell


def test_an_unknown_precision_is_one_sentence(bench, tmp_path):
    status, out, err = bench("precision=fp16")
    assert (status, out) == (2, "")
    assert err == "bench: unknown precision=fp16; choose one of: auto, fp32, bf16\n"
    assert not (tmp_path / "o").exists()
