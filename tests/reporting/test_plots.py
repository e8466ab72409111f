"""Figure 11: what is drawn where, and that nothing is cut off."""

import numpy as np
import pandas as pd
import pytest
from drawing import assert_whole
from matplotlib.colors import to_rgb

from benchmark.reporting.figures.curves import figure11

LEVELS = {"gaussian": [15.0, 25.0, 50.0], "spots": [0.1, 0.2], "spp": [128.0, 64.0]}
TEXTS = {"units": {"gaussian": "sigma, in 8-bit steps"}, "notes": {"spots": "an estimate"}}


def toy(models: tuple[str, ...] = ("identity", "masked", "baseline")) -> pd.DataFrame:
    lines = [
        {"model": model, "dataset": "toy", "noise": noise, "level": level, "seed": 0}
        | {"image": image, "psnr": 30.0 + rank - 4 * place, "ssim": 0.9 - 0.1 * place}
        | {"seconds": 0.1}
        for rank, model in enumerate(models)
        for noise, levels in LEVELS.items()
        for place, level in enumerate(levels)
        for image in ("a", "b")
    ]
    return pd.DataFrame(lines)


def drawn(figure) -> dict[str, list]:
    """The panels with curves, by the title above them."""
    found, columns = {}, {}
    for panel in figure.axes:
        column = panel.get_subplotspec().colspan.start
        if panel.get_title():
            columns[column] = panel.get_title()
        if panel.get_lines():
            found.setdefault(columns[column], []).append(panel)
    return found


def test_a_panel_per_noise_and_metric_and_a_line_per_model():
    panels = drawn(figure11(toy(), **TEXTS))
    assert list(panels) == ["gaussian", "spots*", "spp"]
    for psnr, ssim in panels.values():
        for panel in (psnr, ssim):
            labels = panel.get_legend_handles_labels()[1]
            assert labels == ["noisy input", "baseline", "masked"]


def test_curves_run_from_mild_to_hard_with_the_levels_written_below():
    panels = drawn(figure11(toy(), **TEXTS))
    assert [text.get_text() for text in panels["spp"][1].get_xticklabels()] == ["128", "64"]
    assert [text.get_text() for text in panels["gaussian"][1].get_xticklabels()] == [
        "15",
        "25",
        "50",
    ]
    masked = panels["spp"][0].get_lines()[2]
    assert list(masked.get_ydata()) == [31, 27]
    assert panels["gaussian"][1].get_xlabel() == "sigma, in 8-bit steps"


def test_a_model_looks_the_same_in_every_panel_and_unlike_the_others():
    models = ("identity", "bm3d", *(f"net{n}" for n in range(8)))
    looks = {}
    for panels in drawn(figure11(toy(models))).values():
        for panel in panels:
            for line in panel.get_legend_handles_labels()[0]:
                look = (line.get_color(), line.get_linestyle(), line.get_marker())
                looks.setdefault(line.get_label(), set()).add(look)
    assert all(len(found) == 1 for found in looks.values())
    assert len(set.union(*looks.values())) == len(models)


def test_the_training_level_is_marked_on_its_own_panel_only():
    panels = drawn(figure11(toy(), **TEXTS))
    texts = {name: [t.get_text() for p in found for t in p.texts] for name, found in panels.items()}
    assert texts == {"gaussian": ["training level"], "spots*": [], "spp": []}


def test_a_model_without_a_level_leaves_a_gap_and_the_others_whole():
    table = toy()
    table = table[~((table["model"] == "masked") & (table["level"] == 25))]
    baseline, masked = drawn(figure11(table))["gaussian"][0].get_lines()[1:3]
    assert np.isnan(masked.get_ydata()).tolist() == [False, True, False]
    assert not np.isnan(baseline.get_ydata()).any()


def test_a_single_model_at_a_single_level_is_a_figure():
    table = toy(("masked",))
    figure = figure11(table[table["level"] == 25], ("psnr",))
    assert [len(panels) for panels in drawn(figure).values()] == [1]


@pytest.mark.slow
def test_five_models_differ_in_grey_print():
    lines = drawn(figure11(toy(tuple("abcde"))))["spp"][0].get_lines()
    assert len({line.get_marker() for line in lines}) == 5
    # luma of ITU-R BT.601, as printers turn colours grey
    greys = sorted(np.dot(to_rgb(line.get_color()), (0.299, 0.587, 0.114)) for line in lines)
    assert min(np.diff(greys)) > 0.06


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("noises", [1, 4, 7])
def test_nothing_is_cut_off(noises):
    table = toy(("identity", "bm3d", "a_model_with_a_long_name", "masked", "baseline"))
    spots = table[table["noise"] == "spots"]
    table = pd.concat([spots.assign(noise=f"noise_{n}") for n in range(noises)])
    texts = {"units": {"noise_0": "a long unit, " * 4}, "notes": {"noise_0": "words " * 40}}
    figure = figure11(table, **texts)
    assert_whole(figure)


def test_figure_11_says_what_it_cannot_draw():
    with pytest.raises(ValueError, match="one dataset, got other, toy"):
        figure11(pd.concat([toy(), toy().assign(dataset="other")]))
    with pytest.raises(ValueError, match="needs scores for lpips"):
        figure11(toy().assign(lpips=np.nan), ("psnr", "lpips"))
