"""Ablations: brightness counted by hand, means which are the leaderboard's, published numbers."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from drawing import assert_whole

from benchmark.cells.scores import Scores, as_scores
from benchmark.reporting.board import Board
from benchmark.studies.ablation import (
    PUBLISHED,
    brightness,
    brightness_figure,
    markdown,
    mean_brightness,
    trade_off_figure,
)

CELLS = [("gaussian", 15.0), ("gaussian", 50.0), ("mixture", 1.0), ("mixture", 2.0)]
PSNR = {  # of each cell; the two images lie 1 dB below and above
    "identity": [25, 15, 20, 18],
    "no_mask": [34, 20, 24, 20],
    "input_only": [30, 24, 26, 24],
    "both_masks": [32, 23, 28, 26],
}
NAMES = ["both_masks", "input_only", "no_mask"]


@pytest.fixture
def table() -> pd.DataFrame:
    return toy(PSNR)


def toy(psnr: dict[str, list[float]], dataset: str = "toy") -> pd.DataFrame:
    lines = [
        {"model": model, "dataset": dataset, "noise": noise, "level": level, "seed": 0}
        | {"image": image, "psnr": mean + shift, "ssim": (mean + shift) / 50, "seconds": 0.5}
        for model, means in psnr.items()
        for (noise, level), mean in zip(CELLS, means, strict=True)
        for image, shift in (("a", -1), ("b", 1))
    ]
    return pd.DataFrame(lines)


def labelled(rows: pd.DataFrame) -> Scores:
    return replace(as_scores(rows), notes={"mixture": "a guess"})


def page(table: Scores | pd.DataFrame, **options: object) -> str:
    return markdown("masks", "Which mask does what?", "bench ablate masks", table, NAMES, **options)


def lines_of(text: str, heading: str) -> dict[str, list[str]]:
    """The lines of the table under a heading, by their first cell."""
    part = text.split(f"## {heading}")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    return {name.strip(): [cell.strip() for cell in cells] for name, *cells in rows}


def flat(*values: int) -> list[np.ndarray]:
    return [np.full((4, 6, 3), value, np.uint8) for value in values]


def test_brightness_is_the_share_of_pixels_at_each_luma():
    colours = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 9, 9]]], np.uint8)
    found = brightness([colours])
    assert {place: found[place] for place in np.flatnonzero(found)} == {
        9: 0.25,
        29: 0.25,  # 0.114 of 255
        76: 0.25,
        150: 0.25,
    }


def test_images_count_by_their_pixels():
    large, small = np.full((3, 4, 3), 200, np.uint8), np.full((2, 2, 3), 100, np.uint8)
    found = brightness(image for image in (large, small))
    assert found[200] == 0.75
    assert mean_brightness(found) == pytest.approx(175)


def test_no_image_is_no_histogram():
    with pytest.raises(ValueError, match="at least one image, got none"):
        brightness([])


@pytest.fixture
def histograms() -> dict[str, np.ndarray]:
    return {
        "clean": brightness(flat(100, 140)),
        "both_masks": brightness(flat(100, 141)),
        "input_only": brightness(flat(120, 160)),
    }


@pytest.mark.slow
def test_a_variant_has_its_histogram_over_that_of_the_clean_images_and_their_difference(histograms):
    figure = brightness_figure(histograms)
    difference = {panel.get_title(): panel for panel in figure.axes if panel.get_title()}
    assert list(difference) == ["both_masks\nmean +0.5", "input_only\nmean +20.0"]
    bars = {
        4 * place: bar.get_height()
        for place, bar in enumerate(difference["input_only\nmean +20.0"].patches)
        if bar.get_height()
    }
    assert bars == {100: -50, 120: 50, 140: -50, 160: 50}  # per cent of the pixels
    below = figure.axes[3]
    clean, restored = (patch.get_data().values for patch in below.patches)
    assert np.flatnonzero(clean).tolist() == [25, 35]
    assert np.flatnonzero(restored).tolist() == [30, 40]


def test_panels_of_brightness_have_one_scale(histograms):
    figure = brightness_figure(histograms)
    assert len({panel.get_ylim() for panel in figure.axes[:2]}) == 1
    assert len({panel.get_ylim() for panel in figure.axes[2:]}) == 1


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("count", [1, 4, 7])
def test_nothing_of_the_brightness_is_cut_off(histograms, count):
    names = ["a_variant_with_quite_a_long_name", *map(str, range(count - 1))]
    variants = dict.fromkeys(names, histograms["input_only"])
    assert_whole(brightness_figure({"clean": histograms["clean"], **variants}, "what this is"))


def test_outputs_equal_to_the_clean_images_are_a_figure(histograms):
    figure = brightness_figure({"clean": histograms["clean"], "oracle": histograms["clean"]})
    assert figure.axes[0].get_title() == "oracle\nmean +0.0"


def test_without_clean_images_or_variants_there_is_no_figure(histograms):
    clean = histograms.pop("clean")
    with pytest.raises(ValueError, match="of 'clean' and of at least one variant, got both_masks"):
        brightness_figure(histograms)
    with pytest.raises(ValueError, match="at least one variant, got clean"):
        brightness_figure({"clean": clean})


def test_a_point_of_the_trade_off_is_in_distribution_and_the_mean_of_the_leaderboard(table):
    panel = trade_off_figure(table, NAMES).axes[0]
    board = Board(as_scores(table).of(models=NAMES)).leaderboard().loc["toy"].loc[NAMES]
    joined = panel.get_lines()[0]
    assert joined.get_xdata().tolist() == board["in_distribution"].tolist() == [32, 30, 34]
    assert joined.get_ydata().tolist() == board["ood"].tolist() == [25, 24.5, 21]
    assert [text.get_text() for text in panel.texts] == NAMES
    assert panel.get_xlabel() == "gaussian 15, trained on: PSNR (dB) →"


def test_names_in_the_trade_off_cover_neither_each_other_nor_a_point():
    means = {f"variant_{n}": [30 + 0.02 * n, 20 + 0.01 * n**2, 24, 20] for n in range(3)}
    means["far"] = [33, 26, 24, 20]
    figure = trade_off_figure(toy(means), list(means))
    figure.draw_without_rendering()
    panel = figure.axes[0]
    boxes = [text.get_window_extent() for text in panel.texts]
    assert not any(one.overlaps(two) for n, one in enumerate(boxes) for two in boxes[:n])
    points = panel.transData.transform(panel.get_lines()[0].get_xydata())
    assert not any(box.count_contains(points) for box in boxes)
    assert_whole(figure)


def test_the_trade_off_says_what_it_lacks(table):
    with pytest.raises(ValueError, match="no scores of absent; it has both_masks"):
        trade_off_figure(table, ["both_masks", "absent"])
    with pytest.raises(ValueError, match="no scores of any variant"):
        trade_off_figure(table, [])
    with pytest.raises(ValueError, match="one dataset, got other, toy"):
        trade_off_figure(pd.concat([table, toy(PSNR, "other")]), NAMES)
    with pytest.raises(ValueError, match="needs scores at gaussian 15"):
        trade_off_figure(table[table["level"] != 15], NAMES)
    with pytest.raises(ValueError, match="needs scores at a noise beside gaussian 15"):
        trade_off_figure(table[table["level"] == 15], NAMES)


def test_the_page_has_the_question_the_command_and_the_variants_in_their_order(table):
    text = page(labelled(table))
    assert text.startswith("# Ablation: masks\n\nWhich mask does what?\n\nMade with `bench ablate")
    found = lines_of(text, "toy: PSNR (dB) ↑")
    assert [name for name in found if name.strip("-")] == ["model", "noisy input", *NAMES]
    assert found["model"][:2] == ["gaussian 15", "OOD mean"]
    line = found["both_masks"]
    assert line[:2] == ["32.00", "25.00"]
    assert line[3:5] == ["23.00", "27.00"]  # without ranks: two images tell nothing apart
    assert lines_of(text, "toy: SSIM ↑")["no_mask"][0] == "0.6800"
    assert "mixture: a guess." in text


def test_a_page_without_published_numbers_or_brightness_has_neither_heading(table):
    text = page(table.drop(columns="ssim"), paragraphs=["![a figure](trade_off.png)"])
    assert "SSIM" not in text
    assert "Published" not in text
    assert "Brightness" not in text
    assert text.endswith("\n\n![a figure](trade_off.png)\n")


def test_published_numbers_stand_beside_ours_on_the_same_noise(table):
    published = {"both_masks": ["1", "both masks"], "input_only": ("1", "input mask only")}
    found = lines_of(page(table, published=published), "Published")
    assert found["model"][:2] == ["PSNR (dB), mixture", "SSIM, mixture"]
    assert found["both_masks"] == ["27.00", "0.5400", "Table 1, both masks", "29.74", "0.8672"]
    assert found["input_only"][2:] == ["Table 1, input mask only", "26.96", "0.8202"]
    assert found["no_mask"] == ["22.00", "0.4400", "–", "–", "–"]
    assert "noisy input" not in found


def test_published_networks_are_said_to_be_of_another_size_and_budget(table):
    text = page(table, published={"both_masks": ("1", "both masks")})
    assert "other networks, of another size and budget" in text


def test_without_mixture_noise_the_published_stand_beside_the_mean_over_noises(table):
    text = page(table[table["noise"] == "gaussian"], published={"both_masks": ("3a", "80-90")})
    found = lines_of(text, "Published")
    assert found["model"][0] == "PSNR (dB), OOD mean"
    assert found["both_masks"][:3] == ["23.00", "0.4600", "Table 3a, 80-90"]


def test_where_a_variant_has_no_mean_over_other_noises_there_is_a_dash(table):
    table = table[(table["noise"] == "gaussian") & (table["level"] == 15)]
    found = lines_of(page(table, published={"both_masks": ("3a", "80-90")}), "Published")
    assert found["both_masks"][:3] == ["–", "–", "Table 3a, 80-90"]


def test_what_nobody_published_is_an_error_which_says_what_there_is(table):
    with pytest.raises(ValueError, match="nothing is published of 3a 85-95; .* 3a 75-85"):
        page(table, published={"both_masks": ("3a", "85-95")})


def test_the_page_says_how_much_brighter_outputs_are(table, histograms):
    found = lines_of(page(table, histograms=histograms), "Brightness")
    assert found["clean"] == ["120.00", "–"]
    assert found["input_only"] == ["140.00", "+20.00"]


def test_the_published_tables_have_the_ranking_the_paper_states():
    inputs = PUBLISHED.loc["3a", "psnr"]
    assert inputs.idxmax() == "75-85"  # "achieved with random sampling ratios between 75% ~ 85%"
    assert PUBLISHED.loc["2", "psnr"].idxmax() == "75"  # "the optimal ratios are around 75%"
    assert PUBLISHED.loc["1", "psnr"].idxmax() == "both masks"
    assert len(PUBLISHED) == 14


@pytest.mark.slow
def test_importing_ablations_loads_neither_torch_nor_matplotlib():
    code = (
        "import sys, benchmark.studies.ablation; "
        "sys.exit(str({'torch', 'matplotlib', 'scipy', 'rich'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""
