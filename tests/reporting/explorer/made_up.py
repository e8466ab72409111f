"""Made-up facts of five models, four noises and two datasets, for an explorer to show."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

Rows = list[dict[str, Any]]

GAIN = {"identity": 0.0, "bm3d": 5.0, "swinir": 6.0, "masked": 5.5, "dncnn": 4.0}  # dB
LOOKS = {
    "identity": ("#9e9e9e", "x", "3 2"),
    "bm3d": ("#000000", "x", "3 2"),
    "swinir": ("#1199DD", "^", ""),
    "masked": ("#CC3311", "o", ""),
    "dncnn": ("#332288", "s", "5 2"),
}
NOISES = {
    "gaussian": ("additive", [15.0, 25.0, 50.0]),
    "poisson": ("signal-dependent", [2.0, 3.0]),
    "salt_and_pepper": ("impulse", [0.01, 0.1]),
    "mc_render": ("rendering", [4.0, 16.0]),
}
IMAGES = {"kodak24": ["kodim01", "kodim02", "kodim03"], "mc_render": ["kitchen", "staircase"]}
PSNR = {"name": "psnr", "label": "PSNR (dB)", "unit": "dB", "higher_is_better": True, "digits": 2}
SSIM = {"name": "ssim", "label": "SSIM", "unit": "", "higher_is_better": True, "digits": 4}
RECORD = {
    "tile": {},
    "precision": "fp32",
    "environment": {"torch": "2.14.1", "threads": 1},
    "code": {"model": {"source": "701cc25c99136cc1"}},
    "settings": {"protocol": {"noisy": "clipped, 8 bits"}},
}


def facts(lines: list[str]) -> dict[str, Any]:
    """The facts; their pictures are appended to ``lines``."""
    rng = np.random.default_rng(0)
    cells = list(_cells(rng))
    points = [point for metric in (PSNR, SSIM) for point in _points(cells, metric["name"])]
    return {
        "title": "made up",
        "folder": "results/made up",
        "commands": [
            "bench run 'model=[masked,dncnn]' noise=paper",
            "bench explore 'results/made up'",
        ],
        "protocol": {
            "name": "masked",
            "words": "masked: clipped, 8 bits, a 1-pixel border left out",
        },
        "trained": {"noise": "gaussian", "level": 15.0},
        "footnotes": ["masked: trained with drop_path=0.0 (published: 0.1)."],
        "models": [_model(name) for name in GAIN],
        "noises": [_noise(name) for name in NOISES],
        "datasets": [
            {"name": name, "recorded": name in NOISES, "images": images, "settings": {"crop": 128}}
            for name, images in IMAGES.items()
        ],
        "metrics": [PSNR, SSIM],
        "cells": cells,
        "standings": list(_standings(points)),
        "points": points,
        "records": [RECORD],
        "scenes": list(_scenes(lines, rng)),
    }


def _model(name: str) -> dict[str, Any]:
    colour, marker, dash = LOOKS[name]
    known = name != "bm3d"
    return {
        "name": name,
        "label": "noisy input" if name == "identity" else name,
        "colour": colour,
        "marker": marker,
        "dash": dash,
        "reference": name in ("identity", "bm3d"),
        "note": "",
        "compared_with": None,
        "trainings": [name],
        "counted": {},
        "parameters": 100_000 if known else None,
        "gmacs": 12.5 if known else None,
        "cost_note": "" if known else "no network",
        "settings": {"width": 64},
        "weights": "f7f52c0e97d4" * 5 if known else None,
    }


def _noise(name: str) -> dict[str, Any]:
    family, levels = NOISES[name]
    dataset = name if name in IMAGES else "kodak24"
    return {
        "name": name,
        "label": name,
        "family": family,
        "unit": "sigma",
        "note": f"the levels of {name} are a guess",
        "recorded": name in IMAGES,
        "levels": levels,
        "settings": {"clip": True},
        "sheet": f"<p>What <code>{name}</code> is.</p>",
        "noisy": [
            {"dataset": dataset, "level": level, "psnr": 25.0 - place}
            for place, level in enumerate(levels)
        ],
    }


def _cells(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for noise, (_, levels) in NOISES.items():
        dataset = noise if noise in IMAGES else "kodak24"
        images = IMAGES[dataset]
        for place, level in enumerate(levels):
            noisy = 24 - 3 * place + rng.normal(0, 1, len(images))
            for model, gain in GAIN.items():
                psnr = noisy + gain + rng.normal(0, 0.5, len(images))
                yield {
                    "model": model,
                    "training": model,
                    "dataset": dataset,
                    "noise": noise,
                    "level": level,
                    "seed": 0,
                    "record": 0,
                    "rows": [
                        [image, 0.1, round(score, 4), round(score / 50, 6)]
                        for image, score in zip(images, psnr, strict=True)
                    ],
                }


def _points(cells: Rows, metric: str) -> Iterator[dict[str, Any]]:
    for cell in cells:
        mean = float(np.mean([row[2 if metric == "psnr" else 3] for row in cell["rows"]]))
        yield {
            **{name: cell[name] for name in ("dataset", "noise", "level", "model")},
            "metric": metric,
            "mean": mean,
            "low": 0.98 * mean,
            "high": 1.02 * mean,
            "images": len(cell["rows"]),
            "seeds": [0],
        }


def _standings(points: Rows) -> Iterator[dict[str, Any]]:
    for dataset, images in IMAGES.items():
        noises = [noise for noise in NOISES if (noise if noise in IMAGES else "kodak24") == dataset]
        for metric in ("psnr", "ssim"):
            for scope in ("all", *(NOISES[noise][0] for noise in noises)):
                names = [noise for noise in noises if scope in ("all", NOISES[noise][0])]
                of = [p for p in points if p["dataset"] == dataset and p["metric"] == metric]
                rows = [_row(model, names, of) for model in GAIN]
                yield {
                    "dataset": dataset,
                    "metric": metric,
                    "scope": scope,
                    "cells": sum(len(NOISES[noise][1]) for noise in names),
                    "images": len(images),
                    "sentences": [f"{len(images)} images."],
                    "noises": names,
                    "rows": rows[:2] + sorted(rows[2:], key=lambda row: -row["ood"]),
                }


def _row(model: str, noises: list[str], points: Rows) -> dict[str, Any]:
    means = {
        noise: float(
            np.mean([p["mean"] for p in points if (p["model"], p["noise"]) == (model, noise)])
        )
        for noise in noises
    }
    ood, ranked = float(np.mean(list(means.values()))), model not in ("identity", "bm3d")
    return {
        "model": model,
        "in_distribution": means["gaussian"] + 1 if "gaussian" in means else None,
        "ood": ood,
        "low": 0.97 * ood,
        "high": 1.02 * ood,
        "rank_low": 1 if ranked else None,
        "rank_high": 2 if ranked else None,
        "group": "ab" if ranked else "n",
        "trainings": 1,
        "seconds": 0.1,
        "noises": means,
        "best": ["ood", noises[0]] if model == "swinir" else [],
        "unreached": ["ood"] if model == "bm3d" else [],
    }


def _scenes(lines: list[str], rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    clean = np.broadcast_to(np.linspace(30, 220, 24)[:, None, None], (24, 32, 3))
    sigmas = {"clean": 0.0, "noisy": 20.0, "bm3d": 5.0, "swinir": 4.0, "masked": 5.0, "dncnn": 6.0}
    for noise, level, image in (
        ("gaussian", 25.0, "kodim01"),
        ("gaussian", 50.0, "kodim02"),
        ("poisson", 3.0, "kodim01"),
    ):
        pictures = {}
        for name, sigma in sigmas.items():
            if (noise, name) == ("poisson", "dncnn"):  # no picture of this one
                continue
            pixels = np.clip(clean + rng.normal(0, sigma, clean.shape), 0, 255).astype(np.uint8)
            stream = io.BytesIO()
            Image.fromarray(pixels).save(stream, "WEBP", lossless=True)
            pictures[name] = len(lines)
            lines.append(base64.b64encode(stream.getvalue()).decode())
        yield {
            "dataset": "kodak24",
            "noise": noise,
            "level": level,
            "seed": 0,
            "image": image,
            "size": [48, 64],
            "box": [12, 16, 24, 32],
            "pictures": pictures,
        }
