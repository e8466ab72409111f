"""The folder of results, before anything is computed: can it be written, and are its pages ours?"""

import contextlib
import os
import re
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.files.whole import writing

if TYPE_CHECKING:
    from benchmark.datasets.dataset import Dataset

# how each page begins; those of a command name it further down. No page needs more to be known
PAGES = {
    "leaderboard": r"# Leaderboard\n\n(A part: .+\n\n)?"
    r"(.+ is left out: no image has a value\.\n\n)*## .+\n\n### .+ [↑↓]\n",
    "means": r"model,dataset,noise,level,",
    "scores": r"model,dataset,noise,level,seed,image,",
    "ranking": r"dataset,metric,model,images,trainings,",
    "pairs": r"dataset,metric,model,other,difference,",
    "tex": r"% Leaderboards by bench report\b",
    "html": r"<!DOCTYPE html>\n<html lang=\"en\">\n<meta .+>\n<title>Leaderboard</title>",
    "results": r"# .+\n\nMade with `bench (run|passes|tiles|report|analyse)`[:;]",
    "training": r"# Training\n\nMade with `bench report\b",
    "paper": r"# The paper, figure by figure\n\nMade with `bench paper\b",
    "explanations": r"part,network,noise,measure,",
    "brightness": r"luma,clean,",
    "ablation": r"# Ablation: .+\n(.*\n)+?Made with `bench ablate\b",
    "passes": r"# Stochastic inference\n\nMade with `bench passes\b",
    "draws": r"model,dataset,noise,level,seed,inference,passes,",
    "tiles": r"# Tiles\n\nMade with `bench tiles\b",
    "ways": r"dataset,noise,level,seed,model,inference,tile,",
    "cka": r"# CKA\n\nMade with `bench analyse\b",
    "cka table": r"dataset,left_model,left_noise,",
    "srga": r"# SRGA\n\nMade with `bench analyse\b",
    "srga table": r"dataset,model,noise,level,patches,",
    "features": r"# Features\n\nMade with `bench analyse\b",
    "features table": r"dataset,model,noise,level,feature_mean,",
    "completion": r"# Completion\n\nMade with `bench analyse\b",
    "completion table": r"dataset,model,noise,level,hidden,",
    "field": r"# Receptive field\n\nMade with `bench analyse\b",
    "field table": r"dataset,model,noise,level,field_50,",
    "predict": r"# Do analyses predict scores\?\n\nMade with `bench analyse\b",
    "predict table": r"dataset,measure,model,value,ood",
    "explain": r"# Conventions\n\nMade with `bench explain\b",
    "conventions": r"dataset,noise,level,seed,model,protocol,convention,",
    "differences": r"# Differences\n\nMade with `bench diff\b",
    "moves": r"model,dataset,noise,level,seed,metric,before,",
    "zoo": r"# The zoo\n\nMade with `bench zoo\b",
    "sheet": r"# .+\n(.*\n)+Made with `bench noise\b",
    "baseline": r"# noisebench baseline\b",
    "check": r"## bench check: (passed|failed)\n",
    "junit": r"<\?xml .+\?>\n<testsuites .*\bname=\"bench check\"",
    "explorer": r"<!doctype html>\n<!-- Made with `bench explore`",
    "references": r"% BibTeX of what results were made with, by bench cite\n",
    "manifest": r"\{\"made_by\": \"bench export\",\n",
    "sheets": r"# Noises\n\n\| noise \|",
}

FOLDER = "choose another folder with out=FOLDER"


def prepare(
    out: str | Path, pages: Mapping[str, str] | None = None, figures: Collection[str] = ()
) -> Path:
    """Prove that a folder can be made and written, and that what will be replaced is ours.

    Nothing is made: a mistake which is noticed later leaves no empty folder.

    Parameters
    ----------
    pages
        The pages to come: what each is, of `PAGES`, by its file's name.
    figures
        The figures to come, as patterns of file names. They are ours where one of the pages is, or
        where there are cells.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    ValueError
        If ``out`` is empty, or is or lies in what is no folder, or if a page or figure there was
        written by somebody else.
    OSError
        If nothing can be written there; the message says what to do about it.
    """
    if not str(out).strip():
        raise ValueError("out= names no folder; name one, such as out=results/local")
    folder, pages = Path(out), pages or {}
    for place in (folder, *folder.parents):
        if os.path.lexists(place) and not os.path.isdir(place):
            raise ValueError(
                f"out={out} is no folder: {place} is a file, or a link to nothing; choose another "
                f"folder with out=FOLDER, or move it away"
            )
    if os.path.isdir(folder):
        ours = [(folder / "cells").is_dir() or (folder / "cells.jsonl").is_file()]
        ours += [is_ours(folder / name, kind) for name, kind in pages.items()]
        drawn = [path for pattern in figures for path in sorted(folder.glob(pattern))]
        if drawn and not any(ours):
            raise _foreign(drawn[0])
    place = next(place for place in (folder, *folder.parents) if os.path.isdir(place))
    with writing(folder):
        for name in folder.relative_to(place).parts:
            with contextlib.suppress(FileNotFoundError):
                os.lstat(place / name)  # says which names the file system does not take
        with tempfile.TemporaryFile(dir=place) as probe:
            probe.write(bytes(4096))
            probe.flush()
            os.fsync(probe.fileno())
    return folder


def prepare_file(key: str, given: str, kind: str) -> Path:
    """Prove that a file which a setting names can be written, and that what it replaces is ours.

    Nothing is made.

    Parameters
    ----------
    key
        The setting.
    kind
        What will be written, of `PAGES`.

    Raises
    ------
    ValueError
        If it is a folder or another's file, or nothing can be written there.
    """
    path, other = Path(given), f"name another file: {key}=FILE"
    if not given.strip() or os.path.isdir(path):
        what = "is a folder" if given.strip() else "names no file"
        raise ValueError(f"{key}={given} {what}, and a file is written; {other}")
    try:
        is_ours(path, kind, other)
        place = next(place for place in path.parents if os.path.lexists(place))
        with tempfile.TemporaryFile(dir=place) as probe:
            probe.write(b"0")
            os.fsync(probe.fileno())
    except OSError as error:
        raise ValueError(f"{key}={given} cannot be written: {error.strerror}; {other}") from None
    return path


def refuse_among_images(out: str | Path, datasets: Mapping[str, "Dataset"]) -> None:
    """Raise ``ValueError`` if a folder is one of images, which figures there would join."""
    for name, dataset in datasets.items():
        if Path(out).resolve() in {folder.resolve() for folder in dataset.folders()}:
            raise ValueError(
                f"out={out} is the folder of dataset '{name}': figures written there would be read "
                f"as its images next time; choose another folder, such as out=results/{name}"
            )


def is_ours(path: Path, kind: str, other: str = FOLDER) -> bool:
    """Whether a page of this kind is there: True for ours and for an empty file, False for none.

    Parameters
    ----------
    other
        What else to choose, in words.

    Raises
    ------
    ValueError
        If something else has its name.
    """
    if not os.path.lexists(path):
        return False
    content = path.read_bytes() if path.is_file() else b"folder"
    text = content.decode("utf-8", "replace").replace("\r\n", "\n")
    if text and not re.match(PAGES[kind], text):
        raise _foreign(path, other)
    return True


def _foreign(path: Path, other: str = FOLDER) -> ValueError:
    return ValueError(
        f"{path} was not written by bench, and would be replaced; {other}, or move it away"
    )
