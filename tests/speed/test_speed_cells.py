"""The script of a cell's costs measures each part, and names metrics which it cannot compute."""

import pytest

from benchmark.metrics import METRICS, MetricUnavailable
from benchmark.speed import cells


def test_the_table_has_a_share_of_each_part_and_names_what_is_missing(
    tmp_path, capsys, monkeypatch
):
    def unavailable(self) -> None:
        raise MetricUnavailable("no weights")

    monkeypatch.setattr(METRICS["lpips"], "prepare", unavailable)
    out = tmp_path / "cells.md"
    cells.main(["--models", "identity", "--sizes", "32", "--repeats", "1", "--out", str(out)])
    text = out.read_text(encoding="utf-8")
    assert text.split("\n\n", 2)[2] in capsys.readouterr().out
    head, _, row = [line.strip("| ").split(" | ") for line in text.splitlines() if line[:1] == "|"]
    assert head[:7] == ["network", "image", "cell (ms)", "network's share", "noise", "psnr", "ssim"]
    assert len(row) == len(head) and row[:2] == ["identity", "32x32"]
    assert "Missing: lpips (no weights)." in text


def test_shares_are_of_the_whole_cell_and_leave_out_what_happens_once():
    seconds = {"cell": 0.1, "network": 0.08, "noise": 0.004, "psnr": 0.001}
    seconds |= {"reading": 0.001, "writing": 0.0, "decoding": 0.5, "lpips, clean image": 0.02}
    row = cells.row("mine", 64, seconds, ["psnr"])
    assert row == [
        *("mine", "64x64", "100", "80.0 %", "4.0 %", "1.0 %", "1.0 %", "0.0 %"),
        *("500.0", "20.0", "5.0 %"),
    ]


def test_freed_memory_stays_as_under_a_command(monkeypatch):
    def kept() -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(cells, "keep_freed_memory", kept)
    with pytest.raises(KeyboardInterrupt):
        cells.main([])


def test_the_least_of_the_calls_counts(monkeypatch):
    times = iter([0.0, 5.0, 10.0, 12.0, 20.0, 23.0])
    monkeypatch.setattr(cells.time, "process_time", lambda: next(times))
    assert cells.cpu_seconds(lambda: None, 3) == 2.0
