"""Doors to other people's networks: a file or a name in, a denoiser out.

Each opens with an optional package. None is told the noise or its level: a network which demands a
level gets the same one for every image.
"""

import inspect
import os
import textwrap
import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from baselines.failures import cause, cure
from benchmark.denoiser import DENOISERS, Denoiser
from benchmark.denoiser.contract import RestorationError, require_shape, require_tensor
from benchmark.denoiser.memory import is_out_of_memory
from benchmark.denoiser.weights.averages import NoFit, check_numbers, fit
from benchmark.denoiser.weights.checkpoint import read_checkpoint, weights_file
from benchmark.files.places import named_file
from benchmark.registry import did_you_mean

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from spandrel import ModelDescriptor

Arguments = dict[str, int | float | str | bool]

DEFAULTS: Arguments = {}  # a config takes no other kind of mapping
# what the networks of `deepinv.models` call their number of channels and the level of the noise
DEEPINV_CHANNELS = ("in_channels", "in_chans", "in_nc", "img_channels", "channels")
DEEPINV_LEVELS = ("sigma", "ths", "t")
DEEPINV_WEIGHTS = "https://huggingface.co/deepinv"  # where those it downloads are


class Adapter(Denoiser):
    """A network of somebody else, given what it was made for.

    ``channels`` is what it takes: 3, or 1, when it restores each colour by itself; or 4 or 2, when
    the last is a map of the noise's level as in FFDNet [1]_, which is ``sigma / 255`` everywhere.
    Subclasses write ``call`` and set ``holder``. What the network raises is answered by a sentence.

    Parameters
    ----------
    sigma
        The level told to a network which demands one: a standard deviation in 8-bit steps.
    multiple
        Sides are filled up to a multiple of this by reflection.

    Raises
    ------
    ValueError
        If a package is not installed, or a setting is out of range.

    References
    ----------
    .. [1] Zhang et al., "FFDNet: Toward a Fast and Flexible Solution for CNN-Based Image
       Denoising", TIP 2018.
    """

    extra: ClassVar[str]  # of noisebench, which installs the package
    holder: str  # of the network, for messages: its file, or what a package calls it

    def __init__(self, *, channels: int = 3, sigma: float = 15.0, multiple: int = 1):
        super().__init__()
        if self.package and find_spec(self.package) is None:
            raise ValueError(
                f"{self.package} is not installed; pip install 'noisebench[{self.extra}]'"
            )
        if channels not in (1, 2, 3, 4):
            raise ValueError(f"{self.name} needs channels from 1 to 4, got {channels}")
        if not 0 <= sigma <= 255:
            raise ValueError(f"{self.name} needs a sigma from 0 to 255, got {sigma}")
        if multiple < 1:
            raise ValueError(f"{self.name} needs a multiple of 1 or more, got {multiple}")
        self.channels, self.sigma, self.multiple = channels, sigma, multiple

    def forward(self, noisy: Tensor) -> Tensor:
        images = noisy if self.channels >= 3 else noisy.flatten(0, 1).unsqueeze(1)
        told = images
        if self.channels in (2, 4):
            told = torch.cat([images, torch.full_like(images[:, :1], self.sigma / 255)], dim=1)
        try:
            restored = self.call(told)
        except RestorationError:
            raise
        except Exception as error:  # a stranger's network raises what it likes
            if is_out_of_memory(error):
                raise
            settings = inspect.signature(type(self)).parameters
            raise RestorationError(
                f"{self.holder} fails on {tuple(told.shape)}: {cause(error)}; "
                f"{cure(error, settings, prefix=f'model.{self.name}')}"
            ) from error
        try:
            require_tensor(restored)
            require_shape(restored, images)
        except RestorationError as error:
            raise RestorationError(f"{self.holder} {error}") from None
        return restored.reshape(noisy.shape)

    def call(self, images: Tensor) -> Tensor:
        """What the network makes of (B, channels, H, W) in [0, 1]; H and W are multiples."""
        raise NotImplementedError


