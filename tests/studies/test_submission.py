"""A submission to DND is what its server takes, every box, whole; interrupted, it goes on."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import scipy
from doubles import Boxes, Dice
from torch import Tensor

from benchmark.denoiser import Denoiser
from benchmark.studies.submission import write_submission


class Keep(Denoiser):
    """Return the noisy image, a little darker."""

    def forward(self, noisy: Tensor) -> Tensor:
        return noisy * 0.9


def test_a_submission_is_one_file_a_photograph_in_the_official_layout(tmp_path):
    paths = [path for path, _ in write_submission(Boxes(), Keep(), tmp_path / "sent")]
    assert paths == [tmp_path / "sent" / f"000{number}.mat" for number in (1, 2)]
    assert sorted((tmp_path / "sent").iterdir()) == paths
    stored = scipy.io.loadmat(paths[1])
    assert {key for key in stored if not key.startswith("__")} == {
        "Idenoised",
        "israw",
        "eval_version",
    }
    assert stored["eval_version"].item() == "1.0"
    assert stored["israw"].item() == 0
    assert stored["Idenoised"].shape == (1, 3)
    for cell, noisy in zip(stored["Idenoised"][0], dict(Boxes().crops())["0002"], strict=True):
        assert cell.dtype == np.float32
        assert np.array_equal(cell, noisy * np.float32(0.9))


def test_a_submission_of_a_stochastic_network_is_the_same_twice(tmp_path):
    first, second = (
        [path.read_bytes()[128:] for path, _ in write_submission(Boxes(), Dice(), tmp_path / name)]
        for name in ("first", "second")
    )
    assert first == second  # behind a header with the time


@pytest.mark.parametrize("part", [{"limit": 1}, {"crop": 4}])
def test_a_submission_of_a_part_is_refused(tmp_path, part):
    with pytest.raises(ValueError, match="every box of every image whole"):
        list(write_submission(Boxes(**part), Keep(), tmp_path))


class Counts(Denoiser):
    name = "counts"
    calls = 0

    def forward(self, noisy: Tensor) -> Tensor:
        self.calls += 1
        return noisy


class Rewritten(Counts):
    """The same under another class: other code."""


class Others(Boxes):
    """The second photograph is another one."""

    def crops(self) -> Iterator[tuple[str, list[np.ndarray]]]:
        for name, boxes in super().crops():
            yield name, [1 - box for box in boxes] if name == "0002" else boxes


def calls_of(
    folder: Path, settings: object, cls: type[Counts] = Counts, images: type[Boxes] = Boxes
) -> int:
    model = cls()
    files = list(write_submission(images(), model, folder, settings=settings))
    photographs = model.calls // Boxes.boxes
    assert sum(not file.kept for file in files) == photographs
    return photographs


def lost(folder: Path) -> None:
    (folder / "0002.mat").unlink()


def torn(folder: Path) -> None:
    (folder / "0002.mat").write_bytes((folder / "0002.mat").read_bytes()[:100])


@pytest.mark.parametrize(
    ("damage", "settings", "calls"),
    [
        (lambda folder: None, {"weights": "a"}, 0),
        (lost, {"weights": "a"}, 1),
        (torn, {"weights": "a"}, 1),
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
    assert set(json.loads((tmp_path / "mine.json").read_text())) == {
        "settings",
        "code",
        "files",
    }


def test_files_by_other_code_or_of_other_images_are_made_anew(tmp_path):
    folder, settings = tmp_path / "mine", {"weights": "a"}
    assert calls_of(folder, settings) == 2
    assert calls_of(folder, settings, images=Others) == 1
    assert calls_of(folder, settings, images=Others) == 0
    assert calls_of(folder, settings, Rewritten, Others) == 2


@pytest.mark.parametrize("name", ["mine.json", "mine/0001.mat", "mine/other.mat"])
def test_files_of_others_are_not_replaced(tmp_path, name):
    (tmp_path / "mine").mkdir()
    (tmp_path / name).write_text("[")
    with pytest.raises(ValueError, match=rf"{name} was not written by bench submit.*out=FOLDER"):
        calls_of(tmp_path / "mine", {"weights": "a"})
    assert (tmp_path / name).read_text() == "["


def test_those_of_other_weights_are_replaced_also_where_that_is_stopped(tmp_path):
    folder = tmp_path / "mine"
    calls_of(folder, {"weights": "a"})
    next(iter(write_submission(Boxes(), Counts(), folder, settings={"weights": "b"})))
    assert json.loads((tmp_path / "mine.json").read_text())["replaces"] == ["0002.mat"]
    assert calls_of(folder, {"weights": "b"}) == 1
    assert "replaces" not in json.loads((tmp_path / "mine.json").read_text())
