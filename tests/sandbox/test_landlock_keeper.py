"""The keeper of the rung `landlock`: what it removes, what it ends, what it lets be."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from keeper_folders import scratch_folders, scratch_left
from rungs import make_sandbox
from sandbox_probes import NO_PYTHON, PYTHON, run, shell, soon_gone, tell
from test_ordinary_user import as_ordinary_user

from optagent.errors import SandboxUnavailable
from optagent.sandbox.base import Command, Exited, Limits, Mount, Sandbox, Stopped

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path(PYTHON).exists(), reason=NO_PYTHON)]
HERE = Path(__file__).parent


@pytest.fixture
def box() -> Sandbox:
    return make_sandbox("landlock")


MADE = {
    "closed": "mkdir -p a/b/c; touch a/b/c/x; chmod 0 a/b/c a/b a",
    "made closed": f"{PYTHON} -c \"import os; os.umask(0); os.mkdir('a', 0); os.mkdir('b', 0o300); open('b/x', 'w')\"",
    "deep": f"{PYTHON} -c \"import os\nfor n in range(3000): os.mkdir('deeper'); os.chdir('deeper')\"",
    "oddly named": "touch -- -rf $'new\\nline' ' ' $'\\xff'; mkdir -- --; ln -s . loop",
}


@pytest.mark.parametrize("how", MADE)
def test_whatever_is_made_in_the_folder_is_gone_with_it(box, how):
    result = shell(box, MADE[how])
    assert result.ending in (Exited(0), Stopped("scratch"))
    assert scratch_left() == set()


def test_no_link_is_followed_when_the_folder_is_removed(box, tmp_path):
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "kept").chmod(0o666)
    tmp_path.chmod(0o777)
    assert shell(box, f"ln -s {tmp_path} link; ln -s {tmp_path}/kept file; mkdir d; ln -s {tmp_path} d/link").ok
    assert (tmp_path / "kept").read_text() == "kept"
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o666
    assert scratch_left() == set()


@pytest.mark.parametrize(
    "script",
    ["for n in range(100):\n    with open(str(n), 'wb') as f: f.write(bytes(1 << 20))", "for n in range(60_000): open(str(n), 'w').close()"],
    ids=["bytes", "names"],
)  # fmt: skip
def test_more_than_may_lie_in_the_folder_ends_the_command(box, script):
    result = run(box, PYTHON, "-c", script + "\nimport time; time.sleep(20)", scratch_bytes=20 << 20)
    assert result.ending == Stopped("scratch")
    assert result.seconds < 15
    assert scratch_left() == set()


def test_a_writer_to_nobody_ends_as_it_would_outside(box):
    """Python ignores the signal for it, and hands that on to what it starts."""
    assert shell(box, "yes | head -n 1; echo ${PIPESTATUS[0]}").stdout == b"y\n141\n"


def test_a_referee_that_is_killed_leaves_neither_process_nor_folder(box):
    mark = f"mark-{uuid.uuid4().hex}"
    before = scratch_folders()
    script = f"""
import sys
sys.path[:0] = [{str(HERE)!r}, {str(HERE.parent)!r}, {str(HERE.parents[1])!r}]
from rungs import make_sandbox
from sandbox_probes import shell
shell(make_sandbox("landlock"), "touch x; (setsid sleep 30; : {mark}) & sleep 30; : {mark}", seconds=30)
"""
    with subprocess.Popen([sys.executable, "-c", script]) as referee:
        deadline = time.monotonic() + 10
        while scratch_folders() <= before and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        referee.kill()
    assert soon_gone(mark)
    time.sleep(0.3)
    assert scratch_left() == set()


def test_processes_that_an_ordinary_user_has_already_are_not_counted_against_a_command():
    make_sandbox("landlock")
    script = '''
import subprocess
others = [subprocess.Popen(["sleep", "30"]) for _ in range(80)]
told = shell(Landlock(), "for n in 1 2 3 4 5; do sleep 0.2 & done; wait; echo done", processes=30).stdout.decode()
bomb = """import os, time
made = 0
try:
    while made < 500:
        if not os.fork(): time.sleep(5); os._exit(0)
        made += 1
except OSError: print(made)
"""
made = Landlock().run(Command((PYTHON, "-c", bomb), "/tmp", (), ENV), Limits(seconds=10, processes=30)).stdout
for one in others: one.kill(); one.wait()
print(json.dumps([told, 10 < int(made) < 60]))
'''
    assert as_ordinary_user(script) == ["done\n", True]


def test_root_is_told_which_folder_keeps_others_from_what_is_shown(box, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("an ordinary user reaches what is the user's")
    closed = tmp_path / "closed"
    (closed / "tree").mkdir(parents=True)
    closed.chmod(0o700)
    command = Command(("/bin/true",), "/tmp", (Mount(closed / "tree", "/tree"),), {})
    with pytest.raises(SandboxUnavailable, match=f"cannot reach {closed}/tree: {closed} is closed"):
        box.run(command, Limits())


def test_of_all_processes_a_command_sees_its_own_entry_only(box):
    script = """
first = os.fork()
if not first: os.execv('/bin/sleep', ['sleep', '5'])
tell([attempt(os.listdir, '/proc'), attempt(os.listdir, f'/proc/{first}'), os.getpid() == int(os.readlink('/proc/self')),
      len(os.listdir('/proc/self')) > 9, open('/proc/cpuinfo').read(9)])
"""
    assert tell(box, script) == [13, 13, True, True, "processor"]
