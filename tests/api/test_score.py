"""Scores from Python: those of the command, of any module or function, on any images."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from doubles import Offset
from PIL import Image
from rich.console import Console
from torch import Tensor, nn

import benchmark
from benchmark.cells import ResultStore
from benchmark.cells.scores import Scores
from benchmark.console import log
from benchmark.denoiser import Denoiser
from benchmark.metrics import METRICS, MetricUnavailable
from benchmark.noise import NOISE_MODELS

PHOTO = {"photos": {"limit": 1, "crop": 32}}
NOISE = "gaussian(25)"
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 24, 20, 3), np.uint8)


class Scaled(nn.Module):
    """The image times one weight."""

    def __init__(self, weight: float = 1.0, stride: int = 1):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.stride = stride
        self.norm = nn.BatchNorm2d(3, affine=False)

    def forward(self, noisy: Tensor) -> Tensor:
        return self.weight * noisy


def without_seconds(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.drop(columns="seconds")


def records(folder: Path) -> list[dict]:
    found = [dict(record) for _, record in ResultStore(folder).records()]
    for record in found:
        for row in record["images"]:
            row["seconds"] = 0
    return found


def test_registered_names_score_as_the_command_does_and_each_goes_on_from_the_other(
    bench, tmp_path
):
    words = ["data.photos.limit=1", "data.photos.crop=32", "noise=[gaussian(25),jpeg(50)]"]
    status, _, err = bench("run", "model=masked", *words, "out=command")
    assert (status, err) == (0, "")
    chosen = ["identity", "masked"], [NOISE, "jpeg(50)"], PHOTO
    benchmark.score(*chosen, store=tmp_path / "python")
    assert records(tmp_path / "python") == records(tmp_path / "command")
    before = json.dumps([r for _, r in ResultStore(tmp_path / "command").records()])
    scores = benchmark.score(*chosen, store=tmp_path / "command")
    assert json.dumps([r for _, r in ResultStore(tmp_path / "command").records()]) == before
    assert len(scores.rows) == 4


def test_a_module_has_the_scores_of_what_it_does_under_the_name_of_its_class():
    scores = benchmark.score(["identity", nn.Identity()], NOISE, PHOTO)
    assert isinstance(scores, Scores)
    of_name, of_module = (
        without_seconds(rows).drop(columns="model").reset_index(drop=True)
        for _, rows in sorted(scores.rows.groupby("model"), reverse=True)
    )
    pd.testing.assert_frame_equal(of_name, of_module)
    assert set(scores.rows["model"]) == {"identity", "Identity"}


def test_nothing_is_kept_where_no_store_is_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    benchmark.score("identity", NOISE, PHOTO)
    assert not list(tmp_path.iterdir())


def test_a_store_keeps_scores_and_bench_report_reads_them(bench, tmp_path):
    model, calls = Scaled(), []
    model.register_forward_hook(lambda *_: calls.append(1))
    chosen = {"mine": model, "identity": "identity"}, NOISE, IMAGES
    first = benchmark.score(*chosen, store=tmp_path / "kept")
    before = len(calls)
    again = benchmark.score(*chosen, store=str(tmp_path / "kept"))
    assert before == len(calls) == len(IMAGES)
    pd.testing.assert_frame_equal(first.rows, again.rows)
    status, out, err = bench("report", "out=kept")
    assert (status, err) == (0, "")
    assert "mine" in out
    assert set(pd.read_csv(tmp_path / "kept" / "leaderboard.csv")["model"]) == {"identity", "mine"}


def test_only_what_is_asked_for_comes_back_of_a_store(tmp_path):
    models = {"identity": "identity", "mine": Scaled()}
    benchmark.score(models, [NOISE, "jpeg(50)"], IMAGES, store=tmp_path)
    scores = benchmark.score({"mine": Scaled()}, "jpeg(50)", IMAGES[:1], store=tmp_path)
    assert scores.rows[["model", "noise", "image"]].values.tolist() == [["mine", "jpeg", "0"]]


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (Scaled(0.5), "weights"),
        (Scaled(stride=2), "layers"),
        (nn.Sequential(Scaled()), "of 'python:.*Scaled'"),
    ],
)
def test_another_network_of_the_same_name_is_refused_by_a_store(tmp_path, other, what):
    benchmark.score({"mine": Scaled()}, NOISE, IMAGES, store=tmp_path)
    with pytest.raises(ValueError, match=f"model.{what}"):
        benchmark.score({"mine": other}, NOISE, IMAGES, store=tmp_path)


def test_other_images_of_the_same_name_are_refused_by_a_store(tmp_path):
    benchmark.score("identity", NOISE, IMAGES, store=tmp_path)
    with pytest.raises(ValueError, match="on other images"):
        benchmark.score("identity", NOISE, 255 - IMAGES, store=tmp_path)


def test_a_module_is_left_in_the_modes_it_was_found_in():
    model = Scaled().train()
    model.norm.eval()
    benchmark.score(model, NOISE, IMAGES)
    assert (model.training, model.norm.training) == (True, False)
    assert model.weight.requires_grad


def test_a_function_has_to_be_given_a_name_and_its_table_says_what_it_is_known_by(tmp_path):
    with pytest.raises(ValueError, match="has to be given a name"):
        benchmark.score(torch.clone, NOISE, IMAGES)
    scores = benchmark.score({"half": lambda noisy: noisy / 2}, NOISE, IMAGES)
    assert "function" in scores.model_notes["half"]


def test_a_network_which_needs_whole_multiples_gets_them():
    class Picky(nn.Module):
        def forward(self, noisy: Tensor) -> Tensor:
            assert not any(side % 16 for side in noisy.shape[2:])
            return noisy

    scores = benchmark.score(
        {"identity": "identity", "picky": benchmark.as_denoiser(Picky(), multiple=16)},
        NOISE,
        IMAGES,
    )
    assert scores.rows.groupby("model")["psnr"].mean().nunique() == 1


def test_images_are_the_same_in_8_bits_and_in_float():
    rows = [
        without_seconds(benchmark.score(Scaled(), NOISE, images).rows)
        for images in (IMAGES, IMAGES / 255, list(IMAGES), {"images": IMAGES})
    ]
    for other in rows[1:]:
        pd.testing.assert_frame_equal(rows[0], other)


def test_grey_images_are_the_same_in_any_shape_and_type():
    grey = IMAGES[..., 0]
    forms = (grey, grey[..., None], list(grey), IMAGES[..., :1].repeat(3, axis=3))
    rows = [
        without_seconds(benchmark.score("tv", NOISE, form, protocol="kair_grey").rows)
        for form in forms
    ]
    for other in rows[1:]:
        pd.testing.assert_frame_equal(rows[0], other)
    one = benchmark.score("tv", NOISE, grey[0], protocol="kair_grey").rows
    assert one["psnr"].tolist() == rows[0]["psnr"].tolist()[:1]


def test_images_of_16_bits_keep_them_and_8_bits_are_the_same_values():
    deep = IMAGES.astype(np.uint16) * 257
    rows = [
        without_seconds(benchmark.score("identity", NOISE, form, protocol="masked(bits=16)").rows)
        for form in (deep, IMAGES, IMAGES / 255)
    ]
    for other in rows[1:]:
        pd.testing.assert_frame_equal(rows[0], other)
    finer = benchmark.score("identity", NOISE, deep + np.uint16(1), protocol="masked(bits=16)").rows
    assert (finer["clean"] != rows[0]["clean"]).all()


def test_a_noise_object_is_the_noise_of_its_name(tmp_path):
    jpeg = NOISE_MODELS["jpeg"](levels=(50.0,))
    benchmark.score("identity", "jpeg(50)", IMAGES, store=tmp_path)
    scores = benchmark.score("identity", jpeg, IMAGES, store=tmp_path)
    assert len(ResultStore(tmp_path).scores().rows) == len(scores.rows) == 2
    offsets = benchmark.score("identity", [Offset(levels=(0.1,)), NOISE], IMAGES)
    assert set(offsets.rows["noise"]) == {"offset", "gaussian"}


def test_levels_of_one_noise_are_joined_and_suites_are_spelled_out():
    scores = benchmark.score("identity", ["gaussian(25)", "gaussian(15)"], IMAGES[0], seeds=[0, 1])
    cells = scores.rows[["level", "seed"]].drop_duplicates()
    assert cells.values.tolist() == [[15, 0], [15, 1], [25, 0], [25, 1]]


def test_another_network_behind_the_same_function_is_refused_by_a_store(tmp_path):
    def score(net: nn.Module) -> None:
        benchmark.score({"mine": lambda noisy: net(noisy)}, NOISE, IMAGES, store=tmp_path)

    score(Scaled())
    with pytest.raises(ValueError, match="model.reads"):
        score(Scaled(0.5))


def test_what_a_store_refuses_is_mended_in_words_of_python(tmp_path):
    benchmark.score({"mine": Scaled()}, NOISE, IMAGES, store=tmp_path)
    with pytest.raises(ValueError, match="'NAME'") as raised:
        benchmark.score({"mine": Scaled(0.5)}, NOISE, IMAGES, store=tmp_path)
    sentence = str(raised.value)
    assert "(model={'NAME': ...}), choose another folder (store=FOLDER)" in sentence
    assert "+model" not in sentence and "out=" not in sentence


def test_a_network_which_changes_as_it_restores_is_warned_of():
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.count = 0

        def forward(self, noisy: Tensor) -> Tensor:
            self.count += 1
            return noisy

    with pytest.warns(UserWarning, match="'Counting' changed its layers while it restored"):
        benchmark.score(Counting(), NOISE, IMAGES)


def test_a_bar_is_drawn_where_it_is_asked_for(capsys, monkeypatch):
    monkeypatch.setattr(log, "_current", Console(quiet=True))  # which a command may have changed
    benchmark.score("identity", NOISE, IMAGES)
    assert capsys.readouterr().out == ""
    benchmark.score("identity", NOISE, IMAGES, progress=True)
    assert "2/2 images" in capsys.readouterr().out
    benchmark.score("identity", NOISE, IMAGES)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("seeds", [np.arange(2), range(2), (0, np.int64(1)), iter([0, 1])])
def test_seeds_are_whole_numbers_of_any_kind(seeds):
    scores = benchmark.score("identity", NOISE, IMAGES[:1], seeds=seeds)
    assert scores.rows["seed"].tolist() == [0, 1]


@pytest.mark.parametrize("given", [torch.tensor, lambda i: Image.fromarray(i), lambda i: [i]])
def test_an_image_is_whatever_makes_an_array(given):
    rows = [benchmark.score("identity", NOISE, one).rows for one in (IMAGES[0], given(IMAGES[0]))]
    pd.testing.assert_frame_equal(*map(without_seconds, rows))


def test_a_tensor_which_asks_for_gradients_is_an_image():
    images = torch.rand(1, 24, 20, 3, requires_grad=True)
    assert len(benchmark.score("identity", NOISE, images, device=torch.device("cpu")).rows) == 1


def test_numbers_of_another_byte_order_are_the_same_image():
    given = IMAGES[0].astype(">u2") * 257, IMAGES[0].astype(np.uint16) * 257
    deep = "masked(bits=16)"
    rows = [benchmark.score("identity", NOISE, one, protocol=deep).rows for one in given]
    pd.testing.assert_frame_equal(*map(without_seconds, rows))


def test_levels_may_be_an_array():
    noise = {"mild": {"of": "gaussian", "levels": np.array([10, 20])}}
    assert set(benchmark.score("identity", noise, IMAGES).rows["level"]) == {10, 20}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "maskd"}, "did you mean 'masked'"),
        ({"model": []}, "model= chooses nothing"),
        ({"model": nn.Conv2d}, "the class Conv2d; make an object"),
        ({"model": [nn.ReLU(), nn.ReLU()]}, "model= has 'ReLU' twice"),
        ({"model": {"a/b": nn.ReLU()}}, "cannot have this name"),
        ({"model": {"masked": {"maks": False}}}, "unknown setting 'maks'"),
        ({"model": {"identity": nn.ReLU()}}, "stands for itself"),
        ({"noise": "gaussian(-1)"}, "needs a finite level >= 0"),
        ({"noise": 25}, "noise= got an object of type int"),
        ({"data": np.zeros((2, 3, 24, 20), np.uint8)}, "put the channels last"),
        ({"data": np.zeros((3, 24, 20), np.uint8)}, "put the channels last"),
        ({"data": np.zeros((3, 24, 20)), "protocol": "kair_grey"}, "put the channels last"),
        ({"data": np.zeros((3, 24, 20)), "protocol": "kair_grey"}, r"images\[\.\.\., None\]"),
        ({"data": np.full((1, 24, 20, 3), np.nan)}, "has values which are no numbers"),
        ({"data": {"mine": []}}, "got an empty list"),
        ({"data": np.zeros((24, 20, 4), np.uint8)}, "leave out the transparency"),
        ({"data": np.full((24, 20, 3), 255.0)}, "divide 8-bit values by 255"),
        ({"data": np.zeros((24, 20, 3), int)}, "numbers of type int64"),
        ({"data": Image.fromarray(IMAGES[0]).quantize(8), "protocol": "kair_grey"}, "in mode P"),
        ({"data": Image.fromarray(IMAGES[0]).convert("YCbCr")}, "in mode YCbCr"),
        ({"data": np.zeros((24, 20, 2), np.uint8)[None]}, "has shape"),
        ({"data": np.zeros((24, 20), np.uint8)}, r"protocol='masked\(grey=true\)'"),
        ({"data": IMAGES[..., 0], "protocol": "kair"}, "protocol='kair_grey'"),
        ({"data": IMAGES.astype(np.uint16)}, r"protocol='masked\(bits=16\)'"),
        ({"data": IMAGES[..., 0], "protocol": "kair_grey", "model": "masked"}, "restores RGB ones"),
        ({"data": np.zeros((4, 4, 3), np.uint8)}, "are needed"),
        ({"metric": "psnrr"}, "did you mean 'psnr'"),
        ({"protocol": "kiar"}, "did you mean 'kair'"),
        ({"protocol": None}, "the text of one"),
        ({"model": {"mine": {"of": "files"}}}, "model={'files': {'path': FOLDER}}"),
        ({"noise": {"gaussian": {"levels": []}}}, "has no level"),
        ({"data": iter(IMAGES)}, "give images, arrays of"),
        ({"data": np.array([[["a"] * 3]])}, "numbers of type <U1"),
        ({"seeds": "1"}, "whole numbers of 0 or more"),
        ({"seeds": [True]}, "whole numbers of 0 or more"),
        ({"store": __file__}, "is a file"),
        ({"store": ""}, "store= names no folder"),
        ({"store": 5}, "path of a folder"),
        ({"device": None}, "device=None is not here"),
        ({"seeds": -1}, "whole numbers of 0 or more"),
        ({"tile": 1}, "tile"),
        ({"device": "gpu"}, "device=gpu is not here"),
    ],
)
def test_a_mistake_is_one_sentence(change, message):
    given = {"model": "identity", "noise": NOISE, "data": IMAGES, **change}
    with pytest.raises(ValueError, match=message) as raised:
        benchmark.score(**given)
    assert "\n" not in str(raised.value)


def test_a_metric_which_cannot_score_here_is_an_error(monkeypatch):
    def prepare(self: object) -> None:
        raise MetricUnavailable("no weights")

    monkeypatch.setattr(METRICS["ssim"], "prepare", prepare)
    with pytest.raises(MetricUnavailable, match="no weights"):
        benchmark.score("identity", NOISE, IMAGES)


def test_a_leaderboard_has_the_best_first_below_the_noisy_input():
    def worse(noisy: Tensor) -> Tensor:
        return noisy / 2

    models = {"worse": worse, "better": nn.AvgPool2d(3, 1, 1), "identity": "identity"}
    flat = np.full((2, 24, 20, 3), 200, np.uint8)
    scores = benchmark.score(models, [NOISE, "gaussian(50)"], flat)
    table = benchmark.leaderboard(scores)
    assert [model for _, model in table.index] == ["identity", "better", "worse"]
    means = scores.rows.groupby("model")["psnr"].mean()
    assert table.loc[("images", "better"), "gaussian"] == pytest.approx(means["better"])
    with pytest.raises(ValueError, match="what benchmark.score returns"):
        benchmark.leaderboard("results")
    with pytest.raises(ValueError, match="has no lpips"):
        benchmark.leaderboard(scores, "lpips")


def test_scores_are_shown_as_their_table():
    scores = benchmark.score("identity", NOISE, IMAGES)
    assert repr(scores).startswith("Scores of identity\n")
    assert "<table" in scores._repr_html_()


def test_a_denoiser_of_ones_own_is_scored_as_it_is():
    class Halved(Denoiser):
        def restore(self, noisy: Tensor) -> Tensor:
            return noisy / 2

    scores = benchmark.score(Halved(), NOISE, np.zeros((24, 20, 3), np.uint8))
    assert set(scores.rows["model"]) == {"Halved"}
