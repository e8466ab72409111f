"""Completion: what networks see, what is scored of it, what is kept, the figure."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.pixels import psnr
from benchmark.studies.analyses import completion
from benchmark.studies.analyses.figures.completed import Completed, completed


class Copy(Denoiser):
    """Gives back what it sees, and keeps it."""

    name, hidden_pixel = "copy", -0.25

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[torch.Tensor] = []

    def forward(self, noisy):
        self.seen.append(noisy.clone())
        return noisy


@pytest.fixture
def hiding(setup):
    """A setup of two shares and a network which gives back what it sees."""
    grid = replace(setup.grid, models={"baseline": Copy()})
    return replace(setup, grid=grid, hidden=(0, 75))


def test_clean_images_the_noise_of_training_and_the_others_are_hidden_in_the_same_places(hiding):
    found = completion.measure(hiding)
    assert [(one.condition(), one.hidden) for one in found] == [
        (condition, share)
        for condition in ("clean", "gaussian 15", "poisson 3")
        for share in (0, 75)
    ]
    seen = torch.cat(hiding.grid.models["baseline"].seen).view(3, 2, 8, 3, 16, 16)
    places = seen == -0.25
    assert not places[:, 0].any()
    assert 0.7 < places[:, 1].float().mean() < 0.8
    assert torch.equal(places[0], places[1]) and torch.equal(places[0], places[2])


def test_psnr_is_of_all_pixels_and_of_those_which_were_hidden_against_the_clean_crop(hiding):
    whole, part = completion.measure(hiding)[2:4]
    clean, noisy = hiding.crops_of(hiding.references[0])
    assert whole.psnr[0] == pytest.approx(psnr(noisy[0], clean[0]))
    assert np.isnan(whole.psnr_hidden).all()
    hidden = completion.hidden_of(hiding, "folder", 75)[0]
    black = -10 * np.log10(np.mean((clean[0][hidden] / 255) ** 2))
    assert part.psnr_hidden[0] == pytest.approx(black, abs=1e-3)
    assert part.psnr_hidden.mean() < part.psnr.mean() < whole.psnr.mean()
    assert part.blur_hidden.mean() > part.psnr_hidden.mean()


def test_what_was_measured_is_not_measured_again(hiding, monkeypatch):
    first = completion.all_lines(completion.measure(hiding))
    monkeypatch.setattr(completion, "_measured", None)
    assert completion.all_lines(completion.measure(hiding)).equals(first)


@pytest.mark.parametrize("shares", [(), (100,), (-1, 50)])
def test_shares_are_percentages_which_leave_something_visible(hiding, shares):
    with pytest.raises(ValueError, match="should be percentages from 0 to 99"):
        completion.measure(replace(hiding, hidden=shares))


def test_page_table_and_figure_are_written_of_a_filter_as_well(setup):
    grid = replace(setup.grid, models={"baseline": DENOISERS["wavelet"]()})
    setup = replace(setup, grid=grid, hidden=(0, 50))
    found = completion.measure(setup)
    written = completion.write_pages(found, setup, "bench analyse completion")
    names = ["completion.md", "completion.csv", "completion_folder.svg"]
    assert [path.name for path in written] == names
    table = completion.table(found)
    assert table.header == ["dataset", "image", "model", "0 %", "50 %", "50 %, hidden"]
    assert [row[1:3] for row in table.rows[:2]] == [
        ["clean", "interpolation"],
        ["clean", "baseline"],
    ]


def test_a_row_is_a_network_below_what_goes_in_and_a_column_a_share():
    picture = np.zeros((4, 4, 3), np.uint8)
    shown = [
        Completed(model, share, picture, picture, 20.0, 18.0 if share else np.nan)
        for model in "ab"
        for share in (0, 75)
    ]
    panels = completed(shown).axes
    assert [panel.get_title() for panel in panels[:2]] == ["0 % hidden", "75 % hidden"]
    assert [panel.get_ylabel() for panel in panels[::2]] == ["input", "a", "b"]
    assert [panel.get_xlabel() for panel in panels[2:4]] == ["20.00", "20.00, 18.00"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["completion", "layers=[conv_last]"], "completion makes no use of it; leave out layers="),
        (["cka", "hidden=[50]"], "cka makes no use of it; leave out hidden=[50]"),
        (["srga", "scores=o"], "srga makes no use of it; leave out scores=o"),
        (["completion", "hidden=[100]"], "hidden=[100] should be percentages from 0 to 99"),
    ],
)
def test_a_mistake_is_one_sentence(bench, words, sentence):
    status, _, err = bench("analyse", *words, "data.photos.limit=2", "out=o")
    assert status == 2 and sentence in err and err.count("\n") == 1
