"""Pages: every command in them works, every table of them says what is registered."""

import importlib.util
import re
import shlex
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from benchmark import __version__
from benchmark.cli.command import COMMANDS
from benchmark.datasets import DATASETS
from benchmark.denoiser import DENOISERS
from benchmark.metrics import METRICS
from benchmark.noise import NOISE_MODELS
from benchmark.noise.families import FAMILIES

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "results/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
BENCH = re.compile(r"(?:\S*/)?bench |torchrun .*-m benchmark\.cli |python -m benchmark\.cli ")
OTHERS = (  # what else a page may tell people to type
    "#!/bin/sh",
    ". .venv/bin/activate",
    ".venv/bin/pip install ",
    ".venv/bin/pytest",
    "export NOISEBENCH_DATA=",
    "pip install ",
    "pre-commit ",
    "pytest",
    "python3 -m venv ",
    "sphinx-build ",
)
COMPOSED = {  # why a command is only composed: each group, name and setting in it is checked
    r"model=all|noise=(all|paper)|^noise all": "everything there is takes minutes; .ci/run does it",
    r"^(train|ablate)\b": "trains",
    r"^fetch\b|weights=published": "needs the network",
    r"unpack=": "needs a bundle: tests/offline/test_bundle.py",
    r"^render\b": "needs Mitsuba, and time",
    r"^paper\b": "makes what takes minutes, or trains",
    r"^submit\b": "needs the 12.8 GB of DND",
    r"kodak24|cbsd68|urban100|polyu": "needs images which are not part of this repository",
    r"my/|\.(pth?|ckpt|onnx|DNG|safetensors)\b": "needs a file of the reader's",
    r"model=deepinv": "needs a package",
    r"of: files|model\.files": "needs what another program restored: tests/docs/test_files_page.py",
    r"out=(runs\b|results/training)": "needs trainings",
    r"^check(?= |$)(?!.*update=true)": "needs a baseline",
    r"speed=true": "times",
    r"runtime=": "compiles networks into the user's cache: tests/scoring/test_runtime.py",
    r"lpips": "needs the weights of AlexNet",
}
ELSEWHERE = {
    "model=median noise=stripe": "the README's plugin, run by the tests of plugins",
    "out=results/blur": "a folder which the page on Python fills, with whose code it is run",
}
EXAMPLE = "bench brightness"  # the command whose file CONTRIBUTING has; a test below runs it
SMALL = {  # what makes the others end within a second or two
    r"^(run|noise|passes|export|explain(?! results/))\b": [
        "data.photos.limit=1",
        "data.photos.crop=48",
    ],
    r"^check ": ["noise=gaussian", "limit=1", "crop=48"],
    r"^tiles\b": ["data.photos.limit=1", "data.photos.crop=72", "tiles=[64]"],
    r"^analyse\b": ["data.photos.limit=2", "crops=4", "side=16", "batch=4"],
    r"^passes\b": ["passes=2", "averaged=[1,2]"],
    r"^tiles\b|noise=(gaussian$|gaussian |\[gaussian,)": ["noise.gaussian.levels=[25]"],
    r"noise=(poisson|\[(gaussian,)?poisson[\],])": ["noise.poisson.levels=[2]"],
    r"noise=mc_render": ["noise.mc_render.limit=1"],
}
PLACEHOLDERS = {"=NAME": "=masked", "$SLURM_ARRAY_TASK_ID": "2", "$SLURM_CPUS_PER_TASK": "4"}


def fenced(language: str, page: Path) -> list[str]:
    """The lines of a page's blocks in one language, without comments, continued lines joined."""
    blocks = re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [" ".join(line.split()) for line in lines if line.strip()]


def typed(line: str) -> list[str]:
    """The commands of a line of a shell."""
    line = re.sub(r"(^|\s)#(?!!).*", "", line)
    return [command.strip() for command in line.split(" && ") if command.strip()]


