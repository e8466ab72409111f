"""Bad words on the command line: settings, selections, formulas, places, names, options."""

from pathlib import Path

from bad_inputs.entry import TYPED, WORKS, BadInput, mistakes, typed
from benchmark.cli.command import all_commands

NONE_LEFT = "shard=1/9"  # a share of a small grid without cells: composes, scores nothing

KNOWN = {"model": "tv", "noise": "gaussian", "data": "photos", "metric": "psnr"}

WRONG = {  # command, then setting, then values between bars
    "run": {
        "seeds": "[] | [some] | [[1]] | [1.5] | {a: 1} | null | [null]",
        "levels": "[] | machted | 25",
        "noise.gaussian.levels": "[] | [[25]] | [loud] | [-1] | [nan] | [inf] | null | {a: 1}",
        "data.photos.limit": "0 | -1 | some | 1.5 | [1]",
        "data.photos.crop": "0 | -8 | 100000 | wide",
        "metric.psnr.border": "-1 | thin | null",
        "protocol": "kiar | null | [a] | kair(boarder=1)",
        "shard": "0/2 | 3/2 | 1 | a/b | 1/0 | -1/2 | 1/2/3 | 1.5/2 | null | [1,2]",
        "tile": "big | 0 | -64 | 1.5 | null | [64]",
        "precision": "fp8 | null | 16",
        "runtime": "onnx | null | 16",
        "device": "tpu | cuda:99 | cuda:x | cpu:1:1 | null | [cpu]",
        "threads": "0 | -1 | many | 1.5 | 100000 | [1]",
        "reference": "[identiy] | {a: 1} | [[identity]]",
    },
    "train": {
        "steps": "0 | -1 | some | null | [1]",
        "batch": "0 | 1.5",
        "patch": "0 | 100000",
        "learning_rate": "0 | nan | inf | fast",
        "betas": "[] | [0.9] | [2,3] | 0.9",
        "schedule": "cosin | null",
        "milestones": "[2] | [half]",
        "warm_up": "1 | -1",
        "ema": "2 | nan",
        "seed": "some | null",
        "level": "-1 | nan | loud | []",
        "held_out": "-1 | 100000 | some",
        "watch": "[gausian(50)] | [gaussian] | [gaussian(] | [[gaussian(50)]] | null",
        "start": "none.pt | .",
        "precision": "fp8",
        "accumulate": "0 | -1 | 3.5",
        "save_every": "0 | -5",
        "state_megabytes": "-1 | nan",
        "minutes": "0 | -1 | nan",
        "model.dncnn.width": "0 | -8 | wide | null",
        "model.dncnn.depth": "0 | 1 | -3",
        "threads": "0 | 100000",
    },
    "passes": {
        "passes": "0 | 1 | -4 | some",
        "averaged": "[] | [0] | [64] | [[1]] | [some]",
        "seed": "some | null",
        "threads": "0",
    },
    "tiles": {"tiles": "[] | [7] | [0] | [-64] | [[64]] | [wide]", "device": "tpu"},
    "analyse": {
        "kind": "ckb | []",
        "crops": "0 | -1 | some",
        "side": "0 | -8 | wide",
        "batch": "0 | -1",
        "levels": "some",
        "layers": "[nosuch] | [[a]]",
        "hidden": "[] | [100] | [-1] | [some]",
        "formats": "[pdff] | []",
        "threads": "0",
    },
    "noise": {"seed": "some | null | [1]", "data.photos.limit": "0 | some"},
    "ablate": {
        "ablation": "mask | [] | null",
        "size": "huge | 0",
        "preset": "fastest",
        "steps": "0",
        "test_noise": "[] | [gausian]",
        "test_data": "kodak | []",
        "test_crop": "0 | -1",
        "test_limit": "0 | -1",
    },
    "render": {
        "scenes": "[] | [fogg] | fogg | {a: 1}",
        "spp": "[] | [0] | [-16] | [[64]] | [many]",
        "reference": "0 | -1 | 16",
        "size": "0 | -1 | large",
        "seed": "some",
        "variant": "gpu",
        "tonemap": "filmic",
    },
    "explain": {"protocol": "kiar | null", "to": "kiar", "device": "tpu"},
    "check": {
        "protocol": "kiar",
        "levels": "low",
        "limit": "0 | some",
        "crop": "0 | -1",
        "seeds": "[] | [a]",
        "max_slowdown": "0 | -1",
        "threads": "0",
    },
    "repro": {"sample": "0 | -1 | some", "threads": "0"},
    "zoo": {"weights": "[[a]] | {a: 1} | [.]"},
    "export": {"out": "[a] | {a: 1}", "seeds": "[] | [a]", "protocol": "nosuch", "levels": "some"},
    "fetch": {"names": "[] | nosuch | {a: 1}", "agree": "some"},
    "bundle": {"to": "[a] | .", "unpack": "nowhere | .", "protocol": "nosuch", "levels": "some"},
    "status": {"out": "nowhere | [a]"},
    "paper": {"only": "[] | figure_99 | {a: 1}", "size": "huge", "make": "some", "threads": "0"},
    "report": {"model": "[] | {a: 1} | [[identity]]", "out": "nowhere"},
    "show": {"formats": "[svgg] | []", "out": "nowhere"},
    "cite": {"out": "nowhere"},
    "explore": {"model": "[] | {a: 1}", "pictures": "some | []", "out": "nowhere"},
    "submit": {"device": "tpu", "data.dnd.limit": "0"},
    "check-model": {"device": "tpu | cuda:99 | null"},
    "list": {"kind": "nose | [] | null | {a: 1}"},
}


