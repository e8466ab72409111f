"""Tiles: an image put together again is itself, and memory decides where tiles are used."""

import json
from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from doubles import Dice
from torch import Tensor, nn

from benchmark.cells import Cell
from benchmark.datasets.clean import Folder
from benchmark.denoiser import DENOISERS, Denoiser, ImageFilter, inference, memory
from benchmark.denoiser.inference import Inference
from benchmark.denoiser.tiling import (
    OVERLAP,
    check_tile,
    in_tiles,
    least_tile,
    tile_starts,
    tile_step,
    tile_weights,
    tiled_share,
)
from benchmark.noise import NOISE_MODELS
from benchmark.scoring.evaluate import evaluate

SIZES = [(1, 1), (7, 9), (1, 2000), (64, 65), (97, 150), (260, 131)]


def picture(height: int, width: int, batch: int = 1) -> Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(5))


class Blur(Denoiser):
    """Two 3x3 convolutions: what tiles do not share is 2 pixels wide."""

    name = "blur"

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.convs = nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(2)))

    def forward(self, noisy: Tensor) -> Tensor:
        return self.convs(noisy)


class Narrow(Dice):
    """Memory for so many pixels, and torch's own error beyond; remembers what it was given."""

    name = "narrow"
    error: RuntimeError = torch.cuda.OutOfMemoryError("CUDA out of memory")

    def __init__(self, pixels: int):
        super().__init__()
        self.pixels = pixels
        self.seen: list[tuple[int, ...]] = []

    def forward(self, noisy: Tensor) -> Tensor:
        self.seen.append(tuple(noisy.shape[-2:]))
        torch.rand(3)  # an attempt which fails has drawn already
        if noisy.shape[-2] * noisy.shape[-1] > self.pixels:
            raise self.error
        return super().forward(noisy)


# where tiles lie, and what they weigh


