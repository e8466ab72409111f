"""What a composed config has chosen of the registries, and of the ablations."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from omegaconf import DictConfig, OmegaConf

from benchmark.cli.objects.options import check_selection
from benchmark.cli.objects.specs import class_of, spec_of
from benchmark.objects.registries import REGISTRIES
from benchmark.objects.spec import Specs
from benchmark.registry import unknown_setting
from benchmark.signature import spelled
from benchmark.studies.variants import Ablation, Variant


def specs_of(group: str, given: Any, training: bool) -> Specs:
    """What is chosen of a group."""
    if not isinstance(given, Mapping | DictConfig):
        raise ValueError(f"{group}={spelled(given)} is no name; bench list {group} has them")
    if not given:
        raise ValueError(
            f"{group}=[] selects no {REGISTRIES[group].kind}; name one or more: bench list {group}"
        )
    specs = {}
    for name in map(str, given):
        spec = spec_of(group, name, given[name], training)
        if "levels" in spec.settings:
            check_selection(f"{group}.{name}.levels", list(spec.settings["levels"]))
        specs[name] = spec
    return specs


def ablation_of(given: Any, every: list[str]) -> Ablation:
    """Variants that are made of settings which a training reads."""
    variants = given.get("variants") if isinstance(given, DictConfig) else None
    if not isinstance(variants, DictConfig) or not variants:
        raise ValueError("the ablation has no variants; choose one: bench ablate masks")
    plain: Any = OmegaConf.to_container(given, resolve=True)
    for key in plain:
        if key not in {f.name for f in fields(Ablation)}:
            raise unknown_setting(key, [f.name for f in fields(Ablation)], "ablation")
    return Ablation(**{**plain, "variants": dict(_variants(plain["variants"], every))})


def _variants(given: dict[str, Any], every: list[str]) -> Iterator[tuple[str, Variant]]:
    known = (*every, "model")
    for name, variant in given.items():
        where = f"ablation.variants.{name}"
        if not isinstance(variant, dict) or not isinstance(variant.get("model"), dict):
            raise ValueError(
                f"{where} should have a model, as in {where}={{model: {{of: masked}}}}"
            )
        of = class_of("model", name, variant["model"]).name
        for key in variant:
            if key not in known:
                raise unknown_setting(key, known, where)
        own = {key: value for key, value in variant.items() if key not in ("model", "data")}
        data = tuple(variant["data"]) if "data" in variant else None
        yield name, Variant(of, variant["model"], data, own)
