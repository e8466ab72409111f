"""SRGA of networks under noises: beside which floors, by how many patches, from what is kept."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from benchmark.analysis.srga import distribution
from benchmark.analysis.srga import srga as published
from benchmark.reporting.figures.style import Style
from benchmark.studies.analyses import srga
from benchmark.studies.analyses.figures.bars import Bars, bars_and_sizes
from benchmark.studies.analyses.look import Look


def test_a_number_is_that_of_the_deepest_features(setup):
    one = srga.measure(setup)[0]
    assert (one.cell.model, one.cell.noise) == ("baseline", "poisson")
    layers = setup.layers_of("baseline")[-1:]

    def features(cell):
        found = setup.features(cell, layers, torch.clone)
        return np.concatenate([next(iter(part.values())).numpy() for part in found])

    reference, other = (features(cell) for cell in (setup.references[0], one.cell))
    assert one.value == pytest.approx(published(distribution(reference), distribution(other)))
    first = published(distribution(reference[:4]), distribution(other[:4]))
    assert one.by_patches == {4: pytest.approx(first), 8: one.value}
    halves = (distribution(reference[start::2]) for start in (0, 1))
    assert one.halves == pytest.approx(published(*halves))


def test_the_floor_has_other_noise_on_the_same_patches(setup, monkeypatch):
    seen = []
    monkeypatch.setattr(
        srga.Setup,
        "crops_of",
        lambda self, cell: seen.append(cell) or [np.full((8, 16, 16, 3), cell.seed, np.uint8)] * 2,
    )
    monkeypatch.setattr(srga, "_fit", lambda *_: [1.0, 2.0])
    assert all(one.again == pytest.approx(0, abs=1e-6) for one in srga.measure(setup))
    assert {(c.model, c.noise, c.seed) for c in seen if c.noise == "gaussian"} == {
        (model, "gaussian", seed) for model in ("baseline", "masked") for seed in (0, 1)
    }


def test_features_leave_no_file(setup):
    srga.measure(setup)
    assert [path.name for path in setup.out.iterdir()] == ["measured"]


def test_what_was_measured_is_not_measured_again(setup, monkeypatch):
    first = [one.value for one in srga.measure(setup)]
    monkeypatch.setattr(srga, "_fits", None)
    assert [one.value for one in srga.measure(setup)] == first


def test_there_is_a_noise_beside_the_reference(setup):
    alone = replace(setup.grid, levels={"folder": {"gaussian": (15.0,)}})
    with pytest.raises(ValueError, match="name one beside gaussian 15"):
        srga.measure(replace(setup, grid=alone))


def test_page_table_and_figure_are_written(setup):
    written = srga.write_pages(srga.measure(setup), setup, "bench analyse srga")
    assert [path.name for path in written] == ["srga.md", "srga.csv", "srga_folder.svg"]
    page = (setup.out / "srga.md").read_text()
    assert page.startswith("# SRGA\n\nMade with `bench analyse srga`: 8 patches of 16x16.")
    assert "![SRGA by network and noise](srga_folder.svg)" in page


def test_a_legend_has_labels_and_a_model_its_own_look():
    look = Look({"a": "Ours"}, Style(colours={"a": "#123456"}))
    figure = bars_and_sizes([Bars("a", "x", {4: 1.0}), Bars("b", "x", {4: 1.0})], "SRGA", look)
    assert [text.get_text() for text in figure.legends[0].texts] == ["Ours", "b"]
    assert to_hex(figure.axes[0].patches[0].get_facecolor()) == "#123456"


def test_each_network_has_a_bar_for_each_noise_and_its_floors_across():
    shown = [
        Bars(model, noise, {4: 1.0, 8: 2.0}, {"floor": 0.5}) for model in "ab" for noise in "xyz"
    ]
    above, below = bars_and_sizes(shown, "SRGA").axes
    assert [bar.get_height() for bar in above.patches] == [2.0] * 6
    assert len(above.lines) == len(below.lines) == 6
    places = [bar.get_x() for bar in above.patches]
    assert len(set(places)) == 6
