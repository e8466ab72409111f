"""A scene's pictures as Pillow decodes them, and as the explorer's canvases hold them."""

import base64
import io
from functools import cache

import made_up
import numpy as np
from PIL import Image

SCENE = "#view=images&noise=gaussian&level=50&image=kodim02"  # 32 x 24 pixels of 64 x 48
PAINTED = ".stage[data-painted]"


@cache
def pixels(name):
    """The pixels of a picture of SCENE, (H, W, 3)."""
    lines = []
    scenes = made_up.facts(lines)["scenes"]
    scene = next(scene for scene in scenes if scene["image"] == "kodim02")
    content = base64.b64decode(lines[scene["pictures"][name]])
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def painted(tab, name, inside=".tile"):
    """What a canvas holds, (H, W, 3)."""
    values, height, width = tab.eval_on_selector(
        f'{inside} canvas[data-picture="{name}"]',
        "(one) => [[...one.getContext('2d').getImageData(0, 0, one.width, one.height).data],"
        " one.height, one.width]",
    )
    rgba = np.array(values).reshape(height, width, 4)
    assert (rgba[..., 3] == 255).all()
    return rgba[..., :3]


def show(tab, mode):
    tab.locator('[data-key="mode"]').select_option(mode)
    tab.wait_for_selector(f'.stage[data-painted="{mode}"]')
