"""The page of a data sheet says what was measured and what the noise says of itself."""

import re

import pytest

from benchmark.studies.noise_sheet import write_index, write_sheet
from benchmark.studies.noise_sheet.measures import measure
from benchmark.studies.noise_sheet.page import index_page, page
from noise_models import Gaussian


@pytest.mark.slow
def test_recorded_noise_gets_its_page_without_another_dataset(scans, tmp_path):
    write_sheet("scans", scans, None, tmp_path / "out", "bench noise scans")
    text = (tmp_path / "out" / "scans.md").read_text()
    assert "Levels, mild to hard: 8, 2 (passes)." in text
    assert "promises no closed law" in text and "seed" not in text


def test_a_plugin_without_a_law_gets_a_page_which_shows_its_docstring_and_its_guess(photos, stripe):
    text = page(measure("stripe", stripe(period=2), photos), "bench noise stripe")
    assert "> **Note:** Its width is a guess." in text
    assert "Settings: `period=2`." in text
    assert "the same in every column and channel [1]." in text
    assert "Nothing more is known." in text
    assert "- `period`: Rows with one offset." in text
    assert "1. A colleague, in the corridor." in text
    assert "promises no closed law" in text
    assert "Made with `bench noise stripe`." in text
    assert "[1]_" not in text and "----\n" not in text


def test_the_table_of_numbers_has_a_line_a_level_as_wide_as_its_heading(photos, stripe):
    for noise in (Gaussian(levels=(15, 50)), stripe()):
        table = page(measure(noise.name, noise, photos), "").partition("## Measured\n\n")[2]
        heading, _, *lines = table.partition("\n\n")[0].splitlines()
        assert [line.split()[1] for line in lines] == [f"{level:g}" for level in noise.levels]
        assert {line.count("|") for line in lines} == {heading.count("|")}


def test_levels_are_called_mild_to_hard_where_they_are(photos):
    for levels, said in (((15, 50), "Levels, mild to hard: 15, 50"), ((50, 15), "Levels: 50, 15")):
        assert said in page(measure("gaussian", Gaussian(levels=levels), photos), "")


@pytest.mark.slow
def test_the_index_links_every_page_and_repeats_every_note(photos, tmp_path, stripe):
    sheets = [
        write_sheet(noise.name, noise, photos, tmp_path, "bench noise all")
        for noise in (Gaussian(levels=(15,)), stripe(levels=(5,)))
    ]
    text = write_index(sheets, tmp_path, "bench noise all").read_text()
    assert text == index_page(sheets, "bench noise all")
    links = re.findall(r"\]\((.*?)\)", text)
    assert links == ["gaussian.md", "stripe.md"]
    assert all((tmp_path / link).is_file() for link in links)
    assert "| none |" in text and "Its width is a guess." in text


@pytest.mark.slow
def test_the_same_input_gives_the_same_bytes(photos, tmp_path, stripe):
    for folder in ("first", "second"):
        write_sheet("stripe", stripe(levels=(5,)), photos, tmp_path / folder, "bench noise stripe")
    for name in ("stripe.png", "stripe.md"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
