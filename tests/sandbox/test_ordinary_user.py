"""The sandboxes in the hands of somebody who is not root: user namespaces instead of dropped privileges.

When root runs these tests, a child process becomes an ordinary user; it runs the system's Python, since ours may
lie in root's home.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rungs import make_sandbox

ROOT = Path(__file__).parents[2]
SYSTEM_PYTHON = "/usr/bin/python3"
NOBODY = 65534
pytestmark = [pytest.mark.slow, pytest.mark.sweep]
HEAD = """
import json, os, sys, time
from pathlib import Path
from optagent.sandbox.base import Command, Exited, Limits, Mount, Stopped
from optagent.sandbox.bwrap import Bwrap
from optagent.sandbox.choose import choose
from optagent.sandbox.landlock import Landlock
from optagent.sandbox.unprotected import Unprotected
ENV = {"PATH": "/usr/bin:/bin", "HOME": "/tmp"}
PYTHON = "/usr/bin/python3"
GREET = '''
import json, os, socket, struct, time
channel = socket.socket(fileno=int(os.environ['OPTAGENT_FD']))
def say(value):
    text = json.dumps({'said': value}).encode()
    channel.sendall(struct.pack('!II', len(text), 0) + text)
say('hello')
'''
def shell(box, script, **limits):
    return box.run(Command(("/bin/bash", "-c", script), "/tmp", (), ENV), Limits(**{"seconds": 15, **limits}))
def live(box, script):
    return box.open(Command((PYTHON, "-c", GREET + script + "\\nchannel.recv(1)"), "/tmp", (), ENV), Limits(seconds=15))
"""


def python_for_them() -> str:
    if os.geteuid() != 0:
        return sys.executable
    if not Path(SYSTEM_PYTHON).exists():
        pytest.skip("no system Python that an ordinary user could run")
    version = subprocess.run(
        [SYSTEM_PYTHON, "-c", "import sys; print(sys.version_info >= (3, 11))"], capture_output=True
    )
    if version.stdout != b"True\n":
        pytest.skip(f"{SYSTEM_PYTHON} is older than 3.11")
    return SYSTEM_PYTHON


def as_ordinary_user(script: str) -> object:
    """What the script printed as JSON, run by somebody without root's rights and with a key in the environment."""
    python = python_for_them()
    who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "OPENAI_API_KEY": "sk-PLANTED", "HOME": "/nonexistent"}
    look = [python, "-B", "-c", "import optagent.sandbox.bwrap"]
    if subprocess.run(look, cwd="/", env=env, capture_output=True, **who).returncode:
        pytest.skip(f"an ordinary user cannot read {ROOT}")
    done = subprocess.run([python, "-B", "-c", HEAD + script], cwd="/", env=env, capture_output=True, text=True, **who)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def bwrap():
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap (bwrap) is not installed")
    who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    probe = ["bwrap", "--unshare-user", "--unshare-net", "--ro-bind", "/", "/", "true"]
    if subprocess.run(probe, capture_output=True, cwd="/", **who).returncode:
        pytest.skip("this machine does not let ordinary users make namespaces")


def test_landlock_holds_for_them_too():
    make_sandbox("landlock")
    assert as_ordinary_user("print(json.dumps(Landlock().faults(Path('/root'))))") == ""


@pytest.mark.usefixtures("bwrap")
def test_the_default_sandbox_passes_its_self_test():
    assert as_ordinary_user("print(json.dumps(choose('auto', Path('/root')).rung))") == "bwrap"


@pytest.mark.usefixtures("bwrap")
def test_an_ordinary_run_gives_its_streams_and_sees_no_key():
    script = """
result = shell(Bwrap(), 'env; cat /proc/*/environ; echo; id -u; exit 3')
said = result.stdout.decode()
print(json.dumps([result.ending.code, 'PLANTED' in said, os.environ['PATH'] in said, said.splitlines()[-1]]))
"""
    uid = str(os.getuid() or NOBODY)
    assert as_ordinary_user(script) == [3, False, False, uid]


