"""Classical denoisers, thin doors to libraries: BM3D, non-local means, total variation, wavelets.

All of them want the noise's level, which a denoiser here is never told. So each estimates it from
the noisy image alone, as if the noise were white and Gaussian; a number fixes it instead.
"""

import math
import warnings
from importlib.util import find_spec

import numpy as np
from skimage import restoration  # loads its functions, and scipy.stats, when they are first used

from benchmark.denoiser import DENOISERS, ImageFilter

SMALLEST = 16  # pixels; the libraries fail, one by crashing, on sides of 1 to 8
NOTHING = 0.01 / 255  # an estimate below a hundredth of an 8-bit step is rounding error

# the opponent colours which `bm3d.bm3d_rgb` filters in: intensity, red - blue, green - magenta
OPPONENT = np.array([[1 / 3, 1 / 3, 1 / 3], [1 / 2, 0, -1 / 2], [1 / 4, -1 / 2, 1 / 4]])


class BlindFilter(ImageFilter):
    """A filter for RGB or grey images which needs sigma and estimates it from the noisy image.

    The estimate is the median absolute deviation of the finest diagonal wavelet coefficients [1]_,
    mean of the channels (``skimage.restoration.estimate_sigma``). Fine texture raises it; where it
    is 0, as in a flat image, there is nothing to remove and the image is returned as it is. Sides
    below 16 pixels are filled up by reflection first.

    Parameters
    ----------
    sigma
        Standard deviation of the noise in 8-bit steps; None estimates it for each image.

    References
    ----------
    .. [1] Donoho and Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 1994,
       section 4.2.
    """

    def __init__(self, *, sigma: float | None = None):
        super().__init__()
        if sigma is not None and not (math.isfinite(sigma) and sigma >= 0):
            raise ValueError(
                f"{self.name} needs a finite sigma >= 0 in 8-bit steps, got {sigma}; "
                f"leave it out to estimate it"
            )
        self.sigma = sigma

    def filter_image(self, noisy: np.ndarray) -> np.ndarray:
        height, width = noisy.shape[:2]
        missing = ((0, max(0, SMALLEST - height)), (0, max(0, SMALLEST - width)), (0, 0))
        padded = np.pad(noisy, missing, mode="symmetric")
        sigma = _estimated(padded) if self.sigma is None else self.sigma / 255
        if sigma < NOTHING:
            return noisy
        restored = self.remove(padded, sigma).reshape(padded.shape)  # of grey, some give (H, W)
        return restored[:height, :width]

    def remove(self, noisy: np.ndarray, sigma: float) -> np.ndarray:
        """Restore one (H, W, 3) or (H, W, 1) float64 image; sigma is in its own scale, [0, 1]."""
        raise NotImplementedError


