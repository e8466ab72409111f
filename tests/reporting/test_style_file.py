"""A file of labels and looks: what it says is done, what it cannot mean is one sentence."""

import re
from pathlib import Path

import pytest

from benchmark.reporting.style_file import read_labels, read_style

MODELS = ["identity", "masked", "swinir@1", "swinir@2"]
NOISES = ["poisson", "stripes"]


def written(folder: Path, text: str) -> Path:
    path = folder / "style.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_file_gives_labels_colours_markers_and_columns(tmp_path):
    text = """
models:
  masked: {label: Masked (ours), colour: "#CC3311", marker: D}
  swinir: {label: SwinIR}
noises:
  stripes: {label: "Stripes, 3 %"}
columns: 1
"""
    labels, style = read_style(written(tmp_path, text), MODELS, NOISES)
    assert labels == {"masked": "Masked (ours)", "swinir": "SwinIR", "stripes": "Stripes, 3 %"}
    look = style.lines(["masked"])["masked"]
    assert (look["color"], look["marker"], style.columns) == ("#cc3311", "D", 1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("model: {}", "unknown key 'model'; did you mean 'models'? Known: models, noises, columns"),
        (
            "models: {masked: {color: red}}",
            "unknown key 'color'; did you mean 'colour'? Known: lab",
        ),
        ("noises: {poisson: {marker: o}}", "unknown key 'marker'. Known: label"),
        ("models: {masked: {colour: redd}}", "the colour 'redd' of masked is not known"),
        ("models: {masked: {colour: #CC3311\n}}", "stands in quotes"),
        ("models: {masked: {marker: heart}}", "the marker 'heart' of masked is not known"),
        ("models: {masked: {label: 5}}", "models: masked: label is no text, but 5"),
        ("models: [masked]", "models is no list of NAME: ..."),
        ("models: {masked: Ours}", "models: masked is no list of label: ..., colour: ..., mark"),
        ("columns: 3", "columns=3"),
        ("columns: [1]", "columns=[1]"),
        ("[" * 5000, "its lists lie too deep in each other"),
        ("models: {masked: {label: swinir@1}}", "would both be called 'swinir@1'"),
        ("a: [", "the file is no YAML"),
        ("", "the file is no list of models: ..., noises: ..., columns: ..."),
    ],
)
def test_what_a_file_cannot_mean_is_one_sentence_which_names_the_file(tmp_path, text, sentence):
    path = written(tmp_path, text)
    with pytest.raises(ValueError) as raised:
        read_style(path, MODELS, NOISES)
    assert str(raised.value).startswith(f"style={path}: ") and sentence in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("models: {maskd: {label: A}}", "no scores of model 'maskd'; did you mean 'masked'? There"),
        (
            "noises: {masked: {label: A}}",
            "no scores of noise 'masked'. There are: poisson, stripes",
        ),
    ],
)
def test_a_name_of_another_folder_of_the_paper_is_warned_of(tmp_path, text, sentence):
    path = written(tmp_path, text)
    with pytest.warns(UserWarning, match=re.escape(f"style={path}: {sentence}")):
        read_style(path, MODELS, NOISES)


def test_a_file_that_is_not_there_is_said():
    with pytest.raises(ValueError, match="style=nowhere.yaml: .* No such file"):
        read_style("nowhere.yaml", MODELS, NOISES)


@pytest.mark.parametrize("text", ['masked: "TV, ours"', "masked: 'TV, ours'", "masked: TV, ours"])
def test_quotes_around_a_label_are_none_of_it(text):
    assert read_labels([text], MODELS, NOISES) == {"masked": "TV, ours"}


def test_labels_are_read_from_texts():
    assert read_labels(["masked: Ours: best", "stripes:S"], MODELS, NOISES) == {
        "masked": "Ours: best",
        "stripes": "S",
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("masked", "labels has 'masked', which is no NAME: LABEL"),
        ("maskd: Ours", "no scores of model or noise 'maskd'; did you mean 'masked'?"),
        ("masked: noisy input", "identity and masked would both be called 'noisy input'"),
        (
            "masked: Clean",
            "masked would be called 'Clean', as a picture beside those of the models",
        ),
    ],
)
def test_what_is_no_label_is_one_sentence(text, sentence):
    with pytest.raises(ValueError) as raised:
        read_labels([text], MODELS, NOISES)
    assert sentence in str(raised.value)


def test_a_label_of_the_command_line_is_not_that_of_another_in_the_file():
    of_file = {"masked": "Ours", "stripes": "Bars"}
    assert read_labels(["masked: Mine"], MODELS, NOISES, of_file) == {
        "masked": "Mine",
        "stripes": "Bars",
    }
    with pytest.raises(ValueError, match="masked and swinir would both be called 'Ours'"):
        read_labels(["swinir: Ours"], MODELS, NOISES, of_file)


def test_a_name_has_one_label():
    with pytest.raises(ValueError, match="labels calls masked both 'A' and 'B'; give it one"):
        read_labels(["masked: A", "masked: B"], MODELS, NOISES)


def test_a_label_is_one_line(tmp_path):
    text = 'models: {masked: {label: " Masked\\n\\n(ours) "}}'
    assert read_style(written(tmp_path, text), MODELS, NOISES)[0] == {"masked": "Masked (ours)"}
    assert read_labels(["masked: Masked\n(ours)"], MODELS, NOISES) == {"masked": "Masked (ours)"}
