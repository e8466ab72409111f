"""``bench bundle``: what a run reads as one file, for a machine without a network."""

from dataclasses import dataclass, replace

from benchmark.cli.command import CommandLine, command
from benchmark.cli.commands.run import RunOptions


@dataclass(frozen=True)
class BundleOptions(RunOptions):
    """What is packed: what bench run reads with the same settings; or what is unpacked.

    Parameters
    ----------
    to
        The file that is written.
    unpack
        The file that is unpacked; nothing else is given then.
    """

    to: str = "run.tar"
    unpack: str | None = None


@command("bundle", goes_on=True)
def bundle(options: BundleOptions, line: CommandLine) -> None:
    """Pack what a run reads into one file, or unpack that where there is no network.

    bench bundle model=masked model.masked.weights=published data=kodak24 to=run.tar
    bench bundle unpack=run.tar

    The settings are those of bench run, and stand in the command which is to be given there. Packed
    are images, weights that do not come with the package, LPIPS' backbone, files which settings
    name and wheels of the plugins that are used, with a lock of sizes and SHA-256. They are
    unpacked to where the same run looks for them: NOISEBENCH_DATA or the user's cache, and the
    folder in which the command is given. Nothing that is there is changed, and no wheel is
    installed.
    """
    import shlex
    import tempfile
    from pathlib import Path

    from benchmark.cli.objects.grid import compose_grid, needed_specs
    from benchmark.cli.objects.needed import needed_files, needed_plugins
    from benchmark.console.log import log
    from benchmark.files.places import named_file
    from benchmark.offline.bundle import pack, place_of, unpack
    from benchmark.offline.wheels import build_wheel, install_line

    if options.unpack is not None:
        if others := line.words_without("unpack"):
            raise ValueError(f"unpack= stands alone; leave out {' '.join(others)}")
        found = unpack(named_file(options.unpack))
        wheels = [place_of(plugin.file) for plugin in found.plugins]
        then = f"{install_line(wheels)} && {found.run}" if wheels else found.run
        log.info(f"{_files(len(found.files))} put where a run looks for them; then: {then}")
        return
    levels = None if options.levels == "matched" else options.levels  # found where it runs
    compose_grid(replace(options, device="cpu", levels=levels, offline=True))  # says its mistakes
    specs = needed_specs(options)
    files, (names, others) = needed_files(specs), needed_plugins(specs)
    for sentence in others:
        log.info(sentence)
    run = shlex.join(["bench", "run", *line.words_without("to", "unpack")])
    with tempfile.TemporaryDirectory() as folder:
        plugins = []
        for name in names:
            try:
                plugin, path = build_wheel(name, Path(folder))
            except ValueError as error:  # the rest is of use all the same
                log.info(str(error))
            else:
                plugins.append(plugin)
                files[plugin.file] = path
        found = pack(files, run, Path(options.to).expanduser(), plugins)
    log.info(
        f"written to {options.to}: {_files(len(files))}, {found.size / 1e6:.1f} MB; on another "
        f"machine: bench bundle unpack={Path(options.to).name}, then: {run}"
    )


def _files(count: int) -> str:
    return f"{count} file{'s' * (count != 1)}"
