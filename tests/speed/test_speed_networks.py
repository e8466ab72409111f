"""The speed script times published code beside ours, and names what is missing."""

import pytest
import torch

from baselines.dncnn import DnCNN
from benchmark.denoiser.memory import peak_memory
from benchmark.speed import networks
from benchmark.speed.published import REPOSITORIES

# what the script takes from KAIR: a class by this name, in a module by this one
STAND_IN = """
from torch import nn

class DnCNN(nn.Module):
    def __init__(self, in_nc, out_nc, nc, nb, act_mode):
        super().__init__()
        assert act_mode == "BR"
        layers = [nn.Conv2d(in_nc, nc, 3, padding=1), nn.ReLU()]
        for _ in range(nb - 2):
            layers += [nn.Conv2d(nc, nc, 3, padding=1), nn.BatchNorm2d(nc, eps=1e-4), nn.ReLU()]
        self.model = nn.Sequential(*layers, nn.Conv2d(nc, out_nc, 3, padding=1))

    def forward(self, x):
        return x - self.model(x)
"""


@pytest.fixture
def published(tmp_path):
    """A folder with a DnCNN where KAIR has its own, and nothing else."""
    module = tmp_path / "KAIR" / "models" / "network_dncnn.py"
    module.parent.mkdir(parents=True)
    module.write_text(STAND_IN)
    return tmp_path


@pytest.mark.slow
def test_the_table_compares_equal_networks_and_names_missing_code(published, tmp_path, capsys):
    out = tmp_path / "networks.md"
    options = ["--published", str(published), "--out", str(out), "--networks", "dncnn", "ridnet"]
    networks.main([*options, "--sizes", "24", "--repeats", "1"])
    text = out.read_text(encoding="utf-8")
    assert text.split("\n\n", 2)[2] in capsys.readouterr().out
    head, _, row = [line.strip("| ").split(" | ") for line in text.splitlines() if line[:1] == "|"]
    assert len(head) == len(row)
    assert row[:2] == ["dncnn", "24x24"]
    assert float(row[-1]) <= 1e-6  # the largest difference
    assert "Missing: ridnet (" in text
    assert REPOSITORIES["RIDNet"] in text


def test_plain_layers_are_others_and_say_the_same(monkeypatch):
    image = torch.rand(1, 3, 16, 16)
    call, network = networks.plain("masked_tiny")
    fast = networks.restored(network, image)
    monkeypatch.setattr("baselines.swin.fast.without_gradients", forbidden)
    torch.testing.assert_close(call(image), fast, rtol=0, atol=2e-6)
    with pytest.raises(AssertionError, match="fast"):
        networks.restored(network, image)


def forbidden(*_: object) -> torch.Tensor:
    raise AssertionError("this is the fast code")


def test_what_has_no_published_code_is_an_error(tmp_path, capsys):
    with pytest.raises(SystemExit):
        networks.main(["--published", str(tmp_path), "--networks", "dncnn", "tv"])
    assert "no published code of tv; there is: masked," in capsys.readouterr().err


def test_operations_are_counted_by_the_formula():
    network = DnCNN(depth=3, width=8, batch_norm=False)
    products = 9 * (3 * 8 + 8 * 8 + 8 * 3) * 20 * 20
    assert networks.gflop(network, 20) == pytest.approx(2 * products / 1e9)


def test_peak_memory_is_what_was_held_at_once():
    def call():
        for _ in range(3):  # each is freed before the next
            torch.zeros(1_000_000)

    assert peak_memory(call) == pytest.approx(4_000_000, rel=0.01)
