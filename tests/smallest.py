"""Each of our networks as small as it has all of its parts, by its name: its settings."""

SMALLEST = {
    "dncnn": {"depth": 3, "width": 4},
    "ridnet": {"width": 16},
    "restormer": {
        "dim": 8,  # over two channels, a norm divides by next to nothing
        "num_blocks": (1, 1, 1, 1),
        "num_refinement_blocks": 1,
        "heads": (1, 1, 1, 1),
    },
    "idf": {"iterations": 2, "width": 4},
    "swinir": {"embed_dim": 4, "depths": (2,), "num_heads": 2},
    "baseline": {"embed_dim": 4, "depths": (2,), "num_heads": 2},
    "dropout": {"embed_dim": 4, "depths": (2,), "num_heads": 2},
    "rnan": {"groups": 2, "width": 2},
    "masked": {"embed_dim": 4, "depths": (2,), "num_heads": 2, "passes": 2},
}
