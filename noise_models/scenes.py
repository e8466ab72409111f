"""Six scenes for ``bench render``, each hard in its own way.

They need nothing beside Mitsuba's built-in plugins: no meshes, no photographs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy  # loads ndimage when it is first used

from benchmark.rendering.scene import SCENES, Description, Scene


@SCENES.register("indirect")
@dataclass(frozen=True)
class Indirect(Scene):
    """A room whose lamp shines at the ceiling: all one sees is light that walls reflect.

    Every path has to find the bright part of the ceiling by chance, so the noise is strong
    everywhere, and strongest in the dark.
    """

    def describe(self) -> Description:
        white, ebony = _matte(0.78, 0.75, 0.7), _matte(0.1, 0.055, 0.035)
        lamp = _light((20, 17, 13.5))
        legs = [(-0.8, -0.95), (1, -0.95), (-0.8, -0.05), (1, -0.05)]
        return {
            "integrator": {"type": "path", "max_depth": 8},
            "sensor": _camera((0, 1.4, 4.3), (0, 1.3, 0), 50),
            "floor": _box((0, -0.05, 0), (2.4, 0.05, 5), _matte(0.5, 0.36, 0.24)),
            "ceiling": _box((0, 3.05, 0), (2.4, 0.05, 5), white),
            "back": _box((0, 1.5, -2.5), (2.4, 1.6, 0.05), white),
            "front": _box((0, 1.5, 5), (2.4, 1.6, 0.05), white),
            "left": _box((-2.2, 1.5, 0), (0.05, 1.6, 5), _matte(0.65, 0.24, 0.14)),
            "right": _box((2.2, 1.5, 0), (0.05, 1.6, 5), _matte(0.2, 0.42, 0.48)),
            "shade": _box((0, 2.22, -0.2), (0.8, 0.03, 0.45), ebony),
            "lamp": _sheet((0, 2.26, -0.2), (0, 1, 0), (0.72, 0.38), emitter=lamp),
            "table": _box((0.1, 0.72, -0.5), (1.0, 0.04, 0.55), _plastic(0.35, 0.16, 0.07)),
            **{
                f"leg{n}": _box((x, 0.34, z), (0.04, 0.34, 0.04), ebony)
                for n, (x, z) in enumerate(legs)
            },
            "bowl": _sphere((-0.4, 1.0, -0.5), 0.24, _conductor("Al", 0.12)),
            "orange": _sphere((0.2, 0.91, -0.3), 0.15, _plastic(0.85, 0.35, 0.05)),
            "vase": _tube((0.65, 0.76, -0.6), (0.65, 1.3, -0.6), 0.13, _plastic(0.1, 0.25, 0.6)),
            "vase_top": _sphere((0.65, 1.3, -0.6), 0.13, _plastic(0.1, 0.25, 0.6)),
            "chest": _box((-1.3, 0.35, 0.6), (0.4, 0.35, 0.35), _matte(0.55, 0.5, 0.36), turn=25),
            "ball": _sphere((1.15, 0.36, 0.8), 0.36, {"type": "dielectric"}),
            "picture": _sheet((0, 1.75, -2.42), (0, 0, 1), (0.75, 0.45), _matte(0.1, 0.3, 0.34)),
            "sun": _sheet((0.25, 1.85, -2.415), (0, 0, 1), (0.16, 0.16), _matte(0.8, 0.5, 0.1)),
            "frame": _box((0, 1.75, -2.45), (0.82, 0.52, 0.015), ebony),
        }


@SCENES.register("caustic")
@dataclass(frozen=True)
class Caustic(Scene):
    """Glass and gold under a small lamp: focused light which paths find rarely, as fireflies.

    Single pixels are far too bright, next to others which miss their light.
    """

    def describe(self) -> Description:
        glass = {"type": "dielectric", "int_ior": 1.5}
        lamp = _light((105, 92, 74))
        squares = _checks((0.5, 0.36, 0.26), (0.62, 0.5, 0.4), 16)
        return {
            "integrator": {"type": "path", "max_depth": 12},
            "sensor": _camera((0, 2.2, 5.2), (0, 0.62, 0), 38),
            "table": _sheet((0, 0, 0), (0, 1, 0), (8, 8), squares),
            "wall": _sheet((0, 0, -4), (0, 0, 1), (8, 8), _matte(0.2, 0.27, 0.36)),
            "lamp": _sphere((-2.2, 3.4, 1), 0.35, emitter=lamp),
            "sky": {"type": "constant", "radiance": _rgb(0.05, 0.06, 0.08)},
            "large": _sphere((-0.75, 0.75, 0), 0.75, glass),
            "small": _sphere((0.3, 0.32, 1.3), 0.32, glass),
            "gold": _sphere((0.95, 0.6, -0.5), 0.6, _conductor("Au", 0.08)),
            "ring": _tube((1.45, 0, 0.9), (1.45, 0.3, 0.9), 0.42, _both(_conductor("Cu", 0.08))),
            "cube": _box((-1.6, 0.27, 1.1), (0.27, 0.27, 0.27), glass, turn=35),
        }


@SCENES.register("depth_of_field")
@dataclass(frozen=True)
class DepthOfField(Scene):
    """Beads through a wide lens, in focus on one row only: noise in blur which has no edges.

    Small lamps in the distance become bright discs. The layout is drawn once, by a fixed seed.
    """

    def describe(self) -> Description:
        layout = np.random.default_rng(5)
        return {
            "integrator": {"type": "path", "max_depth": 6},
            "sensor": {
                **_camera((0, 1.2, 6.2), (0, 0.62, 0), 36),
                "type": "thinlens",
                "aperture_radius": 0.2,
                "focus_distance": 5.2,
            },
            "floor": _sheet((0, 0, 0), (0, 1, 0), (30, 30), _matte(0.3, 0.28, 0.29)),
            "sky": {"type": "constant", "radiance": _rgb(0.035, 0.05, 0.1)},
            "key": _sphere((-3.5, 5, 4), 0.6, emitter=_light((40, 31, 22))),
            "red": _sphere((-0.55, 0.5, 1.0), 0.5, _plastic(0.6, 0.05, 0.04)),
            "gold": _sphere((0.5, 0.38, 1.3), 0.38, _conductor("Au", 0.1)),
            "green": _sphere((1.35, 0.3, 0.9), 0.3, _plastic(0.06, 0.35, 0.12)),
            **_beads(layout, 44),
            **_lanterns(layout, 22),
        }


@SCENES.register("glossy")
@dataclass(frozen=True)
class Glossy(Scene):
    """Brushed metal and lacquer among small coloured lamps: highlights of every width."""

    def describe(self) -> Description:
        lamps = [
            ((-2.4, 2.2, 1.2), (75, 34, 14)),
            ((2.5, 1.9, 0.8), (14, 34, 75)),
            ((0.2, 3.1, -1.2), (46, 42, 38)),
            ((-0.5, 2.6, 3.2), (36, 30, 34)),
            ((0.95, 0.12, 1.0), (4, 10, 5.5)),
        ]
        return {
            "integrator": {"type": "path", "max_depth": 6},
            "sensor": _camera((0, 1.7, 5.4), (0, 0.68, 0), 36),
            "floor": _sheet((0, 0, 0), (0, 1, 0), (6, 6), _conductor("Cr", 0.3)),
            "wall": _sheet((0, 3, -2.2), (0, 0, 1), (6, 3), _conductor("Cu", 0.35)),
            "one": _sphere((-1.2, 0.7, -0.2), 0.7, _conductor("Au", 0.25)),
            "two": _sphere((0.1, 0.5, 0.45), 0.5, _lacquer(0.5, 0.03, 0.04)),
            "three": _sphere((1.3, 0.62, -0.3), 0.62, _conductor("Ag", 0.14)),
            "four": _box((0, 0.85, -1.2), (0.45, 0.85, 0.35), _lacquer(0.04, 0.1, 0.36), turn=30),
            "five": _tube((-0.8, 0, 1.1), (-0.8, 0.42, 1.1), 0.2, _both(_conductor("Al", 0.3))),
            "six": _sphere((-0.8, 0.42, 1.1), 0.2, _lacquer(0.6, 0.3, 0.02)),
            **{
                f"lamp{n}": _sphere(place, 0.12, emitter=_light(radiance))
                for n, (place, radiance) in enumerate(lamps)
            },
        }


@SCENES.register("fog")
@dataclass(frozen=True)
class Fog(Scene):
    """A foggy colonnade at night: light scattered in the air, noise without any surface."""

    def describe(self) -> Description:
        air = {"type": "homogeneous", "albedo": 0.92, "sigma_t": 0.09}
        stone, rows = _matte(0.55, 0.52, 0.48), (-8, -5.5, -3, -0.5, 2)
        lanterns = [
            ((-1.3, 1.9, -4.2), (90, 48, 16)),
            ((1.3, 1.9, 0.8), (60, 32, 12)),
            ((0, 1.6, -11), (90, 60, 30)),
        ]
        return {
            "integrator": {"type": "volpath", "max_depth": 5},
            "sensor": {**_camera((0.25, 1.3, 6.3), (0, 1.6, 0), 44), "medium": air},
            "air": {**_box((0, 3, -3), (9, 7, 13), {"type": "null"}), "interior": air},
            "moon": {
                "type": "spot",
                "intensity": _rgb(900, 1250, 1800),
                "cutoff_angle": 17,
                "to_world": _frame(_facing((-12, -10.5, -3)), (12.5, 12, -0.5)),
            },
            "floor": _box((0, -0.05, -3), (8, 0.05, 12), _matte(0.32, 0.32, 0.35)),
            **{
                f"pillar{n}{side}": _tube((1.75 * side, 0, z), (1.75 * side, 3.2, z), 0.26, stone)
                for n, z in enumerate(rows)
                for side in (-1, 1)
            },
            **{
                f"beam{side}": _box((1.75 * side, 3.3, -3), (0.34, 0.14, 5.6), stone)
                for side in (-1, 1)
            },
            **{
                f"lantern{n}": _sphere(place, 0.13, emitter=_light(radiance))
                for n, (place, radiance) in enumerate(lanterns)
            },
        }


@SCENES.register("textured")
@dataclass(frozen=True)
class Textured(Scene):
    """Marble, wood, bricks and cloth in indirect light: fine detail which looks like the noise."""

    def describe(self) -> Description:
        lamp = _light((40, 36, 30))
        white = _matte(0.8, 0.8, 0.78)
        return {
            "integrator": {"type": "path", "max_depth": 6},
            "sensor": _camera((0, 1.6, 4.4), (0, 1.05, 0), 46),
            "floor": _sheet((0, 0, 0), (0, 1, 0), (2.6, 3.4), _picture(wood(), 2)),
            "back": _sheet((0, 1.6, -2), (0, 0, 1), (2.6, 1.6), _picture(cloth(), 2)),
            "left": _sheet((-2.2, 1.6, 0), (1, 0, 0), (3.4, 1.6), _picture(bricks(), 2)),
            "right": _sheet((2.2, 1.6, 0), (-1, 0, 0), (3.4, 1.6), _picture(marble(), 1)),
            "ceiling": _sheet((0, 3.2, 0), (0, -1, 0), (2.6, 5.4), white),
            "front": _sheet((0, 1.6, 5.2), (0, 0, -1), (2.6, 1.6), white),
            "shade": _box((0, 2.2, 0.3), (0.85, 0.03, 0.55), white),
            "lamp": _sheet((0, 2.25, 0.3), (0, 1, 0), (0.8, 0.5), emitter=lamp),
            "ball": _sphere((-0.85, 0.62, -0.5), 0.62, _picture(marble(), 1)),
            "block": _box((0.95, 0.6, -0.6), (0.5, 0.6, 0.5), _picture(bricks(), 0.5), turn=-28),
            "drum": _tube((0.1, 0, 0.7), (0.1, 0.55, 0.7), 0.36, _picture(cloth(), 1)),
            "lid": _sheet((0.1, 0.55, 0.7), (0, 1, 0), (0.25, 0.25), _picture(wood(), 1)),
        }


def _beads(layout: np.random.Generator, count: int) -> Description:
    beads: Description = {}
    for n in range(count):
        radius, colour = layout.uniform(0.16, 0.42), _hue(layout.uniform())
        place = (layout.uniform(-4, 4), radius, layout.uniform(-9, 0.2))
        surface = _plastic(*colour) if layout.uniform() < 0.7 else _conductor("Ag", 0.1)
        beads[f"bead{n}"] = _sphere(place, radius, surface)
    return beads


def _lanterns(layout: np.random.Generator, count: int) -> Description:
    lanterns: Description = {}
    for n in range(count):
        place = (layout.uniform(-6, 6), layout.uniform(0.6, 4), layout.uniform(-12, -9))
        radiance = 7 * np.array(_hue(layout.uniform())) + 1
        lanterns[f"lantern{n}"] = _sphere(place, 0.2, emitter=_light(radiance.tolist()))
    return lanterns


def _rgb(red: float, green: float, blue: float) -> Description:
    return {"type": "rgb", "value": [float(red), float(green), float(blue)]}


def _hue(turn: float) -> tuple[float, ...]:
    """A saturated colour of the wheel, as linear RGB; ``turn`` is from 0 to 1."""
    waves = 0.5 + 0.5 * np.cos(2 * np.pi * (turn + np.arange(3) / 3))
    return tuple(0.06 + 0.7 * waves**1.6)


def _light(radiance: Sequence[float]) -> Description:
    return {"type": "area", "radiance": _rgb(*radiance)}


def _both(bsdf: Description) -> Description:
    return {"type": "twosided", "bsdf": bsdf}


def _matte(red: float, green: float, blue: float) -> Description:
    return _both({"type": "diffuse", "reflectance": _rgb(red, green, blue)})


def _plastic(red: float, green: float, blue: float) -> Description:
    return {"type": "plastic", "diffuse_reflectance": _rgb(red, green, blue)}


def _lacquer(red: float, green: float, blue: float) -> Description:
    return {"type": "roughplastic", "diffuse_reflectance": _rgb(red, green, blue), "alpha": 0.08}


def _conductor(metal: str, roughness: float) -> Description:
    return {"type": "roughconductor", "material": metal, "alpha": roughness}


def _repeat(times: float) -> np.ndarray:
    return np.diag([times, times, 1.0, 1.0])


def _checks(dark: tuple[float, ...], light: tuple[float, ...], times: float) -> Description:
    checks = {"type": "checkerboard", "color0": _rgb(*dark), "color1": _rgb(*light)}
    return {"type": "diffuse", "reflectance": {**checks, "to_uv": _repeat(times)}}


def _picture(pixels: np.ndarray, times: float) -> Description:
    bitmap = {"type": "bitmap", "bitmap": pixels, "to_uv": _repeat(times)}
    return _both({"type": "diffuse", "reflectance": bitmap})


def _sphere(
    centre: tuple[float, ...],
    radius: float,
    bsdf: Description | None = None,
    emitter: Description | None = None,
) -> Description:
    return _shape("sphere", bsdf, emitter) | {"center": list(map(float, centre)), "radius": radius}


def _tube(
    start: tuple[float, ...], end: tuple[float, ...], radius: float, bsdf: Description
) -> Description:
    ends = {"p0": list(map(float, start)), "p1": list(map(float, end))}
    return _shape("cylinder", bsdf) | ends | {"radius": radius}


def _box(
    centre: tuple[float, ...], half: tuple[float, ...], bsdf: Description, turn: float = 0
) -> Description:
    """A box by its centre, half its sides, and a turn about the vertical in degrees."""
    sine, cosine = np.sin(np.radians(turn)), np.cos(np.radians(turn))
    axes = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
    return _shape("cube", bsdf) | {"to_world": _frame(axes * half, centre)}


def _sheet(
    centre: tuple[float, ...],
    normal: tuple[float, ...],
    half: tuple[float, float],
    bsdf: Description | None = None,
    emitter: Description | None = None,
) -> Description:
    """A rectangle by its centre, the direction it faces, and half its sides."""
    axes = _facing(normal) * (*half, 1)
    return _shape("rectangle", bsdf, emitter) | {"to_world": _frame(axes, centre)}


def _camera(
    place: tuple[float, ...], target: tuple[float, ...], field_of_view: float
) -> Description:
    axes = _facing(np.subtract(target, place))
    return {"type": "perspective", "fov": field_of_view, "to_world": _frame(axes, place)}


def _shape(
    kind: str, bsdf: Description | None = None, emitter: Description | None = None
) -> Description:
    parts: Description = {"type": kind, "bsdf": bsdf, "emitter": emitter}
    return {name: part for name, part in parts.items() if part is not None}


def _facing(direction: tuple[float, ...] | np.ndarray) -> np.ndarray:
    """Three axes as columns, left, up and ahead: ahead along a direction, up as far as can be."""
    ahead = np.asarray(direction, float) / np.linalg.norm(direction)
    left = np.cross((0, 1, 0) if abs(ahead[1]) < 0.999 else (0, 0, -1), ahead)
    left /= np.linalg.norm(left)
    return np.stack([left, np.cross(ahead, left), ahead], 1)


def _frame(axes: np.ndarray, origin: tuple[float, ...]) -> np.ndarray:
    """The 4x4 transformation with these axes as columns and this origin."""
    frame = np.eye(4)
    frame[:3, :3], frame[:3, 3] = axes, origin
    return frame


def _smooth(seed: int, size: int, *sigmas: float) -> np.ndarray:
    """Smooth noise which tiles, (size, size), zero mean, deviation 1: one octave a sigma."""
    rng = np.random.default_rng(seed)
    total = np.zeros((size, size))
    for sigma in sigmas:
        white = rng.standard_normal((size, size))
        octave = scipy.ndimage.gaussian_filter(white, sigma, mode="wrap")
        total += sigma * octave / octave.std()
    return total / total.std()


def _blend(dark: tuple[float, ...], light: tuple[float, ...], share: np.ndarray) -> np.ndarray:
    """Two sRGB colours, 0 to 255, mixed by a map from 0 to 1: an (H, W, 3) uint8 picture."""
    share = np.clip(share, 0, 1)[..., None]
    return np.rint(share * light + (1 - share) * np.array(dark)).astype(np.uint8)


def marble() -> np.ndarray:
    """Veined stone, (256, 256, 3) uint8 sRGB."""
    veins = np.abs(np.sin(2.4 * _smooth(1, 256, 32, 12, 5)))
    return _blend((70, 82, 96), (232, 228, 218), veins**0.5)


def wood() -> np.ndarray:
    """Boards, (256, 256, 3) uint8 sRGB."""
    row, column = np.mgrid[:256, :256]
    board = column // 32
    grain = _smooth(2, 256, 6, 2)
    bend = scipy.ndimage.gaussian_filter(grain, (14, 1), mode="wrap")
    rings = np.sin(0.35 * column + 19 * bend + board * 2.1)
    tone = 0.5 + 0.2 * rings + 0.12 * np.sin(board * 5.3) + 0.06 * grain
    tone[(column % 32 == 0) | ((row + 83 * board) % 256 < 2)] = 0
    return _blend((74, 42, 22), (206, 154, 98), tone)


def bricks() -> np.ndarray:
    """A wall, (256, 256, 3) uint8 sRGB."""
    row, column = np.mgrid[:256, :256]
    course = row // 32
    shifted = (column + 32 * (course % 2)) % 256
    tone = 0.45 + 0.25 * np.sin(course * 12.9 + shifted // 64 * 78.2) + 0.14 * _smooth(3, 256, 3, 1)
    pixels = _blend((112, 44, 30), (214, 120, 84), tone)
    joint = (row % 32 < 3) | (shifted % 64 < 3)
    pixels[joint] = _blend((150, 142, 130), (196, 188, 176), 0.5 + 0.2 * _smooth(4, 256, 1))[joint]
    return pixels


def cloth() -> np.ndarray:
    """A woven pattern, (256, 256, 3) uint8 sRGB."""
    row, column = np.mgrid[:256, :256]
    weave = 0.5 + 0.5 * np.sin(row * np.pi / 4) * np.sin(column * np.pi / 4)
    diamonds = (np.abs(row % 64 - 32) + np.abs(column % 64 - 32)) % 32 < 10
    return _blend((24, 52, 82), (226, 206, 160), 0.25 + 0.55 * diamonds * weave + 0.1 * weave)