def _settings() -> list[BadInput]:
    found = []
    for command, settings in WRONG.items():
        for setting, values in settings.items():
            wrong = [f"{setting}={value}" for value in values.split(" | ")]
            found += mistakes("4.2", command, wrong)
    return found


def _selections() -> list[BadInput]:
    """Empty, unknown and half-said selections of every command which takes names."""
    found = []
    for command, about in all_commands().items():
        for group in about.groups:
            wrong = [f"{group}=[]", f"{group}=nosuch", f"+{group}.x=5", f"+{group}.x=null"]
            if command in ("run", "check-model"):
                known = KNOWN[group]
                wrong += [f"{group}=null", f"{group}=", f"{group}=[[{known}]]", f"{group}=5"]
                wrong += [f"+{group}.x=[]", f"+{group}.x={{}}", f"+{group}.x={{of: nosuch}}"]
                wrong += [f"+{group}.x={{of: {known}, nosuch: 1}}", f"+{group}.x={{of: [a]}}"]
                wrong += [f"+{group}.x={{of: null}}"]
            found += mistakes("4.2", command, wrong)
    for command in TYPED:
        found += mistakes("4.2", command, ["+nosuch=1"], says="nosuch")
    found += mistakes("4.2", "run", ["nosuch=1", "+metric.level=1", "+metric.psnr.level=1"])
    found += mistakes("4.2", "run", ["noise.gaussian=null", "metric.psnr=null", "~seeds", "~out"])
    found += mistakes("4.2", "run", ["model.identity=null", "data.photos=null"])
    found += mistakes("4.2", "run", ["seeds.a=1", "+threads.x=1", "noise.gaussian=[1]"])
    return found


FORMULAS = """gaussian( | gaussian() | gaussian(25 | gaussian(25)) | gaussian(a) | gaussian(-5)
 | gaussian(nan) | gaussian(1e999) | gaussian(25)+ | +gaussian(25) | >>gaussian(25)
 | gaussian(25)>> | gaussian(25)>>>jpeg(50) | gaussian(25)+nosuch(1) | gausian(25)
 | gaussian(25)(3) | gaussian(25)gaussian(25) | mc_render(64)+gaussian(5) | photos(1)
 | formula(1) | () | gaussian(25, nosuch=1) | gaussian(25)*2 | 25 | gaussian(25)+poisson
 | gaussian(25);poisson(2) | gaußian(25) | jpeg(0) | jpeg(101)"""


