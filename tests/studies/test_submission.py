"""A submission to DND is what its server takes: every box, whole, the same twice."""

from collections.abc import Iterator

import numpy as np
import pytest
import scipy
import torch
from torch import Tensor

from benchmark.datasets import DND
from benchmark.denoiser import Denoiser
from benchmark.studies.submission import write_submission


class Boxes(DND):
    """Two photographs with three small boxes each, which need no files."""

    count = 2
    boxes = 3
    side = 8

    def crops(self) -> Iterator[tuple[str, list[np.ndarray]]]:
        for number in (0, 1):
            rng = np.random.default_rng(number)
            boxes = [rng.random((8, 8, 3), dtype=np.float32) for _ in range(self.boxes)]
            yield f"000{number + 1}", boxes


class Keep(Denoiser):
    """Return the noisy image, a little darker."""

    def forward(self, noisy: Tensor) -> Tensor:
        return noisy * 0.9


class Dice(Denoiser):
    """A stochastic network, reduced to its randomness."""

    def forward(self, noisy: Tensor) -> Tensor:
        return torch.rand_like(noisy)


def test_a_submission_is_one_file_a_photograph_in_the_official_layout(tmp_path):
    paths = list(write_submission(Boxes(), Keep(), tmp_path / "sent"))
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
        [path.read_bytes()[128:] for path in write_submission(Boxes(), Dice(), tmp_path / name)]
        for name in ("first", "second")
    )
    assert first == second  # behind a header with the time


@pytest.mark.parametrize("part", [{"limit": 1}, {"crop": 4}])
def test_a_submission_of_a_part_is_refused(tmp_path, part):
    with pytest.raises(ValueError, match="every box of every image whole"):
        list(write_submission(Boxes(**part), Keep(), tmp_path))
