"""Metrics that a network was trained for: LPIPS and its shift-tolerant form."""

import copy
import warnings
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.files.places import weights_folder
from benchmark.files.whole import file_hash
from benchmark.metrics.metric import METRICS, Metric, MetricUnavailable

if TYPE_CHECKING:
    from torch import Tensor, nn

ALEXNET = "alexnet-owt-7be5be79.pth"
ALEXNET_URL = f"https://download.pytorch.org/models/{ALEXNET}"
ALEXNET_SHA256 = "7be5be79"  # torch.hub puts the first digits of a file's SHA-256 into its name


@METRICS.register("lpips")
@dataclass(frozen=True)
class LPIPS(Metric):
    """Learned perceptual distance [1]_, AlexNet, version 0.1, of the package ``lpips``.

    The package ships the linear heads; the AlexNet under them is torchvision's file
    ``alexnet-owt-7be5be79.pth``, checked by its SHA-256. It is never downloaded here.

    Attributes
    ----------
    channel_order
        "rgb", which the network was trained for, or "bgr", which the test script of masked
        training feeds it and its published numbers stand for.
    backbone
        Path of AlexNet's file. None looks for what ``bench fetch lpips`` brings, and among the
        downloads of ``torch.hub``.

    References
    ----------
    .. [1] Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric",
       CVPR 2018.
    """

    cites = ("zhang2018lpips",)
    higher_is_better = False
    rgb_only = True
    on_device = True
    keeps_features = True
    located = ("backbone",)  # `prepare` takes the one published file alone

    channel_order: str = "rgb"
    backbone: str | None = field(default=None, compare=False)  # where from, not what: it is hashed

    def __post_init__(self) -> None:
        if self.channel_order not in ("rgb", "bgr"):
            raise ValueError(
                f"{self.name} knows channel_order rgb and bgr, got '{self.channel_order}'"
            )

    @property
    def minimum_size(self) -> int:
        return 31  # 30 pixels leave nothing for AlexNet's second pooling

    def prepare(self) -> None:
        """Load the network.

        Raises
        ------
        MetricUnavailable
            If ``backbone`` is None and AlexNet's file is nowhere.
        ValueError
            If ``backbone`` names a file that is missing or is another one.
        """
        _load_lpips(self._alexnet_file())

    def found_files(self) -> list[Path]:
        """The backbone, unless it is named."""
        return [] if self.backbone else [self._alexnet_file()]

    def score(self, restored: "Tensor", clean: "Tensor") -> "float | Tensor":
        return self.compare(restored, self.features(clean))

    def features(self, clean: "Tensor") -> "list[Tensor]":
        """Of each layer, with vectors of length 1."""
        image = clean.flip(1) if self.channel_order == "bgr" else clean
        return _features(self._network(image), image)

    def compare(self, restored: "Tensor", features: "list[Tensor]") -> "float | Tensor":
        return _distance(self._network(restored), self.features(restored), features)

    def _network(self, image: "Tensor") -> "nn.Module":
        return _beside(image, _load_lpips(self._alexnet_file()))

    def _alexnet_file(self) -> Path:
        if self.backbone is not None:
            path = Path(self.backbone).expanduser()
            if not path.is_file():
                raise ValueError(
                    f"there is no file {path}; set metric.{self.name}.backbone=PATH to a copy of "
                    f"{ALEXNET_URL}"
                )
            return path
        import torch

        places = [weights_folder(), Path(torch.hub.get_dir(), "checkpoints")]
        for folder in places:
            if (path := folder / ALEXNET).is_file():
                return path
        raise MetricUnavailable(
            f"{self.name} needs torchvision's AlexNet, which is not in "
            f"{' nor in '.join(map(str, places))}; bring it with bench fetch lpips, or set "
            f"metric.{self.name}.backbone=PATH"
        )