@DENOISERS.register("spandrel")
class Spandrel(Adapter):
    """Any published network which spandrel recognises by its state dict [1]_.

    A grey network restores each colour by itself. DRUNet and FDnCNN are the networks there which
    demand a level. The file is read as our own checkpoints are: nothing in it is executed.

    Parameters
    ----------
    weights
        The published file: safetensors, or what ``torch.save`` wrote.
    sigma
        See `Adapter`.

    Raises
    ------
    ValueError
        If the file is missing or unreadable, or holds no network, or one which does not restore
        images of one or three channels in their own size.

    References
    ----------
    .. [1] https://github.com/chaiNNer-org/spandrel
    """

    package = "spandrel"
    extra = "spandrel"
    files = ("weights",)
    needs = "a file: model.spandrel.weights=FILE"

    def __init__(self, *, weights: str | None = None, sigma: float = 15.0):
        super().__init__(sigma=sigma)
        path = _given(self, weights)
        found = _recognised(path)
        from spandrel import ImageModelDescriptor

        what = f"{path} holds {found.architecture.name}"
        if not isinstance(found, ImageModelDescriptor) or found.scale != 1:
            raise ValueError(f"{what}, which makes another image than a restored one of its size")
        if found.input_channels != found.output_channels or found.input_channels not in (1, 3):
            raise ValueError(
                f"{what} from {found.input_channels} to {found.output_channels} channels; "
                f"a denoiser has 1 and 1 or 3 and 3"
            )
        self.network, self.described, self.holder = found.model, found, str(path)
        self.channels, self.multiple = found.input_channels, found.size_requirements.multiple_of
        if found.architecture.id == "DRUNet" or "FDnCNN" in found.tags:
            # spandrel would always tell them 15
            self.channels, self.described = found.input_channels + 1, found.model

    def call(self, images: Tensor) -> Tensor:
        # one by one, as the interface of spandrel has it
        return torch.cat([self.described(image) for image in images.split(1)])


@DENOISERS.register("deepinv")
class DeepInverse(Adapter):
    """Any denoiser of DeepInverse [1]_, by the name of its class in ``deepinv.models``.

    Where it takes a level, or a threshold, it gets ``sigma / 255``. Grey networks, such as FFDNet
    by default, restore each colour by themselves. Nothing is downloaded.

    Parameters
    ----------
    denoiser
        The class: ``"DRUNet"``, ``"TVDenoiser"`` ...
    arguments
        Of the class's constructor, where not its defaults:
        ``+model.deepinv.arguments.kernel_size=3``.
    weights
        A file with the state dict of the network; classical methods have none.
    sigma, multiple
        See `Adapter`.

    Raises
    ------
    ValueError
        If deepinv has no denoiser of that name, if it does not take the arguments, or if weights
        are missing, unreadable or of another network.

    References
    ----------
    .. [1] Tachella et al., "DeepInverse: A Python package for solving imaging inverse problems
       with deep learning", JOSS 2025; https://github.com/deepinv/deepinv
    """

    cites = ("tachella2025deepinverse",)
    package = "deepinv"
    extra = "deepinv"
    files = ("weights",)
    needs = "a name: model.deepinv.denoiser=DRUNet"

    def __init__(
        self,
        *,
        denoiser: str | None = None,
        arguments: Arguments = DEFAULTS,
        weights: str | None = None,
        sigma: float = 15.0,
        multiple: int = 1,
    ):
        super().__init__(sigma=sigma, multiple=multiple)
        if denoiser is None:
            raise ValueError(f"{self.name} needs {self.needs}")
        known = _deepinv_denoisers()
        if denoiser not in known:
            hint = did_you_mean(denoiser, known)
            raise ValueError(
                f"deepinv has no denoiser '{denoiser}'{hint} Known: {', '.join(known)}"
            )
        cls = known[denoiser]
        defaults = {
            key: parameter.default for key, parameter in inspect.signature(cls).parameters.items()
        }
        untrained = {"pretrained": None} if "pretrained" in defaults else {}
        try:
            self.network: Any = cls(**arguments, **untrained)
        except (ImportError, TypeError) as error:
            raise ValueError(f"deepinv's {denoiser}: {_short(error)}") from None
        if weights is not None:
            _load(self.network, weights_file(weights))
        elif self.network.state_dict():
            raise ValueError(
                f"deepinv's {denoiser} needs a file: model.deepinv.weights=FILE; "
                f"published ones are at {DEEPINV_WEIGHTS}"
            )
        self.holder = f"deepinv's {denoiser}"
        given = {**defaults, **arguments}
        self.channels = 1 if any(given.get(key) == 1 for key in DEEPINV_CHANNELS) else 3
        takes = inspect.signature(cls.forward).parameters
        self.level = {key: sigma / 255 for key in DEEPINV_LEVELS if key in takes}

    def call(self, images: Tensor) -> Tensor:
        if hasattr(self.network, "restart"):  # else it would start from the image before
            self.network.restart = True
        return self.network(images, **self.level)


