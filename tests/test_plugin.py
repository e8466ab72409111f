"""A plugin's dataset and metric, from the entry point to the table, as `bench run` meets them."""

import json
import sys
from importlib.metadata import EntryPoint

import cv2
import numpy as np
import pandas as pd
import pytest

from benchmark import registry
from benchmark.objects.registries import REGISTRIES

PLUGIN = '''
from dataclasses import dataclass
from pathlib import Path

from benchmark.datasets import DATASETS, Dataset
from benchmark.metrics import METRICS, Metric


@DATASETS.register("checks")
@dataclass(frozen=True)
class Checks(Dataset):
    """Two chessboards."""

    source = "draw them as https://example.org/" + "a_long_path/" * 10 + "says"
    located = ("path",)
    path: str = ""
    part: str = "both"

    def searched(self):
        return [Path(self.path)]


@METRICS.register("worst")
@dataclass(frozen=True)
class Worst(Metric):
    """The largest error of a pixel."""

    higher_is_better = False
    unit = "grey values"
    digits = 1
    scale: float = 255.0

    def score(self, restored, clean):
        return float((restored - clean).abs().max() * self.scale)
'''
RUN = ["run", "model=identity", "noise=quantization", "noise.quantization.levels=[2]", "out=o"]
RUN += ["data=checks", "metric=[psnr,worst]", "metric.worst.scale=100"]


@pytest.fixture
def plugin(tmp_path, monkeypatch) -> None:
    """The module is the one plugin installed; the registries are restored."""
    for known in REGISTRIES.values():
        monkeypatch.setattr(known, "data", dict(known.data))
    folder = tmp_path.with_name(f"{tmp_path.name}_plugin")
    folder.mkdir()
    (folder / "acme_checks.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(folder)
    entry = EntryPoint("acme", "acme_checks", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    yield
    sys.modules.pop("acme_checks", None)


@pytest.fixture
def boards(tmp_path_factory) -> str:
    """A folder of two images, black and one third white: 2 bits hold both values."""
    folder = tmp_path_factory.mktemp("boards")
    for name, value in (("a", 0), ("b", 100)):
        cv2.imwrite(str(folder / f"{name}.png"), np.full((24, 32, 3), value, np.uint8))
    return str(folder)


def test_a_plugins_dataset_is_scored_with_its_metric_and_both_stand_in_the_table(
    plugin, boards, bench, tmp_path
):
    status, out, err = bench(*RUN, f"data.checks.path={boards}")
    assert (status, err) == (0, "")
    assert "checks: PSNR" in out
    scores = pd.read_csv(tmp_path / "o/scores.csv").set_index("image")
    assert set(scores["dataset"]) == {"checks"}
    assert scores["worst"].to_dict() == pytest.approx({"a": 0, "b": 100 * 15 / 255}, abs=1e-3)
    page = (tmp_path / "o/leaderboard.md").read_text()
    assert "## checks" in page and "### WORST (grey values) ↓" in page


def test_what_identifies_them_is_what_their_classes_say(plugin, boards, bench, tmp_path):
    assert bench(*RUN, f"data.checks.path={boards}", "data.checks.part=one")[0] == 0
    (cell,) = (tmp_path / "o/cells").rglob("*.json")
    settings = json.loads(cell.read_text())["settings"]
    assert settings["metrics"]["worst"] == {"of": "worst", "scale": 100.0}
    assert settings["dataset"]["part"] == "one"
    assert "path" not in settings["dataset"]


@pytest.mark.parametrize("group", ["data", "metric"])
def test_they_are_listed_with_ours(plugin, bench, group):
    status, out, err = bench("list", group)
    assert (status, err) == (0, "")
    name, said = {
        "data": ("checks", "Two chessboards"),
        "metric": ("worst", "The largest error of a pixel"),
    }[group]
    line = next(line for line in out.splitlines() if line.split()[:1] == [name])
    assert said in line


def test_an_address_in_a_list_is_shown_whole(plugin, bench):
    out = bench("list", "data")[1]
    assert "https://example.org/" + "a_long_path/" * 10 + "says" in "".join(out.split())
