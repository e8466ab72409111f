"""Distributions of deepest features: their distances, floors, what is kept, the figure."""

import numpy as np
import pytest

from benchmark.reporting.figures.style import Style
from benchmark.studies.analyses import features
from benchmark.studies.analyses.figures.histograms import Panel, histograms
from benchmark.studies.analyses.look import Look


@pytest.fixture
def values(monkeypatch):
    """Values of features by noise and seed, in place of a network's."""
    rng = np.random.default_rng(0)
    reference = rng.normal(1, 2, 10_000)
    by_cell = {
        ("gaussian", 0): reference,
        ("gaussian", 1): reference + 0.02,
        ("poisson", 0): reference + 1,
    }
    monkeypatch.setattr(features, "_values", lambda _, cell: by_cell[cell.noise, cell.seed])
    return by_cell


def test_a_distance_is_counted_in_deviations_of_the_reference_beside_its_floor(setup, values):
    reference, other = features.measure(setup)[:2]
    assert (reference.distance, other.distance) == (0, pytest.approx(0.5, rel=0.05))
    assert reference.floor == other.floor == pytest.approx(0.01, rel=0.05)
    assert (other.mean, other.deviation) == (pytest.approx(2, abs=0.1), pytest.approx(2, abs=0.1))


def test_all_histograms_of_a_network_have_the_limits_of_its_reference(setup, values):
    reference, other = features.measure(setup)[:2]
    assert reference.histogram.low == other.histogram.low == pytest.approx(1 - 8, abs=0.2)
    middles = [(one.histogram.centres * one.histogram.shares).sum() for one in (reference, other)]
    assert middles[1] - middles[0] == pytest.approx(1, abs=0.05)


def test_what_was_measured_is_not_measured_again(setup, monkeypatch):
    first = features.all_lines(features.measure(setup))
    monkeypatch.setattr(features, "_values", None)
    assert features.all_lines(features.measure(setup)).equals(first)


def test_page_table_and_figure_are_written(setup, values):
    written = features.write_pages(features.measure(setup), setup, "bench analyse features")
    assert [path.name for path in written] == ["features.md", "features.csv", "features_folder.svg"]
    page = (setup.out / "features.md").read_text()
    assert "| folder  | baseline | poisson 3   |     0.50" in page


def test_readers_see_labels_where_the_csv_keeps_names(setup, values):
    look = Look({"baseline": "Plain", "poisson": "Shot"}, Style(colours={"baseline": "#123456"}))
    found = features.measure(setup)
    *_, figure = features.write_pages(found, setup, "bench analyse features", look=look)
    for text in ((setup.out / "features.md").read_text(), figure.read_text()):
        assert "Plain" in text and "Shot 3" in text
        assert "baseline" not in text and "poisson" not in text
    assert "#123456" in figure.read_text()
    assert "baseline,poisson,3" in (setup.out / "features.csv").read_text()


def test_a_row_is_a_network_and_a_column_a_noise_with_the_reference_as_a_line():
    x = np.linspace(-1, 1, 5)
    shown = [
        Panel(model, noise, x, x**2, far)
        for model in "ab"
        for noise, far in (("g", None), ("p", 0.25))
    ]
    panels = histograms(shown).axes
    assert [panel.get_title() for panel in panels] == ["g", "p", "", ""]
    assert [len(panel.lines) for panel in panels] == [0, 1, 0, 1]
    assert [text.get_text() for text in panels[3].texts] == ["W 0.250"]
