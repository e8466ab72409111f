"""Camera noise: its law in the raw, its two developments, its published strength."""

import shutil

import numpy as np
import pytest

from benchmark.datasets.images import find_images, read_image
from benchmark.noise import rng_for, to_uint8
from noise_models.camera import CameraFile, process, random_camera, unprocess
from noise_models.isp import ISP, noisy_raw

RAW_FILE = "RAW_KODAK_DC50.KDC"


def psnr(restored: np.ndarray, clean: np.ndarray) -> float:
    """Of 8-bit values, without 1 pixel at each side."""
    error = to_uint8(restored).astype(float) - to_uint8(clean)
    return 10 * np.log10(255**2 / np.square(error[1:-1, 1:-1]).mean())


def images_of(data_root, side: int | None = None) -> dict[str, np.ndarray]:
    """Kodak24 by name, or squares from the middle."""
    cut = slice(250 - side // 2, 250 + side // 2) if side else slice(None)
    return {
        name: (read_image(path)[cut, cut] / 255).astype(np.float32)
        for name, path in find_images(data_root / "kodak24").items()
    }


@pytest.fixture
def real_file(data_root):
    path = data_root / "raw" / RAW_FILE
    if not path.is_file():
        pytest.skip(f"needs {path}")
    return path


@pytest.mark.parametrize("level", [0.5, 1, 2])
@pytest.mark.parametrize("value", [0, 0.4])
def test_raw_noise_has_the_variance_of_shot_and_read_noise(value, level):
    raw, shot, read = np.full((400, 400), value), 0.01, 0.0005
    noise = noisy_raw(raw, level, shot, read, np.random.default_rng(0)) - raw
    expected = level**2 * (shot * value + read)
    assert noise.mean() == pytest.approx(0, abs=4 * np.sqrt(expected / noise.size))
    assert noise.var() == pytest.approx(expected, abs=4 * expected * np.sqrt(2 / noise.size))


@pytest.mark.parametrize("protocol", ["A", "B"])
def test_without_noise_the_noisy_image_is_the_one_to_restore(protocol, ramp):
    target, noisy = ISP(protocol=protocol).pair(ramp, 0, np.random.default_rng(0))
    np.testing.assert_array_equal(noisy, target)
    assert not np.array_equal(target, ramp)


def test_the_level_changes_the_noise_and_not_the_camera(ramp):
    mild, hard = (ISP().pair(ramp, level, np.random.default_rng(3)) for level in (0.1, 2))
    np.testing.assert_array_equal(mild[0], hard[0])
    assert np.abs(mild[1] - mild[0]).mean() < np.abs(hard[1] - hard[0]).mean() / 10


def test_settings_change_the_development_and_not_the_draws(ramp):
    rng = np.random.default_rng(3)
    camera = random_camera(rng)
    raw = unprocess(ramp, camera)
    for protocol in ("A", "B"):
        for demosaic in ("bilinear", "malvar"):
            noise = ISP(protocol=protocol, demosaic=demosaic)
            target = noise.pair(ramp, 1, np.random.default_rng(3))[0]
            expected = process(raw, camera, protocol, demosaic).astype(np.float32)
            np.testing.assert_array_equal(target, np.clip(expected, 0, 1))


def test_an_unknown_setting_is_an_error_which_names_the_known_ones():
    with pytest.raises(ValueError, match="isp has no protocol 'C'; take one of A, B"):
        ISP(protocol="C")
    with pytest.raises(ValueError, match="isp has no demosaic 'ahd'; take one of bilinear, malvar"):
        ISP(demosaic="ahd")


def test_a_camera_file_which_cannot_be_used_is_an_error_before_anything_runs(tmp_path):
    (tmp_path / "garbage.dng").write_bytes(b"garbage")
    with pytest.raises(ValueError, match="cannot use the camera file '.*garbage.dng'"):
        ISP(camera=str(tmp_path / "garbage.dng"))
    with pytest.raises(
        ValueError, match="'~no_such_user/a.dng': .* or leave camera out for random ones"
    ):
        ISP(camera="~no_such_user/a.dng")


def test_an_image_without_three_colours_is_an_error():
    with pytest.raises(ValueError, match=r"RGB image, \(H, W, 3\), .* got \(8, 8, 1\)"):
        ISP()(np.zeros((8, 8, 1), np.float32), 1, np.random.default_rng(0))


def test_a_camera_files_levels_round_the_noisy_raw_alone(ramp, monkeypatch):
    coarse = CameraFile("", "GBRG", black=2, white=6, gains=(1, 1), xyz2cam=None)
    monkeypatch.setattr("noise_models.isp.read_camera", lambda path: coarse)
    target, noisy = ISP(camera="coarse.dng").pair(ramp, 0, np.random.default_rng(0))
    sites = np.s_[::2, ::2, 1]  # a green there is kept by demosaicking, the colours mix after
    assert len(np.unique(target[sites])) > len(np.unique(noisy[sites]))
    assert np.abs(noisy - target).max() > 0.05


def test_a_camera_file_is_read_once(real_file, tmp_path, ramp):
    copy = tmp_path / RAW_FILE
    shutil.copy(real_file, copy)
    noise = ISP(camera=str(copy))
    copy.unlink()
    first, again = (noise.pair(ramp, 1, np.random.default_rng(0)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[0], ISP().pair(ramp, 1, np.random.default_rng(0))[0])
    assert len(noise.camera_file.sha256) == 64


@pytest.mark.slow
@pytest.mark.parametrize(("protocol", "low", "high"), [("A", 30.7, 31.7), ("B", 27.8, 28.8)])
def test_noisy_photographs_have_the_measured_psnr(protocol, low, high, data_root):
    # one seed's mean over the images is spread by 1.2 dB: hence eight, of squares
    noise = ISP(protocol=protocol)
    found = [
        psnr(*noise.pair(image, 1, rng_for("kodak24", name, "isp", 1, seed)))
        for name, image in images_of(data_root, 160).items()
        for seed in range(8)
    ]
    assert low <= np.mean(found) <= high


@pytest.mark.slow
def test_fixed_noise_levels_give_the_measured_psnr(data_root):
    found = []
    for name, image in images_of(data_root).items():
        rng = rng_for("kodak24", name, "fixed", 1, 0)
        camera = random_camera(rng)
        raw = unprocess(image, camera)
        noisy = noisy_raw(raw, 1, 0.01, 0.0005, rng)
        found.append(psnr(process(noisy, camera, "A"), process(raw, camera, "A")))
    assert np.mean(found) == pytest.approx(19.1, abs=0.2)