def commands() -> list[str]:
    """What stands in blocks of shell commands on any page, each once."""
    found = [c for page in PAGES for line in fenced("sh", page) for c in typed(line)]
    return list(dict.fromkeys(found))


def mentioned() -> list[str]:
    """What stands within sentences of any page, each once; help is tested with the commands."""
    found = [c for page in PAGES for c in re.findall(r"`(bench [^`]+)`", page.read_text())]
    known = commands()
    others = [c for c in dict.fromkeys(found) if c not in known and "--help" not in c]
    return [command for command in others if not command.startswith(EXAMPLE)]


def arguments(command: str) -> list[str]:
    """The words which reach ``bench``."""
    for name, value in PLACEHOLDERS.items():
        command = command.replace(name, value)
    return shlex.split(BENCH.sub("", command, count=1))


def is_composed(command: str) -> bool:
    return any(re.search(sign, BENCH.sub("", command, count=1)) for sign in COMPOSED)


def made_small(words: list[str]) -> list[str]:
    """The words, and behind them settings which they leave to be said."""
    command = " ".join(words)
    more = [
        setting for sign, found in SMALL.items() if re.search(sign, command) for setting in found
    ]
    keys = {word.partition("=")[0] for word in words[1:]}
    return [*words, *(setting for setting in more if setting.partition("=")[0] not in keys)]


OURS = [command for command in commands() if BENCH.match(command)]
ELSE = [command for command in commands() if not BENCH.match(command)]
HERE = [command for command in OURS if not any(sign in command for sign in ELSEWHERE)]
FIRST = [command for line in fenced("sh", PAGES[0]) for command in typed(line)]  # the README's
RUN = [  # a second or two each
    pytest.param(command, id=command, marks=[] if command in FIRST else [pytest.mark.slow])
    for command in HERE
    if not is_composed(command)
]


@pytest.fixture(scope="module")
def scored(tmp_path_factory) -> Path:
    """A folder which may hold the cells of two models."""
    return tmp_path_factory.mktemp("scored")


@pytest.mark.parametrize("command", RUN)
def test_a_command_runs_as_it_is_written(bench, tmp_path, scored, command):
    words = arguments(command)
    if words[0] in ("report", "explore", "show", "pack", "repro", "diff", "explain", "cite"):
        if not any(scored.iterdir()):
            few = ["run", "model=[baseline,masked]", "noise=gaussian", f"out={scored}"]
            assert bench(*made_small(few))[0] == 0
        for folder in ("results/local", "results/before"):
            shutil.copytree(scored, tmp_path / folder)
    status, out, err = bench(*made_small(words))
    assert status == 0, err
    assert out


@pytest.mark.sampled(every=8)
@pytest.mark.parametrize("command", [*filter(is_composed, HERE), *mentioned()])
def test_every_group_name_and_setting_of_a_command_is_there(bench, called, tmp_path, command):
    words = arguments(command)
    given = called(words[0])
    several = any(word.startswith("-") for word in words)  # runs, which workers may do
    status, out, err = bench(*words, *(["--cfg", "job"] if several else []))
    assert (status, err) == (0, "")
    assert out if several else len(given) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ELSE)
def test_whatever_else_a_page_tells_people_to_type_is_known(command):
    if module := re.match(r"python -m (benchmark\.speed\.\w+)", command):
        assert importlib.util.find_spec(module[1])
    else:
        assert command.startswith(OTHERS)


@pytest.mark.parametrize("sign", [*COMPOSED, *ELSEWHERE])
def test_no_reason_is_left_over_for_not_running_a_command(sign):
    assert any(re.search(sign, BENCH.sub("", command, count=1)) for command in OURS)


def table(page: str, heading: str) -> dict[str, dict[str, str]]:
    """The lines of a page's tables whose first column has this heading, by their name."""
    found, columns = {}, []
    for line in (ROOT / page).read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" |")]
        if not line.startswith("|"):
            columns = []
        elif not columns:
            columns = cells
        elif columns[0] == heading and not set(cells[0]) <= set("-: "):
            for name in re.findall(r"`(\w+)`", cells[0]) or [cells[0]]:
                found[name] = dict(zip(columns, cells, strict=True))
    return found


