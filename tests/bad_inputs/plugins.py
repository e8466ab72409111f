"""Plugins of strangers: what they do at import, what they declare, what they return."""

from collections.abc import Callable
from pathlib import Path

from bad_inputs.entry import BROKEN, INTERRUPTED, MISTAKE, WORKS, BadInput, typed

HEAD = """
import enum, os, sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Literal
import numpy as np
import torch
from benchmark.datasets import DATASETS, Dataset
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.metrics import METRICS, Metric
from benchmark.noise import NOISE_MODELS, NoiseModel
if TYPE_CHECKING:
    from nowhere import Unknown

class Choice(enum.Enum):
    A = 1
"""
NOISE = """
@NOISE_MODELS.register("acme")
@dataclass(frozen=True)
class Acme(NoiseModel):
    "Adds nothing."
    unit = "nothing"
    levels: tuple[float, ...] = (1,)
    {field}

    def sample(self, clean, level, rng):
        {body}
"""
MODEL = """
@DENOISERS.register("acme")
class Acme(Denoiser):
    "Does something."
    def __init__(self{keyword}):
        super().__init__()
        {start}

    def forward(self, noisy):
        {body}
"""
METRIC = """
@METRICS.register("acme")
@dataclass(frozen=True)
class Acme(Metric):
    "Says something."
    higher_is_better = True
    def __call__(self, restored, clean):
        {body}
"""
GOOD = NOISE.format(field="", body="return clean")


def plugin(source: str, module: str = "acme_plugin") -> Callable[[Path], None]:
    """Install a plugin: a module and the entry point which names it, in the folder ``plugins``."""

    def prepare(folder: Path) -> None:
        facts = folder / "plugins" / "acme-1.0.dist-info"
        facts.mkdir(parents=True)
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text(f"[noisebench.plugins]\nacme = {module}\n")
        (folder / "plugins" / "acme_plugin.py").write_text(source)

    return prepare


AT_IMPORT = {  # left out with a warning
    "syntax error": "def",
    "no such module": "import nosuch_module_at_all",
    "exception": "raise RuntimeError('broken')",
    "assertion": "assert False",
    "parses arguments": "import argparse\nargparse.ArgumentParser().parse_args()",
    "exits": "import sys\nsys.exit(3)",
    "exits with a word": "raise SystemExit('no')",
    "key error": "{}['x']",
    "recursion": "def f(): f()\nf()",
    "no class": f"{HEAD}\nNOISE_MODELS.register('acme')(5)",
    "a function": f"{HEAD}\n@NOISE_MODELS.register('acme')\ndef f(): pass",
    "of another kind": f"{HEAD}\n@NOISE_MODELS.register('acme')\nclass A(Denoiser): pass",
}
ANNOTATIONS = (  # which no config can hold; left out, naming class and keyword
    *("int | str", "'Unknown'", "Callable[[int], int]", "np.ndarray", "torch.Tensor", "object"),
    *("Literal[1, 'a']", "Literal[1, 2]", "tuple[int, str]", "set[int]", "type", "complex"),
    *("'nosuch'", "Denoiser", "list[int | str]", "dict[str, Literal['a']]"),
)
SUPPORTED = ("Literal['a', 'b']", "Literal['a'] | None", "int | None", "float", "str", "bool")


def _loading() -> list[BadInput]:
    found = []
    for name, source in AT_IMPORT.items():
        entry = BadInput(
            f"4.3 import: {name}",
            typed("list", "kind=metric"),
            WORKS,
            "acme",
            plugin(source),
            warns=True,
        )
        found.append(entry)
    for module in ("nosuch_module", "acme_plugin:nosuch", "acme_plugin.x"):
        prepare = plugin(GOOD, module)
        words = typed("list", "kind=metric")
        found.append(BadInput(f"4.3 point: {module}", words, WORKS, "acme", prepare, warns=True))
    signatures = {f"keyword: {a}": f", *, side: {a} = None" for a in ANNOTATIONS}
    signatures |= {"no annotation": ", *, side=1", "no default": ", *, side: int"}
    for name, keyword in signatures.items():
        model = MODEL.format(keyword=keyword, start="", body="return noisy")
        prepare = plugin(HEAD + model)
        words = typed("check-model")
        found.append(BadInput(f"4.3 {name}", words, WORKS, "side", prepare, warns=True))
    for annotation in SUPPORTED:
        default = {"int | None": "1", "float": "1.0", "bool": "True"}.get(annotation, "'a'")
        model = MODEL.format(
            keyword=f", *, side: {annotation} = {default}", start="", body="return noisy"
        )
        prepare = plugin(HEAD + model)
        words = typed("check-model", "model=acme", f"model.acme.side={default.strip(chr(39))}")
        found.append(BadInput(f"4.3 keyword: {annotation}", words, WORKS, prepare=prepare))
    choices = MODEL.format(
        keyword=", *, side: Literal['a', 'b'] = 'a'", start="", body="return noisy"
    )
    wrong = typed("check-model", "model=acme", "model.acme.side=c")
    entry = BadInput("4.3 Literal not among its choices", wrong, says="a, b")
    found.append(BadInput(**{**vars(entry), "says": "side", "prepare": plugin(HEAD + choices)}))
    for name in ("../x", "clean", "a/b", "", "x" * 300, "gaussian"):
        source = (HEAD + GOOD).replace('"acme"', repr(name))
        words = typed("run")
        entry = BadInput(f"2.4 plugin named {name[:20]}", words, (WORKS, MISTAKE), "acme")
        found.append(BadInput(**{**vars(entry), "prepare": plugin(source), "warns": True}))
    return found


