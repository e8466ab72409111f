"""Renders: repeatable, resumable, never mixed; and the data set of renders in every layout."""

import json
import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest
from PIL import Image

from benchmark.noise import to_uint8
from benchmark.pixels import psnr
from benchmark.rendering import mitsuba as driver
from benchmark.rendering import render
from benchmark.rendering.exr import read_exr
from benchmark.rendering.mitsuba import CHUNK, pick_variant, render_scene, seeds_of
from benchmark.rendering.render import RenderConfig, render_pairs
from benchmark.rendering.scene import SCENES, Scene, digest
from benchmark.rendering.tone_mapping import tone_map
from noise_models.render import MonteCarlo
from noise_models.scenes import Caustic, Indirect

SHIPPED = ("caustic", "depth_of_field", "fog", "glossy", "indirect", "textured")
every_scene = pytest.mark.parametrize("name", sorted(SCENES))


@pytest.fixture
def mitsuba():
    return pytest.importorskip("mitsuba", reason="renders need Mitsuba: noisebench[render]")


@pytest.fixture
def tiny(tmp_path) -> RenderConfig:
    return RenderConfig(scenes=["indirect"], spp=[16], reference=160, size=12, out=str(tmp_path))


def test_a_picture_is_the_same_to_the_bit_for_one_seed_and_another_for_another(mitsuba):
    first, again, other = (render_scene(Indirect(), 12, 16, seed) for seed in (3, 3, 4))
    assert first.shape == (12, 12, 3) and first.dtype == np.float32
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_no_two_images_share_a_seed():
    keys = [(scene, spp, seed) for scene in SHIPPED for spp in (64, 128, 4096) for seed in (0, 1)]
    seeds = [number for key in keys for number in seeds_of(*key)]
    assert len(set(seeds)) == len(seeds) == 12 * (1 + 2 + 64)
    assert all(0 <= number < 2**32 for number in seeds)


def test_pixels_do_not_share_their_noise(mitsuba):
    pair = [render_scene(Indirect(), 48, 16, seed) for seed in (0, 1)]
    noise = np.tanh(pair[0] - pair[1]).mean(2)  # the tails are heavy
    together = np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]
    assert abs(together) < 4 / 48


@every_scene
def test_every_scene_renders_to_light(mitsuba, name):
    linear = render_scene(SCENES[name](), 8, 2)
    assert np.isfinite(linear).all() and linear.min() >= 0 and linear.max() > 0.01


@pytest.mark.slow
def test_more_samples_are_less_noise(mitsuba):
    few, more, reference = (
        to_uint8(tone_map(render_scene(Indirect(), 16, spp))) for spp in (16, 128, 1024)
    )
    assert psnr(few, reference, 1) + 3 < psnr(more, reference, 1)


def test_a_folder_gets_every_image_and_a_record_of_how_they_were_made(mitsuba, tiny, tmp_path):
    written = render_pairs(tiny)
    assert [path.name for path in written] == ["indirect_160spp.png", "indirect_16spp.png"]
    assert {path.name for path in tmp_path.iterdir()} == {
        "indirect_16spp.png",
        "indirect_160spp.png",
        "render.json",
    }
    record = json.loads((tmp_path / "render.json").read_text())
    assert record["settings"]["variant"] == "scalar_rgb"
    assert record["settings"]["mitsuba"] == mitsuba.__version__
    assert record["scenes"] == {"indirect": digest(Indirect())}
    assert len(record["images"]["indirect_160spp.png"]["seeds"]) == 3
    pair = MonteCarlo(path=str(tmp_path), levels=(16,)).read("indirect", 16)
    assert pair.clean.shape == pair.noisy.shape == (12, 12, 3)


def test_a_finished_image_is_not_rendered_again(mitsuba, tiny, tmp_path, monkeypatch):
    render_pairs(tiny)
    monkeypatch.setattr(render, "render_scene", None)
    render_pairs(tiny)


@pytest.mark.parametrize("content", ["", "[]", '{"settings": 1}', '{"settings": {'])
def test_a_damaged_record_is_a_sentence_which_names_it(mitsuba, tiny, tmp_path, content):
    render_pairs(tiny)
    (record,) = tmp_path.rglob("render.json")
    record.write_text(content)
    with pytest.raises(ValueError, match=r"render.json is no record of a render, or a damaged one"):
        render_pairs(tiny)


