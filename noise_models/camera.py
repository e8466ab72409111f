"""A camera in software: from a photograph back to its Bayer raw, and from a raw to a photograph.

The steps and constants of Brooks et al. [1]_, each a function of its own. Images are (H, W, 3) and
raws (H, W), both floats in [0, 1], of any height and width from 2 on: the Bayer mosaic stays one
plane, so odd sides need no padding. This file holds no noise; `isp` and `eld` do.

References
----------
.. [1] Brooks et al., "Unprocessing Images for Learned Raw Denoising", CVPR 2019; code:
   github.com/google-research/google-research, folder unprocessing.
.. [2] Malvar, He, Cutler, "High-quality linear interpolation for demosaicing of Bayer-patterned
   color images", ICASSP 2004.
"""

import hashlib
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import scipy  # loads ndimage when it is first used

from benchmark.files.places import in_home

if TYPE_CHECKING:
    import rawpy

PATTERNS = ("RGGB", "BGGR", "GRBG", "GBRG")  # the upper row's two colours, then the lower's
PROTOCOLS = ("A", "B")
GAMMA = 2.2
DARKEST = 1e-8  # the least linear value which the gamma curve is given [1]
NEAR_WHITE = 0.9  # where `safe_invert_gains` begins to spare highlights [1]

# XYZ to the raw colours of four real cameras [1]
XYZ2CAMS = np.array(
    [
        [[1.0234, -0.2969, -0.2266], [-0.5625, 1.6328, -0.0469], [-0.0703, 0.2188, 0.6406]],
        [[0.4913, -0.0541, -0.0202], [-0.613, 1.3513, 0.2906], [-0.1564, 0.2151, 0.7183]],
        [[0.838, -0.263, -0.0639], [-0.2887, 1.0725, 0.2496], [-0.0627, 0.1427, 0.5438]],
        [[0.6596, -0.2079, -0.0562], [-0.4782, 1.3016, 0.1933], [-0.097, 0.1581, 0.5181]],
    ]
)
RGB2XYZ = np.array(  # linear sRGB, D65
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)

BILINEAR_GREEN = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]]) / 4
BILINEAR_OTHER = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4
MALVAR_GREEN = (  # green at red or blue [2], figure 2
    np.array(
        [[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]]
    )
    / 8
)
MALVAR_ALONG = (  # red or blue at a green with such neighbours left and right
    np.array(
        [[0, 0, 1, 0, 0], [0, -2, 0, -2, 0], [-2, 8, 10, 8, -2], [0, -2, 0, -2, 0], [0, 0, 1, 0, 0]]
    )
    / 16
)
MALVAR_ACROSS = (  # red at blue, blue at red
    np.array(
        [[0, 0, -3, 0, 0], [0, 4, 0, 4, 0], [-3, 0, 12, 0, -3], [0, 4, 0, 4, 0], [0, 0, -3, 0, 0]]
    )
    / 16
)


@dataclass(frozen=True)
class Camera:
    """What one exposure's development depends on."""

    rgb2cam: np.ndarray  # (3, 3), from linear sRGB to the raw's colours; each row sums to 1
    brightness: float  # the gain of all colours
    red: float  # white balance: the gain of red over green
    blue: float
    pattern: str = "RGGB"

    @property
    def balance(self) -> np.ndarray:
        """The white balance gains of red, green and blue."""
        return np.array([self.red, 1, self.blue])


@dataclass(frozen=True)
class CameraFile:
    """What a RAW or DNG file says of its camera; None where it says nothing."""

    sha256: str  # of the file, in hexadecimal
    pattern: str
    black: float  # in the raw's whole steps, the mean of its channels
    white: float
    gains: tuple[float, float] | None  # white balance: red and blue over green
    xyz2cam: np.ndarray | None  # (3, 3)

    def applied_to(self, camera: Camera) -> Camera:
        """A camera with everything that the file knows in place of its own."""
        red, blue = self.gains or (camera.red, camera.blue)
        matrix = camera.rgb2cam if self.xyz2cam is None else rgb_to_camera(self.xyz2cam)
        return replace(camera, rgb2cam=matrix, red=red, blue=blue, pattern=self.pattern)

    def quantised(self, raw: np.ndarray) -> np.ndarray:
        """A raw as the file stores it: rounded to its steps, cut off at 0 and at white.

        What lies below the black level, which is 0 here, survives as far as the file can hold it.
        """
        steps = np.rint(self.black + raw * (self.white - self.black))
        return (np.clip(steps, 0, self.white) - self.black) / (self.white - self.black)


