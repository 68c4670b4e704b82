"""Commands judged for somebody who is not root, whose sandbox gives the command our own user: nothing may be left in
what that user owns inside."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SYSTEM_PYTHON, NOBODY = "/usr/bin/python3", 65534
pytestmark = [pytest.mark.slow, pytest.mark.sweep]
SCRIPT = """
import json, sys
from pathlib import Path
from optagent.core.target import Tree
from optagent.languages.command.inputs import read_inputs
from optagent.languages.command.project import find_project
from optagent.languages.contestant import Misconduct
from optagent.sandbox.bwrap import Bwrap
from optagent.verify.differential import Run, outputs
top = Path(sys.argv[1])
tree = Tree(top / "tree")
project = find_project(tree, Bwrap(), top)
try:
    print(json.dumps([json.loads(one)[2][2][1][1:] for one in outputs(Run(project, 1, 20), tree, read_inputs(tree, project.settings))]))
except Misconduct as failed:
    print(json.dumps(failed.reason))
"""
TOML = '[command]\nbuild = "sh build.sh"\nrun = ["sh", "run.sh"]\ninputs = "in/*"\nscope = "run.sh"\n'


@pytest.fixture
def judged(tmp_path_factory):
    """What a shell script prints as an ordinary user's command on two inputs, or why it was refused."""
    who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    python = SYSTEM_PYTHON if os.geteuid() == 0 else sys.executable
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"}
    look = [python, "-B", "-c", "import optagent.languages.command, sys; sys.exit(sys.version_info < (3, 11))"]
    if not Path(python).exists() or subprocess.run(look, cwd="/", env=env, capture_output=True, **who).returncode:
        pytest.skip("no Python 3.11 that an ordinary user could run on this checkout")
    probe = ["bwrap", "--unshare-user", "--unshare-net", "--ro-bind", "/", "/", "true"]
    if not shutil.which("bwrap") or subprocess.run(probe, capture_output=True, cwd="/", **who).returncode:
        pytest.skip("this machine does not let ordinary users make namespaces")

    def run(script: str) -> object:
        top = tmp_path_factory.mktemp("ordinary")
        for folder in (top, *top.parents[:2]):
            folder.chmod(0o755)
        top.chmod(0o777)
        files = {"optagent.toml": TOML, "build.sh": "echo made > made", "run.sh": script, "in/a": "1\n", "in/b": "2\n"}
        for name, text in files.items():
            (top / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
            (top / "tree" / name).write_text(text)
        command = [python, "-B", "-c", SCRIPT, str(top)]
        done = subprocess.run(command, cwd="/", env=env, capture_output=True, text=True, **who)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_it_is_built_run_and_compared(judged):
    assert judged("cat made; cat") == [["made", "1", ""], ["made", "2", ""]]


def test_who_starts_it_is_out_of_its_reach(judged):
    look = "for f in environ mem maps fd/0 fd/3 fd/4; do cat /proc/$PPID/$f > /dev/null 2>&1 && echo open; done; cat"
    assert judged(look) == [["1", ""], ["2", ""]]


def test_a_note_in_the_limits_of_the_first_process_is_rejected(judged):
    assert "changed the limits" in str(judged("prlimit --pid 1 --core=0:0 --stack=7777777:; cat"))


def test_a_note_on_a_folder_of_ours_is_gone_with_the_call(judged):
    note = (
        "import os\n"
        "for folder in ('/tmp', '/dev/shm'):\n"
        "    print(os.listxattr(folder), oct(os.stat(folder).st_mode), os.stat(folder).st_atime_ns == 77)\n"
        "    try: os.setxattr(folder, 'user.note', b'x' * 1000)\n"
        "    except OSError: pass\n"
        "    os.chmod(folder, 0o1771)\n"
        "    os.utime(folder, ns=(77, 77))\n"
    )
    first, second = judged(f'/usr/bin/python3 -c "{note}"')
    assert first == second == ["[] 0o41777 False", "[] 0o41777 False", ""]


def test_no_file_of_the_first_process_keeps_a_note(judged):
    note = "for n in 0 1 2 3 4; do cat /proc/1/fd/$n 2>/dev/null; (echo note > /proc/1/fd/$n) 2>/dev/null; done; cat"
    assert judged(note) == [["1", ""], ["2", ""]]
