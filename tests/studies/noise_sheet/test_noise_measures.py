"""What a data sheet measures of a noise is true."""

import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from benchmark.datasets import Folder
from benchmark.metrics import PSNR, SSIM
from benchmark.noise import NoiseModel, rng_for, to_uint8
from benchmark.scoring.evaluate import as_tensor
from benchmark.studies.noise_sheet.measures import measure
from benchmark.studies.noise_sheet.sheet import CHART
from benchmark.studies.noise_sheet.spread import REACH
from noise_models import Correlated, Gaussian, Mixture, Poisson, SaltAndPepper

COUNT = 4 * 256 * 256 * 3  # values on which a spread is measured


@dataclass(frozen=True)
class Darker(NoiseModel):
    """A noise which redevelops the image at half its brightness."""

    name = "darker"
    unit = "sigma, in 8-bit steps"
    levels: tuple[float, ...] = (10,)

    def sample_pair(
        self, clean: np.ndarray, level: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        return clean / 2, clean / 2 + level / 255 * rng.standard_normal(clean.shape)


def test_gaussian_noise_measures_as_white_and_normal(photos):
    mild, hard = measure("gaussian", Gaussian(levels=(15, 50)), photos).levels
    for level, measured in ((15, mild), (50, hard)):
        spread = measured.spread
        assert spread.std == pytest.approx(level, abs=4 * level / np.sqrt(2 * COUNT))
        assert abs(spread.bias) < 4 * level / np.sqrt(COUNT)
        assert abs(spread.skewness) < 4 * np.sqrt(6 / COUNT)
        assert abs(spread.kurtosis) < 4 * np.sqrt(24 / COUNT)
        assert np.abs(spread.neighbours).max() < 4 / np.sqrt(COUNT)
        assert abs(spread.between_channels) < 4 / np.sqrt(COUNT)
        assert spread.correlation[REACH, REACH] == 1


def test_filtered_noise_measures_as_correlated_by_two_thirds_of_the_filter(photos):
    spread = measure("correlated", Correlated(levels=(50,)), photos).middle.spread
    assert spread.std == pytest.approx(50 / 3, rel=0.01)
    assert spread.neighbours == pytest.approx((2 / 3, 2 / 3, 4 / 9), abs=0.01)
    assert spread.correlation[REACH, REACH - 2] == pytest.approx(1 / 3, abs=0.01)
    assert abs(spread.correlation[0, 0]) < 0.02


def test_the_chart_of_photon_noise_lies_on_its_promised_line(photos):
    measured = measure("poisson", Poisson(levels=(2,)), photos).middle
    slope = np.polyfit(CHART, measured.charted, 1)[0]
    assert slope == pytest.approx(2**2 / 256, rel=0.01)
    deviation, error = measured.deviation
    assert abs(deviation) < 4 * error < 2  # percent


def test_a_level_whose_square_is_no_number_promises_no_law(photos):
    assert measure("gaussian", Gaussian(levels=(1e300,)), photos).middle.charted is None


def test_a_law_which_is_not_kept_shows_as_a_deviation(photos):
    class Boastful(Gaussian):
        def variance(self, intensity: np.ndarray, level: float) -> np.ndarray:
            return super().variance(intensity, level) / 2

    deviation, error = measure("gaussian", Boastful(levels=(20,)), photos).middle.deviation
    assert deviation == pytest.approx(100, abs=4 * error)


def test_impulses_have_a_histogram_with_all_three_of_their_peaks(photos):
    centres, density = measure(
        "salt_and_pepper", SaltAndPepper(levels=(0.02,)), photos
    ).middle.spread.histogram
    width = centres[1] - centres[0]
    share = {
        side: density[np.abs(centres - side) < 2 * width].sum() * width for side in (-127, 0, 127)
    }
    assert share == pytest.approx({-127: 0.01, 0: 0.98, 127: 0.01}, abs=0.001)


def test_psnr_ssim_and_variance_are_of_the_images_that_a_run_would_score(photos):
    measured = measure("mixture", Mixture(levels=(3,)), photos, seed=7).middle
    clean = photos.read("second").clean
    noisy = to_uint8(Mixture()(clean, 3, rng_for("folder", "second", "mixture", 3, 7)))
    pair = as_tensor(noisy), as_tensor(to_uint8(clean))
    assert measured.psnr[1] == pytest.approx(PSNR()(*pair), abs=1e-6)
    assert measured.ssim[1] == pytest.approx(SSIM()(*pair), abs=1e-6)
    assert measured.promised is None and measured.charted is None
    assert measured.spread.std == pytest.approx(255 * 10 ** (-measured.psnr.mean() / 20), rel=0.05)
    intensities, variances = measured.seen
    assert 0.1 < intensities.min() < intensities.max() < 0.95
    assert np.polyfit(intensities, variances, 1)[0] > 0  # brighter is noisier


def test_a_redeveloped_image_is_compared_with_its_own_target(photos, stripe):
    sheet = measure("darker", Darker(), photos)
    assert sheet.middle.spread.std == pytest.approx(10, rel=0.05)
    assert all(picture.redeveloped for picture in sheet.pictures)
    assert not measure("stripe", stripe(), photos).pictures[0].redeveloped


def test_recorded_noise_is_measured_at_each_of_its_levels(scans):
    sheet = measure("scans", scans)
    good, bad = sheet.levels
    assert (good.level, bad.level) == (8, 2)
    rounding = 1 / 12
    for measured, sigma in ((good, 5), (bad, 10)):
        error = 4 * sigma / np.sqrt(80 * 90 * 3)
        assert measured.spread.std == pytest.approx(np.sqrt(sigma**2 + rounding), abs=error)
        assert measured.spread.bias == pytest.approx(3, abs=error)
    assert good.psnr[0] > bad.psnr[0]
    assert sheet.settings == {"limit": None, "crop": None}  # not where it lies


def test_another_seed_is_another_measurement(photos, stripe):
    one, other = (measure("stripe", stripe(), photos, seed=seed).middle.psnr for seed in (0, 1))
    assert (one != other).all()


def test_an_image_too_small_to_measure_is_one_sentence(tmp_path):
    Image.fromarray(np.zeros((8, 40, 3), np.uint8)).save(tmp_path / "small.png")
    with pytest.raises(ValueError, match="at least 16x16 are needed"):
        measure("gaussian", Gaussian(), Folder(path=str(tmp_path)))


@pytest.mark.slow
def test_measuring_needs_neither_torch_nor_matplotlib():
    code = (
        "import sys, benchmark.studies.noise_sheet; "
        "sys.exit(str({'torch', 'matplotlib', 'scipy', 'cv2'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""
