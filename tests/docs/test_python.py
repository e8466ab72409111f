"""The page on Python: its code runs from top to bottom, as do the examples of the functions."""

import doctest
import inspect
import re
from pathlib import Path

import pytest
from rich.console import Console
from test_docs import ROOT, fenced

import benchmark
from benchmark.console import log

PAGE = ROOT / "docs" / "python.md"


@pytest.mark.slow
def test_the_page_runs_and_its_commands_read_what_it_kept(bench, capsys):
    namespace: dict[str, object] = {"__name__": "page"}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), namespace)
    for command in fenced("sh", PAGE):
        status, out, err = bench(*command.split()[1:])
        assert (status, err) == (0, "")
        assert out
    assert "Blur" in Path("results/blur/leaderboard.md").read_text()


def test_the_page_names_every_public_function_and_no_other():
    named = re.findall(r"^\| `benchmark\.(\w+)`", PAGE.read_text(), re.MULTILINE)
    assert sorted(named) == sorted(benchmark.__all__)


@pytest.mark.parametrize("name", benchmark.__all__)
def test_the_examples_of_a_function_give_what_they_say(name, monkeypatch):
    monkeypatch.setattr(log, "_current", Console(quiet=True))  # which a command may have changed
    function = getattr(benchmark, name)
    (test,) = doctest.DocTestFinder(recurse=False).find(function, name, globs={})
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    assert runner.run(test).failed == 0


@pytest.mark.parametrize("name", benchmark.__all__)
def test_the_docstring_of_a_function_has_every_argument_and_the_errors(name):
    function = getattr(benchmark, name)
    text = inspect.getdoc(function) or ""
    for argument in inspect.signature(function).parameters:
        assert re.search(rf"^(\w+, )*(\*\*)?{argument}\b", text, re.MULTILINE), argument
    assert "Raises\n------" in text and "Returns\n-------" in text
