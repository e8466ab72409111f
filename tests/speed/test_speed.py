"""The cost script measures in turn and writes a table which says what it could not measure."""

import sys

import numpy as np
import pytest

from benchmark.noise import NOISE_MODELS
from benchmark.speed import noises
from benchmark.speed.pages import write_page


def test_calls_are_taken_in_turn_after_one_of_each():
    taken = []
    calls = {who: lambda who=who: taken.append(who) for who in "AB"}
    seconds = noises.measure(calls, repeats=3)
    assert "".join(taken) == "ABABABAB"
    assert all(second >= 0 for second in seconds.values())


@pytest.fixture
def only_scikit_image(monkeypatch):
    """The other libraries cannot be imported, and torch keeps its threads for other tests."""
    for missing in ("imagecorruptions", "deepinv", "deepinv.physics"):
        monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.setattr(noises, "one_thread", lambda: None)


def test_the_table_names_missing_libraries_and_leaves_out_their_columns(
    only_scikit_image, tmp_path, capsys
):
    out = tmp_path / "noises.md"
    noises.main(["--size", "32", "--repeats", "1", "--out", str(out)])
    text = out.read_text(encoding="utf-8")
    head, made, table = text.split("\n\n", 2)
    assert head == "# Speed: noises" and table in capsys.readouterr().out
    assert (
        made == f"Made with `python -m benchmark.speed.noises --size 32 --repeats 1 --out {out}`."
    )
    head, _, *rows = [line for line in text.splitlines() if line.startswith("|")]
    assert head == "| noise | ours | scikit-image | ours / fastest peer |"
    names = {row.split(" | ")[0].removeprefix("| ") for row in rows}
    assert names == {"gaussian", "poisson", "speckle", "salt_and_pepper", "spatially_variant"}
    assert "Not installed: imagecorruptions (" in text
    assert "; deepinv (" in text
    assert f"numpy {np.__version__}" in text


def test_a_folder_of_pages_has_an_index_which_leaves_others_pages_alone(tmp_path):
    (tmp_path / "notes.md").write_text("# Mine\n")
    for name in ("two", "one"):
        write_page(tmp_path / f"{name}.md", "noises", "| a |\n", ["--out", f"{name}.md"])
    index = tmp_path / "README.md"
    assert index.read_text().splitlines()[-2:] == [
        "- [one](one.md): `python -m benchmark.speed.noises --out one.md`",
        "- [two](two.md): `python -m benchmark.speed.noises --out two.md`",
    ]
    index.write_text("# Mine\n")
    write_page(tmp_path / "one.md", "noises", "| a |\n", [])
    assert index.read_text() == "# Mine\n"


def test_a_row_compares_with_the_fastest_peer_and_marks_who_lacks_the_noise():
    contenders = {who: {} for who in ("ours", "a", "b", "c")}
    row = noises.compared("gaussian", contenders, {"ours": 6.0, "a": 4.0, "b": 3.0})
    assert row == ["gaussian", "6.0", "4.0", "3.0", "–", "1.50"]


@pytest.mark.parametrize("name", ["gaussian", "speckle", "salt_and_pepper", "spatially_variant"])
def test_scikit_image_is_given_the_law_of_our_noise(name):
    clean = noises.picture(128)
    settings, level = noises.OURS[name]
    mine = NOISE_MODELS[name](**settings)(clean, level, np.random.default_rng(0))
    theirs = noises.of_scikit_image(clean)[name]()
    assert np.var(mine - clean) == pytest.approx(np.var(theirs - clean), rel=0.05)


def test_every_noise_of_the_table_is_registered():
    assert set(noises.OURS) <= set(NOISE_MODELS)
