"""Matched severity: levels chosen so that every noise leaves the same PSNR."""

import json
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from baselines.identity import Identity
from benchmark.cells import Cell
from benchmark.datasets.clean import Folder
from benchmark.metrics import METRICS
from benchmark.noise import NOISE_MODELS, NoiseModel
from benchmark.protocol import MASKED, protocol_of
from benchmark.scoring.evaluate import evaluate
from benchmark.scoring.matched import (
    CLOSE,
    TARGETS,
    Match,
    Severity,
    find_matches,
    match_levels,
    severity_of,
)

FACTS = {"dataset": {"sha256": "abc", "images": 2}, "noise": {"of": "gaussian"}}


@dataclass(frozen=True)
class Ladder(NoiseModel):
    """A noise whose severity the test states itself."""

    name = "ladder"
    unit = "steps"
    levels: tuple[float, ...] = (1, 2)

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        return clean


@dataclass(frozen=True)
class Bits(Ladder):
    """The same with whole levels, of which more are milder."""

    domain = (1, 64)
    whole_levels = True
    levels: tuple[float, ...] = (6, 3)


@pytest.fixture
def grey(tmp_path) -> Folder:
    """Two flat grey images, on which the PSNR of a noise is known."""
    for name in ("one", "two"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((96, 96, 3), 128, np.uint8))
    return Folder(path=str(tmp_path))


def matched(noise: NoiseModel, folder: Folder, path: Path) -> list[Match]:
    return match_levels(noise, noise.name, folder, "grey", [0], FACTS, path)


def found(noise: NoiseModel, severity: Severity) -> list[Match]:
    return find_matches(noise, severity, severity)


def test_gaussian_levels_are_those_of_the_formula(grey, tmp_path):
    matches = matched(NOISE_MODELS["gaussian"](), grey, tmp_path / "gaussian.json")
    assert len(matches) == len(TARGETS)
    for match, target in zip(matches, TARGETS, strict=True):
        assert match.psnr == pytest.approx(target, abs=0.02)
        assert match.level == pytest.approx(255 / 10 ** (target / 20), rel=0.02)  # flat grey


def test_levels_are_measured_on_the_images_of_the_protocol_and_kept_for_it(grey, tmp_path):
    seen = set()

    class Watched(Ladder):
        def sample(self, clean, level, rng):
            seen.add(clean.shape[2])
            return clean

    kept = []
    for protocol in (MASKED, replace(MASKED, grey=True)):
        path = tmp_path / f"{protocol.channels}.json"
        match_levels(Watched(), "ladder", grey, "grey", [0], FACTS, path, protocol)
        kept.append(json.loads(path.read_bytes())["facts"])
    assert seen == {1, 3}
    grey_facts = {"noisy": "clipped, 8 bits", "restored": "clipped, 8 bits", "grey": True}
    assert kept[1] == kept[0] | {"protocol": grey_facts}


@pytest.mark.parametrize("text", ["kair", "float", "swinir(colour='y',restored_rounded=false)"])
def test_announced_strengths_are_those_of_noisy_images_under_the_protocol(grey, tmp_path, text):
    noise, protocol, images = NOISE_MODELS["isp"](), protocol_of(text), grey.images()
    path, metric = tmp_path / "isp.json", METRICS["psnr"](border=protocol.border)
    matches = match_levels(noise, "isp", grey, "grey", [0], FACTS, path, protocol)
    assert matches
    for match in matches:
        cell = Cell("identity", "grey", "isp", match.level, 0)
        model, metrics = Identity(), {"psnr": metric}
        rows = evaluate(cell, model, grey, noise, metrics, images, protocol=protocol)
        assert match.psnr == pytest.approx(np.mean([one.row["psnr"] for one in rows]), abs=1e-9)


@pytest.mark.sampled(every=5)
@pytest.mark.parametrize("name", ["poisson", "speckle", "salt_and_pepper", "correlated", "mixture"])
def test_noises_of_every_kind_become_equally_strong(name, grey, tmp_path):
    noise = NOISE_MODELS[name]()
    for match, target in zip(matched(noise, grey, tmp_path / "f.json"), TARGETS, strict=True):
        assert match.psnr == pytest.approx(target, abs=0.05)
        noise.check_level(match.level)


def test_a_noise_which_grows_milder_with_its_level_is_searched_downwards():
    falling = found(Ladder(levels=(100, 10)), lambda level: 10 * np.log10(level) + 10)
    levels = [match.level for match in falling]
    assert levels == pytest.approx([10 ** ((target - 10) / 10) for target in TARGETS], rel=1e-3)


