"""No output that is no picture is scored, whichever door a model is used through."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from doubles import Boxes
from hydra.core.config_store import ConfigStore
from torch import Tensor

from benchmark.cells import Cell
from benchmark.datasets import Folder
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.denoiser.contract import OVERSHOOT, SHARE, RestorationError, require_range
from benchmark.denoiser.inference import WHOLE, Inference
from benchmark.denoiser.promises import CHECKS, check
from benchmark.noise import NOISE_MODELS
from benchmark.scoring.evaluate import evaluate
from benchmark.scoring.precision import choose_precision
from benchmark.studies.submission import write_submission
from benchmark.training.validation import Validation, conditions_of


def with_value(noisy: Tensor, value: float) -> Tensor:
    restored = noisy.clone()
    restored[..., -1, -1] = value
    return restored


def second_half_nan(noisy: Tensor) -> Tensor:
    """No number in pixels that are brighter than the mean: only in some images, or tiles."""
    return noisy.where(noisy <= noisy.mean(), torch.nan)


# what a network may return by mistake, and what is said of it
TYPES = {
    "none": (lambda x: None, "returned None, not a tensor"),
    "list": (lambda x: [x], "returned a list of 1, not a tensor"),
    "tuple": (lambda x: (x, x), "returned a tuple of 2"),
    "empty tuple": (lambda x: (), "returned a tuple of 0"),
    "dict": (lambda x: {"restored": x}, "returned a dict of restored"),
    "empty dict": (lambda x: {}, "returned an empty dict"),
    "numpy": (lambda x: x.numpy(), "returned a numpy array of shape (1, 3, "),
    "number": (lambda x: 0.5, "returned an object of type float"),
    "text": (lambda x: "restored", "returned an object of type str"),
    "generator": (lambda x: (y for y in x), "returned an object of type generator"),
    "sparse": (lambda x: x.to_sparse(), "returned a tensor of layout torch.sparse_coo"),
}
SHAPES = {
    "no batch": (lambda x: x[0], "keep the dimension of the batch"),
    "channels last": (lambda x: x.permute(0, 2, 3, 1), "put the channels first"),
    "scalar": (lambda x: x.mean(), "returned () for (1, 3, "),
    "two images": (lambda x: torch.cat([x, x]), "every image of a batch comes back"),
    "no image": (lambda x: x[:0], "every image of a batch comes back"),
    "grey": (lambda x: x[:, :1], "of the size and the channels it was given"),
    "fourth channel": (lambda x: torch.cat([x, x[:, :1]], 1), "the size and the channels"),
    "larger": (lambda x: x.repeat(1, 1, 2, 2), "the size and the channels"),
    "one row more": (lambda x: torch.cat([x, x[..., :1, :]], -2), "the size and the channels"),
    "one column less": (lambda x: x[..., 1:], "the size and the channels"),
    "five dimensions": (lambda x: x[None], "the size and the channels"),
    "elsewhere": (lambda x: x.to("meta"), "returned a tensor on meta for one on cpu"),
}
DTYPES = {
    "uint8": (lambda x: (255 * x).to(torch.uint8), "returned numbers of type torch.uint8"),
    "int64": (lambda x: x.long(), "returned numbers of type torch.int64"),
    "bool": (lambda x: x > 0.5, "returned numbers of type torch.bool"),
    "complex": (lambda x: torch.fft.fft2(x), "returned numbers of type torch.complex64"),
}
VALUES = {
    "nan": (lambda x: x * torch.nan, "returned values that are no numbers: "),
    "one nan": (partial(with_value, value=torch.nan), "are no numbers: 3 NaN of "),
    "some nan": (second_half_nan, " NaN of "),
    "one infinity": (partial(with_value, value=torch.inf), "are no numbers: 3 infinite of "),
    "minus infinity": (partial(with_value, value=-torch.inf), "are no numbers: 3 infinite of "),
    "beyond float16": (lambda x: (1e5 * x).half(), " infinite of "),
    "beyond float32": (lambda x: with_value(x.double(), 1e300), "3 infinite of "),
    "division by 0": (lambda x: (x - x) / (x - x), " NaN of "),
}
RANGES = {
    "[0, 255]": (lambda x: 255 * x, "scale its input and its output"),
    "[-1, 1]": (lambda x: 2 * x - 1, "scale its input and its output"),
    "[0, 65535]": (lambda x: 65535 * x.double(), "scale its input and its output"),
    "[-127.5, 127.5]": (lambda x: 255 * x - 127.5, "scale its input and its output"),
    "[1, 2]": (lambda x: x + 1, "scale its input and its output"),
    "negative": (lambda x: -x, "scale its input and its output"),
}
BAD = {**TYPES, **SHAPES, **DTYPES, **VALUES, **RANGES}
ONE_OF_EACH = ("tuple", "larger", "uint8", "one nan", "[0, 255]")  # kind of bad output
GOOD = {
    "half": lambda x: x.half(),
    "bfloat16": lambda x: x.bfloat16(),
    "double": lambda x: x.double(),
    "a view": lambda x: x.view(x.shape),
    "expanded": lambda x: x.mean(dim=(2, 3), keepdim=True).expand(x.shape),
    "channels-last memory": lambda x: x.contiguous(memory_format=torch.channels_last),
    "overshoot": lambda x: 1.2 * (x - 0.5) + 0.5,
    "a hot pixel": partial(with_value, value=1e6),
    "changes its input": lambda x: x.mul_(0.9),
    "needs gradients": lambda x: x * torch.nn.Parameter(torch.ones(())),
}

UNKEPT = ("expanded", "a hot pixel", "changes its input")  # tiles, 1x1 pixels, its input

every_bad_output = pytest.mark.parametrize("how", BAD)
one_of_each = pytest.mark.parametrize("how", ONE_OF_EACH)
every_good_output = pytest.mark.parametrize("how", GOOD)


class Returns(Denoiser):
    """Return what is asked for."""

    name = "returns"

    def __init__(self, *, how: str = "nan"):
        super().__init__()
        self.how = GOOD[how] if how in GOOD else BAD[how][0]

    def forward(self, noisy: Tensor) -> Tensor:
        return self.how(noisy)


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Path:
    """Two pictures with bright and dark halves."""
    folder = tmp_path_factory.mktemp("images")
    for name, side in (("a", 80), ("b", 72)):
        picture = np.full((side, side, 3), 230, np.uint8)
        picture[: side // 2] = 20
        cv2.imwrite(str(folder / f"{name}.png"), picture)
    return folder


def scored(model: Denoiser, images: Path, inference: Inference) -> list[dict]:
    cell, noise = Cell("mine", "d", "gaussian", 15.0, 0), NOISE_MODELS["gaussian"]()
    folder = Folder(path=str(images))
    found = evaluate(cell, model, folder, noise, {}, ["a", "b"], inference=inference)
    return [one.row for one in found]


@every_bad_output
def test_an_output_that_is_no_picture_is_not_scored(how, images):
    with pytest.raises(RestorationError) as refused:
        scored(Returns(how=how), images, Inference())
    message = str(refused.value)
    assert message.startswith("mine on d, gaussian 15, seed 0, image a: 'returns' returned ")
    assert BAD[how][1] in message
    assert "\n" not in message and len(message) < 300


@one_of_each
def test_nor_is_one_that_is_made_in_tiles(how, images):
    with pytest.raises(RestorationError, match="image a: 'returns' returned "):
        scored(Returns(how=how), images, Inference(64))


@pytest.mark.parametrize("inference", [Inference(), Inference(64)], ids=["whole", "tiles"])
@every_good_output
def test_a_picture_in_another_dress_is_scored(how, inference, images):
    assert [row["image"] for row in scored(Returns(how=how), images, inference)] == ["a", "b"]


def test_the_images_before_a_bad_one_are_finished(images):
    cell, folder = Cell("mine", "d", "gaussian", 15.0, 0), Folder(path=str(images))
    model = Returns(how="half")
    model.how = lambda noisy: noisy if noisy.shape[-1] == 80 else noisy * torch.nan
    done = []
    with pytest.raises(RestorationError, match="image b: 'returns' returned"):
        for one in evaluate(cell, model, folder, NOISE_MODELS["gaussian"](), {}, ["a", "b"]):
            done.append(one.row["image"])
    assert done == ["a"]


def submit(model: Denoiser, folder: Path) -> None:
    list(write_submission(Boxes(), model, folder / "mine"))


def repeat(model: Denoiser, _: Path) -> None:
    WHOLE.run(model, torch.linspace(0, 1, 3 * 24 * 24).reshape(1, 3, 24, 24), 0, "mine, image a")


def validate(model: Denoiser, _: Path) -> None:
    crop = np.linspace(0, 255, 24 * 24 * 3).astype(np.uint8).reshape(24, 24, 3)
    Validation([crop, crop], conditions_of(["gaussian(15)"])).scores(model, "cpu", "fp32")


def denoise(model: Denoiser, _: Path) -> None:
    model.denoise(torch.linspace(0, 1, 3 * 24 * 24).reshape(1, 3, 24, 24))


DOORS = {"submit": submit, "passes": repeat, "validation": validate, "denoise": denoise}


@pytest.mark.parametrize(
    ("door", "how"),
    [(d, h) for d in DOORS for h in ONE_OF_EACH if not (d == "validation" and h in RANGES)],
)
def test_every_door_holds_a_model_to_the_contract(door, how, tmp_path):
    with pytest.raises(RestorationError, match="'returns' returned"):
        DOORS[door](Returns(how=how), tmp_path)
    assert not list(tmp_path.rglob("*.mat"))


def test_a_network_in_training_may_be_far_from_a_picture(tmp_path):
    for how in RANGES:
        validate(Returns(how=how), tmp_path)


def test_the_first_measurement_of_a_precision_holds_to_the_contract(monkeypatch, tmp_path):
    monkeypatch.setattr("benchmark.scoring.precision.multiplies_bf16", lambda _: True)
    monkeypatch.setattr("benchmark.scoring.precision.folder", lambda: tmp_path)
    model = Returns(how="nan")
    model.weight = torch.nn.Parameter(torch.ones(()))
    with pytest.raises(RestorationError, match="^returns in fp32 on a crop of a photograph: "):
        choose_precision("auto", model, "cpu")
    assert not list(tmp_path.iterdir())


# what may come in at the door


class Colour(Denoiser):
    """A convolution, which fails in its own words where channels are missing."""

    name = "colour"
    image_channels = 3

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 3, 1, bias=False)
        torch.nn.init.dirac_(self.conv.weight)

    def forward(self, noisy: Tensor) -> Tensor:
        return self.conv(noisy)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (torch.zeros(3, 8, 8), r"got \(3, 8, 8\); add the dimension of the batch"),
        (torch.zeros(8, 8), r"got \(8, 8\)$"),
        (torch.zeros(1, 3, 0, 8), r"got \(1, 3, 0, 8\)$"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), "uint8; divide 8-bit values by 255"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.float64), "float32, got torch.float64; give it image"),
        (np.zeros((1, 3, 8, 8)), r"as a tensor .* got a numpy array of shape \(1, 3, 8, 8\)"),
        (torch.zeros(1, 8, 8, 3), r"\(B, 3, H, W\), got .*; put the channels first"),
        (torch.zeros(1, 1, 8, 8), r"\(B, 3, H, W\), got .*; repeat those of a grey image"),
    ],
)
def test_what_is_no_batch_of_images_is_one_sentence_at_the_door(given, sentence):
    with pytest.raises(ValueError, match=f"^'colour' takes .*{sentence}"):
        Colour().denoise(given)


def test_a_network_in_float64_takes_images_of_its_own_type():
    image = torch.rand(1, 3, 8, 8, dtype=torch.float64)
    assert Colour().double().denoise(image).dtype == torch.float32


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"tile": "big"}, "unknown tile=big; take auto, none, or a side"),
        ({"tile": 100}, "take tile=96"),
        ({"precision": "fp16"}, "unknown precision=fp16; take fp32 or bf16"),
    ],
)
def test_an_unknown_way_to_denoise_is_one_sentence(how, sentence):
    with pytest.raises(ValueError, match=sentence):
        Colour().denoise(torch.zeros(1, 3, 8, 8), **how)


def test_a_model_of_any_number_of_channels_gets_what_it_is_given():
    assert Returns(how="half").denoise(torch.zeros(2, 5, 7, 9)).shape == (2, 5, 7, 9)


class Halves(Denoiser):
    """A network of one scale more where it is told so."""

    def __init__(self, *, multiple: int = 2):
        super().__init__()
        self.multiple = multiple
        self.seen: list[tuple[int, ...]] = []

    def forward(self, noisy: Tensor) -> Tensor:
        self.seen.append(tuple(noisy.shape[2:]))
        return noisy


def test_an_instance_says_of_what_its_sides_are_a_multiple():
    small, large = Halves(), Halves(multiple=16)
    for model in (small, large):
        assert model.denoise(torch.zeros(1, 3, 17, 18)).shape == (1, 3, 17, 18)
    assert (small.seen, large.seen) == ([(18, 18)], [(32, 32)])


def test_denoise_clamps_unless_asked_not_to():
    model, noisy = Returns(how="overshoot"), torch.tensor([0.0, 1.0]).expand(1, 3, 4, 2)
    assert model.denoise(noisy).aminmax() == (0, 1)
    assert model.denoise(noisy, clamp=False).max() > 1.05


# how much of an image may leave the range


@pytest.mark.parametrize(("share", "refused"), [(SHARE - 0.01, False), (SHARE + 0.01, True)])
@pytest.mark.parametrize("value", [-OVERSHOOT - 0.01, 1 + OVERSHOOT + 0.01, 1e9])
def test_a_part_of_an_image_may_overshoot(share, refused, value):
    pair = torch.full((2, 1, 10, 100), 0.5)
    pair[1].view(-1)[: int(1000 * share)] = value
    if refused:
        with pytest.raises(RestorationError, match=f"{100 * share:.0f} % of an image more than"):
            require_range(pair, torch.full_like(pair, 0.5))
    else:
        require_range(pair, torch.full_like(pair, 0.5))


def test_an_image_may_leave_the_range_where_its_noise_does():
    noisy = torch.full((1, 1, 10, 10), 1.5)
    require_range(noisy + OVERSHOOT - 0.01, noisy)
    with pytest.raises(RestorationError):
        require_range(noisy + OVERSHOOT + 0.01, noisy)


# a model's own errors, and what it does to its input


class Raises(Denoiser):
    name = "raises"

    def __init__(self, error: Exception):
        super().__init__()
        self.error = error

    def forward(self, noisy: Tensor) -> Tensor:
        raise self.error


@pytest.mark.parametrize(
    "error", [RuntimeError("a"), TypeError("b"), KeyError("c"), AssertionError(), IndexError()]
)
def test_a_defect_of_a_model_keeps_its_traceback_and_says_where_it_was(error, images):
    with pytest.raises(type(error)) as raised:
        scored(Raises(error), images, Inference())
    assert raised.value is error
    assert "mine on d, gaussian 15, seed 0, image a" in error.__notes__[0]


@pytest.mark.parametrize("error", [ValueError("a grey image"), FileNotFoundError("no file x")])
def test_a_sentence_of_a_model_says_where_it_was(error, images):
    with pytest.raises(RestorationError, match=f"^mine on d, .*, image a: {error}$"):
        scored(Raises(error), images, Inference())


class Reuses(Denoiser):
    """Write every output into one buffer."""

    name = "reuses"
    buffer: Tensor | None = None

    def forward(self, noisy: Tensor) -> Tensor:
        if self.buffer is None:
            self.buffer = torch.empty_like(noisy)
        return self.buffer.copy_(noisy)


def test_an_output_is_not_changed_by_the_next_image():
    model, first = Reuses(), torch.full((1, 3, 8, 8), 0.25)
    restored = model.denoise(first, clamp=False)
    model.denoise(3 * first, clamp=False)
    assert torch.equal(restored, first)


@pytest.mark.parametrize("tile", ["none", 64])
def test_a_model_that_changes_its_input_changes_a_copy(tile):
    noisy = torch.linspace(0, 1, 3 * 96 * 96).reshape(1, 3, 96, 96)
    before = noisy.clone()
    restored = Returns(how="changes its input").denoise(noisy, tile=tile)
    assert torch.equal(noisy, before)
    torch.testing.assert_close(restored, 0.9 * before)


# check-model


@one_of_each
def test_check_model_names_what_is_wrong(how):
    outcomes = check(Returns(how=how))
    assert len(outcomes) == len(CHECKS)
    found = {one.name: one.found for one in outcomes if one.kept is False}
    row = "shape" if how in TYPES or how in SHAPES else "dtype" if how in DTYPES else "value range"
    assert BAD[how][1] in found[row] and "returned" in found[row]
    assert "Traceback" not in "".join(one.found for one in outcomes)


@pytest.mark.parametrize("how", [h for h in GOOD if h not in UNKEPT])
def test_check_model_takes_a_picture_in_another_dress(how):
    broken = {one.name: one.found for one in check(Returns(how=how)) if one.kept is False}
    assert not broken


def test_check_model_finds_a_scale_which_leaves_the_range_in_dark_pixels_alone():
    model = Returns(how="half")
    model.how = lambda noisy: noisy - 0.5
    broken = {one.name: one.found for one in check(model) if one.kept is False}
    assert "values from -0.5 to 0.5, 5" in broken["value range"]


@pytest.mark.parametrize(
    "error", [RuntimeError("a\nb"), TypeError(), KeyError("c"), RecursionError("deep")]
)
def test_check_model_survives_what_a_model_raises(error):
    outcomes = check(Raises(error))
    broken = {one.name: one.found for one in outcomes if one.kept is False}
    assert broken.keys() == {one.__name__.replace("_", " ") for one in CHECKS} - {"level not told"}
    assert all(type(error).__name__ in said and "\n" not in said for said in broken.values())


# the commands


@pytest.fixture
def registered(monkeypatch) -> Iterator[None]:
    monkeypatch.setitem(DENOISERS.data, "returns", Returns)
    yield
    ConfigStore.instance().repo.pop("model", None)


@pytest.mark.sampled(every=5)
@one_of_each
@pytest.mark.usefixtures("registered")
def test_a_run_ends_with_a_sentence_and_writes_no_cell(how, bench, images, tmp_path):
    words = [f"+data={{d: {{of: folder, path: {images}}}}}", "noise=gaussian", "out=o"]
    words += ["model=returns", f"model.returns.how='{how}'", "noise.gaussian.levels=[15]"]
    status, _, err = bench("run", *words)
    assert status == 2
    said = err.strip().splitlines()[-1]
    assert said.startswith("bench: returns on ") and ", image " in said and BAD[how][1] in said
    assert "Traceback" not in err
    assert not list(tmp_path.glob("o/cells/returns/**/*.json"))


@pytest.mark.usefixtures("registered")
def test_check_model_ends_with_status_1(bench):
    status, out, _ = bench("check-model", "returns", "model.returns.how=dict")
    assert str(status).startswith("bench: not every denoiser keeps its promises: returns, shape")
    assert "returned a dict of restored" in out


# a submission that was interrupted


class Counts(Denoiser):
    name = "counts"
    calls = 0

    def forward(self, noisy: Tensor) -> Tensor:
        self.calls += 1
        return noisy


def calls_of(folder: Path, settings: object) -> int:
    model = Counts()
    list(write_submission(Boxes(), model, folder, settings=settings))
    return model.calls // Boxes.boxes  # photographs


def lost(folder: Path) -> None:
    (folder / "0002.mat").unlink()


def torn(folder: Path) -> None:
    (folder / "0002.mat").write_bytes((folder / "0002.mat").read_bytes()[:100])


def unread(folder: Path) -> None:
    folder.with_name("mine.json").write_text("[")


@pytest.mark.parametrize(
    ("damage", "settings", "calls"),
    [
        (lambda folder: None, {"weights": "a"}, 0),
        (lost, {"weights": "a"}, 1),
        (torn, {"weights": "a"}, 1),
        (unread, {"weights": "a"}, 2),
        (lambda folder: None, {"weights": "b"}, 2),
        (lambda folder: None, None, 2),
    ],
)
def test_a_submission_goes_on_where_the_same_settings_left_it(
    damage: Callable[[Path], None], settings, calls, tmp_path
):
    folder = tmp_path / "mine"
    assert calls_of(folder, {"weights": "a"}) == 2
    damage(folder)
    assert calls_of(folder, settings) == calls
    assert sorted(path.name for path in folder.iterdir()) == ["0001.mat", "0002.mat"]
    assert set(json.loads((tmp_path / "mine.json").read_text())) == {"settings", "sha256"}
