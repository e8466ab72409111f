"""One command through Hydra: its words composed to a config, checked, and made its options."""

import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from benchmark.cli.command import Command, CommandLine
from benchmark.cli.objects.options import options_of, schema_of_options
from benchmark.cli.registered.catalogue import GROUPS, Catalogue
from benchmark.cli.registered.listing import left_out
from benchmark.cli.words.formulas import Formulas
from benchmark.cli.words.read import is_sweep, split_names
from benchmark.console.log import log, show

# Hydra writes nothing into the caller's folder: no log, no .hydra, no outputs/
QUIET = [{f"override /hydra/{kind}_logging": "none"} for kind in ("job", "hydra")]
NO_FILES = {"output_subdir": None, "run": {"dir": "."}, "sweep": {"dir": ".", "subdir": "."}}


def call(
    command: Command,
    typed: list[str],
    words: list[str],
    catalogue: Catalogue,
    mistakes: Callable[[], AbstractContextManager[None]],
) -> None:
    """Compose a command's words and call its function, once or for each run of a sweep.

    Parameters
    ----------
    typed
        The words as they were typed.
    words
        The same in Hydra's grammar, of `benchmark.cli.words.read.read_words`.
    mistakes
        Turns an exception into a sentence, before Hydra adds a line of its own.
    """
    if command.loads and not catalogue.fresh:
        from benchmark.cli.registered.plugins import load_fitting_plugins

        load_fitting_plugins()
    register(command, catalogue)
    sweeping = is_sweep(words)
    formulas = Formulas(sweeping)
    overrides = formulas.replaced(words)

    def job(config: DictConfig) -> None:
        with mistakes():
            show()
            choices = HydraConfig.get().runtime.choices
            options = options_of(command, config, choices)
            for group in command.groups:
                if "all" in split_names(str(choices.get(group))) and (
                    sentence := left_out(group, catalogue)
                ):
                    log.info(sentence)
            own = HydraConfig.get().overrides.task if sweeping else typed
            words = tuple(map(formulas.typed, own))
            command.function(options, CommandLine(command, words, catalogue))

    # of several runs Hydra writes a record of its own, into no folder of the user's
    with tempfile.TemporaryDirectory() as aside:
        sys.argv = [f"bench {command.name}", f"hydra.sweep.dir='{aside}'", *overrides]
        decorate = hydra.main(
            version_base="1.3", config_path="pkg://benchmark.cli.conf", config_name=command.name
        )
        decorate(job)()


def register(command: Command, catalogue: Catalogue) -> None:
    """Put what a command can be told into Hydra's ConfigStore.

    Every registered class is a choice of each group that the command has; beside them stand
    ``all`` and, for each name in a noise's ``suites``, the suite; for a training also each network
    at the sizes which its class names.
    """
    store = ConfigStore.instance()
    for group in GROUPS:
        if group not in command.groups:
            store.repo.pop(group, None)  # a group would hide a plain setting of its name
            continue
        from benchmark.cli.objects.schema import choices_of  # loads torch

        for name, config in choices_of(group, command.trains, catalogue).items():
            store.store(group=group, name=name, node=config, package=group)
    store.store(name=f"{command.name}_schema", node=schema_of_options(command))
    chosen = {name: list(names) for name, names in command.groups.items()} | command.files
    defaults = [f"{command.name}_schema", *({key: name} for key, name in chosen.items())]
    store.store(
        name=command.name, node={"defaults": [*defaults, *QUIET, "_self_"], "hydra": NO_FILES}
    )
