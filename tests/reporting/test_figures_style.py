"""The looks of models: always the same, told apart by every eye and in grey print."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from skimage.color import deltaE_ciede2000, rgb2lab

from benchmark.reporting.figures.style import (
    COLOURS,
    PLACES,
    REFERENCE_GREYS,
    SIZES,
    Style,
    folded,
    legend_above,
    literal,
)

# Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of color vision
# deficiency", IEEE TVCG 15, 2009: severity 1.0, on linear RGB
EYES = {
    "normal": np.eye(3),
    "protanopic": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopic": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}


def seen(colours, eye: str) -> np.ndarray:
    """CIELAB of colours as an eye sees them, (colours, 3)."""
    rgb = np.array([to_rgb(colour) for colour in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ np.transpose(EYES[eye]), 0, 1)
    rgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return rgb2lab(rgb[None])[0]


@pytest.mark.parametrize("eye", EYES)
def test_the_first_eight_colours_are_told_apart_by_every_eye(eye):
    lab = seen(COLOURS, eye)
    assert len(lab) == 8
    assert min(deltaE_ciede2000(one, other) for one, other in combinations(lab, 2)) > 15


def test_the_first_eight_colours_are_told_apart_in_grey_print_and_from_the_paper():
    greys = np.sort(seen(COLOURS, "normal")[:, 0])  # lightness, 100 is the paper
    assert min(np.diff([*greys, 100])) > 6
    assert greys[-1] < 80


def look(style: dict) -> tuple:
    return style["color"], style["marker"], style["linestyle"]


def test_no_two_of_many_models_have_one_look():
    models = [*PLACES, *(f"net{place}" for place in range(40)), "identity", "bm3d"]
    styles = Style().lines(models)
    assert list(styles) == models
    assert len({look(style) for style in styles.values()}) == len(models)


def test_the_two_networks_of_the_published_page_have_two_colours():
    styles = Style().lines(["dncnn", "idf"])
    assert styles["dncnn"]["color"] != styles["idf"]["color"]


def test_a_larger_network_looks_as_the_one_it_is_called_after_where_that_is_not_there():
    own = {name: look(style) for name, style in Style().lines([*PLACES]).items()}
    found = Style().lines(["masked_tiny", "masked_small", "baseline_small", "idf", "idf_small"])
    found = {name: look(style) for name, style in found.items()}
    assert found["baseline_small"] == own["baseline"] and found["idf"] == own["idf"]
    assert found["masked_small"] == own["masked"]  # the first by name
    assert len({*found.values()}) == len(found)


@pytest.mark.parametrize("shown", [["mine"], ["mine", "masked"], ["zebra", "mine", "bm3d"]])
def test_a_model_looks_the_same_whatever_else_is_shown(shown):
    everyone = ("masked@1", "masked@2", "baseline", "ape@1", "ape@2", "mine", "zebra", "bm3d")
    whole = Style(everyone=everyone).lines(["masked", "baseline", "ape", "mine", "zebra", "bm3d"])
    assert Style(everyone=everyone).lines(shown) == {model: whole[model] for model in shown}


def test_models_of_the_paper_look_the_same_in_every_folder():
    for model in [*PLACES, "bm3d", "identity"]:
        alone = Style().lines([model])[model]
        assert Style(everyone=("aaa", "identity", "bm3d", *PLACES)).lines([model])[model] == alone


def test_references_are_grey_and_nobody_else_is():
    styles = Style().lines(["identity", "masked", "bm3d"])
    greys = {name for name, style in styles.items() if style["color"] in REFERENCE_GREYS}
    assert greys == {"identity", "bm3d"}


def test_a_chosen_colour_and_marker_win():
    style = Style(colours={"masked": "crimson", "bm3d": "#0f0"}, markers={"masked": "*"})
    lines = style.lines(["masked", "bm3d", "baseline"])
    assert (lines["masked"]["color"], lines["masked"]["marker"]) == ("#dc143c", "*")
    assert lines["bm3d"]["color"] == "#00ff00"
    assert lines["baseline"] == Style().lines(["baseline"])["baseline"]


@pytest.mark.parametrize("columns", SIZES)
def test_lines_are_as_thin_as_the_figure_is_narrow(columns):
    thin, wide = (Style(columns=n).lines(["masked"])["masked"]["linewidth"] for n in (columns, 0))
    assert (thin < wide) == (columns > 0)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"colours": {"masked": "redd"}}, "colour 'redd' of masked is not known"),
        ({"colours": {"masked": 12}}, "colour '12' of masked is not known"),
        ({"markers": {"masked": "oo"}}, "marker 'oo' of masked is not known; take one of o s"),
        ({"columns": 3}, "columns=3 of a paper; take 1 or 2, or 0 for a README"),
    ],
)
def test_what_is_no_style_is_said(settings, said):
    with pytest.raises(ValueError, match=said):
        Style(**settings)


@pytest.mark.parametrize("name", ["$x$", r"$\bad{$", r"a\$b$", "_a", "5 $"])
def test_a_label_is_drawn_as_it_stands(name):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    FigureCanvasAgg(figure)
    legend_above(figure, Style().lines(["a"]) | {name: Style().others}, SIZES[0])
    titles = [figure.text(0, 0, text(name)) for text in (literal, lambda text: folded(text, 9, 8))]
    figure.canvas.draw()
    shown = [*figure.legends[0].get_texts()[1:], *titles]
    assert [text._preprocess_math(text.get_text()) for text in shown] == [(name, False)] * 3


def test_a_legend_has_the_fewest_lines_which_fit():
    from matplotlib.figure import Figure

    from benchmark.reporting.figures.style import legend_above

    labels = ["bm3d", "swinir", "SwinIR without masks", "Masked (ours)"]
    figure = Figure((SIZES[2].width, 2))
    legend_above(figure, {label: {} for label in labels}, SIZES[2])
    figure.draw_without_rendering()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert len({round(text.get_window_extent().y0) for text in legend.get_texts()}) == 1
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width
