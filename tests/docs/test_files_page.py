"""The page on other people's outputs: its steps, run as they are written."""

import csv
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.pixels import psnr

PAGE = (Path(__file__).parents[2] / "docs/files.md").read_text()
SMALL = ["data.photos.limit=1", "data.photos.crop=48"]


@pytest.mark.slow
def test_export_opencv_and_a_run_give_the_scores_of_what_opencv_wrote(bench, tmp_path, monkeypatch):
    export, run, named = (
        shlex.split(line.removeprefix("bench "))
        for line in re.findall(r"^bench .*", PAGE, re.MULTILINE)
    )
    (opencv,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert bench(*export, *SMALL, "clean=true")[0] == 0
    exec(compile(opencv, "files.md", "exec"), {})
    for command, name in ((run, "files"), (named, "nlm_opencv")):
        status, _, err = bench(*command, *SMALL, f"out={name}")
        assert (status, err) == (0, "")
        with (tmp_path / name / "scores.csv").open() as lines:
            scores = {line["model"]: float(line["psnr"]) for line in csv.DictReader(lines)}
        place = "photos/gaussian-25-0/astronaut.png"
        clean, noisy, restored = (
            np.asarray(Image.open(tmp_path / folder / place))
            for folder in ("noisy/clean", "noisy", "restored")
        )
        assert abs(scores[name] - psnr(restored, clean, border=1)) < 1e-4
        assert abs(scores["identity"] - psnr(noisy, clean, border=1)) < 1e-4
        assert scores[name] > scores["identity"]
