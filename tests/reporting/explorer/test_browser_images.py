"""The explorer's scenes: pixels to the bit, scores, orders, what is saved and printed."""

import json

import made_up
import numpy as np
import pytest
from PIL import Image
from scene_pixels import PAINTED, SCENE, painted, pixels, show

from benchmark.reporting.explorer.page import page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def saved(tab, button):
    with tab.expect_download() as download:
        tab.get_by_role("button", name=button, exact=True).click()
    picture = Image.open(download.value.path())
    assert picture.format == "PNG"
    return download.value.suggested_filename, np.asarray(picture.convert("RGB")).astype(int)


def rows_of(model, noise, level, metric=2):
    own = [
        cell
        for cell in made_up.facts([])["cells"]
        if (cell["model"], cell["noise"], cell["level"]) == (model, noise, level)
    ]
    return {row[0]: row[metric] for cell in own for row in cell["rows"]}


def listed(tab):
    return [
        (row.locator(".image").inner_text().split()[0], row.locator(".number").inner_text())
        for row in tab.locator(".scenes .list button").all()
    ]


def test_pictures_are_shown_to_the_bit(open_page):
    tab = open_page(SCENE)
    tab.wait_for_selector(PAINTED)
    for name in ("clean", "noisy", "bm3d", "swinir", "masked", "dncnn"):
        assert (painted(tab, name) == pixels(name)).all()
    assert (painted(tab, "swinir", ".compare") == pixels("swinir")).all()


def test_a_residual_is_128_plus_the_gain_times_the_difference(open_page):
    tab = open_page(f"{SCENE}&mode=residual&gain=7")
    tab.wait_for_selector(PAINTED)
    for name in ("noisy", "masked"):
        expected = np.clip(128 + 7 * (pixels(name) - pixels("clean")), 0, 255)
        assert (painted(tab, name) == expected).all()
    assert (painted(tab, "clean") == pixels("clean")).all()


def test_an_error_is_the_mean_over_channels_times_the_gain_in_inferno_or_grey(open_page):
    import matplotlib

    tab = open_page(f"{SCENE}&mode=error_grey&gain=3")
    tab.wait_for_selector(PAINTED)
    error = np.abs(pixels("noisy") - pixels("clean")).mean(2)
    steps = np.floor(3 * error + 0.5).clip(0, 255).astype(int)
    assert (painted(tab, "noisy") == steps[..., None]).all()
    show(tab, "error")
    inferno = np.round(255 * np.array(matplotlib.colormaps["inferno"].colors))
    assert np.abs(painted(tab, "noisy") - inferno[steps]).max() <= 1


def test_the_gain_follows_its_slider(open_page):
    tab = open_page(f"{SCENE}&mode=residual")
    gain = tab.locator('[data-key="gain"]')
    gain.fill("20")
    tab.wait_for_selector(".shades >> text=6.4")
    expected = np.clip(128 + 20 * (pixels("masked") - pixels("clean")), 0, 255)
    assert (painted(tab, "masked") == expected).all()


def test_a_saved_tile_is_its_pixels_under_a_name_that_tells_what_it_is(open_page):
    tab = open_page(f"{SCENE}&zoom=3")
    tab.wait_for_selector(PAINTED)
    name, content = saved(tab, "Save masked as PNG")
    assert name == "masked_gaussian-50_kodak24_kodim02.png"
    assert (content == pixels("masked")).all()
    show(tab, "residual")
    name, content = saved(tab, "Save masked as PNG")
    assert name == "masked_gaussian-50_kodak24_kodim02_residual-x4.png"
    assert (content == np.clip(128 + 4 * (pixels("masked") - pixels("clean")), 0, 255)).all()


def test_the_saved_pair_is_what_is_seen_of_it_a_pixel_a_pixel(open_page):
    tab = open_page(f"{SCENE}&a=noisy&b=masked&zoom=2&x=10&y=8&split=25")
    tab.wait_for_selector(PAINTED)
    name, content = saved(tab, "Save A and B as PNG")
    assert name == "noisy-vs-masked_gaussian-50_kodak24_kodim02.png"
    part = slice(2, 14), slice(2, 18)
    expected = pixels("masked")[part].copy()
    expected[:, :4] = pixels("noisy")[part][:, :4]
    assert (content == expected).all()


def test_scores_are_of_the_whole_image_and_stand_beside_the_differences(open_page):
    tab = open_page(f"{SCENE}&a=masked&b=dncnn")
    score = {
        model: rows_of(model, "gaussian", 50.0)["kodim02"]
        for model in ("identity", "bm3d", "masked", "dncnn", "swinir")
    }
    best = max(list(score)[1:], key=score.__getitem__)

    def text(value, sign=""):
        return f"{value:{sign}.2f}".replace("-", "−")

    noisy = tab.locator('[data-tile="noisy"] figcaption')
    assert [
        *noisy.locator(".score span").all_inner_texts(),
        *noisy.locator("small").all_inner_texts(),
    ] == [
        f"{text(score['identity'])} dB",
        f"{text(score['identity'] - score[best], '+')} to best",
        f"{text(score['identity'] - score['dncnn'], '+')} to B",
    ]
    assert "best" in tab.locator(f'[data-tile="{best}"] small').all_inner_texts()
    assert "scores are of the whole image" in tab.locator(".overview").inner_text()
    tab.locator('[data-key="metric"]').select_option("ssim")
    ssim = rows_of("masked", "gaussian", 50.0, metric=3)["kodim02"]
    tab.wait_for_selector(f"[data-tile=masked] .score >> text={ssim:.4f}")


