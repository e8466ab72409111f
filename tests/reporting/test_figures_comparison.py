"""Visual comparisons: every picture is there, crops show what their box frames, nothing is lost."""

import io

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from benchmark.pixels import cut
from benchmark.reporting.figures.comparison import Picture, Row, comparison
from benchmark.reporting.figures.style import SIZES


def noise(seed: int, height: int = 40, width: int = 60) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def rows(count: int = 1, columns: int = 3) -> list[Row]:
    pictures = [Picture(noise(seed), ["30.00", "0.9"], [True, False]) for seed in range(columns)]
    return [Row(f"noise {number}", pictures) for number in range(count)]


def drawn(figure, dots: int = 300) -> np.ndarray:
    figure.set_dpi(dots)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def images(figure) -> list[np.ndarray]:
    return [np.asarray(image.get_array()) for image in figure.axes[0].images]


def texts(figure) -> list[str]:
    from matplotlib.text import Text

    figure.draw_without_rendering()
    return [found.get_text() for found in figure.findobj(Text) if found.get_text()]


NAMES = ["noisy", "mine", "clean"]
CROPS = [(5, 10, 8, 8), (20, 30, 10, 10)]


def test_whole_images_and_crops_are_handed_on_pixel_by_pixel():
    shown = images(comparison(rows(2), NAMES, CROPS))
    assert len(shown) == 2 * 3 * 3
    for picture in rows()[0].pictures:
        assert any(np.array_equal(image, picture.pixels) for image in shown)
        for box in CROPS:
            crop = cut(picture.pixels, box)
            times = {image.shape[0] // crop.shape[0] for image in shown}
            assert any(
                np.array_equal(image, crop.repeat(n, 0).repeat(n, 1))
                for n in times
                for image in shown
            )


def test_a_pdf_has_the_pixels_without_loss_and_the_text_as_text():
    flat = Picture(np.full((40, 60, 3), (1, 2, 3), np.uint8))
    figure, content = comparison([Row("a noise", [flat])], ["one"], []), io.BytesIO()
    import matplotlib

    with matplotlib.rc_context({"pdf.compression": 0, "pdf.fonttype": 42}):
        figure.savefig(content, format="pdf")
    pdf = content.getvalue()
    assert b"/Width 60" in pdf and b"/Height 40" in pdf  # not drawn again in other dots
    assert b"DejaVuSans" in pdf


def test_a_png_shows_each_crop_in_its_own_colours():
    halves = np.zeros((40, 60, 3), np.uint8)
    halves[:, 30:] = (10, 200, 30)
    figure = comparison([Row("", [Picture(halves)])], ["one"], [(0, 40, 10, 10)], "only", SIZES[1])
    found = drawn(figure)
    green = (found == (10, 200, 30)).all(axis=2)
    assert (
        green.any() and not (found == 0).all(axis=2)[green.any(axis=1)][:, green.any(axis=0)].any()
    )


def test_names_stand_above_and_scores_below_and_noises_beside():
    found = texts(comparison(rows(2), NAMES, CROPS))
    assert all(found.count(name) == 1 for name in NAMES)  # above the first row alone
    assert found.count("30.00") == found.count("0.9") == 6
    assert {"noise 0", "noise 1"} <= set(found)


def test_the_best_score_alone_is_bold():
    from matplotlib.text import Text

    figure = comparison(rows(), NAMES, CROPS)
    figure.draw_without_rendering()
    bold = {t.get_text() for t in figure.findobj(Text) if t.get_fontweight() == "bold"}
    assert bold == {"30.00"}


@pytest.mark.parametrize("columns", SIZES)
def test_more_pictures_than_a_line_has_room_for_stand_in_several(columns):
    names = [f"model {number}" for number in range(12)]
    figure = comparison(rows(columns=12), names, CROPS, size=SIZES[columns])
    assert figure.get_figwidth() == SIZES[columns].width
    found = texts(figure)
    assert [name for name in found if name.startswith("model")] == names
    assert found.count("noise 0") > 1  # beside each line


@pytest.mark.parametrize("box", [(2, 2, 8, 8), (2, 50, 8, 8), (30, 2, 8, 8), (30, 50, 8, 8)])
def test_an_inset_in_a_corner_does_not_hide_its_box(box):
    figure = comparison(rows(), NAMES, [box], "corner")
    whole, inset = (image.get_extent() for image in figure.axes[0].images[:2])
    scale = (whole[1] - whole[0]) / 60
    left, right = whole[0] + scale * box[1], whole[0] + scale * (box[1] + box[3])
    top, bottom = whole[3] + scale * box[0], whole[3] + scale * (box[0] + box[2])
    apart_across = right < inset[0] or inset[1] < left
    apart_down = bottom < inset[3] or inset[2] < top
    assert apart_across or apart_down


@pytest.mark.parametrize(
    ("crops", "insets", "says"),
    [
        (
            [(0, 55, 8, 8)],
            "below",
            "8x8 pixels at x=55, y=0 is not inside the image, which has 60x40",
        ),
        ([(33, 0, 8, 8)], "below", "is not inside"),
        (CROPS, "corner", "insets=corner shows one crop, got 2"),
        (CROPS, "beside", "insets=beside is unknown"),
    ],
)
def test_what_cannot_be_shown_is_a_sentence(crops, insets, says):
    with pytest.raises(ValueError, match=says):
        comparison(rows(), NAMES, crops, insets)


def test_a_long_title_of_a_row_is_folded_and_reaches_into_no_other():
    from matplotlib.text import Text

    pictures = [Picture(noise(seed, 40, 40), ["30.00"]) for seed in range(4)]
    titles = ["salt and pepper 0.012", "gaussian 50"]
    shown = [Row(title, pictures) for title in titles]
    figure = comparison(shown, [*NAMES, "x"], [(5, 10, 8, 8)], "corner", SIZES[1])
    figure.draw_without_rendering()
    found = figure.findobj(Text)
    upright = [text for text in found if text.get_rotation() == 90 and text.get_text()]
    above, below = (text.get_window_extent() for text in upright)
    assert " ".join(upright[0].get_text().split("\n")) == titles[0]
    assert above.y0 > below.y1
    assert above.x0 >= 0
