"""A run that lacks several things names them all at its start, and the command that brings them."""

import socket

import pytest


@pytest.fixture(autouse=True)
def nothing(monkeypatch, tmp_path):
    """No data, no fetched weights, no network."""
    for module in ("files.places", "datasets.dataset"):
        monkeypatch.setattr(f"benchmark.{module}.user_cache_path", lambda app: tmp_path / app)
    monkeypatch.setenv("NOISEBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("NOISEBENCH_OFFLINE", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)

    def refused(*_: object) -> None:
        raise AssertionError("a run opens a connection")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


def test_all_that_is_missing_is_said_at_once_with_one_command(bench, tmp_path):
    status, _, err = bench(
        "run", "model=[masked,dncnn]", "model.masked.weights=published",
        "model.dncnn.weights=mine.pth", "noise=[gaussian,polyu]", "data=[photos,kodak24,sidd]",
    )  # fmt: skip
    assert status == 2
    assert (
        "missing here: dataset 'kodak24', dataset 'sidd', dataset 'polyu', weights of 'masked', "
        "weights of 'dncnn'; bring with: bench fetch kodak24 polyu masked; "
    ) in err
    assert "https://abdokamel.github.io/sidd" in err and "there is no file mine.pth" in err
    assert not (tmp_path / "results").exists()


def test_one_thing_that_is_missing_is_refused_as_ever(bench):
    status, _, err = bench("run", "model=tv", "noise=gaussian", "data=kodak24")
    assert status == 2 and "dataset 'kodak24': there is no folder" in err


SMALL = (
    "run", "model=tv", "noise=gaussian", "noise.gaussian.levels=[25]", "data.photos.limit=1",
    "data.photos.crop=32", "metric=[psnr,lpips]",
)  # fmt: skip


def test_offline_metrics_are_needed_too(bench, monkeypatch):
    wanted = "missing here: metric 'lpips'; bring with: bench fetch lpips"
    status, _, err = bench(*SMALL, "offline=true")
    assert status == 2 and wanted in err
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    status, _, err = bench(*SMALL)
    assert status == 2 and wanted in err


@pytest.mark.slow
def test_a_run_opens_no_connection(bench):
    status, out, err = bench(*SMALL)
    assert (status, err) == (0, "")
    assert "no column lpips" in out


def test_offline_nothing_is_fetched(bench, monkeypatch):
    monkeypatch.setenv("NOISEBENCH_OFFLINE", "true")
    status, _, err = bench("fetch", "kodak24")
    assert status == 2 and "NOISEBENCH_OFFLINE says that nothing is fetched" in err
