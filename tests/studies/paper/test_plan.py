"""Which commands make which parts, what they read, and whether they are there."""

from dataclasses import replace

import pytest
from parts_made_up import write_lines

from benchmark.studies.paper.parts import PARTS, chosen_parts
from benchmark.studies.paper.plan import NETWORKS

ASKED = ["figure_11", "table_3b"]


def names(runs) -> list[str]:
    return [run.name for run in runs]


def test_every_figure_and_table_of_the_paper_is_a_part():
    numbers = [f"figure_{number}" for number in range(1, 16)]
    numbers += ["table_1", "table_2", "table_3a", "table_3b", "table_3c"]
    assert sorted(part.name for part in PARTS) == sorted(numbers)
    assert [part.name for part in chosen_parts(["table_3b", "figure_1"])] == [
        *("figure_1", "table_3b"),
    ]


def test_a_part_which_the_paper_has_not_is_said_with_those_it_has():
    with pytest.raises(ValueError, match="the paper has no 'figure_16'.* It has: figure_1, "):
        chosen_parts(["figure_16"])


def test_every_run_of_a_part_is_in_the_plan_behind_what_it_reads(plan):
    assert {name for part in PARTS for name in part.runs} <= {*plan.runs}
    order = [*plan.runs]
    for run in plan.runs.values():
        assert all(order.index(name) < order.index(run.name) for name in run.after)


def test_parts_which_share_a_run_have_it_given_once(plan):
    assert names(plan.runs_of(chosen_parts(ASKED))) == ["scores", "figure_11"]
    assert names(plan.runs_of(chosen_parts(["figure_5", "table_1", "figure_6"]))) == [
        *("masks", "figure_6"),
    ]
    assert names(plan.runs_of(chosen_parts(["figure_4"]))) == []
    assert {"scores", "masks", "input_ratio"} <= {*names(plan.shared(PARTS))}


def test_tiny_networks_are_trained_for_their_curves_alone(plan):
    trained = [run.name for run in plan.runs.values() if run.words[0] == "train"]
    assert trained == ["baseline_tiny", "masked_tiny"]
    assert names(plan.runs_of(chosen_parts(["figure_13"]))) == [*trained, "curves"]
    assert names(plan.runs_of(chosen_parts(["figure_12"]))) == ["cka"]


def test_networks_without_weights_are_trained_first_and_given_to_every_run(plan):
    path = "training/{0}_small/{0}_small.safetensors"
    weights = {name: path.format(name) for name in NETWORKS}
    small = replace(
        plan, size="small", preset="fast", weights=weights, variants={}, to_train=NETWORKS
    )
    trained = [f"{name}_small" for name in NETWORKS]
    assert names(small.runs_of(chosen_parts(["table_3c"]))) == [*trained, "scores"]
    assert names(small.runs_of(chosen_parts(["figure_12"]))) == [
        *("baseline_small", "masked_small", "cka"),
    ]
    given = [word for word in small.runs["scores"].words if ".weights=" in word]
    assert given == [f"model.{name}.weights={weights[name]}" for name in NETWORKS]
    given = [word for word in small.runs["cka"].words if ".weights=" in word]
    assert given == [f"model.{name}.weights={weights[name]}" for name in ("baseline", "masked")]
    assert small.runs["masked_small"].words[:3] == ("train", "preset=fast", "model=masked_small")
    assert "size=small" in small.runs["masks"].words


def test_networks_of_the_published_size_have_their_own_names(plan):
    published = replace(plan, size="published", preset="paper", to_train=("masked",))
    assert "model=masked" in published.runs["masked"].words
    assert not any(word.startswith("size=") for word in published.runs["masks"].words)


def test_both_masked_networks_stand_beside_the_one_without_masks(plan):
    (word,) = (word for word in plan.runs["figure_8"].words if word.startswith("model="))
    assert word.startswith("model=[baseline,masked,masked_80_90,swinir,")


def test_a_command_made_a_folder_if_its_page_names_it_wherever_it_wrote_to(plan):
    run = plan.runs["masks"]
    write_lines(run.folder / "README.md", "# Ablation: masks", "", f"Made with `{run.command}`.")
    assert run.is_there
    assert run.other_commands == []
    elsewhere = "bench ablate masks preset=tiny size=tiny out=elsewhere runs=elsewhere"
    write_lines(run.folder / "README.md", f"Made with `{elsewhere}`.")
    assert run.other_commands == []
    other = "bench ablate masks preset=fast"
    write_lines(run.folder / "README.md", f"Made with `{other}`.")
    assert run.other_commands == [other]


def test_a_folder_of_scores_names_its_commands_in_a_block(plan):
    run = plan.runs["scores"]
    lines = ["# scores", "", "Made with `bench run`:", "", "```sh", "bench run model=all", "```"]
    write_lines(run.folder / "README.md", *lines)
    assert run.other_commands == ["bench run model=all"]
    assert not run.is_there


def test_a_training_is_there_with_its_weights_or_with_curves_and_no_state_to_go_on_from(plan):
    run = plan.runs["masked_tiny"]
    assert not run.is_there
    write_lines(run.folder / "validation.csv", "step,noise,level,psnr")
    assert run.is_there
    write_lines(run.folder / "state-000000010.pt", "")
    assert not run.is_there
    write_lines(run.folder / "masked_tiny.safetensors", "")
    assert run.is_there
