"""A server with faults, and sources that it serves."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from serving import Server

from benchmark.offline.checksums import Checksums
from benchmark.offline.sources import Remote, Source


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    """The server; nobody waits before another attempt, and no proxy is in between."""
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setenv("NO_PROXY", "*")
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def source(server):
    """Makes a source of one file or several: weights called toy, if nothing else is said."""

    def make(*addresses: str, checksums: Checksums | None = None, **facts) -> Source:
        files = tuple(
            Remote(address, address.rpartition("/")[2], checksums or Checksums())
            for address in addresses
        )
        entry = {"name": "toy", "kind": "weights", "about": "a toy", "terms": "none stated"}
        return Source(**{**entry, "restricts": False, "page": "https://toy", **facts}, files=files)

    return make