def test_a_damaged_picture_is_a_sentence_and_a_damaged_chunk_is_made_again(mitsuba, tiny, tmp_path):
    aside = tmp_path / "aside.npz"
    aside.write_bytes(b"junk")
    with pytest.warns(UserWarning, match="aside.npz is damaged: its picture is begun anew"):
        again = render_scene(Indirect(), 12, CHUNK, aside=aside)
    np.testing.assert_array_equal(again, render_scene(Indirect(), 12, CHUNK))
    picture = render_pairs(tiny)[0]
    picture.write_bytes(b"")
    with pytest.raises(ValueError, match=picture.name):
        render_pairs(tiny)


def test_a_stopped_render_goes_on_from_its_last_chunk(mitsuba, tmp_path):
    whole = render_scene(Indirect(), 12, 3 * CHUNK)
    aside, chunks = tmp_path / "aside.npz", []

    def stop_after_two() -> None:
        chunks.append(1)
        if len(chunks) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render_scene(Indirect(), 12, 3 * CHUNK, aside=aside, advance=stop_after_two)
    with np.load(aside) as stored:
        assert stored["done"] == 2
        doubled = {"total": stored["total"] * 2, "done": 2}
    np.testing.assert_array_equal(whole, render_scene(Indirect(), 12, 3 * CHUNK, aside=aside))
    np.savez(aside, **doubled)  # what was stored is used, not rendered once more
    assert render_scene(Indirect(), 12, 3 * CHUNK, aside=aside).mean() > 1.5 * whole.mean()


def test_where_it_was_stopped_no_picture_of_few_samples_is_taken_for_the_reference(
    mitsuba, tiny, tmp_path, monkeypatch
):
    tiny, made = replace(tiny, spp=(16, 32)), []

    def stop_before_the_last(*arguments):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(arguments)
        return render_scene(*arguments)

    monkeypatch.setattr(render, "render_scene", stop_before_the_last)
    with pytest.raises(KeyboardInterrupt):
        render_pairs(tiny)
    noise = MonteCarlo(path=str(tmp_path), levels=(16,))
    assert noise.listing(tmp_path)["indirect"][0].name == "indirect_160spp.png"


def test_two_processes_which_render_into_one_folder_keep_each_other_s_record(
    mitsuba, tiny, tmp_path, monkeypatch
):
    def other_meanwhile(*arguments):
        monkeypatch.setattr(render, "render_scene", render_scene)
        render_pairs(replace(tiny, scenes=("glossy",)))
        return render_scene(*arguments)

    monkeypatch.setattr(render, "render_scene", other_meanwhile)
    render_pairs(tiny)
    both = replace(tiny, scenes=("glossy", "indirect"))
    monkeypatch.setattr(render, "render_scene", None)
    assert len(render_pairs(both)) == 4


@pytest.mark.parametrize(("setting", "value"), [("size", 13), ("seed", 1), ("tonemap", "reinhard")])
def test_a_folder_is_not_continued_with_another_setting(mitsuba, tiny, setting, value):
    render_pairs(tiny)
    with pytest.raises(ValueError, match=f"begun with {setting}=.*out=FOLDER"):
        render_pairs(replace(tiny, **{setting: value}))


def test_a_folder_is_not_continued_with_a_scene_that_changed(mitsuba, tiny, monkeypatch):
    render_pairs(tiny)
    monkeypatch.setattr(Indirect, "describe", Caustic.describe)
    with pytest.raises(ValueError, match="scene 'indirect' is another"):
        render_pairs(tiny)


def test_a_picture_from_elsewhere_is_not_taken_for_a_render(mitsuba, tiny, tmp_path):
    picture = tmp_path / "indirect_16spp.png"
    Image.new("RGB", (12, 12)).save(picture)
    before = picture.read_bytes()
    with pytest.raises(ValueError, match="was not rendered here"):
        render_pairs(tiny)
    assert picture.read_bytes() == before


@pytest.mark.parametrize(("works", "chosen"), [(True, "llvm_ad_rgb"), (False, "scalar_rgb")])
def test_auto_takes_llvm_only_where_it_works(mitsuba, monkeypatch, works, chosen):
    monkeypatch.setattr(driver, "llvm_works", lambda: works)
    assert pick_variant("auto") == chosen


def test_auto_keeps_the_variant_which_a_folder_was_begun_with(mitsuba, tiny, monkeypatch):
    render_pairs(tiny)
    monkeypatch.setattr(driver, "llvm_works", lambda: True)
    render_pairs(replace(tiny, variant="auto"))
    with pytest.raises(ValueError, match="begun with variant=scalar_rgb"):
        render_pairs(replace(tiny, variant="llvm_ad_rgb"))


