"""What tests of cells start from: a store, leases that age fast, a plugin that changes."""

import importlib
import sys
from collections.abc import Callable

import pytest
from changing_code import ACME
from drawing import leave_undrawn

from benchmark.cells import ResultStore
from benchmark.cells.running import sharing
from benchmark.files import lease
from benchmark.objects.registries import REGISTRIES


@pytest.fixture
def store(tmp_path) -> ResultStore:
    return ResultStore(tmp_path)


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(sharing, "PAUSE", 0.02)
    monkeypatch.setattr(lease, "BEAT", 0.02)
    monkeypatch.setattr(lease, "STALE", 0.3)


@pytest.fixture
def acme(tmp_path_factory, monkeypatch) -> Callable[[float], None]:
    """A plugin's module, written and imported anew with another arithmetic at each call."""
    for registry in REGISTRIES.values():
        monkeypatch.setattr(registry, "data", dict(registry.data))
    leave_undrawn(monkeypatch)  # tables are what is looked at here
    folder = tmp_path_factory.mktemp("acme")
    monkeypatch.syspath_prepend(str(folder))

    def write(strength: float) -> None:
        (folder / "acme_for_test.py").write_text(ACME.replace("STRENGTH", str(strength)))
        importlib.invalidate_caches()
        sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
        sys.modules.pop("acme_for_test", None)
        importlib.import_module("acme_for_test")
        sys.dont_write_bytecode = before

    yield write
    sys.modules.pop("acme_for_test", None)
