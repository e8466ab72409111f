"""Networks run by OpenVINO on the CPU: compiled for each shape, and kept on disk for the next run.

https://docs.openvino.ai. Everything is computed in fp32: by itself OpenVINO takes bf16 where the
processor has units for it.
"""

import copy
import json
import logging
import os
import shutil
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch
from platformdirs import user_cache_path
from torch import Tensor

from benchmark.denoiser.contract import RestorationError
from benchmark.denoiser.runtime.export import Draw, Exported, NotExportable, exported
from benchmark.denoiser.runtime.identity import digest_of_network, plain_settings
from benchmark.denoiser.runtime.signal_stack import signal_stack_kept
from benchmark.files.owner import new_token
from benchmark.files.whole import file_hash

if TYPE_CHECKING:
    from openvino import CompiledModel, Model

    from benchmark.denoiser.model import Denoiser

AGREE = 1e-5  # largest difference from torch of a network's output that is rounding
KEPT = 8  # graphs of a network in memory, one a shape
ON_DISK = 4e9  # bytes of all graphs on disk; those which were made first make room

MISSING = "runtime=openvino needs the package openvino; pip install 'noisebench[openvino]'"

FILES = ("graph.xml", "graph.bin")

State = tuple[object, ...]


def is_installed() -> bool:
    """Whether the package is here."""
    return find_spec("openvino") is not None


def folder() -> Path:
    """Where graphs are kept on disk; it need not be there."""
    return user_cache_path("noisebench") / "openvino"


def in_openvino(model: "Denoiser") -> "Denoiser":
    """A model in evaluation whose ``forward`` is compiled; all else is the model's, weights too.

    The same object for the same model, until its weights or plain settings are changed.

    Raises
    ------
    ValueError
        If OpenVINO is not installed.
    """
    if not is_installed():
        raise ValueError(MISSING)
    model.eval()
    state = _state(model)
    if model not in _COMPILED or _COMPILED[model][0] != state:
        compiled = copy.copy(model)
        vars(compiled)["forward"] = Graphs(copy.copy(model))
        _COMPILED[model] = state, compiled
    return _COMPILED[model][1]


def seconds_compiling(model: "Denoiser") -> float:
    """How long all graphs of a model took so far which `in_openvino` gave; 0.0 of any other."""
    forward = model.forward
    return forward.seconds if isinstance(forward, Graphs) else 0.0


_COMPILED: "WeakKeyDictionary[Denoiser, tuple[State, Denoiser]]" = WeakKeyDictionary()


class Graphs:
    """The forward pass of a network, compiled for each shape of image."""

    def __init__(self, network: "Denoiser"):
        self.network = network
        self.digest = digest_of_network(network)
        self.seconds = 0.0  # of which nothing restored an image
        self._graphs: OrderedDict[tuple[object, ...], Graph] = OrderedDict()

    def __call__(self, noisy: Tensor) -> Tensor:
        """(B, C, H, W) float32 on the CPU to what ``forward`` makes of it in torch, to rounding.

        Raises
        ------
        RestorationError
            If the device is no CPU, or the network has no graph of this shape, or one whose output
            is another.
        """
        name = getattr(self.network, "name", type(self.network).__name__)
        if noisy.device.type != "cpu":
            raise RestorationError(
                f"'{name}' is on {noisy.device}, and OpenVINO runs on the CPU; take device=cpu or "
                f"runtime=torch"
            )
        key = (tuple(noisy.shape), torch.get_num_threads())
        if key not in self._graphs:
            begin = time.perf_counter()
            try:
                self._graphs[key] = graph_of(self.network, self.digest, *key)
            except NotExportable as error:
                size = "x".join(map(str, noisy.shape))
                raise RestorationError(
                    f"'{name}' cannot be run by OpenVINO on {size}: {error}; take runtime=torch"
                ) from error
            self.seconds += time.perf_counter() - begin
        self._graphs.move_to_end(key)
        while len(self._graphs) > KEPT:
            self._graphs.popitem(last=False)
        return self._graphs[key](noisy)


@dataclass(frozen=True)
class Graph:
    """A network which is compiled for one shape, and what it draws beside the image."""

    compiled: "CompiledModel"
    draws: list[Draw]

    def __call__(self, noisy: Tensor) -> Tensor:
        return self.on(noisy, [draw() for draw in self.draws])

    def on(self, noisy: Tensor, values: list[Tensor]) -> Tensor:
        """The output for an image and what was drawn."""
        inputs = [
            part.float().contiguous().numpy() if part.is_floating_point() else part.numpy()
            for part in (noisy, *values)
        ]
        return torch.from_numpy(self.compiled(inputs)[0].copy())


