"""Published code of networks, built at random weights beside ours with the same ones."""

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.denoiser import DENOISERS, Denoiser

REPOSITORIES = {
    "MaskedDenoising": "https://github.com/haoyuc/MaskedDenoising",
    "KAIR": "https://github.com/cszn/KAIR",
    "RIDNet": "https://github.com/saeed-anwar/RIDNet",
    "RNAN": "https://github.com/yulunzhang/RNAN",
    "Restormer": "https://github.com/swz30/Restormer",
    "IDF": "https://github.com/dongjinkim9/IDF",
}

Call = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Published:
    """A network of published code, how its authors run it, and ours to compare."""

    repository: str
    folder: str  # what goes on Python's path, inside the repository
    name: str  # of ours, as registered
    build: Callable[..., nn.Module]  # from settings of ours
    test: Callable[[nn.Module], Call] = lambda network: network
    settings: Mapping[str, object] = field(default_factory=dict)  # of ours
    exact: bool = True  # whether both outputs have to agree


def swinir(masks: bool | None, **sizes: Any) -> nn.Module:
    """The class of MaskedDenoising, or with None that of KAIR; ``sizes`` are settings of ours."""
    from models.network_swinir import SwinIR

    sizes = {"embed_dim": 60, "depths": (6, 6, 6, 6), "num_heads": 6, **sizes}
    masked = {"use_mask": masks, "mask_ratio1": 75, "mask_ratio2": 75, "mask_is_diff": False}
    further = {} if masks is None else {**masked, "type": "stand", "use_attn_fn": "softmax"}
    return SwinIR(
        upscale=1,
        img_size=64,
        window_size=8,
        depths=list(sizes["depths"]),
        embed_dim=sizes["embed_dim"],
        num_heads=[sizes["num_heads"]] * len(sizes["depths"]),
        mlp_ratio=2,
        upsampler=None,
        resi_connection="3conv",
        **further,
    )


def dncnn(width: int = 64) -> nn.Module:
    from models.network_dncnn import DnCNN

    return DnCNN(in_nc=3, out_nc=3, nc=width, nb=17, act_mode="BR")


def ridnet(width: int = 64) -> nn.Module:
    from model.ridnet import RIDNET

    return RIDNET(SimpleNamespace(n_feats=width, reduction=16, rgb_range=1))


def rnan(groups: int = 10, width: int = 64) -> nn.Module:
    from model.rnan import RNAN

    sizes = {"n_resgroups": groups, "n_resblocks": 16, "n_feats": width, "reduction": 16}
    return RNAN(SimpleNamespace(**sizes, n_colors=3, res_scale=1, scale=[1]))


def chopped(network: nn.Module) -> Call:
    """Patch by patch, as RNAN's test code does; it cannot hold the weights of a whole image."""
    from model import Model

    tester = SimpleNamespace(model=network, scale=[1], idx_scale=0, n_GPUs=1)
    tester.forward_chop = partial(Model.forward_chop, tester)
    return tester.forward_chop


def restormer(**sizes: Any) -> nn.Module:
    from restormer_arch import Restormer

    return Restormer(LayerNorm_type="BiasFree", **sizes)


def idf() -> nn.Module:
    from idf.archs.idf_arch import IDFNet

    return IDFNet(power_alpha=3.0)


def normalised(network: nn.Module) -> Call:
    """In the scale of its authors' training images and back, as IDF's test code does."""
    ours: Any = DENOISERS["idf"]()
    return lambda image: (network(image * ours.scale + ours.bias) - ours.bias) / ours.scale


MASKED, RNAN = ("MaskedDenoising", ""), ("RNAN", "DN_RGB/code", "rnan")
NETWORKS = {
    "masked": Published(*MASKED, "masked", partial(swinir, True), exact=False),
    "baseline": Published(*MASKED, "baseline", partial(swinir, False)),
    "swinir": Published("KAIR", "", "swinir", partial(swinir, None)),
    "dncnn": Published("KAIR", "", "dncnn", dncnn),
    "ridnet": Published("RIDNet", "TestCode/code", "ridnet", ridnet),
    "restormer": Published("Restormer", "basicsr/models/archs", "restormer", restormer),
    "idf": Published("IDF", "", "idf", idf, normalised),
    "rnan": Published(*RNAN, rnan, chopped, exact=False),
    "rnan, chop": Published(*RNAN, rnan, chopped, {"chop": True}),
}


def published_of(name: str) -> tuple[Published, dict[str, Any]]:
    """What is published of a network, and the settings of the size behind its name: ``dncnn_tiny``.

    Raises
    ------
    KeyError
        If it is in no repository here, or we have no such size.
    """
    of, _, size = name.partition("_")
    found = NETWORKS[of]
    return found, dict(DENOISERS[found.name].sizes[size]) if size else {}


def is_published(name: str) -> bool:
    try:
        return bool(published_of(name))
    except KeyError:
        return False


@contextmanager
def on_path(folder: Path) -> Iterator[None]:
    """Import from a folder first, and forget its modules afterwards: several have one name."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if name.partition(".")[0] in ("models", "model", "idf"):
                del sys.modules[name]


def pair(name: str, published: Path) -> tuple[Call, Denoiser]:
    """The published network as a function of an image, and ours with the same weights.

    Raises
    ------
    ImportError
        If the published code, or a package it needs, is not there.
    """
    what, size = published_of(name)
    torch.manual_seed(0)
    with on_path(published / what.repository / what.folder), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # timm's, of its own older names
        theirs = what.build(**size).eval()
        call = what.test(theirs)
    for value in theirs.parameters():
        if value.dim() == 1:
            value.data += 0.1 * torch.randn_like(value)
    mine = DENOISERS[what.name](**what.settings, **size).eval()
    learned = {k: v for k, v in theirs.state_dict().items() if not k.endswith(mine.derived)}
    mine.load_state_dict(learned)
    return torch.inference_mode()(call), mine
