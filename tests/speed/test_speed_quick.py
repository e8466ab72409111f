"""The small version of each table: what CI prints, and which units a page says the machine has."""

import re
from importlib import import_module
from pathlib import Path

import pytest
import torch

from benchmark.denoiser import DENOISERS
from benchmark.speed import __main__ as all_of_them
from benchmark.speed import machine, noises
from benchmark.speed.options import parsed, parser_of
from benchmark.speed.plain import in_plain_layers, network_of

ROOT = Path(__file__).parents[2]


def test_all_of_them_take_no_options(monkeypatch, capsys):
    monkeypatch.setattr(all_of_them, "SCRIPTS", ())
    with pytest.raises(SystemExit):
        all_of_them.main(["--out", "page.md"])
    assert "unrecognized arguments: --out page.md" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["cells", "networks", "runtimes", "training"])
@pytest.mark.parametrize("given", ["0", "-1", "two"])
def test_threads_are_a_number_from_1(capsys, name, given):
    with pytest.raises(SystemExit):
        import_module(f"benchmark.speed.{name}").main([f"--threads={given}"])
    assert f"give a number of threads, from 1; got '{given}'" in capsys.readouterr().err


def test_every_script_has_a_small_version_and_ci_prints_it(capsys):
    texts = {file.stem: file.read_text() for file in (ROOT / "benchmark/speed").glob("*.py")}
    scripts = {name for name, text in texts.items() if "def main(arguments" in text}
    assert scripts == set(all_of_them.SCRIPTS)
    for name in scripts:
        module = import_module(f"benchmark.speed.{name}")
        assert "``--quick``" in (module.__doc__ or "")
        with pytest.raises(SystemExit):
            module.main(["--help"])
        assert "--quick" in capsys.readouterr().out
    assert re.search(
        r"^timeout \d+ .*-m benchmark\.speed \|\| ", (ROOT / ".ci/run").read_text(), re.M
    )


def test_quick_takes_small_numbers_where_none_are_given():
    def read(*words: str) -> tuple[int, list[int]]:
        parser = parser_of("any", "Nothing.")
        parser.add_argument("--repeats", type=int, default=25)
        parser.add_argument("--sizes", type=int, nargs="+", default=[512])
        options = parsed(parser, words, repeats=3, sizes=[64])
        return options.repeats, options.sizes

    assert read() == (25, [512])
    assert read("--quick") == (3, [64])
    assert read("--repeats", "7", "--quick") == (7, [64])


def test_what_fails_is_printed_and_the_next_goes_on(monkeypatch, capsys):
    ran = []

    def broken(arguments: list[str]) -> None:
        raise RuntimeError("no such library")

    monkeypatch.setattr(all_of_them, "SCRIPTS", ("noises", "cells"))
    monkeypatch.setattr(noises, "main", broken)
    monkeypatch.setattr("benchmark.speed.cells.main", ran.append)
    all_of_them.main()
    assert ran == [["--quick"]]
    assert "RuntimeError: no such library" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("capability", "units", "said"),
    [
        ("AVX2", {}, "AVX2, no bf16"),
        ("AVX512", {}, "AVX-512, no bf16"),
        ("AVX512", {"avx512_bf16": True}, "AVX-512, bf16 in AVX-512"),
        ("AVX512", {"avx512_bf16": True, "amx_bf16": True}, "AVX-512, bf16 in AMX"),
        ("SVE256", {}, "SVE256, no bf16"),
    ],
)
def test_the_line_below_a_table_says_which_units_the_machine_has(
    monkeypatch, capability, units, said
):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: units, raising=False)
    assert machine.processor().endswith(f", {said}")
    assert f", {said}, " in machine.setting("", [])[1]


@pytest.mark.parametrize(("name", "width"), [("dncnn_tiny", 28), ("dncnn", 64)])
def test_a_network_is_named_with_its_size(name, width):
    assert next(network_of(name).parameters()).shape[0] == width
    assert type(network_of(name)) is DENOISERS["dncnn"]


def test_plain_layers_are_for_a_while():
    with in_plain_layers():
        assert torch.jit.is_tracing()
    assert not torch.jit.is_tracing()
