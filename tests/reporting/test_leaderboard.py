"""The leaderboard: its means, its order, who is told apart, and the words under it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from toy_scores import PSNR, SCALES, labelled, leaderboard, line_of, many_noises, toy

from benchmark.cells.scores import Scale
from benchmark.protocol import PROTOCOLS
from benchmark.reporting.board import Board
from benchmark.reporting.report import markdown, write


def test_columns_are_the_means_they_claim_to_be(table):
    masked = leaderboard(table).loc[("toy", "masked")]
    assert masked["in_distribution"] == pytest.approx(32)
    assert masked["gaussian"] == pytest.approx(25)  # of 27 and 23; 15 was trained on
    assert masked["spots"] == pytest.approx(27)
    assert masked["ood"] == pytest.approx(26)
    assert masked["ood_low"] < 26 < masked["ood_high"]
    assert masked["seconds"] == 0.5


def test_references_stand_first_and_models_are_ranked_by_their_mean_over_noises(table):
    assert list(leaderboard(table).index.get_level_values("model")) == [
        *("identity", "bm3d"),
        *("masked", "baseline"),
    ]


def test_the_order_of_lines_changes_nothing(table):
    pd.testing.assert_frame_equal(leaderboard(table), leaderboard(table[::-1]))


def test_a_model_does_not_gain_by_missing_a_noise(table):
    hard = (table["noise"] == "gaussian") & (table["level"] > 15)
    table = table[~((table["model"] == "baseline") & hard)]
    board = leaderboard(table)
    assert "gaussian" not in board  # for nobody
    assert board.loc[("toy", "masked"), "ood"] == pytest.approx(27)
    assert board.loc[("toy", "baseline"), "ood"] == pytest.approx(22)


def test_the_best_model_is_bold_and_references_never_are(table):
    text = markdown(labelled(table))
    assert line_of(text, "masked")[1:3] == ["32.00", "**26.00**"]
    assert line_of(text, "baseline")[1:3] == ["**34.00**", "22.50"]
    assert line_of(text, "bm3d")[1:7:5] == ["31.00", "*26.00*"]  # gaussian: no model reaches it
    assert "**" not in "".join(line_of(text, "bm3d") + line_of(text, "noisy input"))


def test_the_label_of_a_network_is_that_of_its_trainings(table):
    scores = labelled(table, labels={"masked": "Ours", "masked@1": "Ours, first"})
    found = [scores.label(name) for name in ("masked@2", "masked@1", "identity", "tv@1", "tv")]
    assert found == ["Ours@2", "Ours, first", "noisy input", "tv@1", "tv"]


def test_where_lower_is_better_the_lowest_is_bold_and_first(table):
    table["psnr"] = np.nan
    rows = table[["model", *table.columns[1:6], "lpips", "seconds"]]
    text = markdown(rows, higher_is_better={"lpips": False})
    assert "### LPIPS ↓" in text
    assert line_of(text, "masked")[2] == "**0.4800**"
    assert line_of(text, "baseline")[1:3] == ["**0.3200**", "0.5500"]
    assert text.index("| masked ") < text.index("| baseline ")
    assert "below zero is better" in text


def test_bold_is_the_best_group_and_not_the_best_number(table):
    twin = table[table["model"] == "masked"].assign(model="twin")
    twin["psnr"] += np.where(twin["image"].astype(int) % 2, -0.4, 0.2)
    text = markdown(labelled(pd.concat([table, twin])))
    assert line_of(text, "masked")[2] == "**26.00**"
    assert line_of(text, "twin")[2] == "**25.93**"
    assert line_of(text, "baseline")[2] == "22.50"


def test_tied_models_share_a_letter_and_ranks(table):
    twin = table[table["model"] == "masked"].assign(model="twin")
    twin["psnr"] += np.where(twin["image"].astype(int) % 2, -0.4, 0.2)
    scores = labelled(pd.concat([table, twin]))
    text = markdown(scores)
    rank = [line_of(text, model)[4] for model in ("masked", "twin", "baseline", "bm3d")]
    assert rank == ["1 to 2", "1 to 2", "3", "–"]
    group = [line_of(text, model)[5] for model in ("masked", "twin", "bm3d", "baseline")]
    assert group == ["a", "a", "b", "c"]
    tested = (
        "of 3 pairs of ranked models and 7 with a reference, corrected by Holm to 5 % for all of"
    )
    assert f"over 9 images {tested} a kind together" in text


def test_images_too_few_to_tell_any_two_models_apart_are_said_to_be(table):
    few = table[table["image"].isin(["00", "01", "02"])]
    text = markdown(labelled(few))
    assert "No two models can be told apart over 3 images: the least p there can" in text
    assert "**" not in text and "Bold" not in text
    assert "group" not in text.partition("Paired with")[0]


def test_where_no_test_tells_two_models_apart_that_is_said_in_place_of_groups(table):
    twin = table[table["model"] == "masked"].assign(model="twin")
    twin["psnr"] += np.where(twin["image"].astype(int) % 2, -0.4, 0.35)
    text = markdown(labelled(pd.concat([table[table["model"] == "masked"], twin])))
    assert (
        "No two models can be told apart (Wilcoxon's test over 9 images, 1 pair, Holm, 5 %)" in text
    )
    assert "Group:" not in text and "Rank:" not in text


def test_a_metric_without_values_is_left_out_in_words(table):
    text = markdown(labelled(table.assign(lpips=np.nan)))
    assert "LPIPS is left out: no image has a value." in text
    assert "### LPIPS" not in text


@pytest.mark.slow
def test_a_model_without_a_metric_is_named_and_does_not_spoil_it_for_others(table):
    table.loc[table["model"] == "bm3d", "ssim"] = np.nan
    text = markdown(labelled(table)).split("### SSIM")[1].split("###")[0]
    assert "Without a value of SSIM, so not shown: bm3d." in text
    assert "5 of 5 cells shared by all 3 models" in text


def test_models_are_compared_with_the_one_which_a_class_names(table):
    found = Board(labelled(table)).comparison()
    assert set(found["against"]) == {"baseline"}
    assert found.loc[("toy", "masked"), "difference"] == pytest.approx(3.5)
    assert found.loc[("toy", "masked"), "low"] == pytest.approx(3.5)  # the same on every image


@pytest.mark.parametrize("partners", [{}, {"masked": "absent"}, {"masked": "masked"}])
def test_without_such_a_one_the_best_model_is_what_others_are_compared_with(table, partners):
    found = Board(labelled(table, partners=partners)).comparison()
    assert set(found["against"]) == {"masked"}
    assert found.loc[("toy", "bm3d"), "difference"] == pytest.approx(-1)


def test_a_dataset_without_a_shared_cell_is_said_to_have_none(table, tmp_path):
    apart = table[(table["model"] == "masked") == (table["noise"] == "spots")]
    with pytest.raises(ValueError, match="no cell with psnr is shared"):
        leaderboard(apart)
    assert "No cell is shared by all models" in markdown(labelled(apart))
    written = write(labelled(apart), tmp_path, formats=["md", "csv"])
    assert {"leaderboard.md", "ranking.csv"} <= {path.name for path in written}


@pytest.mark.slow
def test_many_noises_stand_below_each_other_with_a_column_per_model(table):
    text = markdown(many_noises(table))
    headings = next(line for line in text.splitlines() if "noisy input" in line)
    assert [cell.strip(" *") for cell in headings.strip("|").split("|")] == [
        "",
        "noisy input",
        "bm3d",
        "masked",
        "baseline",
    ]
    assert line_of(text, "spots3")[1:] == ["21.00", "24.00", "**27.00**", "22.00"]
    assert line_of(text, "gaussian 15")[1:] == ["25.00", "31.00", "32.00", "**34.00**"]


def test_what_stands_under_every_table_of_a_dataset_is_written_once(table):
    text = markdown(many_noises(table))
    assert text.count("- spots3: guess number 3.") == text.count("- OOD mean: ") == 1
    assert text.count("As above: what stands behind") == len(SCALES) - 1
    fewer = table["ssim"].where(table["image"] != "00")
    ssim = markdown(labelled(table.assign(ssim=fewer))).split("### SSIM")[1].split("###")[0]
    assert "- 8 images;" in ssim and "As above: what stands behind" not in ssim


def test_a_network_and_its_trainings_of_the_same_weights_count_once_and_are_named(table):
    twice = pd.concat([table, table[table["model"] == "masked"].assign(model="masked@1")])
    text = markdown(labelled(twice))
    assert "The scores of another training, so counted once: masked@1." in text
    assert "trainings" not in line_of(text, "masked")
    assert line_of(text, "masked")[2:4] == line_of(markdown(labelled(table)), "masked")[2:4]


def test_intervals_say_over_how_many_seeds_they_are(table):
    two = toy(PSNR, seeds=2)
    assert "bootstrap over 9 images and 2 seeds of the noise" in markdown(labelled(two))
    assert "another seed" in markdown(labelled(two))
    assert "another seed" not in markdown(labelled(table))


def test_a_page_says_what_the_table_knows_of_its_protocol_and_no_more(table):
    assert "Protocol" not in markdown(labelled(table))
    treated = dict.fromkeys(["noisy", "restored"], "clipped, 8 bits")
    scores = labelled(table, protocols=[treated], border={"toy": {"psnr": 1}})
    said = "noisy and restored images are clipped and rounded to 8 bits"
    psnr, ssim = markdown(scores).split("### SSIM")
    assert f"Protocol masked: {said}, a 1-pixel border left out." in psnr
    assert f"Protocol masked: {said}." in ssim
    other = replace(scores, protocols=[{"noisy": "as they are", "restored": "clipped"}])
    assert "Protocol unknown (noisy: as they are, restored: clipped)" in markdown(other)


def test_scores_by_two_protocols_never_stand_in_one_table(table):
    protocols = [PROTOCOLS[name].facts for name in ("masked", "kair")]
    with pytest.raises(ValueError, match="protocols kair and masked"):
        markdown(labelled(table, protocols=protocols))


def test_a_metric_of_a_plugin_is_printed_with_its_own_unit_and_digits(table):
    scales = {**SCALES, "lpips": Scale("lpips", False, "JND", 1)}
    text = markdown(replace(labelled(table), scales=scales)).split("### LPIPS (JND) ↓")[1]
    assert line_of(text, "masked")[2] == "**0.5**"


def test_a_selection_keeps_what_is_known_and_names_what_is_not_there(table):
    some = labelled(table).of(models=["masked", "bm3d"], noises=["spots"])
    assert set(some.rows["model"]) == {"masked", "bm3d"}
    assert set(some.rows["noise"]) == {"spots"}
    assert some.notes["spots"] == "an estimate of something"
    with pytest.raises(ValueError, match="no scores of model 'dncnn'; there are: baseline, bm3d"):
        labelled(table).of(models=["dncnn"])


def test_a_single_image_has_differences_without_an_interval(table):
    page = markdown(labelled(table[table["image"] == "00"]))
    assert "nan" not in page
    assert line_of(page.partition("Paired with")[2], "masked")[2] == "–"


def test_an_infinite_score_is_none(table):
    image = (table["model"] == "masked") & (table["image"] == "00")
    infinite, lacking = (
        leaderboard(table.assign(psnr=table["psnr"].mask(image, value)))
        for value in (np.inf, np.nan)
    )
    pd.testing.assert_frame_equal(infinite, lacking)
