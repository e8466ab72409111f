"""One cell's images: what is scored depends on the cell's key alone, and has 8 bits."""

import threading
import time
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from doubles import Constant, Darkened, Dice, Offset, Recorder, Spy

from benchmark.cells import Cell
from benchmark.cells.provenance import pixels_hash
from benchmark.datasets import Folder, Pairs, Sample
from benchmark.denoiser import Denoiser
from benchmark.environment.ahead import one_ahead
from benchmark.metrics import METRICS
from benchmark.noise import NoiseModel, rng_for, to_uint8
from benchmark.protocol import MASKED, PROTOCOLS, Protocol
from benchmark.scoring.evaluate import Evaluated, evaluate, prepared, score_of, with_border

NAMES = ["a", "b", "c", "d"]
METRIC = {"psnr": METRICS["psnr"]()}
STEP = 0.6 / 255  # which 8 bits round up


@pytest.fixture
def gaussian() -> NoiseModel:
    from benchmark.noise import NOISE_MODELS

    return NOISE_MODELS["gaussian"]()


@pytest.fixture
def folder(tmp_path) -> Folder:
    """Four images of different sizes."""
    rng = np.random.default_rng(0)
    for place, name in enumerate(NAMES):
        pixels = rng.integers(0, 256, (17 + place, 23, 3), np.uint8)
        cv2.imwrite(str(tmp_path / f"{name}.png"), pixels)
    return Folder(path=str(tmp_path))


def results(
    folder: Folder,
    law: NoiseModel | None,
    denoiser: Denoiser,
    images: list[str] = NAMES,
    **changes: object,
) -> dict[str, Evaluated]:
    """The images of a cell by name; ``changes`` are to the cell's key."""
    cell = replace(Cell("m", "d", law.name if law else "d", 25.0, 0), **changes)
    done = evaluate(cell, denoiser, folder, law, METRIC, images)
    return {each.row["image"]: each for each in done}


def same(one: Evaluated, other: Evaluated) -> bool:
    pictures = ("clean", "noisy", "restored")
    return one.row["psnr"] == other.row["psnr"] and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in pictures
    )


def test_images_come_in_the_order_asked_for_each_with_its_scores_and_time(folder, gaussian):
    found = results(folder, gaussian, Recorder())
    assert list(found) == NAMES
    for each in found.values():
        assert list(each.row) == ["image", "psnr", "seconds", "noisy", "clean"]
        assert each.row["seconds"] >= 0
        assert each.clean.shape == each.noisy.shape == each.restored.shape


def test_no_images_are_no_results(folder, gaussian):
    assert results(folder, gaussian, Recorder(), images=[]) == {}


@pytest.mark.parametrize("model", [Recorder, Dice])
def test_order_and_company_of_an_image_do_not_matter(folder, gaussian, model):
    forwards = results(folder, gaussian, model())
    backwards = results(folder, gaussian, model(), images=NAMES[::-1])
    assert list(backwards) == NAMES[::-1]
    for name in NAMES:
        alone = results(folder, gaussian, model(), images=[name])
        assert same(forwards[name], backwards[name])
        assert same(forwards[name], alone[name])


def test_every_model_sees_the_same_noisy_bytes(folder, gaussian):
    first, second = Recorder(), Recorder()
    results(folder, gaussian, Dice(), model="dice")
    results(folder, gaussian, first, model="first")
    results(folder, gaussian, second, model="second")
    for one, other in zip(first.seen, second.seen, strict=True):
        assert torch.equal(one, other)


def test_the_noise_is_that_of_the_key_rounded_to_8_bits(folder, gaussian):
    found = results(folder, gaussian, Recorder(), seed=3)
    clean = folder.read("b").clean
    expected = to_uint8(gaussian(clean, 25, rng_for("d", "b", "gaussian", 25, 3)))
    np.testing.assert_array_equal(found["b"].noisy, expected)


@pytest.mark.parametrize("model", [Recorder, Dice])
@pytest.mark.parametrize("key", [{"seed": 1}, {"level": 26.0}, {"dataset": "e"}], ids=str)
def test_another_seed_level_or_dataset_draws_anew(folder, gaussian, key, model):
    here, there = (results(folder, gaussian, model(), ["a"], **k)["a"] for k in ({}, key))
    assert not np.array_equal(here.noisy, there.noisy)
    assert not np.array_equal(here.restored, there.restored)


