"""What a stranger's network raised on an image, as a short cause and its likely cure."""

import re
import textwrap
from collections.abc import Collection

# what networks raise that do not take an image, and what most likely cures it
CHANNELS = re.compile(r"to have ([1-4]) channels")
CURES = (
    (
        r"missing value for argument|missing \d+ required|Expected at (?:least|most)|Missing Input",
        "it seems to demand a second input, such as the noise's level: export a network which "
        "takes the image alone, or the level as its last channel{channels}",
    ),
    (
        r"Half|BFloat16|c10::|[Dd]ouble|dtype|scalar type|float16|Unexpected input data type",
        "its numbers seem to be of another type than float32: save it in float32, as after "
        "network.float(), and leave out precision=bf16",
    ),
    (r"same device|[Dd]evice type", "it seems to hold tensors of one device: take device=cpu"),
    (
        r"[Ss]izes? of |must match|is invalid for input|broadcast|divisible|divide|[Dd]imension"
        r"|[Pp]adding size|[Kk]ernel size|[Oo]utput size|too small|[Ss]hape|multiple of",
        "its layers seem to take other sizes than this{sizes}",
    ),
)
OTHERWISE = "try the network by itself on a float32 tensor of that shape with values in [0, 1]"


def cause(error: Exception) -> str:
    """What a network raised, in one line; TorchScript and onnxruntime have a preamble."""
    text = str(error).partition("Status Message: ")[2] or str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    line = lines[-1] if "TorchScript" in text and lines else " ".join(lines)
    line = re.sub(r"^(builtins\.)?\w*Error: ", "", line)
    return textwrap.shorten(line, 200, placeholder=" ...") or type(error).__name__


def cure(error: Exception, settings: Collection[str], prefix: str) -> str:
    """What most likely helps where a network raised this.

    Parameters
    ----------
    settings
        Names of those which the user can give, as ``multiple``.
    prefix
        What they are called on a command line: ``model.torchscript``.
    """
    if (expected := CHANNELS.search(str(error))) and "channels" in settings:
        return f"it takes another number of channels: {prefix}.channels={expected[1]}"
    channels = f" ({prefix}.channels=4)" if "channels" in settings else ""
    sizes = f": take {prefix}.multiple=4, 8 or 16" if "multiple" in settings else ""
    if "file" in settings:
        sizes += "; if it was traced for one size, export it with a dynamic height and width"
    said = f"{type(error).__name__}: {error}"
    for pattern, advice in CURES:
        if re.search(pattern, said):
            return advice.format(channels=channels, sizes=sizes)
    return OTHERWISE
