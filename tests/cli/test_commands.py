"""A command is one file: its help, hints and completion come from what it says of itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.cli import commands
from benchmark.cli.command import COMMANDS, all_commands
from benchmark.cli.completion import completions

GREET = '''
"""``bench greet``: a command of a test."""

from dataclasses import dataclass

from benchmark.cli.command import CommandLine, command, group
from benchmark.objects.spec import Specs


@dataclass(frozen=True)
class GreetOptions:
    """Whom and how often.

    Parameters
    ----------
    noise
        What is heard beside it.
    whom
        Who is greeted, by name.
    times
        How often.
    """

    noise: Specs = group("gaussian")
    whom: str = "world"
    times: tuple[int, ...] = (1, 2)


@command("greet", first_word="whom")
def greet(options: GreetOptions, line: CommandLine) -> None:
    """Greet somebody.

      bench greet you      politely

    Nothing is written.
    """
    print(f"hello {options.whom} {options.times} {list(options.noise)}", *line.without("times"))
'''


@pytest.fixture
def greet(tmp_path_factory, monkeypatch) -> None:
    """One more file among the commands."""
    folder = tmp_path_factory.mktemp("commands")
    (folder / "greet.py").write_text(GREET)
    monkeypatch.setattr(commands, "__path__", [*commands.__path__, str(folder)])
    yield
    COMMANDS.pop("greet", None)
    sys.modules.pop("benchmark.cli.commands.greet", None)


def test_help_of_a_command_is_that_command_s_help(bench):
    assert bench("help", "run") == bench("run", "--help")
    assert bench("help", "nosuch") == bench("--help")


def test_a_new_file_is_a_command_with_help_and_options(bench, greet):
    status, out, err = bench("greet", "you", "times=3", "noise=[poisson,speckle]")
    assert (status, err) == (0, "")
    assert out == (
        "hello you (3,) ['poisson', 'speckle'] bench greet you noise=[poisson,speckle]\n"
    )
    _, out, _ = bench("--help")
    assert "bench greet you " in out and "Greet somebody" in out
    _, out, _ = bench("greet", "--help")
    assert out.startswith("bench greet - Greet somebody\n")
    assert "bench greet you      politely" in out
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert {"whom=world Who is greeted, by name.", "times=[1,2] How often."} <= set(lines)


def test_a_new_file_is_known_to_the_hints_of_mistakes(bench, greet):
    assert "did you mean 'greet'?" in bench("great")[2]
    assert "unknown setting 'whon'; did you mean 'whom'?" in bench("greet", "whon=x")[2]
    assert "times=x should be a whole number" in bench("greet", "times=x")[2]
    assert "did you mean 'poisson'" in bench("greet", "noise=poison")[2]


def test_a_new_file_is_completed(greet):
    known = all_commands()
    assert completions("bench gr", known) == ["greet "]
    assert completions("bench greet ti", known) == ["times="]
    assert completions("bench greet noise=pois", known) == [
        "noise=poisson",
        "noise=poisson_gaussian",
    ]


def test_a_training_is_offered_what_it_can_take(bench):
    known = all_commands()
    models = completions("bench train model=", known)
    noises = completions("bench train noise=", known)
    assert {"model=dncnn", "model=dncnn_tiny"} <= set(models)
    assert not {"model=tv", "model=onnx", "model=all"} & set(models)
    assert "noise=gaussian" in noises and not {"noise=mc_render", "noise=paper"} & set(noises)
    assert "model=tv" in completions("bench run model=", known)
    names = bench("train", "--help")[1].partition("Names:")[2]
    assert (
        "restormer_tiny" in names
        and "wavelet" not in names
        and "polyu" not in names.split("data")[0]
    )


def test_a_list_is_headed_by_the_word_that_takes_its_names(bench):
    assert bench("list", "model")[1].startswith("model= takes denoisers")
    assert bench("list", "noise")[1].startswith("noise= takes noise models")


def test_a_name_is_described_with_what_each_of_its_settings_means(bench):
    status, out, err = bench("list", "tv")
    assert (status, err) == (0, "")
    assert out.startswith("model=tv\n") and "Total variation by Chambolle's" in out
    assert "strength=0.5    scikit-image's weight, 1 / lambda" in out
    assert "sigma=null      Standard deviation of the noise" in out  # of the class that it extends
    out = bench("list", "masked")[1]
    assert out.index("passes=1") < out.index("settings in training") < out.index("input_ratio=[80")
    assert bench("list", "mc_render")[1].startswith("noise=mc_render\n")


def test_the_layers_of_a_network_are_listed_with_the_analysed_ones_marked(bench):
    status, out, err = bench("list", "layers", "model=dncnn")
    assert (status, err) == (0, "")
    lines = {words[-2]: words for words in map(str.split, out.splitlines()[1:])}
    assert lines["model.1"] == ["+", "model.1", "ReLU"]
    assert lines["model.0"] == ["model.0", "Conv2d"]
    assert "+ input conv_last Conv2d" in " ".join(bench("list", "layers")[1].split())


def test_a_model_without_layers_is_one_sentence(bench):
    status, _, err = bench("list", "layers", "model=tv")
    assert (status, err) == (2, "bench: 'tv' has no layers; choose a network: bench list model\n")


def test_only_layers_are_those_of_a_model(bench):
    status, _, err = bench("list", "noise", "model=dncnn")
    assert status == 2 and "model=dncnn is for: bench list layers" in err


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bench re", ["render ", "report "]),
        ("bench list mo", ["model "]),
        ("bench run see", ["seeds="]),
        ("bench run model=[masked,bas", ["model=[masked,baseline"]),
        ("bench run model.tv.s", ["model.tv.sigma=", "model.tv.strength="]),
        ("bench train preset=f", ["preset=fast"]),
        ("bench train model=dncnn_t", ["model=dncnn_tiny"]),
        ("bench nosuch x", []),
    ],
)
def test_words_are_completed_to_what_is_registered(line, expected):
    assert set(expected) <= set(completions(line, all_commands()))


def test_bash_completes_a_word_after_an_equals_sign(tmp_path):
    script = (
        f'bench() {{ "{sys.executable}" -m benchmark.cli "$@"; }}; eval "$(bench --completion)"\n'
        "COMP_LINE='bench run precision=fp32 model=nl' COMP_POINT=34 COMP_WORDS=(bench); _bench\n"
        'echo "${COMPREPLY[@]}"'
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(["bash", "-c", script], cwd=root, capture_output=True, text=True)
    assert done.stdout == "nlm\n", done.stderr


@pytest.mark.parametrize("command", all_commands())
def test_every_option_is_described(command):
    about = all_commands()[command]
    assert about.sentence and about.example.startswith("bench ")
    assert [name for name, text in about.descriptions.items() if not text] == []


def test_words_which_only_set_texts_mean_the_same_without_hydra(bench, called):
    for words in (["out=a/b", "to=c"], ["out=a/b", "to='c'"]):
        seen = called("report")
        status, _, err = bench("report", *words)
        assert (status, err) == (0, "")
        ((options, line),) = seen
        assert (options.out, options.to, options.model) == ("a/b", "c", ("all",))
        assert line.words == tuple(words)
