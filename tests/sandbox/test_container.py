"""The rung `container`: what podman is told, what its keeper removes and ends, what its first process is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from keeper_folders import scratch_left
from rungs import make_sandbox
from sandbox_probes import ATTEMPT, ENV, NO_PYTHON, PYTHON, SAY, STAY, contestant, running, shell, soon_gone, tell

from optagent.errors import SandboxBroken, SandboxUnavailable
from optagent.sandbox import podman
from optagent.sandbox.base import Command, Exited, Limits, Mount, Profile, Sandbox
from optagent.sandbox.container import Container
from optagent.sandbox.podman import Box, Interpreter
from optagent.sandbox.watcher import descendants

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden" / "podman.txt"


@pytest.fixture
def box() -> Sandbox:
    if not Path(PYTHON).exists():
        pytest.skip(NO_PYTHON)
    return make_sandbox("container")


# what podman is told: also where there is no podman


def lines_for(box: Box) -> str:
    binds = [("/usr", "/usr"), ('/of a "name", odd', "/optagent/tree")]
    limits = Limits(scratch_bytes=1 << 20)
    env = podman.environment(box.folder, "/usr/bin:/bin")
    told = [*podman.words(box, binds, limits), "", *(f"{name}={value}" for name, value in env.items())]
    return "\n".join([*told, "", podman.SETTINGS.decode()])


def test_podman_is_told_exactly_this():
    root = lines_for(Box("/tmp/optagent-box-0", Interpreter("/usr/bin/python3.11"), 64000, 64000, is_root=True))
    theirs = Interpreter("/optagent/init/python/bin/python3.11", Path("/home/u/python"))
    user = lines_for(Box("/tmp/optagent-box-0", theirs, 1000, 100, is_root=False))
    said = f"# as root\n{root}\n# as an ordinary user (unproven)\n{user}"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(said)
    assert said == GOLDEN.read_text(), "rewrite with UPDATE_GOLDEN=1 and read the diff"


def test_what_is_shown_is_the_system_and_the_mounts_and_nothing_of_the_users(tmp_path):
    box = Box("/tmp/optagent-box-0", Interpreter("/usr/bin/python3"), 64000, 64000, is_root=True)
    shown = podman.shown(box, (Mount(tmp_path, "/optagent/tree"),))
    places = [inside for _, inside in shown]
    assert places == sorted(places), "what lies above is mounted before what lies in it"
    assert (str(tmp_path.resolve()), "/optagent/tree") in shown
    assert {inside.split("/")[1] for inside in places} <= {"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"} | {
        "etc", "sys", "optagent",
    }  # fmt: skip


def test_our_own_python_is_shown_under_a_name_that_tells_nothing_of_where_it_lies(monkeypatch, tmp_path):
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / version).touch()
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    assert podman.own_interpreter() == Interpreter(f"/optagent/init/python/bin/{version}", tmp_path.resolve())
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path / "bin"))
    with pytest.raises(SandboxUnavailable, match="our own Python has no"):
        podman.own_interpreter()


def test_a_machine_without_podman_is_told_what_to_install_and_that_docker_will_not_do(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match=r"podman and crun and conmon and setpriv.*docker does not do") as told:
        Container()
    assert "apt-get install podman crun" in str(told.value.hint)


# what becomes of it


def test_a_referee_that_is_killed_leaves_neither_container_nor_helper_nor_folder(box):
    mark = f"mark-{uuid.uuid4().hex}"
    script = f"""