def read_camera(path: str | Path) -> CameraFile:
    """Read a RAW or DNG file's metadata with rawpy; its picture is not used.

    Raises
    ------
    ValueError
        If the file is missing, unknown to rawpy, or not from a camera with a Bayer pattern.
    """
    import rawpy

    path = in_home(str(path))
    try:
        content = path.read_bytes()
        with rawpy.imread(BytesIO(content)) as raw:
            return _camera_of(raw, hashlib.sha256(content).hexdigest())
    except OSError as error:
        reason = error.strerror
    except rawpy.LibRawError as error:
        text = error.args[0]  # LibRaw's own are bytes
        reason = text.decode() if isinstance(text, bytes) else text
    except ValueError as error:
        reason = str(error)
    raise ValueError(
        f"cannot use the camera file '{path}': {reason}; name a RAW or DNG file of a camera with a "
        "Bayer pattern, or leave camera out for random ones"
    )


def _camera_of(raw: "rawpy.RawPy", sha256: str) -> CameraFile:
    """The metadata of an open `rawpy.RawPy`; raises ``ValueError`` with the reason alone."""
    tile = raw.raw_pattern
    letters = raw.color_desc.decode()
    pattern = "" if tile is None else "".join(letters[colour] for colour in tile.flat)
    if pattern not in PATTERNS:
        raise ValueError(f"its colour pattern '{pattern}' is none of {', '.join(PATTERNS)}")
    black, white = float(np.mean(raw.black_level_per_channel)), float(raw.white_level)
    if not 0 <= black < white:
        raise ValueError(f"its white level {white:g} is not above its black level {black:g}")
    red, green, blue = raw.camera_whitebalance[:3]
    gains = (red / green, blue / green) if min(red, green, blue) > 0 else None
    matrix = raw.rgb_xyz_matrix[:3].astype(np.float64)  # (4, 3): LibRaw's name, but XYZ to camera
    return CameraFile(sha256, pattern, black, white, gains, matrix if matrix.any() else None)


def random_camera(rng: np.random.Generator) -> Camera:
    """A camera drawn as in [1]_: four weights of `random_ccm`, then brightness, red and blue.

    ``brightness = 1 / N(0.8, 0.1)``, ``red ~ U(1.9, 2.4)``, ``blue ~ U(1.5, 1.9)``.
    """
    matrix = random_ccm(rng)
    brightness = 1 / rng.normal(0.8, 0.1)
    return Camera(matrix, brightness, red=rng.uniform(1.9, 2.4), blue=rng.uniform(1.5, 1.9))


def random_ccm(rng: np.random.Generator) -> np.ndarray:
    """(3, 3) from linear sRGB to a camera: a random mean of four cameras, weights U(1e-8, 1e8)."""
    weights = rng.uniform(1e-8, 1e8, len(XYZ2CAMS))
    return rgb_to_camera(np.tensordot(weights / weights.sum(), XYZ2CAMS, axes=1))


def rgb_to_camera(xyz2cam: np.ndarray) -> np.ndarray:
    """(3, 3) from linear sRGB to a camera, each row divided by its sum: gray stays gray."""
    matrix = xyz2cam @ RGB2XYZ
    return matrix / matrix.sum(axis=1, keepdims=True)


def random_noise_levels(rng: np.random.Generator) -> tuple[float, float]:
    """Shot and read noise, drawn as in [1]_: the variance of a raw value x is shot * x + read.

    ``log shot ~ U(log 0.0001, log 0.012)``, ``log read = 2.18 log shot + 1.2 + N(0, 0.26^2)``.
    """
    log_shot = rng.uniform(np.log(0.0001), np.log(0.012))
    log_read = 2.18 * log_shot + 1.2 + rng.normal(0, 0.26)
    return float(np.exp(log_shot)), float(np.exp(log_read))


def smoothstep(image: np.ndarray) -> np.ndarray:
    """The global tone curve ``3 x^2 - 2 x^3``."""
    return image * image * (3 - 2 * image)


def inverse_smoothstep(image: np.ndarray) -> np.ndarray:
    """The inverse of `smoothstep`, after clipping to [0, 1]."""
    return 0.5 - np.sin(np.arcsin(1 - 2 * np.clip(image, 0, 1)) / 3)


def gamma_expand(image: np.ndarray) -> np.ndarray:
    """From the gamma curve to linear light, ``max(x, 1e-8)^2.2``."""
    return np.maximum(image, DARKEST) ** GAMMA


def gamma_compress(image: np.ndarray) -> np.ndarray:
    """From linear light to the gamma curve, ``max(x, 1e-8)^(1 / 2.2)``."""
    return np.maximum(image, DARKEST) ** (1 / GAMMA)


