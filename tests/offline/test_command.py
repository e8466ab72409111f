"""``bench fetch`` brings what ``bench run`` then finds; terms are agreed to, mistakes said."""

import re

import numpy as np
import pytest
from PIL import Image

from benchmark.denoiser import DENOISERS
from benchmark.denoiser.weights.load import save_weights, weights_path
from benchmark.metrics import METRICS
from benchmark.offline import sources
from benchmark.offline.checksums import git_blob
from benchmark.offline.fetch import folder_of


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of the user's, and no data."""
    for module in ("files.places", "datasets.dataset", "offline.lock"):
        monkeypatch.setattr(
            f"benchmark.{module}.user_cache_path", lambda app: tmp_path / "cache" / app
        )
    monkeypatch.setenv("NOISEBENCH_DATA", str(tmp_path / "data"))
    return tmp_path / "cache" / "noisebench"


@pytest.fixture
def offered(monkeypatch):
    """Puts these sources among those that there are, or in their place."""

    def offer(*given: sources.Source) -> None:
        for one in given:
            monkeypatch.setitem(sources.all_sources(), one.name, one)

    return offer


@pytest.mark.slow
def test_images_are_fetched_to_where_the_benchmark_looks_for_them(
    bench, cache, server, source, offered, tmp_path, monkeypatch
):
    rng = np.random.default_rng(0)
    addresses = []
    for number in range(1, 19):
        Image.fromarray(rng.integers(0, 256, (20, 20, 3), np.uint8)).save(tmp_path / "image.tif")
        content = (tmp_path / "image.tif").read_bytes()
        addresses.append(server.page(f"/{number}.tif", content=content)[0])
    offered(source(*addresses, name="mcmaster", kind="data", restricts=True))
    status, _, err = bench("fetch", "mcmaster")
    assert status == 2 and "mcmaster: none stated (https://toy). If you agree" in err
    status, out, err = bench("fetch", "mcmaster", "agree=true")
    assert (status, err) == (0, "")
    folder = tmp_path / "data" / "mcmaster"
    assert f"mcmaster: fetched into {folder}" in out
    assert len(list(folder.iterdir())) == 18 and len(list(folder.parent.iterdir())) == 1
    status, out, err = bench("run", "model=identity", "noise=gaussian", "data=mcmaster",
                             "data.mcmaster.limit=1", "noise.gaussian.levels=[25]",
                             "metric=psnr", "out=out")  # fmt: skip
    assert (status, err) == (0, "")
    assert "mcmaster" in out


def test_a_set_that_is_here_in_other_files_is_left_as_it_is(
    bench, cache, server, source, offered, tmp_path
):
    folder = tmp_path / "data" / "mcmaster"
    folder.mkdir(parents=True)
    address, page = server.page("/1.tif")
    offered(source(address, name="mcmaster", kind="data"))
    (folder / "README.txt").touch()
    (folder / "1.png").write_bytes(b"mine")
    status, _, err = bench("fetch", "mcmaster")
    assert status == 2 and "other files than the published ones (1.png), which are kept" in err
    for number in range(2, 19):
        (folder / f"{number}.png").write_bytes(b"mine")
    status, out, _ = bench("fetch", "mcmaster")
    assert status == 0 and "its 18 images are in" in out and not page.asked


@pytest.mark.slow
def test_published_weights_are_a_word_once_they_are_fetched(
    bench, cache, server, source, offered, tmp_path
):
    arguments = {"depth": 3, "width": 8, "batch_norm": True}
    file = tmp_path / "dncnn.pth"
    save_weights(file, DENOISERS["dncnn"](**arguments), arguments, {})
    address, _ = server.page("/dncnn.pth", content=file.read_bytes())
    run = ["run", "model=dncnn", "model.dncnn.weights=published", "data.photos.limit=1",
           "data.photos.crop=32", "noise=gaussian", "noise.gaussian.levels=[25]"]  # fmt: skip
    status, _, err = bench(*run)
    assert status == 2 and "bring them with: bench fetch dncnn" in err
    offered(source(address, name="dncnn"))
    status, out, err = bench("fetch", "dncnn")
    assert (status, err) == (0, "") and "is written into" in out
    assert weights_path(DENOISERS["dncnn"], "published") == cache / "weights" / "dncnn.pth"
    assert git_blob(cache / "weights" / "dncnn.pth") == git_blob(file)
    status, _, err = bench(*run, "metric=psnr")
    assert (status, err) == (0, "")


def test_a_network_without_published_weights_says_so():
    with pytest.raises(ValueError, match="no published weights of 'ridnet' can be fetched"):
        weights_path(DENOISERS["ridnet"], "published")


def test_one_that_fails_does_not_keep_the_others_from_being_fetched(
    bench, cache, server, source, offered, tmp_path
):
    address, _ = server.page("/toy.pth")
    offered(
        source(f"{address}.gone", name="gone"),
        source(name="by_hand"),
        source(address, name="toy"),
    )
    status, _, err = bench("fetch", "gone", "by_hand", "toy", "to=here", "lock=here.lock")
    assert status == 2
    assert "toy.pth.gone answers 404" in err
    assert "by_hand has no address that gives the files: get it by hand from https://toy" in err
    assert (tmp_path / "here" / "toy.pth").is_file() and (tmp_path / "here.lock").is_file()
    assert not (cache / "weights").exists()


def test_the_list_says_size_terms_and_what_is_there(bench, cache):
    (cache / "weights").mkdir(parents=True)
    (cache / "weights" / "idf.ckpt").touch()
    status, out, err = bench("list", "fetch")
    assert (status, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "terms: Apache-2.0" in lines
    assert f"there: {cache / 'weights' / 'idf.ckpt'}" in "".join(lines).replace(" ", "").replace(
        "there:", "there: "
    )
    assert any(line.endswith("24 files, 10.4 MB") for line in lines)
    assert any("to be agreed to: agree=true" in line for line in lines)


def test_the_backbone_of_lpips_is_looked_for_where_it_is_fetched_to(cache):
    source = sources.all_sources()["lpips"]
    folder = folder_of(source)
    folder.mkdir(parents=True)
    (folder / source.files[0].name).write_bytes(b"another file")
    with pytest.raises(ValueError, match=f"^{re.escape(str(folder))}.* is not torchvision's"):
        METRICS["lpips"]().prepare()
