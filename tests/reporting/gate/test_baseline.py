"""The baseline's file: what is written is read again, and damage is one sentence with its line."""

import pytest

from benchmark.cells import Cell
from benchmark.reporting.gate.baseline import FIRST_LINE, Line, baseline_text, read_baseline

SETTINGS = {"clean": "aa", "noisy": "bb", "protocol": "cc", "psnr": "dd", "lpips": "ee"}
FORMULA = "gaussian(15)+mixture(level=2,seed=3)>>jpeg(50)"
LINES = [
    Line(
        Cell("mine", "photos", "gaussian", 25, 0),
        3,
        SETTINGS,
        {"psnr": 28.0, "lpips": 0.1 + 0.2},
        {"psnr": 0.0, "lpips": 1e-17},
        1.5,
    ),
    Line(
        Cell("mine", "photos", FORMULA, 0.008, 7),
        3,
        SETTINGS,
        {"psnr": 1 / 3},
        {"psnr": 0.25},
    ),
]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "b.csv"
    path.write_text(baseline_text(LINES, "bench check model=mine update=true", {"torch": "2.9"}))
    return path


def test_lines_and_command_come_back_to_the_last_digit(path):
    baseline = read_baseline(path)
    assert list(baseline.lines) == LINES
    assert baseline.command == "bench check model=mine update=true"


def test_a_cell_is_a_line_and_line_ends_of_windows_do_no_harm(path):
    text = path.read_text()
    assert [line for line in text.splitlines() if line[0] != "#"][1].startswith("mine,photos,gaus")
    assert len(text.splitlines()) == 3 + 1 + len(LINES)
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert list(read_baseline(path).lines) == LINES


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (FIRST_LINE, "model,psnr", "line 1: it does not begin with"),
        ("mine,photos,gaussian", "<<<<<<< HEAD\nmine,photos,gaussian", "line 5: '<<<<<<< HEAD' is"),
        (",28,", ",nan,", "line 5: its psnr is 'nan', no finite number"),
        (",28,", ",28 dB,", "line 5: its psnr is '28 dB'"),
        (",0.25,", ",-0.25,", "line 6: its psnr_spread is '-0.25'"),
        (",25,0,3,", ",25,0,three,", "line 5: its images is 'three', no whole number"),
        (",25,0,3,", ",25,0,", "line 5: it has 11 values for 12 columns"),
        ("noisy:bb", "noisybb", "line 5: 'noisybb' in its settings is no NAME:HASH"),
        ("mine,photos,gaussian", "../mine,photos,gaussian", "line 5: model '../mine'"),
        ("psnr_spread", "psnr_deviation", "line 4: its columns should be model, dataset"),
        ("model,dataset", "dataset,model", "line 4: its columns should be model, dataset"),
        (",lpips,lpips_spread", ",psnr,psnr_spread", "line 4: a metric has two columns"),
    ],
)
def test_damage_is_one_sentence_which_names_the_line_and_what_to_do(path, old, new, sentence):
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ValueError) as error:
        read_baseline(path)
    assert f"{path}, {sentence}" in str(error.value)
    mended = "line 1:" not in sentence  # by an update, which replaces no other file
    cure = "write it again with update=true" if mended else "name another: baseline=FILE"
    assert str(error.value).endswith(f"; restore the file from version control, or {cure}")


def test_a_cell_which_a_merge_left_twice_is_refused(path):
    path.write_text(path.read_text() + path.read_text().splitlines()[4] + "\n")
    with pytest.raises(ValueError, match="line 7: mine on photos, gaussian 25, seed 0 stands in"):
        read_baseline(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", f"{FIRST_LINE}\n".encode()])
def test_what_is_no_baseline_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"b\.csv, line 1: "):
        read_baseline(path)


def test_no_file_is_a_sentence_which_says_how_to_make_one(tmp_path):
    with pytest.raises(ValueError, match="there is no baseline .*none.csv; write it with .*update"):
        read_baseline(tmp_path / "none.csv")
