"""What a command line composes to, what a command says of itself, and what is listed."""

import pytest

from benchmark.cli.command import all_commands
from benchmark.cli.objects.grid import needed_specs
from benchmark.cli.objects.grid_options import GridOptions
from benchmark.cli.objects.specs import spec_of
from benchmark.denoiser import DENOISERS


def test_cfg_job_prints_the_composed_config_and_runs_nothing(bench, tmp_path):
    status, out, err = bench("run", "model=identity", "noise.gaussian.levels=[25]", "--cfg", "job")
    assert (status, err) == (0, "")
    assert "of: identity" in out
    assert "levels:\n    - 25.0" in out
    assert "salt_and_pepper" in out
    assert "limit: null" in out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", all_commands())
def test_help_of_a_command_says_what_it_is_for_and_its_settings(bench, command):
    status, out, _ = bench(command, "--help")
    assert status == 0
    assert f"bench {command} - " in out
    assert {"list": "kind=all", "check-model": "device=auto", "diff": "to=", "fetch": "to="}.get(
        command, "out="
    ) in out
    assert "Powered by Hydra" not in out


def test_list_shows_every_registered_name(bench):
    from benchmark.objects.registries import REGISTRIES

    _, out, _ = bench("list")
    first_words = {line.split()[0] for line in out.splitlines() if line.strip()}
    assert {name for registry in REGISTRIES.values() for name in registry} <= first_words


def test_list_takes_one_kind(bench):
    _, out, _ = bench("list", "noise")
    assert "sigma, in 8-bit steps" in out
    assert "family: signal-dependent" in out
    assert "kodak24" not in out


def test_a_sweep_finds_every_name_that_fits_a_pattern(bench, called):
    given = called("run")
    status, _, err = bench("run", "-m", "model=glob(b*)", "noise=gaussian")
    assert (status, err) == (0, "")
    assert [[*options.model] for options, _ in given] == [
        [name] for name in sorted(DENOISERS) if name.startswith("b")
    ]


def test_settings_alone_compose_to_what_hydras_own_command_makes_of_them(bench, called):
    given = called("run")
    words = ["model=[tv,masked]", "noise=paper", "seeds=[0,1]", "data.photos.limit=1"]
    for more in ([], ["hydra.verbose=false"]):  # a word of Hydra's own goes to its command
        assert bench("run", *words, *more)[0] == 0
    one, other = (options for options, _ in given)
    assert one == other


@pytest.mark.parametrize(
    ("noise", "data", "limit"),
    [({}, {"limit": 1}, 1), ({"limit": 2}, {}, 2), ({"limit": 2}, {"limit": 2}, 2), ({}, {}, None)],
)
def test_a_recorded_noise_that_is_a_dataset_as_well_has_the_settings_of_either(noise, data, limit):
    def specs(group, given):
        return {"mc_render": spec_of(group, "mc_render", given)}

    specs_of = needed_specs(GridOptions(noise=specs("noise", noise), data=specs("data", data)))
    for group in ("noise", "data"):
        assert specs_of[group]["mc_render"].settings["limit"] == limit


def test_such_a_set_with_two_settings_is_one_sentence(bench):
    words = ["noise=mc_render", "noise.mc_render.limit=1", "data=mc_render"]
    status, _, err = bench("run", "model=identity", *words, "data.mc_render.limit=2")
    assert status == 2 and err.count("\n") == 1
    assert "set one of them: noise.mc_render.* or data.mc_render.*" in err