def test_a_stochastic_model_is_reproducible_whatever_torch_drew_before(folder, gaussian):
    torch.manual_seed(1)
    first = results(folder, gaussian, Dice())
    torch.rand(7)
    again = results(folder, gaussian, Dice())
    assert all(same(first[name], again[name]) for name in NAMES)
    assert not np.array_equal(first["a"].restored[:17], first["b"].restored[:17])


def test_the_callers_random_numbers_are_left_alone(folder, gaussian):
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    results(folder, gaussian, Dice())
    assert torch.equal(torch.rand(3), expected)


def test_model_and_metrics_get_what_a_png_would_hold(folder):
    model, spy = Recorder(), Spy()
    cell = Cell("m", "d", "offset", STEP, 0)
    list(evaluate(cell, model, folder, Offset(), {"spy": spy}, ["a"]))
    clean = np.rint(folder.read("a").clean * 255)
    noisy = model.seen[0][0].permute(1, 2, 0).numpy() * 255
    np.testing.assert_allclose(noisy, np.minimum(clean + 1, 255), atol=1e-4)
    list(evaluate(cell, Constant(100.4 / 255), folder, Offset(), {"spy": spy}, ["a"]))
    restored, reference = (side[0].permute(1, 2, 0).numpy() * 255 for side in spy.seen[-1])
    np.testing.assert_allclose(restored, 100, atol=1e-4)
    np.testing.assert_allclose(reference, clean, atol=1e-4)


def test_recorded_noise_is_taken_from_the_pair_and_no_other_is_added(tmp_path):
    rng = np.random.default_rng(0)
    pixels = {side: rng.integers(0, 256, (16, 16, 3), np.uint8) for side in ("clean", "noisy")}
    for side, image in pixels.items():
        (tmp_path / side).mkdir()
        cv2.imwrite(str(tmp_path / side / "one.png"), image[..., ::-1])
    done = results(Pairs(path=str(tmp_path)), None, Recorder(), ["one"], level=0.0)["one"]
    np.testing.assert_array_equal(done.clean, pixels["clean"])
    np.testing.assert_array_equal(done.noisy, pixels["noisy"])
    np.testing.assert_array_equal(done.restored, pixels["noisy"])


def test_a_noise_which_redevelops_the_image_is_scored_against_what_it_developed(folder):
    done = results(folder, Darkened(), Recorder(), ["a"], level=STEP)["a"]
    original = folder.read("a").clean
    np.testing.assert_array_equal(done.clean, to_uint8(original / 2))
    np.testing.assert_array_equal(done.noisy, to_uint8(original / 2 + np.float32(STEP)))
    assert done.row["psnr"] > 45


def test_a_failure_while_reading_or_denoising_reaches_the_caller(folder, gaussian):
    class Broken(Folder):
        def read(
            self, image: str, level: float | None = None, protocol: Protocol = MASKED
        ) -> Sample:
            if image == "c":
                raise ValueError("c cannot be read")
            return super().read(image, level, protocol)

    done = []
    with pytest.raises(ValueError, match="c cannot be read"):
        for each in evaluate(
            Cell("m", "d", "gaussian", 25.0, 0),
            Recorder(),
            Broken(path=folder.path),
            gaussian,
            METRIC,
            NAMES,
        ):
            done.append(each.row["image"])
    assert done == NAMES[: len(done)]
    assert len(done) < 3


NO_NUMBERS = {
    "None": lambda restored, clean: None,
    "a word": lambda restored, clean: "good",
    "a complex number": lambda restored, clean: 1j,
    "a list": lambda restored, clean: [1.0],
    "a number for each channel": lambda restored, clean: (restored - clean).mean((2, 3)),
    "a number too large": lambda restored, clean: 10**400,
    "one of a changed restored image": lambda restored, clean: float(restored.zero_().sum()),
    "one of a changed clean image": lambda restored, clean: float(clean.mul_(2).sum()),
    "one of an image changed by NumPy": lambda restored, clean: float(
        np.multiply(clean.numpy(), 255, out=clean.numpy()).sum()
    ),
    "one of a changed part": lambda restored, clean: float(clean[..., 0].fill_(0).sum()),
}


