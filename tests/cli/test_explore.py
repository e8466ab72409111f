"""``bench explore``: one file of a results folder, of what is chosen, and never over another's."""

import base64
import gzip
import json
import re
from pathlib import Path

import pytest

from benchmark.cli.commands import explore

RUN = ["run", "model=[identity,dncnn]", "noise=[gaussian,poisson]", "metric=[psnr]", "out=out"]
RUN += ["noise.gaussian.levels=[15,50]", "noise.poisson.levels=[2]"]
RUN += ["data.photos.limit=2", "data.photos.crop=32"]
PAGE = Path("out/explorer.html")


def facts_of(path: Path) -> dict:
    (packed,) = re.findall(r'id="facts">([^<]*)<', path.read_text("utf-8"))
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def test_a_folder_is_shown_with_pictures_sheets_costs_and_commands(bench, finished):
    status, said, err = bench("explore", "out=out")
    assert (status, err) == (0, "")
    assert re.search(r"written to out/explorer.html: .* MB, with \d+ pictures", said)
    found = facts_of(PAGE)
    assert [model["name"] for model in found["models"]] == ["identity", "dncnn"]
    assert found["models"][1]["parameters"] > 1000 and found["models"][1]["gmacs"] > 1
    assert "not a network of torch" in found["models"][0]["cost_note"]
    assert all(noise["sheet"].startswith("<p>") for noise in found["noises"])
    assert len(found["scenes"]) == 3
    assert {*found["scenes"][0]["pictures"]} == {"clean", "noisy", "identity", "dncnn"}
    assert found["commands"][0].startswith("bench run ")
    assert found["commands"][-1] == "bench explore out=out"


def test_the_same_folder_gives_the_same_bytes(bench, finished):
    bench("explore", "out=out")
    first = PAGE.read_bytes()
    bench("explore", "out=out")
    assert PAGE.read_bytes() == first


def test_a_choice_goes_to_a_file_of_its_own(bench, finished):
    words = ["model=dncnn", "noise=gaussian", "level=50", "labels=[dncnn: DnCNN]"]
    assert bench("explore", "out=out", *words)[0] == 0
    assert not PAGE.exists()
    found = facts_of(Path("out/explorer-dncnn-gaussian-50.html"))
    assert [model["label"] for model in found["models"]] == ["DnCNN"]
    assert [(cell["noise"], cell["level"]) for cell in found["cells"]] == [("gaussian", 50.0)]
    (scene,) = found["scenes"]
    assert {*scene["pictures"]} == {"clean", "noisy", "dncnn"}


def test_pictures_can_be_left_out(bench, finished):
    assert bench("explore", "out=out", "pictures=none", "to=elsewhere/page.html")[0] == 0
    assert facts_of(Path("elsewhere/page.html"))["scenes"] == []
    assert not PAGE.exists()


def test_many_pictures_are_said_with_a_way_to_fewer(bench, finished, monkeypatch):
    monkeypatch.setattr(explore, "LARGE", 0.001)
    status, _, err = bench("explore", "out=out")
    assert status == 0
    assert re.search(r"pictures of out/explorer\.html take .* MB", err)
    assert "choose fewer by model=" in err


def test_a_file_of_somebody_else_stays(bench, finished):
    PAGE.write_text("<!doctype html>\n<p>mine")
    status, _, err = bench("explore", "out=out")
    assert status == 2 and "explorer.html was not written by bench" in err
    assert PAGE.read_text() == "<!doctype html>\n<p>mine"


def test_a_model_whose_weights_are_gone_is_shown_with_the_reason(bench, finished):
    cells = finished / "cells"
    for path in [*cells.rglob("*.json")]:
        text = path.read_text()
        path.write_text(re.sub(r"sha256:[0-9a-f]{64}", "sha256:" + "0" * 64, text))
    assert bench("explore", "out=out", "pictures=none")[0] == 0
    dncnn = facts_of(PAGE)["models"][1]
    assert (dncnn["parameters"], dncnn["gmacs"]) == (None, None)
    assert "not made again, so not counted" in dncnn["cost_note"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["out=nowhere"], "no finished cells under nowhere"),
        (["out=out", "pictures=some"], "take all or none"),
        (["out=out", "model=nosuch"], "no scores of model 'nosuch'"),
        (["out=out", "to=out"], "is a folder"),
    ],
)
def test_mistakes_are_one_sentence_and_nothing_is_written(bench, finished, words, says):
    before = {*finished.rglob("*")}
    status, out, err = bench("explore", *words)
    assert (status, out) == (2, "") and says in err
    assert {*finished.rglob("*")} == before
