"""Low-light noise: the law of a read-out, the calibrated sensors, the development."""

import numpy as np
import pytest
from scipy.stats import tukeylambda

from noise_models.eld import (
    ELD,
    SENSORS,
    Exposure,
    random_exposure,
    read_out,
    tukey_lambda,
)

every_sensor = pytest.mark.parametrize("sensor", SENSORS.values(), ids=SENSORS)


@pytest.mark.parametrize("shape", [-0.24, 0, 0.2])
def test_read_noise_has_the_tukey_lambda_law(shape):
    u = np.array([1e-6, 0.03, 0.5, 0.7, 0.999])
    np.testing.assert_allclose(tukey_lambda(u, shape), tukeylambda.ppf(u, shape), atol=1e-12)


@pytest.mark.parametrize("light", [0, 3, 150])
def test_a_read_out_has_the_mean_and_variance_of_its_four_noises(light):
    exposure = Exposure(gain=2.5, read=1.5, row=0.7, shape=0.1)
    noise = read_out(np.full((600, 600), light), exposure, np.random.default_rng(0)) - light
    count = noise.size
    within = 2.5 * light + 1.5**2 * tukeylambda.var(0.1) + 1 / 12
    inside = noise - noise.mean(axis=1, keepdims=True)
    assert inside.var() * 600 / 599 == pytest.approx(within, abs=4 * within * np.sqrt(4 / count))
    rows = noise.mean(axis=1)
    spread = 0.7**2 + within / 600
    assert rows.var() == pytest.approx(spread, abs=4 * spread * np.sqrt(2 / 600))
    assert rows.mean() == pytest.approx(0, abs=4 * np.sqrt(spread / 600))
    columns = noise.mean(axis=0)
    assert columns.var() == pytest.approx(within / 600, abs=4 * within / 600 * np.sqrt(2 / 600))


def test_photons_are_counted_in_whole_electrons():
    exposure = Exposure(gain=100, read=0, row=0, shape=0.1)
    steps = read_out(np.full((50, 50), 170.0), exposure, np.random.default_rng(0))
    electrons = steps / 100
    assert np.abs(electrons - np.rint(electrons)).max() <= 0.5 / 100
    assert len(np.unique(np.rint(electrons))) > 3


@every_sensor
def test_an_exposure_follows_the_sensors_calibration(sensor):
    rng = np.random.default_rng(0)
    drawn = [random_exposure(sensor, rng) for _ in range(2000)]
    log_gain = np.log([exposure.gain for exposure in drawn])
    low, high = np.log(sensor.gains)
    assert low <= log_gain.min() < log_gain.max() <= high
    width = (high - low) / np.sqrt(12)
    assert log_gain.mean() == pytest.approx((low + high) / 2, abs=4 * width / np.sqrt(2000))
    for name in ("read", "row"):
        line = getattr(sensor, name)
        log_scale = np.log([getattr(exposure, name) for exposure in drawn])
        rest = log_scale - (line.slope * log_gain + line.bias)
        assert rest.mean() == pytest.approx(0, abs=4 * line.sigma / np.sqrt(2000))
        assert rest.std() == pytest.approx(line.sigma, abs=4 * line.sigma / np.sqrt(4000))
    shapes = {round(exposure.shape * 70) for exposure in drawn}
    assert shapes == set(sensor.shapes)
    assert -17 <= min(shapes) <= max(shapes) <= 14  # -.24 to +.20


def test_the_level_changes_the_noise_and_not_the_camera(ramp):
    mild, hard = (ELD().pair(ramp, level, np.random.default_rng(3)) for level in (1, 300))
    np.testing.assert_array_equal(mild[0], hard[0])
    assert np.abs(mild[1] - mild[0]).mean() < np.abs(hard[1] - hard[0]).mean() / 5


def test_rows_of_the_sensor_share_their_offset():
    dark = np.full((200, 300, 3), 0.02, np.float32)
    target, noisy = ELD(camera="SonyA7S2").pair(dark, 100, np.random.default_rng(0))
    noise = noisy - target
    assert noise.mean(axis=(1, 2)).var() > 2 * noise.mean(axis=(0, 2)).var()


def test_all_cameras_are_drawn_and_one_can_be_named(ramp, monkeypatch):
    drawn = []

    def spy(sensor, rng):
        drawn.append(sensor)
        return random_exposure(sensor, rng)

    monkeypatch.setattr("noise_models.eld.random_exposure", spy)
    for seed in range(60):
        ELD()(ramp, 100, np.random.default_rng(seed))
    assert {id(sensor) for sensor in drawn} == {id(sensor) for sensor in SENSORS.values()}
    ELD(camera="NikonD850")(ramp, 100, np.random.default_rng(0))
    assert drawn[-1] is SENSORS["NikonD850"]


def test_an_unknown_camera_is_an_error_which_names_the_known_ones():
    with pytest.raises(ValueError, match="eld has no camera 'Leica'; take one of all, Canon"):
        ELD(camera="Leica")


def test_a_brighter_than_normal_exposure_is_refused(ramp):
    with pytest.raises(ValueError, match="eld needs a finite level >= 1 .* got 0.5"):
        ELD()(ramp, 0.5, np.random.default_rng(0))
