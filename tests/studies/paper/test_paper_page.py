"""The page of the paper from made-up folders: pictures, tables, states, and what differs."""

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from drawing import assert_whole
from parts_made_up import DRAWN, gallery_of, scored, write_lines

from benchmark.cells.scores import as_scores
from benchmark.files.output import is_ours
from benchmark.reporting.tables import Table
from benchmark.studies.paper.architecture import Architecture, architecture_figure
from benchmark.studies.paper.making import Outcome
from benchmark.studies.paper.page import check_folder, lacking, write_page
from benchmark.studies.paper.parts import PARTS, chosen_parts
from benchmark.studies.paper.published import PUBLISHED

NETWORKS = Table(["network"], [["masked"]])


def page_of(plan, outcomes=None, **scores) -> dict[str, str]:
    """The sections of the page by their heading."""
    gallery = gallery_of(plan, **scores)
    write_page(plan, gallery, NETWORKS, "A budget.", "bench paper", outcomes or {})
    text = (plan.out / "README.md").read_text()
    _, *sections = re.split("^##+ ", text, flags=re.MULTILINE)
    return {section.partition("\n")[0]: section for section in sections}


def line_of(section: str, model: str) -> list[str]:
    """The line of a model in the section's first table which has one."""
    (line, *_) = (line for line in section.splitlines() if line.startswith(f"| {model} "))
    return [cell.strip() for cell in line.strip("| ").split("|")][1:]


def test_an_empty_folder_gives_a_page_with_every_part_missing_and_how_to_make_it(plan):
    page = page_of(plan)
    for part in PARTS:
        section = page[part.title]
        if part.name == "figure_4":  # drawn with the page
            assert "**Here: made.**" in section
            assert "bench paper figure_4" in section
            continue
        assert "**Here: missing.**" in section
        assert part.same in section and part.other in section
        shared = [run.name for run in plan.shared(PARTS)]
        for run in map(plan.runs.get, part.runs):
            where = page[run.name] if run.name in shared else section
            assert run.command in where
    assert "Here is 1 of its 20 figures and tables" in (plan.out / "README.md").read_text()
    assert is_ours(plan.out / "README.md", "paper")
    assert is_ours(plan.out / "explanations.csv", "explanations")


def test_pictures_which_lie_elsewhere_are_shown_from_there(plan):
    folder = plan.folders["analyses"] / "cka"
    for name in ("cka.csv", "cka.svg", "cka.md"):
        columns = "left_model,right_model,left_layer,right_layer,right_noise,right_level,cka"
        write_lines(folder / name, columns)
    section = page_of(plan)["Figure 12"]
    assert "**Here: found.**" in section
    assert "![Figure 12](analyses/cka/cka.svg)" in section
    assert "[cka.md](analyses/cka/cka.md)" in section


def test_scores_stand_beside_the_published_ones_of_the_same_level(plan):
    write_lines(plan.folders["scores"] / "leaderboard.csv", "")
    models = ("identity", "dncnn", "masked", "masked_80_90")
    scores = scored(*((m, "isp", 1.0, 20.0 + n) for n, m in enumerate(models)))
    section = page_of(plan, scores=scores)["Table 3c"]
    assert line_of(section, "dncnn") == ["21.00", "29.44", "0.2100", "0.7857", "–", "0.3083"]
    assert line_of(section, "masked")[:2] == ["22.00", "29.44"]
    assert line_of(section, "masked_80_90")[:2] == ["23.00", "–"]
    assert line_of(section, "noisy input")[:2] == ["20.00", "–"]


def test_the_published_tables_have_what_the_paper_says_of_them():
    ours = PUBLISHED.xs("masked", level="model")
    for noise, level in ours.index:
        others = PUBLISHED.loc[(noise, level)]
        assert others["psnr"].idxmax() in ("masked", "dncnn")  # "DnCNN and ours the same PSNR"
        assert others["ssim"].idxmax() == "masked"
        assert others["lpips"].idxmin() == "masked"
    assert len(PUBLISHED) == 24


def test_variants_of_an_ablation_stand_beside_the_published_ones(plan):
    write_lines(plan.folders["ablations"] / "masks/README.md", "# Ablation: masks")
    lines = [(m, "mixture", 1.0, p) for m, p in (("input_only", 21.0), ("masked", 25.0))]
    lines += [(m, "gaussian", 15.0, 30.0) for m in ("input_only", "masked")]
    section = page_of(plan, masks=scored(*lines))["Table 1"]
    assert line_of(section, "masked") == [
        *("25.00", "0.2500", "Table 1, both masks", "29.74", "0.8672"),
    ]


def test_an_ablation_stopped_before_all_variants_have_scores_is_missing(plan):
    section = page_of(plan, masks=scored(("masked", "mixture", 1.0, 25.0)))["Table 1"]
    assert "**Here: missing.**" in section and "| masked" not in section