@pytest.mark.parametrize("kind", NO_NUMBERS)
def test_what_a_metric_says_is_one_number_or_a_sentence(kind):
    pair = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8)
    with pytest.raises(ValueError, match="^metric 'mine' (gave|changed) "):
        score_of("mine", NO_NUMBERS[kind], pair)


class Channels(METRICS["psnr"]):
    """A number for each channel, where one is asked for."""

    name = "channels"

    def score(self, restored, clean):
        return (restored - clean).mean((0, 2, 3))


def test_a_metric_names_itself_where_it_gives_several_numbers():
    with pytest.raises(ValueError, match="^metric 'channels' gave tensor.*, not one number"):
        Channels()(*(torch.rand(1, 3, 16, 16) for _ in range(2)))


@pytest.mark.parametrize(
    ("own", "of_dataset", "counts"), [(5, 3, 5), (5, None, 5), (None, 3, 3), (None, None, 1)]
)
def test_the_border_a_metric_says_counts_before_the_dataset_s_and_that_before_the_protocol_s(
    own, of_dataset, counts
):
    assert with_border(METRICS["psnr"](border=own), of_dataset, MASKED).border == counts


@pytest.mark.parametrize("number", [1, 2.5, np.float32(3), torch.tensor(4.0), torch.ones(1, 1)])
def test_whatever_is_a_number_is_a_score(number):
    score = score_of("mine", lambda *_: number, (torch.rand(1, 3, 8, 8),) * 2)
    assert score == float(number)


def test_images_that_nobody_asks_for_any_more_are_not_waited_for():
    """The garbage collector may end an evaluation inside threading, where no thread ever ends."""
    asked, ended = threading.Event(), threading.Event()

    def slow(number: int) -> int:
        if number:
            asked.set()
            ended.wait(30)
        return number

    numbers = one_ahead(slow, range(3))
    assert next(numbers) == 0
    assert asked.wait(30)
    begin = time.perf_counter()
    numbers.close()
    ended.set()
    assert time.perf_counter() - begin < 10


LOUD = Cell("any", "folder", "gaussian", 100.0, 0)


def test_a_float_protocol_neither_clips_nor_rounds_what_a_model_gets(folder, gaussian):
    seen = {}
    for name in ("masked", "float", "clipdenoising", "kair"):
        model = Recorder()
        list(evaluate(LOUD, model, folder, gaussian, METRIC, ["a"], protocol=PROTOCOLS[name]))
        seen[name] = model.seen[0]
    whole = (seen["masked"] * 255).round() / 255
    assert torch.equal(whole, seen["masked"]) and seen["masked"].max() <= 1
    for name in ("float", "clipdenoising", "kair"):
        assert seen[name].min() < 0 and seen[name].max() > 1
    assert torch.allclose(seen["float"].clamp(0, 1), seen["masked"], atol=0.5 / 255 + 1e-6)
    assert torch.equal(seen["kair"], seen["clipdenoising"])  # numbers of the same script
    assert not torch.equal(seen["kair"], seen["float"])


def test_noise_of_a_script_is_what_the_script_adds(folder, gaussian):
    model = Recorder()
    list(evaluate(LOUD, model, folder, gaussian, METRIC, ["a"], protocol=PROTOCOLS["swinir"]))
    bgr = np.float32(folder.read("a", 0).clean[..., ::-1])
    np.random.seed(0)
    bgr += np.random.normal(0, 100 / 255, bgr.shape)
    assert np.array_equal(model.seen[0][0].permute(1, 2, 0), bgr[..., ::-1])


def test_only_the_noises_which_a_protocol_names_are_left_unclipped(folder):
    far = Offset()
    for protocol, most in ((PROTOCOLS["clipdenoising"], 1), (PROTOCOLS["float"], 2)):
        model = Recorder()
        cell = Cell("any", "folder", "offset", 1.0, 0)
        list(evaluate(cell, model, folder, far, METRIC, ["a"], protocol=protocol))
        assert round(model.seen[0].max().item(), 2) == most