def test_whole_levels_stay_whole_and_those_far_from_every_target_are_left_out():
    matches = found(Bits(), lambda level: 6.1 * level + 0.6)
    assert matches == [Match(4.0, pytest.approx(25.0)), Match(3.0, pytest.approx(18.9))]


def test_targets_out_of_reach_have_no_level():
    matches = found(Ladder(), lambda level: 23.0 + 20 / (1 + level))
    assert [round(match.psnr) for match in matches] == [28, 25]


def test_levels_are_kept_and_measured_anew_for_other_data(grey, tmp_path, monkeypatch):
    path = tmp_path / "gaussian.json"
    noise = NOISE_MODELS["gaussian"]()
    first = matched(noise, grey, path)
    assert json.loads(path.read_text())["facts"]["dataset"]["sha256"] == "abc"
    monkeypatch.setattr("benchmark.scoring.matched.find_matches", lambda *_: [Match(1.0, 2.0)])
    assert matched(noise, grey, path) == first
    other = {**FACTS, "dataset": {"sha256": "def", "images": 2}}
    assert match_levels(noise, "gaussian", grey, "grey", [0], other, path) == [Match(1.0, 2.0)]


DAMAGE = {
    "empty": lambda text: "",
    "cut": lambda text: text[:-20],
    "a list": lambda text: "[]",
    "null": lambda text: "null",
    "no facts": lambda text: text.replace('"facts"', '"fact"'),
    "no matches": lambda text: text.replace('"matches"', '"match"'),
    "a level that is text": lambda text: text.replace('"level": ', '"level": "5", "other": '),
    "a level that is null": lambda text: re.sub(r'"level": [\d.]+', '"level": null', text),
    "a level that is NaN": lambda text: re.sub(r'"level": [\d.]+', '"level": NaN', text),
    "a match without PSNR": lambda text: text.replace('"psnr"', '"ssim"'),
    "brackets": lambda text: "[" * 100000,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_of_levels_is_made_again_with_a_warning(grey, tmp_path, monkeypatch, damage):
    path, noise = tmp_path / "gaussian.json", NOISE_MODELS["gaussian"]()
    monkeypatch.setattr("benchmark.scoring.matched.find_matches", lambda *_: [Match(1.0, 2.0)])
    matched(noise, grey, path)
    text = path.read_text()
    path.write_text(DAMAGE[damage](text))
    with pytest.warns(UserWarning, match="is made again"):
        assert matched(noise, grey, path) == [Match(1.0, 2.0)]
    assert path.read_text() == text


def test_levels_are_measured_anew_for_other_code(grey, tmp_path, monkeypatch):
    path, noise = tmp_path / "gaussian.json", NOISE_MODELS["gaussian"]()
    monkeypatch.setattr("benchmark.scoring.matched.find_matches", lambda *_: [Match(1.0, 2.0)])
    first = matched(noise, grey, path)
    monkeypatch.setattr("benchmark.scoring.matched.find_matches", lambda *_: [Match(3.0, 4.0)])
    assert matched(noise, grey, path) == first
    monkeypatch.setattr("benchmark.scoring.matched.code_of", lambda _: {"source": "another"})
    assert matched(noise, grey, path) == [Match(3.0, 4.0)]


def test_a_noise_of_random_strength_has_its_target_with_the_numbers_of_the_run():
    jitter = np.random.default_rng(0)

    def expected(level: float) -> float:
        return 30 - 5 * np.log2(level)

    @cache
    def realised(level: float) -> float:
        return expected(level) + jitter.normal(0, 1)

    matches = find_matches(Ladder(), expected, realised)
    assert len(matches) == len(TARGETS)
    for match, target in zip(matches, TARGETS, strict=True):
        assert match.psnr == realised(match.level) == pytest.approx(target, abs=CLOSE)
        assert expected(match.level) == pytest.approx(target, abs=0.1)


def test_severity_is_the_mean_over_images_and_draws(grey):
    asked = []

    def rng_of(image: str, level: float, draw: int) -> np.random.Generator:
        asked.append((image, level, draw))
        return np.random.default_rng(draw)

    severity = severity_of(NOISE_MODELS["gaussian"](), grey, rng_of, [0, 1])
    assert severity(25) == pytest.approx(20 * np.log10(255 / 25), abs=0.15)
    assert severity(25) == severity(25)
    assert asked == [(image, 25, draw) for image in ("one", "two") for draw in (0, 1)]