def test_llvm_which_kills_the_process_is_a_sentence(mitsuba, monkeypatch):
    monkeypatch.setattr(driver, "llvm_works", lambda: False)
    with pytest.raises(ValueError, match="llvm_ad_rgb does not work here.*DRJIT_LIBLLVM_PATH"):
        pick_variant("llvm_ad_rgb")


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("scenes", ["causticc"], "unknown scene 'causticc'; did you mean 'caustic'"),
        ("scenes", [], "scenes is empty"),
        ("spp", [8], "spp needs numbers of 16 or more"),
        ("spp", [], "spp needs numbers of 16 or more"),
        ("reference", 16, "reference=16 must be more"),
        ("size", 0, "size must be 1 or more"),
        ("tonemap", "aces", "unknown tonemap 'aces'; known: clip, reinhard"),
        ("variant", "cuda", "unknown variant 'cuda'; known: auto, scalar_rgb"),
    ],
)
def test_a_setting_that_makes_no_sense_is_a_sentence(mitsuba, tiny, setting, value, sentence):
    with pytest.raises((ValueError, KeyError)) as caught:
        render_pairs(replace(tiny, **{setting: value}))
    assert sentence in str(caught.value)


def test_without_mitsuba_one_is_told_what_to_install(tiny, monkeypatch):
    monkeypatch.setattr(driver.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'noisebench\[render\]'"):
        render_pairs(tiny)


def test_a_scene_of_ones_own_renders_like_ours(mitsuba):
    @dataclass(frozen=True)
    class Lamp(Scene):
        name = "lamp"

        def describe(self) -> dict[str, object]:
            light = {"type": "constant", "radiance": {"type": "rgb", "value": [0.25, 0.5, 2.0]}}
            sensor = {"type": "perspective", "fov": 40, "to_world": np.eye(4)}
            return {"integrator": {"type": "path"}, "sensor": sensor, "light": light}

    linear = render_scene(Lamp(), 4, 2)
    np.testing.assert_allclose(linear, np.full((4, 4, 3), [0.25, 0.5, 2.0]), rtol=1e-5)


def test_the_tone_map_cuts_and_applies_the_transfer_function_of_srgb():
    light = np.array([-1, 0, 0.0031308, 0.5, 1, 4])[:, None, None] * np.ones(3)
    encoded = tone_map(light)[:, 0, 0]
    np.testing.assert_allclose(
        encoded, [0, 0, 12.92 * 0.0031308, 1.055 * 0.5 ** (1 / 2.4) - 0.055, 1, 1], atol=1e-12
    )


def test_reinhard_divides_by_one_plus_luminance():
    grey = np.full((1, 1, 3), 4.0)
    np.testing.assert_allclose(tone_map(grey, "reinhard"), tone_map(np.full((1, 1, 3), 0.8)))
    green = tone_map(np.array([[[0, 1.0, 0]]]), "reinhard")
    np.testing.assert_allclose(green, tone_map(np.array([[[0, 1 / 1.7152, 0]]])))


def test_the_shipped_set_is_six_scenes_small_and_as_noisy_as_its_levels_say():
    dataset = MonteCarlo()
    assert dataset.images() == list(SHIPPED)
    dataset.check()
    for name in dataset.images():
        mild, hard = (dataset.read(name, level) for level in dataset.levels)
        assert mild.clean.shape == mild.noisy.shape == hard.noisy.shape == (256, 256, 3)
        np.testing.assert_array_equal(mild.clean, hard.clean)
        errors = [psnr(to_uint8(pair.noisy), to_uint8(pair.clean), 1) for pair in (hard, mild)]
        assert 20 < errors[0] < errors[1] < 35, name
    assert sum(path.stat().st_size for path in dataset.folder().iterdir()) <= 3e6


@pytest.mark.slow
def test_the_shipped_set_shows_the_scenes_as_they_are_now():
    record = json.loads((MonteCarlo().folder() / "render.json").read_text())
    assert record["scenes"] == {name: digest(SCENES[name]()) for name in SHIPPED}


def write_exr(path, linear: np.ndarray) -> None:
    """As Firmino et al. have them: many layers, and R, G, B not the first of them."""
    pytest.importorskip("mitsuba", reason="EXR files need Mitsuba: noisebench[render]")
    names = ["Albedo.R", "Albedo.G", "Albedo.B", "B", "G", "R", "Normal.X", "Variance.R"]
    layers = np.full((*linear.shape[:2], len(names)), 7, np.float32)
    layers[..., [5, 4, 3]] = linear
    driver.load_mitsuba().Bitmap(layers, channel_names=names).write(str(path))


def test_the_layout_of_firmino_is_read_from_the_layers_rgb(tmp_path):
    rng = np.random.default_rng(0)
    light = {spp: rng.uniform(0, 2, (16, 20, 3)).astype(np.float32) for spp in (64, 128, 32768)}
    for spp, linear in light.items():
        write_exr(tmp_path / f"living-room_{spp:06d}spp.exr", linear)
    write_exr(tmp_path / "living-room_000064spp.sure.exr", light[64])
    dataset = MonteCarlo(path=str(tmp_path))
    assert dataset.images() == ["living-room"]
    dataset.check()
    for level in (64, 128):
        pair = dataset.read("living-room", level)
        np.testing.assert_array_equal(to_uint8(pair.clean), to_uint8(tone_map(light[32768])))
        np.testing.assert_array_equal(to_uint8(pair.noisy), to_uint8(tone_map(light[level])))
    other = MonteCarlo(path=str(tmp_path), tonemap="reinhard").read("living-room", 64)
    np.testing.assert_array_equal(to_uint8(other.noisy), to_uint8(tone_map(light[64], "reinhard")))


def test_the_layout_of_idf_is_read_with_the_highest_spp_as_the_clean_image(tmp_path):
    for spp, value in ((64, 10), (128, 20), (32768, 30)):
        pixels = np.full((16, 16, 3), value, np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"my_bathroom_{spp}spp.png")
    dataset = MonteCarlo(path=str(tmp_path))
    assert dataset.images() == ["my_bathroom"]
    hard = dataset.read("my_bathroom", 64)
    assert {*hard.clean.ravel() * 255} == {30} and {*hard.noisy.ravel() * 255} == {10}


def test_suffixes_count_in_any_case_and_other_pictures_are_named(tmp_path):
    for name in ("room_64spp.png", "room_128spp.Png", "room_4096spp.PNG", "room_reference.PNG"):
        Image.new("RGB", (16, 16)).save(tmp_path / name, format="png")
    with pytest.warns(UserWarning, match="not called SCENE_SPPspp .* read: room_reference.PNG$"):
        (found,) = MonteCarlo(path=str(tmp_path)).listing(tmp_path).values()
    names = [path.name for path in found]
    assert names == ["room_4096spp.PNG", "room_128spp.Png", "room_64spp.png"]


@pytest.mark.parametrize("present", [(128, 32768), (64, 128)])
def test_a_scene_without_a_level_or_without_a_reference_is_a_sentence(tmp_path, present):
    for spp in present:
        Image.new("RGB", (16, 16)).save(tmp_path / f"room_{spp}spp.png")
    listed = ", ".join(map(str, present))
    with pytest.raises(ValueError, match=f"room with {listed} spp, but level .* above it"):
        MonteCarlo(path=str(tmp_path)).images()


def test_a_picture_which_is_there_twice_is_a_sentence(tmp_path):
    for name in ("room_64spp.png", "room_000064spp.exr"):
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match="are the same picture; remove one"):
        MonteCarlo(path=str(tmp_path)).images()


