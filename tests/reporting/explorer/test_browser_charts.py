"""The explorer's charts in a browser: what they show, where they lead, what is saved of them."""

import copy
import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import made_up
import numpy as np
import pytest
from PIL import Image

from benchmark.reporting.explorer.page import page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHARTS = ("heatmap", "curves", "cost", "scatter")
MINUS = str.maketrans("−", "-")
FACTS = made_up.facts([])


def standing(metric="psnr") -> dict:
    return next(s for s in FACTS["standings"] if s["metric"] == metric and s["scope"] == "all")


def opened(tab, name: str) -> list[list[str]]:
    """The table under a chart, opened."""
    tab.locator(".as-table summary").click()
    rows = tab.locator(f"[data-view={name}] .as-table tbody tr")
    rows.first.wait_for()
    return rows.evaluate_all("(rows) => rows.map((row) => [...row.cells].map((c) => c.innerText))")


def saved(tab, kind: str) -> bytes:
    with tab.expect_download() as download:
        tab.get_by_text(f"Save {kind}").click()
    return download.value.path().read_bytes()


def match(pattern: str, text: str) -> re.Match[str]:
    found = re.match(pattern, text)
    assert found, text
    return found


def written(path: Path, facts: dict) -> Path:
    path.write_text(page(facts))
    return path


@pytest.fixture
def crowded(tmp_path) -> Path:
    """A page of eleven models, whose levels of poisson noise fall."""
    facts = copy.deepcopy(FACTS)
    names = [f"copy_{n}" for n in range(6)]
    for name in names:
        model = next(model for model in facts["models"] if model["name"] == "dncnn")
        facts["models"].append({**model, "name": name, "label": name})
        for part in ("points", "cells"):
            own = [one for one in facts[part] if one["model"] == "dncnn"]
            facts[part] += [{**one, "model": name} for one in own]
        for one in facts["standings"]:
            row = next(row for row in one["rows"] if row["model"] == "dncnn")
            one["rows"].append({**row, "model": name})
    for noise in facts["noises"]:
        if noise["name"] == "poisson":
            noise["levels"] = noise["levels"][::-1]
    return written(tmp_path / "crowded.html", facts)


@pytest.mark.parametrize("reference", ["identity", "swinir", ""])
def test_the_heat_map_writes_means_less_those_of_the_chosen_model(open_page, reference):
    tab = open_page(f"#view=heatmap&against={reference}")
    means = {row["model"]: row["noises"]["poisson"] for row in standing()["rows"]}
    expected = means["masked"] - (means[reference] if reference else 0)
    line = next(r for r in opened(tab, "heatmap") if r[:2] == ["poisson", "masked"])
    assert float(line[2].translate(MINUS)) == pytest.approx(means["masked"], abs=0.005)
    assert float(line[-1].translate(MINUS)) == pytest.approx(expected, abs=0.005)
    texts = tab.locator('svg[aria-label^="heat map"] text').all_text_contents()
    sign = "+" if reference else ""
    assert f"{expected:{sign}.1f}".replace("-", "−") in texts


def test_better_than_the_reference_is_blue_also_where_lower_is_better(open_page, tmp_path):
    facts = copy.deepcopy(FACTS)
    for metric in facts["metrics"]:
        metric["higher_is_better"] = metric["name"] == "psnr"
    path = written(tmp_path / "lower.html", facts)
    fills = {}
    for metric in ("psnr", "ssim"):
        tab = open_page(f"#view=heatmap&against=dncnn&metric={metric}", path=path)
        cells = tab.locator('svg[aria-label^="heat map"] g[aria-label=cell] rect')
        fills[metric] = cells.evaluate_all("(all) => all.map((one) => one.getAttribute('fill'))")
    swapped = {"--better": "--worse", "--worse": "--better"}
    for psnr, ssim in zip(fills["psnr"], fills["ssim"], strict=True):
        names = [match(r".*(--better|--worse)", fill).group(1) for fill in (psnr, ssim)]
        strength = float(match(r".*?([\d.]+)%", psnr).group(1))
        assert strength == 0 or names[1] == swapped[names[0]]


