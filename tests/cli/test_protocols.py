"""Protocols on the command line: part of a cell, of a folder and of what a report shows."""

import json

import cv2
import numpy as np
import pytest
from command_results import SMALL, cells

GAUSSIAN = ["run", "model=identity", "noise=gaussian", "noise.gaussian.levels=[50]", *SMALL]


def cell(folder):
    (path,) = (folder / "cells").rglob("*.json")
    return json.loads(path.read_text())


def test_a_cell_says_by_which_protocol_it_was_scored(bench, tmp_path):
    for protocol in ("masked", "kair", "swinir", "restormer", "'kair(border=2)'"):
        status, _, err = bench(*GAUSSIAN, f"protocol={protocol}", f"out={protocol.strip(chr(39))}")
        assert (status, err) == (0, "")
    found = {path.name: cell(path) for path in tmp_path.iterdir() if (path / "cells").is_dir()}
    assert found["masked"]["settings"]["protocol"] == {
        "noisy": "clipped, 8 bits",
        "restored": "clipped, 8 bits",
    }
    psnr = {name: record["images"][0]["psnr"] for name, record in found.items()}
    assert len({*psnr.values()} - {psnr["restormer"]}) == 4 - 1
    assert psnr["kair"] == psnr["restormer"]  # two names for what is done alike
    borders = {name: record["labels"]["border"]["psnr"] for name, record in found.items()}
    assert borders == {"masked": 1, "kair": 0, "swinir": 0, "restormer": 0, "kair(border=2)": 2}
    page = (tmp_path / "swinir" / "leaderboard.md").read_text()
    assert "Protocol swinir: " in page and "BGR" in page


def test_a_folder_has_one_protocol(bench, tmp_path):
    bench(*GAUSSIAN, "out=o")
    before = cells(tmp_path / "o")
    status, _, err = bench(*GAUSSIAN, "reference=[tv]", "protocol=kair", "out=o")
    assert status == 2
    assert "by protocol masked" in err and "this run is by protocol kair" in err
    status, _, err = bench(*GAUSSIAN, "reference=[tv]", "metric.psnr.border=3", "out=o")
    assert status == 2
    assert "psnr with border=1" in err and "leaves out 3" in err
    assert cells(tmp_path / "o") == before


def test_a_folder_put_together_of_two_protocols_is_reported_by_one(bench, tmp_path):
    bench(*GAUSSIAN, "out=o")
    bench(*GAUSSIAN, "noise.gaussian.levels=[25]", "protocol=kair", "out=other")
    (other,) = (tmp_path / "other" / "cells").rglob("*.json")
    other.rename(tmp_path / "o" / "cells" / "identity" / "photos" / other.name)
    status, _, err = bench("report", "out=o", "to=page")
    assert status == 2
    assert "kair and masked" in err and "protocol=NAME" in err
    for protocol, level in (("kair", 25), ("masked", 50)):
        status, _, err = bench("report", "out=o", f"protocol={protocol}", f"to={protocol}")
        assert status == 0, err
        assert f",gaussian,{level}" in (tmp_path / protocol / "leaderboard.csv").read_text()
    status, _, err = bench("report", "out=o", "protocol=float", "to=page")
    assert (status, "no cells by protocol float" in err) == (2, True)


@pytest.mark.parametrize(
    "protocol", ["kiar", "'kair(border=-2)'", "'clipdenoising(unclipped=[gausian])'"]
)
def test_a_wrong_protocol_is_a_sentence_before_anything_is_scored(bench, tmp_path, protocol):
    status, _, err = bench(*GAUSSIAN, f"protocol={protocol}", "out=o")
    assert status == 2
    assert len(err.strip().splitlines()) == 1
    assert "protocol" in err


def test_an_unclipped_noise_which_there_is_not_is_named_with_the_closest(bench):
    for command in (GAUSSIAN, ["explain", "model=identity"]):
        status, _, err = bench(*command, "protocol='clipdenoising(unclipped=[gausian])'")
        assert (status, "no noise; did you mean 'gaussian'?" in err) == (2, True)


def test_explain_names_two_equal_protocols_as_they_were_typed(bench):
    status, _, err = bench("explain", "model=identity", "protocol=kair", "to=restormer")
    assert (status, err.count("\n")) == (2, 1)
    assert "protocol=kair and to=restormer are the same" in err


def test_the_border_of_the_protocol_says_which_images_are_too_small(bench, monkeypatch, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((11, 64, 3), 128, np.uint8))
    words = ["run", "model=identity", "noise=gaussian(15)", "data=folder", "data.folder.path=."]
    assert bench(*words, "protocol=kair", "out=kair")[0] == 0
    monkeypatch.setattr("benchmark.scoring.grid.evaluate", lambda *_: 1 / 0)
    status, _, err = bench(*words, "out=masked")
    assert status == 2 and "at least 13x13" in err
    status, _, err = bench(*words, "protocol='masked(border=40)'", "metric=psnr", "out=wide")
    assert status == 2 and "at least 81x81" in err
