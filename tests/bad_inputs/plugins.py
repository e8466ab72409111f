"""Plugins of strangers: what they do at import, what they declare, what they return."""

from collections.abc import Callable
from pathlib import Path

from bad_inputs.entry import BROKEN, INTERRUPTED, MISTAKE, WORKS, BadInput, typed

HEAD = """
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, Literal
import numpy as np
import torch
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.metrics import METRICS, Metric
from benchmark.noise import NOISE_MODELS, NoiseModel
if TYPE_CHECKING:
    from nowhere import Unknown
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
SUPPORTED = {
    "Literal['a', 'b']": "a",
    "Literal['a', 'b'] | None": "b",
    "int | None": 1,
    "float": 1.5,
    "str": "a",
    "bool": True,
}


def _model(body: str = "return noisy", keyword: str = "", start: str = "") -> str:
    return HEAD + MODEL.format(keyword=keyword, start=start, body=body)


def _noise(body: str = "return clean", field: str = "") -> str:
    return HEAD + NOISE.format(field=field, body=body)


def _loading() -> list[BadInput]:
    """Plugins which are left out with a warning, and the rest works."""
    listed, checked = typed("list"), typed("check-model")
    sources = {name: ("acme_plugin", source) for name, source in AT_IMPORT.items()}
    for module in ("nosuch_module", "acme_plugin:nosuch", "acme_plugin.x"):
        sources[module] = (module, _noise())
    found = []
    for name, (module, source) in sources.items():
        prepare = plugin(source, module)
        found.append(BadInput(f"4.3 {name}", listed, WORKS, "acme", prepare, warns=True))
    signatures = {f"keyword: {a}": f", *, side: {a} = None" for a in ANNOTATIONS}
    signatures |= {"no annotation": ", *, side=1", "no default": ", *, side: int"}
    for name, keyword in signatures.items():
        prepare = plugin(_model(keyword=keyword))
        found.append(BadInput(f"4.3 {name}", checked, WORKS, "side", prepare, warns=True))
    for annotation, default in SUPPORTED.items():
        prepare = plugin(_model(keyword=f", *, side: {annotation} = {default!r}"))
        words = typed("check-model", "model=acme", f"model.acme.side={default}")
        found.append(BadInput(f"4.3 keyword: {annotation}", words, WORKS, prepare=prepare))
    choices = plugin(_model(keyword=", *, side: Literal['a', 'b'] = 'a'"))
    wrong = typed("check-model", "model=acme", "model.acme.side=c")
    found.append(BadInput("4.3 not among the choices", wrong, says="side", prepare=choices))
    for name in ("../x", "a/b", "", "gaussian"):
        prepare = plugin(_noise().replace('"acme"', repr(name)))
        title = f"2.4 plugin named {name[:20]}"
        found.append(BadInput(title, typed("run"), WORKS, "acme", prepare, warns=True))
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
RAISED = {  # by those of them which are defects, where it is scored
    "RuntimeError": "RuntimeError",
    "KeyError": "KeyError",
    "TypeError": "AttributeError",
    "AssertionError": "AssertionError",
    "empty assertion": "AssertionError",
    "NotImplementedError": "NotImplementedError",
    "StopIteration": "RuntimeError",  # as Python makes of it in a generator
}

NOISY = {  # what a noise returns
    "NaN": "return clean * np.nan",
    "infinity": "return clean + np.float32(np.inf)",
    "another shape": "return clean[:-1]",
    "None": "return None",
    "a list": "return [1]",
    "words": "return clean.astype(str)",
    "integers": "return (clean * 255).astype(np.uint8)",
    "exception": "raise RuntimeError('broken')",
    "ValueError": "raise ValueError('acme is broken')",
}
SCORES = {  # what a metric returns
    "NaN": "return float('nan')",
    "None": "return None",
    "a word": "return 'x'",
    "a tensor of many": "return clean",
    "exception": "raise RuntimeError('broken')",
}


def _scoring() -> list[BadInput]:
    """Breaches of a contract end a run in a sentence with the names; ``check-model`` says 1."""
    run = typed("run", "model=acme", "reference=[]")
    check = typed("check-model", "model=acme")
    found = []
    for name, body in OUTPUTS.items():
        prepare = plugin(_model(body))
        found += [
            _breach(f"1.3 run {name}", run, prepare, RAISED.get(name, "")),
            BadInput(f"1.3 check {name}", check, BROKEN, "acme", prepare),
        ]
    broken = plugin(_model(start="raise RuntimeError('x')"))
    found.append(_breach("1.3 constructor", check, broken, "RuntimeError"))
    for words in (run, check):
        prepare, name = plugin(_model("raise KeyboardInterrupt")), f"4.5 {words[0]} interrupted"
        found.append(BadInput(name, words, INTERRUPTED, prepare=prepare, writes=("o",)))
    for kind, returned, make in (
        ("noise", NOISY, _noise),
        ("metric", SCORES, lambda body: HEAD + METRIC.format(body=body)),
    ):
        words = typed("run", f"{kind}=acme")
        for name, body in returned.items():
            raised = "RuntimeError" if name == "exception" else ""
            found.append(_breach(f"1.3 {kind} {name}", words, plugin(make(body)), raised))
    return found


def _breach(
    name: str, words: tuple[str, ...], prepare: Callable[[Path], None], raised: str
) -> BadInput:
    """A plugin which breaks its contract is told so; one which raises is a defect of its own."""
    if raised:
        return BadInput(name, words, BROKEN, prepare=prepare, writes=("o",), raises=raised)
    return BadInput(name, words, MISTAKE, "acme", prepare, writes=("o",))


def _identity() -> list[BadInput]:
    """A setting called ``path`` counts like any other, and one that names a file is read."""
    plain = plugin(_noise(field='path: str = ""'))
    read = plugin(_noise(field='path: str = ""\n    files = ("path",)'))

    def with_file(folder: Path) -> None:
        read(folder)
        (folder / "a.npz").write_bytes(b"x")

    run = typed("run", "noise=acme")
    of = {name: (*run, f"noise.acme.path={name}") for name in ("a", "a.npz", "b.npz")}
    return [
        BadInput("1.1 noise with a path", of["a"], WORKS, prepare=plain),
        BadInput("1.1 noise with a file", of["a.npz"], WORKS, prepare=with_file),
        BadInput("1.1 noise without a file", run, WORKS, prepare=read),
        BadInput("1.1 noise without its file", of["b.npz"], MISTAKE, "b.npz", read),
    ]


ENTRIES = [*_loading(), *_scoring(), *_identity()]
