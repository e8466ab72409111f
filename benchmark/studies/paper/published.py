"""The numbers of Tables 3b and 3c; those of Tables 1, 2 and 3a are with the ablations."""

import pandas as pd

METRICS = ["psnr", "ssim", "lpips"]
MODELS = {  # as the tables call them
    "DnCNN": "dncnn",
    "RIDNet": "ridnet",
    "RNAN": "rnan",
    "SwinIR": "swinir",
    "Restormer": "restormer",
    "Dropout": "dropout",
    "baseline": "baseline",
    "Ours": "masked",
}


def _lines(noise: str, level: float, text: str) -> list[tuple[object, ...]]:
    lines = [line.split() for line in text.strip().splitlines()]
    return [(noise, level, MODELS[name], *map(float, scores)) for name, *scores in lines]


# Chen et al., CVPR 2023, Tables 3b (the images of Firmino et al., 2022) and 3c (Kodak24)
PUBLISHED = (
    pd.DataFrame(
        [
            *_lines(
                "mc_render",
                128,
                """
            DnCNN 29.94 0.7883 0.2671
            RIDNet 29.96 0.7921 0.2548
            RNAN 29.86 0.7825 0.2702
            SwinIR 29.32 0.7627 0.2943
            Restormer 24.98 0.6598 0.4575
            Dropout 28.85 0.7753 0.2941
            baseline 29.68 0.7738 0.2851
            Ours 30.62 0.8500 0.2254
            """,
            ),
            *_lines(
                "mc_render",
                64,
                """
            DnCNN 26.28 0.6779 0.4216
            RIDNet 26.27 0.6788 0.4122
            RNAN 26.26 0.6743 0.4290
            SwinIR 26.14 0.6651 0.4485
            Restormer 24.59 0.5880 0.5375
            Dropout 26.10 0.6696 0.4443
            baseline 25.91 0.6535 0.4564
            Ours 28.25 0.7694 0.3348
            """,
            ),
            *_lines(
                "isp",
                1,
                """
            DnCNN 29.44 0.7857 0.3083
            RIDNet 28.75 0.7446 0.3696
            RNAN 28.47 0.7243 0.3601
            SwinIR 28.39 0.7079 0.3346
            Restormer 19.31 0.4982 0.6556
            Dropout 28.39 0.7816 0.2621
            baseline 28.89 0.7595 0.2917
            Ours 29.44 0.7920 0.2368
            """,
            ),
        ],
        columns=["noise", "level", "model", *METRICS],
    )
    .set_index(["noise", "level", "model"])
    .sort_index()
)
