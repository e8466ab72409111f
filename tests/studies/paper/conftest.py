"""The plan of tiny networks, whose results are made up."""

import pytest
from parts_made_up import FOLDERS, variants_of

from benchmark.studies.paper.plan import Plan


@pytest.fixture
def plan(tmp_path) -> Plan:
    names = ("masks", "attention_ratio", "input_ratio", "ihc")
    return Plan(
        size="tiny",
        preset="tiny",
        out=tmp_path,
        folders={name: tmp_path / name for name in FOLDERS},
        dataset="toy",
        data=("data=toy",),
        variants={"masked_80_90": "masked_80_90_tiny"},
        ablations={name: variants_of(name) for name in names},
    )
