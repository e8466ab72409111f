"""What is chosen of a table: the parts that are there, in the order asked for, and nothing else."""

import numpy as np
import pandas as pd
import pytest

from benchmark.cells.scores import Scores, as_scores
from benchmark.reporting.board import Board
from benchmark.reporting.leaderboard import standings
from benchmark.reporting.selection import Selection, absent_models, is_part

CONDITIONS = [("gaussian", 15.0), ("gaussian", 50.0), ("poisson", 2.0), ("poisson", 4.0)]
MODELS = ["identity", "baseline", "masked", "tv@1", "tv@2", "wavelet"]


@pytest.fixture(scope="module")
def scores() -> Scores:
    rng = np.random.default_rng(0)
    lines = [
        {"model": model, "dataset": dataset, "noise": noise, "level": level, "seed": 0}
        | {"image": f"{n:02}", "psnr": psnr, "ssim": psnr / 50, "lpips": 1 - psnr / 50}
        | {"seconds": 0.5}
        for place, model in enumerate(MODELS)
        for dataset in ("kodak24", "photos")
        for noise, level in CONDITIONS
        for n, psnr in enumerate(20 + place + rng.normal(size=9))
        if (model, noise) != ("wavelet", "poisson")
    ]
    known = as_scores(pd.DataFrame(lines), {"lpips": False})
    families = {"gaussian": "additive", "poisson": "signal-dependent"}
    suites = {"paper": ["gaussian", "speckle"], "all": ["gaussian", "poisson", "speckle"]}
    return Scores(known.rows, known.scales, families=families, suites=suites)


def models_of(board: Board) -> list[str]:
    return list(board.by()[0].table.index)


def test_models_stand_in_the_order_they_are_given_references_as_well(scores):
    order = ["masked", "identity", "baseline"]
    board = Selection(model=order).board(scores)
    assert models_of(board) == order
    table = standings(board.by()[0])
    assert [row[0] for row in table.rows] == ["masked", "noisy input", "baseline"]
    assert table.rule == 0  # the references are not the first lines


def test_an_order_changes_no_number(scores):
    models, scores = ["masked", "identity", "baseline"], scores.of(datasets=["photos"])
    one, other = Selection(model=models).board(scores), Board(scores.of(models=models))
    pd.testing.assert_frame_equal(one.cell_means, other.cell_means)
    key = ["dataset", "metric", "model"]
    first, second = (board.standings.sort_values(key, ignore_index=True) for board in (one, other))
    pd.testing.assert_frame_equal(first, second)
    values = [set(board.pairs["p_holm"].round(12)) for board in (one, other)]
    assert values[0] == values[1]


def test_tests_are_corrected_for_the_chosen_models_alone(scores):
    few = Selection(model=["masked", "baseline"], noise=["gaussian"]).board(scores).by()[0]
    assert few.pairs.counts[0] == 1 < Board(scores).by()[0].pairs.counts[0]
    assert few.pairs.p_holm[0, 1] == few.pairs.p[0, 1]


def test_cells_are_shared_by_the_chosen_models_alone(scores):
    assert "poisson" not in Board(scores).by()[0].noises  # wavelet lacks it
    assert "poisson" in Selection(model=["masked", "tv"]).board(scores).by()[0].noises


def test_the_name_of_a_network_means_its_trainings(scores):
    board = Selection(model=["tv", "masked"]).board(scores)
    assert {*board.rows["model"]} == {"tv@1", "tv@2", "masked"}
    assert models_of(board) == ["tv", "masked"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["poisson"], {"poisson"}),
        (["paper"], {"gaussian"}),
        (["additive", "poisson"], {"gaussian", "poisson"}),
        (["all"], {"gaussian", "poisson"}),
    ],
)
def test_noises_are_chosen_by_name_by_suite_and_by_family(scores, names, expected):
    assert {*Selection(noise=names).board(scores).rows["noise"]} == expected


def test_only_the_chosen_levels_are_there_and_no_column_of_training_without_its_own(scores):
    board = Selection(level=[50, 4]).board(scores)
    assert {*board.rows["level"]} == {50.0, 4.0}
    assert "gaussian 15" not in standings(board.by()[0]).header
    assert "gaussian 15" in standings(Board(scores).by()[0]).header


def test_metrics_are_shown_in_the_order_they_are_given_and_no_others(scores):
    board = Selection(metric=["lpips", "psnr"]).board(scores)
    assert board.metrics == [*board.rankings["photos"]] == ["lpips", "psnr"]
    assert "ssim" not in board.cell_means and not board.empty_metrics


def test_a_dataset_is_chosen(scores):
    assert Selection(data=["photos"]).board(scores).datasets == ["photos"]


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"model": ["maksed"]}, "no scores of model 'maksed'; did you mean 'masked'? There are: "),
        ({"model": ["x"]}, "baseline, identity, masked, tv@1, tv@2, wavelet; and of several at"),
        ({"noise": ["papr"]}, "no scores of noise 'papr'; did you mean 'paper'? There are: gau"),
        ({"noise": ["speckle"]}, "no scores of noise 'speckle'"),
        ({"metric": ["psrn"]}, "no scores of metric 'psrn'; did you mean 'psnr'? There are: lpips"),
        ({"data": ["photo"]}, "no scores of data 'photo'; did you mean 'photos'? There are: kodak"),
        ({"level": [3]}, "no scores at level 3; there are: gaussian 15, 50; poisson 2, 4"),
        ({"level": [15], "noise": ["poisson"]}, "no scores at level 15; there are: poisson 2, 4"),
        (
            {"model": ["masked", "wavelet"], "noise": ["poisson"]},
            "model 'wavelet' has no scores of noise=poisson; choose others, or leave wavelet out",
        ),
        (
            {"noise": ["gaussian", "poisson"], "level": [15]},
            "noise 'poisson' has no scores of level=15; choose others, or leave poisson out",
        ),
    ],
)
def test_what_is_not_there_is_one_sentence_with_what_is(scores, chosen, sentence):
    with pytest.raises(ValueError) as raised:
        Selection(**chosen).board(scores)
    assert sentence in str(raised.value)


def test_a_board_knows_whether_it_is_a_part(scores):
    assert not is_part(Selection(model=MODELS).board(scores), scores)
    for part in ({"level": [15]}, {"metric": ["psnr"]}, {"data": ["photos"]}, {"noise": ["paper"]}):
        assert is_part(Selection(**part).board(scores), scores)


def test_models_without_what_is_chosen_are_named(scores):
    assert absent_models(Selection(noise=["poisson"]).board(scores), scores) == ["wavelet"]
