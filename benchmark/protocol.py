"""What a score is of: the rules under which images are made and compared."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from benchmark.registry import did_you_mean, unknown_setting

IN_DISTRIBUTION = ("gaussian", 15.0)  # what all models are trained on, sigma in 8-bit steps
REFERENCE = ("identity", "bm3d")  # the floor and the classic: what a network has to beat

TREATED = {  # how a cell records an image that is clipped, and rounded; and a sentence on it
    (True, True): ("clipped, {bits} bits", "clipped and rounded to {bits} bits"),
    (True, False): ("clipped, float", "clipped and not rounded"),
    (False, False): ("float", "neither clipped nor rounded"),
}
COLOURS = {
    "rgb": "RGB",
    "y": "the luma Y of ITU-R BT.601 from 16 to 235",
    "y_full": "the luma Y of ITU-R BT.601 from 0 to 255",
}
DRAWS = {
    "key": "the cell's key",
    "seed0": "NumPy's legacy generator, seeded anew for each image, in RGB order",
    "seed0_bgr": "NumPy's legacy generator, seeded anew for each image, in BGR order",
}


def _check_type(name: str, value: object, default: object) -> None:
    fits = type(value) is type(default)
    if isinstance(value, tuple):
        fits = fits and all(isinstance(item, str) for item in value)
    if not fits:
        kinds = {bool: "true or false", int: "a whole number", str: "a word"}
        wanted = kinds.get(type(default), "a list of noises")
        raise ValueError(f"a protocol's {name} is {wanted}, got {value!r}")


@dataclass(frozen=True)
class Protocol:
    """How an image is made noisy, restored and compared; two protocols never share a table.

    Parameters
    ----------
    noisy_clipped, noisy_rounded
        Whether a model gets the noisy image clipped to [0, 1], and rounded to ``bits``. What is
        rounded is clipped as well.
    unclipped
        Registered noises which are not clipped although the others are; of images in float.
    restored_clipped, restored_rounded
        The same of what it returns. Where it is rounded, so is the clean image of a noise which
        redevelops it; all other clean images have ``bits`` of themselves.
    border
        Pixels left out at each side by metrics of pixels; a dataset's own protocol, or a metric's
        own setting, goes before it.
    colour
        What metrics of pixels compare: ``"rgb"``; ``"y"``, luma from 16 to 235, as MATLAB's
        rgb2ycbcr gives it; ``"y_full"``, luma from 0 to 255.
    draw
        Where the noise's random numbers come from. ``"key"``: from (dataset, image, noise, level,
        seed). ``"seed0"``: as published scripts do it, ``numpy.random.seed(0)`` before each image,
        which has RGB order; ``"seed0_bgr"`` where it has BGR order, as OpenCV reads it. For further
        seeds of a run the number is that seed.
    grey
        Whether images are grey: noise, model and metrics see one channel. RGB ones are made so at
        first, by `benchmark.pixels.as_grey`.
    bits
        Of a clean image and of what is rounded: 8, or 16, which images of 8 bits fit into.

    Raises
    ------
    ValueError
        If a value is none of these.
    """

    noisy_clipped: bool = True
    noisy_rounded: bool = True
    unclipped: tuple[str, ...] = ()
    restored_clipped: bool = True
    restored_rounded: bool = True
    border: int = 1
    colour: str = "rgb"
    draw: str = "key"
    grey: bool = False
    bits: int = 8

    def __post_init__(self) -> None:
        for field in fields(self):  # from a command line or a file
            _check_type(field.name, getattr(self, field.name), field.default)
        for image, clipped, rounded in (
            ("noisy", self.noisy_clipped, self.noisy_rounded),
            ("restored", self.restored_clipped, self.restored_rounded),
        ):
            if rounded and not clipped:
                raise ValueError(
                    f"a protocol cannot round {image} images without clipping them; "
                    f"set {image}_rounded=false as well"
                )
        if self.unclipped and (self.noisy_rounded or not self.noisy_clipped):
            raise ValueError(
                "a protocol's unclipped=[...] names exceptions among noisy images which are "
                "clipped and not rounded; set noisy_clipped=true and noisy_rounded=false"
            )
        if self.border < 0:
            raise ValueError(f"a protocol needs border >= 0, got {self.border}")
        for name, known in (("colour", COLOURS), ("draw", DRAWS), ("bits", (8, 16))):
            if (value := getattr(self, name)) not in known:
                raise ValueError(
                    f"a protocol has no {name}={value}; take one of {', '.join(map(str, known))}"
                )
        if self.grey and self.colour != "rgb":
            raise ValueError(f"a protocol of grey images has no colour={self.colour}; leave it out")

    def clips(self, noise: str) -> bool:
        """Whether noisy images of this registered noise are clipped to [0, 1]."""
        return self.noisy_clipped and noise not in self.unclipped

    @property
    def channels(self) -> int:
        return 1 if self.grey else 3

    @property
    def peak(self) -> int:
        """The highest value of an image in whole numbers, 255 or 65535."""
        return 2**self.bits - 1

    @property
    def _words(self) -> list[list[str]]:
        """What `TREATED` says of noisy images, and of restored ones."""
        noisy = TREATED[self.noisy_clipped, self.noisy_rounded]
        restored = TREATED[self.restored_clipped, self.restored_rounded]
        return [[word.format(bits=self.bits) for word in words] for words in (noisy, restored)]

    @property
    def facts(self) -> dict[str, Any]:
        """What a cell records: how images are treated, and whatever else is not as in `MASKED`."""
        (noisy, _), (restored, _) = self._words
        further = {n: getattr(self, n) for n in ("border", "colour", "draw", "grey", "bits")}
        return {
            "noisy": noisy,
            "restored": restored,
            **({"unclipped": list(self.unclipped)} if self.unclipped else {}),
            **{name: value for name, value in further.items() if value != getattr(MASKED, name)},
        }

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> "Protocol":
        """The protocol which a cell records.

        Raises
        ------
        ValueError
            If it says something that is not known here.
        """
        known = dict(facts)
        bits = known.get("bits", MASKED.bits)
        treated = {word.format(bits=bits): how for how, (word, _) in TREATED.items()}
        try:
            noisy, restored = treated[known.pop("noisy")], treated[known.pop("restored")]
            unclipped = tuple(known.pop("unclipped", ()))
            return cls(*noisy, unclipped, *restored, **known)
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"the protocol {dict(facts)} is not known here; use the version that made it"
            ) from error

    @property
    def name(self) -> str:
        """As `protocol_of` reads it: the first preset that is equal, else what differs from one."""
        for name, preset in PROTOCOLS.items():
            if preset == self:
                return name
        changed = {
            name: [f for f in fields(self) if getattr(self, f.name) != getattr(preset, f.name)]
            for name, preset in PROTOCOLS.items()
        }
        nearest = min(changed, key=lambda name: len(changed[name]))
        values = {field.name: getattr(self, field.name) for field in changed[nearest]}
        return f"{nearest}({','.join(f'{key}={_spelled(v)}' for key, v in values.items())})"

    @property
    def sentence(self) -> str:
        """How images are treated, in words; without the border, which datasets and metrics set."""
        (_, noisy), (_, restored) = self._words
        if noisy == restored and not self.unclipped:
            parts = [f"noisy and restored images are {noisy}"]
        else:
            but = f", but for {' and '.join(self.unclipped)} not clipped" if self.unclipped else ""
            parts = [f"noisy images are {noisy}{but}", f"restored ones are {restored}"]
        if self.grey or self.bits != MASKED.bits:
            parts.insert(0, f"images are {'grey' if self.grey else 'RGB'}, of {self.bits} bits")
        if self.colour != MASKED.colour:
            parts.append(f"{COLOURS[self.colour]} is compared")
        if self.draw != MASKED.draw:
            parts.append(f"noise is drawn from {DRAWS[self.draw]}")
        return "; ".join(parts)


MASKED = Protocol()
_SCRIPT = Protocol(noisy_clipped=False, noisy_rounded=False, border=0, draw="seed0")

# Each as its public code does it; where two are alike, their scores can be compared.
PROTOCOLS = {
    # Chen et al., CVPR 2023: 8-bit PNGs made beforehand, main_test_swinir.py with border 1;
    # github.com/haoyuc/MaskedDenoising. The random numbers of their PNGs are not published.
    "masked": MASKED,
    # Zhang et al.: main_test_dncnn.py, main_test_ffdnet.py of github.com/cszn/KAIR
    "kair": _SCRIPT,
    # the same of grey images, as it is for networks of one channel
    "kair_grey": replace(_SCRIPT, grey=True),
    # Liang et al., ICCVW 2021: main_test_swinir.py, task color_dn, reads images by OpenCV;
    # github.com/JingyunLiang/SwinIR
    "swinir": replace(_SCRIPT, draw="seed0_bgr"),
    # Zamir et al., CVPR 2022: Denoising/test_gaussian_color_denoising.py, and
    # evaluate_gaussian_color_denoising.py, which was not read; github.com/swz30/Restormer
    "restormer": _SCRIPT,
    # Cheng et al., CVPR 2024: Denoising/test_synthetic_denoising.py; it clips Poisson noise alone,
    # and what it restores; github.com/alwaysuu/CLIPDenoising
    "clipdenoising": Protocol(
        noisy_rounded=False,
        unclipped=("gaussian", "correlated"),
        restored_rounded=False,
        border=0,
        draw="seed0",
    ),
    # Abdelhamed et al., CVPR 2018: blocks of 8 bits, nothing left out; not
    # checked against the code of its server
    "sidd": Protocol(border=0),
    # nothing is lost to rounding or clipping; numbers by key as in ours
    "float": Protocol(False, False, (), False, False, border=0),
}


def protocol_of(text: str) -> Protocol:
    """The protocol of a preset's name, with changes in parentheses: ``kair(border=2)``.

    Raises
    ------
    ValueError
        If there is no such preset or setting, or a value does not fit.
    """
    asked = f"protocol={text}"
    try:
        call = ast.parse(text.strip(), mode="eval").body
        name, given = (call.func, call.keywords) if isinstance(call, ast.Call) else (call, [])
        preset = name.id if isinstance(name, ast.Name) else None
        if preset is None or (isinstance(call, ast.Call) and call.args):
            raise SyntaxError
        if None in (named := [change.arg for change in given]) or len({*named}) < len(named):
            raise SyntaxError
        changes = {str(change.arg): _value(change.value) for change in given}
    except (SyntaxError, ValueError):
        raise ValueError(
            f"{asked} is no protocol; name a preset ({', '.join(PROTOCOLS)}), and changes in "
            f"parentheses: 'kair(border=2)'"
        ) from None
    if preset not in PROTOCOLS:
        hint = did_you_mean(preset.lower(), PROTOCOLS)
        raise ValueError(f"unknown protocol '{preset}'{hint} Known: {', '.join(PROTOCOLS)}")
    known = [field.name for field in fields(Protocol)]
    for key in changes:
        if key not in known:
            raise unknown_setting(key, known, asked)
    return replace(PROTOCOLS[preset], **changes)


def name_of(facts: Mapping[str, Any]) -> str:
    """The name of the protocol which a cell records; its words where it is not known here."""
    try:
        return Protocol.of(facts).name
    except ValueError:
        return f"unknown ({', '.join(f'{what}: {how}' for what, how in facts.items())})"


def in_words(facts: Mapping[str, Any]) -> str:
    """The name and the `Protocol.sentence` of what a cell records, as far as they are known."""
    try:
        protocol = Protocol.of(facts)
    except ValueError:
        return name_of(facts)
    return f"{protocol.name}: {protocol.sentence}"


def _value(node: ast.expr) -> Any:
    """A setting's value: ``true``, ``false``, a whole number, a word, or a list of words."""
    if isinstance(node, ast.List | ast.Tuple):
        return tuple(_value(item) for item in node.elts)
    if isinstance(node, ast.Name):
        return {"true": True, "false": False}.get(node.id.lower(), node.id)
    return ast.literal_eval(node)


def _spelled(value: object) -> str:
    """A value as `protocol_of` reads it."""
    if isinstance(value, tuple):
        return f"[{','.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
