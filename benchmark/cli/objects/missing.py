"""What a run needs and what is not here: said at once, with the command that brings it."""

import os
from collections.abc import Iterator, Mapping

from benchmark.datasets import Dataset
from benchmark.denoiser import Denoiser
from benchmark.denoiser.weights.load import PUBLISHED, weights_path
from benchmark.metrics.metric import prepared
from benchmark.objects.building import build, build_one
from benchmark.objects.spec import Specs
from benchmark.offline.sources import all_sources

Missing = tuple[str, str, str]  # what is missing, why as a sentence, its name in `bench fetch`


def refuse_missing(specs: Mapping[str, Specs], metrics: bool = False) -> None:
    """Refuse a run which needs several things that are not here, with all of them.

    One alone is refused where it is opened.

    Parameters
    ----------
    specs
        By group.
    metrics
        Whether metrics are needed as well, which otherwise are left out where they lack something.

    Raises
    ------
    ValueError
        If more than one dataset, file of weights or metric is missing; or a metric is.
    """
    missing = [*_data(specs["data"]), *_weights(specs["model"])]
    lacking = list(_metrics(specs["metric"])) if metrics else []
    if len(missing) < 2 and not lacking:
        return
    missing += lacking
    brought = [name for _, _, name in missing if name]
    others = [why for _, why, name in missing if not name]
    said = f"missing here: {', '.join(what for what, _, _ in missing)}"
    if brought:
        said += f"; bring with: bench fetch {' '.join(dict.fromkeys(brought))}"
    raise ValueError("; ".join([said, *others]))


def _data(specs: Specs) -> Iterator[Missing]:
    for name, spec in specs.items():
        dataset: Dataset = build_one(spec)
        if any(map(os.path.lexists, dataset.searched())):
            continue  # what is wrong with it is said where it is read
        yield f"dataset '{name}'", dataset.status().problem or "", _fetchable(spec.cls.name)


def _weights(specs: Specs) -> Iterator[Missing]:
    for name, spec in specs.items():
        given = spec.settings.get("weights")
        if not (issubclass(spec.cls, Denoiser) and spec.cls.learned and given):
            continue
        what, published = f"weights of '{name}'", given == PUBLISHED
        try:
            path = weights_path(spec.cls, str(given))
        except ValueError as error:
            yield what, str(error), _fetchable(spec.cls.published) if published else ""
        else:
            if not path.exists():
                yield what, f"there is no file {path}", ""


def _metrics(specs: Specs) -> Iterator[Missing]:
    for name, why in prepared(build(specs))[1].items():
        yield f"metric '{name}'", why, _fetchable(specs[name].cls.name)


def _fetchable(name: str) -> str:
    """The name, if there is a source of it that ``bench fetch`` can bring."""
    source = all_sources().get(name)
    return name if source and source.files else ""
