"""The figures and tables of the paper: what each asks, what makes it, what differs here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.registry import did_you_mean

CITED = (
    'Chen et al., "Masked Image Training for Generalizable Deep Image Denoising", CVPR 2023, '
    "https://arxiv.org/abs/2303.13132"
)
MIXTURE = "the mixture is our estimate: the paper's was never published"
LEVELS = "the text names no levels: ours are of its authors' noisy images, some are guesses"


@dataclass(frozen=True)
class Part:
    """One figure or table.

    Parameters
    ----------
    name
        ``figure_11``, ``table_3b``.
    asks
        The question which it answers, in our words.
    runs
        The names of the commands which make it, of `benchmark.studies.paper.plan`; the last one
        leaves what is shown. None: it is drawn with the page.
    same, other
        What is as in the paper, and what is not whatever the size of the networks.
    """

    name: str
    asks: str
    runs: tuple[str, ...]
    same: str
    other: str

    @property
    def title(self) -> str:
        """``Figure 11``, ``Table 3b``."""
        return self.name.replace("_", " ").capitalize()


PARTS = (
    Part(
        "figure_1",
        "What becomes of a SwinIR trained on Gaussian noise of sigma 15 when the noise is another?",
        ("scores", "figure_1"),
        "SwinIR and the masked network, both trained on sigma 15 alone; that noise and a mixture",
        f"{MIXTURE}, and its level here, the third, is a guess; another image",
    ),
    Part(
        "figure_2",
        "Does a network learn images or the noise? One trained on stained tissue alone should fail "
        "on photographs, if it had learnt images.",
        ("ihc", "figure_2"),
        "SwinIR and the masked network, each trained on photographs and on tissue alone; Gaussian "
        "15 on photographs",
        "the tissue is one image of scikit-image, the paper's are many of the Human Protein Atlas; "
        "the paper's third column, of masked inputs, is left out",
    ),
    Part(
        "figure_3",
        "How much of an image does a network complete when most of its pixels are hidden?",
        ("completion",),
        "pixels hidden at random, each by itself; the masked network's own value of a hidden pixel",
        "hidden in testing as well; the baseline beside it, which the paper does not show, and "
        "PSNR of hidden pixels",
    ),
    Part(
        "figure_4",
        "What is the network, and where are its masks?",
        (),
        "a convolution of one pixel, groups of Swin blocks with a convolution and a shortcut, no "
        "shortcut around them; the input mask before the first convolution, the attention mask "
        "before each attention, as the published code has them",
        "drawn from the settings of the network at this size; the paper draws the input mask "
        "behind the first convolution, where a learned token would be the same",
    ),
    Part(
        "figure_5",
        "Does the attention mask keep the brightness of images right?",
        ("masks",),
        "histograms of outputs with and without it, over that of the clean images, the difference "
        "above",
        "which image or images the paper's histograms are of is not written; here all test images",
    ),
    Part(
        "figure_6",
        "What do outputs look like without one of the masks?",
        ("masks", "figure_6"),
        "the network without masks, with one of them, with both",
        f"another image; {MIXTURE}",
    ),
    Part(
        "table_1",
        "Which of the two masks makes a network generalize?",
        ("masks",),
        "the three networks, trained alike; both metrics",
        f"{MIXTURE}; the paper tests on CBSD68",
    ),
    Part(
        "table_2",
        "How many tokens should attention do without?",
        ("attention_ratio",),
        "the three ratios; both metrics",
        f"{MIXTURE}; the paper tests on CBSD68",
    ),
    Part(
        "figure_7",
        "What does hiding more of the input cost on the training noise, and gain on others?",
        ("input_ratio",),
        "quality on the training noise against quality on others, by the input mask's ratio",
        "the mean over all other noises, where the paper does not say which it takes; fewer ratios",
    ),
    Part(
        "table_3a",
        "How many pixels of the input should training hide, and always as many?",
        ("input_ratio",),
        "five of the paper's eight ratios; both metrics",
        f"{MIXTURE}; the paper tests on CBSD68; 95, 75-90 and 75-95 are not trained, 85-95 is ours",
    ),
    Part(
        "figure_8",
        "What do all networks make of noises which none of them was trained on?",
        ("scores", "figure_8"),
        "the paper's networks and noises which are not Gaussian",
        f"another image; {LEVELS}; {MIXTURE}",
    ),
    Part(
        "figure_9",
        "Does it remove the noise of Monte-Carlo rendering?",
        ("scores", "figure_9"),
        "the paper's networks; an image of few samples per pixel, tone-mapped to sRGB",
        "the paper's test images were never published: ours are our own scenes, rendered anew",
    ),
    Part(
        "table_3b",
        "The same in numbers: which network is best on rendered images?",
        ("scores",),
        "64 and 128 samples per pixel; the paper's networks",
        "the paper's test images were never published: ours are our own scenes, rendered anew, so "
        "only the order of networks can be compared; LPIPS only where its weights are",
    ),
    Part(
        "figure_10",
        "Does it remove the noise of a camera, developed by its image signal processor?",
        ("scores", "figure_10"),
        "the noise of Brooks et al.; the paper's networks",
        "another image; random numbers of our own",
    ),
    Part(
        "table_3c",
        "The same in numbers: which network is best on noise of an image signal processor?",
        ("scores",),
        "the noise of Brooks et al. at its default parameters, our level 1; the paper's networks",
        "the paper tests on whole images of Kodak24; LPIPS only where its weights are",
    ),
    Part(
        "figure_11",
        "How does quality fall as noise gets stronger?",
        ("scores", "figure_11"),
        "PSNR and SSIM against the levels of four noises; the paper's networks",
        "which four noises it is of, the paper's text does not say: correlated, Poisson, salt and "
        "pepper and speckle are a guess; the paper tests on whole images of Kodak24",
    ),
    Part(
        "figure_12",
        "Do deep layers of the plain network treat another noise differently, and those of the "
        "masked one alike?",
        ("cka",),
        "CKA of all layers of the two networks, and of each under Gaussian noise and another",
        "which images, crops, layers and levels the paper takes is not written; ours are crops of "
        "64x64, one layer a block, Gaussian 15 and the middle level of the others",
    ),
    Part(
        "figure_13",
        "Does quality on other noises fall while a network goes on learning its own?",
        ("curves",),
        "the networks with and without masks, tested while they are trained on sigma 15",
        "tested on images held out from training; which noises and levels the paper has is not "
        "written",
    ),
    Part(
        "figure_14",
        "How far do the deepest features move under another noise, by SRGA?",
        ("srga",),
        "SRGA as its authors' code has it, with Gaussian noise as the reference",
        "the reference's level is not written, 15 is a guess; tiny and small networks by 200 crops "
        "of 64x64, where its authors take 800 of 128x128; each number stands beside its floor, "
        "which the paper does not measure",
    ),
    Part(
        "figure_15",
        "Are the values of the deepest features distributed alike under different noises?",
        ("features",),
        "histograms of the deepest features, a row a network, a panel a noise",
        f"{LEVELS}; a distance stands beside each picture",
    ),
)


def chosen_parts(only: Sequence[str]) -> list[Part]:
    """The parts of these names, in the paper's order; of ``all``, every one.

    Raises
    ------
    ValueError
        If there is no such figure or table.
    """
    known = [part.name for part in PARTS]
    for name in only:
        if name not in ("all", *known):
            hint = did_you_mean(name, known)
            raise ValueError(f"the paper has no '{name}'{hint} It has: {', '.join(known)}")
    return [part for part in PARTS if "all" in only or part.name in only]
