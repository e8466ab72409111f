"""The metrics equal their reference implementations, say what they cannot do, and say it early."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from benchmark.metrics import (
    LPIPS,
    METRICS,
    PSNR,
    PSNRY,
    SSIM,
    SSIMY,
    STLPIPS,
    Metric,
    MetricUnavailable,
    on_device,
    perceptual,
    pixelwise,
)
from benchmark.pixels import psnr

SSIM_OF_A_SHIFTED_RAMP = 0.9926659729  # scikit-image 0.26
ST_LPIPS_AT_SIGMA_25 = 0.367242  # stlpips-pytorch 0.0.2, with the weights of its wheel

every_metric = pytest.mark.parametrize("cls", METRICS.values(), ids=METRICS)


def tensor(image: np.ndarray) -> Tensor:
    return torch.from_numpy(image / np.float32(255)).permute(2, 0, 1)[None]


@pytest.fixture(scope="module")
def clean() -> np.ndarray:
    return data.astronaut()[80:141, 180:247]  # (61, 67, 3) uint8


@pytest.fixture(scope="module")
def noisy(clean) -> np.ndarray:
    return with_noise(clean, 25)


def with_noise(clean: np.ndarray, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, sigma, clean.shape)
    return np.clip(clean + noise, 0, 255).round().astype(np.uint8)


def inner(image: np.ndarray, border: int) -> np.ndarray:
    return image[border : image.shape[0] - border, border : image.shape[1] - border].astype(float)


def reference_ssim(restored: np.ndarray, clean: np.ndarray) -> float:
    return structural_similarity(
        restored,
        clean,
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        channel_axis=-1,
    )


@pytest.mark.parametrize("border", [0, 1, 4])
def test_psnr_is_scikit_image_s(clean, noisy, border):
    expected = peak_signal_noise_ratio(inner(clean, border), inner(noisy, border), data_range=255)
    assert PSNR(border=border)(tensor(noisy), tensor(clean)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("border", [0, 1, 4])
def test_psnr_of_pixels_and_the_metric_agree(clean, noisy, border):
    expected = PSNR(border=border)(tensor(noisy), tensor(clean))
    assert psnr(noisy, clean, border) == pytest.approx(expected, abs=1e-5)
    assert psnr(clean, clean, border) == PSNR(border=border)(tensor(clean), tensor(clean)) == 100


@pytest.mark.parametrize("border", [0, 1, 4])
def test_ssim_is_scikit_image_s(clean, noisy, border):
    expected = reference_ssim(inner(noisy, border), inner(clean, border))
    assert SSIM(border=border)(tensor(noisy), tensor(clean)) == pytest.approx(expected, abs=1e-7)


def test_psnr_of_an_offset_of_ten_steps_is_28_13_db():
    clean = np.full((9, 9, 3), 100, np.uint8)
    expected = 28.130803608679  # 20 log10(255 / 10)
    assert PSNR()(tensor(clean + np.uint8(10)), tensor(clean)) == pytest.approx(expected, abs=1e-5)


def test_psnr_takes_one_mean_over_the_channels():
    clean = np.full((9, 9, 3), 100, np.uint8)
    restored = clean + np.array([0, 0, 30], np.uint8)  # mean squared error 900 / 3
    assert PSNR()(tensor(restored), tensor(clean)) == pytest.approx(23.359591, abs=1e-5)


def test_ssim_of_two_flat_images_is_the_luminance_term():
    clean, restored = np.full((13, 13, 3), 100, np.uint8), np.full((13, 13, 3), 120, np.uint8)
    expected = (2 * 100 * 120 + 6.5025) / (100**2 + 120**2 + 6.5025)
    assert SSIM()(tensor(restored), tensor(clean)) == pytest.approx(expected, abs=1e-7)


def test_ssim_keeps_its_value(ramp):
    clean = np.rint(ramp * 255).astype(np.uint8)
    restored = np.roll(clean, 2, axis=1)
    assert SSIM()(tensor(restored), tensor(clean)) == pytest.approx(
        SSIM_OF_A_SHIFTED_RAMP, abs=1e-6
    )


def test_luma_weighs_the_channels_as_bt_601():
    black = np.zeros((15, 15, 3), np.uint8)
    for channel, weight in enumerate([65.481, 128.553, 24.966]):
        restored = black.copy()
        restored[..., channel] = 255
        expected = 20 * np.log10(255 / weight)
        assert PSNRY()(tensor(restored), tensor(black)) == pytest.approx(expected, abs=1e-5)


def test_luma_metrics_are_those_of_the_luma_channel(clean, noisy):
    y_clean, y_noisy = (
        16 + inner(image, 1) @ np.array([[65.481], [128.553], [24.966]]) / 255
        for image in (clean, noisy)
    )
    pair = tensor(noisy), tensor(clean)
    psnr = peak_signal_noise_ratio(y_clean, y_noisy, data_range=255)
    assert PSNRY()(*pair) == pytest.approx(psnr, abs=1e-5)
    assert SSIMY()(*pair) == pytest.approx(reference_ssim(y_noisy, y_clean), abs=1e-7)


@pytest.mark.parametrize("cls", [PSNR, PSNRY, SSIM, SSIMY])
def test_the_default_border_is_one_pixel(cls, clean):
    framed = clean.copy()
    framed[[0, -1]] = framed[:, [0, -1]] = 0
    best = cls()(tensor(clean), tensor(clean))
    assert cls()(tensor(framed), tensor(clean)) == best
    assert cls(border=0)(tensor(framed), tensor(clean)) < best
    assert cls()(tensor(framed), tensor(clean)) == cls(border=1)(tensor(framed), tensor(clean))


@pytest.mark.parametrize("cls", [PSNR, PSNRY])
def test_psnr_of_equal_images_is_100_db(cls, clean):
    assert cls()(tensor(clean), tensor(clean)) == 100


@pytest.mark.parametrize(
    ("name", "higher_is_better", "unit", "digits"),
    [
        ("psnr", True, "dB", 2),
        ("ssim", True, "", 4),
        ("psnr_y", True, "dB", 2),
        ("ssim_y", True, "", 4),
        ("lpips", False, "", 4),
        ("st_lpips", False, "", 4),
    ],
)
def test_a_metric_says_its_direction_unit_and_digits(name, higher_is_better, unit, digits):
    assert METRICS[name].name == name
    assert METRICS[name].higher_is_better is higher_is_better
    assert (METRICS[name].unit, METRICS[name].digits) == (unit, digits)


def test_a_metric_of_ones_own_has_no_unit_and_four_digits_unless_it_says_so():
    class Own(Metric):
        higher_is_better = True

    assert (Own.unit, Own.digits) == ("", 4)


@pytest.mark.parametrize(
    ("metric", "minimum"),
    [
        (PSNR(), 3),
        (PSNRY(border=0), 1),
        (SSIM(), 13),
        (SSIM(border=0), 11),
        (SSIMY(border=3), 17),
        (LPIPS(), 31),
        (STLPIPS(), 24),
    ],
)
def test_an_image_below_the_minimum_size_is_an_error_which_says_so(metric, minimum):
    assert metric.minimum_size == minimum
    small = torch.zeros(1, 3, 40, minimum - 1)
    wanted = f"{metric.name} needs images of at least {minimum}x{minimum} .* got 40x{minimum - 1}"
    with pytest.raises(ValueError, match=wanted):
        metric(small, small)


@pytest.mark.parametrize("metric", [PSNR(), PSNRY(border=0), SSIM(), SSIM(border=0), SSIMY()])
def test_an_image_of_the_minimum_size_is_scored(metric):
    image = torch.full((1, 3, metric.minimum_size, metric.minimum_size), 0.5)
    assert np.isfinite(metric(image, image))


@every_metric
def test_a_pair_of_different_shapes_is_an_error(cls):
    with pytest.raises(ValueError, match=f"{cls.name} compares one pair"):
        cls()(torch.zeros(1, 3, 40, 40), torch.zeros(1, 3, 40, 41))


@every_metric
def test_a_batch_is_an_error(cls):
    with pytest.raises(ValueError, match=f"{cls.name} compares one pair"):
        cls()(torch.zeros(2, 3, 40, 40), torch.zeros(2, 3, 40, 40))


@pytest.mark.parametrize("cls", [PSNRY, SSIMY, LPIPS, STLPIPS])
def test_a_colour_metric_refuses_a_grey_image(cls):
    grey = torch.zeros(1, 1, 40, 40)
    with pytest.raises(ValueError, match=f"{cls.name} needs RGB images, got 1 channel"):
        cls()(grey, grey)


@pytest.mark.parametrize(
    "metric", [PSNR(), PSNR(border=4), PSNRY(), SSIM(), SSIM(border=0), SSIMY()]
)
def test_a_gpu_computes_what_the_cpu_does(metric, clean, noisy):
    pair = metric.tensor(tensor(noisy)), metric.tensor(tensor(clean))
    if isinstance(metric, PSNR):
        score, equal = on_device.psnr(*pair, 100), on_device.psnr(pair[0], pair[0], 100)
        assert equal == 100
    else:
        window = tuple(pixelwise._window().ravel().tolist())
        score = on_device.ssim(*pair, window, pixelwise.SSIM_C1, pixelwise.SSIM_C2)
    assert score.item() == pytest.approx(metric(tensor(noisy), tensor(clean)), rel=1e-12)


@pytest.fixture
def st_lpips() -> STLPIPS:
    """The metric, where its package and weights are installed."""
    metric = STLPIPS()
    try:
        metric.prepare()
    except MetricUnavailable as reason:
        pytest.skip(str(reason))
    return metric


def test_the_features_of_a_clean_image_are_kept_and_change_nothing(st_lpips, clean, noisy):
    pair = tensor(noisy), tensor(clean)
    with torch.inference_mode():
        published = perceptual.load_st_lpips()(*(2 * image - 1 for image in pair)).item()
    assert st_lpips(*pair) == published
    assert st_lpips(*pair, st_lpips.features(pair[1])) == published
    assert st_lpips(*pair, st_lpips.features(pair[0])) == 0


def test_what_a_metric_promises_a_subclass_has_to_promise_again():
    class Own(PSNR):
        def score(self, restored, clean):
            return float(restored.numpy().max())

    assert PSNR.on_device and not Own.on_device
    assert STLPIPS.keeps_features and not PSNR.keeps_features


def test_senseless_settings_are_refused():
    with pytest.raises(ValueError, match="ssim needs border >= 0, got -1"):
        SSIM(border=-1)
    with pytest.raises(ValueError, match="lpips knows channel_order rgb and bgr, got 'RGB'"):
        LPIPS(channel_order="RGB")


def test_importing_the_metrics_registers_all_and_loads_neither_torch_nor_opencv():
    code = "import sys; from benchmark.metrics import METRICS; print(*METRICS); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names, loaded = (set(line.split()) for line in said.stdout.splitlines())
    assert names == {"psnr", "ssim", "psnr_y", "ssim_y", "lpips", "st_lpips"}
    assert not {"torch", "cv2", "lpips", "stlpips_pytorch", "skimage"} & loaded


def test_lpips_without_its_backbone_is_unavailable_and_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(perceptual, "weights_folder", lambda: tmp_path)
    with pytest.raises(MetricUnavailable, match="bench fetch lpips, or set metric.lpips.backbone"):
        LPIPS().prepare()


def test_lpips_with_a_wrong_path_is_a_mistake_of_the_user(tmp_path):
    with pytest.raises(ValueError, match="no file .*absent.pth; set metric.lpips.backbone=PATH"):
        LPIPS(backbone=str(tmp_path / "absent.pth")).prepare()


def test_lpips_refuses_a_file_that_is_not_torchvision_s_alexnet(tmp_path):
    page = tmp_path / perceptual.ALEXNET
    page.write_text("<html>quota exceeded</html>")
    with pytest.raises(ValueError, match="is not torchvision's AlexNet: its SHA-256 starts with"):
        LPIPS(backbone=str(page)).prepare()


@pytest.mark.slow
def test_lpips_puts_every_layer_of_the_backbone_in_its_place(monkeypatch, tmp_path, clean, noisy):
    lpips = pytest.importorskip("lpips")
    torchvision = pytest.importorskip("torchvision")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        alexnet = torchvision.models.alexnet(weights=None)
    alexnet.classifier = torch.nn.Identity()  # of which nothing is taken
    file = tmp_path / "alexnet.pth"
    torch.save(alexnet.state_dict(), file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.setattr(perceptual, "ALEXNET_SHA256", digest[:8])
    with monkeypatch.context() as patched:  # lpips' own way of getting AlexNet from torchvision
        patched.setattr(torchvision.models, "alexnet", lambda pretrained: alexnet)
        reference = lpips.LPIPS(net="alex", verbose=False).eval()

    a, b = tensor(noisy), tensor(clean)
    with torch.no_grad():
        rgb = reference(2 * a - 1, 2 * b - 1).item()
        bgr = reference(2 * a.flip(1) - 1, 2 * b.flip(1) - 1).item()
    assert rgb != bgr
    assert LPIPS(backbone=str(file))(a, b) == pytest.approx(rgb, rel=1e-5)
    assert LPIPS(backbone=str(file), channel_order="bgr")(a, b) == pytest.approx(bgr, rel=1e-5)
    assert LPIPS(backbone=str(file))(b, b) == 0


def test_where_the_backbone_lies_is_no_part_of_lpips_identity():
    assert LPIPS(backbone="/one/place.pth") == LPIPS()
    assert LPIPS(channel_order="bgr") != LPIPS()


def test_lpips_rises_with_the_noise_and_depends_on_the_channel_order(clean):
    if not Path(torch.hub.get_dir(), "checkpoints", perceptual.ALEXNET).is_file():
        pytest.skip(f"needs {perceptual.ALEXNET} among torch.hub's downloads")
    mild, hard = tensor(with_noise(clean, 15)), tensor(with_noise(clean, 50))
    assert 0 < LPIPS()(mild, tensor(clean)) < LPIPS()(hard, tensor(clean)) < 2
    assert LPIPS()(mild, tensor(clean)) != LPIPS(channel_order="bgr")(mild, tensor(clean))


def test_st_lpips_without_its_package_is_unavailable_and_says_what_to_do(monkeypatch):
    perceptual.load_st_lpips.cache_clear()
    monkeypatch.setitem(sys.modules, "stlpips_pytorch", None)
    with pytest.raises(MetricUnavailable, match=r"pip install 'noisebench\[st-lpips\]'"):
        STLPIPS().prepare()


def test_st_lpips_rises_with_the_noise_and_keeps_its_value(st_lpips, clean, noisy):
    assert st_lpips(tensor(clean), tensor(clean)) == 0
    levels = [st_lpips(tensor(with_noise(clean, sigma)), tensor(clean)) for sigma in (5, 15, 50)]
    assert levels == sorted(levels)
    assert st_lpips(tensor(noisy), tensor(clean)) == pytest.approx(ST_LPIPS_AT_SIGMA_25, rel=1e-3)
