"""The zoo: what the page says comes from the files, and old files have empty cells."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from benchmark.denoiser import DENOISERS
from benchmark.denoiser.weights.load import HEADER, save_weights
from benchmark.files.whole import file_hash
from benchmark.studies.zoo import count_parameters, markdown, zoo_table

LEARNED = sorted(name for name, cls in DENOISERS.items() if cls.learned)
DNCNN = {"depth": 3, "width": 4, "batch_norm": True}
TRAINING = {
    "recipe": {"steps": 500, "batch": 16, "patch": 32, "seed": 1},
    "noise": {"of": "gaussian", "levels": [15.0]},
    "level": 15.0,
    "data": {"bsds400": {"images": 400, "sha256": "cb31f4212673c197"}},
    "steps": 321,
    "final_loss": 0.02853,
    "hours": 0.254,
    "device": "x86_64",
    "threads": 2,
    "precision": "fp32",
    "held_out": 8,
}


def saved(folder: Path, stem: str = "dncnn", training: dict[str, object] = TRAINING) -> Path:
    path = folder / f"{stem}.safetensors"
    save_weights(path, DENOISERS["dncnn"](**DNCNN), DNCNN, training)
    return path


def without(*names: str) -> dict[str, object]:
    return {name: value for name, value in TRAINING.items() if name not in names}


def test_a_line_says_what_the_header_and_the_tensors_say(tmp_path):
    path = saved(tmp_path)
    line = zoo_table([path]).iloc[0]
    assert line.to_dict() == {
        "file": "dncnn",
        "model": "dncnn",
        "size": "depth=3 width=4",
        "parameters": sum(p.numel() for p in DENOISERS["dncnn"](**DNCNN).parameters()),
        "noise": "gaussian 15",
        "start": "",
        "steps": 321,
        "batch": 16,
        "patch": 32,
        "seed": 1,
        "hours": 0.254,
        "hardware": "x86_64, 2 threads, fp32",
        "data": "bsds400 (400 images, cb31f421), 8 of them held out",
        "final_loss": 0.02853,
        "file_size": path.stat().st_size,
        "sha256": file_hash(path)[:8],
    }


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path):
    folders = [tmp_path / one / "dncnn" for one in ("a", "b")]
    for folder in folders:
        folder.mkdir(parents=True)
    paths = [saved(folders[0], "best"), saved(folders[1], "best"), saved(tmp_path, "other")]
    assert list(zoo_table(paths)["file"]) == ["a/dncnn/best", "b/dncnn/best", "other"]
    assert list(zoo_table(paths[1:])["file"]) == ["best", "other"]


@pytest.mark.parametrize("name", LEARNED)
def test_parameters_are_those_a_network_trains(name):
    cls = DENOISERS[name]
    network = cls(**cls.sizes.get("tiny", {}))
    expected = sum(p.numel() for p in network.parameters())
    assert count_parameters(network.state_dict()) == expected


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "published"),
        ({"width": 28}, "tiny"),
        ({"width": 28, "batch_norm": False}, "tiny batch_norm=False"),
        ({"depth": 3}, "depth=3"),
    ],
)
def test_a_size_goes_by_its_name_and_by_what_it_changes(tmp_path, arguments, said):
    path = tmp_path / "any.safetensors"
    whole = {"depth": 17, "width": 64, "batch_norm": True, "channels": 3, **arguments}
    save_weights(path, DENOISERS["dncnn"](**arguments), whole, TRAINING)
    assert zoo_table([path])["size"].tolist() == [said]


def test_lines_keep_the_order_of_the_files(tmp_path):
    paths = [saved(tmp_path, stem) for stem in ("second", "first")]
    assert zoo_table(paths)["file"].tolist() == ["second", "first"]


def test_a_file_without_the_newer_facts_has_empty_cells(tmp_path):
    old = saved(tmp_path, "old", {})
    table = zoo_table([saved(tmp_path), old])
    line = table.iloc[1]
    assert line[["noise", "start", "hardware", "data"]].tolist() == [""] * 4
    assert line[["steps", "batch", "patch", "hours", "final_loss"]].isna().all()
    cells = [line for line in markdown(table, "bench").splitlines() if line.startswith("| old ")]
    assert [cell.strip() for cell in cells[1].strip("|").split("|")] == ["old", "dncnn"] + [""] * 9


def test_a_file_from_before_steps_were_counted_did_those_of_its_recipe(tmp_path):
    assert zoo_table([saved(tmp_path, "old", without("steps"))])["steps"].tolist() == [500]


def test_a_network_that_began_with_other_weights_says_which(tmp_path):
    tuned = saved(tmp_path, "tuned", {**TRAINING, "start": "sha256:0123456789abcdef"})
    table = zoo_table([saved(tmp_path), tuned])
    assert table["start"].tolist() == ["", "01234567"]
    assert "started from" in markdown(table, "bench")
    assert "started from" not in markdown(table[:1], "bench")


def test_a_noise_which_is_a_formula_goes_by_it(tmp_path):
    noise = {"of": "formula", "formula": "gaussian(15)>>jpeg(50)"}
    path = saved(tmp_path, "mixed", {**TRAINING, "noise": noise, "level": 1.0})
    assert zoo_table([path])["noise"].tolist() == ["gaussian(15)>>jpeg(50)"]


def test_a_network_nobody_registers_here_is_listed_with_all_its_arguments(tmp_path):
    header = {"model": "of_a_plugin", "arguments": {"width": [2, 3]}, "training": {}}
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(5)}, path, {HEADER: json.dumps(header)})
    line = zoo_table([path]).iloc[0]
    assert (line["model"], line["size"], line["parameters"]) == ("of_a_plugin", "width=[2,3]", 5)


def test_what_is_the_same_for_all_is_said_once_and_the_rest_in_columns(tmp_path):
    other = saved(tmp_path, "other", {**TRAINING, "final_loss": 0.05, "hours": 1.0})
    text = markdown(zoo_table([saved(tmp_path), other]), "bench zoo")
    said = next(line for line in text.splitlines() if line.startswith("The same for all: "))
    assert said == (
        "The same for all: noise: gaussian 15; steps: 321; batch: 16; patch: 32; seed: 1; "
        "hardware: x86_64, 2 threads, fp32; "
        "data: bsds400 (400 images, cb31f421), 8 of them held out."
    )
    heading, *lines = text.split("## Training")[1].strip().splitlines()[:4]
    assert [cell.strip() for cell in heading.strip("|").split("|")] == [
        "file",
        "model",
        "hours",
        "final loss",
    ]
    assert [cell.strip() for cell in lines[2].strip("|").split("|")] == [
        "other",
        "dncnn",
        "1.00",
        "0.0500",
    ]


def test_the_page_says_how_to_remake_it_and_how_large_all_files_are(tmp_path):
    table = zoo_table([saved(tmp_path), saved(tmp_path, "other")]).assign(file_size=2_500_000)
    text = markdown(table, "bench zoo out=results/zoo.md")
    assert "`bench zoo out=results/zoo.md`" in text
    assert "Together 5.00 MB." in text


def test_one_network_alone_is_a_page(tmp_path):
    text = markdown(zoo_table([saved(tmp_path)]), "bench")
    assert "The same for all" not in text
    assert "| dncnn | gaussian 15 |   321 |" in text


def test_what_is_no_weights_file_of_ours_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="a zoo needs weights files"):
        zoo_table([])
    with pytest.raises(ValueError, match="no weights file at"):
        zoo_table([tmp_path / "absent.safetensors"])
    save_file({"weight": torch.zeros(5)}, tmp_path / "published.safetensors")
    with pytest.raises(ValueError, match="does not say which network it holds"):
        zoo_table([tmp_path / "published.safetensors"])


def test_the_table_has_numbers_as_numbers(tmp_path):
    table = zoo_table([saved(tmp_path), saved(tmp_path, "old", {})])
    for name in ("parameters", "steps", "batch", "patch", "hours", "final_loss", "file_size"):
        assert pd.api.types.is_numeric_dtype(table[name]), name
