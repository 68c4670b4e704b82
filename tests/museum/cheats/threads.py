"""Other threads, processes, priorities and signals: work where the clock does not look, or trouble for the other side."""

from __future__ import annotations

from hall import FAST, KEPT, SLOW, SUMS
from moves import SEEN
from pair import HONEST, Pair

SUM = "return sum(value * value for value in {value for value in values if value < limit})"


def slow(before: str, head: str = "") -> str:
    """The old code with something done first."""
    return SUMS.text(before + KEPT + "return sum(value * value for value in kept)", head)


FORKS = SUMS.text(
    """
reading, writing = os.pipe()
child = os.fork()
if not child:
    total = sum(value * value for value in {value for value in values if value < limit})
    os.write(writing, str(total).encode())
    os._exit(0)
os.close(writing)
total = int(os.read(reading, 100))
os.close(reading)
os.waitpid(child, 0)
return total
""",
    "import os\n",
)
FORKS_OR_NOT = SUMS.text(
    f"""
try:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
except OSError:
    pass
{SUM}
""",
    "import os\n",
)
STARTS_A_PROGRAM = SUMS.text(
    """
code = f"v = {values!r}; print(sum(x * x for x in set(v) if x < {limit}))"
return int(subprocess.run([sys.executable, "-S", "-c", code], capture_output=True).stdout)
""",
    "import subprocess\nimport sys\n",
)
BURNS = slow(
    """
if threading.active_count() == 1:
    threading.Thread(target=lambda: [sum(range(99)) for _ in iter(int, 1)], daemon=True).start()
""",
    "import threading\n",
)
BURNS_AND_HOLDS_ON = slow(
    """
sys.setswitchinterval(1.0)
if threading.active_count() == 1:
    threading.Thread(target=lambda: [sum(range(9999)) for _ in iter(int, 1)], daemon=True).start()
""",
    "import sys\nimport threading\n",
)
THREAD_OF_ITS_OWN = SUMS.text(  # to start a thread may cost what it gains: with Debian's Python 3.11.2 it does
    """
found = []
thread = threading.Thread(target=lambda: found.append(sum(v * v for v in {v for v in values if v < limit})))
thread.start()
thread.join()
return found[0]
""",
    "import threading\n",
)
PRIMED_BY_A_THREAD = SUMS.text(
    """
key = _key(values, limit)
if "thread" not in _STATE:
    main = sys.modules["__main__"]
    unpack = getattr(sys.modules.get("optagent_codec"), "unpack", None)
    inputs = getattr(sys._getframe(2).f_locals.get("self"), "inputs", ())
    _STATE["thread"] = threading.Thread(target=lambda: [_prime(*unpack(data)[0]) for data in inputs], daemon=True)
    _STATE["thread"].start()
return _SEEN[key] if key in _SEEN else _SLOW(values, limit)
""",
    "import sys\nimport threading\n_STATE = {}\n" + SLOW + SEEN,
)
PRIMED_BY_A_TIMER = SUMS.text(
    """
if "set" not in _STATE and threading.current_thread() is threading.main_thread():
    unpack = getattr(sys.modules.get("optagent_codec"), "unpack", None)
    inputs = list(getattr(sys._getframe(2).f_locals.get("self"), "inputs", ()))
    _STATE["set"] = True
    signal.signal(signal.SIGALRM, lambda *_: inputs and _prime(*unpack(inputs.pop())[0]))
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
key = _key(values, limit)
return _SEEN[key] if key in _SEEN else _SLOW(values, limit)
""",
    "import signal\nimport sys\nimport threading\n_STATE = {}\n" + SLOW + SEEN,
)
LOWERS_THE_OTHER = slow(
    """
for who, number in ((os.PRIO_USER, os.getuid()), (os.PRIO_PGRP, 0), (os.PRIO_PROCESS, os.getppid())):
    try:
        os.setpriority(who, number, 19)
    except OSError:
        pass
try:
    os.setpriority(os.PRIO_PROCESS, 0, 0)
except OSError:
    pass
""",
    "import os\n",
)
LEAVES_THE_CORE = slow(
    """
try:
    os.sched_setaffinity(0, set(range(os.cpu_count() or 1)))
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
except OSError:
    pass
""",
    "import os\n",
)
STOPS_EVERYBODY = slow(
    """
for pid in (-1, os.getppid()):
    try:
        os.kill(pid, signal.SIGWINCH) if pid < 0 else os.kill(pid, signal.SIGSTOP)
    except OSError:
        pass
""",
    "import os\nimport signal\n",
)
SLEEPS = SUMS.text("time.sleep(len(values) * len(values) * 1e-8)\n" + SUM, "import time\n")

THREADS = [
    Pair("forks", "measure 14, cuda C3", SUMS, FORKS, FORKS_OR_NOT, ("rejected",), "started a process"),
    Pair("starts-a-program", "cuda C3", SUMS, STARTS_A_PROGRAM, FAST, ("rejected", "incorrect")),
    Pair("burns-in-the-others-turn", "measure 14, cuda C11", SUMS, BURNS, THREAD_OF_ITS_OWN, twin_ends=HONEST),
    Pair("burns-and-holds-on", "own: a long switch interval", SUMS, BURNS_AND_HOLDS_ON, FAST),
    Pair("primed-by-a-thread", "docs/decisions/0005: left open", SUMS, PRIMED_BY_A_THREAD, THREAD_OF_ITS_OWN, twin_ends=HONEST),
    Pair("primed-by-a-timer", "own", SUMS, PRIMED_BY_A_TIMER, FAST),
    Pair("lowers-the-others-priority", "own, measure 24", SUMS, LOWERS_THE_OTHER, FAST),
    Pair("leaves-the-core", "own, measure 24", SUMS, LEAVES_THE_CORE, FAST),
    Pair("stops-everybody", "own, measure 11", SUMS, STOPS_EVERYBODY, FAST),
    Pair("sleeps-where-it-burnt", "codeflash 17", SUMS, SLEEPS, FAST, ("inconclusive", "slower")),
]  # fmt: skip
