"""Workers which share one run: what ``-m hydra/launcher=joblib shards=4`` says of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec

from benchmark.cli.command import Command

SWEEPS = ("-m", "--multirun")
MOST = 10_000
EXAMPLE = "bench run -m hydra/launcher=joblib shards=4"
LAUNCHERS = {  # their plugins and our extras
    "joblib": ("hydra_joblib_launcher", "cluster"),
    "submitit_local": ("hydra_submitit_launcher", "cluster"),
    "submitit_slurm": ("hydra_submitit_launcher", "cluster"),
    "ray": ("hydra_ray_launcher", "ray"),
}
OF_HYDRA = ("hydra/launcher=", "hydra.launcher.")  # how settings of a launcher begin


@dataclass(frozen=True)
class Workers:
    """How many workers there are, and the settings of the launcher which starts them."""

    count: int
    launcher: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        """What starts them, in Hydra's grammar: one job for each."""
        at_once = [f"hydra.launcher.n_jobs={self.count}"] * (
            "hydra/launcher=joblib" in self.launcher
            and not any(word.startswith("hydra.launcher.n_jobs=") for word in self.launcher)
        )  # joblib starts as many as there are cores, and the others when these have ended
        shares = ",".join(f"{number}/{self.count}" for number in range(1, self.count + 1))
        return [*self.launcher, *at_once, f"shards={self.count}", f"shard={shares}", "-m"]


def workers_of(command: Command, words: list[str]) -> tuple[Workers | None, list[str]]:
    """The workers that the words of a command ask for, if any, and the words of what they share.

    Raises
    ------
    ValueError
        If ``shards=`` is no number of workers, or no launcher starts them, or its package lacks.
    """
    given = [word for word in words if word.lstrip("+").startswith("shards=")]
    if not given or "shards" not in command.settings:
        return None, words
    launcher = tuple(word for word in words if word.lstrip("+").startswith(OF_HYDRA))
    if not set(SWEEPS).intersection(words) or not any("/launcher=" in word for word in launcher):
        raise ValueError(
            f"{given[0]} is for the workers that one of Hydra's launchers starts, as in: {EXAMPLE}"
        )
    text = given[-1].partition("=")[2]
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise ValueError(f"shards={text} should be a number of workers, from 1 to {MOST}")
    for key, why in (
        ("shard", "workers take whatever cell is free, and none has a part to itself"),
        ("workers", "shards= says how many there are, and a launcher where they run"),
        ("rescore=all", "each worker would score all of them; delete the cells instead"),
    ):
        if any(word == key or word.startswith(f"{key}=") for word in words):
            raise ValueError(f"{key} and shards= exclude each other: {why}")
    _refuse_missing(launcher)
    others = {*SWEEPS, *given}
    own = [w for w in words if w not in others and not w.lstrip("+").startswith(OF_HYDRA)]
    return Workers(int(text), launcher), own


def _refuse_missing(launcher: Iterable[str]) -> None:
    for word in launcher:
        key, _, name = word.partition("=")
        if not key.endswith("/launcher") or name not in LAUNCHERS:
            continue
        plugin, extra = LAUNCHERS[name]
        if not (find_spec("hydra_plugins") and find_spec(f"hydra_plugins.{plugin}")):
            raise ValueError(f"{word} needs a package: pip install 'noisebench[{extra}]'")
