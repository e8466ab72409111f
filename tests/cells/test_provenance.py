"""What a cell says of its making: code, versions, pixels."""

import hashlib
import importlib
import linecache
import sys
from pathlib import Path

import numpy as np
import pytest
from changing_code import RUN, records

from benchmark import __version__
from benchmark.cells.provenance import code_of, pixels_hash


def test_a_finished_cell_says_what_made_it(bench, acme, tmp_path):
    acme(1)
    bench(*RUN, "model=keep", "out=o")
    code = records(tmp_path / "o")["cells/keep/photos/acme-5-0.json"]["code"]
    source = (Path(sys.modules["acme_for_test"].__file__)).read_bytes()
    here = {"distribution": None, "version": None}
    here["source"] = hashlib.sha256(source).hexdigest()[:16]
    assert code["noise"] == {"class": "acme_for_test.Acme", **here}
    assert code["model"] == {"class": "acme_for_test.Keep", **here}
    assert (
        code["dataset"]["distribution"] == code["metrics"]["psnr"]["distribution"] == "noisebench"
    )
    assert code["metrics"]["psnr"]["version"] == __version__


@pytest.mark.slow
def test_a_formula_is_made_by_the_code_of_its_noises(bench, acme, tmp_path):
    command = ["run", "model=identity", "noise=acme(5)+gaussian(15)", *RUN[2:], "out=o"]
    acme(1)
    assert bench(*command)[0] == 0
    acme(2)
    assert "scored by other code (source of noise acme)" in bench(*command)[1]


@pytest.mark.slow
def test_a_class_without_a_file_is_known_by_its_text_or_not_at_all(monkeypatch):
    found = []
    for number in (1, 2):
        text = f"class Typed:\n    def score(self):\n        return {number}\n"
        place = f"<cell {number}>"  # as a notebook keeps what is typed into it
        monkeypatch.setitem(linecache.cache, place, (len(text), None, text.splitlines(True), place))
        scope: dict[str, object] = {"__name__": "typed_into_a_notebook"}
        exec(compile(text, place, "exec"), scope)
        found.append(code_of(scope["Typed"])["source"])
    assert found[0] != found[1] and None not in found
    exec("class Typed:\n    def score(self): return 1", scope)
    assert code_of(scope["Typed"])["source"] is None
    assert code_of(int)["source"] is None
    assert code_of(np.ndarray)["distribution"] == "numpy"


def test_line_ends_are_no_difference_in_code(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    found = []
    for name, ends in (("unix_ends", b"\n"), ("dos_ends", b"\r\n")):
        (tmp_path / f"{name}.py").write_bytes(b"class Some:" + ends + b"    pass" + ends)
        importlib.invalidate_caches()
        found.append(code_of(importlib.import_module(name).Some)["source"])
    assert found[0] == found[1] is not None


# pixels


def test_a_hash_of_pixels_tells_values_shapes_and_types_apart_and_not_memory_orders():
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    others = [image + 1, image.reshape(4, 2, 3), image.astype(np.int8), image[:1], image[::-1]]
    hashes = [pixels_hash(one) for one in (image, *others)]
    assert len(set(hashes)) == len(hashes)
    assert pixels_hash(np.asfortranarray(image)) == pixels_hash(image)
    assert all(len(found) == 16 and int(found, 16) >= 0 for found in hashes)
