"""The explorer's page as a whole: its address, narrow, dark, and on paper."""

import made_up
import pytest
from browsing import NEXT_FRAME, VIEWS, go

from benchmark.reporting.explorer.page import page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_what_is_chosen_survives_a_reload_and_goes_with_the_copied_link(open_page):
    tab = open_page(permissions=["clipboard-read", "clipboard-write"])
    tab.locator("select[data-key=metric]").select_option("ssim")
    tab.locator("select[data-key=scope]").select_option("impulse")
    tab.locator("#view summary").click()
    tab.locator("[data-key='model dncnn']").click()
    tab.keyboard.press("Escape")
    tab.locator("[data-key='sort ood']").click()
    tab.get_by_text("Copy link").click()
    tab.wait_for_selector("text=Link copied")
    shown = tab.locator("#view figure").inner_text()
    address = tab.evaluate("navigator.clipboard.readText()")
    assert address == tab.url
    tab.reload()
    tab.wait_for_selector("#view[data-view]")
    assert tab.locator("#view figure").inner_text() == shown
    other = open_page(address[address.index("#") :])
    assert other.locator("#view figure").inner_text() == shown
    assert "SSIM" in shown and "dncnn" not in shown


def test_a_link_with_names_that_are_not_there_shows_what_is(open_page):
    tab = open_page("#view=none&data=none&metric=none&scope=none&sort=none&level=none&a=none")
    assert tab.locator("#view tbody tr").count() == 5
    go(tab, "cells")
    assert tab.locator("#view tbody tr").count() > 0


def test_a_phone_scrolls_tables_inside_their_box_and_never_the_page(open_page):
    tab = open_page(width=400)
    for view in VIEWS:
        go(tab, view)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 400, view
        chosen = tab.locator("[role=tab][aria-selected=true]").bounding_box()
        assert chosen["x"] >= 0 and chosen["x"] + chosen["width"] <= 400, view
    go(tab, "leaderboard")
    before = tab.locator("tbody th").first.bounding_box()
    tab.locator(".scroll").first.evaluate("(box) => { box.scrollLeft = 200; }")
    assert tab.locator("tbody th").first.bounding_box() == before
    tab.locator("select[data-key=metric]").select_option("ssim")
    tab.evaluate(NEXT_FRAME)
    assert tab.locator(".scroll").first.evaluate("(box) => box.scrollLeft") == 200


def test_a_level_of_recorded_noise_leads_to_cells_of_its_own_images(open_page):
    tab = open_page("#view=noises&noise=mc_render&data=kodak24&seed=3")
    tab.locator("#view tbody a").first.click()
    tab.wait_for_selector("#view[data-view=cells]")
    assert "data=mc_render" in tab.url and "noise=mc_render" in tab.url and "seed" not in tab.url
    assert "on mc_render" in tab.locator("#view table caption, #view figcaption").first.inner_text()


def test_paper_gets_black_on_white_without_controls(open_page):
    tab = open_page(color_scheme="dark")
    style = "getComputedStyle(document.{}).{}"
    assert tab.evaluate(style.format("body", "backgroundColor")) != "rgb(255, 255, 255)"
    tab.emulate_media(media="print")
    tab.evaluate(NEXT_FRAME)
    assert tab.evaluate(style.format("body", "backgroundColor")) == "rgb(255, 255, 255)"
    assert tab.evaluate(style.format("body", "color")) == "rgb(0, 0, 0)"
    assert "grayscale" in tab.evaluate(style.format("documentElement", "filter"))
    assert tab.locator(":is(select, [role=tab], summary):visible").count() == 0
    widths = tab.locator("table").evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect().width)"
    )
    assert widths and max(widths) <= 940
    assert tab.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_a_window_that_has_no_width_yet_breaks_no_view(open_page):
    tab = open_page()
    for view in VIEWS:
        tab.set_viewport_size({"width": 1, "height": 900})
        tab.evaluate("(view) => { location.hash = `#view=${view}`; }", view)
        tab.wait_for_selector(f"#view[data-view={view}]", state="attached")
        tab.evaluate(NEXT_FRAME)
        tab.set_viewport_size({"width": 1400, "height": 900})
        tab.evaluate(NEXT_FRAME)
        assert tab.locator("main > section").count() == 1, view
        assert tab.locator(":is(table, .chart svg, canvas):visible").count() > 0, view


def test_a_view_that_cannot_be_drawn_leaves_nothing_behind(open_page):
    tab = open_page()
    tab.evaluate("addEventListener('error', (event) => event.preventDefault())")
    tab.evaluate("() => { window.plot = Plot.plot; Plot.plot = () => { throw Error('no'); }; }")
    tab.get_by_role("tab", name="Curves").click()
    tab.evaluate(NEXT_FRAME)
    tab.evaluate("() => { Plot.plot = window.plot; }")
    go(tab, "curves")
    assert tab.locator("main > section").count() == 1


def test_a_phone_shows_the_ranking_score_at_once_and_no_word_over_another(open_page):
    tab = open_page(width=400)
    score = tab.locator("td.main").first.bounding_box()
    assert score["x"] + score["width"] <= 400
    go(tab, "provenance")
    wider = "(all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).length"
    assert tab.locator(".settings th").count() > 0
    assert tab.locator(".settings :is(th, td):visible").evaluate_all(wider) == 0


def test_grey_lines_recede_from_light_and_dark_pages_alike(open_page):
    lightness = "d3.lab(getComputedStyle(document.documentElement).getPropertyValue('{}')).l"
    for scheme in ("light", "dark"):
        tab = open_page("#view=curves", color_scheme=scheme)
        paper, grey, ink = (
            tab.evaluate(lightness.format(name)) for name in ("--paper", "--grey", "--ink")
        )
        assert abs(grey - paper) < abs(grey - ink), scheme


def test_a_noise_without_settings_says_so(open_page, tmp_path):
    lines: list[str] = []
    facts = made_up.facts(lines)
    facts["noises"][0]["settings"] = {"of": "gaussian"}
    path = tmp_path / "plain.html"
    path.write_text(page(facts, lines))
    tab = open_page("#view=noises&noise=gaussian", path=path)
    assert tab.locator("h2:text-is('Settings') + *").inner_text() == "None."