@pytest.mark.parametrize("multiple", [1, 2, 8, 12, 64])
@pytest.mark.parametrize("length", [1, 7, 64, 65, 129, 500, 2000])
def test_weights_are_a_partition_of_unity_and_tiles_overlap(length, multiple):
    step, length = tile_step(multiple), -(-length // multiple) * multiple
    for side in (least_tile(multiple), 2 * least_tile(multiple)):
        starts = tile_starts(length, side, step)
        weights = tile_weights(length, side, starts)
        torch.testing.assert_close(weights.sum(0), torch.ones(length), rtol=0, atol=1e-6)
        assert weights.min() >= 0
        for start, weight in zip(starts, weights, strict=True):
            assert not weight[:start].any() and not weight[start + side :].any()
            assert start % step == 0
        gaps = np.diff(starts)
        assert (gaps > 0).all() and (gaps <= side - OVERLAP).all()
        assert starts[0] == 0 and starts[-1] + side >= length


def test_two_tiles_fade_linearly_into_each_other():
    _, second = tile_weights(96, 64, [0, 32])
    fading = second[(second > 0) & (second < 1)]
    assert len(fading) == OVERLAP - 16
    torch.testing.assert_close(fading.diff(), torch.full((len(fading) - 1,), 1 / 17))


@pytest.mark.parametrize("size", SIZES)
def test_an_image_which_is_not_changed_is_put_together_as_it_was(size):
    noisy = picture(*size, batch=2)
    torch.testing.assert_close(in_tiles(lambda tile: tile, noisy, 64), noisy, rtol=0, atol=1e-6)


def test_tiles_of_a_local_network_agree_with_the_whole_image():
    noisy, model = picture(150, 203), Blur()
    whole, tiled = (model.denoise(noisy, tile=tile, clamp=False) for tile in ("none", 64))
    torch.testing.assert_close(tiled, whole, rtol=0, atol=1e-6)
    assert not torch.equal(tiled, noisy)


def test_every_tile_has_the_sides_a_model_needs():
    seen = []
    in_tiles(lambda tile: seen.append(tile.shape[-2:]) or tile, picture(108, 300), 72, multiple=12)
    assert len(seen) > 1
    assert all(height % 12 == width % 12 == 0 for height, width in seen)


def test_the_cost_of_the_overlap_is_counted_by_pixels():
    seen = []
    in_tiles(lambda tile: seen.append(tile[0, 0].numel()) or tile, picture(100, 203), 64)
    assert tiled_share(100, 203, 64) == pytest.approx(sum(seen) / (100 * 203))


@pytest.mark.parametrize(
    ("side", "multiple", "sentence"),
    [
        (100, 1, "tile=100 should be a multiple of 8, and 64 or more; take tile=96"),
        (32, 1, "take tile=64"),
        (0, 1, "take tile=64"),
        (72, 16, "multiple of 16, and 64 or more; take tile=64"),
        (64, 64, "multiple of 64, and 128 or more; take tile=128"),
    ],
)
def test_a_side_which_cannot_be_a_tile_is_refused_with_one_that_can(side, multiple, sentence):
    with pytest.raises(ValueError, match=sentence):
        check_tile(side, multiple)


# when tiles are used


@pytest.fixture
def scarce(monkeypatch) -> Callable[[float], None]:
    """Make free memory that of so many pixels, at a cost of 1000 bytes each."""

    def make(pixels: float) -> None:
        monkeypatch.setattr(inference, "bytes_per_pixel", lambda *_: 1000.0)
        monkeypatch.setattr(inference, "free_memory", lambda _: int(1000 * pixels / 0.5))

    return make


def test_an_image_which_fits_into_half_of_the_memory_stays_whole(scarce):
    scarce(300 * 300)
    assert Inference().run(Blur(), picture(300, 300), 0).tile is None


def test_the_largest_tile_that_fits_is_chosen_else_the_smallest_there_is(scarce):
    scarce(300 * 300 - 1)
    assert Inference().run(Blur(), picture(300, 300), 0).tile == 296
    scarce(100)
    assert Inference().run(Blur(), picture(300, 300), 0).tile == 64


def test_small_images_filters_and_single_pixels_are_never_tiled_nor_measured(monkeypatch):
    def measured(*_: object) -> float:
        raise AssertionError("nothing is to be measured")

    class Filter(ImageFilter):
        def filter_image(self, noisy: np.ndarray) -> np.ndarray:
            return noisy

    monkeypatch.setattr(inference, "bytes_per_pixel", measured)
    assert Inference().run(Blur(), picture(256, 256), 0).tile is None
    assert Inference().run(Filter(), picture(256, 257), 0).tile is None
    for how in (Inference(), Inference(64)):
        assert how.run(DENOISERS["identity"](), picture(256, 257), 0).tile is None


@pytest.mark.parametrize("wrong", [lambda x: x[..., 0], lambda x: None, lambda x: [0.5]])
def test_a_filter_returns_what_it_was_given_in_any_order_of_memory(wrong):
    class Filter(ImageFilter):
        returned = staticmethod(lambda image: image[::-1].astype(">f4")[::-1])

        def filter_image(self, noisy: np.ndarray) -> np.ndarray:
            return self.returned(noisy)

    given = picture(20, 24)
    assert torch.allclose(Filter()(given), given)
    Filter.returned = staticmethod(wrong)
    with pytest.raises(ValueError, match=r"filter_image of Filter has to return \(20, 24, 3\)"):
        Filter()(given)


def test_an_explicit_tile_is_used_only_where_the_image_is_larger():
    assert Inference(64).run(Blur(), picture(64, 65), 0).tile == 64
    assert Inference(64).run(Blur(), picture(64, 64), 0).tile is None
    assert Inference("none").run(Blur(), picture(300, 300), 0).tile is None


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
    ids=["cuda", "cpu"],
)
def test_out_of_memory_halves_the_tile_and_draws_as_if_it_had_been_so_from_the_start(error):
    noisy, model = picture(100, 200), Narrow(96 * 96)
    model.error = error
    with pytest.warns(UserWarning, match="as a whole; it goes on in tiles of 96 pixels"):
        done = Inference().run(model, noisy, key=3)
    assert done.tile == 96
    assert model.seen[0] == (100, 200)
    patient = Narrow(96 * 96)
    assert torch.equal(done.image, Inference(96).run(patient, noisy, key=3).image)
    assert patient.seen == model.seen[1:]


def test_denoise_goes_on_in_tiles_where_memory_runs_out_and_draws_on_afterwards():
    noisy, model = picture(100, 200), Narrow(96 * 96)
    torch.manual_seed(3)
    with pytest.warns(UserWarning, match="it goes on in tiles of 96 pixels"):
        first = model.denoise(noisy)
    second = model.denoise(noisy, tile=96)
    torch.manual_seed(3)
    patient = Narrow(96 * 96)
    assert torch.equal(first, patient.denoise(noisy, tile=96))
    assert torch.equal(second, patient.denoise(noisy, tile=96))
    assert not torch.equal(first, second)


def test_out_of_memory_in_the_smallest_tiles_is_one_sentence(scarce):
    scarce(305 * 305)
    with (
        pytest.warns(UserWarning, match="it goes on in tiles of (152|72) pixels"),
        pytest.raises(ValueError, match="305 pixels in tiles of 72 pixels; free some memory"),
    ):
        Inference().run(Narrow(0), picture(305, 305), 0)


@pytest.mark.slow
def test_where_not_even_the_probe_fits_the_smallest_tiles_are_tried():
    model = Narrow(64 * 64)
    assert Inference().run(model, picture(300, 300), 0).tile == 64
    assert model.seen[:2] == [(128, 128), (64, 64)]


@pytest.mark.parametrize(
    ("how", "place"), [(Inference(96), "in tiles of 96 pixels"), (Inference("none"), "as a whole")]
)
def test_tiles_that_were_asked_for_are_never_made_smaller(how, place):
    model = Narrow(0)
    with pytest.raises(ValueError, match=f"100x200 pixels {place}; take tile=auto or smaller"):
        how.run(model, picture(100, 200), 0)
    assert len(model.seen) == 1