def test_the_table_of_noises_says_what_is_registered():
    lines = table("docs/noises.md", "noise")
    recorded = {name for name, cls in DATASETS.items() if cls.recorded}
    assert set(lines) == {name for name in NOISE_MODELS if name != "formula"} | recorded
    for name, line in lines.items():
        cls = DATASETS[name] if name in recorded else NOISE_MODELS[name]
        assert line["family"] == cls.family
        if "levels" in line:
            assert line["levels"] == ", ".join(f"{level:g}" for level in cls.levels)
            assert line["what a level counts"] == cls.unit
            assert line["caveat"] == cls.note


def test_the_table_of_families_is_the_one_of_the_code():
    lines = table("docs/noises.md", "family")
    assert {name: line["what is special about its noises"] for name, line in lines.items()} == (
        FAMILIES
    )


@pytest.mark.parametrize(
    ("page", "heading", "registry"),
    [
        ("docs/models.md", "model", DENOISERS),
        ("docs/datasets.md", "dataset", DATASETS),
        ("docs/protocol.md", "metric", METRICS),
    ],
)
def test_a_table_names_all_that_is_registered_and_no_more(page, heading, registry):
    assert set(table(page, heading)) == set(registry)


def test_the_noises_of_the_paper_stand_under_the_suite_of_their_name():
    lines = table("docs/noises.md", "noise")
    first = list(lines)[: list(lines).index("poisson_gaussian")]
    kinds = {**NOISE_MODELS, **{name: cls for name, cls in DATASETS.items() if cls.recorded}}
    assert set(first) == {name for name, cls in kinds.items() if "paper" in cls.suites}


def test_the_results_of_the_readme_are_those_of_their_folder():
    folder = ROOT / "results/kodak24_crop128"
    scores = pd.read_csv(folder / "leaderboard.csv").query("dataset == 'kodak24'")
    trained = (scores["noise"] == "gaussian") & (scores["level"] == 15)
    noises = scores[~trained].groupby(["model", "noise"])["psnr"].mean().unstack()
    page = (folder / "leaderboard.md").read_text()
    lines = table("README.md", "model")
    assert len(lines) == 10
    for model, line in lines.items():
        means = noises.loc["identity" if model == "noisy input" else model]
        known = {**means, f"mean of {len(means)} noises": means.mean()}
        known["gaussian 15"] = scores[trained].set_index("model")["psnr"][means.name]
        assert line.pop("95 % interval") in page
        assert line.pop("model") == model
        assert line == {column: f"{known[column]:.2f}" for column in line}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#]*)(?:#[^)]*)?\)", page.read_text()):
        if target and not target.startswith("https://"):
            assert (page.parent / target).exists(), target


def test_every_link_into_a_page_has_its_heading():
    for page in PAGES:
        for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text()):
            text = (page.parent / target if target else page).read_text()
            titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
            there = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in there, f"{page.name}: {target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_code_in_a_page_is_python(page):
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        compile(block, page.name, "exec")


def test_the_command_of_the_contributing_page_is_one_file(bench, tmp_path, monkeypatch):
    monkeypatch.setitem(COMMANDS, "brightness", None)  # gone again afterwards
    page = (ROOT / "CONTRIBUTING.md").read_text()
    (block,) = re.findall(r"```python\n(# benchmark/cli/commands/.*?)```", page, re.DOTALL)
    (tmp_path / "brightness.py").write_text(block)
    spec = importlib.util.spec_from_file_location("brightness", tmp_path / "brightness.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "brightness", module)
    spec.loader.exec_module(module)
    status, out, err = bench("brightness", "photos", "data.photos.limit=1", "digits=2")
    assert (status, err) == (0, "")
    assert re.fullmatch(r"photos astronaut: \d+\.\d\d\n", out)
    assert "How many decimals are shown." in bench("brightness", "--help")[1]


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == __version__
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
