"""CKA of networks and noises: which pairs, what a resumed run measures, page, CSV and figure."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from benchmark.studies.analyses import cka
from benchmark.studies.analyses.figures.heat_maps import HeatMap, heat_maps


def test_networks_are_compared_under_one_noise_and_each_with_itself_under_others(setup):
    found = [(one.title(), *one.names()) for one in cka.measure(setup)]
    assert found == [
        ("gaussian 15", "baseline", "masked"),
        ("baseline", "gaussian 15", "poisson 3"),
        ("masked", "gaussian 15", "poisson 3"),
    ]


def test_a_network_is_wholly_like_itself(setup):
    models = setup.grid.models
    twice = replace(setup.grid, models={"baseline": models["baseline"], "b": models["baseline"]})
    twice.settings["model"]["b"] = {"of": "baseline"}
    one = cka.measure(replace(setup, grid=twice))[0]
    assert np.diag(one.values) == pytest.approx(1)


def test_what_was_measured_is_not_measured_again(setup, monkeypatch):
    first = cka.measure(setup)
    monkeypatch.setattr(cka, "_values", None)
    assert [one.values.tolist() for one in cka.measure(setup)] == [
        one.values.tolist() for one in first
    ]


def test_batches_are_whole_and_there_is_something_to_compare(setup):
    for changes in ({"batch": 3}, {"batch": 2}):
        with pytest.raises(ValueError, match="whole batches of 4 crops or more, got crops=8"):
            cka.measure(replace(setup, **changes))
    alone = replace(setup.grid, models={"baseline": setup.grid.models["baseline"]})
    alone = replace(alone, levels={"folder": {"gaussian": (15.0,)}})
    with pytest.raises(ValueError, match="name one more of either"):
        cka.measure(replace(setup, grid=alone))


def test_a_figure_has_a_panel_for_each_pair_and_one_scale():
    shown = [HeatMap("a", "b", title, np.eye(12)) for title in ("one", "two", "two")]
    figure = heat_maps(shown)
    panels = [panel for panel in figure.axes if panel.get_title()]
    assert [panel.get_title() for panel in panels] == [one.title for one in shown]
    assert {panel.images[0].get_clim() for panel in panels} == {(0, 1)}
    assert [panel.get_subplotspec().rowspan.start for panel in panels] == [0, 1, 1]


@pytest.mark.slow
def test_bench_analyse_cka_writes_page_table_and_figure_and_goes_on(bench, tmp_path, monkeypatch):
    words = ["analyse", "cka", "noise=poisson", "data.photos.limit=2", "crops=4", "side=16"]
    words += ["batch=4", "layers=[conv_first,conv_last:input]", "out=o"]
    status, out, err = bench(*words)
    assert (status, err) == (0, "")
    assert "written to o/cka: cka.md, cka.csv, cka.svg, README.md" in out
    page = (tmp_path / "o/cka/cka.md").read_text()
    assert "`bench analyse cka noise=poisson " in page and "out=o" not in page
    with (tmp_path / "o/cka/cka.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 3 * 2 * 2
    assert {line["right_layer"] for line in lines} == {"conv_first", "conv_last:input"}
    assert "- [cka.svg](cka.svg): CKA of layers" in (tmp_path / "o/cka/README.md").read_text()
    monkeypatch.setattr(cka, "_values", None)
    status, out, err = bench(*words)
    assert (status, err) == (0, "") and "measuring" not in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["ckaa"], "unknown analysis 'ckaa'; did you mean 'cka'"),
        (["cka", "model=tv"], "'tv' has no layers"),
        (["cka", "crops=10"], "whole batches of 4"),
        (["cka", "labels=[maskd: Ours]"], "'maskd'; did you mean 'masked'?"),
        (["cka", "style=nowhere.yaml"], "style=nowhere.yaml: the file cannot be read"),
        (["cka", "out=theirs"], "theirs/cka/cka.md was not written by bench"),
    ],
)
def test_a_mistake_is_one_sentence(bench, tmp_path, words, sentence):
    (tmp_path / "theirs/cka").mkdir(parents=True)
    (tmp_path / "theirs/cka/cka.md").write_text("# CKA\n\nof our club\n")
    status, _, err = bench("analyse", *words, "data.photos.limit=2")
    assert status == 2 and sentence in err and err.count("\n") == 1
