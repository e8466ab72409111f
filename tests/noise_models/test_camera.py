"""The camera's steps undo each other, keep what they see, and follow the published constants."""

import hashlib

import numpy as np
import pytest
import rawpy
import scipy

from benchmark.datasets.images import find_images, read_image
from noise_models import camera as steps
from noise_models.camera import DEMOSAICS, PATTERNS, Camera, CameraFile, read_camera

every_pattern = pytest.mark.parametrize("pattern", PATTERNS)
every_demosaic = pytest.mark.parametrize("demosaic", DEMOSAICS.values(), ids=DEMOSAICS)
every_size = pytest.mark.parametrize("size", [(2, 2), (2, 3), (12, 20), (13, 21), (13, 20)])


@pytest.fixture
def drawn() -> Camera:
    return steps.random_camera(np.random.default_rng(1))


def test_smoothstep_and_its_inverse_undo_each_other():
    values = np.linspace(0, 1, 1001)
    for there, back in [
        (steps.smoothstep, steps.inverse_smoothstep),
        (steps.inverse_smoothstep, steps.smoothstep),
    ]:
        np.testing.assert_allclose(back(there(values)), values, atol=1e-7)
    np.testing.assert_allclose(steps.smoothstep(np.array([0, 0.25, 1])), [0, 0.15625, 1])


def test_gamma_expansion_and_compression_undo_each_other():
    values = np.linspace(0.001, 1, 1000)
    np.testing.assert_allclose(steps.gamma_compress(steps.gamma_expand(values)), values)
    assert steps.gamma_expand(np.array(0.5)) == pytest.approx(0.5**2.2)
    assert steps.gamma_expand(np.array(0.0)) > 0


def test_a_random_colour_matrix_keeps_gray_and_can_be_inverted():
    rng = np.random.default_rng(0)
    matrices = [steps.random_ccm(rng) for _ in range(50)]
    gray = np.full((1, 1, 3), 0.3)
    for matrix in matrices:
        np.testing.assert_allclose(steps.apply_ccm(gray, matrix), gray)
        assert np.linalg.cond(matrix) < 10
    assert np.std(matrices, axis=0).min() > 0


def test_a_colour_matrix_multiplies_each_pixel_from_the_left():
    image = np.random.default_rng(0).random((4, 5, 3))
    matrix = np.arange(9.0).reshape(3, 3)
    np.testing.assert_allclose(steps.apply_ccm(image, matrix)[2, 3], matrix @ image[2, 3])


def test_inverted_gains_divide_the_dark_and_spare_the_white():
    gains = np.array([2.5, 1.25, 2.0])
    dark, white = np.full((2, 2, 3), 0.9), np.ones((2, 2, 3))
    np.testing.assert_allclose(steps.safe_invert_gains(dark, gains), dark / gains)
    np.testing.assert_allclose(steps.safe_invert_gains(white, gains), white)
    halfway = steps.safe_invert_gains(np.full((1, 1, 3), 0.95), gains)[0, 0]
    np.testing.assert_allclose(halfway, 0.95 * (0.25 + 0.75 / gains))
    brighter = steps.safe_invert_gains(white, np.full(3, 0.8))  # a factor above 1 is kept
    np.testing.assert_allclose(brighter, white / 0.8)


def test_random_noise_levels_have_the_published_law():
    rng = np.random.default_rng(0)
    shot, read = np.log([steps.random_noise_levels(rng) for _ in range(4000)]).T
    low, high = np.log([0.0001, 0.012])
    assert low <= shot.min() < low + 0.05
    assert high - 0.05 < shot.max() <= high
    rest = read - (2.18 * shot + 1.2)
    assert rest.mean() == pytest.approx(0, abs=4 * 0.26 / np.sqrt(rest.size))
    assert rest.std() == pytest.approx(0.26, abs=4 * 0.26 / np.sqrt(2 * rest.size))


