"""The golden subset of ``bench check``: few images, small ones, one level of each noise."""

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmark.cli.objects.grid import compose_grid
from benchmark.cli.objects.grid_options import GridOptions
from benchmark.objects.spec import Spec, Specs
from benchmark.scoring.compose import with_available_metrics
from benchmark.scoring.grid import Grid
from benchmark.signature import settings_of

if TYPE_CHECKING:
    from benchmark.cli.commands.check import CheckOptions


def compose_golden(options: "CheckOptions") -> Grid:
    """The grid which a check asks for, without the metrics that are not available.

    Raises
    ------
    ValueError
        As `compose_grid` does, or if ``levels`` is unknown.
    """
    if options.levels not in (None, "middle"):
        raise ValueError(
            f"levels={options.levels} is unknown; take levels=middle for one of each noise, null "
            f"for all of them, or set single ones with noise.NAME.levels=[...]"
        )
    size = {"limit": options.limit, "crop": options.crop}
    grid = compose_grid(
        GridOptions(
            model=options.model,
            noise=_with_few_levels(_resized(options.noise, size), options.levels),
            data=_resized(options.data, size),
            metric=options.metric,
            protocol=options.protocol,
            seeds=options.seeds,
            reference=(),
            tile=options.tile,
            precision=options.precision,
            device=options.device,
        )
    )
    return with_available_metrics(grid)


def _resized(specs: Specs, size: dict[str, int | None]) -> Specs:
    """The datasets with the limit and crop of the check where they have none of their own."""
    return {name: _with(spec, size) for name, spec in specs.items()}


def _with_few_levels(specs: Specs, levels: str | None) -> Specs:
    """Noises at the middle one of their levels, the harder of two, where none were chosen."""
    if levels is None:
        return specs
    chosen = {}
    for name, spec in specs.items():
        known = spec.settings.get("levels", ())
        middle = tuple(known)[len(known) // 2 :][:1]
        chosen[name] = _with(spec, {"levels": middle}) if middle else spec
    return chosen


def _with(spec: Spec, settings: dict) -> Spec:
    """A spec with other values of those settings which it has, and which are its class's own."""
    defaults = {key: default for key, (_, default) in settings_of(spec.cls).items()}
    changes = {
        key: value
        for key, value in settings.items()
        if key in defaults and spec.settings.get(key) == defaults[key]
    }
    return replace(spec, settings={**spec.settings, **changes})
