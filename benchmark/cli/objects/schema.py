"""From registered classes to Hydra's typed configs, and to what each name chooses."""

from collections.abc import Callable, Iterable
from functools import cache, partial

from omegaconf import DictConfig, OmegaConf

from benchmark.cli.registered.catalogue import Catalogue
from benchmark.denoiser import Denoiser
from benchmark.objects.building import settable
from benchmark.objects.registries import REGISTRIES, registry_of, suites
from benchmark.signature import as_list, with_fields


def schema(cls: type, training: bool = False) -> DictConfig:
    """A class's signature as a typed config; ``of`` names the class.

    Parameters
    ----------
    cls
        A registered class whose constructor takes annotated keywords with defaults.
    training
        As in `settable`.
    """
    return OmegaConf.structured(schema_type(cls, training))


@cache  # OmegaConf merges two configs only if they are of the very same dataclass
def schema_type(cls: type, training: bool = False) -> type:
    """The dataclass of `schema`."""
    parameters = {"of": (str, cls.name), **settable(cls, training)}
    return with_fields(type(cls.name, (), {}), parameters)


def sized(cls: type[Denoiser], size: str | None) -> DictConfig:
    """A network's whole signature at one of the sizes it names; None is the published one.

    Raises
    ------
    ValueError
        If it names no such size.
    """
    if size is not None and size not in cls.sizes:
        raise ValueError(
            f"'{cls.name}' has no size '{size}'; choose one of: {', '.join(cls.sizes) or 'none'}, "
            f"or null for the published one"
        )
    config, settings = schema(cls, training=True), {} if size is None else cls.sizes[size]
    config.merge_with({key: as_list(value) for key, value in settings.items()})
    return config


def choices_of(
    group: str, training: bool, catalogue: Catalogue
) -> dict[str, Callable[[], dict[str, DictConfig]]]:
    """What makes that which each name of a group chooses: names to the configs of classes."""
    classes = registry_of(group)

    def configs(names: Iterable[str]) -> dict[str, DictConfig]:
        return {name: schema(classes[name], training) for name in names}

    def ready(names: Iterable[str]) -> dict[str, DictConfig]:
        return configs(name for name in names if name not in catalogue.reasons[group])

    choices = {name: partial(configs, [name]) for name in sorted(classes)}
    choices["all"] = partial(ready, sorted(classes))
    if group == "model" and training:
        for name, cls in sorted(REGISTRIES[group].items()):
            for size in cls.sizes:
                choices[f"{name}_{size}"] = partial(_of_size, cls, size)
    if group == "noise":
        choices |= {suite: partial(ready, members) for suite, members in suites().items()}
    return choices


def _of_size(cls: type[Denoiser], size: str) -> dict[str, DictConfig]:
    return {f"{cls.name}_{size}": sized(cls, size)}
