"""Grey images and images of 16 bits on the command line: a track of its own each."""

import json

import cv2
import numpy as np
import pytest
from command_results import SMALL

GREY = ["run", "model=tv", "protocol=kair_grey", *SMALL]


@pytest.fixture
def deep_folder(tmp_path):
    """A PNG of 16 bits, dark, as a camera's linear picture is."""
    (tmp_path / "deep").mkdir()
    picture = np.random.default_rng(0).integers(0, 2**12, (40, 40, 3), np.uint16)
    cv2.imwrite(str(tmp_path / "deep" / "a.png"), picture)
    return ["data=folder", "data.folder.path=deep"]


def cell_of(folder, model):
    (path,) = (folder / "cells" / model).rglob("*.json")
    return json.loads(path.read_text())


def test_grey_and_colour_share_no_folder(bench, tmp_path):
    status, _, err = bench(*GREY, "noise=gaussian(25)", "out=o")
    assert (status, err) == (0, "")
    assert cell_of(tmp_path / "o", "tv")["settings"]["protocol"]["grey"] is True
    page = (tmp_path / "o" / "leaderboard.md").read_text()
    assert "Protocol kair_grey: images are grey, of 8 bits;" in page
    status, _, err = bench(*GREY, "noise=gaussian(25)", "out=o", "protocol=kair")
    assert status == 2
    assert "by protocol kair_grey" in err and "this run is by protocol kair" in err


def test_what_needs_colours_is_left_out_by_name(bench):
    wanted = ["noise=[gaussian,isp]", "metric=[psnr,psnr_y]", "out=o"]
    status, out, err = bench(*GREY, *wanted)
    assert status == 0, err
    assert "no noise isp of grey images: a camera needs an RGB image" in out + err
    assert "no column psnr_y: it compares colours" in out + err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["noise=gaussian", "reference=[idf,ridnet]"], "but idf, ridnet restore RGB ones"),
        (["noise=isp"], "none of the noises asked for can be had of grey images"),
        (["noise=gaussian", "metric=psnr_y"], "none of the metrics asked for is available"),
    ],
)
def test_what_cannot_be_grey_is_refused_before_anything_is_scored(bench, tmp_path, words, said):
    status, _, err = bench(*GREY, "out=o", *words)
    assert (status, said in err) == (2, True), err
    assert not (tmp_path / "o" / "cells").exists()


def test_16_bits_are_scored_by_a_protocol_that_says_so(bench, tmp_path, deep_folder):
    run = ["run", "model=identity", "noise=gaussian", "noise.gaussian.levels=[25]", *deep_folder]
    status, _, err = bench(*run, "out=o")
    assert (status, "protocol='masked(bits=16)'" in err) == (2, True)
    status, _, err = bench(*run, "out=o", "protocol='masked(bits=16)'")
    assert (status, err) == (0, "")
    assert cell_of(tmp_path / "o", "identity")["settings"]["protocol"]["bits"] == 16
    assert "rounded to 16 bits" in (tmp_path / "o" / "leaderboard.md").read_text()
    status, out, err = bench("repro", "o", "images=deep")
    assert (status, "equal to the bit" in out) == (0, True), err


def test_explain_has_grey_conventions_but_no_colours(bench):
    explain = ["explain", "model=identity", "noise.gaussian.levels=[25]", *SMALL]
    status, out, err = bench(*explain, "protocol=kair_grey")
    assert (status, err) == (0, "")
    assert "border 1" in out and "Y, 16 to 235" not in out
    status, _, err = bench(*explain, "protocol=kair", "to=kair_grey")
    assert (status, "are of different images" in err) == (2, True)
    status, _, err = bench(*explain, "protocol='masked(bits=16)'")
    assert (status, "begin with one of 8" in err) == (2, True)
