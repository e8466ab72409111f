"""The speed script times a network in every runtime, and names what fails."""

import pytest

from benchmark.speed import runtimes


@pytest.mark.slow
def test_the_table_has_each_runtime_and_names_what_fails(tmp_path, capsys, monkeypatch):
    pytest.importorskip("openvino")

    def broken(done):
        raise RuntimeError("no such compiler\nhere")

    monkeypatch.setattr(runtimes, "by_torch_compile", broken)
    monkeypatch.setattr(runtimes, "by_onnxruntime", lambda done: lambda: done.output)
    out = tmp_path / "runtimes.md"
    options = ["--networks", "ridnet_tiny", "rnan_tiny", "--sizes", "16", "--repeats", "1"]
    runtimes.main([*options, "--out", str(out)])
    text = out.read_text(encoding="utf-8")
    assert text.split("\n\n", 2)[2] in capsys.readouterr().out
    head, _, row = [line.strip("| ").split(" | ") for line in text.splitlines() if line[:1] == "|"]
    assert len(head) == len(row)
    assert row[:2] == ["ridnet_tiny", "16x16"]
    assert row[head.index("torch / torch.compile")] == "–"
    assert float(row[head.index("largest difference")]) <= 1e-5
    assert "ridnet_tiny in compile: no such compiler; rnan_tiny: its attention between" in text