def test_random_cameras_have_the_published_gains():
    rng = np.random.default_rng(0)
    cameras = [steps.random_camera(rng) for _ in range(2000)]
    inverse = 1 / np.array([camera.brightness for camera in cameras])
    assert inverse.mean() == pytest.approx(0.8, abs=4 * 0.1 / np.sqrt(2000))
    assert inverse.std() == pytest.approx(0.1, abs=4 * 0.1 / np.sqrt(4000))
    for name, low, high in [("red", 1.9, 2.4), ("blue", 1.5, 1.9)]:
        gains = [getattr(camera, name) for camera in cameras]
        assert min(gains) == pytest.approx(low, abs=0.01)
        assert max(gains) == pytest.approx(high, abs=0.01)


@every_pattern
def test_a_mosaic_keeps_of_each_pixel_the_colour_of_its_site(pattern):
    image = np.random.default_rng(0).random((5, 7, 3))
    raw = steps.mosaic(image, pattern)
    for row in range(5):
        for column in range(7):
            colour = "RGB".index(pattern[row % 2 * 2 + column % 2])
            assert raw[row, column] == image[row, column, colour]


def test_another_pattern_is_an_error():
    with pytest.raises(ValueError, match="no Bayer pattern 'RGBG'; take one of RGGB, BGGR"):
        steps.mosaic(np.ones((4, 4, 3)), "RGBG")


@every_demosaic
@every_pattern
@every_size
def test_a_demosaicked_image_has_the_mosaics_own_values_at_its_sites(demosaic, pattern, size):
    raw = np.random.default_rng(0).random(size)
    image = demosaic(raw, pattern)
    assert image.shape == (*size, 3)
    np.testing.assert_allclose(steps.mosaic(image, pattern), raw, rtol=1e-15)


@every_demosaic
@every_pattern
@every_size
def test_flat_colours_survive_a_mosaic_up_to_the_border(demosaic, pattern, size):
    flat = np.broadcast_to([0.2, 0.5, 0.7], (*size, 3))
    np.testing.assert_allclose(demosaic(steps.mosaic(flat, pattern), pattern), flat)


@every_demosaic
def test_colour_gradients_survive_a_mosaic_away_from_the_border(demosaic):
    rows, columns = np.mgrid[:15, :18] / 20
    image = np.stack([rows, 0.3 + columns / 2, 1 - rows / 2 - columns / 3], axis=-1)
    found = demosaic(steps.mosaic(image))
    np.testing.assert_allclose(found[2:-2, 2:-2], image[2:-2, 2:-2])


@every_demosaic
@pytest.mark.parametrize(
    ("flip", "pattern"),
    [(np.s_[:, ::-1], "GRBG"), (np.s_[::-1], "GBRG"), (np.s_[::-1, ::-1], "BGGR")],
)
def test_a_flipped_mosaic_of_the_flipped_pattern_gives_the_flipped_image(demosaic, flip, pattern):
    raw = np.random.default_rng(0).random((8, 10))
    np.testing.assert_allclose(demosaic(raw[flip], pattern), demosaic(raw)[flip])


def resized_as_by_tf1(plane: np.ndarray) -> np.ndarray:
    """Twice the size: ``a[i], (a[i] + a[i + 1]) / 2``, the last one repeated, along both axes."""
    for axis in (0, 1):
        last = np.take(plane, [-1], axis=axis)
        after = np.concatenate([np.delete(plane, 0, axis=axis), last], axis=axis)
        pairs = np.stack([plane, (plane + after) / 2], axis=axis + 1)
        shape = [2 * side if place == axis else side for place, side in enumerate(plane.shape)]
        plane = pairs.reshape(shape)
    return plane


def test_bilinear_demosaicking_is_that_of_brooks_to_the_border():
    raw = np.random.default_rng(0).random((10, 14))

    def upsampled(plane: np.ndarray, *axes: int) -> np.ndarray:
        return np.flip(resized_as_by_tf1(np.flip(plane, axes)), axes)

    red, blue = upsampled(raw[::2, ::2]), upsampled(raw[1::2, 1::2], 0, 1)
    green_red, green_blue = upsampled(raw[::2, 1::2], 1), upsampled(raw[1::2, ::2], 0)
    green = (green_red + green_blue) / 2
    green[::2, 1::2], green[1::2, ::2] = green_red[::2, 1::2], green_blue[1::2, ::2]
    expected = np.stack([red, green, blue], axis=-1)
    np.testing.assert_allclose(steps.demosaic_bilinear(raw), expected)