@pytest.mark.parametrize("order", ["worst", "a_over_b", "b_over_a"])
def test_scenes_are_ordered_by_the_scores_of_a_and_b(open_page, order):
    tab = open_page("#view=images&noise=poisson&a=bm3d&b=dncnn")
    tab.locator('[data-key="order"]').select_option(order)
    tab.locator('[data-key="among"]').select_option("noise")
    tab.wait_for_selector(".step >> text=1 of 6")
    found = []
    for level in (2.0, 3.0):
        a, b = (rows_of(model, "poisson", level) for model in ("bm3d", "dncnn"))
        for image in a:
            kept = (level, image) == (3.0, "kodim01")
            value = {"worst": a[image], "a_over_b": a[image] - b[image]}.get(
                order, b[image] - a[image]
            )
            found.append((not kept, value if order == "worst" else -value, image, value))
    sign = "" if order == "worst" else "+"
    expected = [
        (image, f"{value:{sign}.2f}".replace("-", "−")) for *_, image, value in sorted(found)
    ]
    assert listed(tab) == expected


def test_next_and_previous_go_through_the_scenes(open_page):
    tab = open_page(SCENE)
    tab.wait_for_selector(PAINTED)
    tab.get_by_role("button", name="Next").click()
    run = "bench run 'model=[masked,dncnn]' noise=paper pictures=all out='results/made up'"
    assert tab.locator(".command code").inner_text() == run
    assert "kodim01" in tab.inner_text(".pair h2")
    tab.get_by_role("button", name="Previous").click()
    tab.wait_for_selector(PAINTED)
    assert tab.inner_text(".overview h2") == "kodim02"
    tab.locator(".list button", has_text="kodim03").click()
    tab.wait_for_selector(".command")
    assert not tab.locator(".compare").count()


def test_print_has_the_pictures_their_scores_and_the_scale_and_no_control(open_page):
    tab = open_page(f"{SCENE}&mode=error")
    tab.wait_for_selector(PAINTED)
    tab.emulate_media(media="print")
    for shown in (".compare", ".overview", ".shades", '[data-tile="masked"] .score span'):
        assert tab.locator(shown).is_visible()
    for hidden in (".tools", ".scenes", '[data-tile="masked"] button'):
        assert not tab.locator(hidden).first.is_visible()


def test_a_model_without_a_picture_says_so(open_page):
    tab = open_page("#view=images&noise=poisson&level=3&a=masked&b=dncnn")
    tab.wait_for_selector(PAINTED)
    assert "No picture of dncnn is kept" in tab.inner_text(".compare")
    assert tab.inner_text('[data-tile="dncnn"] .window') == "no picture kept"
    assert not tab.get_by_role("button", name="Save dncnn as PNG").count()


def test_hidden_models_have_no_tile(open_page):
    tab = open_page(f"{SCENE}&hidden=dncnn")
    tab.wait_for_selector(PAINTED)
    names = [tile.get_attribute("data-tile") for tile in tab.locator(".tile").all()]
    assert names == ["clean", "noisy", "bm3d", "swinir", "masked"]


def test_a_model_named_like_a_part_of_javascript_has_its_own_pictures_or_none(open_page, tmp_path):
    lines = []
    text = json.dumps(made_up.facts(lines)).replace('"dncnn"', '"constructor"')
    path = tmp_path / "x.html"
    path.write_text(page(json.loads(text), lines))
    tab = open_page("#view=images&noise=poisson&level=3&b=constructor", path=path)
    tab.wait_for_selector(PAINTED)
    assert tab.inner_text('[data-tile="constructor"] .window') == "no picture kept"


@pytest.mark.parametrize(("given", "used"), [(-3, 1), (1e9, 20)])
def test_a_gain_of_the_address_beyond_the_slider_is_its_end(open_page, given, used):
    tab = open_page(f"{SCENE}&mode=residual&gain={given}")
    tab.wait_for_selector(PAINTED)
    expected = np.clip(128 + used * (pixels("noisy") - pixels("clean")), 0, 255)
    assert (painted(tab, "noisy") == expected).all()


def test_where_several_runs_filled_a_folder_each_of_them_is_named_for_pictures(open_page, tmp_path):
    facts = made_up.facts([])
    facts["commands"] = ["bench run noise=gaussian out=x", "bench run noise=poisson pictures=none"]
    path = tmp_path / "runs.html"
    path.write_text(page(facts))
    tab = open_page("#view=images&noise=poisson&level=2", path=path)
    words = tab.locator("#view .look code").all_inner_texts()
    assert [text for text in words if text.startswith("bench run")] == [
        "bench run noise=gaussian pictures=all out='results/made up'",
        "bench run noise=poisson pictures=all out='results/made up'",
    ]
