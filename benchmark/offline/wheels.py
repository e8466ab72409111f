"""Wheels of plugins, for a machine without a network: built of what is installed here."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

EPOCH = "315532800"  # 1980, the first year of a zip file: so that a wheel has the same bytes again


@dataclass(frozen=True)
class Wheel:
    """A plugin's wheel, as the lock of a bundle names it."""

    name: str
    version: str
    file: str  # of the bundle: wheels/acme_noise-1.0-py3-none-any.whl


def build_wheel(name: str, folder: Path) -> tuple[Wheel, Path]:
    """Build the wheel of an installed distribution, or fetch it from where pip fetches.

    It is built of its source, where pip recorded where that is, alone and without what it depends
    on.

    Parameters
    ----------
    folder
        Where the file is written; it has no other wheels of this distribution.

    Raises
    ------
    ValueError
        If there is no such wheel of the version that is installed.
    """
    installed = distribution(name)
    asked = _source(installed)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(folder), asked]
    done = subprocess.run(
        [*command, "--disable-pip-version-check", "--no-input"],
        capture_output=True,
        text=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH},
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        raise _by_hand(installed, f"pip made no wheel of {asked} ({(said or ['no reason'])[-1]})")
    for path in folder.glob("*.whl"):
        for built in distributions(path=[str(path)]):
            if built.name != installed.name:
                continue
            if built.version != installed.version:
                raise _by_hand(installed, f"its source is of version {built.version} by now")
            return Wheel(built.name, built.version, f"wheels/{path.name}"), path
    raise _by_hand(installed, f"pip made another wheel of {asked}")


def install_line(files: Iterable[Path]) -> str:
    """The command that installs wheels without a network, and nothing that they depend on."""
    return " ".join(["pip install --no-index --no-deps", *map(str, files)])


def _source(installed: Distribution) -> str:
    """What pip is to build: a folder, an archive or a commit, or a release by its number."""
    direct = json.loads(installed.read_text("direct_url.json") or "{}")
    url = direct.get("url")
    if not url:
        return f"{installed.name}=={installed.version}"
    if commit := direct.get("vcs_info"):
        url = f"{commit['vcs']}+{url}@{commit['commit_id']}"
    within = direct.get("subdirectory")
    return f"{installed.name} @ {url}{f'#subdirectory={within}' if within else ''}"


def _by_hand(installed: Distribution, why: str) -> ValueError:
    return ValueError(
        f"plugin {installed.name} {installed.version} is not in the bundle: {why}; bring its wheel "
        f"by hand: pip wheel --no-deps, then copy the file"
    )