@pytest.mark.parametrize("width", [700, 800, 900])
def test_the_last_name_above_a_heat_map_is_not_cut(open_page, tmp_path, width):
    facts = copy.deepcopy(FACTS)
    for model in facts["models"]:
        model["label"] = f"{model['name']}_of_a_long_name"
    path = written(tmp_path / "long.html", facts)
    tab = open_page("#view=heatmap&against=", width=width, path=path)
    box = tab.locator("[data-view=heatmap] .chart-box").bounding_box()
    names = tab.locator('svg[aria-label^="heat map"] text', has_text="_of_a_long_name")
    last = names.last.bounding_box()
    assert names.count() == len(facts["models"])
    assert last["x"] + last["width"] <= box["x"] + box["width"]


def test_a_cell_of_the_heat_map_leads_to_its_cells(open_page):
    tab = open_page("#view=heatmap&against=")
    tab.locator('svg[aria-label^="heat map"] g[aria-label=cell] rect').last.click(force=True)
    tab.wait_for_selector("#view[data-view=cells]")
    assert all(part in tab.url for part in ("data=mc_render", "a=dncnn", "noise=mc_render"))


def test_a_line_beside_the_scatter_leads_to_the_points_of_its_noise(open_page):
    tab = open_page("#view=scatter")
    points = tab.locator('svg[aria-label*=" against "] g[aria-label=dot] path')
    before = points.count()
    tab.locator('svg[aria-label*=" less "] g[aria-label=dot] path').first.click()
    tab.locator("[data-key=noise] option:checked[value=gaussian]").wait_for(state="attached")
    assert points.count() == 9 < before


def test_a_point_of_the_curves_leads_to_its_cell_and_back_returns(open_page):
    tab = open_page(
        "#view=curves&noise=gaussian&hidden=identity&hidden=bm3d&hidden=dncnn&hidden=swinir"
    )
    tab.locator("g[aria-label=dot] :is(circle, path)").nth(1).hover()
    tip = tab.locator('g[aria-label="tip"] text')
    tip.wait_for()
    assert "masked" in tip.text_content() and "level 25" in tip.text_content()
    tab.mouse.down()
    tab.mouse.up()
    tab.wait_for_selector("#view[data-view=cells]")
    assert all(part in tab.url for part in ("a=masked", "noise=gaussian", "level=25"))
    tab.go_back()
    tab.wait_for_selector("#view[data-view=curves]")


@pytest.mark.parametrize("view", CHARTS)
def test_every_chart_has_a_table_whose_links_lead_to_what_it_shows(open_page, view):
    tab = open_page(f"#view={view}")
    opened(tab, view)
    link = tab.locator(".as-table a").first
    link.focus()
    tab.keyboard.press("Enter")
    tab.wait_for_url(lambda address: f"view={view}" not in address)


def test_seven_models_have_colours_and_a_name_brings_another_to_the_front(open_page, crowded):
    tab = open_page("#view=curves", path=crowded)
    lines = tab.locator(".panels g[aria-label=line]")
    looks = lines.evaluate_all("(all) => all.map((g) => [g.getAttribute('class'), g.style.color])")
    coloured = {name for name, colour in looks if "--grey" not in colour}
    assert len(coloured) == 7 + 2  # and the references, which are grey by themselves
    button = tab.locator("[data-key='legend copy_5']")
    for act in (button.hover, button.focus):
        tab.mouse.move(0, 0)
        act()
        shown = lines.evaluate_all("(all) => all.map((g) => [g.style.opacity, g.style.color])")
        bright = [colour for opacity, colour in shown if opacity == "1"]
        assert len(bright) == 4  # one a panel
        assert not any("--grey" in colour for colour in bright)


def test_levels_run_from_mild_to_hard_also_where_they_fall(open_page, crowded):
    tab = open_page("#view=curves", path=crowded)
    for noise, texts in [("gaussian", ["15", "25", "50"]), ("poisson", ["3", "2"])]:
        chart = tab.locator(f'svg[aria-label^="{noise}"]')
        ticks = chart.locator('g[aria-label="x-axis tick label"] text')
        places = {tick.text_content(): tick.bounding_box()["x"] for tick in ticks.all()}
        assert sorted(places, key=lambda text: places[text]) == texts
    gaussian = tab.locator('svg[aria-label^="gaussian"]')
    assert gaussian.get_by_text("training level").count() == 1
    assert tab.get_by_text("training level").count() == 1


