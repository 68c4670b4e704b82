"""Names that an encoding lacks, or that are no text at all, never end a verb."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from repositories import commit

pytestmark = pytest.mark.slow

NAMES = [b"arrow-\xe2\x86\x92", b"face-\xf0\x9f\x98\x80", b"caf\xe9", b"bell-\x07"]


def optagent(encoding: str, *words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-P", "-m", "optagent", *map(str, words)]
    done = subprocess.run(command, capture_output=True, cwd=cwd, env=env)
    assert b"bug in optagent" not in done.stderr, done.stderr
    return subprocess.CompletedProcess(words, done.returncode, done.stdout.decode(encoding), done.stderr.decode())


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_the_encoding_lacks_is_told_to_people_and_to_programs(tmp_path, name, encoding):
    repo = commit(tmp_path / "repo", {"m.py": "def f():\n    pass\n"})
    Path(os.fsdecode(os.fsencode(repo) + b"/" + name)).touch()
    words = ("compare", repo, "--base", "HEAD", "--head", "HEAD")
    done = optagent(encoding, *words)
    assert done.returncode == 0
    assert "1 uncommitted change is part of neither side" in done.stdout
    assert "\x07" not in done.stdout
    (note,) = json.loads(optagent(encoding, *words, "--json").stdout)["warnings"]
    assert note.endswith(f"(first: {os.fsdecode(name)})")


def test_a_document_is_ascii(tmp_path):
    repo = commit(tmp_path / "repo", {"m.py": "def f():\n    pass\n"})
    (repo / "→").touch()
    assert optagent("utf-8", "compare", repo, "--base", "HEAD", "--head", "HEAD", "--json").stdout.isascii()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("name", NAMES)
def test_doctor_in_a_folder_of_such_a_name(tmp_path, name, encoding):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "pyvenv.cfg").write_text("home = /nowhere\n")
    (folder / ".venv" / "bin" / "python").symlink_to("/nowhere/python")
    done = optagent(encoding, "doctor", cwd=folder)
    assert ".venv" in done.stdout
    assert "\x07" not in done.stdout
