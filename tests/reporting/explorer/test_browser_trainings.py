"""Several trainings of a network in the explorer: means are over those which count."""

import copy

import made_up
import pytest
from browsing import column

from benchmark.reporting.explorer.page import page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAMES = ["dncnn@1", "dncnn@2", "dncnn@3"]
SCORES = {  # of image a, b and c; the third training is the first one under another name
    "masked": [30.0, 32.0, 40.0],
    "dncnn@1": [20.0, 20.0, 20.0],
    "dncnn@2": [28.0, 30.0, None],
    "dncnn@3": [20.0, 20.0, 20.0],
}


@pytest.fixture
def trained(tmp_path):
    """A page of one condition, where dncnn has three trainings, and pictures of the second."""
    lines: list[str] = []
    facts = copy.deepcopy(made_up.facts(lines))
    (model,) = (one for one in facts["models"] if one["name"] == "dncnn")
    model["trainings"] = NAMES
    model["counted"] = {"kodak24": dict.fromkeys(("psnr", "ssim"), NAMES[:2])}
    cell = next(one for one in facts["cells"] if (one["noise"], one["level"]) == ("poisson", 3.0))
    facts["cells"] = [
        {
            **cell,
            "model": training.partition("@")[0],
            "training": training,
            "rows": [[f"kodim0{n}", 0.1, one, 0.5] for n, one in enumerate(of, 1)],
        }
        for training, of in SCORES.items()
    ]
    scene = next(one for one in facts["scenes"] if one["noise"] == "poisson")
    facts["scenes"] = [{**scene, "pictures": scene["pictures"] | {"dncnn@2": 0}}]
    path = tmp_path / "trained.html"
    path.write_text(page(facts, lines))
    return path


def test_the_scatter_is_over_the_trainings_which_count_and_the_images_which_all_have(
    open_page, trained
):
    tab = open_page("#view=scatter&a=dncnn&b=masked&noise=poisson", path=trained)
    words = tab.locator(".verdict").inner_text()
    assert "masked is better on 2, dncnn on 0 of 2 noisy images" in words
    assert "+6.50 dB" in words  # 31 less the mean of 20 and 29; of all three it would be +8.00


def test_a_difference_to_a_network_is_to_the_mean_of_its_trainings(open_page, trained):
    tab = open_page("#view=cells&a=masked&reference=dncnn&noise=poisson&level=3", path=trained)
    assert column(tab, "less dncnn")[:1] == ["+6.50"]


def test_a_picture_says_of_which_training_it_is(open_page, trained):
    tab = open_page("#view=images&noise=poisson&level=3&image=kodim01&a=dncnn", path=trained)
    tile = tab.locator("[data-tile=dncnn]").inner_text()
    assert "dncnn, dncnn@2" in tile and "28.00 dB" in tile
    assert "dncnn, dncnn@2" in tab.locator(".compare .names").inner_text()
    assert tab.locator("[data-tile=masked] .model").inner_text() == "masked"