def test_models_of_unknown_cost_are_named_and_no_model_beats_one_of_the_front(open_page):
    tab = open_page("#view=cost&cost=parameters")
    assert "bm3d (no network)" in tab.locator("figcaption").inner_text()
    rows = opened(tab, "cost")
    assert [row[0] for row in rows if row[-1] == "yes"] == ["swinir"]  # all cost the same
    assert "noisy input" not in [row[0] for row in rows]


def test_seconds_are_those_of_the_chosen_dataset(open_page, tmp_path):
    facts = copy.deepcopy(FACTS)
    for one in facts["standings"]:
        for row in one["rows"]:
            row["seconds"] = 7.0 if one["dataset"] == "mc_render" else 3.0
    path = written(tmp_path / "x.html", facts)
    for dataset, expected in (("kodak24", "3 s"), ("mc_render", "7 s")):
        rows = opened(open_page(f"#view=cost&data={dataset}", path=path), "cost")
        assert {row[1] for row in rows} == {expected}


def test_an_order_that_was_given_is_not_called_a_rank(open_page, tmp_path, crowded):
    facts = copy.deepcopy(FACTS)
    for one in facts["standings"]:
        one["rows"] = one["rows"][:2] + one["rows"][:1:-1]
    path = written(tmp_path / "x.html", facts)
    words = [
        open_page("#view=heatmap", path=of).locator(".chart figcaption").inner_text()
        for of in (written(tmp_path / "ranked.html", FACTS), path)
    ]
    assert "in the order of their rank." in words[0]
    assert "in the order that was given." in words[1]
    curves = open_page("#view=curves", path=crowded).locator(".chart figcaption").inner_text()
    assert "The best 7 have colours" in curves


def test_the_scatter_counts_who_wins_and_by_how_much(open_page):
    tab = open_page("#view=scatter&a=dncnn&b=masked")
    scores = {
        model: np.array([
            [row[2] for row in cell["rows"]]
            for cell in FACTS["cells"]
            if cell["model"] == model and cell["dataset"] == "kodak24"
        ])
        for model in ("dncnn", "masked")
    }  # fmt: skip
    difference = scores["masked"] - scores["dncnn"]  # (cells, images), gaussian 15 the first
    noises = [difference[1:3], difference[3:5], difference[5:7]]
    of_images = np.mean([part.mean(0) for part in noises], axis=0)
    half = 4.303 * of_images.std(ddof=1) / np.sqrt(3)
    words = tab.locator(".verdict").inner_text().translate(MINUS)
    wins, losses, count = map(
        int, match(r"masked .* on (\d+), dncnn on (\d+) of (\d+)", words).groups()
    )
    assert (wins, losses, count) == (
        (difference > 0).sum(),
        (difference < 0).sum(),
        difference.size,
    )
    mean, low, high = (float(number) for number in re.findall(r"[+-]\d+\.\d+", words))
    assert [mean, low, high] == pytest.approx(
        [of_images.mean(), of_images.mean() - half, of_images.mean() + half], abs=0.006
    )


@pytest.mark.parametrize("images", [2, 9, 11, 12, 100])
def test_the_interval_of_the_scatter_is_students(open_page, tmp_path, images):
    from scipy import stats

    facts = copy.deepcopy(FACTS)
    facts["metrics"][0]["digits"] = 6
    scores = {"dncnn": np.zeros(images), "masked": np.random.default_rng(0).normal(size=images)}
    facts["cells"] = [
        {**cell, "rows": [[f"i{n}", 0.1, one, 0.5] for n, one in enumerate(scores[cell["model"]])]}
        for cell in facts["cells"]
        if cell["model"] in scores and (cell["noise"], cell["level"]) == ("poisson", 2.0)
    ]
    tab = open_page("#view=scatter&a=dncnn&b=masked", path=written(tmp_path / "x.html", facts))
    words = tab.locator(".verdict").inner_text().translate(MINUS)
    _, low, high = (float(number) for number in re.findall(r"[+-]\d+\.\d+", words))
    expected = stats.t.interval(0.95, images - 1, 0, stats.sem(scores["masked"]))
    assert high - low == pytest.approx(expected[1] - expected[0], rel=1e-5, abs=2e-6)


