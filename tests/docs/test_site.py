"""The site: it is built without a warning, has all that is public, and needs no other server."""

import importlib
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
from sphinx.util.inventory import InventoryFile

from benchmark.cli.command import all_commands
from benchmark.datasets import DATASETS
from benchmark.denoiser import DENOISERS
from benchmark.metrics import METRICS
from benchmark.noise import NOISE_MODELS

ROOT = Path(__file__).parents[2]
PUBLIC = ["", ".noise", ".denoiser", ".metrics", ".datasets", ".cells"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", "docs"]
    done = subprocess.run(
        [*command, "-d", folder / "doctrees", ".", folder / "html"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stderr
    return folder / "html"


def test_every_public_name_has_an_entry(site):
    entries = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="").data
    known = {name for kind, names in entries.items() if kind.startswith("py:") for name in names}
    for module in (importlib.import_module(f"benchmark{name}") for name in PUBLIC):
        names = [name for name in getattr(module, "__all__", ()) if not name.isupper()]
        assert {f"{module.__name__}.{name}" for name in names} <= known


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("commands", {f"bench {name}" for name in all_commands()}),
        ("noises", NOISE_MODELS),
        ("denoisers", DENOISERS),
        ("datasets", DATASETS),
        ("metrics", METRICS),
    ],
)
def test_a_page_of_the_reference_has_a_heading_for_each_name(site, page, names):
    text = (site / f"docs/reference/{page}.html").read_text()
    assert set(names) <= set(re.findall(r"<h2>([^<]+)", text))


def test_every_page_of_the_documentation_is_in_it(site):
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        assert (site / page.relative_to(ROOT).with_suffix(".html")).is_file()
    assert (site / "index.html").read_text() == (site / "README.html").read_text()


def test_every_link_leads_to_a_file_and_to_a_place_in_it(site):
    places = {page: set(re.findall(r'id="([^"]+)"', page.read_text())) for page in pages_of(site)}
    for page in places:
        for target in set(re.findall(r'<a [^>]*href="([^":?]*)"', page.read_text())):
            path, _, anchor = unquote(target).partition("#")
            led = (page.parent / path).resolve() if path else page
            assert led.is_file(), f"{page.name}: {target}"
            assert not anchor or led not in places or anchor in places[led], (
                f"{page.name}: {target}"
            )


def test_a_page_loads_nothing_from_another_server(site):
    for page in pages_of(site):
        loaded = re.findall(
            r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(http[^"]*)"', page.read_text()
        )
        assert not loaded, page


def pages_of(site: Path) -> list[Path]:
    return [path.resolve() for path in site.rglob("*.html")]