def _estimated(noisy: np.ndarray) -> float:
    """Mean sigma of the channels, in the image's scale; a channel without details counts as 0."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no detail at all: the median of nothing
        sigmas = restoration.estimate_sigma(noisy, channel_axis=-1)
    return float(np.mean(np.nan_to_num(sigmas)))


@DENOISERS.register("bm3d")
class BM3D(BlindFilter):
    """Block matching and 3-D filtering [1]_, the authors' package ``bm3d`` [2]_.

    The package's licence allows non-commercial use only. Its colour filter divides by the range of
    each opponent colour; where one is constant, as in a grey image, R, G and B are filtered alone.
    It runs on one core, so that the same image gives the same bits.

    Parameters
    ----------
    sigma
        See `BlindFilter`.
    profile
        "lc", the authors' low-complexity profile, or "np", their normal one: a sixth of a dB
        better at three times the cost (500x500 colour photograph, sigma 15: 34.08 dB in 13 and
        34.25 dB in 36 core-seconds).

    Raises
    ------
    ValueError
        If the package is not installed, or if sigma or the profile is invalid.

    References
    ----------
    .. [1] Dabov et al., "Image denoising by sparse 3-D transform-domain collaborative filtering",
       TIP 2007.
    .. [2] Mäkinen et al., "Collaborative filtering of correlated noise: exact transform-domain
       variance for improved shrinkage and patch matching", TIP 2020; https://pypi.org/project/bm3d.
    """

    cites = ("dabov2007bm3d", "makinen2020bm3d", "donoho1994shrinkage")
    package = "bm3d"

    def __init__(self, *, sigma: float | None = None, profile: str = "lc"):
        super().__init__(sigma=sigma)
        if profile not in ("lc", "np"):
            raise ValueError(f"bm3d knows the profiles lc and np, got '{profile}'")
        if find_spec(self.package) is None:
            raise ValueError(
                "bm3d is not installed; pip install 'noisebench[bm3d]' "
                "(its licence allows non-commercial use only)"
            )
        self.profile = profile

    def remove(self, noisy: np.ndarray, sigma: float) -> np.ndarray:
        import bm3d  # takes a second, and a run which scores nothing again does not need it

        profile = bm3d.BM3DProfileLC() if self.profile == "lc" else bm3d.BM3DProfile()
        profile.num_threads = 1  # with more, sums are taken in another order at every call
        if noisy.shape[2] != 3 or np.ptp(noisy @ OPPONENT.T, axis=(0, 1)).min() < NOTHING:
            channels = [bm3d.bm3d(channel, sigma, profile) for channel in np.moveaxis(noisy, -1, 0)]
            return np.stack(channels, axis=-1)
        return bm3d.bm3d_rgb(noisy, sigma, profile)


@DENOISERS.register("nlm")
class NonLocalMeans(BlindFilter):
    """Non-local means [1]_, the fast version of scikit-image.

    Patches of 5x5 are compared within 6 pixels, as in scikit-image's example "Non-local means
    denoising for preserving textures"; h = 0.8 sigma, as the documentation of
    ``denoise_nl_means`` advises for the fast version when it is given sigma.

    References
    ----------
    .. [1] Buades et al., "A non-local algorithm for image denoising", CVPR 2005.
    """

    cites = ("buades2005nlm", "donoho1994shrinkage")

    def remove(self, noisy: np.ndarray, sigma: float) -> np.ndarray:
        return restoration.denoise_nl_means(
            noisy,
            patch_size=5,
            patch_distance=6,
            h=0.8 * sigma,
            fast_mode=True,
            sigma=sigma,
            channel_axis=-1,
        )


@DENOISERS.register("tv")
class TotalVariation(BlindFilter):
    """Total variation [1]_ by Chambolle's algorithm [2]_, each channel alone, of scikit-image.

    Parameters
    ----------
    sigma
        See `BlindFilter`.
    strength
        scikit-image's weight, 1 / lambda, is strength times sigma. 0.5 was the best of 0.4 to 1.2
        for sigma 5, 15, 25 and 50 together on crops of six training photographs of BSDS500.
        Chambolle's own rule (section 4: remove exactly sigma squared) picks about 1, which
        smooths too much: 1.6 dB less at sigma 15.

    References
    ----------
    .. [1] Rudin et al., "Nonlinear total variation based noise removal algorithms", Physica D 1992.
    .. [2] Chambolle, "An algorithm for total variation minimization and applications", JMIV 2004.
    """

    cites = ("rudin1992tv", "chambolle2004tv", "donoho1994shrinkage")

    def __init__(self, *, sigma: float | None = None, strength: float = 0.5):
        super().__init__(sigma=sigma)
        if not (math.isfinite(strength) and strength > 0):
            raise ValueError(f"tv needs a finite strength > 0, got {strength}")
        self.strength = strength

    def remove(self, noisy: np.ndarray, sigma: float) -> np.ndarray:
        return restoration.denoise_tv_chambolle(
            noisy, weight=self.strength * sigma, channel_axis=-1
        )


@DENOISERS.register("wavelet")
class WaveletShrinkage(BlindFilter):
    """Soft thresholding of wavelet coefficients by BayesShrink [1]_ in YCbCr, of scikit-image.

    The wavelet is Daubechies' db2, the one that sigma is estimated with.

    References
    ----------
    .. [1] Chang et al., "Adaptive wavelet thresholding for image denoising and compression",
       TIP 2000.
    """

    cites = ("chang2000wavelet", "donoho1994shrinkage")

    def remove(self, noisy: np.ndarray, sigma: float) -> np.ndarray:
        return restoration.denoise_wavelet(
            noisy,
            sigma=sigma,
            wavelet="db2",
            method="BayesShrink",
            mode="soft",
            convert2ycbcr=noisy.shape[2] == 3,
            rescale_sigma=True,
            channel_axis=-1,
        )
