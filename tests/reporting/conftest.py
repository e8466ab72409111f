"""Tables of toy scores, and what is printed of them."""

import io
from collections.abc import Callable

import pandas as pd
import pytest
from drawing import leave_undrawn
from rich.console import Console
from toy_scores import (
    PSNR,
    toy,
)

from benchmark.cells.scores import Scores
from benchmark.reporting.report import print_leaderboard


@pytest.fixture
def table() -> pd.DataFrame:
    return toy(PSNR)


@pytest.fixture
def small(table) -> pd.DataFrame:
    """One noise and one metric: quickly drawn."""
    return table[table["noise"] == "spots"].drop(columns=["ssim", "lpips"])


@pytest.fixture
def undrawn(monkeypatch) -> None:
    """Figures are left out."""
    leave_undrawn(monkeypatch)


@pytest.fixture
def printed(monkeypatch) -> Callable[..., str]:
    """What is printed of a table on a console of some width."""

    def show(table: Scores | pd.DataFrame, width: int = 100) -> str:
        console = Console(file=io.StringIO(), width=width)
        monkeypatch.setattr("benchmark.console.log.console", lambda: console)
        print_leaderboard(table)
        return console.file.getvalue()

    return show
