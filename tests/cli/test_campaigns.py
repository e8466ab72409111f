"""The campaigns in small: what is done by hand for a release still runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_equal_to_the_byte(tmp_path):
    small = ["--kills", "1", "--together", "1", "--folder", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.campaigns.kills", *small],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 kills" in done.stdout