@METRICS.register("st_lpips")
@dataclass(frozen=True)
class STLPIPS(Metric):
    """Shift-tolerant perceptual distance [1]_, AlexNet, of the package ``stlpips-pytorch``.

    The package ships all its weights. Its numbers do not compare with those of `LPIPS`.

    References
    ----------
    .. [1] Ghildyal and Liu, "Shift-tolerant perceptual similarity metric", ECCV 2022.
    """

    cites = ("ghildyal2022stlpips",)
    higher_is_better = False
    rgb_only = True
    on_device = True
    keeps_features = True

    @property
    def minimum_size(self) -> int:
        return 24  # below 21 the network's reflection padding fails

    def prepare(self) -> None:
        """Load the network.

        Raises
        ------
        MetricUnavailable
            If the package, or one that it imports, is not installed.
        """
        load_st_lpips()

    def score(self, restored: "Tensor", clean: "Tensor") -> "float | Tensor":
        return self.compare(restored, self.features(clean))

    def features(self, clean: "Tensor") -> "list[Tensor]":
        """Of each layer, with vectors of length 1."""
        return _features(_beside(clean, load_st_lpips()), clean)

    def compare(self, restored: "Tensor", features: "list[Tensor]") -> "float | Tensor":
        network = _beside(restored, load_st_lpips())
        return _distance(network, _features(network, restored), features)


def _features(network: Any, image: "Tensor") -> "list[Tensor]":
    """What a network of the LPIPS family sees in an image, as its ``forward`` computes it."""
    import torch
    from lpips import normalize_tensor

    with torch.inference_mode():
        layers = network.net(network.scaling_layer(2 * image.float() - 1))
        return [normalize_tensor(layer) for layer in layers]


def _distance(network: Any, restored: "list[Tensor]", clean: "list[Tensor]") -> "float | Tensor":
    """What a network of the LPIPS family says of the features of two images."""
    import torch

    with torch.inference_mode():
        layers = zip(network.lins, restored, clean, strict=True)
        total, *others = (lin((x - y) ** 2).mean([2, 3], keepdim=True) for lin, x, y in layers)
        for other in others:
            total = total + other
        return total.squeeze()


def _beside(image: "Tensor", network: "nn.Module") -> Any:
    """A network where an image is."""
    return network if image.device.type == "cpu" else _copied(network, str(image.device))


@cache
def _copied(network: "nn.Module", device: str) -> "nn.Module":
    return copy.deepcopy(network).to(device)


@cache
def _load_lpips(alexnet_file: Path) -> "nn.Module":
    import lpips
    import torch

    digest = file_hash(alexnet_file)
    if not digest.startswith(ALEXNET_SHA256):
        raise ValueError(
            f"{alexnet_file} is not torchvision's AlexNet: its SHA-256 starts with {digest[:8]}, "
            f"not {ALEXNET_SHA256}; replace it by a copy of {ALEXNET_URL}"
        )
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore", UserWarning)  # lpips calls torchvision in its old way
        network = lpips.LPIPS(net="alex", version="0.1", pnet_rand=True, verbose=False)
    published = torch.load(alexnet_file, map_location="cpu", weights_only=True)
    # lpips deals torchvision's layers "features.N" out to slices, as "slice1.N" to "slice5.N"
    names = {key: "features." + key.partition(".")[2] for key in network.net.state_dict()}
    network.net.load_state_dict({key: published[name] for key, name in names.items()})
    return network.requires_grad_(False).eval()


@cache
def load_st_lpips() -> "nn.Module":
    """The published network, once; raises `MetricUnavailable` without its package."""
    try:
        from stlpips_pytorch import stlpips
    except ImportError as error:
        raise MetricUnavailable(
            f"st_lpips cannot import its package ({error}); pip install 'noisebench[st-lpips]'"
        ) from None
    import torch

    with torch.random.fork_rng(devices=[]):
        network = stlpips.LPIPS(net="alex", variant="shift_tolerant", verbose=False)
    return network.requires_grad_(False).eval()
