"""Two pictures under a slider; zoom, pan and the pointed-at pixel in step over all of them."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from scene_pixels import PAINTED, SCENE, painted, pixels, show

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def seen(tab, across, down):
    """The colour on the screen at fractions of the compared pair."""
    box = tab.locator(".compare").bounding_box()
    screen = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
    place = box["x"] + across * box["width"], box["y"] + down * box["height"]
    return screen.getpixel(tuple(map(int, place)))


def test_a_is_left_of_the_slider_and_b_right_of_it(open_page):
    tab = open_page(f"{SCENE}&a=noisy&b=clean")
    tab.wait_for_selector(PAINTED)
    column, row = 4, 20  # a pixel is 25 on the screen; this one is left of the middle, and low
    place = (column + 0.5) / 32, (row + 0.5) / 24
    noisy, clean = tuple(pixels("noisy")[row, column]), tuple(pixels("clean")[row, column])
    assert noisy != clean
    assert seen(tab, *place) == noisy
    handle = tab.get_by_role("slider", name="Where A ends and B begins")
    handle.press("Home")
    assert seen(tab, *place) == clean
    for _ in range(4):
        handle.press("Shift+ArrowRight")
    assert seen(tab, *place) == noisy
    box = tab.locator(".compare").bounding_box()
    tab.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 40)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 40, steps=3)
    tab.mouse.up()
    assert handle.get_attribute("aria-valuenow") == "10"
    assert seen(tab, *place) == clean


def test_holding_the_button_or_f_shows_the_other_side(open_page):
    tab = open_page(f"{SCENE}&a=noisy&b=clean")
    tab.wait_for_selector(PAINTED)
    place = 4.5 / 32, 20.5 / 24
    noisy, clean = tuple(pixels("noisy")[20, 4]), tuple(pixels("clean")[20, 4])
    tab.locator(".compare").focus()
    tab.keyboard.down("f")
    assert seen(tab, *place) == clean
    tab.keyboard.up("f")
    assert seen(tab, *place) == noisy
    tab.get_by_role("button", name="Hold to swap").hover()
    tab.mouse.down()
    assert seen(tab, *place) == clean
    tab.mouse.up()
    assert seen(tab, *place) == noisy


def places(tab):
    """Where each picture lies, in fractions of its window: left, top, width, height."""
    return np.array(
        tab.evaluate(
            """[...document.querySelectorAll('.window')].flatMap((window) => {
              const outer = window.getBoundingClientRect();
              return [...window.querySelectorAll('canvas')].map((canvas) => {
                const inner = canvas.getBoundingClientRect();
                return [(inner.left - outer.left) / outer.width,
                        (inner.top - outer.top) / outer.height,
                        inner.width / outer.width, inner.height / outer.height];
              });
            })"""
        )
    )


@pytest.mark.parametrize("way", ["wheel", "wheel on a tile", "buttons", "keys", "double click"])
def test_all_pictures_zoom_and_move_in_step(open_page, way):
    tab = open_page(SCENE)
    tab.wait_for_selector(PAINTED)
    pane = tab.locator(".compare")
    assert np.allclose(places(tab), [0, 0, 1, 1], atol=1e-3)
    if way == "wheel":
        pane.hover(position={"x": 30, "y": 30})
        tab.mouse.wheel(0, -400)
    elif way == "wheel on a tile":
        tab.locator(".tile .window").nth(3).hover()
        tab.keyboard.down("Control")
        tab.mouse.wheel(0, -100)
        tab.keyboard.up("Control")
    elif way == "buttons":
        tab.get_by_role("button", name="Zoom in").click()
        tab.get_by_role("button", name="Zoom in").click()
        tab.get_by_role("button", name="Zoom out").click()
    elif way == "keys":
        pane.press("+")
    else:
        pane.dblclick(position={"x": 30, "y": 30})
    tab.wait_for_selector(".zoomed")
    zoomed = places(tab)
    assert len(zoomed) == 8  # six tiles, and the two pictures of the pair
    assert (zoomed[:, 2] > 1.2).all() and np.ptp(zoomed, axis=0).max() < 0.01
    pane.focus()
    tab.keyboard.press("ArrowRight")
    moved = places(tab)
    assert np.ptp(moved, axis=0).max() < 0.01 and (moved[:, 0] < zoomed[:, 0] - 0.05).all()
    tab.get_by_role("button", name="Show the whole picture").click()
    assert np.allclose(places(tab), [0, 0, 1, 1], atol=1e-3)


def test_a_tile_is_dragged_with_the_others_and_stays_under_the_pointer(open_page):
    tab = open_page(f"{SCENE}&zoom=2")
    tab.wait_for_selector(PAINTED)
    before = places(tab)
    tile = tab.locator(".tile .window").nth(2)
    tile.scroll_into_view_if_needed()
    box = tile.bounding_box()
    tab.mouse.move(box["x"] + 60, box["y"] + 60)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 30, box["y"] + 60, steps=4)
    tab.mouse.up()
    shift = places(tab) - before
    assert np.allclose(shift[:, 0], -30 / box["width"], atol=0.01)
    assert np.allclose(shift[:, 1:], 0, atol=0.01)


def test_two_fingers_zoom(open_page):
    tab = open_page(SCENE, width=400, has_touch=True, is_mobile=True)
    tab.wait_for_selector(PAINTED)
    tab.locator(".compare").scroll_into_view_if_needed()
    box = tab.locator(".compare").bounding_box()
    middle, height = box["x"] + box["width"] / 2, box["y"] + 30
    fingers = tab.context.new_cdp_session(tab)

    def touch(kind, *apart):
        points = [{"x": middle + offset, "y": height, "id": n} for n, offset in enumerate(apart)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", -40, 40)
    for wide in (50, 60, 70, 80):
        touch("touchMove", -wide, wide)
    touch("touchEnd")
    zoomed = places(tab)
    assert np.allclose(zoomed[:, 2:], 2, atol=0.15) and np.ptp(zoomed, axis=0).max() < 0.02


def test_every_tile_says_the_value_of_the_pixel_under_the_pointer(open_page):
    tab = open_page(SCENE)
    tab.wait_for_selector(PAINTED)
    box = tab.locator(".compare").bounding_box()
    tab.mouse.move(box["x"] + box["width"] * 8.5 / 32, box["y"] + box["height"] * 6.5 / 24)
    assert tab.locator(".where").inner_text() == "Row 18, column 24"  # of the whole image
    for name in ("clean", "noisy", "masked"):
        said = tab.locator(f'[data-tile="{name}"] .pixel').inner_text()
        assert said == " ".join(map(str, pixels(name)[6, 8]))
    show(tab, "residual")
    tab.mouse.move(box["x"] + box["width"] * 9.5 / 32, box["y"] + box["height"] * 6.5 / 24)
    said = tab.locator('[data-tile="noisy"] .pixel').inner_text().replace("−", "-").split()
    assert [int(value) for value in said] == list(pixels("noisy")[6, 9] - pixels("clean")[6, 9])


def test_a_link_shows_the_same_again(open_page):
    tab = open_page(SCENE)
    tab.wait_for_selector(PAINTED)
    tab.get_by_role("button", name="Show dncnn as A").click()
    tab.get_by_role("button", name="Show clean as B").click()
    tab.get_by_role("button", name="Exchange A and B").click()
    show(tab, "error")
    tab.locator('[data-key="gain"]').fill("9")
    tab.get_by_role("slider", name="Where A ends").press("ArrowLeft")
    tab.get_by_role("button", name="Zoom in").click()
    tab.locator(".compare").press("ArrowDown")
    tab.wait_for_url(re.compile("y=14.*gain=9"))
    address = tab.evaluate("location.hash")
    again = open_page(address)
    again.wait_for_selector(PAINTED)
    assert again.evaluate("location.hash") == address
    assert np.allclose(places(again), places(tab), atol=1e-3)
    assert (painted(again, "dncnn") == painted(tab, "dncnn")).all()
    assert again.locator('[data-key="a"]').input_value() == "clean"
    assert again.locator('[data-key="b"]').input_value() == "dncnn"
    split = again.get_by_role("slider", name="Where A ends").get_attribute("aria-valuenow")
    assert split == "48"


def test_a_phone_has_two_tiles_a_row_and_does_not_scroll_sideways(open_page):
    tab = open_page(SCENE, width=400)
    tab.wait_for_selector(PAINTED)
    tops = [tile.bounding_box()["y"] for tile in tab.locator(".tile").all()]
    assert tops[0] == tops[1] < tops[2] == tops[3]
    assert tab.evaluate("document.documentElement.scrollWidth") == 400
