"""Mistakes of users: one line, one status, and nothing written; what they need not load."""

import subprocess
import sys

import pytest
from command_results import ENVIRONMENT


@pytest.mark.parametrize("arguments", [["--help"], [], ["--version"], ["rum"]])
def test_help_and_unknown_commands_need_neither_torch_nor_hydra(arguments):
    script = (
        "import sys, benchmark.cli as cli\n"
        "try: cli.main()\n"
        "finally: print('loaded', [name for name in ('torch', 'hydra') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], env=ENVIRONMENT, capture_output=True, text=True
    )
    assert "loaded []" in done.stdout


# mistakes


@pytest.mark.sampled(every=6)
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("rum", "unknown command 'rum'; did you mean 'run'? Known: run, report, train, ablate,"),
        ("run model=identiti", "unknown denoiser 'identiti'; did you mean 'identity' or"),
        ("run noise=gausian", "unknown noise model 'gausian'; did you mean 'gaussian' or"),
        ("run data=kodak", "unknown dataset 'kodak'; did you mean 'kodak24'?"),
        ("run metric=[psnr,sim]", "unknown metric 'sim'; did you mean 'ssim' or"),
        ("run reference=[identiy]", "unknown denoiser 'identiy'; did you mean 'identity' or"),
        ("run sede=[1]", "unknown setting 'sede'; did you mean 'seeds'?"),
        ("run noise.gaussian.levls=[1]", "unknown setting 'noise.gaussian.levls'; did you mean 'l"),
        ("run noise=poisson noise.gaussian.levels=[1]", "unknown setting 'noise.gaussian'."),
        (
            "run +model.tv5={of:tv,sgma:5}",
            "unknown setting 'sgma'; did you mean 'sigma'?",
        ),
        ("run +model.tv5={of:tw,sigma:5}", "unknown denoiser 'tw'; did you mean 'tv'?"),
        ("run noise.gaussian.levels=loud", "noise.gaussian.levels=loud"),
        ("run noise.gaussian.levels=[1,???]", "noise.gaussian.levels[1]=??? is no value"),
        ("run data.photos.limit=some", "data.photos.limit=some"),
        ("run +model.tv5={of:tv,sigma:much}", "'much'"),
        ("run noise.gaussian.levels=[-1]", "gaussian needs a finite level >= 0"),
        ("run shard=3/2", "shard=3/2 should be PART/PARTS"),
        ("run device=tpu", "device=tpu is not here"),
        ("run data=folder data.folder.path=nowhere", "there is no folder nowhere"),
        ("run +model.net={of:dncnn,weights:none.pt}", "no weights for 'dncnn' at none.pt"),
        ("run model=[identity", "a bracket is never closed; write 'model=[identity]'"),
        ("report out=nowhere", "no finished cells under nowhere"),
        ("train model=tv", "'tv' has nothing to train"),
        ("train model=dncnn steps=0", "steps must be above 0"),
        ("train model=dncnn stepps=5", "unknown setting 'stepps'; did you mean 'steps'?"),
        ("train model=dncnn noise=[gaussian,poisson]", "bench train takes one noise at a time"),
        (
            "train model=dncnn noise=mc_render",
            "'mc_render' is recorded noise, which comes with its",
        ),
        ("check-model onnx", "onnx needs a file: model.onnx.file=FILE"),
        ("list modle", "unknown kind or name 'modle'; did you mean 'model'? Known: all, model,"),
        ("noise gausian", "unknown noise model 'gausian'; did you mean 'gaussian'"),
        ("noise gaussian data=[photos,kodak24]", "the images of one dataset at a time"),
        ("run noise=isp noise.isp.camera=none.dng", "cannot use the camera file 'none.dng'"),
        (
            "run noise=gaussian(15) noise.gaussian.levels=[25]",
            "noise=gaussian(15) says its level, and so does noise.gaussian.levels=[25]; leave one",
        ),
        ("run noise=mc_render noise.mc_render.levels=[32]", "level 32 needs a picture of its own"),
        ("render scenes=[fogg]", "unknown scene 'fogg'; did you mean 'fog'?"),
        ("submit model=identity data=photos", "'photos' has its clean images here: score it with"),
        ("submit model=[identity,tv] data=dnd", "one model and one dataset at a time"),
    ],
)
def test_a_mistake_is_one_line_on_stderr_and_status_2(bench, tmp_path, arguments, sentence):
    words = arguments.split()
    if words[0] == "run" and "model=" not in arguments:
        words.insert(1, "model=identity")
    if words[0] == "run" and "noise" not in arguments:
        words.append("noise=gaussian")
    status, out, err = bench(*words)
    assert status == 2, err
    assert err.startswith("bench: ")
    assert err.count("\n") == 1
    assert sentence in err
    assert not list(tmp_path.iterdir())


def test_a_defect_of_ours_is_not_dressed_up_as_a_mistake(bench, called):
    def broken(*_: object) -> None:
        raise RuntimeError("ours")

    called("list", broken)
    with pytest.raises(RuntimeError, match="ours"):
        bench("list")