def _formulas() -> list[BadInput]:
    wrong = [f"noise={text.strip()}" for text in FORMULAS.split(" | ")]
    found = mistakes("4.1", "noise", wrong) + mistakes("4.1", "run", wrong[:6])
    deep = {"parentheses": "(" * 5000, "closed": "(" * 5000 + "gaussian(1)" + ")" * 5000}
    deep |= {"brackets": "[" * 5000, "sums": "gaussian(1)+" * 5000, "braces": "{a:" * 5000}
    for name, text in deep.items():
        found.append(BadInput(f"4.2 noise 5000 {name}", typed("noise", f"noise={text}")))
    found.append(BadInput("4.2 run seeds 5000 brackets", typed("run", "seeds=" + "[" * 5000)))
    good = ["gaussian (25)", "gaussian( 25 )", " gaussian(25)", "gaussian(25) + poisson (2)"]
    good += ["[gaussian(25),poisson(2)]", "[gaussian (25), gaussian]", "gaussian(25) >> jpeg(50)"]
    for text in good:
        words = typed("run", f"noise={text}", NONE_LEFT)
        found.append(BadInput(f"4.1 run noise={text}", words, WORKS))
    twice = typed("run", "noise=gaussian(25)", "noise=poisson(2)")
    found.append(BadInput("4.1 run noise twice", twice, says="noise=["))
    several = typed("run", "-m", "noise=gaussian(25),poisson(2)", NONE_LEFT)
    found.append(BadInput("4.1 run -m two formulas", several, WORKS))
    watched = typed("train", "watch=[gaussian(50)]", "steps=0")  # the spelling of the default
    found.append(BadInput("4.1 train watch=[gaussian(50)]", watched, says="steps must be"))
    one = typed("train", "watch=gaussian(50)", "steps=0")
    found.append(BadInput("4.1 train watch=gaussian(50)", one, says="steps must be"))
    tested = typed("ablate", "test_noise=[gaussian(50)]", "test_data=photos", "steps=0")
    found.append(BadInput("4.1 ablate test_noise=[gaussian(50)]", tested, says="steps must be"))
    return found


def _one_for_a_list() -> list[BadInput]:
    """A number or a name stands for a list of one."""
    good = ["seeds=0", "noise.gaussian.levels=25", "reference=identity", "metric=psnr"]
    found = [BadInput(f"4.1 run {w}", typed("run", w, NONE_LEFT), WORKS) for w in good]
    wrong = [("tiles", "tiles=7", "7"), ("render", "spp=3", "16"), ("zoo", "weights=a.pt", "a.pt")]
    wrong += [("passes", "averaged=64", "64"), ("train", "milestones=2", "milestones")]
    found += [BadInput(f"4.1 {c} {w}", typed(c, w), says=says) for c, w, says in wrong]
    return found


PLACES = (
    *("ü/x", "日本/x", "e\u0301/x", "a b/x", "x (1)", "x=1", "a,b", "a[1]", "{a}", "a;b", "a&b"),
    *("100%", "x!", "it's", "a\\b", "a#b", "a:b", "x@2", "~nosuchuser", "-x", "*", "a|b"),
)


def _places() -> list[BadInput]:
    """Any path can be typed as it is: the sentence about its absence repeats it."""
    found = [
        BadInput(f"4.1 report out={place}", typed("report", f"out={place}"), says=place)
        for place in PLACES
    ]
    for setting, command in {
        "model.dncnn.weights": "check-model",
        "model.onnx.file": "check-model",
        "model.torchscript.file": "check-model",
        "noise.isp.camera": "noise",
        "data.folder.path": "noise",
        "start": "train",
        "weights": "zoo",
    }.items():
        group, _, rest = setting.partition(".")
        name = rest.partition(".")[0]
        choice = [f"{group}={name}"] if name else []
        for place in ("ü.x", "x (1)", "x=1", "a,b"):
            words = typed(command, *choice, f"{setting}={place}")
            said = place.partition(",")[0] if setting == "weights" else place  # a list of two
            found.append(BadInput(f"4.1 {command} {setting}={place}", words, says=said))
    home = typed("report", "out=~/nowhere")
    found.append(BadInput("4.1 report out=~/nowhere", home, says="home/nowhere"))
    for place in ("~/x", "ü", "x (1)", "a=b"):
        where = place.replace("~", "../../../home")
        words = typed("run", f"out={place}")
        found.append(BadInput(f"4.1 run out={place}", words, WORKS, writes=(where,)))
    return found


