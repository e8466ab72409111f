"""The critical-difference diagram: where ranks stand, which bars there are, what it says."""

import pytest
from drawing import assert_whole

from benchmark.reporting.figures.ranks import Diagram, ranks_figure
from benchmark.reporting.figures.saving import save_figure
from benchmark.reporting.figures.style import SIZES, Style

TOY = Diagram(
    "OOD mean, PSNR (dB)",
    {"identity": 4.0, "masked": 1.25, "baseline": 2.0, "swinir": 2.75},
    [["masked", "baseline"], ["baseline", "swinir"], ["identity"]],
)


def test_each_model_stands_at_its_mean_rank_and_bars_join_those_that_are_tied():
    (panel,) = ranks_figure([TOY]).axes
    lines = [(list(line.get_xdata()), list(line.get_ydata())) for line in panel.get_lines()]
    assert panel.get_xlim() == (1, 4)
    for rank in TOY.ranks.values():
        assert any(xs[:2] == [rank, rank] and ys[0] == 0 and ys[1] > 0 for xs, ys in lines)
    bars = [xs for xs, ys in lines if xs[0] < xs[-1] and ys[0] == ys[-1] > 0]
    assert bars == [[1.25, 2.0], [2.0, 2.75]]  # a model by itself has none


def test_better_models_are_named_on_the_left_and_all_with_their_rank():
    (panel,) = ranks_figure([TOY]).axes
    texts = {text.get_text(): text.get_horizontalalignment() for text in panel.texts}
    assert texts["masked  1.25"] == texts["baseline  2.00"] == "right"
    assert texts["2.75  swinir"] == texts["4.00  noisy input"] == "left"


def test_nothing_overlaps_and_nothing_is_cut_off():
    many = {f"a_rather_long_name_{place}": 1.0 + place for place in range(14)}
    wide = Diagram("PSNR (dB)", many, [[*many]])
    figure = ranks_figure([wide, TOY])
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for panel in figure.axes for text in panel.texts]
    assert all(figure.bbox.containsx(x) for box in boxes for x in (box.x0, box.x1))
    assert all(figure.bbox.containsy(y) for box in boxes for y in (box.y0, box.y1))
    assert not any(a.overlaps(b) for place, a in enumerate(boxes) for b in boxes[:place])


def test_the_longest_names_leave_room_for_the_axis():
    names = {letter * 100: float(rank) for rank, letter in enumerate("abc", start=1)}
    figure = ranks_figure([Diagram("PSNR (dB)", names, [[*names]])])
    figure.draw_without_rendering()
    (panel,) = figure.axes
    assert panel.get_window_extent().width > 2 * figure.dpi
    assert all(figure.bbox.containsx(text.get_window_extent().x0) for text in panel.texts)


@pytest.mark.parametrize(("columns", "inches"), [(1, 3.5), (2, 7.16)])
def test_it_fits_the_columns_of_a_paper(columns, inches):
    many = {f"network_{place}": 1.0 + place for place in range(12)}
    figure = ranks_figure([TOY, Diagram("SSIM", many, [[*many]])], Style(columns=columns))
    assert figure.get_figwidth() == inches
    assert_whole(figure)
    small, large = SIZES[columns].small, SIZES[columns].large
    texts = [text for panel in figure.axes for text in panel.texts]
    assert all(small <= text.get_fontsize() <= large for text in texts)
    numbers = [text for text in figure.axes[1].texts if text.get_text().isdigit()]
    boxes = [text.get_window_extent() for text in numbers]
    assert not any(a.overlaps(b) for place, a in enumerate(boxes) for b in boxes[:place])


def test_a_chosen_colour_is_that_of_its_line():
    (panel,) = ranks_figure([TOY], Style(colours={"masked": "#123456"})).axes
    assert "#123456" in {line.get_color() for line in panel.get_lines()}


def test_its_texts_are_texts(tmp_path):
    (path,) = save_figure(tmp_path / "ranks", ["svg"], ranks_figure, [TOY])
    content = path.read_text()
    assert "swinir" in content and "PSNR" in content


@pytest.mark.parametrize("diagrams", [[], [Diagram("PSNR", {"masked": 1.0}, [["masked"]])]])
def test_less_than_two_models_are_refused(diagrams):
    with pytest.raises(ValueError, match="needs two models or more"):
        ranks_figure(diagrams)
