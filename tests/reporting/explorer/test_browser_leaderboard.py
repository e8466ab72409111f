"""The explorer's leaderboard and what its numbers lead to, in a browser."""

import pytest
from browsing import column

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROWS = "#view tbody tr"


def test_references_stand_above_a_rule_until_a_column_is_sorted_by(open_page):
    tab = open_page()
    shown = ["noisy input", "bm3d", "swinir", "masked", "dncnn"]
    assert column(tab, "model") == shown
    assert tab.locator(f"{ROWS}.above-rule th").inner_text() == "bm3d"
    head = tab.locator("th", has_text="OOD mean")
    for is_sorted in ("descending", "ascending"):
        head.locator("button").click()
        tab.wait_for_selector(f"th[aria-sort={is_sorted}]")
        means = [float(text) for text in column(tab, "OOD mean")]
        assert means == sorted(means, reverse=is_sorted == "descending")
        assert tab.locator(f"{ROWS}.above-rule").count() == 0
    head.locator("button").click()
    tab.wait_for_selector(f"{ROWS}.above-rule")
    assert column(tab, "model") == shown


def test_the_best_is_bold_and_intervals_are_drawn_to_one_scale(open_page):
    tab = open_page()
    assert tab.locator("a.best").all_inner_texts() == [
        column(tab, "OOD mean")[2],
        column(tab, "gaussian")[2],
    ]
    lows = [float(text.split(" to ")[0]) for text in column(tab, "95 % interval")]
    drawn = tab.locator(".bar line + line").evaluate_all(
        "(all) => all.map((one) => +one.getAttribute('x1'))"
    )
    by_score = sorted(range(5), key=lows.__getitem__)
    assert sorted(range(5), key=drawn.__getitem__) == by_score


def test_a_number_leads_to_its_cells_and_back(open_page):
    tab = open_page()
    row = tab.locator(ROWS, has=tab.locator("th", has_text="masked"))
    number = row.locator("td a").last  # of the last noise
    assert number.inner_text() == column(tab, "salt_and_pepper")[3]
    number.click()
    tab.wait_for_selector("#view[data-view=cells]")
    assert tab.locator("select[data-key=a]").input_value() == "masked"
    assert tab.locator("select[data-key=noise]").input_value() == "salt_and_pepper"
    assert column(tab, "level", "figure:nth-of-type(1)") == ["0.01", "0.1"]
    assert len(column(tab, "image", "figure:nth-of-type(2)")) == 2 * 3
    assert tab.locator(".command code").inner_text() == (
        "bench repro 'results/made up' model=masked data=kodak24 noise=salt_and_pepper"
    )
    tab.go_back()
    tab.wait_for_selector("#view[data-view=leaderboard]")


def test_a_cell_leads_to_its_record_and_its_image_to_the_picture(open_page):
    tab = open_page("#view=cells&a=masked&noise=gaussian&level=25")
    look = tab.locator("#view a", has_text="look")
    assert "view=images" in look.get_attribute("href")
    assert "image=kodim01" in look.get_attribute("href")
    tab.locator("#view tr[aria-current] a", has_text="record").click()
    tab.wait_for_selector("#view[data-view=provenance]")
    assert "2.14.1" in tab.locator("#view details[open]").first.inner_text()
    assert "'level=[25]'" in tab.locator(".command", has_text="bench repro").inner_text()


def test_a_family_and_hidden_models_leave_their_columns_and_lines(open_page):
    tab = open_page("#scope=impulse&hidden=dncnn&hidden=identity")
    assert column(tab, "model") == ["bm3d", "swinir", "masked"]
    assert len(column(tab, "salt_and_pepper")) == 3
    assert tab.locator("th", has_text="poisson").count() == 0
    assert "2 are hidden" in tab.locator(".notes").inner_text()
