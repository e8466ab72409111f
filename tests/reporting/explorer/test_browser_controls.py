"""Every control of every view of the explorer, by mouse and by keyboard, in a browser."""

import pytest
from browsing import NEXT_FRAME, VIEWS, go

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CONTROLS = "button, select, input, summary, a[href], [tabindex='0']"
PLACES = f":is(#header, #view) :is({CONTROLS}):visible:not(:disabled)"
NAME = "(one) => one.dataset.key ?? `${one.tagName} ${one.ariaLabel ?? one.textContent.trim()}`"
FIND = f"""(name) => {{  // open what it lies in, close the list which may lie over it
    const all = [...document.querySelectorAll(":is(#header, #view) :is({CONTROLS})")];
    const found = all.find((one) => ({NAME})(one) === name);
    for (const one of document.querySelectorAll("details")) {{
        if (one.matches(".picker") || one.contains(found)) one.open = one.contains(found);
    }}
    return found?.checkVisibility() ? found : null;
}}"""
UNNAMED = """(controls) => controls.filter((one) => !(
    one.getAttribute("aria-label") || one.labels?.length || one.textContent.trim()
)).map((one) => one.outerHTML)"""
HREFS = "(links) => links.map((link) => link.getAttribute('href'))"

MARK_MISSED = """(controls) => controls.filter((one) => one.tabIndex >= 0).map((one) => {
    one.dataset.missed = "";
}).length"""
LEFT_TO_REACH = """() => {
    delete document.activeElement.dataset.missed;
    return document.querySelectorAll("[data-missed]").length;
}"""
FOLLOW = f"""async (hrefs) => {{  // those that lead to an empty view
    const empty = [];
    for (const href of hrefs) {{
        location.hash = href;
        await ({NEXT_FRAME})();
        await ({NEXT_FRAME})();
        if (!document.querySelector("#view *")) empty.push(href);
    }}
    return empty;
}}"""


def open_all(tab) -> None:
    tab.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


def use(tab, control) -> None:
    kind = control.evaluate("(one) => one.type ?? one.tagName.toLowerCase()")
    if kind == "select-one":
        control.focus()
        for value in control.evaluate("(one) => [...one.options].map((option) => option.value)"):
            control.select_option(value)
    elif kind == "range":
        box, end = control.bounding_box(), control.get_attribute("max")
        middle = box["y"] + box["height"] / 2
        tab.mouse.move(box["x"] + 8, middle)
        tab.mouse.down()
        for part in (0.3, 0.7, 1.0):  # drawn again at each step, the slider is still held
            tab.mouse.move(box["x"] + part * box["width"], middle)
            tab.evaluate(NEXT_FRAME)
        tab.mouse.up()
        assert float(control.input_value()) == pytest.approx(float(end), abs=0.05 * float(end))
    else:
        control.click()


@pytest.mark.parametrize("view", VIEWS)
def test_every_control_can_be_used(open_page, view):
    tab = open_page()
    go(tab, view)
    open_all(tab)
    hrefs = tab.locator(PLACES).and_(tab.locator("a")).evaluate_all(HREFS)
    assert all(href.startswith("#") for href in hrefs), hrefs
    assert tab.evaluate(FOLLOW, sorted(set(hrefs))) == []
    go(tab, view)
    open_all(tab)
    others = tab.locator(PLACES).and_(tab.locator(":not(a)"))
    for name in others.evaluate_all(f"(all) => all.map({NAME})"):
        control = tab.evaluate_handle(FIND, name).as_element()
        if control is None:  # inside what the last control has closed or replaced
            go(tab, view)
            control = tab.evaluate_handle(FIND, name).as_element()
        assert control, name
        use(tab, control)
        tab.evaluate(NEXT_FRAME)
        assert tab.locator("#view *").count(), name


def test_every_control_has_a_name_that_can_be_read_out(open_page):
    tab = open_page()
    for view in VIEWS:
        go(tab, view)
        assert tab.locator(PLACES).evaluate_all(UNNAMED) == [], view


def test_every_control_is_reached_with_the_tabulator(open_page):
    tab = open_page()
    for view in VIEWS:
        go(tab, view)
        count = tab.locator(PLACES).evaluate_all(MARK_MISSED)
        for _ in range(2 * count):
            tab.keyboard.press("Tab")
            if not tab.evaluate(LEFT_TO_REACH):
                break
        missed = tab.locator("[data-missed]")
        assert missed.evaluate_all("(all) => all.map((one) => one.outerHTML)") == [], view


def test_arrow_keys_walk_through_the_tabs_and_keep_the_focus(open_page):
    tab = open_page()
    tabs = tab.locator("[role=tab]").evaluate_all("(tabs) => tabs.map((one) => one.id)")
    views = [name.removeprefix("tab-") for name in tabs]
    assert sorted(views) == sorted(VIEWS)
    tab.locator("[role=tab][aria-selected=true]").focus()
    for key, view in [("ArrowRight", views[1]), ("End", views[-1]), ("ArrowRight", views[0])]:
        tab.keyboard.press(key)
        tab.wait_for_selector(f"#view[data-view={view}]")
        assert tab.evaluate("document.activeElement.id") == f"tab-{view}"
        assert tab.locator("[role=tab][tabindex='0']").get_attribute("id") == f"tab-{view}"


def test_a_control_keeps_the_focus_when_it_changes_the_view(open_page):
    tab = open_page()
    for key, press in [("scope", "ArrowDown"), ("sort ood", "Enter"), ("model dncnn", "Space")]:
        if key.startswith("model"):
            tab.locator("#view summary").press("Enter")
        before = tab.locator("#view").inner_text()
        tab.locator(f'[data-key="{key}"]').press(press)
        tab.evaluate(NEXT_FRAME)
        assert tab.locator("#view").inner_text() != before, key
        assert tab.evaluate("document.activeElement.dataset.key") == key
