"""What another program restored: found by pixels, scored as if it had run here, or refused."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
import torch
from torch import Tensor

from baselines.files import Files
from benchmark.cells import Cell
from benchmark.cli.objects.specs import by_name, spec_of
from benchmark.datasets import DATASETS
from benchmark.denoiser import Denoiser
from benchmark.denoiser.contract import RestorationError
from benchmark.metrics.pixelwise import PSNR, SSIM
from benchmark.noise import NOISE_MODELS
from benchmark.objects.building import build, recorded_settings
from benchmark.protocol import MASKED, PROTOCOLS, Protocol, protocol_of
from benchmark.scoring.evaluate import evaluate
from benchmark.scoring.exported.export import export
from benchmark.scoring.exported.images import SUFFIXES, encoded, in_unit, read_restored
from benchmark.scoring.exported.manifest import NAME, read_manifest
from benchmark.scoring.grid import Grid

GAUSSIAN = ["noise=gaussian", "noise.gaussian.levels=[25]"]
DATA = ["data.photos.limit=2", "data.photos.crop=48"]
RUN = ["model=files", "model.files.path=restored", "model.files.manifest=noisy/manifest.json"]
PLACE = "photos/gaussian-25-0/astronaut"


def exported(folder: Path, protocol: Protocol = MASKED, limit: int = 1) -> Path:
    """Noisy images of two small photographs at most."""
    dataset = DATASETS["photos"](limit=limit, crop=48)
    levels = {"photos": {"gaussian": (25.0,)}}
    noises = {"gaussian": NOISE_MODELS["gaussian"]()}
    export(Grid({}, noises, {"photos": dataset}, {}, levels, [0], {}, protocol=protocol), folder)
    return folder / NAME


def noisy_of(manifest: Path) -> Tensor:
    """The first image of a manifest as a model gets it."""
    (entry, *_) = read_manifest(manifest).entries.values()
    pixels = in_unit(read_restored(manifest.parent / entry.file))
    return torch.from_numpy(pixels).permute(2, 0, 1).unsqueeze(0)


def rounded(restored: np.ndarray) -> np.ndarray:
    return np.rint(255 * restored.clip(0, 1)).astype(np.uint8)


def restore(model: Denoiser, noisy: Path, restored: Path, clamp: bool) -> None:
    """What somebody does elsewhere who has a network and OpenCV, but not `bench`."""
    for image in json.loads((noisy / NAME).read_text())["images"]:
        pixels = cv2.imread(str(noisy / image["file"]), cv2.IMREAD_UNCHANGED)[..., ::-1].copy()
        batch = torch.from_numpy(pixels).permute(2, 0, 1).unsqueeze(0)
        batch = batch.float() / 255 if pixels.dtype == np.uint8 else batch
        output = model.denoise(batch, clamp=clamp)[0].permute(1, 2, 0).numpy()
        path = restored / image["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        if pixels.dtype == np.uint8:
            cv2.imwrite(str(path), rounded(output)[..., ::-1])
        else:
            np.save(path.with_suffix(".npy"), output)


@pytest.mark.parametrize("protocol", ["masked", "float", "kair(border=2)"])
def test_a_network_run_elsewhere_has_the_scores_it_has_here_to_the_bit(tmp_path, protocol):
    rules, network = protocol_of(protocol), build(by_name("model", ["dncnn"]))["dncnn"]
    manifest = exported(tmp_path / "noisy", rules, limit=2)
    restore(network, tmp_path / "noisy", tmp_path / "restored", clamp=protocol == "masked")
    files = Files(path=str(tmp_path / "restored"), manifest=str(manifest))
    dataset, noise = DATASETS["photos"](limit=2, crop=48), NOISE_MODELS["gaussian"]()
    metrics = {"psnr": PSNR(border=rules.border), "ssim": SSIM(border=rules.border)}
    cell, images = Cell("any", "photos", "gaussian", 25.0, 0), dataset.images()
    here, elsewhere = (
        [
            {key: value for key, value in done.row.items() if key != "seconds"}
            for done in evaluate(cell, model, dataset, noise, metrics, images, protocol=rules)
        ]
        for model in (network, files)
    )
    assert len(here) == 2
    assert here == elsewhere


@pytest.mark.slow
def test_a_run_of_both_stores_the_same_scores_to_the_bit(bench, tmp_path):
    assert bench("export", *GAUSSIAN, *DATA, "out=noisy")[0] == 0
    network = build(by_name("model", ["dncnn"]))["dncnn"]
    restore(network, tmp_path / "noisy", tmp_path / "restored", clamp=True)
    status, _, err = bench("run", "model=[dncnn,files]", *RUN[1:], *GAUSSIAN, *DATA, "out=o")
    assert (status, err) == (0, "")
    here, elsewhere = (scores(tmp_path / "o", name) for name in ("dncnn", "files"))
    assert len(here) == 2
    assert here == elsewhere


@pytest.mark.slow
def test_the_first_run_goes_on_as_outputs_come_and_says_which_have_changed(
    bench, tmp_path, monkeypatch
):
    assert bench("export", *GAUSSIAN, *DATA, "out=noisy")[0] == 0
    shutil.copytree(tmp_path / "noisy", tmp_path / "restored")
    blur(tmp_path / "restored")
    one = ["run", *RUN, *DATA, "out=o", "pictures=none"]
    assert bench(*one, *GAUSSIAN)[0] == 0
    before = scores(tmp_path / "o", "files")
    levels = "noise.gaussian.levels=[25,50]"
    assert bench("export", "noise=gaussian", levels, *DATA, "out=noisy")[0] == 0
    _, _, err = bench(*one, "noise=gaussian", levels)
    assert "restored has no restored image of photos/gaussian-50-0/astronaut and 1 more" in err
    shutil.copytree(
        tmp_path / "noisy/photos/gaussian-50-0", tmp_path / "restored/photos/gaussian-50-0"
    )
    blur(tmp_path / "restored/photos/gaussian-50-0")
    assert bench(*one, "noise=gaussian", levels)[0] == 0
    assert scores(tmp_path / "o", "files") == before
    shutil.move(tmp_path / "restored", tmp_path / "elsewhere")
    moved = ["model.files.path=elsewhere" if w == "model.files.path=restored" else w for w in one]
    monkeypatch.setattr("benchmark.scoring.grid.evaluate", None)  # nothing is scored again
    assert bench(*moved, "noise=gaussian", levels)[0] == 0
    blur(tmp_path / "elsewhere/photos/gaussian-25-0")
    status, _, err = bench(*moved, "noise=gaussian", levels)
    assert status
    assert "was scored with model.outputs" in err
    _, said, _ = bench("repro", "o/files/photos/gaussian-25-0")
    assert "only that program can restore again" in said


def scores(out: Path, model: str) -> dict[str, tuple[float, float]]:
    """By image, the scores of a model's cell as they are stored, and what they are of."""
    (path,) = (out / "cells" / model / "photos").glob("gaussian-25*.json")
    rows = json.loads(path.read_text())["images"]
    return {row["image"]: (row["psnr"], row["ssim"], row["noisy"], row["clean"]) for row in rows}


