"""``bench zoo``: the page of trained networks, from what their files say."""

from dataclasses import dataclass

from benchmark.cli.command import CommandLine, command


@dataclass(frozen=True)
class ZooOptions:
    """What the page of trained networks is told.

    Parameters
    ----------
    weights
        Files of bench train; none are those that come with noisebench.
    out
        The page.
    """

    weights: tuple[str, ...] = ()
    out: str = "results/zoo.md"


@command("zoo")
def write_zoo(options: ZooOptions, line: CommandLine) -> None:
    """What is known of trained networks: size, steps, hours, data, loss.

    bench zoo                                         those that come with noisebench
    bench zoo weights=[runs/a/a.safetensors] out=a.md
    """
    import shlex
    from pathlib import Path

    from benchmark.cli.output import say_written
    from benchmark.denoiser import DENOISERS
    from benchmark.denoiser.weights.load import all_shipped
    from benchmark.files.output import prepare
    from benchmark.files.whole import write_whole
    from benchmark.studies import zoo

    paths = [Path(path).expanduser() for path in options.weights] or [
        path for cls in DENOISERS.values() if cls.learned for path in all_shipped(cls).values()
    ]
    if not paths:
        raise ValueError("no network ships weights; name some: weights=[a.safetensors]")
    out = Path(options.out)
    prepare(out.parent if out.name else options.out, {out.name: "zoo"})
    write_whole(out, zoo.markdown(zoo.zoo_table(paths), shlex.join(line.without("out"))))
    say_written([out], out.parent)