def test_every_noise_of_the_scatter_counts_alike_however_many_images_it_has(open_page, tmp_path):
    facts = copy.deepcopy(FACTS)
    of_noise = {"poisson": [[1.0], [3.0], [5.0]], "salt_and_pepper": [[9.0]]}
    scores = {"dncnn": 0.0, "masked": 1.0}
    facts["cells"] = [
        {
            **cell,
            "rows": [
                [f"i{n}", 0.1, scores[cell["model"]] * one[0], 0.5]
                for n, one in enumerate(of_noise[cell["noise"]])
            ],
        }
        for cell in facts["cells"]
        if cell["model"] in scores
        and (cell["noise"], cell["level"]) in {("poisson", 2.0), ("salt_and_pepper", 0.01)}
    ]
    tab = open_page("#view=scatter&a=dncnn&b=masked", path=written(tmp_path / "x.html", facts))
    words = tab.locator(".verdict").inner_text()
    assert "+6.00 dB (no two images which all cells have: no interval)" in words


def test_a_point_of_the_scatter_leads_to_its_pictures(open_page):
    tab = open_page("#view=scatter&a=dncnn&b=masked&noise=gaussian&level=50")
    links = {row[0]: place for place, row in enumerate(opened(tab, "scatter"))}
    hrefs = tab.locator(".as-table tbody a").evaluate_all(
        "(all) => all.map((a) => a.getAttribute('href'))"
    )
    assert "view=images" in hrefs[links["kodim02"]]  # kept
    assert "view=cells" in hrefs[links["kodim01"]]  # not kept


@pytest.mark.parametrize("view", CHARTS)
def test_a_saved_chart_stands_alone_and_is_the_same_in_the_dark(open_page, view):
    light, dark = (open_page(f"#view={view}", color_scheme=scheme) for scheme in ("light", "dark"))
    text = saved(light, "SVG")
    assert saved(dark, "SVG") == text
    drawn = ElementTree.fromstring(text)
    kinds = {element.tag.rpartition("}")[2] for element in drawn.iter()}
    assert "text" in kinds and not kinds & {"style", "foreignObject", "image"}
    assert not re.search(rb"var\(|color-mix|oklab|class=| style=|https?://(?!www\.w3\.org)", text)
    width, height = (int(drawn.attrib[side]) for side in ("width", "height"))
    with Image.open(io.BytesIO(saved(dark, "PNG"))) as picture:
        assert picture.size == (2 * width, 2 * height)
        assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("view", CHARTS)
def test_a_chart_names_its_metric_and_its_words_the_dataset_and_family(open_page, view):
    tab = open_page(f"#view={view}&metric=ssim&scope=impulse")
    drawn = tab.locator(".chart svg text").all_text_contents()
    assert any("SSIM" in text for text in drawn)
    assert " on kodak24, impulse noise" in tab.locator(".chart figcaption").inner_text()


@pytest.mark.parametrize("view", ["heatmap", "curves"])
def test_words_say_which_noises_have_images_of_their_own(open_page, view):
    tab = open_page(f"#view={view}")
    words = tab.locator(".chart figcaption").inner_text()
    assert "on kodak24 (mc_render: on their own images)" in words


def test_the_words_of_a_scatter_name_its_noise_and_level(open_page):
    tab = open_page("#view=scatter&noise=gaussian&level=25")
    assert "on kodak24, gaussian 25," in tab.locator(".chart figcaption").inner_text()
    assert "of 3 noisy images" in tab.locator(".verdict").inner_text()


@pytest.mark.parametrize("view", ["heatmap", "curves", "scatter"])
def test_a_family_which_the_dataset_lacks_becomes_all_of_them(open_page, view):
    tab = open_page(f"#view={view}&scope=impulse")
    tab.locator("#header select[data-key=data]").select_option("mc_render")
    tab.wait_for_selector("[data-key=scope] option[value=all]:checked", state="attached")
    assert tab.locator("#view figure.chart").count() == 1


def test_names_may_be_anything(open_page, tmp_path):
    text = json.dumps(FACTS).replace('"made up', '"a \\"b\\" \\\\ </script>&')
    facts = json.loads(text.replace('"dncnn"', '"constructor"'))
    facts["noises"][0]["label"] = "out of distribution"
    path = written(tmp_path / "x.html", facts)
    tab = open_page("#view=heatmap", path=path)
    assert saved(tab, "SVG").startswith(b"<svg")
    lines = tab.locator("#view .heat [aria-label=noises] text")
    assert lines.all_text_contents().count("out of distribution") == 2
    tops = lines.evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().top)")
    assert len(set(tops)) == len(tops)
