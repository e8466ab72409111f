"""Figures as files: drawn where something changed, repeatable, small, never beside an old one."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from benchmark.reporting.figures import saving
from benchmark.reporting.figures.saving import FORMATS, save_figure, save_png
from benchmark.reporting.trainings.page import Run

CALLS: list[object] = []


def line(values: object, title: str = "a title") -> Figure:
    CALLS.append(values)
    figure = Figure(figsize=(2, 1))
    panel = figure.subplots()
    panel.plot(np.linspace(0, 1, 3) / 3)
    panel.set_title(title)
    return figure


def other_line(values: object, title: str = "a title") -> Figure:
    return line(values, title)


def square(values: object, title: str = "") -> np.ndarray:
    CALLS.append(values)
    return np.full((8, 8, 3), 7, np.uint8)


def saver(word: str):
    """Saves a figure in one format."""

    def save(path: Path, draw, *shown: object) -> Path:
        (saved,) = save_figure(path.with_suffix(""), [word], draw, *shown)
        return saved

    return save


# of pixels, and of figures
SAVERS = {
    "pixels": (save_png, square, "png"),
    **{word: (saver(word), line, word) for word in ("svg", "pdf", "png")},
}
save_svg = saver("svg")
TABLE = pd.DataFrame({"model": ["a", "b"], "psnr": [30.0, 31.5]})
OTHERS = {
    "a number": (TABLE.assign(psnr=[30.0, 31.500000000000004]), "title"),
    "a name": (TABLE.assign(model=["a", "c"]), "title"),
    "a column's name": (TABLE.rename(columns={"psnr": "ssim"}), "title"),
    "a text": (TABLE, "other"),
}


SLOW = [pytest.param(word, marks=pytest.mark.slow) for word in ("pdf", "png")]


@pytest.fixture(params=["pixels", "svg", *SLOW])
def save(request, tmp_path):
    """Saves to one file, and says whether it was drawn."""
    saver, draw, word = SAVERS[request.param]
    path = tmp_path / f"figure.{word}"

    def saved(*shown: object) -> bool:
        CALLS.clear()
        assert saver(path, draw, *shown) == path
        return bool(CALLS)

    saved.path = path
    return saved


def test_a_figure_is_drawn_once_for_the_same_inputs(save):
    assert save(TABLE, "title")
    before = save.path.stat().st_mtime_ns
    assert not save(TABLE.copy(), "title")
    assert save.path.stat().st_mtime_ns == before


@pytest.mark.parametrize("other", OTHERS)
def test_a_figure_is_drawn_again_where_what_it_shows_changes(save, other):
    save(TABLE, "title")
    assert save(*OTHERS[other])
    assert not save(*OTHERS[other])


@pytest.mark.parametrize("save", ["pixels"], indirect=True)
def test_every_kind_of_input_counts_as_it_stands(save):
    pixels = np.arange(12, dtype=np.uint8)
    run = Run(TABLE, ("poisson", 5.0))
    kinds = [
        *(pixels, pixels.reshape(3, 4), pixels.astype(int), pixels[::-1]),
        *({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": {"b": 1}}, {"a": "b"}),
        *(["a", "b"], ["ab"], [["a"], "b"], None, 1, 1.0, "1", TABLE, run, replace(run, log=TABLE)),
    ]
    assert all(save(kind) for kind in kinds)


def test_a_figure_is_drawn_again_where_other_code_draws_it(save, monkeypatch):
    save(TABLE)
    source = saving._source
    monkeypatch.setattr(saving, "_source", lambda module: source(module) + b"pass")
    assert save(TABLE)
    monkeypatch.setattr(saving, "version", lambda library: "0.0")
    assert save(TABLE)


@pytest.mark.parametrize(
    ("changed", "anew"),
    [
        ("benchmark.reporting.figures.style", True),
        ("benchmark.pixels", True),
        ("benchmark.cells.store", False),
        ("benchmark.cli.entry", False),
    ],
)
def test_helpers_of_drawing_count_wherever_they_stand(save, monkeypatch, changed, anew):
    save(TABLE)
    source = saving._source
    monkeypatch.setattr(saving, "_source", lambda name: source(name) + b"#" * (name == changed))
    assert save(TABLE) == anew


def test_every_format_is_drawn_once_for_the_same_inputs(tmp_path):
    CALLS.clear()
    before = save_figure(tmp_path / "a", FORMATS, line, TABLE)
    times = [path.stat().st_mtime_ns for path in before]
    assert len(CALLS) == 3  # LaTeX takes the PDF
    after = save_figure(tmp_path / "a", FORMATS, line, TABLE.copy())
    assert len(CALLS) == 3 and after == before
    assert [path.stat().st_mtime_ns for path in after] == times


def test_two_functions_draw_two_figures(tmp_path):
    save_svg(tmp_path / "a.svg", line, 1)
    CALLS.clear()
    save_svg(tmp_path / "a.svg", other_line, 1)
    assert CALLS


def replaced(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))


DAMAGES = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "foreign": lambda path: path.write_bytes(b"a figure"),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-20]),
    "cut in half": lambda path: path.write_bytes(path.read_bytes()[:60]),
    "longer": lambda path: path.write_bytes(b" " + path.read_bytes()),
    "a byte": lambda path: replaced(path, *DIFFERENT[path.suffix]),
    "a dead link": lambda path: (path.unlink(), path.symlink_to("nowhere")),
}
DIFFERENT = {
    ".svg": (b"a title", b"a tidal"),
    ".png": (b"IDAT", b"IDAX"),
    ".pdf": (b"FlateDecode", b"FlateDecade"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_or_foreign_file_is_drawn_again_to_the_same_bytes(save, damage):
    save(TABLE)
    before = save.path.read_bytes()
    DAMAGES[damage](save.path)
    assert save(TABLE)
    assert save.path.read_bytes() == before


def test_line_ends_of_windows_are_no_change(tmp_path):
    path = save_svg(tmp_path / "a.svg", line, 1)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    CALLS.clear()
    save_svg(path, line, 1)
    assert not CALLS


def test_a_name_with_dots_is_kept(tmp_path):
    (path,) = save_figure(tmp_path / "noise_v1.5", ["svg"], line, 1)
    assert path.name == "noise_v1.5.svg" and path.is_file()


def test_an_svg_keeps_text_as_text_and_has_no_date_and_no_long_decimals(tmp_path):
    text = save_svg(tmp_path / "a.svg", line, 1, "0.12345 <of> & all").read_text()
    assert "0.12345 &lt;of&gt; &amp; all" in text
    assert "<metadata>" not in text
    places = re.findall(r' (?:d|x|y|transform)="([^"]*)"', text)
    assert places and not re.search(r"\.\d{3}", " ".join(places))


def test_an_svg_is_one_that_readers_take(tmp_path):
    from xml.etree import ElementTree

    tree = ElementTree.parse(save_svg(tmp_path / "a.svg", line, 1))
    assert tree.getroot().tag.endswith("svg")


def test_a_pdf_keeps_text_as_text_and_has_no_date(tmp_path):
    content = saver("pdf")(tmp_path / "a.pdf", line, 1).read_bytes()
    assert b"/Type /Font" in content and b"/FontFile2" in content  # TrueType, type 42
    assert b"/Type3" not in content and b"Date" not in content


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("columns", [1, 0, 2])
def test_the_latex_of_a_figure_compiles_as_it_stands(tmp_path, columns):
    caption = "A 95 % interval: salt_and_pepper & more, #1 {a} $ ~ ^ \\ ± × ↑ – Demšar."
    save_figure(tmp_path / "fig_1.5", ["tex"], line, 1, caption=caption, columns=columns)
    text = (tmp_path / "fig_1.5.tex").read_text()
    assert ("figure*" in text) == (columns != 1)
    assert r"\label{fig:fig-1-5}" in text
    (tmp_path / "paper.tex").write_text(
        "\\documentclass[twocolumn]{article}\\usepackage{graphicx}"
        "\\begin{document}\\input{fig_1.5}\\ref{fig:fig-1-5}\\end{document}"
    )
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex here: of Debian's texlive-latex-recommended")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Missing character" not in (tmp_path / "paper.log").read_text(errors="replace")


def test_no_line_of_a_caption_ends_within_a_word(tmp_path):
    caption = "out-of-distribution " * 9
    save_figure(tmp_path / "a", ["tex"], line, 1, caption=caption)
    text = " ".join((tmp_path / "a.tex").read_text().split())
    assert text.count("out-of-distribution") == 9


def test_a_figure_without_caption_has_none_in_latex(tmp_path):
    save_figure(tmp_path / "a", ["tex"], line, 1)
    assert "caption" not in (tmp_path / "a.tex").read_text()


def test_a_changed_caption_is_written_and_nothing_drawn(tmp_path):
    save_figure(tmp_path / "a", ["tex"], line, 1, caption="One.")
    CALLS.clear()
    save_figure(tmp_path / "a", ["tex"], line, 1, caption="Two.")
    assert not CALLS and "Two." in (tmp_path / "a.tex").read_text()


def test_a_png_of_a_figure_has_two_hundred_dots_an_inch(tmp_path):
    path = saver("png")(tmp_path / "a.png", line, 1)
    assert Image.open(path).size == (400, 200)


def test_a_png_shows_what_was_drawn(tmp_path):
    path = save_png(tmp_path / "a.png", square, 1)
    assert np.asarray(Image.open(path).convert("RGB")).tolist() == square(1).tolist()


@pytest.mark.slow
def test_what_is_unchanged_loads_no_matplotlib(tmp_path):
    code = (
        "import sys; from pathlib import Path; import pandas as pd;"
        "from benchmark.reporting.board import Board;"
        "from benchmark.reporting.figures.captions import curves_caption;"
        "from benchmark.reporting.figures.curves import Curves, figure11;"
        "from benchmark.reporting.figures.saving import save_figure;"
        "from benchmark.reporting.figures.style import Style;"
        "rows = pd.DataFrame([('m', 'd', 'n', float(i), 0, 'a', 30.0 - i) for i in (1, 2)],"
        " columns=['model', 'dataset', 'noise', 'level', 'seed', 'image', 'psnr']);"
        "board = Board.of(rows.assign(seconds=1.0)); curves = Curves.of(board, 'd', ['psnr']);"
        "caption = curves_caption(curves, board.scores, board.by('psnr'));"
        f"stem = Path({str(tmp_path)!r}, 'a'); formats = ['svg', 'pdf', 'png', 'tex'];"
        "save_figure(stem, formats, figure11, curves, Style(columns=1), caption=caption);"
        "print('matplotlib' in sys.modules)"
    )
    loaded = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip()
        for _ in range(2)
    ]
    assert loaded == ["True", "False"]
