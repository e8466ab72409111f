"""The libraries in the explorer's page are the ones that its README names."""

import re
from hashlib import sha256
from pathlib import Path

VENDOR = Path(__file__).parents[3] / "benchmark/reporting/explorer/assets/vendor"
LINE = re.compile(
    r"\| `(?P<file>[\w.]+)` \|.*\| (?P<version>[\d.]+) \|.*\(.*\.LICENSE\) \| `(?P<hash>\w{64})` \|"
)


def test_every_library_is_named_with_its_version_its_licence_and_its_hash():
    named = {found["file"]: found for found in LINE.finditer((VENDOR / "README.md").read_text())}
    assert sorted(named) == sorted(file.name for file in VENDOR.glob("*.js"))
    for name, found in named.items():
        content = (VENDOR / name).read_bytes()
        assert sha256(content).hexdigest() == found["hash"]
        assert found["version"].encode() in content[:200]
        assert (VENDOR / f"{name.partition('.')[0]}.LICENSE").exists()
