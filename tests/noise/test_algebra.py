"""What formulas of noises compute: sums, sequences, developments."""

import numpy as np
import pytest
from toy_noises import rng

from benchmark.noise.formula import Formula, as_choice, key_name
from benchmark.noise.grammar import parse
from benchmark.noise.keys import Key
from noise_models import Gaussian, Poisson, SaltAndPepper

pytestmark = pytest.mark.usefixtures("doubles")
SIDE = 300


def flat(value: float) -> np.ndarray:
    return np.full((SIDE, SIDE, 3), value, np.float32)


def residual(formula: str, value: float) -> np.ndarray:
    """The noise of a formula on a flat image, in 8-bit steps, not clipped."""
    target, noisy = parse(formula).sample_pair(flat(value), rng())
    return (noisy.astype(np.float64) - target) * 255


def test_a_term_alone_has_the_pixels_of_its_noise(ramp):
    expected = SaltAndPepper(per_channel=False)(ramp, 0.5, rng())
    found = Formula(formula="salt_and_pepper(0.5, per_channel=false)")(ramp, 1, rng())
    np.testing.assert_array_equal(found, expected)


def test_the_variances_of_a_sum_add_up():
    noise = residual("gaussian(20)+gaussian(15)", 0.5)
    assert noise.var() == pytest.approx(25**2, abs=4 * 25**2 * np.sqrt(2 / noise.size))


def test_the_promised_variance_is_the_measured_one_before_clipping():
    formula = Formula(formula="gaussian(15)+poisson(2)+speckle(0.02)")
    intensity = np.array([0.1, 0.5, 0.9])
    measured = [residual(formula.formula, value).var() / 255**2 for value in intensity]
    np.testing.assert_allclose(formula.variance(intensity, 1), measured, rtol=0.02)


@pytest.mark.parametrize(
    "formula",
    ["gaussian(5)>>gaussian(5)", "gaussian(5)+fussy(1)", "gaussian(1)+(poisson(1)>>gaussian(5))"],
)
def test_a_formula_promises_no_variance_unless_all_its_parts_do_and_none_is_a_sequence(formula):
    assert Formula(formula=formula).variance(np.array([0.5]), 1) is None


def test_a_sum_adds_unclipped_noises_of_the_clean_image_drawn_in_canonical_order():
    shared, bright = rng(), flat(0.99)
    expected = Gaussian().sample(bright, 25, shared) + Poisson().sample(bright, 2, shared) - bright
    _, noisy = parse("poisson(2)+gaussian(25)").sample_pair(bright, rng())
    np.testing.assert_allclose(noisy, expected, atol=1e-6)
    assert noisy.max() > 1.2


def test_a_sum_has_the_same_pixels_in_whatever_order_it_is_typed(ramp):
    typed = ["gaussian(9)+speckle(.1)+poisson(2)", "poisson(2)+(gaussian(9)+speckle(0.1))"]
    first, second = (Formula(formula=text)(ramp, 1, rng()) for text in typed)
    np.testing.assert_array_equal(first, second)


def test_a_sequence_hands_on_clipped_images_and_draws_one_after_the_other(ramp):
    shared = rng()
    expected = Poisson()(Gaussian()(ramp, 99, shared), 2, shared)
    found = Formula(formula="gaussian(99)>>poisson(2)")(ramp, 1, rng())
    np.testing.assert_array_equal(found, expected)


def test_impulses_at_the_end_leave_exactly_black_and_white_values():
    _, noisy = parse("gaussian(10)>>salt_and_pepper(0.5)").sample_pair(flat(0.5), rng())
    error = 4 * np.sqrt(0.25 / noisy.size)
    assert np.isin(noisy, (0, 1)).mean() == pytest.approx(0.5, abs=error)


def test_the_order_of_a_sequence_matters():
    after, before = (
        np.isin(parse(text).sample_pair(flat(0.5), rng())[1], (0, 1)).mean()
        for text in ("gaussian(10)>>salt_and_pepper(0.5)", "salt_and_pepper(0.5)>>gaussian(10)")
    )
    assert after > 0.4
    assert before < 0.01


def test_the_image_to_restore_is_the_clean_one_itself(ramp):
    for text in ("gaussian(9)", "gaussian(9)+darkroom(0.1)", "gaussian(9)>>fussy(1)+poisson(2)"):
        target, noisy = Formula(formula=text).pair(ramp, 1, rng())
        assert target is ramp
        assert not np.shares_memory(noisy, ramp)


def test_random_numbers_depend_on_what_a_file_holds_and_not_on_where_it_lies(tmp_path):
    paths = [tmp_path / name for name in ("z.raw", "a.raw", "other.raw")]
    for path, content in zip(paths, (b"one", b"one", b"two"), strict=True):
        path.write_bytes(content)
    texts = [f'filed(1,path="{path}")+gaussian(25)' for path in paths]
    names = [as_choice(text)[0] for text in texts]
    assert key_name(names[0]) == key_name(names[1]) != key_name(names[2])
    one, again, other = (Key("a", "1", name, 1.0, 0).rng().random() for name in names)
    assert one == again != other
    assert key_name("gaussian(25)>>jpeg(50)") == "gaussian(25)>>jpeg(50)"
    assert key_name("mine(a=b)") == "mine(a=b)"  # a variant's name, and no noise of ours
    two = [parse(f"filed(2)+{text}") for text in texts]
    orders = [[term.level for term in tree.terms] for tree in two]
    assert orders[0] == orders[1]


def test_a_stage_which_redevelops_the_image_develops_both_with_one_draw(ramp):
    target, noisy = Formula(formula="fussy(1)>>darkroom(0)>>fussy(1)").pair(ramp, 1, rng())
    np.testing.assert_array_equal(target, noisy)
    gain = target.mean() / ramp.mean()
    assert 0.4 < gain < 0.6
    np.testing.assert_allclose(target, gain * ramp, rtol=1e-5)


def test_noise_before_a_development_is_developed_and_stays_noise(ramp):
    target, noisy = Formula(formula="gaussian(10)>>darkroom(0)").pair(ramp, 1, rng())
    gain = (target / ramp).mean()
    first = Gaussian()(ramp, 10, rng())
    shared = rng()
    shared.standard_normal(ramp.shape)
    assert gain == pytest.approx(shared.uniform(0.4, 0.6), rel=1e-5)
    np.testing.assert_allclose(noisy, gain * first, rtol=1e-5)


def test_a_development_in_a_sum_adds_its_noise_alone():
    noise = residual("darkroom(0.1)+gaussian(0)", 0.5)
    assert noise.std() == pytest.approx(25.5, rel=0.02)
    assert abs(noise.mean()) < 4 * 25.5 / np.sqrt(noise.size)


def test_the_default_formula_works(ramp):
    assert Formula().formula == "gaussian(15)+poisson(2)>>jpeg(50)"
    assert not np.array_equal(Formula()(ramp, 1, rng()), ramp)


def test_a_formula_carries_the_notes_of_its_noises_and_whether_it_draws_numbers():
    mixed = Formula(formula="fussy(1)+gaussian(1)>>fussy(2)")
    assert (mixed.note, mixed.deterministic) == ("fussy: a note", False)
    assert Formula(formula="fussy(1)>>fussy(2)").deterministic