def test_an_output_is_compared_as_the_protocol_treats_it(folder, gaussian):
    scores = {}
    for name in ("masked", "clipdenoising", "float"):
        protocol = replace(MASKED, **TREATMENTS[name])
        model = Constant(1.3 + STEP)
        spy = Spy()
        list(evaluate(LOUD, model, folder, gaussian, {"spy": spy}, ["a"], protocol=protocol))
        scores[name] = spy.seen[0][0].max().item()
    assert scores["masked"] == scores["clipdenoising"] == 1
    assert scores["float"] == pytest.approx(1.3 + STEP)


TREATMENTS = {
    "masked": {},
    "clipdenoising": {"restored_rounded": False},
    "float": {"restored_rounded": False, "restored_clipped": False},
}


def test_luma_is_compared_where_the_protocol_says_so_but_by_metrics_of_colours(folder, gaussian):
    metrics = {name: METRICS[name]() for name in ("psnr", "psnr_y")}
    by_rgb, by_y, by_full = (
        next(
            evaluate(
                LOUD, Constant(0.5), folder, gaussian, metrics, ["a"],
                protocol=replace(MASKED, colour=colour),
            )
        ).row
        for colour in ("rgb", "y", "y_full")
    )  # fmt: skip
    assert by_y["psnr"] == pytest.approx(by_rgb["psnr_y"], abs=1e-9)
    assert by_y["psnr_y"] == by_rgb["psnr_y"]
    gain = 20 * np.log10(255 / 219)  # the range of Y is so much shorter
    assert by_y["psnr"] - by_full["psnr"] == pytest.approx(gain, abs=1e-4)


# Other kinds of images

GREY, DEEP = replace(MASKED, grey=True), replace(MASKED, bits=16)


def test_grey_images_have_one_channel_for_noise_model_and_metric(folder):
    seen = []

    class Watched(Offset):
        def sample(self, clean, level, rng):
            seen.append(clean.shape)
            return super().sample(clean, level, rng)

    model, spy = Recorder(), Spy()
    (done,) = evaluate(LOUD, model, folder, Watched(), {"spy": spy}, ["a"], protocol=GREY)
    assert seen == [(17, 23, 1)]
    assert [image.shape for image in model.seen] == [(1, 1, 17, 23)]
    assert [image.shape for image in spy.seen[0]] == [(1, 1, 17, 23)] * 2
    assert done.clean.shape == done.noisy.shape == done.restored.shape == (17, 23, 3)  # to look at


def test_16_bits_are_given_to_the_model_and_compared(folder):
    step = 1 / 65535
    model, spy = Recorder(), Spy()
    (done,) = evaluate(
        replace(LOUD, level=40 * step), model, folder, Offset(), {"spy": spy}, ["a"], protocol=DEEP
    )
    restored, clean = spy.seen[0]
    values = model.seen[0].double() * 65535
    assert torch.allclose(values, values.round(), rtol=0, atol=0.01)
    inside = clean < 1 - 40 * step
    assert torch.allclose((restored - clean)[inside], torch.tensor(40 * step), atol=1e-7)
    assert np.array_equal(done.clean, done.noisy)  # 40 of 65535 are no step of 8 bits


def test_the_pixels_of_16_bits_are_told_from_those_of_8(folder, gaussian):
    hashes = [
        next(evaluate(LOUD, Recorder(), folder, gaussian, METRIC, ["a"], protocol=protocol)).row
        for protocol in (MASKED, DEEP, GREY)
    ]
    assert len({row["clean"] for row in hashes}) == len({row["noisy"] for row in hashes}) == 3
    assert hashes[0]["psnr"] == pytest.approx(hashes[1]["psnr"], abs=0.01)


class Keeping(NoiseModel):
    """It adds nothing, and goes on changing the array it was given."""

    name, levels, unit = "keeping", (1.0,), "steps"
    given: list[np.ndarray] = []

    def sample(self, clean: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        for earlier in self.given:
            earlier += 0.25
        self.given.append(clean)
        return clean


def test_a_noise_that_keeps_an_array_and_changes_it_changes_no_image(folder):
    protocol, noise = Protocol(noisy_rounded=False, restored_rounded=False), Keeping()
    images = folder.images()
    first, again = (
        [prepared(Cell("m", "set", "keeping", 1.0, 0), folder, noise, protocol, i) for i in images]
        for _ in range(2)
    )
    for image, later in zip(first, again, strict=True):
        assert pixels_hash(later.noisy) == image.noisy_hash == image.clean_hash