def test_malvar_adds_the_published_share_of_the_sites_own_laplacian():
    raw = np.random.default_rng(0).random((12, 14))
    bilinear, malvar = steps.demosaic_bilinear(raw), steps.demosaic_malvar(raw)
    added = malvar - bilinear
    far = np.zeros((5, 5))
    far[[0, 4, 2, 2], [2, 2, 0, 4]] = 1 / 4
    own = raw - scipy.ndimage.correlate(raw, far, mode="mirror")
    reds, blues = np.s_[::2, ::2], np.s_[1::2, 1::2]
    np.testing.assert_allclose(added[reds][..., 1], own[reds] / 2)
    np.testing.assert_allclose(added[blues][..., 1], own[blues] / 2)
    np.testing.assert_allclose(added[reds][..., 2], own[reds] * 3 / 4)
    np.testing.assert_allclose(added[blues][..., 0], own[blues] * 3 / 4)
    near = np.array(  # of green at a site between reds left and right
        [[0, 0, -1, 0, 0], [0, 2, 0, 2, 0], [2, 0, 0, 0, 2], [0, 2, 0, 2, 0], [0, 0, -1, 0, 0]]
    )
    beside = raw - scipy.ndimage.correlate(raw, near / 10, mode="mirror")
    below = raw - scipy.ndimage.correlate(raw, near.T / 10, mode="mirror")
    np.testing.assert_allclose(added[::2, 1::2, 0], beside[::2, 1::2] * 5 / 8)
    np.testing.assert_allclose(added[::2, 1::2, 2], below[::2, 1::2] * 5 / 8)
    np.testing.assert_allclose(added[1::2, ::2, 0], below[1::2, ::2] * 5 / 8)
    np.testing.assert_allclose(added[1::2, ::2, 2], beside[1::2, ::2] * 5 / 8)


@every_pattern
@pytest.mark.parametrize("gray", [0.05, 0.3, 0.7])
def test_protocol_b_gives_a_flat_photograph_back(gray, pattern, drawn):
    camera = Camera(drawn.rgb2cam, drawn.brightness, drawn.red, drawn.blue, pattern)
    flat = np.full((9, 12, 3), gray, np.float32)
    developed = steps.process(steps.unprocess(flat, camera), camera, "B")
    np.testing.assert_allclose(developed, flat, atol=1e-6)


def test_protocol_a_leaves_out_brightness_and_tone_curve(drawn):
    flat = np.full((8, 8, 3), 0.3, np.float32)
    developed = steps.process(steps.unprocess(flat, drawn), drawn, "A")
    dimmed = steps.inverse_smoothstep(0.3) / drawn.brightness ** (1 / 2.2)
    np.testing.assert_allclose(developed, dimmed, rtol=1e-6)


@every_pattern
@pytest.mark.parametrize("demosaic", DEMOSAICS)
def test_the_camera_turns_a_smooth_colour_image_into_nearly_itself(demosaic, pattern, drawn):
    rows, columns = np.mgrid[:41, :50] / 60
    image = np.stack([0.2 + rows / 2, 0.3 + columns / 3, 0.6 - rows / 4], axis=-1)
    image = image.astype(np.float32)
    camera = Camera(drawn.rgb2cam, drawn.brightness, drawn.red, drawn.blue, pattern)
    developed = steps.process(steps.unprocess(image, camera), camera, "B", demosaic)
    assert np.abs(developed - image)[3:-3, 3:-3].max() < 0.5 / 255


@pytest.mark.parametrize("shape", [(8, 8, 1), (8, 8, 4), (1, 8, 3)])
def test_a_camera_refuses_what_has_no_three_colours_or_no_mosaic(shape, drawn):
    with pytest.raises(ValueError, match="a camera needs an RGB image, .* got "):
        steps.unprocess(np.zeros(shape, np.float32), drawn)


def test_malvar_is_sharper_than_bilinear_on_photographs(data_root):
    errors = {name: [] for name in DEMOSAICS}
    for path in list(find_images(data_root / "kodak24").values())[:4]:
        image = read_image(path) / 255
        for name, demosaic in DEMOSAICS.items():
            errors[name].append(np.square(demosaic(steps.mosaic(image)) - image).mean())
    assert (np.array(errors["malvar"]) < 0.5 * np.array(errors["bilinear"])).all()


