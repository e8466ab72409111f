"""What is cited: every paper that a docstring names, entries that BibTeX reads, nothing twice."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from benchmark.denoiser import Denoiser
from benchmark.objects.registries import REGISTRIES
from benchmark.registry import load_plugins
from benchmark.reporting.latex.citations import (
    SUITE,
    bibliography,
    entries_of,
    references,
    used_by,
)

ROOT = Path(__file__).parents[2]
FILES = sorted(ROOT.glob("*/references.bib"))
load_plugins()
CLASSES = {group: dict(registry) for group, registry in REGISTRIES.items()}
OURS = [
    cls
    for classes in CLASSES.values()
    for cls in classes.values()
    if (ROOT / cls.__module__.partition(".")[0]).is_dir()
]
BY_ROLE = {group.replace("data", "dataset"): classes for group, classes in CLASSES.items()}
OWN = """
    @misc{acme2026,
      title = {Of my own}
    }
"""


def record(model: str, noise: dict[str, object], dataset: str, *metrics: str) -> dict[str, object]:
    return {
        "settings": {
            "model": {"of": model},
            "noise": noise,
            "dataset": {"of": dataset},
            "metrics": {f"my_{name}": {"of": name} for name in metrics},
        }
    }


@pytest.mark.parametrize("cls", OURS, ids=lambda cls: cls.name)
def test_a_class_whose_docstring_names_a_paper_cites_an_entry(cls):
    if re.search(r"\.\. \[\d+\] (?!https?://)", cls.__doc__ or ""):
        assert entries_of(cls)


def test_every_entry_is_cited_by_a_class_or_the_suite_and_no_key_stands_in_two_files():
    keys = [key for path in FILES for key in references(path.parent.name)]
    assert len(keys) == len(set(keys))
    assert set(keys) == {*SUITE, *(key for cls in OURS for key in cls.cites)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_the_entries_are_what_a_strict_reader_of_bibtex_finds(path):
    database = pytest.importorskip("pybtex.database")
    found = database.parse_file(path, "bibtex").entries
    assert list(found) == list(references(path.parent.name))
    for key, entry in found.items():
        assert {"title", "year"} <= set(entry.fields) and entry.persons["author"], key
        assert entry.fields["year"] in key or key == "noisebench"


def test_the_suite_is_cited_as_its_citation_file_says():
    said = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    paper = said["references"][0]
    suite, masked = (references("benchmark")[key] for key in SUITE)
    assert f"{{{said['title']}: {said['abstract']}}}" in suite
    assert f"Version {said['version']}" in suite
    assert f"year = {{{said['date-released'].year}}}" in suite
    assert all(text in masked for text in (paper["title"], str(paper["year"]), paper["url"]))
    names = [f"{name['family-names']}, {name['given-names']}" for name in paper["authors"]]
    assert f"author = {{{' and '.join(names)}}}" in masked


def test_what_cells_used_is_named_by_role_the_noises_of_a_formula_one_by_one():
    formula = {"of": "formula", "formula": "gaussian(25)+poisson(2)>>jpeg(50,subsampled=true)"}
    records = [
        record("masked", formula, "kodak24", "psnr", "ssim"),
        record("bm3d", {"of": "recorded"}, "sidd", "psnr"),
        record("bm3d", {"of": "gaussian"}, "sidd", "psnr"),
    ]
    assert used_by(records) == [
        *(("noise", name) for name in ("gaussian", "jpeg", "poisson")),
        *(("model", name) for name in ("bm3d", "masked")),
        *(("metric", name) for name in ("psnr", "ssim")),
        *(("dataset", name) for name in ("kodak24", "sidd")),
    ]


def test_an_entry_stands_once_below_a_comment_which_says_what_it_is_for():
    used = [("noise", "speckle"), ("model", "idf"), ("metric", "psnr"), ("model", "gone@1")]
    text = bibliography(used, BY_ROLE)
    assert "\n% noise: speckle; model: idf\n@inproceedings{kim2025idf," in text
    assert text.count("{chen2023masked,") == 1
    assert text.endswith("\n% without an entry: metric: psnr; model: gone at 1\n")
    assert text == bibliography(used, BY_ROLE)


def test_a_plugin_cites_an_entry_of_its_own_one_of_its_package_and_one_of_ours(
    monkeypatch, tmp_path
):
    (tmp_path / "references.bib").write_text("@misc{packaged,\n  title = {In a file}\n}\n")
    package = ModuleType("acme")
    package.__path__ = [str(tmp_path)]
    monkeypatch.setitem(sys.modules, "acme", package)
    of_package = {"__module__": "acme.models", "cites": (OWN, "packaged", "kim2025idf")}
    mine = type("Mine", (Denoiser,), of_package)
    assert list(entries_of(mine)) == ["acme2026", "packaged", "kim2025idf"]
    heir = type("Heir", (mine,), {"__module__": "elsewhere"})
    assert entries_of(heir) == entries_of(mine)


def test_a_key_of_no_entry_is_a_sentence_about_the_class():
    wrong = type("Wrong", (Denoiser,), {"__module__": "acme_models", "cites": ("nobody2020",)})
    with pytest.raises(ValueError, match="acme_models.Wrong cites 'nobody2020', which is no"):
        entries_of(wrong)


def test_two_entries_of_one_key_are_refused():
    entry = "@misc{kim2025idf,\n  title = {Another}\n}"
    other = type("Other", (Denoiser,), {"cites": (entry,)})
    with pytest.raises(ValueError, match="model 'other' cites 'kim2025idf', and another package"):
        bibliography(
            [("model", "idf"), ("model", "other")],
            {"model": {**BY_ROLE["model"], "other": other}},
        )


def test_bench_cite_writes_a_file_of_its_own_and_leaves_that_of_others(bench, tmp_path):
    run = ["run", "model=tv", "noise=quantization", "noise.quantization.levels=[2]"]
    assert bench(*run, "data.photos.limit=1", "data.photos.crop=24", "out=o")[0] == 0
    status, out, _ = bench("cite", "o")
    assert status == 0 and "{rudin1992tv," in out and "{bayer1973dither," in out
    assert bench("cite", "out=o", "to=mine.bib")[0] == 0
    assert (tmp_path / "mine.bib").read_text() == out
    (tmp_path / "thesis.bib").write_text("@book{hers,\n}\n")
    status, _, err = bench("cite", "o", "to=thesis.bib")
    assert status != 0 and "was not written by bench" in err
    status, _, err = bench("cite", "out=empty")
    assert status != 0 and "no finished cells under empty" in err