def _names() -> list[BadInput]:
    """Names of variants are no paths and no words that pictures and tables already use."""
    found, bad = [], ("../../x", "/x", "..", "a/b", "a\\\\b", "'a b'", "ü", "'a:b'", "'*'", "''")
    bad = (*bad, "x" * 300, "clean", "noisy")
    for group, known in KNOWN.items():
        for name in bad if group == "model" else bad[:4]:
            words = typed("run", f"+{group}={{{name}: {{of: {known}}}}}")
            words = tuple(w for w in words if w.partition("=")[0] != group) + (f"{group}={known}",)
            found.append(BadInput(f"2.4 run {group} named {name[:20]}", words))
    for name in ("a-b", "a+b", "v1.5", "A_b"):
        words = (*typed("run", NONE_LEFT), f"+model={{{name}: {{of: tv}}}}")
        found.append(BadInput(f"2.4 run model named {name}", words, WORKS))
    return found


def _options() -> list[BadInput]:
    found = [
        BadInput(f"4.5 {' '.join(words)}", words)
        for words in (
            ("rum",),
            ("RUN",),
            ("",),
            ("--nosuch",),
            ("-x",),
            ("run", "--nosuch"),
            ("run", "--cfg"),
            ("run", "--cfg", "nosuch"),
            ("run", "--config-name", "nosuch"),
            ("run", "--config-dir", "nowhere"),
            ("run", "model"),
            ("run", "=1"),
            ("run", "model=[identity"),
            ("run", "model={identity"),
            ("run", "out='x"),
            ("run", "out=${nosuch}"),
            ("run", "out=${nosuch:1}"),
            ("run", "a.b.c=1"),
            ("list", "noise", "model"),
            ("noise", "gaussian(25)", "poisson(2)"),
            ("check-model", ""),
        )
    ]
    for status in ("130", "143"):
        found.append(BadInput(f"4.5 --help names {status}", ("--help",), WORKS, says=status))
    found.append(BadInput("4.5 version", ("--version",), WORKS))
    return found


def _ends_of_work() -> list[BadInput]:
    """What cannot be written, and a terminal which cannot print everything."""

    def file_in_the_way(folder: Path) -> None:
        (folder / "o").write_text("mine")

    def foreign_page(folder: Path) -> None:
        (folder / "o").mkdir()
        (folder / "o" / "leaderboard.md").write_text("# my own page\n")

    found = [
        BadInput("3 run out is a file", typed("run"), prepare=file_in_the_way),
        BadInput("3 run out below a file", typed("run", "out=o/x"), prepare=file_in_the_way),
        BadInput("3 noise out is a file", typed("noise"), prepare=file_in_the_way),
        BadInput("3 train out is a file", typed("train"), prepare=file_in_the_way),
        BadInput("3 report out is a file", typed("report"), prepare=file_in_the_way),
        BadInput("3 run out=/proc/x", typed("run", "out=/proc/x")),
        BadInput(
            "3 run beside a page that is not ours",
            typed("run"),
            prepare=foreign_page,
            keeps=("o/leaderboard.md",),
        ),
    ]
    for encoding in ("cp1252", "ascii", "cp932", "latin-1"):
        name = f"3 list in {encoding}"
        found.append(BadInput(name, typed("list"), WORKS, encoding=encoding))
    for command in ("run", "report"):
        found.append(
            BadInput(
                f"3 {command} in cp1252",
                typed(command),
                WORKS,
                begun="finished" if command == "report" else "",
                encoding="cp1252",
            )
        )
    return found


ENTRIES = [
    *_settings(),
    *_selections(),
    *_formulas(),
    *_one_for_a_list(),
    *_places(),
    *_names(),
    *_options(),
    *_ends_of_work(),
]
