"""The two masks hide what the paper says, when it says so, and the harness's seed rules them."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from baselines.swinir import Baseline
from benchmark.denoiser import DENOISERS
from masked_model.masking import AttentionMask, InputMask
from masked_model.swinir import MaskedSwinIR

GOLDEN = Path(__file__).parents[1] / "golden" / "networks"
TINY = {"embed_dim": 12, "depths": (2,), "num_heads": 2}
IMAGE = torch.rand(1, 3, 13, 21, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def the_same_draws_in_every_run() -> None:
    torch.manual_seed(0)


def within_four_errors(share: float, ratio: float, count: int) -> bool:
    return abs(share - ratio) < 4 * (ratio * (1 - ratio) / count) ** 0.5


def twins(**settings: object) -> tuple[MaskedSwinIR, Baseline]:
    """A masked network and its baseline, with the same weights."""
    torch.manual_seed(0)
    masked, baseline = MaskedSwinIR(**TINY, **settings), Baseline(**TINY)
    for parameter in masked.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    baseline.load_state_dict(masked.state_dict())
    return masked, baseline


def seeded(network: MaskedSwinIR, seed: int = 5) -> torch.Tensor:
    torch.manual_seed(seed)
    return network.denoise(IMAGE)


# input mask


def test_the_input_mask_hides_the_named_share_of_pixels():
    hidden = InputMask((85, 85))(torch.rand(4, 3, 128, 128)) < 0
    assert within_four_errors(hidden[:, 0].float().mean().item(), 0.85, 4 * 128 * 128)


def test_each_image_draws_its_own_ratio_from_the_whole_range():
    hidden = InputMask((80, 90))(torch.rand(400, 1, 64, 64)) < 0
    shares = hidden.float().mean((1, 2, 3))
    assert within_four_errors(shares.min().item(), 0.80, 64 * 64)
    assert within_four_errors(shares.max().item(), 0.90, 64 * 64)
    # eleven integers, both ends included: deviation of the ratio is sqrt(10) percent
    assert shares.mean().item() == pytest.approx(0.85, abs=4 * 0.0316 / 20)
    assert shares.std().item() == pytest.approx(0.0316, rel=0.15)


def test_hidden_pixels_are_below_every_real_one_in_all_channels_and_the_rest_is_untouched():
    image = torch.rand(2, 3, 32, 32)
    before = image.clone()
    masked = InputMask()(image)
    hidden = masked[:, :1] < 0
    assert torch.equal(masked, torch.where(hidden, torch.tensor(-0.1), image))
    assert torch.equal(image, before)


def test_a_network_says_what_its_mask_writes_into_a_hidden_pixel():
    image = InputMask((100, 100)).train()(IMAGE)
    assert (image == MaskedSwinIR.hidden_pixel).all()
    assert Baseline.hidden_pixel == 0


def test_the_input_mask_computes_the_published_formula(monkeypatch):
    with np.load(GOLDEN / "input_mask.npz") as golden:
        noisy, masked = (
            torch.from_numpy(golden[k]).movedim(-1, 0)[None] for k in ("noisy", "masked")
        )
        chance = torch.from_numpy(golden["mask"])[None, None].float()  # 1 keeps
    monkeypatch.setattr(torch, "rand_like", lambda like: chance)
    torch.testing.assert_close(InputMask((80, 90))(noisy), masked)


def test_the_input_mask_is_off_in_evaluation():
    image = torch.rand(2, 3, 8, 8)
    assert InputMask().eval()(image) is image


def test_a_test_ratio_hides_pixels_in_evaluation_alone():
    mask = InputMask((0, 0), at_test=30)
    image = torch.rand(4, 3, 128, 128)
    assert mask(image) is image  # training hides by its own ratio
    hidden = mask.eval()(image)[:, 0] < 0
    assert within_four_errors(hidden.float().mean().item(), 0.30, 4 * 128 * 128)


def test_every_pass_hides_pixels_of_its_own():
    network, _ = twins(test_ratio=50, passes=2, mask=False)
    one, _ = twins(test_ratio=50, mask=False)
    torch.manual_seed(5)
    first, second = one.eval().denoise(IMAGE, clamp=False), one.denoise(IMAGE, clamp=False)
    torch.manual_seed(5)
    both = network.eval().denoise(IMAGE, clamp=False)
    assert not torch.equal(first, second)
    torch.testing.assert_close(both, (first + second) / 2)


@pytest.mark.parametrize("ratio", [-1, 101, 0.2])
def test_a_test_ratio_is_a_whole_percentage(ratio):
    with pytest.raises(ValueError, match="0 to 100; got"):
        MaskedSwinIR(**TINY, test_ratio=ratio)


# attention mask


@pytest.mark.parametrize("training", [True, False], ids=["training", "testing"])
def test_the_attention_mask_zeroes_whole_tokens_and_scales_none(training):
    tokens = torch.rand(2, 10, 10, 64, 6) + 1
    masked = AttentionMask().train(training)(tokens)
    zeroed = (masked == 0).all(-1)
    assert within_four_errors(zeroed.float().mean().item(), 0.75, zeroed.numel())
    assert torch.equal(masked[~zeroed], tokens[~zeroed])


def test_windows_and_images_are_masked_independently():
    kept = AttentionMask((50, 50))(torch.ones(2, 1, 200, 64, 1))[:, 0, :, :, 0]
    assert within_four_errors((kept[0] == kept[1]).float().mean().item(), 0.5, 200 * 64)
    assert within_four_errors(
        (kept[:, :-1] == kept[:, 1:]).float().mean().item(), 0.5, 2 * 199 * 64
    )
    assert kept.sum(-1).unique().numel() > 1  # independent tokens, not a fixed count


def test_one_ratio_is_drawn_for_each_call():
    mask = AttentionMask((0, 100))
    kept = torch.stack([mask(torch.ones(2, 1, 500, 64, 1)).mean((1, 2, 3, 4)) for _ in range(30)])
    torch.testing.assert_close(kept[:, 0], kept[:, 1], atol=0.02, rtol=0)
    assert kept.max() - kept.min() > 0.5


def test_the_attention_mask_can_be_switched_off_in_testing_but_not_in_training():
    tokens = torch.ones(4, 64, 6)
    mask = AttentionMask(at_test=False)
    assert (mask(tokens) == 0).any()
    assert torch.equal(mask.eval()(tokens), tokens)


@pytest.mark.parametrize("ratio", [(90, 80), (-1, 50), (50, 101)])
@pytest.mark.parametrize("mask", [InputMask, AttentionMask])
def test_a_ratio_is_two_percentages_in_order(mask, ratio):
    with pytest.raises(ValueError, match="two percentages, the lower one first"):
        mask(ratio)


# the network


def test_test_time_output_is_random_and_the_seed_decides_it():
    masked, _ = twins()
    first = seeded(masked)
    assert torch.equal(seeded(masked), first)
    assert not torch.equal(seeded(masked, seed=6), first)


def test_no_generator_but_torchs_is_used():
    masked, _ = twins()
    before = random.getstate(), str(np.random.get_state())
    seeded(masked)
    masked.train()(torch.rand(2, 3, 16, 16))
    assert (random.getstate(), str(np.random.get_state())) == before


def test_without_masks_the_network_is_its_baseline():
    masked, baseline = twins(mask=False)
    assert torch.equal(seeded(masked), baseline.denoise(IMAGE))
    assert torch.equal(seeded(masked, seed=6), seeded(masked, seed=7))
    assert not torch.equal(seeded(twins()[0]), baseline.denoise(IMAGE))


def test_mask_off_at_test_time_still_masks_in_training():
    masked, baseline = twins(mask=False, drop_path=0.0)
    noisy = torch.rand(2, 3, 16, 16)
    masked.input_mask.eval()
    baseline.eval()
    assert not torch.allclose(masked(noisy), baseline(noisy))


def test_passes_are_averaged_before_anything_is_clamped():
    one, _ = twins()
    three, _ = twins(passes=3)
    torch.manual_seed(5)
    with torch.inference_mode():
        one.eval()
        mean = torch.stack([one(IMAGE) for _ in range(3)]).mean(0).clamp(0, 1)
    torch.testing.assert_close(seeded(three), mean)
    assert not torch.equal(seeded(three), seeded(one))
    with pytest.raises(ValueError, match="one pass or more, got passes=0"):
        MaskedSwinIR(**TINY, passes=0)


def test_every_block_has_a_mask_of_the_named_ratio():
    network = MaskedSwinIR(embed_dim=12, depths=(2, 3), num_heads=2, attention_ratio=(10, 20))
    masks = [module for module in network.modules() if isinstance(module, AttentionMask)]
    assert [mask.ratio for mask in masks] == [(10, 20)] * 5
    assert network.input_mask.ratio == (80, 90)


def test_masked_training_can_be_asked_for_without_its_test_mask_and_beside_its_baseline():
    (without,) = MaskedSwinIR.variants.values()
    assert torch.equal(seeded(twins(**without)[0]), twins()[1].denoise(IMAGE))
    assert DENOISERS[MaskedSwinIR.compared_with] is Baseline


def test_masks_are_no_part_of_the_weights():
    masked, baseline = MaskedSwinIR(**TINY), Baseline(**TINY)
    assert masked.state_dict().keys() == baseline.state_dict().keys()