@DENOISERS.register("onnx")
class ONNX(Adapter):
    """A network as an ONNX file, run by onnxruntime [1]_.

    It has one input and one output, float32, (B, C, H, W), in [0, 1]. The number of channels is
    the file's; see `Adapter`. Weights must be inside the file, so that its hash tells them.

    Parameters
    ----------
    file
        The ONNX file.
    sigma, multiple
        See `Adapter`.

    Raises
    ------
    ValueError
        If the file is missing or unreadable or has other inputs or outputs; in use, if the network
        takes another size of image, or onnxruntime has no CUDA where it is asked for.

    References
    ----------
    .. [1] https://onnxruntime.ai
    """

    package = "onnxruntime"
    extra = "onnx"
    files = ("file",)
    needs = "a file: model.onnx.file=FILE"

    def __init__(self, *, file: str | None = None, sigma: float = 15.0, multiple: int = 1):
        super().__init__(sigma=sigma, multiple=multiple)
        self.path = _given(self, file)
        self.holder = str(self.path)
        self.sessions = {"cpu": self._session("CPUExecutionProvider")}
        ends = [*self.sessions["cpu"].get_inputs(), *self.sessions["cpu"].get_outputs()]
        said = ", ".join(f"{end.name} {end.type} {end.shape}" for end in ends)
        if len(ends) != 2 or {(end.type, len(end.shape)) for end in ends} != {("tensor(float)", 4)}:
            raise ValueError(
                f"{self.path} has {said}; export a network with one input and one output, "
                f"tensor(float) [B, C, H, W]"
            )
        channels, *self.sides = ends[0].shape[1:]
        if channels not in (1, 2, 3, 4):
            raise ValueError(f"{self.path} has {said}; export it with 1 to 4 channels, as a number")
        self.input, self.channels = ends[0].name, channels

    def call(self, images: Tensor) -> Tensor:
        for has, takes in zip(images.shape[2:], self.sides, strict=True):
            if isinstance(takes, int) and takes != has:
                raise RestorationError(
                    f"{self.path} takes images of {self.sides[0]}x{self.sides[1]} alone, got "
                    f"{images.shape[2]}x{images.shape[3]}; export it with dynamic height and width"
                )
        device = images.device.type
        if device not in self.sessions:
            provider = {"mps": "CoreML"}.get(device, device.upper())
            self.sessions[device] = self._session(f"{provider}ExecutionProvider")
        # one by one: many files are exported for a batch of one
        outputs = [
            self.sessions[device].run(None, {self.input: image.cpu().numpy()})[0]
            for image in images.split(1)
        ]
        return torch.cat([torch.from_numpy(output) for output in outputs]).to(images)

    def _session(self, provider: str) -> "InferenceSession":
        import onnxruntime

        if provider not in onnxruntime.get_available_providers():
            raise RestorationError(
                f"onnxruntime has no {provider} here; pip install onnxruntime-gpu, or device=cpu"
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # errors alone, and those are raised
        # weights beside the file would escape its hash: they are looked for where there are none
        options.add_session_config_entry(
            "session.model_external_initializers_file_folder_path", os.devnull
        )
        try:
            content = self.path.read_bytes()
            return onnxruntime.InferenceSession(content, options, providers=[provider])
        except Exception as error:  # the exceptions of onnxruntime have no other base
            raise ValueError(
                f"{self.path} is no ONNX file with its weights inside: {_short(error)}"
            ) from None


@DENOISERS.register("torchscript")
class TorchScript(Adapter):
    """A network as a TorchScript archive, from (B, C, H, W) in [0, 1] to the same.

    Such a file is a program, which this runs: give it only files that you trust. It cannot reach
    Python, but what its operators do is up to its author.

    Parameters
    ----------
    file
        What ``torch.jit.save`` wrote.
    channels
        What the network takes; see `Adapter`.
    sigma, multiple
        See `Adapter`.

    Raises
    ------
    ValueError
        If the file is missing or no TorchScript archive.
    """

    files = ("file",)
    needs = "a file: model.torchscript.file=FILE"

    def __init__(
        self,
        *,
        file: str | None = None,
        channels: int = 3,
        sigma: float = 15.0,
        multiple: int = 1,
    ):
        super().__init__(channels=channels, sigma=sigma, multiple=multiple)
        path = _given(self, file)
        self.holder = str(path)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # no longer developed, but loaded
                self.network = torch.jit.load(path, map_location="cpu")
        except RuntimeError as error:
            raise ValueError(f"{path} is no TorchScript archive: {_short(error)}") from None

    def exported(self) -> nn.Module:
        raise ValueError("its file is a program of TorchScript already")

    def call(self, images: Tensor) -> Tensor:
        return self.network(images)


def _given(adapter: Adapter, file: str | None) -> Path:
    """The file that a user named."""
    if file is None:
        raise ValueError(f"{adapter.name} needs {adapter.needs}")
    path = named_file(file) if "file" in adapter.files else weights_file(file)
    if not path.is_file():
        raise ValueError(f"there is no file {path}; {adapter.name} needs {adapter.needs}")
    return path


def _recognised(path: Path) -> "ModelDescriptor":
    """What spandrel makes of a file, whatever is wrapped around its network."""
    from spandrel import ModelLoader, UnsupportedModelError

    def build(tensors: dict[str, Tensor]) -> "ModelDescriptor":
        try:
            found = ModelLoader().load_from_state_dict(dict(tensors))
        except UnsupportedModelError:
            raise NoFit(f"spandrel recognises no network in {path}") from None
        except Exception as error:  # its readers of shapes raise anything at those they misjudge
            raise NoFit(f"spandrel cannot load {path}: {_short(error)}", shared=1) from None
        check_numbers(path, tensors, found.model.state_dict())
        return found

    return fit(path, read_checkpoint(path)[1], build)


def _load(network: nn.Module, path: Path) -> None:
    def build(tensors: dict[str, Tensor]) -> None:
        ours = network.state_dict()
        try:
            network.load_state_dict(tensors)
        except RuntimeError as error:
            shared = sum(key in ours and ours[key].shape == v.shape for key, v in tensors.items())
            raise NoFit(f"{path} does not fit: {_short(error)}", shared) from None
        check_numbers(path, tensors, ours)

    fit(path, read_checkpoint(path)[1], build)


def _deepinv_denoisers() -> Mapping[str, type[nn.Module]]:
    """The denoisers of deepinv by name; those which wrap another need more than a name."""
    from deepinv import models

    return {
        name: cls
        for name, cls in sorted(vars(models).items())
        if inspect.isclass(cls)
        and issubclass(cls, models.Denoiser)
        and cls is not models.Denoiser
        and all(
            parameter.default is not parameter.empty
            or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
            for parameter in inspect.signature(cls).parameters.values()
        )
    }


def _short(error: Exception) -> str:
    """What a library says of a failure, on one line which can be read."""
    return textwrap.shorten(str(error), 200, placeholder=" ...")
