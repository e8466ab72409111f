"""Figure 11: what is drawn where, how far it is to be trusted, and that nothing is cut off."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from drawing import assert_whole
from matplotlib.text import Text

from benchmark.cells.scores import as_scores
from benchmark.reporting.board import Board
from benchmark.reporting.figures.captions import curves_caption
from benchmark.reporting.figures.curves import MOST_LINES, Curves, figure11, grows_by_factors
from benchmark.reporting.figures.style import OTHERS_GREY, Style
from benchmark.reporting.statistics import Estimate, estimate
from benchmark.reporting.statistics.levels import level_means

LEVELS = {"gaussian": [15.0, 25.0, 50.0], "spots": [0.1, 0.2], "spp": [128.0, 64.0]}
METRICS = {"psnr": "PSNR (dB)", "ssim": "SSIM"}
TEXTS = {
    "units": {"gaussian": "sigma, in 8-bit steps"},
    "notes": {"spots": "an estimate"},
    "labels": {"spp": "Rendered", "masked": "Ours"},
}
MODELS = ("identity", "masked", "baseline")


def toy(models: tuple[str, ...] = MODELS) -> pd.DataFrame:
    lines = [
        {"model": model, "dataset": "toy", "noise": noise, "level": level, "seed": 0}
        | {"image": image, "psnr": 30.0 + rank - 4 * place + shift, "ssim": 0.9 - 0.1 * place}
        | {"seconds": 0.1}
        for rank, model in enumerate(models)
        for noise, levels in LEVELS.items()
        for place, level in enumerate(levels)
        for image, shift in {"a": -1, "b": 0, "c": 1}.items()
    ]
    return pd.DataFrame(lines)


def panels_of(figure) -> dict[str, list]:
    """By noise, its panels from top to bottom."""
    found = {}
    for panel in figure.axes:
        found.setdefault(panel.get_label(), []).append(panel)
    return found


def drawn(table: pd.DataFrame | None = None, **settings) -> dict[str, list]:
    table = toy() if table is None else table
    return panels_of(figure11(Curves(table, METRICS, **{**TEXTS, **settings})))


def lines(panel) -> dict[str, object]:
    return {line.get_label(): line for line in panel.get_lines() if line.get_label()[0] != "_"}


def ticks(panel) -> list[str]:
    return [text.get_text() for text in panel.get_xticklabels()]


def test_a_panel_per_noise_and_metric_and_a_line_per_model():
    found = drawn()
    assert {noise: len(panels) for noise, panels in found.items()} == dict.fromkeys(LEVELS, 2)
    for panel in sum(found.values(), []):
        assert list(lines(panel)) == ["noisy input", "baseline", "Ours"]
    titles = {noise: panels[0].get_title() for noise, panels in found.items()}
    assert titles == {"gaussian": "gaussian", "spots": "spots*", "spp": "Rendered"}


def test_levels_stand_true_to_scale_and_get_harder_to_the_right():
    found = drawn()
    for noise, levels in LEVELS.items():
        for panel in found[noise]:
            line = lines(panel)["Ours"]
            assert list(line.get_xdata()) == levels
            on_page = panel.transData.transform([(level, 0) for level in levels])[:, 0]
            steps, true = np.diff(on_page), np.abs(np.diff(levels))
            np.testing.assert_allclose(steps / steps[0], true / true[0])
            assert (steps > 0).all()
    assert ticks(found["spp"][1]) == ["128", "64"]
    assert ticks(found["gaussian"][1]) == ["15", "25", "50"]
    assert found["gaussian"][1].get_xlabel() == "sigma, in 8-bit steps"


@pytest.mark.parametrize(
    ("levels", "logarithmic"),
    [
        ([10, 30, 100, 300], True),
        ([16, 4, 1], True),
        ([0.01, 0.05, 0.2], True),
        ([15, 25, 50], False),
        ([0, 1, 100], False),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], False),
        ([5], False),
    ],
)
def test_an_axis_is_logarithmic_where_levels_grow_by_factors_over_a_decade(levels, logarithmic):
    assert grows_by_factors(levels) == logarithmic
    table = toy()
    table = table[(table["noise"] == "gaussian") & (table["level"] == 15)]
    table = pd.concat([table.assign(level=float(n), psnr=-p) for p, n in enumerate(levels)])
    panel = drawn(table)["gaussian"][0]
    assert (panel.get_xscale() == "log") == logarithmic
    on_page = panel.transData.transform([(level, 0) for level in levels])[:, 0]
    assert (np.diff(on_page) > 0).all()


def test_numbers_of_levels_which_would_overlap_are_left_out_but_not_their_ticks():
    table = toy()
    table = table[(table["noise"] == "gaussian") & (table["level"] == 15)]
    levels = [0.001, 0.0012, 0.0014, 0.1]
    panel = drawn(pd.concat([table.assign(level=n) for n in levels]))["gaussian"][-1]
    assert ticks(panel) == ["0.001", "", "", "0.1"]
    assert sorted(panel.get_xticks()) == levels


def test_a_band_is_the_interval_of_the_tables():
    rng, table = np.random.default_rng(0), toy()
    table["psnr"] += rng.normal(size=len(table))
    line = table[(table["model"] == "masked") & (table["noise"] == "spots")]
    known: dict[float, Estimate] = {
        level: estimate(
            part.pivot(index="image", columns=["noise", "level", "seed"], values="psnr")
        )
        for level, part in line.groupby("level")
    }
    (band,) = (
        band
        for band in drawn(table)["spots"][0].collections
        if np.allclose(band.get_facecolor()[0, :3], [0xCC / 255, 0x33 / 255, 0x11 / 255])
    )
    points = {tuple(point) for point in np.round(band.get_paths()[0].vertices, 9)}
    for level, one in known.items():
        assert {(level, round(one.low, 9)), (level, round(one.high, 9))} <= points


def test_points_are_of_what_all_models_have_and_trainings_are_one_model():
    table = toy(("masked@1", "masked@2", "baseline"))
    lacking = (table["model"] == "baseline") & (table["level"] == 15) & (table["image"] == "c")
    found = level_means(table[~lacking], "psnr")
    assert list(found.loc["gaussian", 15.0].index) == ["baseline", "masked"]
    assert found.loc["gaussian", 15.0]["images"].tolist() == [2, 2]
    assert found.loc["gaussian", 15.0]["mean"].tolist() == [31.5, 30.0]
    assert found.loc["gaussian", 25.0]["images"].tolist() == [3, 3]
    single = level_means(toy()[toy()["image"] == "a"], "psnr")
    assert single[["low", "high"]].isna().all(axis=None)


def test_a_model_looks_the_same_in_every_panel_and_unlike_the_others():
    models = ("identity", "bm3d", *(f"net{n}" for n in range(5)))
    looks = {}
    for panel in sum(drawn(toy(models)).values(), []):
        for label, line in lines(panel).items():
            look = (line.get_color(), line.get_linestyle(), line.get_marker())
            looks.setdefault(label, set()).add(look)
    assert all(len(found) == 1 for found in looks.values())
    assert len(set.union(*looks.values())) == len(models)


def test_of_many_models_some_are_told_apart_and_the_others_are_grey_with_one_name():
    models = tuple(f"net{n}" for n in range(12))
    figure = figure11(Curves(toy(models), METRICS, ["net11", "net3"]))
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["net11", "net3", "net0", "net1", "net10", "net2", "net4", "others"]
    for panel in sum(panels_of(figure).values(), []):
        grey = [line for line in panel.get_lines() if line.get_color() == OTHERS_GREY]
        assert len(grey) == 12 - MOST_LINES
        assert {line.get_marker() for line in grey} == {"None"}


def test_which_models_are_told_apart_is_the_same_in_every_figure_of_a_dataset():
    models = ("identity", "worst", *(f"net{n}" for n in range(6)), "bad", "best")
    table = toy(models)
    table["ssim"] = 1 - table["psnr"] / 100  # the other way round
    board = Board(as_scores(table))
    psnr, ssim = (Curves.of(board, "toy", [metric]) for metric in ("psnr", "ssim"))
    assert psnr.told_apart == ssim.told_apart
    assert psnr.told_apart == ["identity", "best", "bad", "net5", "net4", "net3", "net2"]
    assert psnr.others == ["net1", "net0", "worst"]
    chosen = Curves.of(Board(as_scores(table), order=[*reversed(models)]), "toy", ["psnr"])
    assert chosen.everyone == [*reversed(models)]


def test_a_model_which_is_to_be_compared_with_another_is_told_apart_and_so_is_that_one():
    models = ("identity", "worst", "ours", *(f"net{n}" for n in range(8)))
    scores = replace(as_scores(toy(models)), partners={"ours": "worst", "net3": "absent"})
    assert Curves.of(Board(scores), "toy", ["psnr"]).told_apart[:4] == [
        "identity",
        "ours",
        "worst",
        "net7",
    ]


def test_the_training_level_is_marked_on_its_own_panels_only():
    marks = {
        noise: [line.get_xdata() for p in panels for line in p.get_lines() if len(lines(p)) == 3]
        for noise, panels in drawn().items()
    }
    dotted = {noise: sum(list(x) == [15, 15] for x in of) for noise, of in marks.items()}
    assert dotted == {"gaussian": 2, "spots": 0, "spp": 0}


def test_a_model_without_a_level_leaves_a_gap_and_the_others_whole():
    table = toy()
    table = table[~((table["model"] == "masked") & (table["level"] == 25))]
    found = lines(drawn(table)["gaussian"][0])
    assert np.isnan(found["Ours"].get_ydata()).tolist() == [False, True, False]
    assert not np.isnan(found["baseline"].get_ydata()).any()


def test_at_a_single_level_every_model_is_a_point_and_an_interval_a_stroke():
    models = ("identity", *(f"net{n}" for n in range(7)), "masked")
    table = toy(models)
    table = table[(table["level"] == 25) | (table["noise"] != "gaussian")]
    curves = Curves(table, {"psnr": "PSNR (dB)"})
    panel = panels_of(figure11(curves))["gaussian"][0]
    assert len(panel.lines) == len(models)
    assert all(line.get_marker() not in ("None", "") for line in panel.lines)
    assert len(panel.collections) == len(models) - len(curves.others)
    scores = as_scores(table)
    board = Board(scores)
    words = curves_caption(curves, scores, [*board.rankings["toy"].values()])
    assert "a band, where there is one level a stroke, its 95 % interval" in words
    one = Board(as_scores(table[table["image"] == "a"]))
    assert "95 %" not in curves_caption(curves, one.scores, [*one.rankings["toy"].values()])


def test_a_single_model_at_a_single_level_is_a_figure():
    table = toy(("masked",))
    figure = figure11(Curves(table[table["level"] == 25], {"psnr": "PSNR (dB)"}))
    assert [len(panels) for panels in panels_of(figure).values()] == [1]


@pytest.mark.parametrize(("columns", "inches", "points"), [(1, 3.5, (6, 7)), (2, 7.16, (7, 8))])
def test_a_figure_is_as_wide_as_columns_of_a_paper_and_its_letters_are_legible(
    columns, inches, points
):
    figure = figure11(Curves(toy(), METRICS, **TEXTS), Style(columns=columns))
    assert figure.get_figwidth() == inches
    texts = [text for text in figure.findobj(Text) if text.get_text()]
    assert len(texts) > 20
    assert {text.get_fontsize() for text in texts} == {*points}
    assert figure.axes[1].get_xlabel() == "sigma"  # the rest is for the caption


@pytest.mark.sampled(every=5)
@pytest.mark.parametrize("columns", [0, 1, 2])
@pytest.mark.parametrize("noises", [1, 4, 7])
def test_nothing_is_cut_off(noises, columns):
    table = toy(("identity", "bm3d", "a_model_with_a_long_name", "masked", "baseline"))
    spots = table[table["noise"] == "spots"]
    table = pd.concat([spots.assign(noise=f"noise_{n}") for n in range(noises)])
    texts = {"units": {"noise_0": "a long unit " * 4}, "notes": {"noise_0": "words " * 40}}
    assert_whole(figure11(Curves(table, METRICS, **texts), Style(columns=columns)))


def test_the_caption_says_what_the_picture_does_not():
    models = ("identity", *(f"net{n}" for n in range(7)), "masked")
    labels = {"net0": "The worst", "spots": "Spots"}
    scores = as_scores(toy(models))
    scores = replace(
        scores,
        labels=labels,
        units=TEXTS["units"],
        notes={"spots": "an estimate", "spp": ""},
        protocols=[{"noisy": "8-bit", "restored": "8-bit"}],
        border={"toy": {"psnr": 1, "ssim": 0}},
    )
    board = Board(scores)
    curves, rankings = Curves.of(board, "toy", ["psnr", "ssim"]), [*board.rankings["toy"].values()]
    text = curves_caption(curves, scores, rankings, columns=1)
    assert text.startswith("PSNR (dB) and SSIM against the level of the noise on toy")
    assert "95 % interval: bootstrap over 3 images, 10000 resamples." in text
    assert "Grey: net1 and The worst." in text
    assert "Dotted: gaussian 15, the level of training." in text
    assert "PSNR (dB): Protocol" in text and "a 1-pixel border left out. SSIM: Protocol" in text
    assert "Levels: gaussian (sigma, in 8-bit steps)." in text
    assert text.endswith("Starred: Spots (an estimate).")
    assert "Levels:" not in curves_caption(curves, scores, rankings)


def test_figure_11_says_what_it_cannot_draw():
    with pytest.raises(ValueError, match="one dataset, got other, toy"):
        figure11(Curves(pd.concat([toy(), toy().assign(dataset="other")]), METRICS))
    with pytest.raises(ValueError, match="needs scores for lpips"):
        figure11(Curves(toy().assign(lpips=np.nan), {"psnr": "PSNR (dB)", "lpips": "LPIPS"}))