def test_light_beyond_the_numbers_of_an_exr_file_is_white_and_nan_is_a_sentence(tmp_path):
    path, light = tmp_path / "room_64spp.exr", np.full((8, 8, 3), 0.5, np.float32)
    light[0, 0] = np.inf
    write_exr(path, light)
    for operator in ("clip", "reinhard"):
        assert to_uint8(tone_map(read_exr(path), operator))[0, 0].tolist() == [255] * 3
    light[0, 0, 1] = np.nan
    write_exr(path, light)
    with pytest.raises(ValueError, match=r"room_64spp.exr has 1 values which are NaN"):
        read_exr(path)


def test_one_thread_does_not_wait_for_ever_for_an_exr_file(tmp_path):
    write_exr(tmp_path / "room_64spp.exr", np.full((8, 8, 3), 0.5, np.float32))
    code = "import drjit, sys; from pathlib import Path; drjit.set_thread_count(1); from "
    code += "benchmark.rendering.exr import read_exr; print(read_exr(Path(sys.argv[1])).mean())"
    words = [sys.executable, "-c", code, str(tmp_path / "room_64spp.exr")]
    assert subprocess.run(words, capture_output=True, timeout=120, check=True).stdout == b"0.5\n"


def test_a_damaged_exr_file_is_a_sentence(tmp_path):
    pytest.importorskip("mitsuba", reason="EXR files need Mitsuba: noisebench[render]")
    path = tmp_path / "room_64spp.exr"
    path.write_bytes(b"v/1\x01 not much else")
    with pytest.raises(ValueError, match="cannot be read as an EXR file"):
        read_exr(path)


@pytest.mark.parametrize("levels", [(), (0.5,), (-1,), (float("nan"),)])
def test_levels_are_whole_numbers_of_samples(levels):
    with pytest.raises(ValueError, match="mc_render needs whole levels"):
        MonteCarlo(levels=levels)
