"""Rank correlations of analyses with scores: of known orders, and of what can be read."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from benchmark.cells.scores import as_scores
from benchmark.studies.analyses import predict
from benchmark.studies.analyses.figures.scatter import Scatter, scatter

MODELS = ["a", "b", "c", "d", "e"]


def lines(values: dict[str, float], noise: str = "poisson") -> pd.DataFrame:
    rows = [("folder", m, noise, 3.0, value) for m, value in values.items()]
    return pd.DataFrame(rows, columns=["dataset", "model", "noise", "level", "value"])


def test_networks_in_the_same_order_correlate_wholly():
    values = dict(zip(MODELS, (1.0, 2, 3, 5, 9), strict=True))
    ood = {"folder": pd.Series({m: value**2 for m, value in values.items()})}
    means = lines({m: -value for m, value in values.items()}).rename(columns={"value": "score"})
    (found,) = predict.predictions({"srga": lines(values)}, ood, means)
    assert (found.overall.value, found.within.value) == (pytest.approx(1), pytest.approx(-1))
    assert (found.overall.low, found.overall.high) == (pytest.approx(1), pytest.approx(1))
    assert (found.conditions, len(found.points)) == (1, 5)


def test_a_correlation_is_the_mean_of_spearmans_over_conditions_within_its_interval():
    rng = np.random.default_rng(0)
    left, right = rng.integers(0, 5, (2, 3, 8)).astype(float)
    expected = np.mean([spearmanr(a, b).statistic for a, b in zip(left, right, strict=True)])
    found = predict.correlation(left, right)
    assert found.value == pytest.approx(expected)
    assert -1 <= found.low < found.value < found.high <= 1


def test_networks_without_scores_and_references_are_left_out():
    values = dict.fromkeys(MODELS, 1.0) | {"f": 2.0}
    ood = {"folder": pd.Series({m: float(i) for i, m in enumerate([*MODELS, "identity"])})}
    means = lines(dict.fromkeys(MODELS, 1.0)).rename(columns={"value": "score"})
    (found,) = predict.predictions({"srga": lines(values)}, ood, means)
    assert list(found.points.index) == MODELS
    few = {"folder": ood["folder"][:3]}
    with pytest.raises(ValueError, match="needs 4 networks .*; srga on folder has 3"):
        list(predict.predictions({"srga": lines(values)}, few, means))


def test_networks_which_share_no_noise_have_no_order(monkeypatch):
    poisson = lines(dict(zip(MODELS, (1.0, 2, 3, 5, 9), strict=True)))
    ood = {"folder": pd.Series({m: float(i) for i, m in enumerate(MODELS)})}
    other = poisson.assign(noise="speckle").rename(columns={"value": "score"})
    (found,) = predict.predictions({"srga": poisson}, ood, other)
    assert (found.conditions, found.within.text) == (0, "–")
    halves = pd.concat([poisson[:2], poisson[2:].assign(noise="speckle")])
    both = {"srga": halves, "features": poisson}
    said: list[str] = []
    monkeypatch.setattr(predict.log, "info", said.append)
    (found,) = predict.predictions(both, ood, other)
    assert found.measure == "features"
    assert "srga on folder has 5 of no noise in common" in said[0]
    with pytest.raises(ValueError, match="srga on folder has 5 of no noise in common"):
        list(predict.predictions({"srga": halves}, ood, other))


@pytest.mark.parametrize("names", [["1", "2", "3"], ["NA", "null", "1e5"]])
def test_names_of_networks_are_text_whatever_they_look_like(tmp_path, names):
    (tmp_path / "features").mkdir()
    (tmp_path / "features/features.csv").write_text(
        "dataset,model,noise,level,distance\n"
        + "".join(f"folder,{name},poisson,3,0.5\n" for name in names)
    )
    assert [*predict.measured(tmp_path)["features"]["model"]] == names


def test_tables_of_analyses_are_read(tmp_path):
    for kind in ("cka", "srga"):
        (tmp_path / kind).mkdir()
    sides = "left_model,left_noise,left_level,right_model,right_noise,right_level"
    (tmp_path / "cka/cka.csv").write_text(
        f"dataset,{sides},left_layer,right_layer,cka\n"
        "folder,a,gaussian,15.0,b,gaussian,15.0,x,x,0.1\n"
        "folder,a,gaussian,15.0,a,poisson,3.0,x,x,0.5\n"
        "folder,a,gaussian,15.0,a,poisson,3.0,x,y,0.2\n"
        "folder,a,gaussian,15.0,a,poisson,3.0,y,y,0.7\n"
    )
    (tmp_path / "srga/srga.csv").write_text(
        "dataset,model,noise,level,patches,srga\n"
        "folder,a,poisson,3.0,4,2.5\n"
        "folder,a,poisson,3.0,8,3.5\n"
    )
    found = predict.measured(tmp_path)
    assert found["cka"]["value"].tolist() == [pytest.approx(0.6)]
    assert found["srga"]["value"].tolist() == [3.5]
    with pytest.raises(ValueError, match="there is no cka/cka.csv and no srga/srga.csv"):
        predict.measured(tmp_path / "cka")


def test_a_panel_has_a_point_for_each_network():
    points = {"a": (1.0, 20.0), "b": (2.0, 25.0)}
    panels = scatter([Scatter("SRGA", points, "rho"), Scatter("CKA", points, "rho")]).axes
    assert [len(panel.lines) for panel in panels] == [2, 2]
    assert panels[1].get_xlabel() == "CKA"


def test_scores_without_psnr_are_one_sentence():
    line = {"dataset": "d", "noise": "poisson", "level": 3.0, "seed": 0, "image": "i", "ssim": 0.9}
    table = pd.DataFrame([{"model": name, **line, "seconds": 1.0} for name in "ab"])
    with pytest.raises(ValueError, match="the table of scores has no psnr; score it too"):
        predict.scored(as_scores(table))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["crops=4"], "predict compares what was found; leave out crops=4"),
        (["threads=1"], "predict compares what was found; leave out threads=1"),
        (["out=o"], "no analysis under o"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(bench, words, sentence):
    status, _, err = bench("analyse", "predict", *words)
    assert status == 2 and sentence in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n", "has no column dataset, model"),
        ("", "cannot be read as CSV"),
        (
            "dataset,model,noise,level,distance\nfolder,a,poisson,3,0.5\nfolder,b,poisson,3,abc\n",
            "has something else than numbers in its column distance",
        ),
    ],
)
def test_a_damaged_table_is_named(tmp_path, text, said):
    (tmp_path / "features").mkdir()
    (tmp_path / "features/features.csv").write_text(text)
    with pytest.raises(ValueError, match=rf"features/features\.csv {said}"):
        predict.measured(tmp_path)