def test_other_errors_of_a_model_are_its_own():
    model = Narrow(0)
    model.error = RuntimeError("shapes do not match")
    with pytest.raises(RuntimeError, match="shapes do not match"):
        Inference().run(model, picture(100, 200), 0)
    assert len(model.seen) == 1


def test_memory_is_measured_by_what_the_network_holds_at_once(capfd):
    class Wide(Denoiser):
        """Hold one map of 16 float32 channels for a moment; what it gives back has 3."""

        def forward(self, noisy: Tensor) -> Tensor:
            wide = noisy[:, :1].repeat(1, 16, 1, 1)
            first = wide.mean(1, keepdim=True)
            del wide
            return first.repeat(1, 3, 1, 1)

    model = Wide()
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    cost = inference.bytes_per_pixel(model, torch.device("cpu"), "fp32")
    assert 4 * 20 <= cost <= 4 * 21  # 3 channels are the network's copy of its input
    assert torch.equal(torch.rand(3), expected)
    assert capfd.readouterr() == ("", "")


def test_free_memory_is_some_and_not_more_than_a_machine_has():
    assert 2**20 < memory.free_memory(torch.device("cpu")) < 2**50


# what a run and its leaderboard say of it


SMALL = ["data.photos.limit=1", "data.photos.crop=96", "noise.gaussian.levels=[15]", "out=o"]
RUN = ["run", "model=dncnn", "noise=gaussian", *SMALL]


def stored(tmp_path, model: str) -> dict:
    return json.loads((tmp_path / f"o/cells/{model}/photos/gaussian-15-0.json").read_text())


def test_evaluate_names_the_tile_of_an_image_where_there_is_one(tmp_path):
    for name, side in (("large", 65), ("small", 64)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((side, side, 3), 99, np.uint8))
    cell, folder = Cell("m", "d", "gaussian", 15.0, 0), Folder(path=str(tmp_path))
    noise, names = NOISE_MODELS["gaussian"](), ["large", "small"]
    done = evaluate(cell, Blur(), folder, noise, {}, names, inference=Inference(64))
    assert [one.row.get("tile") for one in done] == [64, None]


@pytest.mark.slow
def test_a_tile_asked_for_is_a_setting_and_stands_on_the_leaderboard(bench, tmp_path):
    status, out, err = bench(*RUN, "tile=64")
    assert status == 0, err
    record = stored(tmp_path, "dncnn")
    assert record["settings"]["model"]["tile"] == 64
    assert record["environment"]["tile"] == {"astronaut": 64}
    assert all("tile" not in row for row in record["images"])
    said = "Restored whole, in fp32 and by torch, but for: dncnn (tiles of 64)."
    assert said in " ".join(out.split())
    assert said in (tmp_path / "o/leaderboard.md").read_text()
    floor = stored(tmp_path, "identity")  # single pixels: a tile is no setting of it
    assert "tile" not in floor["settings"]["model"] and "tile" not in floor["environment"]
    status, _, err = bench(*RUN)
    assert status == 2 and "model.tile 64 (now absent)" in err


@pytest.mark.slow
def test_without_tiles_a_cell_is_as_it_was_before_there_were_any(bench, tmp_path):
    status, _, err = bench(*RUN)
    assert status == 0, err
    record = stored(tmp_path, "dncnn")
    assert record["settings"]["model"].keys() == {"of", "weights"}
    assert "tile" not in record["environment"]
    assert "whole images" not in (tmp_path / "o/leaderboard.md").read_text()
    first = record["images"][0]["psnr"]
    assert bench(*RUN, "tile=none")[0] == 0  # the same cell
    assert stored(tmp_path, "dncnn")["images"][0]["psnr"] == first


@pytest.mark.slow
def test_an_automatic_tile_is_recorded_and_part_of_no_identity(
    bench, tmp_path, monkeypatch, scarce
):
    monkeypatch.setattr(inference, "SMALL", 0)
    scarce(64 * 64)
    status, _, err = bench(*RUN)
    assert status == 0, err
    record = stored(tmp_path, "dncnn")
    assert record["environment"]["tile"] == {"astronaut": 64}
    assert record["settings"]["model"].keys() == {"of", "weights"}
    assert "dncnn (tiles of 64)" in (tmp_path / "o/leaderboard.md").read_text()


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("tile=100", "take tile=96"),
        ("tile=big", "unknown tile=big; take auto, none, or a side in pixels"),
        ("tile=-64", "unknown tile=-64"),
    ],
)
def test_a_wrong_tile_is_one_sentence(bench, tmp_path, word, sentence):
    status, out, err = bench(*RUN, word)
    assert (status, out) == (2, "")
    assert sentence in err and err.count("\n") == 1
    assert not (tmp_path / "o").exists()