OUTPUTS = {  # what a network returns instead of a picture
    "NaN": "return noisy * float('nan')",
    "one NaN": "noisy = noisy.clone(); noisy[0, 0, 0, 0] = float('nan'); return noisy",
    "infinity": "return noisy / 0",
    "larger": "return torch.nn.functional.interpolate(noisy, scale_factor=2)",
    "a row more": "return torch.nn.functional.pad(noisy, (0, 0, 0, 1))",
    "smaller": "return noisy[..., :-2, :-2]",
    "a list": "return [noisy]",
    "a tuple": "return noisy, noisy",
    "a dict": "return {'out': noisy}",
    "numpy": "return noisy.numpy()",
    "three axes": "return noisy[0]",
    "two pictures": "return torch.cat([noisy, noisy])",
    "one channel": "return noisy[:, :1]",
    "channels last": "return noisy.permute(0, 2, 3, 1)",
    "integers": "return (noisy * 255).to(torch.uint8)",
    "truth": "return noisy > 0.5",
    "complex": "return noisy.to(torch.complex64)",
    "None": "return None",
    "a word": "return 'x'",
    "[0, 255]": "return noisy * 255",
    "[-1, 1]": "return noisy * 6 - 3",
    "RuntimeError": "raise RuntimeError('mat1 and mat2 shapes cannot be multiplied')",
    "KeyError": "raise KeyError('sigma')",
    "TypeError": "return self.nosuch(noisy, sigma=1)",
    "AssertionError": "assert noisy.shape[-1] % 64 == 0",
    "empty assertion": "raise AssertionError",
    "NotImplementedError": "raise NotImplementedError",
    "StopIteration": "raise StopIteration",
}


def _scoring() -> list[BadInput]:
    """Breaches of a contract end a run in a sentence with the names; ``check-model`` says 1."""
    found = []
    for name, body in OUTPUTS.items():
        prepare = plugin(HEAD + MODEL.format(keyword="", start="", body=body))
        run = typed("run", "model=acme", "reference=[]")
        check = typed("check-model", "model=acme")
        entry = BadInput(f"1.3 run {name}", run, MISTAKE, "acme", prepare, writes=("o",))
        found += [entry, BadInput(f"1.3 check {name}", check, BROKEN, "acme", prepare)]
    for name, start in {
        "constructor": "raise RuntimeError('x')",
        "no super": "del self._modules",
    }.items():
        prepare = plugin(HEAD + MODEL.format(keyword="", start=start, body="return noisy"))
        found.append(
            BadInput(f"1.3 {name}", typed("check-model", "model=acme"), (1, 2), "acme", prepare)
        )
    stopped = MODEL.format(keyword="", start="", body="raise KeyboardInterrupt")
    for command in ("run", "check-model"):
        words = typed(command, "model=acme")
        prepare = plugin(HEAD + stopped)
        entry = BadInput(f"4.5 {command} interrupted", words, INTERRUPTED, prepare=prepare)
        found.append(BadInput(**{**vars(entry), "writes": ("o",)}))
    noises = {
        "NaN": "return clean * np.nan",
        "another shape": "return clean[:-1]",
        "None": "return None",
        "a list": "return [1]",
        "words": "return clean.astype(str)",
        "exception": "raise RuntimeError('broken')",
        "changes the clean image": "clean += 1; return clean",
    }
    for name, body in noises.items():
        prepare = plugin(HEAD + NOISE.format(field="", body=body))
        words = typed("run", "noise=acme")
        found.append(BadInput(f"1.3 noise {name}", words, MISTAKE, "acme", prepare, writes=("o",)))
    metrics = {
        "NaN": "return float('nan')",
        "None": "return None",
        "a word": "return 'x'",
        "a tensor of many": "return clean",
        "exception": "raise RuntimeError('broken')",
    }
    for name, body in metrics.items():
        prepare = plugin(HEAD + METRIC.format(body=body))
        words = typed("run", "metric=acme")
        found.append(BadInput(f"1.3 metric {name}", words, MISTAKE, "acme", prepare, writes=("o",)))
    return found


def _identity() -> list[BadInput]:
    """A setting called ``path`` counts like any other, and one that names a file is read."""
    plain = HEAD + NOISE.format(field='path: str = ""', body="return clean")
    read = HEAD + NOISE.format(field='path: str = ""\n    files = ("path",)', body="return clean")

    def with_file(folder: Path) -> None:
        plugin(read)(folder)
        (folder / "a.npz").write_bytes(b"x")

    run = typed("run", "noise=acme")
    return [
        BadInput(
            "1.1 noise with a path", (*run, "noise.acme.path=a"), WORKS, prepare=plugin(plain)
        ),
        BadInput(
            "1.1 noise with a file", (*run, "noise.acme.path=a.npz"), WORKS, prepare=with_file
        ),
        BadInput("1.1 noise without a file", run, WORKS, prepare=plugin(read)),
        BadInput(
            "1.1 noise of a file that is absent",
            (*run, "noise.acme.path=b.npz"),
            says="b.npz",
            prepare=plugin(read),
        ),
    ]


ENTRIES = [*_loading(), *_scoring(), *_identity()]
