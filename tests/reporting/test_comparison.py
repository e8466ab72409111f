"""What a visual comparison shows where little is said, and what stands below its pictures."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmark.cells.scores import Scale, Scores
from benchmark.protocol import PROTOCOLS
from benchmark.reporting.comparison import choose_crop, comparison_of, crops_of

LEVELS = {"gaussian": [5, 15, 25, 50], "poisson": [1, 3], "real": [0]}
MODELS = ["bm3d", "identity", "mine", "yours"]


@pytest.fixture
def scores() -> Scores:
    """Four models; on image c, mine and yours differ most."""
    lines = []
    for noise, levels in LEVELS.items():
        dataset, seeds = ("real", [0]) if noise == "real" else ("photos", [0, 1])
        for level in levels:
            for seed in seeds:
                for image in "abc":
                    for place, model in enumerate(MODELS):
                        psnr = 20 + place + seed + 3 * (image == "c" and model == "yours")
                        row = [model, dataset, noise, float(level), seed, image, psnr, psnr / 100]
                        lines.append(row)
    columns = ["model", "dataset", "noise", "level", "seed", "image", "psnr", "ssim"]
    rows = pd.DataFrame(lines, columns=columns).assign(seconds=1.0)
    scales = {"psnr": Scale("psnr", True, "dB", 2), "ssim": Scale("ssim", True, "", 3)}
    return Scores(rows, scales, protocols=[PROTOCOLS["masked"].facts], labels={"mine": "Ours"})


def of(scores, **given):
    asked = {"models": ["all"], "noises": ["all"], "levels": [], "dataset": None, "seed": None}
    asked |= {"metrics": ["psnr", "ssim"]}
    return comparison_of(scores, **asked | given)


def test_without_a_word_all_noises_of_the_first_dataset_are_shown_at_their_third_level(scores):
    found = of(scores)
    assert found.dataset == "photos" and found.seed == 0
    assert found.conditions == [("gaussian", 25.0), ("poisson", 3.0)]
    assert found.models == ["bm3d", "mine", "yours"]  # references first; the input is no model


def test_models_and_noises_keep_their_order_and_each_noise_has_its_level(scores):
    found = of(scores, models=["yours", "mine"], noises=["poisson", "gaussian"], levels=[1, 50])
    assert found.models == ["yours", "mine"]
    assert found.conditions == [("poisson", 1), ("gaussian", 50)]
    assert of(scores, noises=["gaussian"], levels=[5, 50]).conditions == [
        ("gaussian", 5),
        ("gaussian", 50),
    ]


def test_recorded_noise_is_shown_on_its_own_images(scores):
    found = of(scores, noises=["real"])
    assert found.dataset == "real"
    pixels = np.zeros((4, 4, 3), np.uint8)
    row = found.row(found.conditions[0], {"noisy": pixels, "mine": pixels}, "a")
    assert row.title == "real"  # without a level
    said = found.caption("a", [(0, 0, 2, 2)], ["crop"])
    assert said.startswith("Image a of real. Below") and "seed" not in said


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"noises": ["gaussian", "poisson"], "levels": [5, 1, 3]}, "3 values for 2 noises"),
        ({"noises": ["poisson"], "levels": [25]}, "no scores of poisson at level 25; .* 1, 3"),
        ({"seed": 7}, "no scores with seed=7; there are: 0, 1"),
        ({"models": ["hers"]}, "no scores of model 'hers'"),
        ({"noises": ["rain"]}, "no scores of noise 'rain'"),
        ({"dataset": "moon"}, "no scores of dataset 'moon'"),
        ({"metrics": ["lpips"]}, "no scores of metric 'lpips'"),
    ],
)
def test_what_is_not_there_is_a_sentence(scores, given, says):
    with pytest.raises(ValueError, match=says):
        of(scores, **given)


def test_the_image_is_the_one_on_which_the_first_two_models_differ_most(scores):
    assert of(scores).choose_image() == "c"
    assert of(scores, models=["bm3d", "mine"]).choose_image() == "a"  # one is a reference


def test_only_images_of_which_all_is_scored_are_shown(scores):
    def without(query: str) -> Scores:
        return replace(scores, rows=scores.rows.query(f"not ({query})"))

    part = without("model == 'mine' and noise == 'poisson' and image == 'c'")
    assert of(part).images() == ["a", "b"]
    assert of(part, models=["yours"]).images() == ["a", "b", "c"]
    with pytest.raises(ValueError, match="has scores of mine under poisson 3"):
        of(without("model == 'mine' and noise == 'poisson'")).images()


def test_below_a_picture_stand_the_scores_of_its_cell_and_the_best_is_bold(scores):
    found = of(scores)
    names = ["noisy", "bm3d", "mine", "yours", "clean"]
    pictures = {name: np.zeros((4, 4, 3), np.uint8) for name in names}
    row = found.row(("gaussian", 25.0), pictures, "c")
    assert row.title == "gaussian 25"
    assert [picture.scores for picture in row.pictures] == [
        ["21.00", "0.210"],
        ["20.00", "0.200"],
        ["22.00", "0.220"],
        ["26.00", "0.260"],
        ["PSNR", "SSIM"],
    ]
    assert [any(picture.is_best) for picture in row.pictures] == [False, False, False, True, False]


def test_without_scores_of_the_input_the_noisy_picture_has_none(scores):
    part = scores.of(models=["mine", "yours"])
    pictures = {name: np.zeros((4, 4, 3), np.uint8) for name in ("noisy", "mine", "yours", "clean")}
    row = of(part).row(("poisson", 3.0), pictures, "a")
    assert row.pictures[0].scores == ["–", "–"]


def test_the_caption_says_what_was_chosen_and_by_what(scores):
    found = of(scores, noises=["gaussian", "poisson"])
    said = found.caption("c", [(4, 8, 16, 16)], ["image", "crop"])
    assert said == (
        "Image c of photos, on which Ours and yours differ most in PSNR, under gaussian 25 and "
        "poisson 3, seed 0. Below each picture stands its PSNR (dB) / SSIM, as in the tables: of "
        "the whole image, by protocol masked; the best of the models in bold. Magnified are "
        "16×16 pixels at x=8, y=4, where the models differ most."
    )
    bordered = replace(found, scores=replace(scores, border={"photos": {"psnr": 4, "ssim": 4}}))
    assert "of the whole image, 4-pixel border left out, by" in bordered.caption("c", [], [])
    given = found.caption("c", [(4, 8, 16, 16)], [])
    assert "differ most" not in given and "x=8, y=4." in given


def test_the_crop_is_where_the_models_differ_most():
    one, two = np.zeros((90, 120, 3), np.uint8), np.zeros((90, 120, 3), np.uint8)
    two[50:80, 70:100] = 9
    assert choose_crop([[one, two]]) == (50, 70, 30, 30)
    assert choose_crop([[one, one], [two, one]]) == (50, 70, 30, 30)


def test_crops_are_read_as_they_are_typed():
    assert crops_of(["120:80:64", "0:0:1"]) == [(80, 120, 64, 64), (0, 0, 1, 1)]
    for word in ("120:80", "1:2:0", "a:b:c", "-1:2:3", "1:2:3:4"):
        with pytest.raises(ValueError, match="no X:Y:SIDE"):
            crops_of([word])
