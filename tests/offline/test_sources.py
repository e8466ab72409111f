"""The list of what can be fetched fits the data sets and networks that there are."""

import re

import pytest

from benchmark.datasets import DATASETS
from benchmark.denoiser import DENOISERS
from benchmark.metrics.perceptual import ALEXNET, ALEXNET_SHA256, ALEXNET_URL
from benchmark.offline.checksums import git_blob
from benchmark.offline.sources import all_sources, chosen


@pytest.mark.parametrize("source", all_sources().values(), ids=lambda source: source.name)
def test_a_source_says_what_its_files_have_to_be(source):
    assert source.kind in ("data", "weights") and source.about and source.terms
    assert source.page.startswith("https://")
    names = [file.name for file in source.files]
    assert len(set(names)) == len(names)
    for file in source.files:
        assert file.address.startswith("https://") and "/" not in file.name
        if "githubusercontent" in file.address:
            assert re.search(r"/[0-9a-f]{40}/", file.address)  # a branch would move
            assert re.fullmatch(r"[0-9a-f]{40}", file.checksums.blob)


@pytest.mark.parametrize(
    "source",
    [s for s in all_sources().values() if s.kind == "data" and s.files],
    ids=lambda source: source.name,
)
def test_the_files_of_a_data_set_are_what_the_benchmark_reads(source, tmp_path):
    for file in source.files:
        (tmp_path / file.name).touch()
    dataset = DATASETS[source.name]()
    assert len(dataset.listing(tmp_path)) == dataset.count


def test_what_a_network_names_as_published_can_be_fetched():
    named = {cls.published for cls in DENOISERS.values()} - {""}
    assert {"masked", "baseline", "idf", "swinir", "dncnn"} == named
    for name in named:
        (file,) = all_sources()[name].files
        assert file.name.startswith(f"{name}.")


def test_the_backbone_of_lpips_is_the_file_that_the_metric_takes():
    (file,) = all_sources()["lpips"].files
    assert (file.address, file.name) == (ALEXNET_URL, ALEXNET)
    assert file.checksums.sha256 == ALEXNET_SHA256


def test_an_unknown_name_is_refused_with_the_closest():
    with pytest.raises(ValueError, match="'kodak25'; did you mean 'kodak24'"):
        chosen(("kodak25",))
    with pytest.raises(ValueError, match="name what to fetch: kodak24"):
        chosen(())


def test_files_that_lie_unchanged_on_the_disk_have_the_ids_of_the_list(data_root):
    """PolyU and BSDS are here as published; the other sets were packed anew."""
    for name in ("polyu", "bsds400"):
        for file in all_sources()[name].files[::40]:
            assert git_blob(data_root / name / file.name) == file.checksums.blob
