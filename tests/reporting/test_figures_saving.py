"""Figures as files: drawn where something changed, repeatable, small, never beside an old one."""

import re
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
from benchmark.reporting.figures.saving import save_png, save_svg
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


SAVERS = {"svg": (save_svg, line), "png": (save_png, square)}
TABLE = pd.DataFrame({"model": ["a", "b"], "psnr": [30.0, 31.5]})
OTHERS = {
    "a number": (TABLE.assign(psnr=[30.0, 31.500000000000004]), "title"),
    "a name": (TABLE.assign(model=["a", "c"]), "title"),
    "a column's name": (TABLE.rename(columns={"psnr": "ssim"}), "title"),
    "a text": (TABLE, "other"),
}


@pytest.fixture(params=SAVERS)
def save(request, tmp_path):
    """Saves to one file, and says whether it was drawn."""
    saver, draw = SAVERS[request.param]
    path = tmp_path / f"figure.{request.param}"

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
        ("benchmark.reporting.board", True),  # whose names of models the style uses
        ("benchmark.reporting.statistics.shared", True),
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
DIFFERENT = {".svg": (b"a title", b"a tidal"), ".png": (b"IDAT", b"IDAX")}


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


def test_the_png_which_older_versions_wrote_beside_an_svg_is_removed(tmp_path):
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"old")
    save_svg(tmp_path / "a.svg", line, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.svg", "b.png"]


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


def test_a_png_shows_what_was_drawn(tmp_path):
    path = save_png(tmp_path / "a.png", square, 1)
    assert np.asarray(Image.open(path).convert("RGB")).tolist() == square(1).tolist()


def test_what_is_unchanged_loads_no_matplotlib(tmp_path):
    code = (
        "import sys; from pathlib import Path; import pandas as pd;"
        "from benchmark.cells.scores import as_scores;"
        "from benchmark.reporting.figures.curves import save_figure11;"
        "rows = pd.DataFrame([('m', 'd', 'n', float(i), 0, 'a', 30.0 - i) for i in (1, 2)],"
        " columns=['model', 'dataset', 'noise', 'level', 'seed', 'image', 'psnr']);"
        f"save_figure11(Path({str(tmp_path)!r}, 'a.svg'), as_scores(rows), ['psnr']);"
        "print('matplotlib' in sys.modules)"
    )
    loaded = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip()
        for _ in range(2)
    ]
    assert loaded == ["True", "False"]
