"""A submission to DND is what its server takes: every box, whole, the same twice."""

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
