"""Standard output of any encoding, closed, gone or full: the command does its work all the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.console.streams import silent_stderr

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
ENCODINGS = ["ascii", "cp1252", "latin-1", "cp437", "utf-8", "cp932", "koi8-r"]
WORK = """
import pathlib, sys
from rich.console import Console
from rich.table import Table
from benchmark.console.streams import forgiving_streams

@forgiving_streams()
def main():
    for _ in range(3):
        print("PSNR \u2191 \u2013 \u00b1 \u4e16 \udc80")
    table = Table(title="\u2193")
    table.add_column("\u00d7")
    Console().print(table)
    print("words", file=sys.stderr)
    sys.stdout.write("x" * 100_000)
    sys.stdout.flush()
    pathlib.Path("done.txt").write_text("all")
    STATUS

main()
"""


def work(place: Path, shell: str, ending: str = "", **environment: str) -> tuple[int, str, bytes]:
    """Exit status, standard error and standard output of a command line which has ``$WORK``."""
    script = place / "work.py"
    script.write_text(WORK.replace("STATUS", ending), encoding="utf-8", errors="backslashreplace")
    command = shell.replace("$WORK", f"{sys.executable} {script}")
    done = subprocess.run(
        ["bash", "-c", command], cwd=place, env=ENVIRONMENT | environment, capture_output=True
    )
    assert (place / "done.txt").read_text() == "all"
    return done.returncode, done.stderr.decode(), done.stdout


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_no_encoding_of_the_terminal_stops_a_command(tmp_path, encoding):
    status, said, shown = work(tmp_path, "$WORK > log.txt", PYTHONIOENCODING=encoding)
    assert (status, said.strip(), shown) == (0, "words", b"")
    log = (tmp_path / "log.txt").read_bytes()
    assert "PSNR" in log.decode(encoding)
    assert len(log) > 100_000


def test_standard_error_has_every_encoding_as_well(tmp_path):
    ending = "print('\\u2191', file=sys.stderr)"
    status, said, _ = work(tmp_path, "$WORK > log.txt", ending, PYTHONIOENCODING="ascii:strict")
    assert (status, said.splitlines()) == (0, ["words", "\\u2191"])


FULL = "standard output cannot be written (No space left on device); all files are written"


@pytest.mark.parametrize(
    ("shell", "sentence", "status"),
    [
        ("$WORK >&-", "", 0),
        ("$WORK > /dev/null", "", 0),
        ("$WORK > /dev/full", FULL, 2),
        ("$WORK 2>&1 > /dev/full", FULL, 2),
        ("set -o pipefail; $WORK | head -1", "", 141),
        ("set -o pipefail; $WORK | true", "", 141),
        ("$WORK <&- >&- 2>&-", None, 0),
        ("$WORK > log.txt 2>&-", None, 0),
        ("$WORK > log.txt 2> /dev/full", None, 0),
        ("$WORK > /dev/full 2> /dev/full", None, 2),
    ],
)
def test_an_output_that_is_closed_gone_or_full_costs_no_file(tmp_path, shell, sentence, status):
    found, said, shown = work(tmp_path, shell)
    assert found == status
    if sentence is not None:
        lines = (said + shown.decode() if "2>&1" in shell else said).splitlines()
        assert lines[0] == "words"
        assert len(lines) == 1 + bool(sentence)
        assert sentence in lines[-1]


@pytest.mark.parametrize(
    ("ending", "shell", "status"),
    [
        ("sys.exit(1)", "$WORK > /dev/full", 1),
        ("sys.exit(130)", "$WORK >&-", 130),
        ("sys.exit('a sentence')", "set -o pipefail; $WORK | head -1", 1),
        ("sys.exit(0)", "$WORK > /dev/full", 2),
        ("sys.exit()", "$WORK > log.txt", 0),
        ("raise RuntimeError('a defect')", "$WORK > log.txt", 1),
    ],
)
def test_the_exit_status_is_the_command_s_own_if_it_has_one(tmp_path, ending, shell, status):
    found, said, _ = work(tmp_path, shell, ending)
    assert found == status
    assert ("Traceback" in said) == ("defect" in ending)


def test_a_closed_output_is_not_a_file_that_is_opened_later(tmp_path):
    ending = "file = open('later.txt', 'w'); import os; os.write(1, b'from C'); file.close()"
    work(tmp_path, "$WORK >&-", ending)
    assert (tmp_path / "later.txt").read_text() == ""


def test_libraries_in_c_are_silenced_and_python_is_heard_again(capfd):
    with silent_stderr():
        os.write(2, b"ERROR: External init callback must run in same thread\n")
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"


@pytest.mark.slow
def test_the_probe_of_a_network_s_memory_says_nothing_from_any_thread(tmp_path):
    code = (
        "import threading, torch; from benchmark.denoiser.memory import peak_memory;"
        "probe = lambda: print(peak_memory(lambda: torch.zeros(1000, 1000)));"
        "thread = threading.Thread(target=probe); thread.start(); thread.join()"
    )
    done = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True)
    assert done.stderr == b""
    assert int(done.stdout) >= 4_000_000