def apply_ccm(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Each pixel's colour, a column, multiplied by a (3, 3) matrix from the left."""
    return image @ matrix.T


def safe_invert_gains(image: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Divide by the gains of red, green and blue, but leave what is near white bright.

    Where the mean of the colours exceeds 0.9 the factor goes to 1 as the square of the excess, so
    that clipped highlights stay clipped; a factor above 1 is kept everywhere.
    """
    factors = 1 / gains
    gray = image.mean(axis=-1, keepdims=True)
    mask = (np.maximum(gray - NEAR_WHITE, 0) / (1 - NEAR_WHITE)) ** 2
    return image * np.maximum(mask + (1 - mask) * factors, factors)


def bayer_colours(shape: tuple[int, ...], pattern: str) -> np.ndarray:
    """(H, W) of 0, 1, 2: which of red, green and blue each site sees.

    Raises
    ------
    ValueError
        If the pattern is not one of the four.
    """
    if pattern not in PATTERNS:
        raise ValueError(f"no Bayer pattern '{pattern}'; take one of {', '.join(PATTERNS)}")
    tile = np.reshape(["RGB".index(letter) for letter in pattern], (2, 2))
    height, width = shape
    return np.tile(tile, (-(-height // 2), -(-width // 2)))[:height, :width]


def mosaic(image: np.ndarray, pattern: str = "RGGB") -> np.ndarray:
    """(H, W): of each pixel the one colour which its site sees."""
    colours = bayer_colours(image.shape[:2], pattern)
    return np.take_along_axis(image, colours[..., None], axis=2)[..., 0]


def demosaic_bilinear(raw: np.ndarray, pattern: str = "RGGB") -> np.ndarray:
    """(H, W, 3): missing colours are the mean of the nearest 2 or 4 sites which see them.

    Each colour lies exactly at its sites, whose values are kept. The mosaic is mirrored at the
    border without repeating its outermost line, which gives the numbers of [1]_: there the outer
    sites of each colour are repeated.
    """
    colours = bayer_colours(raw.shape, pattern)
    kernels = (BILINEAR_OTHER, BILINEAR_GREEN, BILINEAR_OTHER)
    planes = [
        _filtered(np.where(colours == colour, raw, 0), kernel)
        for colour, kernel in enumerate(kernels)
    ]
    return np.stack(planes, axis=-1)


def demosaic_malvar(raw: np.ndarray, pattern: str = "RGGB") -> np.ndarray:
    """(H, W, 3): bilinear, corrected by the Laplacian of the site's own colour [2]_.

    May leave [0, 1]. The border is that of `demosaic_bilinear`.
    """
    colours = bayer_colours(raw.shape, pattern)
    green = np.where(colours == 1, raw, _filtered(raw, MALVAR_GREEN))
    along, down = _filtered(raw, MALVAR_ALONG), _filtered(raw, MALVAR_ALONG.T)
    across = _filtered(raw, MALVAR_ACROSS)

    def plane(colour: int) -> np.ndarray:
        rows = (colours == colour).any(axis=1, keepdims=True)  # the rows which see this colour
        at_green = np.where(rows, along, down)
        return np.select([colours == colour, colours == 1], [raw, at_green], across)

    return np.stack([plane(0), green, plane(2)], axis=-1)


DEMOSAICS = {"bilinear": demosaic_bilinear, "malvar": demosaic_malvar}


def unprocess(image: np.ndarray, camera: Camera) -> np.ndarray:
    """(H, W): the noiseless raw in [0, 1] which a camera would have made a photograph of.

    Raises
    ------
    ValueError
        If the image is not RGB or smaller than 2x2 pixels.
    """
    if image.ndim != 3 or image.shape[2] != 3 or min(image.shape[:2]) < 2:
        raise ValueError(
            f"a camera needs an RGB image, (H, W, 3), of at least 2x2 pixels, got {image.shape}; "
            "leave this noise out or convert the image"
        )
    linear = gamma_expand(inverse_smoothstep(image.astype(np.float64)))
    seen = apply_ccm(linear, camera.rgb2cam)
    dimmed = safe_invert_gains(seen, camera.brightness * camera.balance)
    return mosaic(np.clip(dimmed, 0, 1), camera.pattern)


def process(
    raw: np.ndarray, camera: Camera, protocol: str = "B", demosaic: str = "bilinear"
) -> np.ndarray:
    """(H, W, 3) in [0, 1]: a raw developed to a photograph.

    Parameters
    ----------
    protocol
        ``"A"``: white balance, demosaicking, colour matrix and gamma, as in [1]_; the photograph
        is darker and flatter than the one which was unprocessed. ``"B"``: also the camera's
        brightness, with the white balance, and `smoothstep`, after the gamma curve.
    demosaic
        A name in ``DEMOSAICS``.
    """
    finished = protocol == "B"
    gains = camera.balance * (camera.brightness if finished else 1)
    balanced = raw * gains[bayer_colours(raw.shape, camera.pattern)]
    colours = DEMOSAICS[demosaic](np.clip(balanced, 0, 1), camera.pattern)
    linear = np.clip(apply_ccm(colours, np.linalg.inv(camera.rgb2cam)), 0, 1)
    image = gamma_compress(linear)
    return smoothstep(image) if finished else image


def _filtered(plane: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    # mirroring about the outermost line keeps the parity of rows and columns, hence the pattern
    return scipy.ndimage.correlate(plane, kernel, mode="mirror")