import sys
sys.path[:0] = [{str(HERE)!r}, {str(HERE.parent)!r}, {str(HERE.parents[1])!r}]
from rungs import make_sandbox
from sandbox_probes import shell
shell(make_sandbox("container"), "(setsid sleep 30; : {mark}) & sleep 30; : {mark}", seconds=30)
"""
    with subprocess.Popen([sys.executable, "-c", script]) as referee:
        deadline = time.monotonic() + 20
        while len(running(mark)) < 3 and time.monotonic() < deadline:  # the referee, the shell, the one behind
            time.sleep(0.05)
        folder = folder_of(podman_below(referee.pid))
        assert len(running(folder)) > 1, "podman and conmon name it"
        referee.kill()
    assert soon_gone(mark)
    assert soon_gone(folder)
    assert scratch_left() == set()


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's podman has mounts in a namespace of its own")
def test_nothing_of_podmans_is_left_where_it_keeps_the_users(box):
    places = [
        Path(name) for name in ("/dev/shm", "/run", "/run/libpod", "/run/crun", "/var/lib/containers", "/run/netns")
    ]
    places += [Path.home() / ".local/share/containers", *Path("/sys/fs/cgroup").glob("*")]

    def seen() -> list[set[str]]:
        return [{*os.listdir(one)} if one.is_dir() else set() for one in places]

    before, mounts = seen(), Path("/proc/self/mountinfo").read_text()
    assert shell(box, "true").ok
    with contestant(box) as live:
        live.greet()
    assert seen() == before
    assert Path("/proc/self/mountinfo").read_text() == mounts


def test_settings_of_the_users_for_containers_do_not_count(box, monkeypatch, tmp_path):
    planted = tmp_path / "containers.conf"
    planted.write_text('[containers]\nvolumes = ["/:/leak"]\nenv = ["PLANTED=1"]\nseccomp_profile = "/nowhere"\n')
    monkeypatch.setenv("CONTAINERS_CONF", str(planted))
    monkeypatch.setenv("CONTAINERS_CONF_OVERRIDE", str(planted))
    monkeypatch.setenv("CONTAINER_HOST", "ssh://nowhere")
    assert tell(box, "tell([os.path.exists('/leak'), os.environ.get('PLANTED')])") == [False, None]


def test_where_podman_fails_its_last_word_is_the_reason(box, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path / ("a" * 60)))
    (tmp_path / ("a" * 60)).mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    with pytest.raises(SandboxBroken, match=r"could not start the command: .*runroot is longer than 50 characters"):
        shell(box, "true")
    assert os.listdir(tmp_path / ("a" * 60)) == []


def test_a_podman_that_is_killed_is_a_broken_sandbox_and_no_result(box):
    mark = f"mark-{uuid.uuid4().hex}"
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(shell, box, f"sleep 20; : {mark}")
        while not running(mark):
            time.sleep(0.05)
        os.kill(podman_below(os.getpid()), signal.SIGKILL)
        with pytest.raises(SandboxBroken):
            under_way.result()
    assert running(mark) == []
    assert scratch_left() == set()


def podman_below(process: int) -> int:
    (found,) = (one for one in descendants(process) if words_of(one)[0].endswith("/podman"))
    return found


def folder_of(process: int) -> str:
    return words_of(process)[1].removeprefix("--root=").removesuffix("/storage")


def words_of(process: int) -> list[str]:
    return Path(f"/proc/{process}/cmdline").read_text().split("\0")


# the first process, and the command beside it


def test_no_signal_from_inside_ends_the_first_process(box):
    script = """
import signal, time
for number in range(1, 65): attempt(os.kill, 1, number)
time.sleep(0.2)
tell([open('/proc/1/stat').read().split()[2] in 'SR', os.getpid() != 1])
"""
    assert tell(box, script) == [True, True]


def test_the_first_process_cannot_be_looked_into(box):
    script = "tell([attempt(open, f'/proc/1/{n}') for n in ('mem', 'environ', 'maps')] + [attempt(os.listdir, '/proc/1/fd')])"
    assert tell(box, script) == [13] * 4


def test_a_command_that_kills_itself_ended_by_that_signal(box):
    assert shell(box, "kill -KILL $$").ending == Exited(-9)
    assert shell(box, "kill -ABRT $$").ending == Exited(-6)


def test_commands_start_processes_and_have_no_sockets(box):
    script = """
import subprocess
code = subprocess.run(['/bin/sh', '-c', 'echo x > made; exit 3']).returncode
say([code, open('made').read(), attempt(socket.socket, 2, 1)])
"""
    command = Command((PYTHON, "-c", SAY + ATTEMPT + "say('hello')\n" + script + STAY), "/tmp", (), ENV)
    with box.open(command, Limits(seconds=20), Profile.COMMAND) as live:
        live.greet()
        assert live.receive(20)[0]["said"] == [3, "x\n", 97]


NESTED = """
import json, os, subprocess, sys
sys.path[:0] = [{here!r}, {tests!r}, {root!r}]
from optagent.sandbox.base import Mount
from pathlib import Path
from rungs import make_sandbox
from sandbox_probes import tell
tree = Path({tree!r})
subprocess.run(["mount", "--make-rprivate", "/"], check=True)
subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=777", "tmpfs", str(tree / "a b")], check=True)
(tree / "a b" / "file").write_text("seen")
script = "tell([open('/tree/a b/file').read(), attempt(os.open, '/tree/a b/new', os.O_CREAT | os.O_WRONLY)])"
print(json.dumps(tell(make_sandbox("container"), script, (Mount(tree, "/tree"),))))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount something")
def test_what_is_mounted_below_a_shown_folder_is_shown_and_read_only_too(box, make_repo):
    tree = make_repo({"a b/under": "#"})
    script = NESTED.format(here=str(HERE), tests=str(HERE.parent), root=str(HERE.parents[1]), tree=str(tree))
    done = subprocess.run(["unshare", "-m", sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == ["seen", 30]
