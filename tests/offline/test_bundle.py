"""A bundle brings a run's files to another machine: all, each whole, changing none there."""

import io
import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.denoiser import DENOISERS
from benchmark.denoiser.weights.load import save_weights
from benchmark.offline.bundle import LOCK, pack, place_of, unpack

FILES = {"here/my/a.png": b"a" * 700, "weights/toy.pth": b"b" * 30_000, "data/kodak24/1.png": b"c"}


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Makes an empty machine of this name, and goes there: its working folder."""

    def enter(name: str) -> Path:
        folder = tmp_path / name
        (folder / "work").mkdir(parents=True)
        for module in ("files.places", "datasets.dataset"):
            monkeypatch.setattr(
                f"benchmark.{module}.user_cache_path", lambda app: folder / "cache" / app
            )
        monkeypatch.setenv("NOISEBENCH_DATA", str(folder / "data"))
        monkeypatch.chdir(folder / "work")
        return folder / "work"

    return enter


@pytest.fixture
def bundle(machine) -> Path:
    """A bundle of `FILES`, and another machine than that which packed it."""
    sources = {}
    folder = machine("one")
    for name, content in FILES.items():
        sources[name] = folder / Path(name).name
        sources[name].write_bytes(content)
    pack(sources, "bench run", folder / "run.tar")
    machine("two")
    return folder / "run.tar"


def written(folder: Path, content: bytes) -> Path:
    path = folder / "other.tar"
    path.write_bytes(content)
    return path


def left() -> dict[str, bytes]:
    """What is where a run looks, by name in a bundle."""
    places = {name: place_of(name) for name in FILES}
    return {name: place.read_bytes() for name, place in places.items() if place.exists()}


def litter() -> list[Path]:
    folders = {place_of(name).parent for name in FILES}
    return [path for folder in folders for path in folder.glob(".*")]


def test_every_file_is_put_to_where_a_run_looks_for_it(bundle):
    unpack(bundle)
    assert left() == FILES and not litter()
    assert Path("my/a.png").is_file()
    assert (Path(os.environ["NOISEBENCH_DATA"]) / "kodak24" / "1.png").is_file()
    states = [place_of(name).stat().st_mtime_ns for name in FILES]
    assert unpack(bundle).run == "bench run"
    assert states == [place_of(name).stat().st_mtime_ns for name in FILES]


def test_the_same_files_make_the_same_bytes(bundle):
    unpack(bundle)
    pack({name: place_of(name) for name in FILES}, "bench run", Path("again.tar"))
    assert Path("again.tar").read_bytes() == bundle.read_bytes()


@pytest.mark.parametrize("length", [0, 100, 512, 1500, 3000, 20_000, 30_000])
def test_of_one_that_was_cut_off_no_file_is_half_and_the_whole_one_goes_on(
    bundle, tmp_path, length
):
    with pytest.raises(ValueError, match=r"other\.tar is no"):
        unpack(written(tmp_path, bundle.read_bytes()[:length]))
    assert left().items() <= FILES.items() and not litter()
    unpack(bundle)
    assert left() == FILES


def test_one_which_lacks_a_file_at_its_end_says_which(bundle, tmp_path):
    with tarfile.open(bundle) as tar:
        end = tar.getmember("weights/toy.pth").offset
    with pytest.raises(ValueError, match="is not whole: it lacks weights/toy.pth"):
        unpack(written(tmp_path, bundle.read_bytes()[:end]))


def test_a_damaged_file_is_refused_and_not_left(bundle, tmp_path):
    content = bundle.read_bytes().replace(b"b" * 1000, b"b" * 999 + b"x", 1)
    with pytest.raises(ValueError, match="is damaged: of weights/toy.pth, its SHA-256 is"):
        unpack(written(tmp_path, content))
    assert "weights/toy.pth" not in left() and not litter()


def test_files_that_are_there_are_never_changed(bundle):
    place_of("weights/toy.pth").parent.mkdir(parents=True)
    place_of("weights/toy.pth").write_bytes(b"mine")
    with pytest.raises(ValueError, match="other files than those of the bundle are here .*toy.pth"):
        unpack(bundle)
    assert left() == {"weights/toy.pth": b"mine"}


def test_images_are_not_put_among_others(bundle):
    folder = place_of("data/kodak24/1.png").parent
    folder.mkdir(parents=True)
    (folder / "kodim01.png").write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"other files .*kodim01\.png"):
        unpack(bundle)
    assert not left()


@pytest.mark.parametrize(
    "name",
    ["here/../a", "here//etc/../../a", "data/../a", "data/kodak24/../../a", "weights/../a", "here",
     "elsewhere/a", "data/nothing/a", "/etc/a", ""],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused_before_anything_is_unpacked(bundle, tmp_path, name):
    lock = {"run": "", "files": {key: {"size": 1, "sha256": ""} for key in ("here/b", name)}}
    with tarfile.open(tmp_path / "other.tar", "w") as tar:
        for key, content in {LOCK: json.dumps(lock).encode(), "here/b": b"b", name: b"a"}.items():
            entry = tarfile.TarInfo(key)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    with pytest.raises(ValueError, match="of the bundle; nothing|of the bundle leads out"):
        unpack(tmp_path / "other.tar")
    assert not os.listdir()


def test_another_s_file_is_neither_unpacked_nor_replaced(bundle, tmp_path):
    with tarfile.open(tmp_path / "plain.tar", "w") as tar:
        tar.add(bundle, "run.tar")
    for path in (tmp_path / "plain.tar", written(tmp_path, b"text" * 300)):
        before = path.read_bytes()
        with pytest.raises(ValueError, match="is no bundle"):
            unpack(path)
        with pytest.raises(ValueError, match="is no bundle, and would be replaced"):
            pack({}, "", path)
        assert path.read_bytes() == before
    pack({}, "", bundle)
    with pytest.raises(ValueError, match="there is no file"):
        unpack(tmp_path / "gone.tar")


def test_where_a_bundle_cannot_be_written_its_own_setting_is_named(bundle):
    Path("file").touch()
    with pytest.raises(OSError, match=r"choose another folder \(to=FOLDER\)"):
        pack({}, "", Path("file/run.tar"))


RUN = ("model=[dncnn,identity]", "noise=[gaussian,polyu]", "noise.gaussian.levels=[25]",
       "noise.polyu.limit=1", "data=[photos,kodak24,folder]", "data.photos.limit=1",
       "data.kodak24.limit=2", "data.folder.path=my", "metric=[psnr,lpips]",
       "model.dncnn.weights=dncnn.safetensors")  # fmt: skip


def image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((40, 40, 3), 99, np.uint8)).save(path)


@pytest.fixture
def complete(bench, machine, monkeypatch, tmp_path) -> Path:
    """A machine which has all that `RUN` reads."""
    folder = machine("one")
    for name in ("kodak24/1.png", "kodak24/2.png", "kodak24/3.png"):
        image(folder.parent / "data" / name)
    for number in range(100):
        for kind in ("mean", "real"):
            image(folder.parent / "data" / "polyu" / f"{number}_{kind}.JPG")
    image(folder / "my" / "own.png")
    arguments = {"depth": 3, "width": 8, "batch_norm": True}
    save_weights(folder / "dncnn.safetensors", DENOISERS["dncnn"](**arguments), arguments, {})
    backbone = tmp_path / "alexnet.pth"
    backbone.write_bytes(b"alexnet")
    monkeypatch.setattr("benchmark.metrics.perceptual.LPIPS.prepare", lambda self: None)
    monkeypatch.setattr("benchmark.metrics.perceptual.LPIPS.found_files", lambda self: [backbone])
    return folder


def test_what_a_run_reads_is_packed_and_nothing_else(bench, complete, machine):
    status, out, err = bench("bundle", *RUN, "threads=1", "pictures=none")
    assert (status, err) == (0, "")
    assert "written to run.tar: 7 files" in out and "threads=1 pictures=none" in out
    with tarfile.open("run.tar") as tar:
        assert tar.getnames() == [
            LOCK, "data/kodak24/1.png", "data/kodak24/2.png", "data/polyu/0_mean.JPG",
            "data/polyu/0_real.JPG", "here/dncnn.safetensors", "here/my/own.png",
            "weights/alexnet.pth",
        ]  # fmt: skip


def test_what_lies_behind_a_linked_folder_is_packed(bench, complete, tmp_path):
    image(tmp_path / "disk" / "1.png")
    Path("restored").mkdir()
    Path("restored/kodak24").symlink_to(tmp_path / "disk")
    few = ["noise=gaussian(25)", "data.photos.limit=1", "data.photos.crop=32"]
    assert bench("export", *few, "out=noisy")[0] == 0
    files = ["model=files", "model.files.path=restored", "model.files.manifest=noisy/manifest.json"]
    status, _, err = bench("bundle", *files, *few)
    assert (status, err) == (0, "")
    with tarfile.open("run.tar") as tar:
        assert "here/restored/kodak24/1.png" in tar.getnames()


@pytest.mark.slow
def test_the_run_works_where_it_is_unpacked(bench, complete, machine, monkeypatch):
    run = [word for word in RUN if not word.startswith("metric=")] + ["metric=psnr", "out=out"]
    assert bench("bundle", *run)[0] == 0
    packed = complete / "run.tar"
    machine("two")
    monkeypatch.setenv("NOISEBENCH_OFFLINE", "1")
    status, _, err = bench("run", *run)
    assert status == 2 and "missing here: dataset 'kodak24'" in err
    status, out, err = bench("bundle", f"unpack={packed}")
    assert (status, err) == (0, "") and "then: bench run" in " ".join(out.split())
    status, _, err = bench("run", *run)
    assert (status, err) == (0, "")


def test_mistakes_are_one_sentence(bench, complete, machine):
    for words, sentence in (
        (["unpack=gone.tar"], "there is no file gone.tar"),
        (["unpack="], "is a folder, not a file"),
        (["unpack=run.tar", "model=tv"], "unpack= stands alone; leave out model=tv"),
        (["noise=gaussian", "protocol=kiar"], "did you mean 'kair'"),
        (["noise=gaussian", "data=[cbsd68,urban100]"], "bring with: bench fetch cbsd68 urban100"),
        (["model=dncnn", f"model.dncnn.weights={complete}/dncnn.safetensors", "noise=gaussian"],
         "is named by an absolute path, or one that leads out of the folder"),
    ):  # fmt: skip
        status, _, err = bench("bundle", *words)
        assert status == 2 and sentence in err and err.count("\n") == 1
    assert not (complete / "run.tar").exists()
