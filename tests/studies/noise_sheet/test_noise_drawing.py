"""The figure of a data sheet can be read, whatever the noise."""

import pytest

from benchmark.studies.noise_sheet.drawing import draw
from benchmark.studies.noise_sheet.measures import measure
from benchmark.studies.noise_sheet.page import page
from noise_models import Gaussian


@pytest.mark.slow
def test_a_noise_which_changes_nothing_can_be_drawn(photos):
    sheet = measure("gaussian", Gaussian(levels=(0,)), photos)
    assert sheet.middle.psnr.tolist() == [100, 100]
    draw(sheet).draw_without_rendering()
    assert "nan" not in page(sheet, "")


@pytest.mark.slow
def test_a_noise_beyond_the_range_of_a_panel_can_be_drawn(photos):
    draw(measure("gaussian", Gaussian(levels=(1e6,)), photos)).draw_without_rendering()


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("levels", [(20,), (10, 20), tuple(range(5, 40, 5))])
def test_no_text_of_a_figure_is_cut_off_or_hides_another(photos, levels, stripe):
    figure = draw(measure("a_name_" * 9, stripe(levels=levels), photos))
    figure.draw_without_rendering()
    page_box = figure.bbox
    boxes = [text.get_window_extent() for text in visible_texts(figure)]
    for box in boxes:
        assert (box.min >= page_box.min).all() and (box.max <= page_box.max).all()
    for number, box in enumerate(boxes):
        assert not any(box.shrunk(0.8, 0.8).overlaps(other) for other in boxes[number + 1 :])


def visible_texts(figure) -> list:
    found = [*figure.texts]
    for axes in figure.axes:
        found += [axes.title, *axes.texts]
        for axis in (axes.xaxis, axes.yaxis) if axes.axison else ():
            low, high = sorted(axis.get_view_interval())
            ticks = axis.get_major_ticks()
            found += [axis.label, *(t.label1 for t in ticks if low <= t.get_loc() <= high)]
            found += [t.label2 for t in ticks if low <= t.get_loc() <= high]
    return [text for text in found if text.get_visible() and text.get_text().strip()]
