"""What a table mixes: other pixels are refused, other code is said."""

import json
from pathlib import Path

import pandas as pd
import pytest

from benchmark.cells import Cell, ResultStore
from benchmark.cells.provenance import code_changes, made_of
from benchmark.cells.scores import Scores, metric_names
from benchmark.reporting.board import Board
from benchmark.reporting.report import markdown
from benchmark.reporting.statistics import check_table

CODE = {"class": "acme.Acme", "distribution": "acme", "version": "1.0", "source": "0" * 16}


def record(model: str, level: float = 5.0, **changes: object) -> dict[str, object]:
    made = {
        "torch": "2.4.0",
        "noisebench": "0.1.0",
        "noisy": "8 bits",
        "source": "0" * 16,
        **changes,
    }
    noise = {**CODE, "source": made["source"], "version": made.get("version", "1.0")}
    ours = {**CODE, "class": "x.X", "distribution": "noisebench", "version": made["noisebench"]}
    found = {
        "cell": {"model": model, "dataset": "d", "noise": "n", "level": level, "seed": 0},
        "environment": {name: made[name] for name in ("torch", "noisebench")},
        "settings": {
            **{"model": {"of": model}, "noise": {"of": "n"}, "dataset": {"of": "d"}},
            **{"protocol": {"noisy": made["noisy"]}, "metrics": {"psnr": {}}},
        },
        "labels": {"higher_is_better": {"psnr": True}, "unit": "", "note": ""},
        "code": {"model": ours, "noise": noise, "dataset": ours, "metrics": {"psnr": ours}},
        "images": [{"image": "one", "psnr": 30.0, "seconds": 1.0}],
    }
    return {key: value for key, value in found.items() if key not in made.get("without", ())}


def table(**pixels: list[str | None]) -> pd.DataFrame:
    """Two models on one image; with the hashes of each."""
    lines = {"model": ["a", "b"], "dataset": "d", "noise": "n", "level": 5.0, "seed": 0}
    return pd.DataFrame({**lines, "image": "one", "psnr": [30.0, 31.0], **pixels, "seconds": 0.5})


@pytest.mark.parametrize("kind", ["noisy", "clean"])
def test_a_table_of_different_pixels_is_refused_naming_both_cells(kind):
    for look in (check_table, lambda found: Board.of(found).leaderboard(), markdown):
        with pytest.raises(ValueError, match=f"a on d, n 5, seed 0 and b .* different {kind}"):
            look(table(**{kind: ["x", "y"]}))


@pytest.mark.parametrize("pixels", [["x", "x"], ["x", None], [None, None]])
def test_equal_or_unknown_pixels_are_compared_and_are_no_metrics(pixels):
    found = table(noisy=pixels, clean=pixels)
    assert metric_names(found) == ["psnr"]
    assert "noisy" not in check_table(found)
    assert len(Board.of(found).leaderboard()) == 2


def test_recorded_noise_and_formulas_are_named_as_a_command_takes_them():
    for noise, word in (("d", "noise=d rescore=all"), ("g(5)+p(2)", "'noise=g(5)+p(2)' data=d")):
        with pytest.raises(ValueError) as error:
            check_table(table(noisy=["x", "y"]).assign(noise=noise))
        assert word in str(error.value)


def stored(root: Path, *found: dict[str, object]) -> Scores:
    for one in found:
        path = root / "cells" / Cell(**one["cell"]).path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(one))
    return ResultStore(root).scores()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"torch": "2.5.1"}, "torch 2.4.0 in 2 cells, 2.5.1 in 1."),
        ({"noisebench": "0.2.0"}, "noisebench 0.1.0 in 2 cells, 0.2.0 in 1."),
        ({"version": "1.1"}, "acme 1.0 in 2 cells, 1.1 in 1."),
        ({"source": "f" * 16}, f"source of noise n {'0' * 16} in 2 cells, {'f' * 16} in 1."),
        ({"without": ["code"]}, "1 of 3 cells do not say by what code."),
    ],
)
def test_a_report_says_below_its_table_what_the_table_mixes(tmp_path, changes, sentence):
    found = stored(tmp_path, record("a"), record("b"), record("c", **changes))
    assert f"Not all made alike: {sentence}" in markdown(found)
    rest = found.of(models=["a", "b"])
    assert "made alike" not in markdown(rest), "the table that is shown mixes nothing"


@pytest.mark.parametrize(
    ("role", "settings", "sentence"),
    [
        ("model", {"weights": f"sha256:{'ab' * 32}"}, "weights of a abababab in 1 cell, cdcdcdcd"),
        ("model", {"strength": 0.9}, "strength of a 0.5 in 1 cell, 0.9 in 1"),
        ("noise", {"quality": 90}, "quality of n 50 in 1 cell, 90 in 1"),
        ("model", {"precision": "bf16"}, ""),
        ("noise", {"levels": [9]}, ""),
    ],
)
def test_a_table_says_where_one_name_is_several_models_or_noises(
    tmp_path, role, settings, sentence
):
    mild, strong = record("a", 5.0), record("a", 9.0)
    others = {"weights": f"sha256:{'cd' * 32}", "strength": 0.5, "quality": 50}
    for one, chosen in ((mild, {k: others.get(k, "other") for k in settings}), (strong, settings)):
        one["settings"] = {**one["settings"], role: {**one["settings"][role], **chosen}}
    found = markdown(stored(tmp_path, mild, strong, record("b"), record("b", 9.0)))
    assert (f"Several of one name: {sentence}" in found) == bool(sentence)
    assert ("give each a name of its own" in found) == bool(sentence)


def test_a_table_of_one_make_or_of_unknown_make_says_nothing(tmp_path):
    alike = stored(tmp_path / "a", record("a"), record("b"))
    assert alike.made is None
    silent = ["code", "environment"]
    unknown = stored(tmp_path / "b", record("a", without=silent), record("b", without=silent))
    assert unknown.made is None
    assert made_of([]) is None


def test_only_what_both_sides_know_is_a_change_of_code():
    before = record("a")
    ours = before["code"]["model"]
    assert code_changes(before, before["code"]) == []
    moved = {**before["code"], "noise": {**CODE, "class": "elsewhere.Acme"}}
    assert code_changes(before, moved) == [], "a class that moved unchanged"
    assert code_changes(record("a", without=["code"]), before["code"]) is None
    unknown = {**before["code"], "noise": {**CODE, "source": None, "distribution": None}}
    assert code_changes(before, unknown) == []
    more = {**before["code"], "metrics": {"ssim": {**ours, "source": "f" * 16}}}
    assert code_changes(before, more) == []
    newer = {**before["code"], "noise": {**CODE, "version": "1.1"}}
    assert code_changes(before, newer) == ["acme 1.0, now 1.1"]
