"""The runtime of a run: a setting of its cells, recorded, and named on the leaderboard."""

import json
from functools import partial
from importlib.metadata import version

import pytest

from benchmark.denoiser.runtime import openvino


@pytest.fixture
def bench(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(openvino, "folder", lambda: tmp_path / "graphs")
    small = ["data.photos.limit=1", "data.photos.crop=48", "noise.gaussian.levels=[15]"]
    return partial(bench, "run", "noise=gaussian", *small, "metric=psnr", "out=o")


def stored(tmp_path, model: str) -> dict:
    return json.loads((tmp_path / f"o/cells/{model}/photos/gaussian-15-0.json").read_text())


def test_an_unknown_runtime_is_one_sentence(bench, tmp_path):
    status, out, err = bench("model=dncnn", "runtime=onnx")
    assert (status, out) == (2, "")
    assert err == "bench: unknown runtime=onnx; choose one of: torch, openvino, auto\n"
    assert not (tmp_path / "o").exists()


@pytest.mark.slow
def test_torch_is_recorded_and_no_setting(bench, tmp_path):
    assert bench("model=identity")[0] == 0
    record = stored(tmp_path, "identity")
    assert record["environment"]["runtime"] == "torch"
    assert "runtime" not in record["settings"]["model"]


@pytest.mark.slow
def test_openvino_is_recorded_a_setting_and_named_and_scores_are_those_of_torch(bench, tmp_path):
    pytest.importorskip("openvino")
    # outputs of the small one differ by 2e-5 on some processors, which is too much
    tiny = ("model.dncnn.weights=dncnn_tiny", "reference=[]")
    status, out, err = bench("model=[dncnn,rnan]", "runtime=openvino", *tiny)
    assert status == 0, err
    record = stored(tmp_path, "dncnn")
    assert record["environment"]["runtime"] == record["settings"]["model"]["runtime"] == "openvino"
    assert record["environment"]["openvino"] == version("openvino")
    assert stored(tmp_path, "rnan")["environment"]["runtime"] == "torch"
    shown = " ".join(out.split())
    assert "rnan runs in torch: its attention between all pixels" in shown
    assert "dncnn is compiled by openvino" in shown and "rnan is compiled" not in shown
    assert "Restored whole, in fp32 and by torch, but for: dncnn (openvino)." in shown
    status, _, err = bench("model=dncnn", *tiny)
    assert status == 2 and "model.runtime 'openvino' (now absent)" in err
    assert bench("model=dncnn", *tiny, "out=p")[0] == 0
    (mine,), (other,) = (
        record["images"],
        json.loads((tmp_path / "p/cells/dncnn/photos/gaussian-15-0.json").read_text())["images"],
    )
    assert mine["psnr"] == pytest.approx(other["psnr"], abs=1e-3)
