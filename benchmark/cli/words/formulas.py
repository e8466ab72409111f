"""Formulas of noises on a command line: Hydra's grammar has none, so they become choices."""

from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from benchmark.cli.words.known import is_formula
from benchmark.cli.words.read import split_names
from benchmark.signature import spelled


class Formulas:
    """The formulas of one command line, each a choice of group ``noise`` that has a number.

    Parameters
    ----------
    sweeping
        Whether commas separate runs.
    """

    def __init__(self, sweeping: bool):
        self._sweeping = sweeping
        self._typed: dict[str, str] = {}  # by choice, what was typed

    def replaced(self, words: list[str]) -> list[str]:
        """The words, each formula in a ``noise=`` among them as a choice that Hydra knows.

        Raises
        ------
        ValueError
            If a formula is wrong, where the message shows the place, or a level is given twice.
        """
        parts = [(word, self._without_formulas(word)) for word in words]
        for typed, replaced in parts:
            levels = {part.partition("=")[0] for part in replaced[1:]}
            for word in words:
                if word.partition("=")[0].lstrip("+") in levels:
                    raise ValueError(f"{typed} says its level, and so does {word}; leave one out")
        return [part for _, replaced in parts for part in replaced]

    def typed(self, word: str) -> str:
        """A word of one run, its choices as they were typed."""
        for choice, item in self._typed.items():
            word = word.replace(choice, item)
        return word

    def _without_formulas(self, word: str) -> list[str]:
        key, _, value = word.partition("=")
        items = split_names(value) if key == "noise" else []
        if not any(map(is_formula, items)):
            return [word]
        from benchmark.noise.formula import as_choice, chosen_levels

        bracketed = value.strip().startswith("[")
        if self._sweeping and not bracketed:
            return [f"{key}={','.join(map(self._choice, items))}"]
        levels = chosen_levels(items)
        names: dict[str, None] = {}  # in the order given, each once
        for item in items:
            name = as_choice(item)[0] if is_formula(item) else item
            names[name if name in levels else self._choice(item)] = None
        choice = ",".join(names)
        chosen = f"{key}=[{choice}]" if bracketed else f"{key}={choice}"
        return [chosen, *(f"{key}.{name}.levels={of}" for name, of in levels.items())]

    def _choice(self, item: str) -> str:
        """The choice that an item of ``noise=`` stands for, by itself."""
        if not is_formula(item):
            return item
        from benchmark.cli.objects.schema import schema
        from benchmark.noise import NOISE_MODELS, stream
        from benchmark.noise.formula import as_choice

        name, settings = as_choice(item)
        choice = f"formula_{stream(name, spelled(settings.get('levels', []))) % 2**32:08x}"
        config = OmegaConf.merge(schema(NOISE_MODELS[settings.get("of", name)]), settings)
        ConfigStore.instance().store(choice, {name: config}, group="noise", package="noise")
        self._typed[choice] = item
        return choice