@pytest.mark.usefixtures("bwrap")
def test_nothing_outside_is_writable_and_no_privilege_is_left():
    script = """
said = shell(Bwrap(), '''
for f in /x /usr/x /etc/x /dev/x /proc/sys/kernel/core_pattern; do (echo 1 > $f) 2>/dev/null && echo WROTE $f; done
unshare -U true 2>/dev/null && echo NAMESPACE
unshare -r true 2>/dev/null && echo ROOT
grep Cap /proc/self/status | grep -v 0000000000000000
''').stdout.decode()
print(json.dumps(said))
"""
    assert as_ordinary_user(script) == ""


@pytest.mark.usefixtures("bwrap")
def test_the_files_that_the_first_process_has_open_are_out_of_reach():
    script = """
said = shell(Bwrap(), '''
for p in /proc/1 /proc/1/task/1; do
    ls $p/fd
    for n in 0 1 2 3 4 5; do (echo note > $p/fd/$n) 2>/dev/null && echo WROTE $n; done
    chmod 777 $p/fd 2>/dev/null && (echo note > $p/fd/new) 2>/dev/null && echo MADE
done
''').stdout.decode()
print(json.dumps(said))
"""
    assert as_ordinary_user(script) == ""


@pytest.mark.usefixtures("bwrap")
def test_a_contestant_can_be_clocked_halted_and_ended():
    script = """
box = Bwrap()
with live(box, '''
try: os.fork()
except OSError as e: say(e.errno)
while True: pass
''') as one:
    one.greet()
    refused = one.receive(10)[0]['said']
    one.pin(max(os.sched_getaffinity(0)))
    one.halt()
    time.sleep(0.05)
    before = one.cpu_ns()
    time.sleep(0.2)
    stood = one.cpu_ns() == before
    one.proceed()
    time.sleep(0.2)
    went_on = one.cpu_ns() > before
    pid = one.pid
print(json.dumps([refused, stood, went_on, Path(f'/proc/{pid}').exists()]))
"""
    assert as_ordinary_user(script) == [132, True, True, False]


@pytest.mark.usefixtures("bwrap")
def test_a_deadline_leaves_nothing_behind():
    script = """
result = shell(Bwrap(), "trap '' TERM; (setsid bash -c 'exec -a ordinary-daemon sleep 60' &); sleep 60", seconds=0.5)
time.sleep(0.2)
names = [Path(f'/proc/{p}/cmdline').read_bytes() for p in os.listdir('/proc') if p.isdigit() and int(p) != os.getpid()]
left = [name.decode() for name in names if b'ordinary-daemon' in name]
print(json.dumps([result.ending.limit, left]))
"""
    assert as_ordinary_user(script) == ["seconds", []]


def test_the_unprotected_rung_works_too():
    script = """
result = shell(Unprotected(), 'env; exit 4')
with live(Unprotected(), '') as one:
    hello = one.greet()
print(json.dumps([result.ending.code, b'PLANTED' in result.stdout, hello]))
"""
    assert as_ordinary_user(script) == [4, False, {"said": "hello"}]


WARM = """
sys.path.append(TESTS)
from warm_sandbox import Forks
from sandbox_probes import hear
box = Forks()
look = '''
say([os.getuid(), os.listdir('/optagent/ground'), attempt(os.open, '/optagent/tree/x', os.O_CREAT | os.O_WRONLY),
     attempt(os.utime, '/proc/%d' % os.getppid(), (1, 1)), open('/tmp/mine', 'w').write('x'),
     [line.split()[1] for line in open('/proc/self/status') if line.startswith(('CapEff', 'CapPrm', 'NoNewPrivs'))]])
'''
leave = "say(attempt(os.open, '/tmp/known', os.O_CREAT | os.O_EXCL | os.O_WRONLY)[0])"
print(json.dumps([hear(box, look), hear(box, leave), hear(box, leave), os.getuid()]))
"""


def test_warm_starts_are_theirs_too(bwrap):
    tests = f"TESTS = {str(ROOT / 'tests')!r}\nsys.path.append(TESTS + '/sandbox')\n"
    seen, *left, user = as_ordinary_user(tests + WARM)
    assert seen == [user, [], 30, 30, 1, ["0000000000000000", "0000000000000000", "1"]]
    assert left == ["got through", "got through"]