def test_scores_of_several_datasets_are_of_the_images_asked_for(plan):
    write_lines(plan.folders["scores"] / "leaderboard.csv", "model,dataset,noise,level,psnr")
    scores = scored(*((model, "isp", 1.0, 20.0) for model in ("dncnn", "masked")))
    other = scores.rows.assign(dataset="a", image="b", psnr=10.0)
    scores = as_scores(pd.concat([other, scores.rows]))
    section = page_of(plan, scores=scores)["Table 3c"]
    assert "isp 1, toy, 1 images:" in section
    assert line_of(section, "masked")[0] == "20.00"


def test_the_command_of_a_drawn_part_finds_what_the_page_has_found(plan):
    elsewhere = replace(plan, folders={**plan.folders, "scores": Path("my scores")})
    section = page_of(elsewhere)["Figure 4"]
    assert "make=none data=toy 'scores=my scores' out=" in section
    assert "analyses=" not in section


@pytest.mark.parametrize("other", [{"size": "small"}, {"dataset": "photos"}])
def test_a_folder_of_another_size_or_of_other_images_is_refused(plan, other):
    check_folder(plan)
    page_of(plan)
    check_folder(plan)
    with pytest.raises(ValueError, match="is of size=tiny data=toy, .* out=FOLDER"):
        check_folder(replace(plan, **other))


def test_a_part_names_the_trainings_which_it_builds_upon_once_each(plan):
    tiny = page_of(plan)["Figure 13"]
    assert tiny.count("bench train") == 2 and "Made by" not in tiny
    small = page_of(replace(plan, size="small", to_train=("dncnn", "baseline", "masked")))
    anchors = "[baseline_small](#baseline_small), [masked_small](#masked_small)"
    assert f"Made by {anchors}, then by:" in small["Figure 13"]
    assert "[masked_small](#masked_small), [scores](#scores), then by:" in small["Figure 1"]
    assert "bench train" in small["masked_small"] and "bench train" not in small["Figure 13"]


def test_a_comparison_shows_the_picture_which_its_scores_choose_and_no_older_one(plan):
    models = ("swinir", "masked", "masked_80_90")
    lines = [
        (m, noise, lv, 20.0) for m in models for noise, lv in (("gaussian", 15), ("mixture", 3))
    ]
    scores = scored(*lines)
    write_lines(plan.out / "figure_1/comparison_toy_older.png", "")
    section = page_of(plan, scores=scores)["Figure 1"]
    assert "**Here: missing.** Figure 1 needs" in section
    write_lines(plan.out / "figure_1/comparison_toy_a.png", "")
    section = page_of(plan, scores=scores)["Figure 1"]
    assert "![Figure 1](figure_1/comparison_toy_a.png)" in section
    assert "Image a of toy, on which swinir and masked differ most" in section


def test_a_comparison_leaves_out_a_network_which_is_still_to_be_trained(plan):
    plan = replace(plan, variants={}, to_train=("rnan",))
    shown = ("baseline", "masked", "swinir", "restormer", "dncnn", "dropout", "ridnet")
    scores = scored(*[(name, "isp", 1, 20.0) for name in shown])
    write_lines(plan.out / "figure_10/comparison_toy_a.png", "")
    assert "comparison_toy_a.png" in page_of(plan, scores=scores)["Figure 10"]
    fewer = scored(*[(name, "isp", 1, 20.0) for name in shown[1:]])
    assert "**Here: missing.**" in page_of(plan, scores=fewer)["Figure 10"]


def test_a_failed_run_is_told_with_its_sentence_wherever_it_is_needed(plan):
    outcomes = {
        "scores": Outcome("failed", "no images of toy"),
        "figure_8": Outcome("missing", "it needs scores, which failed"),
    }
    page = page_of(plan, outcomes)
    assert "**Here: failed.** No images of toy." in page["Table 3b"]
    assert "**Here: missing.** It needs scores, which failed." in page["Figure 8"]
    assert "Failed: no images of toy." in page["scores"]
    parts = chosen_parts(["table_3b", "figure_4", "figure_8"])
    assert lacking(plan, parts, outcomes) == {"Figure 8": "missing", "Table 3b": "failed"}


def test_what_another_command_made_is_said(plan):
    folder = plan.folders["ablations"] / "attention_ratio"
    write_lines(folder / "README.md", "# Ablation", "", "Made with `bench ablate x steps=7`.")
    section = page_of(plan)["Table 2"]
    assert "made by another command:\n\n```sh\nbench ablate x steps=7\n```" in section


def test_every_line_of_the_summary_leads_to_a_part(plan):
    page = page_of(plan)
    anchors = re.findall(r"\]\(#([\w-]+)\)", page["All parts"])
    assert anchors == [part.title.lower().replace(" ", "-") for part in PARTS]


@pytest.mark.parametrize("depths", [(4, 4), (6, 6, 6, 6)])
def test_the_drawn_network_says_its_settings_and_nothing_of_it_is_cut_off(depths):
    figure = architecture_figure(Architecture.of({**vars(DRAWN), "depths": list(depths)}, 87_235))
    words = " ".join(text.get_text() for text in figure.axes[0].texts)
    assert words.count("blocks,\nconv, shortcut") == len(depths)
    for said in ("87,235 parameters", "80 to 90 % of pixels", "75 % of tokens", "2 heads of 16"):
        assert said in words
    assert_whole(figure)
