"""Words as people type them: what is put into Hydra's grammar, and what is a mistake."""

import os
from importlib import import_module

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from benchmark.cli.command import all_commands
from benchmark.cli.registered.catalogue import open_catalogue
from benchmark.cli.words.grammar import quoted
from benchmark.cli.words.read import read_words

HOME = os.path.expanduser("~")
PARENTHESES = "(" * 5000 + "gaussian(1)" + ")" * 5000


def in_grammar(command: str, *words: str) -> list[str]:
    return read_words(all_commands()[command], list(words), open_catalogue())


def read(command: str, *words: str) -> dict[str, object]:
    """What Hydra makes of words, by key: a list for several values of a sweep."""
    found = OverridesParser.create().parse_overrides(in_grammar(command, *words))
    return {
        o.key_or_group: [v for v in o.sweep_iterator()] if o.is_sweep_override() else o.value()
        for o in found
    }


TEXTS = [
    "results/local",
    "my folder",
    "my folder (1)",
    "Fotos für Übung",
    "写真/雑音",
    "a=b",
    "(a)",
    "it's",
    'say "cheese"',
    r"C:\Users\me\photos",
    "ends with a backslash\\",
    r"a \"b",
    "a,b",
    "a:b",
    "100%",
    "50€",
    "a#b",
    "a;b",
    "a&b!",
    "[2020] holidays",
    "{x",
    "007",
    "1_000",
    "1e5",
    "2024",
    "true",
    "nan",
    "$HOME",
    "-",
    "a ~ b",
    "choice(a,b)",
    "x" * 300,
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("key", ["out", "data.folder.path", "+noise.mine.camera"])
def test_a_text_is_taken_letter_by_letter(text, key):
    ((found, value),) = read("run", f"{key}={text}").items()
    assert found == key.lstrip("+")
    assert str(value) == text


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_in_a_list_is_taken_letter_by_letter(text):
    if "," in text or text[0] in "[{":
        text = quoted(text)
    expected = text if text[0] != '"' else text[1:-1]
    (value,) = read("zoo", f"weights=[{text},b]").values()
    assert [str(item) for item in value] == [expected, "b"]


@pytest.mark.parametrize(
    ("command", "word", "key", "value"),
    [
        ("run", "out=~/x", "out", f"{HOME}/x"),
        ("run", "out=~", "out", HOME),
        ("run", "out='~/x'", "out", f"{HOME}/x"),
        ("run", 'out="my folder"', "out", "my folder"),
        ("run", "out='my folder'", "out", "my folder"),
        ("run", "shard=2/8", "shard", "2/8"),
        ("run", "seeds=0", "seeds", [0]),
        ("run", "seeds=[0,1]", "seeds", [0, 1]),
        ("run", "seeds=0,1", "seeds", [0, 1]),
        ("run", "noise.gaussian.levels=25", "noise.gaussian.levels", [25]),
        ("run", "+noise.mine.levels=25", "noise.mine.levels", [25]),
        ("run", "reference=bm3d", "reference", ["bm3d"]),
        ("run", "levels=null", "levels", None),
        ("run", "model.masked.weights=null", "model.masked.weights", None),
        ("run", "model.masked.weights=~/a b.pth", "model.masked.weights", f"{HOME}/a b.pth"),
        ("run", "model.tv.sigma=5", "model.tv.sigma", 5),
        ("run", "model.masked.mask=false", "model.masked.mask", False),
        (
            "run",
            "+model.x={of: masked, weights: ~/é (1).pth, mask: false}",
            "model.x",
            {"of": "masked", "weights": f"{HOME}/é (1).pth", "mask": False},
        ),
        (
            "run",
            "+noise.x={of: formula, formula: gaussian(25)+poisson(2)>>jpeg(50)}",
            "noise.x",
            {"of": "formula", "formula": "gaussian(25)+poisson(2)>>jpeg(50)"},
        ),
        ("run", "+noise.x={of: gaussian, levels: 5}", "noise.x", {"of": "gaussian", "levels": [5]}),
        ("run", "noise.formula.formula=gaussian(2)", "noise.formula.formula", "gaussian(2)"),
        ("train", "watch=[gaussian(50)]", "watch", ["gaussian(50)"]),
        ("train", "watch=gaussian(50)", "watch", ["gaussian(50)"]),
        ("train", "watch=[gaussian(50),'poisson(2)']", "watch", ["gaussian(50)", "poisson(2)"]),
        (
            "train",
            "watch=[speckle(0.1, distribution=normal)]",
            "watch",
            ["speckle(0.1, distribution=normal)"],
        ),
        ("train", "watch=[]", "watch", []),
        ("train", "start=~/a b.pth", "start", f"{HOME}/a b.pth"),
        ("train", "milestones=0.5", "milestones", [0.5]),
        ("train", "model.swinir.depths=6", "model.swinir.depths", [6]),
        ("ablate", "test_noise=a(1)+b(2)", "test_noise", ["a(1)+b(2)"]),
        ("ablate", "runs=my runs", "runs", "my runs"),
        ("tiles", "tiles=128", "tiles", [128]),
        ("passes", "averaged=1,2", "averaged", [1, 2]),
        ("render", "scenes=fog", "scenes", ["fog"]),
        ("render", "scenes=fog,glossy", "scenes", ["fog", "glossy"]),
        ("render", "spp=64", "spp", [64]),
        ("report", "model=[a,b]", "model", ["a", "b"]),
        ("zoo", "weights=a b.safetensors", "weights", ["a b.safetensors"]),
        ("check-model", "model.onnx.file=a (1).onnx", "model.onnx.file", "a (1).onnx"),
    ],
)
def test_a_word_means_what_it_says(command, word, key, value):
    assert read(command, word) == {key: value}


def test_in_a_sweep_commas_separate_runs():
    words = ["-m", "out=~/a b,c", "seeds=0,[1,2]", "model=tv,masked"]
    expected = [f'out="{HOME}/a b",c', "seeds=[0],[1,2]", "model=tv,masked", "-m"]
    assert in_grammar("run", *words) == expected


@pytest.mark.parametrize("flags", [["--cfg", "job"], ["--cfg=job"], ["-m"], ["--help"], ["--info"]])
def test_hydras_flags_are_left_to_hydra(flags):
    words = in_grammar("run", "noise=poisson", *flags, "model=tv")
    assert words == ["noise=poisson", "model=tv", *"=".join(flags).split("=")]


# mistakes in the words alone

IN_WORDS = [
    ("run model", "'model' is no setting, which is key=value; write model=VALUE"),
    ("run masked", "write model=masked"),
    ("run poisson", "write noise=poisson"),
    ("run gaussian(25)", "write 'noise=gaussian(25)'"),
    ("run sedes", "did you mean 'seeds'?"),
    ("run =5", "'=5' is no setting"),
    ("run 5", "'5' is no setting"),
    ("run mod|el=masked", "did you mean 'model'?"),
    ("run +model.tv<b>={of:tv}", "'model.tv<b>' can be no name; names are letters a to z, digits"),
    ("list a b", "'b' is no setting"),
    ("list data photos", "one word alone is the kind: write bench list photos"),
    ("run -x", "unknown flag '-x'. Known: --help, --cfg job, -m"),
    ("run --mutlirun", "unknown flag '--mutlirun'; did you mean '--multirun'?"),
    ("run --cfg", "--cfg needs a word after it: job"),
    ("run --cfg nosuch", "--cfg needs a word after it: job"),
    ("run --config-dir", "--config-dir needs a word after it"),
    ("run --", "unknown flag '--'"),
    ("run noise=gaussian noise=poisson", "write 'noise=[gaussian,poisson]'"),
    ("run noise=gaussian(25) noise=poisson(2)", "write 'noise=[gaussian(25),poisson(2)]'"),
    ("run model=tv model=tv", "model= is given 2 times; write 'model=[tv]'"),
    ("run model=masked,baseline", "write 'model=[masked,baseline]' for all of them, or -m before"),
    ("run noise=gaussian(25),poisson(2)", "write 'noise=[gaussian(25),poisson(2)]'"),
    ("run model=[masked", "a bracket is never closed; write 'model=[masked]'"),
    ("run model=masked]", "a bracket closes nothing"),
    ("run seeds=[0", "a bracket is never closed; write 'seeds=[0]'"),
    ("run +model.x={of:masked", "a bracket is never closed; write '+model.x={of:masked}'"),
    ("run +model.x={of:masked,weights:a,b}", "'b' is no KEY: VALUE; a text with a comma"),
    ('run out="my', "a quote is never closed; write 'out=\"my\"'"),
    ("run model=", "model= chooses nothing"),
    ("run noise=null", "noise=null chooses nothing"),
    ("run data=None", "data=None chooses nothing"),
    ("run model=[masked,masked]", "names masked twice; write 'model=[masked]'"),
    ("run noise=[gaussian,gaussian]", "names gaussian twice"),
    ("run metric=[psnr,,ssim]", "should be a name or a list of names"),
    ("run model=[[masked]]", "should be a name or a list of names"),
    ("run model=é", "unknown denoiser 'é'. Known: "),
    ("run noise=gau?", "unknown noise model 'gau?'; did you mean"),
    ("run noise=gaussian(25", "character 9: '(' was never closed"),
    ("run seeds=[0,,1]", "has an empty place between two commas"),
    ("zoo weights=[a,]", "has an empty place between two commas"),
    (f"run noise={PARENTHESES}", "more than 50 brackets inside each other"),
    (f"noise {PARENTHESES}", "more than 50 brackets inside each other"),
    (f"run seeds={'[' * 5000}", "more than 50 brackets inside each other"),
    (f"run out={'x' * 100_000}", "has 100004 characters; 20000 are the most"),
    (f"run seeds=[{'1,' * 20_000}]", "20000 are the most"),
    ("run out=a\0b", r"holds the control character '\x00'"),
    ("run out=\x1b[31mred", r"holds the control character '\x1b'"),
    ("run out=\udcffx", "is no text in UTF-8"),
    ("train preset=[paper,tiny]", "preset=[paper,tiny] should be one name"),
    ("train preset=null", "preset=null chooses nothing"),
    ("ablate [masks,ihc]", "ablation=[masks,ihc] should be one name"),
]


SMALL = "run model=identity noise=gaussian"

# mistakes that are seen when Hydra has composed the words

COMPOSED = [
    ("run seeds=[]", "seeds=[] selects nothing"),
    ("run noise=[]", "noise=[] selects no noise model"),
    ("run model=[]", "model=[] selects no denoiser"),
    ("run data=[]", "data=[] selects no dataset"),
    ("run metric=[]", "metric=[] selects no metric"),
    ("run noise=poisson ~noise", "noise=[] selects no noise model"),
    ("run ~seeds", "bench run needs the setting 'seeds'; leave out ~seeds"),
    ("run noise=gaussian noise.gaussian.levels=[]", "noise.gaussian.levels=[] selects nothing"),
    ("train model=[]", "model=[] selects no denoiser"),
    ("train data=[]", "data=[] selects no dataset"),
    ("ablate masks noise=[]", "noise=[] selects no noise model"),
    ("ablate masks test_noise=[]", "test_noise=[] selects nothing"),
    ("ablate nosuch", "there is no ablation/nosuch. Known: attention_ratio, ihc"),
    ("ablate masks +ablation.variants.x=5", "ablation.variants.x should have a model"),
    ("noise []", "noise=[] selects no noise model"),
    ("noise gaussian data=[]", "data=[] selects no dataset"),
    ("passes noise=[]", "noise=[] selects no noise model"),
    ("passes averaged=[]", "averaged=[] selects nothing"),
    ("tiles tiles=[]", "tiles=[] selects nothing"),
    ("tiles model=[]", "model=[] selects no denoiser"),
    ("submit data=[]", "data=[] selects no dataset"),
    ("check-model []", "model=[] selects no denoiser"),
    ("report model=[]", "model=[] selects nothing"),
    ("render spp=[]", "spp=[] selects nothing"),
    ("render scenes=[]", "scenes=[] selects nothing"),
    ("render scenes=null", "scenes=null cannot be null"),
    ("run +model.x=5", "model.x=5 is no denoiser; settings are given as model.x.KEY=VALUE"),
    ("run model=masked model.masked=null", "model.masked=null is no denoiser"),
    ("run data=kodak24 data.kodak24=null", "data.kodak24=null is no dataset"),
    ("run noise=gaussian noise.gaussian=5", "noise.gaussian=5 is no noise model"),
    ("run +metric.level=5", "metric.level=5 is no metric"),
    ("run +metric.level.x=5", "unknown metric 'level'"),
    ("run +nosuch=1", "unknown setting 'nosuch'. Known there: data, device, levels"),
    ("run +sede=1", "unknown setting 'sede'; did you mean 'seeds'?"),
    ("report +nosuch=1", "unknown setting 'nosuch'. Known there: data, formats, labels, level"),
    ("list +nosuch=1", "unknown setting 'nosuch'. Known there: kind"),
    ("train +sizes=tiny", "unknown setting 'sizes'"),
    (
        "run model=masked +model.masked.nosuch=1",
        "unknown setting 'model.masked.nosuch'. Known in model.masked: mask, of",
    ),
    (
        "run +model.identity.nosuch=1",
        "unknown setting 'model.identity.nosuch'. Known in model.identity: of",
    ),
    ("run noise=gaussian +noise.gaussian.level=2", "did you mean 'levels'?"),
    ("run noise=gaussian noise.gaussian.levels=[[1,2]]", "is one list, got another one inside it"),
    ("run seeds=[[0]]", "seeds"),
    (f"{SMALL} noise.gaussian.levels=[nan]", "gaussian needs a finite level >= 0"),
    (f"{SMALL} noise.gaussian.levels=-5", "gaussian needs a finite level >= 0"),
    (f"{SMALL} noise.gaussian.levels=1e400", "gaussian needs a finite level >= 0"),
    ("run noise=gaussian noise.gaussian.levels=[25,25]", "has 25.0 twice; name it once"),
    ("run seeds=[0,0]", "seeds=[0,0] has 0 twice"),
    ("run seeds=-1", "seeds must be 0 or more, got -1"),
    ("run seeds=[1.5]", "should be a whole number, got '1.5'"),
    ("run seeds=abc", "should be a whole number, got 'abc'"),
    ("run seeds=[99999999999999999999]", "seeds must be 9223372036854775807 or less"),
    ("run seeds=", "seeds= should be a list, such as [1,2]"),
    ("run seeds=null", "seeds=null cannot be null"),
    ("run threads=100000", "threads must be 1024 or less, got 100000"),
    ("run threads=0", "threads must be 1 or more, got 0"),
    ("run threads=x", "threads=x should be a whole number, got 'x'"),
    ("run reference=[identity,identity]", "has identity twice"),
    ("run out=", "out= names no folder"),
    ("run out=[a]", "out=[a] should be one text"),
    (f"{SMALL} levels=mached", "levels=mached is unknown; take levels=matched"),
    (f"{SMALL} tile=-5", "unknown tile=-5"),
    (f"{SMALL} shard=0/0", "shard=0/0 should be PART/PARTS"),
    (f"{SMALL} precision=fp64", "unknown precision=fp64"),
    ("run model=masked model.masked.mask=maybe", "should be true or false"),
    ("passes seed=-1", "seed must be 0 or more, got -1"),
    ("train held_out=-1", "held_out must be 0 or more, got -1"),
    ("train level=nan", "level must be a finite number, got nan"),
    (
        "run data=my/photos",
        "no name; images of your own are: data=folder data.folder.path=my/photos",
    ),
    (
        "run model=net.pth",
        "a file of weights belongs to a network: model=masked model.masked.weigh",
    ),
    ("run metric=PSNR", "unknown metric 'PSNR'; did you mean 'psnr'"),
    ("run model=DnCNN", "unknown denoiser 'DnCNN'; did you mean 'dncnn'?"),
    (
        "report results/local",
        "'results/local' is no setting, which is key=value; write out=results",
    ),
    ("run seeds=3", "seeds=3 may be one seed or 3 of them; write seeds=[3] or seeds=[0,1,2]"),
    ("train learning_rate=inf", "learning_rate must be a finite number, got inf"),
    ("train preset=nosuch", "there is no preset/nosuch. Known: fast, paper, tiny"),
    ("ablate masks test_crop=0", "test_crop must be 1 or more, got 0"),
    ("train model=dncnn model.dncnn.width=0", "'dncnn' cannot be"),
    ("train model=dncnn model.dncnn.width=-4", "'dncnn' cannot be made with model.dncnn.width=-4"),
    ("train model=swinir_tiny model.swinir_tiny.window_size=0", "model.swinir_tiny.window_size=0"),
    ("train model=swinir_tiny model.swinir_tiny.num_heads=0", "model.swinir_tiny.num_heads=0"),
    ("train model=swinir_tiny model.swinir_tiny.drop_path=2", "model.swinir_tiny.drop_path=2.0"),
    ("train model=swinir_tiny model.swinir_tiny.mlp_ratio=nan", "mlp_ratio=nan"),
    ("train model=ridnet_tiny model.ridnet_tiny.rgb_range=0", "its output is not finite"),
]


@pytest.mark.sampled(every=8)
@pytest.mark.parametrize(("typed", "sentence"), [*IN_WORDS, *COMPOSED])
def test_a_mistake_is_a_sentence_with_what_is_meant(bench, tmp_path, typed, sentence):
    words = [word.replace("|", " ") for word in typed.split(" ")]
    status, _, err = bench(*words)
    assert (status, err.count("\n")) == (2, 1), err
    assert err.startswith("bench: ")
    assert sentence in err
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_formulas_of_a_sweep_are_runs_of_their_own(bench, called, tmp_path):
    seen = called("run")
    noises = "noise=gaussian(25),gaussian(5)>>jpeg(50),poisson"
    status, _, err = bench("run", "-m", "model=identity", noises)
    assert (status, err) == (0, "")
    first, second, third = (options.noise for options, _ in seen)
    assert (list(second), list(third)) == (["gaussian(5)>>jpeg(50)"], ["poisson"])
    assert first["gaussian"].settings["levels"] == (25,)
    assert [line.words[-1] for _, line in seen] == [
        f"noise={noise}" for noise in ("gaussian(25)", "gaussian(5)>>jpeg(50)", "poisson")
    ]
    assert not list(tmp_path.iterdir())


def test_a_page_has_the_words_that_were_typed(bench, called):
    seen = called("tiles")
    words = ["noise=gaussian(5)>>jpeg(50)", "tiles=64", "data=photos"]
    status, _, err = bench("tiles", *words, "out=o")
    assert (status, err) == (0, "")
    ((options, line),) = seen
    assert line.without("out") == ["bench", "tiles", *words]
    assert options.tiles == (64,)


def test_a_test_noise_of_an_ablation_may_be_a_formula(bench, monkeypatch):
    for name in ("grid", "training"):  # they take the true one by name, whichever test is first
        import_module(f"benchmark.cli.objects.{name}")
    seen = []
    monkeypatch.setattr(
        "benchmark.objects.building.build", lambda given: seen.append(given) or 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        bench("ablate", "masks", "test_noise=gaussian(7),poisson(2)+gaussian(5)")
    assert list(seen[0]) == ["gaussian", "gaussian(5)+poisson(2)"]
    assert seen[0]["gaussian"].settings["levels"] == (7,)
