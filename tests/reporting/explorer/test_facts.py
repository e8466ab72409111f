"""What the explorer is told of a table of scores: the report's numbers, and where they are from."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmark.cells.scores import Scale, Scores
from benchmark.protocol import PROTOCOLS
from benchmark.reporting.board import Board
from benchmark.reporting.explorer.facts import Cost, facts
from benchmark.reporting.explorer.standings import number
from benchmark.reporting.figures.style import Style
from benchmark.reporting.leaderboard import sentences

MODELS = {"identity": 0.0, "dncnn": 4.0, "masked": 6.0}
LEVELS = {"gaussian": (15.0, 25.0), "poisson": (2.0, 3.0), "speckle": (0.1,)}
FAMILIES = {"gaussian": "additive", "poisson": "signal-dependent", "speckle": "signal-dependent"}
IMAGES = [f"image{number:02}" for number in range(8)]


def table(models=MODELS, images=IMAGES) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    lines = [
        {
            "model": model,
            "dataset": "photos",
            "noise": noise,
            "level": level,
            "seed": 0,
            "image": image,
            "psnr": 20 + gain + place - step + rng.normal() / 10,
            "ssim": 0.5 + gain / 20 + rng.normal() / 100,
            "seconds": 0.123456,
        }
        for model, gain in models.items()
        for place, (noise, levels) in enumerate(LEVELS.items())
        for step, level in enumerate(levels)
        for image in images
    ]
    return pd.DataFrame(lines)


def scores(rows: pd.DataFrame, **known) -> Scores:
    scales = {"psnr": Scale("psnr", True, "dB", 2), "ssim": Scale("ssim", True, "", 4)}
    return Scores(rows, scales, families=FAMILIES, **known)


def record(rows: pd.DataFrame, model: str, noise: str, level: float) -> dict:
    settings = {"of": model} | ({} if model == "identity" else {"weights": "sha256:" + "ab" * 32})
    return {
        "cell": {
            "model": model,
            "dataset": "photos",
            "noise": noise,
            "level": level,
            "seed": 0,
        },
        "environment": {"torch": "2.5", "precision": "fp32", "tile": {}},
        "code": {"model": {"version": "0.1"}},
        "settings": {
            "model": settings,
            "noise": {"of": noise},
            "dataset": {"of": "photos", "crop": 128},
            "metrics": {"psnr": {}, "ssim": {}},
            "protocol": PROTOCOLS["masked"].facts,
        },
    }


@pytest.fixture(scope="module")
def board() -> Board:
    rows = table()
    keys = rows[["model", "noise", "level"]].drop_duplicates().itertuples(index=False)
    records = [record(rows, *key) for key in keys]
    protocols = [PROTOCOLS["masked"].facts]
    notes = {"speckle": "a guess"}
    return Board(scores(rows, records=records, protocols=protocols, notes=notes))


@pytest.fixture(scope="module")
def found(board) -> dict:
    return facts(board, "results/photos", ["bench run"], {"dncnn": Cost(1000, 2.5)})


def standing(found: dict, metric: str, scope: str) -> dict:
    (only,) = (
        one for one in found["standings"] if (one["metric"], one["scope"]) == (metric, scope)
    )
    return only


def test_standings_are_those_of_the_report(found, board):
    ours = standing(found, "psnr", "all")
    theirs = board.standings[board.standings["metric"] == "psnr"]
    assert [row["model"] for row in ours["rows"]] == list(theirs["model"])
    for row, line in zip(ours["rows"], theirs.to_dict("records"), strict=True):
        assert row["ood"] == pytest.approx(line["ood"], abs=5e-5)
        assert (row["low"], row["high"]) == pytest.approx(
            (line["ood_low"], line["ood_high"]), abs=5e-5
        )
        assert row["group"] == line["group"]
        ranks = [None if math.isnan(n) else n for n in (line["rank_low"], line["rank_high"])]
        assert [row["rank_low"], row["rank_high"]] == ranks
    assert ours["sentences"] == sentences(board.scores, board.rankings["photos"]["psnr"])
    assert (ours["images"], ours["cells"]) == (8, 5)


def test_a_family_is_ranked_by_its_own_noises(found, board):
    ours = standing(found, "ssim", "signal-dependent")
    assert ours["noises"] == ["poisson", "speckle"]
    rows = board.rows[board.rows["noise"].isin(ours["noises"]) & (board.rows["model"] == "masked")]
    levels = rows.groupby(["noise", "level"])["ssim"].mean()
    (masked,) = (row for row in ours["rows"] if row["model"] == "masked")
    assert masked["ood"] == pytest.approx(levels.groupby("noise").mean().mean(), abs=5e-7)
    assert masked["in_distribution"] is None


def test_numbers_have_two_digits_more_than_are_printed(found):
    rows = found["cells"][0]["rows"]
    for _, _, *given in rows:
        for value, digits in zip(given, (4, 6), strict=True):
            short = f"{value:.{digits}f}"
            assert round(value, digits) == value or short.endswith("50")
    assert {seconds for _, seconds, *_ in rows} == {0.123}


def test_every_point_of_a_curve_has_an_interval_around_its_mean(found):
    assert len(found["points"]) == 2 * 5 * 3
    assert all(one["low"] < one["mean"] < one["high"] for one in found["points"])
    assert {one["images"] for one in found["points"]} == {8}


def test_a_point_is_of_the_images_which_all_models_of_its_level_have(board):
    rows = board.scores.rows
    lacking = (
        (rows["model"] == "dncnn") & (rows["noise"] == "poisson") & (rows["image"] > "image05")
    )
    points = facts(Board(scores(rows[~lacking])), "x")["points"]
    assert {one["images"] for one in points if one["noise"] == "poisson"} == {6}
    assert {one["images"] for one in points if one["noise"] == "speckle"} == {8}


def test_a_cell_leads_to_the_record_it_was_made_by_and_equal_ones_are_kept_once(found):
    assert len(found["cells"]) == 15
    assert len(found["records"]) == 9  # of three models under three noises
    for cell in found["cells"]:
        settings = found["records"][cell["record"]]["settings"]
        assert (settings["model"]["of"], settings["noise"]["of"]) == (cell["model"], cell["noise"])


def test_scores_without_records_are_shown_all_the_same():
    found = facts(Board(scores(table())), "x")
    assert found["records"] == []
    assert {cell["record"] for cell in found["cells"]} == {None}
    assert found["protocol"] == {"name": "", "words": ""}


def test_models_say_what_they_are(found):
    noisy, masked, dncnn = found["models"]
    assert (noisy["label"], noisy["reference"], noisy["weights"]) == ("noisy input", True, None)
    assert (masked["name"], masked["weights"]) == ("masked", "ab" * 32)
    assert (dncnn["parameters"], dncnn["gmacs"]) == (1000, 2.5)
    assert masked["parameters"] is None


def test_a_model_looks_as_in_the_figures_whatever_else_is_shown(board):
    alone = Board(board.scores.of(models=["dncnn"]))
    style = Style({"masked": "#123456"}, everyone=("dncnn", "masked", "another"))
    (only,) = facts(alone, "x", style=style)["models"]
    beside = {one["name"]: one for one in facts(board, "x", style=style)["models"]}
    assert beside["masked"]["colour"] == "#123456"
    looks = ("colour", "marker", "dash")
    assert [only[key] for key in looks] == [beside["dncnn"][key] for key in looks]


def test_labels_stand_for_names(board):
    labels = {"masked": "Ours", "speckle": "Speckle"}
    found = facts(replace(board, scores=replace(board.scores, labels=labels)), "x")
    assert {one["name"]: one["label"] for one in found["models"]}["masked"] == "Ours"
    assert {one["name"]: one["label"] for one in found["noises"]}["speckle"] == "Speckle"
    assert found["footnotes"] == ["Speckle: a guess."]


def test_trainings_of_a_network_are_one_model_with_the_cells_of_all():
    models = {"identity": 0.0, "dncnn": 4.0, "masked@1": 6.0, "masked@2": 6.1}
    found = facts(Board(scores(table(models))), "x")
    (masked,) = (model for model in found["models"] if model["name"] == "masked")
    assert masked["trainings"] == ["masked@1", "masked@2"]
    trained = {cell["training"] for cell in found["cells"] if cell["model"] == "masked"}
    assert trained == {"masked@1", "masked@2"}


def test_noises_know_their_family_and_how_noisy_they_are(found):
    gaussian, poisson, speckle = found["noises"]
    assert (gaussian["name"], gaussian["family"], gaussian["levels"]) == (
        "gaussian",
        "additive",
        [15.0, 25.0],
    )
    assert [one["level"] for one in poisson["noisy"]] == [2.0, 3.0]
    assert gaussian["noisy"][0]["psnr"] == pytest.approx(20, abs=0.2)
    assert speckle["note"] == "a guess"


def test_what_is_missing_is_null_and_never_nan():
    rows = table()
    rows.loc[rows["model"] == "dncnn", "ssim"] = np.nan
    text = json.dumps(facts(Board(scores(rows)), "x"), allow_nan=False)
    assert "null" in text


def test_settings_which_json_does_not_know_are_texts():
    made = record(table(), "dncnn", "gaussian", 15.0)
    made["settings"]["model"]["bounds"] = [-math.inf, {"best": math.nan}]
    found = facts(Board(scores(table(), records=[made])), "x")
    json.dumps(found, allow_nan=False)
    settings = next(one["settings"] for one in found["models"] if one["name"] == "dncnn")
    assert settings["bounds"] == found["records"][0]["settings"]["model"]["bounds"]
    assert settings["bounds"] == ["-inf", {"best": "nan"}]


@pytest.mark.parametrize("value", [30.12499033, 30.12501, 28.9950001, -0.00499999])
def test_a_number_is_rounded_as_if_it_were_rounded_once(value):
    assert f"{number(value, 4):.2f}" == f"{value:.2f}"
    assert number(value, 4) == pytest.approx(value, abs=1e-4)


def test_two_protocols_are_refused_in_the_words_of_the_report(board):
    protocols = [PROTOCOLS[name].facts for name in ("masked", "kair")]
    with pytest.raises(ValueError, match="by protocols kair and masked, and two never stand in"):
        facts(Board(scores(board.scores.rows, protocols=protocols)), "x")


def test_the_same_weights_under_two_names_count_once():
    rows = table({"identity": 0.0, "masked@1": 6.0, "masked@2": 6.1})
    again = rows[rows["model"] == "masked@1"].assign(model="masked@3")
    found = facts(Board(scores(pd.concat([rows, again]))), "x")
    by_name = {model["name"]: model for model in found["models"]}
    assert by_name["masked"]["trainings"] == ["masked@1", "masked@2", "masked@3"]
    assert by_name["masked"]["counted"] == {
        "photos": {"psnr": ["masked@1", "masked@2"], "ssim": ["masked@1", "masked@2"]}
    }
    assert by_name["identity"]["counted"] == {}


def test_a_point_says_of_which_seeds_it_is():
    rows = pd.concat([table(), table({"dncnn": 4.0}).assign(seed=1)])
    found = facts(Board(scores(rows)), "x")
    assert {tuple(point["seeds"]) for point in found["points"]} == {(0,)}
    found = facts(Board(scores(pd.concat([table(), table().assign(seed=1)]))), "x")
    assert {tuple(point["seeds"]) for point in found["points"]} == {(0, 1)}
