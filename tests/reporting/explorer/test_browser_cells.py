"""The explorer's cells in a browser: an interval and a difference are of the score's images."""

import copy

import made_up
import pytest
from browsing import column

from benchmark.reporting.explorer.page import page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PLACE = "#view=cells&a=masked&reference=dncnn&noise=poisson&level=2"


@pytest.fixture
def uneven(tmp_path):
    """A page of one condition: three images of masked, two of each training of dncnn."""
    facts = copy.deepcopy(made_up.facts([]))
    scores = {
        ("masked", "masked"): {"a": 30.0, "b": 32.0, "c": 40.0},
        ("dncnn", "dncnn@1"): {"a": 29.0, "b": 30.0},
        ("dncnn", "dncnn@2"): {"a": 27.0, "b": 30.0},
    }
    cell = next(c for c in facts["cells"] if (c["noise"], c["level"]) == ("poisson", 2.0))
    facts["cells"] = [
        {
            **cell,
            "model": model,
            "training": training,
            "rows": [
                [image, 0.1, psnr, None if model == "dncnn" else 0.5] for image, psnr in of.items()
            ],
        }
        for (model, training), of in scores.items()
    ]
    (dncnn,) = (one for one in facts["models"] if one["name"] == "dncnn")
    dncnn["trainings"] = ["dncnn@1", "dncnn@2"]
    facts["points"] = [
        {**point, "mean": 31.0, "low": 29.0, "high": 33.0, "images": 2} for point in facts["points"]
    ]
    path = tmp_path / "uneven.html"
    path.write_text(page(facts))
    return path


def test_a_difference_is_over_the_images_which_both_have_and_over_trainings(open_page, uneven):
    tab = open_page(PLACE, path=uneven)
    assert column(tab, "less dncnn")[0] == "+2.00"
    assert column(tab, "images")[0] == "3"
    assert tab.locator("#view .interval").count() == 0  # it is of two images, the score of three
    heads = tab.locator("#view table").nth(1)
    assert heads.locator("tbody tr").all_inner_texts()[0].split("\t")[3] == "+2.00"
    assert heads.locator("tbody tr").all_inner_texts()[2].split("\t")[3] == "–"


def test_a_score_that_is_missing_is_no_nought(open_page, uneven):
    tab = open_page(f"{PLACE}&metric=ssim", path=uneven)
    assert column(tab, "less dncnn")[0] == "–"
    lines = tab.locator("#view table").nth(1).locator("tbody tr").all_inner_texts()
    assert [line.split("\t")[3] for line in lines] == ["–"] * 3


def test_an_interval_stands_beside_the_seeds_which_it_is_of_alone(open_page, tmp_path):
    facts = copy.deepcopy(made_up.facts([]))
    facts["cells"] += [{**cell, "seed": 1} for cell in facts["cells"] if cell["model"] == "masked"]
    path = tmp_path / "seeds.html"
    path.write_text(page(facts))
    tab = open_page("#view=cells&a=masked&noise=poisson", path=path)
    seeds, intervals = (column(tab, title)[:4] for title in ("seed", "95 % interval"))
    assert sorted(seeds) == ["0", "0", "1", "1"]
    assert [" to " in shown for shown in intervals] == [seed == "0" for seed in seeds]


@pytest.mark.parametrize("of", ["kodak24", "folder"])
def test_scores_of_a_folder_are_made_again_with_its_images_named(open_page, tmp_path, of):
    facts = copy.deepcopy(made_up.facts([]))
    for dataset in facts["datasets"]:
        dataset["settings"]["of"] = of
    path = tmp_path / "folder.html"
    path.write_text(page(facts))
    tab = open_page("#view=cells&a=masked&noise=poisson", path=path)
    words = tab.locator("#view code").last.inner_text()
    assert words.endswith("noise=poisson images=FOLDER" if of == "folder" else "noise=poisson")
