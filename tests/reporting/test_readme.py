"""The README of a folder of results says by what, from what and where its cells were made."""

from pathlib import Path

import pytest

from benchmark.cells import Cell, ResultStore
from benchmark.reporting.readme import commands_of, page

WEIGHTS = "sha256:" + "0123456789ab" + 52 * "f"
SETTINGS = {
    "model": {"of": "dncnn", "weights": WEIGHTS, "chop": True},
    "noise": {"of": "gaussian"},
    "dataset": {"of": "photos", "crop": 32, "images": 1, "sha256": "abcdefabcdef0000"},
    "metrics": {"psnr": {"of": "psnr", "border": 1}},
    "protocol": {"noisy": "clipped, 8 bits"},
}
LABELS = {"higher_is_better": {"psnr": True}, "unit": "sigma", "note": ""}
COMMANDS = ["bench run model=mine", "bench run 'noise=[a,b]' model=mine"]


def store_of(folder: Path, *releases: str, **environment: object) -> ResultStore:
    """A folder with a cell for each release of torch, at levels 5, 10 ..."""
    store = ResultStore(folder)
    for place, torch in enumerate(releases, start=1):
        store.write(
            Cell("mine", "photos", "gaussian", 5.0 * place, 0),
            [{"image": "one", "psnr": 30.0, "seconds": 0.5}],
            SETTINGS,
            labels=LABELS,
            environment={"torch": torch, "threads": 1, **environment},
        )
    return store


def rows_of(text: str) -> list[list[str]]:
    """The texts of every line of a table."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[part.strip() for part in line.strip("| ").split(" | ")] for line in lines]


def test_data_weights_levels_and_versions_are_those_of_the_cells(tmp_path):
    text = page("mine", COMMANDS, store_of(tmp_path, "2.4", "2.4").scores(), ["scores.csv"])
    rows = rows_of(text)
    assert text.startswith("# mine\n")
    assert "2 cells" in text and "- `scores.csv`: every image" in text
    assert ["photos", "1", "crop=32", "abcdefabcdef"] in rows
    assert ["mine", "dncnn", "0123456789ab", "chop=true", "–", "2"] in rows
    assert ["gaussian", "5, 10", "sigma", "0", "–"] in rows
    assert ["metric psnr", "border=1"] in rows
    assert ["torch", "2.4"] in rows
    assert "Not all made alike" not in text


def test_mixed_versions_are_counted_and_said(tmp_path):
    text = page("mine", COMMANDS, store_of(tmp_path, "2.4", "2.4", "2.5").scores(), [])
    assert ["torch", "2.4 in 2 cells, 2.5 in 1"] in rows_of(text)
    assert "Not all made alike: torch 2.4 in 2 cells, 2.5 in 1." in text


def test_reduced_precision_is_named(tmp_path):
    text = page("mine", [], store_of(tmp_path, "2.4", precision="bf16").scores(), [])
    assert "Restored whole, in fp32 and by torch, but for: mine on photos (bf16)." in text


@pytest.mark.parametrize("commands", [COMMANDS, COMMANDS[:1], []])
def test_a_page_gives_its_commands_back_each_once(tmp_path, commands):
    scores = store_of(tmp_path, "2.4").scores()
    text = page("mine", commands * 2, scores, [])
    assert commands_of(text) == commands_of(text.replace("\n", "\r\n")) == commands
    assert page("mine", commands_of(text), scores, []) == text


def test_a_packed_folder_has_the_same_page(tmp_path):
    from benchmark.cells.packed import pack

    store = store_of(tmp_path, "2.4", "2.5")
    before = page("mine", COMMANDS, store.scores(), [])
    pack(store, lambda _: None)
    assert page("mine", COMMANDS, ResultStore(tmp_path).scores(), []) == before
