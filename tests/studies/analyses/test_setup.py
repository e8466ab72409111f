"""Analyses: which conditions they compare, and that all networks and noises see the same crops."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmark.analysis.activations import chosen_layers
from benchmark.datasets import DATASETS
from benchmark.studies.analyses import Setup, conditions


def test_a_noise_has_its_middle_level_beside_the_reference(grid):
    assert conditions(grid, {"poisson": None}, "middle").levels["folder"] == {
        "gaussian": (15.0,),
        "poisson": (3,),
    }
    assert conditions(grid, {"gaussian": None}, "all").levels["folder"] == {
        "gaussian": (15.0, 25, 50)
    }
    with pytest.raises(ValueError, match="levels=hardest is unknown; take middle"):
        conditions(grid, {}, "hardest")


def test_recorded_noise_is_left_out(grid, monkeypatch):
    recorded = DATASETS["mc_render"]()
    both = {**grid.datasets, "mc_render": recorded}
    levels = {**grid.levels, "mc_render": {"mc_render": recorded.levels}}
    found = conditions(replace(grid, datasets=both, levels=levels), {"poisson": None}, "middle")
    assert list(found.levels) == list(found.datasets) == ["folder"]
    alone = replace(grid, levels={"mc_render": levels["mc_render"]}, datasets=both)
    with pytest.raises(ValueError, match="choose some to be added"):
        conditions(alone, {}, "middle")


def test_each_network_has_a_reference_and_its_others(setup):
    assert [cell.model for cell in setup.references] == ["baseline", "masked"]
    (other,) = setup.others(setup.references[1])
    assert (other.model, other.noise, other.level) == ("masked", "poisson", 3)


def test_crops_are_those_of_the_noisy_images_at_the_same_places(setup, monkeypatch):
    def pair(self, clean, level, rng, clip=True):
        return clean, clean

    for cls in {type(noise) for noise in setup.grid.noises.values()}:
        monkeypatch.setattr(cls, "pair", pair)
    reference = setup.references[0]
    clean, crops = setup.crops_of(reference)
    assert crops.shape == (8, 16, 16, 3)
    assert np.array_equal(crops, clean)
    assert np.array_equal(crops, setup.crops_of(setup.others(reference)[0])[1])
    images = [sample.clean for sample in setup.grid.datasets["folder"]]
    for number, crop in enumerate(crops):
        pixels = np.rint(255 * images[number % 2]).astype(np.uint8)
        windows = np.lib.stride_tricks.sliding_window_view(pixels, (16, 16), (0, 1))
        assert (windows == crop.transpose(2, 0, 1)).all((2, 3, 4)).any()


def test_masks_are_the_same_under_all_noises_and_others_in_each_batch(setup):
    masked, seeds = setup.grid.models["masked"], []
    masked.register_forward_pre_hook(lambda *_: seeds.append(torch.initial_seed()))
    for cell in (setup.references[1], *setup.others(setup.references[1])):
        assert sum(1 for _ in setup.features(cell, ["conv_first"], torch.clone)) == 2
    assert seeds[:2] == seeds[2:] and seeds[0] != seeds[1]


def test_settings_tell_two_measurements_apart(setup):
    cell = setup.references[0]
    same = setup.settings(cell, ["conv_first"])
    assert same == replace(setup).settings(cell, ["conv_first"])
    for changed in ({"crops": 12}, {"side": 24}, {"batch": 8}):
        assert same != replace(setup, **changed).settings(cell, ["conv_first"])
    assert same != setup.settings(cell, ["conv_last"])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"crops": 3}, "crops of 4 or more, got 3"),
        ({"layers": ("conv_lst",)}, "no layer is called conv_lst"),
        ({"side": 32}, "crops of 32x32 do not fit into one of folder, 40x24; take side=24"),
    ],
)
def test_what_cannot_be_analysed_is_one_sentence(setup, changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        wrong = replace(setup, **changes)
        wrong.require_layers()
        wrong.crops_of(wrong.references[0])


def test_crops_which_are_all_the_same_are_refused(setup):
    single = {"folder": DATASETS["photos"](limit=1, crop=24)}
    wrong = replace(setup, grid=replace(setup.grid, datasets=single), side=24)
    with pytest.raises(ValueError, match="only 1 of 8 crops of 24x24 from folder differ; take"):
        wrong.crops_of(wrong.references[0])


def test_a_pattern_may_be_of_some_networks_only(setup):
    from benchmark.denoiser import DENOISERS

    models = {**setup.grid.models, "dncnn": DENOISERS["dncnn"](depth=3, width=4)}
    (first, *_) = chosen_layers(models["dncnn"])
    mixed = replace(setup, grid=replace(setup.grid, models=models))
    both = replace(mixed, layers=("conv_first", first))
    assert [both.layers_of(name) for name in ("masked", "dncnn")] == [["conv_first"], [first]]
    with pytest.raises(ValueError, match="'dncnn' has no layer called conv_first; add one of its"):
        replace(mixed, layers=("conv_first",)).require_layers()


def test_analyses_of_noises_need_some_beside_the_reference(setup):
    setup.require_others()
    alone = replace(setup, grid=conditions(setup.grid, {}, "middle"))
    with pytest.raises(ValueError, match="are compared here; name one beside gaussian 15"):
        alone.require_others()


def test_a_filter_has_no_layers(grid, setup):
    from benchmark.denoiser import DENOISERS

    grid = replace(setup.grid, models={"tv": DENOISERS["tv"]()})
    with pytest.raises(ValueError, match="'tv' has no layers to be analysed"):
        Setup(grid, setup.out, crops=8, side=16).require_layers()
