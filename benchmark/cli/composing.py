"""One command through Hydra: its words composed to a config, checked, and made its options."""

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, open_dict

from benchmark.cli.command import Command, CommandLine
from benchmark.cli.objects.options import options_of, schema_of_options
from benchmark.cli.registered.catalogue import GROUPS, Catalogue
from benchmark.cli.registered.listing import left_out
from benchmark.cli.words.formulas import Formulas
from benchmark.cli.words.grammar import quoted
from benchmark.cli.words.read import is_sweep, reads_more, split_names
from benchmark.cli.workers import Workers
from benchmark.console.log import log, show
from benchmark.environment.helpers import end_with

# Hydra writes nothing into the caller's folder: no log, no .hydra, no outputs/
QUIET = [{f"override /hydra/{kind}_logging": "none"} for kind in ("job", "hydra")]
NO_FILES = {"output_subdir": None, "run": {"dir": "."}, "sweep": {"dir": ".", "subdir": "."}}


def call(
    command: Command,
    typed: list[str],
    words: list[str],
    catalogue: Catalogue,
    mistakes: Callable[[], AbstractContextManager[None]],
    workers: Workers | None = None,
) -> None:
    """Compose a command's words and call its function, once or for each run of a sweep.

    A mistake which is noticed where one of Hydra's launchers runs a sweep is raised here.

    Parameters
    ----------
    typed
        The words as they were typed, without those of the workers.
    words
        The same in Hydra's grammar, of `benchmark.cli.words.read.read_words`.
    mistakes
        Turns an exception into a sentence, before Hydra adds a line of its own.
    workers
        Those which share the command, if there are any. They have `CommandLine.launch` start them.
    """
    if command.loads and not catalogue.fresh:
        from benchmark.cli.registered.plugins import load_fitting_plugins

        load_fitting_plugins()
    register(command, words, catalogue)
    sweeping = is_sweep(words)
    formulas = Formulas(sweeping)
    overrides = formulas.replaced(words) if "noise" in command.groups else words
    home = os.getpid()

    def job(config: DictConfig) -> None:
        is_home = os.getpid() == home
        if not is_home:
            survives = HydraConfig.get().runtime.choices["hydra/launcher"] == "submitit_local"
            _begin_elsewhere(command, home if survives else os.getppid())
        with mistakes() if is_home else nullcontext():
            options, said = _options(command, config, catalogue)
            own = HydraConfig.get().overrides.task if sweeping else typed
            words = tuple(map(formulas.typed, own))
            command.function(options, CommandLine(command, words, catalogue, said=said))

    # of several runs Hydra writes a record of its own, into no folder of the user's
    with tempfile.TemporaryDirectory() as aside:
        if workers is None:
            _hydra(command, overrides, job, aside)
            return
        composed: list[Any] = []

        def compose(config: DictConfig) -> None:
            with mistakes():
                composed.append(_options(command, config, catalogue)[0])

        def launch(logs: Path) -> None:
            _hydra(command, [*overrides, *workers.words], job, str(logs.resolve()))

        _hydra(command, [*workers.launcher, *overrides], compose, aside)
    for options in composed:  # none where a flag asked for something else, such as --cfg
        command.function(options, CommandLine(command, tuple(typed), catalogue, launch))


def _composed(command: Command, words: list[str]) -> DictConfig:
    """What settings alone compose to: once, where Hydra's own command composes twice."""
    with hydra.initialize_config_module("benchmark.cli.conf", command.name, version_base="1.3"):
        config = hydra.compose(command.name, words, return_hydra_config=True)
    HydraConfig.instance().set_config(config)
    with open_dict(config):
        del config["hydra"]
    return config


def _hydra(
    command: Command, words: list[str], job: Callable[[DictConfig], None], folder: str
) -> None:
    """Let Hydra compose words and call a job with each config; its records go to a folder."""
    if not any(word.startswith("-") or "hydra" in word for word in words):
        job(_composed(command, words))
        return
    sys.argv = [f"bench {command.name}", f"hydra.sweep.dir={quoted(folder)}", *words]
    decorate = hydra.main(
        version_base="1.3", config_path="pkg://benchmark.cli.conf", config_name=command.name
    )
    decorate(job)()


def _options(
    command: Command, config: DictConfig, catalogue: Catalogue
) -> tuple[Any, tuple[str, ...]]:
    """The options of a config, and the sentences which were said of them."""
    show()
    choices = HydraConfig.get().runtime.choices
    options = options_of(command, config, choices)
    of_all = [g for g in command.groups if "all" in split_names(str(choices.get(g)))]
    said = tuple(filter(None, (left_out(group, catalogue) for group in of_all)))
    for sentence in said:
        log.info(sentence)
    return options, said


@cache  # a worker may do several runs of a sweep
def _begin_elsewhere(command: Command, with_whom: int) -> None:
    """What `benchmark.cli.entry` and `call` do first, in the process of a launcher's worker.

    It ends with another process here: the one that started it, which waits for its end. That of
    submitit outlives the command, which the worker itself has to watch.
    """
    from benchmark.cli.entry import set_up

    set_up()
    end_with(with_whom)  # joblib's would wait for ever for work
    if command.loads:
        from benchmark.cli.registered.plugins import load_fitting_plugins

        load_fitting_plugins()


def register(command: Command, words: list[str], catalogue: Catalogue) -> None:
    """Put what a command can be told into Hydra's ConfigStore.

    Every registered class is a choice of each group that the command has; beside them stand
    ``all`` and, for each name in a noise's ``suites``, the suite; for a training also each network
    at the sizes which its class names. Those whose name stands in no word are left out, if nothing
    but words chooses: Hydra copies the whole store each time that it composes.
    """
    store = ConfigStore.instance()
    for group in GROUPS:
        store.repo.pop(group, None)  # of a command before; it would hide a setting of its name
        if group not in command.groups:
            continue
        from benchmark.cli.objects.schema import choices_of  # loads torch

        text = None if reads_more(words) else " ".join([*words, *command.groups[group]])
        for name, configs in choices_of(group, command.trains, catalogue).items():
            if text is None or name in text:
                store.store(group=group, name=name, node=configs(), package=group)
    store.store(name=f"{command.name}_schema", node=schema_of_options(command))
    chosen = {name: list(names) for name, names in command.groups.items()} | command.files
    defaults = [f"{command.name}_schema", *({key: name} for key, name in chosen.items())]
    store.store(
        name=command.name, node={"defaults": [*defaults, *QUIET, "_self_"], "hydra": NO_FILES}
    )