def blur(folder: Path) -> None:
    for path in folder.rglob("*.png"):
        cv2.imwrite(str(path), cv2.blur(cv2.imread(str(path)), (3, 3)))


@pytest.mark.parametrize(
    ("suffix", "dtype"),
    [
        *((suffix, dtype) for suffix in SUFFIXES for dtype in (np.uint8, np.uint16)),
        (".tif", np.float32),
        (".tiff", np.float64),
        (".npy", np.float32),
        (".npy", np.float64),
        (".npy", np.float16),
        (".npy", np.dtype(">f4")),
    ],
)
def test_files_are_read_in_the_numbers_that_they_have(tmp_path, dtype, suffix):
    manifest = exported(tmp_path / "noisy")
    restored = np.random.default_rng(0).random((48, 48, 3), np.float32)
    most = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else None
    pixels = np.rint(most * restored).astype(dtype) if most else restored.astype(dtype)
    path = tmp_path / "restored" / f"{PLACE}{suffix}"
    path.parent.mkdir(parents=True)
    if suffix == ".npy":
        np.save(path, pixels)
    else:
        cv2.imwrite(str(path), pixels[..., ::-1])
    model = Files(path=str(tmp_path / "restored"), manifest=str(manifest))
    found = model.denoise(noisy_of(manifest))[0].permute(1, 2, 0).numpy()
    wanted = restored if most else pixels.astype(np.float32)
    assert np.abs(found - wanted).max() <= (0.501 / most if most else 0)


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with ``noisy`` and, in ``restored``, one output and a copy of the manifest."""
    manifest = exported(tmp_path / "noisy")
    put(tmp_path / "restored" / f"{PLACE}.png", np.full((48, 48, 3), 128, np.uint8))
    shutil.copy(manifest, tmp_path / "restored")
    return tmp_path


def put(path: Path, image: np.ndarray) -> None:
    suffix, content = encoded(image)
    path = path.with_suffix(suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def restored_by(folder: Path) -> np.ndarray:
    model = Files(path=str(folder / "restored"))
    model.recorded_at([Path(PLACE)])
    return model.denoise(noisy_of(folder / "noisy" / NAME))[0].permute(1, 2, 0).numpy()


def test_the_manifest_is_that_of_the_folder_where_none_is_named(folder):
    assert np.array_equal(restored_by(folder), np.full((48, 48, 3), 128 / 255, np.float32))


def remove(folder: Path) -> None:
    (folder / "restored" / f"{PLACE}.png").unlink()


def double(folder: Path) -> None:
    shutil.copy(folder / "restored" / f"{PLACE}.png", folder / "restored" / f"{PLACE}.tif")


def shrink(folder: Path) -> None:
    put(folder / "restored" / f"{PLACE}.png", np.zeros((24, 48, 3), np.uint8))


def grey(folder: Path) -> None:
    cv2.imwrite(str(folder / "restored" / f"{PLACE}.png"), np.zeros((48, 48), np.uint8))


def garbage(folder: Path) -> None:
    (folder / "restored" / f"{PLACE}.png").write_text("<html>")


def photograph(folder: Path) -> None:
    path = folder / "restored" / f"{PLACE}.png"
    path.write_bytes(cv2.imencode(".jpg", np.zeros((48, 48, 3), np.uint8))[1].tobytes())


def tiff(folder: Path, *pages: np.ndarray, **settings: str) -> Path:
    remove(folder)
    path = folder / "restored" / f"{PLACE}.tif"
    with tifffile.TiffWriter(path) as file:
        for page in pages:
            file.write(page, photometric=settings.get("photometric", "rgb"))
    return path


def planes(folder: Path) -> None:
    tiff(folder, np.zeros((3, 48, 48), np.uint16))


def planes_of_floats(folder: Path) -> None:
    tiff(folder, np.zeros((3, 48, 48), np.float32))


def pages(folder: Path) -> None:
    tiff(folder, *np.zeros((2, 48, 48, 3), np.uint8))


def lab(folder: Path) -> None:
    tiff(folder, np.zeros((48, 48, 3), np.uint8), photometric="cielab")


def cut(folder: Path) -> None:
    path = folder / "restored" / f"{PLACE}.png"
    noise = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    path.write_bytes(encoded(noise)[1][:4000])


def strings(folder: Path) -> None:
    remove(folder)
    np.save(folder / "restored" / f"{PLACE}.npy", np.array([["a"]]))


def no_numbers(folder: Path) -> None:
    remove(folder)
    np.save(folder / "restored" / f"{PLACE}.npy", np.full((48, 48, 3), np.nan, np.float32))


def other_manifest(folder: Path) -> None:
    (folder / "restored" / NAME).write_text('{"made_by": "somebody"}')


def no_manifest(folder: Path) -> None:
    (folder / "restored" / NAME).unlink()


def other_pixels(folder: Path) -> None:
    path = folder / "restored" / NAME
    path.write_text(path.read_text().replace('"pixels": "', '"pixels": "0'))


def other_image(folder: Path) -> None:
    path = folder / "restored" / NAME
    path.write_text(path.read_text().replace("gaussian-25", "gaussian-15"))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (remove, "restored has no restored image of photos/gaussian-25-0/astronaut; each has the"),
        (double, "astronaut.png and .*astronaut.tif are both there; remove the one which is not"),
        (shrink, "is 48x24 pixels of 3 channels, but its noisy image .* is 48x48 pixels of 3"),
        (grey, "is 48x48 pixels of 1 channel, but its noisy image .* restore images in their own"),
        (garbage, "astronaut.png cannot be read as an image: it is no PNG or TIFF; write it again"),
        (photograph, "astronaut.png cannot be read as an image: it is no PNG or TIFF"),
        (planes, r"astronaut.tif is uint16 in planes of one channel each; .* \(H, W, 3\): uint8"),
        (planes_of_floats, "astronaut.tif is float32 in planes of one channel each; restored"),
        (pages, "astronaut.tif holds 2 pictures"),
        (lab, r"astronaut.tif is CIE L\*a\*b\*; restored images are"),
        (cut, "astronaut.png is damaged or cut short .*; write it again"),
        (strings, r"astronaut.npy holds <U1 of shape \(1, 1\); restored images are \(H, W, 3\)"),
        (no_numbers, "astronaut.npy holds values that are no numbers; restore it again"),
        (other_manifest, "manifest.json is no manifest of bench export .*made by 'somebody'"),
        (no_manifest, "there is no file .*manifest.json; files needs the manifest which bench"),
        (
            other_pixels,
            "has no noisy image of these pixels: it was exported under another protocol",
        ),
        (other_image, "has no photos/gaussian-25-0/astronaut, but images of photos/gaussian-15-0"),
    ],
)
def test_what_does_not_belong_is_refused_in_one_sentence(folder, spoil, sentence):
    spoil(folder)
    with pytest.raises(ValueError, match=sentence):
        restored_by(folder)


def test_an_output_that_changes_while_it_is_scored_is_refused(folder):
    model = Files(path=str(folder / "restored"))
    model.recorded_at([Path(PLACE)])
    put(folder / "restored" / f"{PLACE}.png", np.zeros((48, 48, 3), np.uint8))
    with pytest.raises(ValueError, match="was changed while this was running"):
        model.denoise(noisy_of(folder / "noisy" / NAME))


def test_equal_noisy_images_have_one_output(folder):
    path = folder / "restored" / NAME
    found = json.loads(path.read_text())
    twin = {**found["images"][0], "file": f"{PLACE}2.png"}
    path.write_text(json.dumps({**found, "images": [*found["images"], twin]}))
    put(folder / "restored" / f"{PLACE}2.png", np.full((48, 48, 3), 128, np.uint8))
    assert restored_by(folder).max() == np.float32(128 / 255)
    put(folder / "restored" / f"{PLACE}2.png", np.full((48, 48, 3), 127, np.uint8))
    with pytest.raises(RestorationError, match="are the same noisy image, .* different outputs"):
        restored_by(folder)


def test_the_noisy_image_itself_is_scored_with_a_warning(folder):
    shutil.copy(folder / "noisy" / f"{PLACE}.png", folder / "restored" / f"{PLACE}.png")
    noisy = noisy_of(folder / "noisy" / NAME)[0].permute(1, 2, 0).numpy()
    with pytest.warns(UserWarning, match="has the pixels of the noisy image itself; was it"):
        assert np.array_equal(restored_by(folder), noisy)


@pytest.mark.parametrize(
    "spoil",
    [lambda clean: clean[::-1], lambda clean: clean // 257],
    ids=["another image", "8-bit values in 16 bits"],
)
def test_an_output_which_looks_little_like_its_noisy_image_is_scored_with_a_warning(
    tmp_path, recwarn, spoil
):
    manifest = exported(tmp_path / "noisy")
    path = tmp_path / "restored" / f"{PLACE}.png"
    path.parent.mkdir(parents=True)
    model = Files(path=str(tmp_path / "restored"), manifest=str(manifest))
    clean = DATASETS["photos"](limit=1, crop=48).read("astronaut").clean[..., ::-1]
    cv2.imwrite(str(path), np.rint(65535 * clean).astype(np.uint16))
    model.denoise(noisy_of(manifest))
    assert not recwarn
    cv2.imwrite(str(path), spoil(np.rint(65535 * clean).astype(np.uint16)))
    model = Files(path=str(tmp_path / "restored"), manifest=str(manifest))
    with pytest.warns(UserWarning, match="looks little like its noisy image; are"):
        model.denoise(noisy_of(manifest))


def test_eight_bits_of_an_image_that_was_not_rounded_are_scored_with_a_warning(tmp_path):
    manifest = exported(tmp_path / "noisy", PROTOCOLS["float"])
    put(tmp_path / "restored" / PLACE, np.full((48, 48, 3), 128, np.uint8))
    model = Files(path=str(tmp_path / "restored"), manifest=str(manifest))
    with pytest.warns(UserWarning, match="has 8 bits, but its noisy image is not rounded"):
        model.denoise(noisy_of(manifest))


def test_a_cell_records_what_its_outputs_are_and_not_where(folder):
    def recorded() -> dict[str, object]:
        spec = spec_of("model", "files", {"path": str(folder / "restored")})
        return {**recorded_settings(spec), **build({"m": spec})["m"].recorded_at([Path(PLACE)])}

    before = recorded()
    assert before.keys() == {"of", "outputs"}
    (folder / "restored").rename(folder / "moved")
    shutil.copytree(folder / "moved", folder / "restored")
    assert recorded() == before
    put(folder / "restored" / f"{PLACE}.png", np.zeros((48, 48, 3), np.uint8))
    assert recorded() != before


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "^files needs a folder: model.files.path=FOLDER$"),
        ({"path": "nowhere"}, "^there is no folder nowhere; files needs a folder"),
        ({"path": "https://a.org/b"}, "is an address, and nothing is downloaded"),
    ],
)
def test_a_missing_folder_is_one_sentence(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        Files(**settings)


def test_an_image_without_an_output_is_refused_where_it_is_met_by_its_pixels_alone(folder):
    remove(folder)
    model = Files(path=str(folder / "restored"))
    with pytest.raises(RestorationError, match="has no restored image of photos/gaussian-25-0/"):
        model.denoise(noisy_of(folder / "noisy" / NAME))


@pytest.mark.parametrize("kind", ["kair_grey", "masked(bits=16)", "masked(grey=true,bits=16)"])
def test_an_output_of_a_grey_image_or_of_16_bits_is_found(tmp_path, kind):
    noisy = noisy_of(exported(tmp_path / "noisy", protocol_of(kind)))
    path = tmp_path / "restored" / f"{PLACE}.npy"
    path.parent.mkdir(parents=True)
    np.save(path, noisy[0].permute(1, 2, 0).numpy() / 2)
    files = Files(path=str(tmp_path / "restored"), manifest=str(tmp_path / "noisy" / NAME))
    assert torch.equal(files.denoise(noisy, clamp=False), noisy / 2)