class Opened:
    """What rawpy.imread returns for a file of ours, with other values where a test names them."""

    def __init__(self, **values: object):
        self.raw_pattern = np.array([[2, 1], [3, 0]])
        self.color_desc = b"RGBG"
        self.black_level_per_channel = [512, 512, 510, 514]
        self.white_level = 16383
        self.camera_whitebalance = [2048.0, 1024.0, 1536.0, 1024.0]
        self.rgb_xyz_matrix = np.vstack([steps.XYZ2CAMS[0], np.zeros(3)])
        self.__dict__.update(values)

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *error: object) -> None:
        pass


@pytest.fixture
def file_with(tmp_path, monkeypatch):
    """Read a camera file which rawpy finds these values in."""

    def read(**values: object) -> CameraFile:
        monkeypatch.setattr(rawpy, "imread", lambda source: Opened(**values))
        (tmp_path / "ours.dng").write_bytes(b"ours")
        return read_camera(tmp_path / "ours.dng")

    return read


def test_a_camera_file_replaces_what_was_drawn(file_with, drawn):
    file = file_with()
    assert file.sha256 == hashlib.sha256(b"ours").hexdigest()
    assert (file.black, file.white) == (512, 16383)
    camera = file.applied_to(drawn)
    assert (camera.red, camera.blue, camera.pattern) == (2, 1.5, "BGGR")
    assert camera.brightness == drawn.brightness
    expected = steps.XYZ2CAMS[0] @ steps.RGB2XYZ
    np.testing.assert_allclose(camera.rgb2cam, expected / expected.sum(axis=1)[:, None])


def test_what_a_camera_file_lacks_stays_drawn(file_with, drawn):
    file = file_with(camera_whitebalance=[0.0, 0.0, 0.0, 0.0], rgb_xyz_matrix=np.zeros((4, 3)))
    camera = file.applied_to(drawn)
    assert (camera.red, camera.blue, camera.pattern) == (drawn.red, drawn.blue, "BGGR")
    np.testing.assert_array_equal(camera.rgb2cam, drawn.rgb2cam)


def test_a_raw_is_quantised_between_zero_and_white(file_with):
    file = file_with(black_level_per_channel=[10] * 4, white_level=30)
    raw = np.array([-9, -0.5, -0.26, 0, 0.012, 0.52, 1, 1.7])
    np.testing.assert_allclose(file.quantised(raw), [-0.5, -0.5, -0.25, 0, 0, 0.5, 1, 1])


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"raw_pattern": None}, "its colour pattern '' is none of RGGB"),
        ({"raw_pattern": np.ones((6, 6), int)}, "its colour pattern 'G+' is none of RGGB"),
        ({"color_desc": b"GMCY"}, "its colour pattern '.*' is none of RGGB"),
        ({"white_level": 512}, "its white level 512 is not above its black level 512"),
    ],
)
def test_a_file_of_another_kind_of_camera_is_an_error_with_its_reason(values, reason, file_with):
    with pytest.raises(ValueError, match=f"cannot use the camera file '.*ours.dng': {reason}"):
        file_with(**values)


def test_a_file_rawpy_cannot_read_is_an_error_which_names_it(tmp_path):
    garbage = tmp_path / "garbage.dng"
    garbage.write_bytes(b"not a raw file" * 100)
    for path, reason in [
        (garbage, "Unsupported file format or not RAW file"),
        (tmp_path / "missing.dng", "No such file or directory"),
        (tmp_path, "Is a directory"),
    ]:
        with pytest.raises(ValueError, match=f"'{path}': {reason}; name a RAW or DNG file"):
            read_camera(path)


def test_a_real_raw_file_gives_its_pattern_levels_and_hash(data_root):
    path = data_root / "raw" / "RAW_KODAK_DC50.KDC"
    if not path.is_file():
        pytest.skip(f"needs {path}")
    file = read_camera(path)
    assert (file.pattern, file.black, file.white) == ("GRBG", 0, 16383)
    assert file.gains == (1, 1)
    assert file.xyz2cam is None  # LibRaw knows none for this camera
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
