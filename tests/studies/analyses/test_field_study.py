"""Receptive fields of networks: what is averaged, what is kept, page and figure."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.studies.analyses import field
from benchmark.studies.analyses.figures.fields import Field, fields


def test_a_network_which_copies_its_input_looks_at_one_pixel_and_leaves_it(setup):
    grid = replace(setup.grid, models={"baseline": DENOISERS["identity"]()})
    found = field.measure(replace(setup, grid=grid))
    assert [one.cell.noise for one in found] == ["gaussian", "poisson"]
    for one in found:
        assert one.gradient.shape == one.change.shape == (9, 9)
        assert set(one.sides.values()) == {1}
        assert (one.stays, one.around) == (pytest.approx(1), pytest.approx(0))


def test_pixels_are_near_the_middle_at_all_places_of_a_window(setup):
    pixels = np.array(field._pixels(replace(setup, crops=200), "folder"))
    assert pixels.min() == 4 and pixels.max() == 11


def test_what_was_measured_is_not_measured_again(setup, monkeypatch):
    first = field.all_lines(field.measure(setup))
    assert first["model"].tolist() == ["baseline", "baseline", "masked", "masked"]
    monkeypatch.setattr(field, "_maps", None)
    assert field.all_lines(field.measure(setup)).equals(first)


def test_page_table_and_figure_are_written(setup):
    written = field.write_pages(field.measure(setup), setup, "bench analyse field")
    assert [path.name for path in written] == ["field.md", "field.csv", "field_folder.svg"]
    assert "maps end after 9x9 pixels" in (setup.out / "field.md").read_text()


def test_what_has_no_field_is_one_sentence(setup):
    grid = replace(setup.grid, models={**setup.grid.models, "tv": DENOISERS["tv"]()})
    with pytest.raises(ValueError, match="'tv' gives no gradients"):
        field.measure(replace(setup, grid=grid))
    assert not (setup.out / "measured").exists()
    with pytest.raises(ValueError, match="needs side of 16 or more, got 15"):
        field.measure(replace(setup, side=15))


class Odd(Denoiser):
    """Nothing of its input, or no numbers."""

    name = "odd"

    def __init__(self, factor: float):
        super().__init__()
        self.layer = torch.nn.Identity()
        self.factor = factor

    def forward(self, noisy):
        return self.layer(noisy * self.factor)


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (float("nan"), "'baseline' makes values that are no finite numbers of folder"),
        (0.0, "what 'baseline' makes of a pixel depends on none of folder"),
    ],
)
def test_a_network_of_which_nothing_can_be_measured_is_named(setup, factor, said):
    models = {name: Odd(factor) for name in setup.grid.models}
    odd = replace(setup, grid=replace(setup.grid, models=models))
    with pytest.raises(ValueError, match=said):
        field.measure(odd)


def test_features_that_are_no_numbers_are_named(setup):
    models = {name: Odd(float("nan")) for name in setup.grid.models}
    odd = replace(setup, grid=replace(setup.grid, models=models), layers=("layer",))
    with pytest.raises(ValueError, match="'baseline' makes values that are no finite numbers of"):
        list(odd.features(odd.references[0], ["layer"], torch.clone))


def test_a_column_is_a_network_with_its_field_above_and_squares_in_it():
    values = np.ones((5, 5))
    shown = [Field(model, "gaussian 15", (values, (1, 3)), (values, (3,))) for model in "ab"]
    panels = fields(shown).axes[:4]
    assert [panel.get_title() for panel in panels] == ["a", "b", "", ""]
    assert [len(panel.patches) for panel in panels] == [2, 2, 1, 1]
    assert [panel.get_ylabel() for panel in panels[::2]] == ["field", "one pixel changed"]
