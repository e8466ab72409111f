"""The explorer's file: whole, the same for the same input, and closed to what it is told."""

import base64
import gzip
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from benchmark.cells.pictures import Scene
from benchmark.pixels import png_bytes
from benchmark.reporting.explorer import page as pages
from benchmark.reporting.explorer.page import ASSETS, LIBRARIES, SCRIPTS, STYLES, page
from benchmark.reporting.explorer.pictures import embed

HOSTILE = '</script><script>alert(1)</script> "quoted" <!-- \u2028 é \U0001f600'


class Elements(HTMLParser):
    """The elements of a page, and the texts of those with an id."""

    def __init__(self, text: str):
        super().__init__()
        self.names: list[str] = []
        self.texts: dict[str, str] = {}
        self.id = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.id = dict(attrs).get("id") or ""

    def handle_data(self, data):
        self.texts[self.id] = self.texts.get(self.id, "") + data


def unpacked(text: str) -> dict:
    return json.loads(gzip.decompress(base64.b64decode(Elements(text).texts["facts"].strip())))


def test_names_and_notes_cannot_end_what_holds_them():
    plain, hostile = ({"title": text, "note": [text]} for text in ("plain", HOSTILE))
    assert Elements(page(plain)).names == Elements(page(hostile)).names
    assert unpacked(page(hostile)) == hostile


def test_the_same_facts_have_the_same_bytes():
    known = {"title": "t", "cells": [[0.25, None, "x"]]}
    assert page(known, ["AAAA"]) == page(dict(known), ["AAAA"])


def test_a_number_which_json_does_not_know_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        page({"title": "t", "psnr": float("nan")})


def test_every_asset_is_in_the_page():
    found = {path.relative_to(ASSETS).as_posix() for path in ASSETS.rglob("*.*")}
    ours = {name for name in found if not name.startswith("vendor/")}
    assert ours == {"page.html.j2", *STYLES, *(f"{name}.js" for name in SCRIPTS)}
    assert {path.name for path in (ASSETS / "vendor").glob("*.js")} == set(LIBRARIES)


def test_a_missing_asset_is_an_error(monkeypatch):
    monkeypatch.setattr(pages, "SCRIPTS", (*SCRIPTS, "gone"))
    with pytest.raises(FileNotFoundError, match=r"gone\.js"):
        page({"title": "t"})


def test_no_code_ends_its_own_element():
    for path in (*ASSETS.rglob("*.js"), *ASSETS.rglob("*.css")):
        assert not re.search(r"</(script|style)|<!--", path.read_text("utf-8"), re.IGNORECASE), path


def test_the_code_is_under_3_megabytes_and_asks_nobody():
    text = page({"title": "t"})
    assert len(text.encode()) < 3e6
    assert "default-src 'none'" in text
    loading = re.compile(r"<(?:script|img|iframe|link)[^>]*\b(?:src|href)=[\"'](?!data:)")
    assert not loading.search(text)


def scene(folder, noise: str, **pictures: np.ndarray) -> Scene:
    paths = {name: folder / f"{noise}_{name}.png" for name in pictures}
    for name, path in paths.items():
        path.write_bytes(png_bytes(pictures[name], "a note" if name == "clean" else ""))
    return Scene("photos", noise, 1.0, 0, "image", (16, 20), (2, 3, 8, 9), paths)


def test_pictures_are_embedded_without_loss_and_each_once(tmp_path):
    import io

    from PIL import Image

    clean, noisy, other = np.random.default_rng(0).integers(0, 256, (3, 8, 9, 3)).astype(np.uint8)
    given = [
        scene(tmp_path, "gaussian", clean=clean, noisy=noisy, identity=noisy),
        scene(tmp_path, "poisson", clean=clean, noisy=other),
    ]
    found, lines = embed(given)
    assert [one["pictures"] for one in found] == [
        {"clean": 0, "noisy": 1, "identity": 1},
        {"clean": 0, "noisy": 2},
    ]
    assert (found[0]["size"], found[0]["box"]) == ([16, 20], [2, 3, 8, 9])
    for line, pixels in zip(lines, (clean, noisy, other), strict=True):
        image = Image.open(io.BytesIO(base64.b64decode(line)))
        assert image.format == "WEBP"
        assert np.array_equal(np.asarray(image), pixels)