def graph_of(network: "Denoiser", digest: str, shape: tuple[int, ...], threads: int) -> Graph:
    """The graph on disk, or a new one, which is kept there.

    Raises
    ------
    NotExportable
        If there is none, or its output is not that of torch.
    """
    place = folder() / f"{digest}-{'x'.join(map(str, shape))}"
    if (draws := _read(place)) is not None:
        with suppress(NotExportable):  # another process has just made room
            return Graph(compile_graph(place / FILES[0], threads), draws)
    done = exported(network, shape)
    converted = convert(done)
    graph = Graph(compile_graph(converted, threads), done.draws)
    apart = (graph.on(done.image, done.values) - done.output).abs().max().item()
    if not apart <= AGREE * max(1.0, done.output.abs().max().item()):
        raise NotExportable(f"its output differs from torch's by up to {apart:.2g}")
    _keep(place, converted, done.draws)
    return graph


def convert(done: Exported) -> "Model":
    """What OpenVINO makes of an exported network.

    By its front end alone: ``openvino.convert_model`` takes twice as long for a graph which is as
    fast, and reports each conversion to its makers (``openvino_telemetry``), unasked.
    """
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.fx_decoder import TorchFXPythonDecoder

    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)  # of operations which this version of torch has not
    try:
        frontend = FrontEndManager().load_by_framework("pytorch")
        decoder = TorchFXPythonDecoder.from_exported_program(done.program)
        return frontend.convert(frontend.load(decoder))
    except Exception as error:  # its converter raises anything at operations that it has not
        raise NotExportable(f"OpenVINO cannot convert it: {_last(error)}") from None
    finally:
        logging.disable(disabled)


def compile_graph(graph: "Model | Path", threads: int) -> "CompiledModel":
    """A graph, or the file of one, made ready for this machine: one image at a time, in fp32."""
    import openvino

    settings: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "ENABLE_CPU_PINNING": False,  # several workers would be pinned to the same cores
    }
    try:
        with signal_stack_kept():  # it sets another, and frees that with the graph
            return openvino.Core().compile_model(graph, "CPU", settings)
    except Exception as error:
        raise NotExportable(f"OpenVINO cannot compile it: {_last(error)}") from None


def _state(model: "Denoiser") -> State:
    """What changes where a weight is written again or replaced, or a setting is."""
    tensors = (*model.parameters(), *model.buffers())
    versions = tuple((id(t), t.data_ptr(), 0 if t.is_inference() else t._version) for t in tensors)
    sums = tuple(t.detach().sum().item() for t in tensors)  # `.data` is written uncounted
    return *versions, *sums, tuple(plain_settings(model))


def _read(place: Path) -> list[Draw] | None:
    """The draws of a graph on disk, if it is there and whole."""
    try:
        said = json.loads((place / "draws.json").read_text())
        draws = [Draw.from_json(draw) for draw in said["draws"]]
        whole = said["sha256"] == [file_hash(place / name) for name in FILES]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return draws if whole else None


def _keep(place: Path, graph: "Model", draws: list[Draw]) -> None:
    """Put a graph on disk, whole or not at all; where that fails, it is made again next time."""
    import openvino

    aside = place.with_name(f".{place.name}.{new_token()}.tmp")
    try:
        aside.mkdir(parents=True)
        openvino.save_model(graph, aside / "graph.xml", compress_to_fp16=False)
        hashes = [file_hash(aside / name) for name in FILES]
        said = {"draws": [draw.as_json() for draw in draws], "sha256": hashes}
        (aside / "draws.json").write_text(json.dumps(said))
        if _read(place) is None:  # damaged
            shutil.rmtree(place, ignore_errors=True)
        os.rename(aside, place)  # fails where another process was faster
        _make_room(place)
    except (OSError, RuntimeError):
        shutil.rmtree(aside, ignore_errors=True)


def _make_room(newest: Path) -> None:
    """Remove the graphs which were made first, until the rest takes at most `ON_DISK`."""
    places = sorted(newest.parent.iterdir(), key=lambda place: place.stat().st_mtime)
    sizes = {p: sum(file.stat().st_size for file in p.iterdir()) for p in places if p.is_dir()}
    total = sum(sizes.values())
    for place, size in sizes.items():
        if total <= ON_DISK or place == newest:
            return
        shutil.rmtree(place, ignore_errors=True)
        total -= size


def _last(error: Exception) -> str:
    """The last line of what OpenVINO says, which has the reason."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:160] if lines else type(error).__name__
