"""The data sheet of a noise: what it measures is true, and the page says it."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.datasets import Folder, Recorded
from benchmark.metrics import PSNR, SSIM
from benchmark.noise import NoiseModel, rng_for, to_uint8
from benchmark.scoring.evaluate import as_tensor
from benchmark.studies.noise_measures import CHART, REACH, measure
from benchmark.studies.noise_sheet import draw, index_page, page, write_index, write_sheet
from noise_models import Correlated, Gaussian, Mixture, Poisson, SaltAndPepper

COUNT = 4 * 256 * 256 * 3  # values on which a spread is measured


@pytest.fixture
def photos(tmp_path) -> Folder:
    """Two photograph-like images of 64x48 pixels."""
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    for name in ("first", "second"):
        waves = np.sin(np.arange(64)[:, None] / 9) + np.cos(np.arange(48) / 7)
        values = 0.5 + 0.2 * waves[..., None] + rng.uniform(-0.05, 0.05, (64, 48, 3))
        Image.fromarray(to_uint8(values)).save(tmp_path / "images" / f"{name}.png")
    return Folder(path=str(tmp_path / "images"))


@dataclass(frozen=True)
class Stripe(NoiseModel):
    """Row offsets of a cheap sensor, the same in every column and channel [1]_.

    Nothing more is known.

    Parameters
    ----------
    period
        Rows with one
        offset.

    References
    ----------
    .. [1] A colleague, in the
       corridor.
    """

    name = "stripe"
    unit = "sigma, in 8-bit steps"
    note = "its width is a guess"
    levels: tuple[float, ...] = (5, 10)
    period: int = 1

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        offsets = level / 255 * rng.standard_normal(len(clean))
        return clean + np.repeat(offsets, self.period)[: len(clean), None, None]


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


@dataclass(frozen=True)
class Scans(Recorded):
    """Scans of one page, good and bad."""

    name = "scans"
    unit = "passes"
    source = "scan it"
    located = ("path",)
    levels: tuple[float, ...] = (8, 2)
    path: str = ""

    def searched(self) -> list[Path]:
        return [Path(self.path)]

    def listing(self, folder: Path) -> dict[str, tuple[Path, ...]]:
        return {"page": tuple(folder / f"{name}.png" for name in ("clean", "8", "2"))}


@pytest.fixture
def scans(tmp_path) -> Scans:
    """A page with noise of 5 and of 10 8-bit steps, 3 steps too bright."""
    rng = np.random.default_rng(1)
    clean = rng.integers(60, 190, (80, 90, 3))
    for name, sigma, bias in (("clean", 0, 0), ("8", 5, 3), ("2", 10, 3)):
        values = clean + bias + sigma * rng.standard_normal(clean.shape)
        Image.fromarray(to_uint8(values / 255)).save(tmp_path / f"{name}.png")
    return Scans(path=str(tmp_path))


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
    assert measured.ssim[1] == pytest.approx(SSIM()(*pair), abs=1e-4)
    assert measured.promised is None and measured.charted is None
    assert measured.spread.std == pytest.approx(255 * 10 ** (-measured.psnr.mean() / 20), rel=0.05)
    intensities, variances = measured.seen
    assert 0.1 < intensities.min() < intensities.max() < 0.95
    assert np.polyfit(intensities, variances, 1)[0] > 0  # brighter is noisier


def test_a_redeveloped_image_is_compared_with_its_own_target(photos):
    sheet = measure("darker", Darker(), photos)
    assert sheet.middle.spread.std == pytest.approx(10, rel=0.05)
    assert all(picture.redeveloped for picture in sheet.pictures)
    assert not measure("stripe", Stripe(), photos).pictures[0].redeveloped


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


@pytest.mark.slow
def test_recorded_noise_gets_its_page_without_another_dataset(scans, tmp_path):
    write_sheet("scans", scans, None, tmp_path / "out", "bench noise scans")
    text = (tmp_path / "out" / "scans.md").read_text()
    assert "Levels, mild to hard: 8, 2 (passes)." in text
    assert "promises no closed law" in text and "seed" not in text


def test_a_plugin_without_a_law_gets_a_page_which_shows_its_docstring_and_its_guess(photos):
    text = page(measure("stripe", Stripe(period=2), photos), "bench noise stripe")
    assert "> **Note:** Its width is a guess." in text
    assert "Settings: `period=2`." in text
    assert "the same in every column and channel [1]." in text
    assert "Nothing more is known." in text
    assert "- `period`: Rows with one offset." in text
    assert "1. A colleague, in the corridor." in text
    assert "promises no closed law" in text
    assert "Made with `bench noise stripe`." in text
    assert "[1]_" not in text and "----\n" not in text


def test_the_table_of_numbers_has_a_line_a_level_as_wide_as_its_heading(photos):
    for noise in (Gaussian(levels=(15, 50)), Stripe()):
        table = page(measure(noise.name, noise, photos), "").partition("## Measured\n\n")[2]
        heading, _, *lines = table.partition("\n\n")[0].splitlines()
        assert [line.split()[1] for line in lines] == [f"{level:g}" for level in noise.levels]
        assert {line.count("|") for line in lines} == {heading.count("|")}


@pytest.mark.slow
def test_the_index_links_every_page_and_repeats_every_note(photos, tmp_path):
    sheets = [
        write_sheet(noise.name, noise, photos, tmp_path, "bench noise all")
        for noise in (Gaussian(levels=(15,)), Stripe(levels=(5,)))
    ]
    text = write_index(sheets, tmp_path, "bench noise all").read_text()
    assert text == index_page(sheets, "bench noise all")
    links = re.findall(r"\]\((.*?)\)", text)
    assert links == ["gaussian.md", "stripe.md"]
    assert all((tmp_path / link).is_file() for link in links)
    assert "| none |" in text and "Its width is a guess." in text


@pytest.mark.slow
def test_the_same_input_gives_the_same_bytes(photos, tmp_path):
    for folder in ("first", "second"):
        write_sheet("stripe", Stripe(levels=(5,)), photos, tmp_path / folder, "bench noise stripe")
    for name in ("stripe.png", "stripe.md"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_another_seed_is_another_measurement(photos):
    one, other = (measure("stripe", Stripe(), photos, seed=seed).middle.psnr for seed in (0, 1))
    assert (one != other).all()


@pytest.mark.slow
def test_a_noise_which_changes_nothing_can_be_drawn(photos):
    sheet = measure("gaussian", Gaussian(levels=(0,)), photos)
    assert sheet.middle.psnr.tolist() == [100, 100]
    draw(sheet).draw_without_rendering()
    assert "nan" not in page(sheet, "")


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("levels", [(20,), (10, 20), tuple(range(5, 40, 5))])
def test_no_text_of_a_figure_is_cut_off_or_hides_another(photos, levels):
    figure = draw(measure("a_name_" * 9, Stripe(levels=levels), photos))
    figure.draw_without_rendering()
    page_box = figure.bbox
    boxes = [text.get_window_extent() for text in visible_texts(figure)]
    for box in boxes:
        assert (box.min >= page_box.min).all() and (box.max <= page_box.max).all()
    for number, box in enumerate(boxes):
        assert not any(box.shrunk(0.8, 0.8).overlaps(other) for other in boxes[number + 1 :])


def visible_texts(figure) -> list:
    found = [*figure.texts]
    for axes in figure.axes:
        found += [axes.title, *axes.texts]
        for axis in (axes.xaxis, axes.yaxis) if axes.axison else ():
            low, high = sorted(axis.get_view_interval())
            ticks = axis.get_major_ticks()
            found += [axis.label, *(t.label1 for t in ticks if low <= t.get_loc() <= high)]
            found += [t.label2 for t in ticks if low <= t.get_loc() <= high]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


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
