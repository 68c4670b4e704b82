"""What goes where while the live line is on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

from repositories import commit

LONG = "result " * 60
SAYS = f"""
import sys
from optagent.cli.run.progress import Progress

with Progress(10) as progress:
    progress.stage("measuring")
    {{}}({LONG + chr(10)!r})
"""


def on_a_terminal(words: list[str], out: int | None = subprocess.PIPE) -> tuple[str, str]:
    """What a program with a terminal for its errors (and its output, if `out` is None) writes to both."""
    ours, its = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        done = subprocess.Popen(words, stdout=its if out is None else out, stderr=its)
        os.close(its)
        said = b"" if out is None else done.communicate(timeout=60)[0]
        shown = []
        try:
            while part := terminal.read(1 << 16):
                shown.append(part)
        except OSError:  # how a terminal tells that nobody is left who writes to it
            pass
        assert done.wait(60) == 0, b"".join(shown)
    return said.decode(), b"".join(shown).decode()


def python(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_results_reach_a_file_whole_though_progress_is_on_a_terminal(tmp_path):
    repo = commit(tmp_path / "repo", {"m.py": "def f():\n    pass\n"})
    compared = ["-m", "optagent", "compare", str(repo), "--base", "HEAD", "--head", "HEAD"]
    out, shown = on_a_terminal([sys.executable, *compared])
    assert out == "equivalent: the code is the same on both sides, so nothing was run\n"
    assert "equivalent" not in shown


def test_whatever_is_printed_below_the_live_line_stays_on_standard_output():
    out, shown = on_a_terminal(python(SAYS.format("print")))
    assert out == f"{LONG}\n\n"
    assert "measuring" in shown
    assert "result" not in shown


def test_a_result_on_the_same_terminal_stands_on_lines_of_its_own():
    _, shown = on_a_terminal(python(SAYS.format("progress.result")), out=None)
    before, _, after = shown.partition("result")
    assert before.endswith(("\x1b[2K", "\r\n", "\x1b[1A\x1b[2K"))
    assert (f"result{after}").startswith(f"{LONG}\r\n")
