"""Pages: every template is filled completely, and travels with the package."""

from importlib.resources import files

import pytest
from jinja2 import UndefinedError

from benchmark.reporting.pages import TEMPLATES, render


def test_templates_are_found_where_the_package_is_installed():
    assert TEMPLATES.is_dir()
    assert {path.name for path in files("benchmark.reporting").joinpath("templates").iterdir()} == {
        path.name for path in TEMPLATES.iterdir()
    }


@pytest.mark.parametrize("path", sorted(TEMPLATES.iterdir()), ids=lambda path: path.name)
def test_a_value_which_is_not_given_is_an_error_and_no_gap(path):
    assert path.name.endswith((".md.j2", ".tex.j2", ".html.j2"))
    with pytest.raises(UndefinedError):
        render(path.name.removesuffix(".j2"))
