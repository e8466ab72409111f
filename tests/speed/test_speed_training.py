"""The speed script times a published training step beside ours, and names what is missing."""

from functools import partial

import pytest
import torch

from baselines.dncnn import DnCNN
from benchmark.speed import plain, training

# what the script takes from MaskedDenoising: a class by this name, in a module by this one
NETWORK = """
from torch import nn

class SwinIR(nn.Module):
    def __init__(self, use_mask=False, **settings):
        super().__init__()
        assert settings["embed_dim"] == 60
        self.use_mask = use_mask
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        return self.conv(x)
"""


@pytest.fixture
def published(tmp_path):
    """A folder with a network where MaskedDenoising has its own, and nothing else."""
    module = tmp_path / "MaskedDenoising" / "models" / "network_swinir.py"
    module.parent.mkdir(parents=True)
    module.write_text(NETWORK)
    return tmp_path


def test_the_table_has_a_line_for_each_network_and_says_what_was_equal(
    published, tmp_path, capsys, monkeypatch
):
    small = partial(DnCNN, depth=3, width=8)
    monkeypatch.setattr(plain, "DENOISERS", {"baseline": small})
    out = tmp_path / "training.md"
    options = ["--published", str(published), "--out", str(out), "--networks", "baseline"]
    training.main([*options, "--batch", "1", "--patch", "16", "--repeats", "1"])
    text = out.read_text(encoding="utf-8")
    assert text.split("\n\n", 2)[2] in capsys.readouterr().out
    head, _, row = [line.strip("| ").split(" | ") for line in text.splitlines() if line[:1] == "|"]
    assert len(head) == len(row)
    assert row[:2] == ["baseline", "1"]
    assert all(float(cell) > 0 for cell in row[2:5])
    assert "16x16" in text


def test_without_published_code_our_loop_stands_beside_its_plain_layers(monkeypatch):
    seen = []

    class Seeing(DnCNN):
        def forward(self, noisy: torch.Tensor) -> torch.Tensor:
            seen.append(torch.jit.is_tracing())
            return super().forward(noisy)

    monkeypatch.setattr(plain, "DENOISERS", {"seeing": partial(Seeing, depth=3, width=8)})
    monkeypatch.setattr(training, "multiplies_bf16", lambda device: False)
    text = training.table(["seeing"], None, batch=1, patch=16, repeats=1)
    assert "| ours / plain |" in text
    assert len(seen) >= 4
    assert seen == [True, False] * (len(seen) // 2)


def test_missing_code_is_named(tmp_path):
    text = training.table(["masked"], tmp_path, batch=1, patch=16, repeats=1)
    assert "Missing: masked (" in text


@pytest.mark.parametrize("masked", [True, False])
def test_a_published_sample_is_a_crop_with_noise_and_a_mask_where_there_is_one(masked):
    image = training.images(1)[0]
    noisy, clean = training.published_sample(image, 16, masked)
    assert noisy.shape == clean.shape == (3, 16, 16)
    hidden = (noisy == noisy.new_tensor(-0.1)).all(0)
    assert hidden.any() == masked
    assert 0 < (noisy - clean)[:, ~hidden].std() < 2 * 15 / 255


def test_every_step_changes_the_weights_and_the_average_follows(published):
    from benchmark.speed.published import on_path, swinir

    with on_path(published / "MaskedDenoising"):
        network = swinir(False)
    step, average = training.published_step(network, training.images(1), 1, 16, False)
    before = [value.clone() for value in network.parameters()]
    step()
    for was, value, mean in zip(before, network.parameters(), average.parameters(), strict=True):
        assert not torch.equal(was, value)
        torch.testing.assert_close(mean, 0.999 * was + 0.001 * value)
