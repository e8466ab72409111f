"""``bench check`` as a lab uses it: its own network, its own file, an exit status for CI."""

import re
import sys
import xml.etree.ElementTree as ET
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark import registry
from benchmark.datasets import DATASETS
from benchmark.denoiser import DENOISERS
from benchmark.denoiser.weights.load import save_weights
from benchmark.metrics import METRICS
from benchmark.noise import NOISE_MODELS, Key, to_uint8
from benchmark.objects.registries import REGISTRIES
from benchmark.scoring.evaluate import as_tensor

PLUGIN = '''
import torch
from torch import nn

from benchmark.denoiser import DENOISERS, Denoiser


@DENOISERS.register("acme")
class Acme(Denoiser):
    """A blur of 3x3 which was learned."""

    learned = True

    def __init__(self):
        super().__init__()
        self.blur = nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect", bias=False)

    def forward(self, noisy):
        return self.blur(noisy.flatten(0, 1)[:, None]).reshape(noisy.shape)
'''
SMALL = ["limit=2", "crop=32", "noise=gaussian", "metric=psnr"]
CHECK = ["check", "model=acme", *SMALL]
FILE = "noisebench-baseline.csv"


@pytest.fixture
def acme(tmp_path, monkeypatch) -> None:
    """A lab's network is the one plugin installed; the registries are restored."""
    for known in REGISTRIES.values():
        monkeypatch.setattr(known, "data", dict(known.data))
    folder = tmp_path.with_name(f"{tmp_path.name}_plugin")
    folder.mkdir()
    (folder / "acme_check.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(folder)
    entry = EntryPoint("acme", "acme_check", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    yield
    sys.modules.pop("acme_check", None)


def psnr_of(network) -> float:
    """What the check scores, written out: the middle level of gaussian on two crops."""
    noise, psnr, scores = NOISE_MODELS["gaussian"](), METRICS["psnr"](), []
    for sample in DATASETS["photos"](limit=2, crop=32):
        key = Key("photos", sample.image, "gaussian", 25.0, 0)
        noisy = as_tensor(to_uint8(noise(sample.clean, 25.0, key.rng())))
        restored = as_tensor(to_uint8(network.denoise(noisy)[0].permute(1, 2, 0).numpy()))
        scores.append(psnr(restored, as_tensor(to_uint8(sample.clean))))
    return float(np.mean(scores))


@pytest.fixture
def weights(acme, bench, tmp_path):
    """Write the network's weights, so much worse in dB; each update of a baseline uses them."""
    bench("list", "model")  # registers the plugin
    binomial = torch.outer(torch.tensor([1.0, 2, 1]), torch.tensor([1.0, 2, 1])) / 16
    identity = torch.zeros(3, 3)
    identity[1, 1] = 1

    def network(share: float):
        made = DENOISERS["acme"]()
        with torch.no_grad():
            made.blur.weight[0, 0] = binomial + share * (identity - binomial)
        return made.eval()

    best = psnr_of(network(0.0))

    def write(worse: float, name: str = "acme.safetensors") -> str:
        low, high = 0.0, 1.0
        for _ in range(20 if worse else 0):
            middle = (low + high) / 2
            low, high = (middle, high) if best - psnr_of(network(middle)) < worse else (low, middle)
        save_weights(tmp_path / name, network(low), {}, {})
        return f"model.acme.weights={name}"

    return write


def test_a_network_made_worse_by_a_twentieth_of_a_decibel_fails_and_an_equal_one_passes(
    bench, weights, tmp_path
):
    equal = weights(0.0)
    status, out, err = bench(*CHECK, equal, "update=true")
    assert (status, err) == (0, "")
    assert f"written to {FILE}: 1 cell: 1 new" in out
    status, out, err = bench(*CHECK, equal)
    assert (status, err) == (0, "")
    assert f"1 cell: 1 equal, compared with {FILE}" in out
    before = (tmp_path / FILE).read_bytes()

    status, out, err = bench(*CHECK, weights(0.05), "junit=o/check.xml", "summary=o/check.md")
    assert status == 1
    assert "1 cell: 1 worse" in out
    assert err.startswith("bench: acme on photos, gaussian 25, seed 0: psnr is ")
    assert err.count("\n") == 1
    assert (tmp_path / FILE).read_bytes() == before
    (case,) = ET.parse(tmp_path / "o/check.xml").iter("testcase")
    assert (case.get("classname"), case.get("name")) == ("acme.photos", "gaussian 25")
    message = case.find("failure").get("message")
    change = re.search(r"psnr is [\d.]+ dB, ([-+][\d.]+) from", message)
    assert float(change[1]) == pytest.approx(-0.05, abs=0.001)
    assert (tmp_path / "o/check.md").read_text().startswith("## bench check: failed")


@pytest.mark.slow
def test_a_better_network_passes_and_an_update_says_what_it_changed(bench, weights, tmp_path):
    assert bench(*CHECK, weights(0.1), "update=true")[0] == 0
    status, out, _ = bench(*CHECK, weights(0.0))
    assert status == 0 and "1 cell: 1 better" in out
    before = (tmp_path / FILE).read_text()
    status, out, _ = bench(*CHECK, weights(0.0), "update=true", "junit=../check.xml")
    assert status == 0
    assert "<failure" not in (tmp_path.parent / "check.xml").read_text()
    assert f"written to {FILE}: 1 cell: 1 better" in out
    after = (tmp_path / FILE).read_text()
    assert after != before
    assert "# command: bench check model=acme limit=2 crop=32 noise=gaussian" in after
    assert sorted(path.name for path in tmp_path.iterdir()) == ["acme.safetensors", FILE]


@pytest.mark.slow
def test_a_removed_model_fails_and_a_new_one_does_not(bench, weights):
    pair = ["check", "model=[acme,identity]", *SMALL, weights(0.0)]
    assert bench(*CHECK, weights(0.0), "update=true")[0] == 0
    status, out, _ = bench(*pair)
    assert status == 0
    assert "identity on photos, gaussian 25, seed 0 is not in the baseline" in out
    assert bench(*pair, "update=true")[1].count("1 new, 1 equal")
    status, out, _ = bench(*CHECK, weights(0.0))
    assert status == 1 and "1 missing, 1 equal" in out
    status, out, _ = bench(*CHECK, weights(0.0), "update=true")
    assert status == 0 and "1 removed, 1 equal" in out


@pytest.mark.slow
def test_a_renamed_model_is_missing(bench, weights):
    given = weights(0.0)
    assert bench(*CHECK, given, "update=true")[0] == 0
    renamed = "+model.acme2={of: acme, weights: acme.safetensors}"
    status, out, _ = bench("check", *SMALL, "model=identity", "~model.identity", renamed)
    assert status == 1 and "1 missing, 1 new" in out


@pytest.mark.slow
def test_a_check_which_names_no_model_takes_those_of_the_baseline(bench):
    assert bench("check", *SMALL, "model=[identity,tv]", "update=true")[0] == 0
    status, out, err = bench("check", *SMALL)
    assert (status, err) == (0, "")
    assert "2 equal" in out
    variant = "+model.second={of: identity}"
    assert bench("check", *SMALL, "model=identity", variant, "update=true")[0] == 0
    status, _, err = bench("check", *SMALL)
    assert status == 2
    assert "model 'second'" in err and "bench check" in err
    assert bench("check", *SMALL, "model=identity", variant)[0] == 0


def test_other_images_are_no_worse_and_a_check_of_nothing_else_is_a_mistake(bench):
    words = ["check", "model=identity", "metric=psnr", "crop=32", "noise=[gaussian,poisson]"]
    assert bench(*words, "limit=1", "update=true")[0] == 0
    status, out, err = bench(*words, "limit=2")
    assert status == 2
    assert "other clean images and noisy images than in the baseline (1 images before" in out
    assert err.startswith("bench: none of 2 cells could be compared") and err.count("\n") == 1
    status, out, _ = bench(*words, "limit=1", "noise.gaussian.levels=[25]", "seeds=[0,1]")
    assert status == 0 and "2 new, 2 equal" in out


@pytest.mark.slow
def test_levels_limits_and_crops_which_are_chosen_stay(bench, tmp_path):
    words = ["check", "model=identity", "metric=psnr", "update=true", "data.photos.limit=1"]
    words += ["data.photos.crop=24", "noise=[gaussian,poisson]", "noise.poisson.levels=[2,3.5]"]
    assert bench(*words)[0] == 0
    lines = [line.split(",") for line in (tmp_path / FILE).read_text().splitlines()[4:]]
    assert [line[2:4] for line in lines] == [
        ["gaussian", "25"], ["poisson", "2"], ["poisson", "3.5"],
    ]  # fmt: skip
    assert {line[5] for line in lines} == {"1"}
    assert bench(*words, "levels=null", "baseline=all.csv")[0] == 0
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 4 + 3 + 2


@pytest.mark.slow
def test_a_damaged_baseline_is_a_sentence_which_an_update_mends(bench, tmp_path):
    words = ["check", "model=identity", *SMALL]
    assert bench(*words, "update=true")[0] == 0
    path = tmp_path / FILE
    whole = path.read_text()
    path.write_text(whole.replace("identity,photos", "<<<<<<< HEAD\nidentity,photos"))
    status, _, err = bench(*words)
    assert (status, err.count("\n")) == (2, 1)
    assert err.startswith(f"bench: {FILE}, line 5: '<<<<<<< HEAD' is left of a merge; restore")
    status, out, _ = bench(*words, "update=true")
    assert status == 0 and "1 new" in out
    assert path.read_text() == whole


@pytest.mark.slow
def test_no_baseline_is_written_of_a_network_which_makes_no_picture(
    bench, weights, tmp_path, monkeypatch
):
    given = weights(0.0)
    assert bench(*CHECK, given, "update=true")[0] == 0
    before = (tmp_path / FILE).read_bytes()
    monkeypatch.setattr(DENOISERS["acme"], "forward", lambda self, noisy: noisy / 0 * 0)
    status, out, _ = bench(*CHECK, given)
    assert status == 1 and "1 worse" in out
    status, _, err = bench(*CHECK, given, "update=true")
    assert status == 2 and "no baseline is written: acme on photos" in err
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.slow
def test_a_stopped_check_goes_on_from_the_folder_it_was_given(bench, tmp_path, monkeypatch):
    words = ["check", "model=identity", "noise=[gaussian,poisson]", *SMALL[:2], "metric=psnr"]
    assert bench(*words, "update=true")[0] == 0
    from benchmark.scoring import grid

    scored = []
    evaluate = grid.evaluate

    def stopping(cell, *rest):
        scored.append(cell.noise)
        if len(scored) == 2:
            raise KeyboardInterrupt
        return evaluate(cell, *rest)

    monkeypatch.setattr(grid, "evaluate", stopping)
    assert bench(*words, "out=o")[0] == 130
    assert list(Path("o/unfinished-check/cells").rglob("*.json"))
    assert bench(*words, "out=o")[0] == 0
    assert scored == ["gaussian", "poisson", "poisson"]
    assert not list(Path("o").iterdir())


@pytest.mark.slow
def test_the_speed_is_kept_and_a_slower_network_fails_only_when_asked(bench, monkeypatch):
    words = ["check", "model=identity", *SMALL]
    where = "benchmark.studies.gate.speed.measure_speed"
    monkeypatch.setattr(where, lambda grid, device: {("identity", "photos"): 2.0})
    assert bench(*words, "update=true")[0] == 0
    status, _, err = bench(*words, "max_slowdown=1.5")
    assert status == 2 and "compares speeds, and the baseline has none" in err
    assert bench(*words, "update=true", "speed=true")[0] == 0
    assert bench(*words, "update=true")[0] == 0
    monkeypatch.setattr(where, lambda grid, device: {("identity", "photos"): 4.0})
    status, out, _ = bench(*words, "speed=true")
    assert status == 0 and "4 times the seconds of a fixed network (2 in the baseline)" in out
    status, _, _ = bench(*words, "max_slowdown=1.5", "junit=j.xml")
    assert status == 1
    assert Path("j.xml").read_text().count("<failure") == 1
    assert bench(*words, "max_slowdown=2.5")[0] == 0


def test_the_two_checks_name_each_other(bench):
    assert "bench check." in " ".join(bench("check-model", "--help")[1].split())
    assert "bench check-model" in " ".join(bench("check", "--help")[1].split())
