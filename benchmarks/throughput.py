"""Candidates decided in a minute, beside OpenEvolve 0.4.0, on the same stream of edits of a function of 3 ms.

    .venv/bin/python benchmarks/throughput.py

One scripted model server (`../shared/tools/fake_llm_evolve.py`) answers both at once, over HTTP; it is started afresh
for each side, so that both get the same edits in the same order. Ours is `optagent run` as users have it, with sandbox,
comparing and statistics; neither side runs tests. A rate is that from the first decision to the last one.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from kernels import kernels  # noqa: E402
from launches import HEAD_OF_STARTS, starts  # noqa: E402
from packages import PLACE, pip  # noqa: E402
from results import table, write  # noqa: E402

PEER = "openevolve==0.4.0"
SERVER = ROOT.parent / "shared" / "tools" / "fake_llm_evolve.py"
ROUNDS = 3
STREAMS = {"100 edits, 27 distinct": (100, ()), "23 edits, all distinct": (23, ("--kinds", "fast,slow,wrong,broken"))}
HEAD = ["stream", "side", "edits", "decided a minute (each round)", "in the middle"]
HEAD_OF_CPU = ["stream", "calls of the target", "our process", "the sandbox", "our own", "litellm", "all but the calls"]

WORKLOAD = """SIZE = 420


def make_inputs(size, rng):
    return [([rng.randint(-500, 500) for _ in range(size)], 37) for _ in range(3)]
"""

WHAT = f"""
One scripted server answers at once with edits of one function (some faster, slower, the same, wrong, broken; 27 of the
100 differ in their text). {PEER}: one process per core, an evaluator of 30 small calls and the best of 5, in the
process itself. Ours: `optagent run --policy sample --max-trials N` with everything on. Both sides in turn, {ROUNDS}
rounds; from the first decision to the last one, without start-up and, on our side, without the claim at the end. CPU is
in milliseconds for each candidate of our side, during the search. Our own is what our process takes without litellm's
call, and in the sandbox starting, importing, opening arguments, encoding and answering; what litellm takes for the
request, in the call and in threads of its own after it, stands beside it. The target's calls are the old code's too.
"""


@dataclass(frozen=True)
class Side:
    """What one run did: when each candidate was decided (seconds), and CPU seconds where they are known."""

    decided: list[float]
    cpu: tuple[float, float, float, float] | None = None

    @property
    def rate(self) -> float:
        return 60 * (len(self.decided) - 1) / (self.decided[-1] - self.decided[0])


@contextmanager
def server(words: tuple[str, ...]) -> Iterator[int]:
    """The scripted model on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, str(SERVER), "--port", str(port), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
        try:
            assert running.stdout
            running.stdout.readline()
            yield port
        finally:
            running.terminate()


def openevolve(place: Path, port: int, edits: int) -> Side:
    config = (place / "oe_config.yaml").read_text()
    config = re.sub("max_iterations: .*", f"max_iterations: {edits}", config).replace(":8399/", f":{port}/")
    (place / "config.yaml").write_text(config)
    log = place / f"{time.monotonic_ns()}.log"
    command = [PLACE / "openevolve/bin/openevolve-run", "initial.py", "evaluator.py", "--config", "config.yaml"]
    subprocess.run(command, cwd=place, env=os.environ | {"EVAL_LOG": str(log)}, check=True, capture_output=True)
    _, *edited = [json.loads(line)["t"] for line in log.read_text().splitlines()]  # the first is of the old code
    return Side(edited)


def ours(place: Path, port: int, edits: int) -> Side:
    found = place / f"{time.monotonic_ns()}.json"
    words = [
        "run", place / "repo", "--target", "count_pairs", "--workload", place / "workload.py", "--state",
        place / "state", "--model", "openai/scripted", "--api-base", f"http://127.0.0.1:{port}/v1", "--price", "1,1",
        "--policy", "sample", "--max-trials", str(edits), "--json",
    ]  # fmt: skip
    environment = os.environ | {"OPENAI_API_KEY": "sk-not-a-secret"}
    command = [sys.executable, __file__, "--inside", found, *words]
    subprocess.run(command, env=environment, check=False, capture_output=True)
    told = json.loads(found.read_text())
    return Side(told["decided"], tuple(told["cpu"]))


def inside(found: Path, words: list[str]) -> None:
    """`optagent` in this process, with an eye on when trials are decided and on what has burnt CPU until then."""
    from optagent.cli.app import main as optagent
    from optagent.cli.run import session
    from optagent.languages.contestant import Contestant
    from optagent.llm import door
    from optagent.search import loop

    decided: list[float] = []
    burnt: list[tuple[float, float, float, float]] = []
    calls, sandbox, requests = [0.0], [0.0], [0.0]
    close, ask = Contestant.close, door.ask

    def closed(self: Contestant) -> None:
        life = self.life
        calls[0] += (life.called + life.timed) / 1e9
        sandbox[0] += (life.start + life.imported + life.prepared + life.encoded + life.settled + life.idle) / 1e9
        close(self)

    def asked(*given: object) -> object:
        began = time.thread_time()
        try:
            return ask(*given)  # type: ignore[arg-type]
        finally:
            requests[0] += time.thread_time() - began

    def now() -> tuple[float, float, float, float]:
        return calls[0], requests[0] + sum(map(cpu_of, threads_of_litellm())), time.process_time(), sandbox[0]

    def search(*given: object) -> Iterator[object]:
        for trial in loop.search(*given):  # type: ignore[arg-type]
            decided.append(time.time())
            burnt.append(now())
            yield trial

    Contestant.close = closed  # type: ignore[method-assign]
    door.ask = asked
    session.search = search  # type: ignore[attr-defined,assignment]
    sys.argv = ["optagent", *words]
    try:
        optagent()
    finally:
        cpu = [last - first for first, last in zip(burnt[0], burnt[-1], strict=True)]
        found.write_text(json.dumps({"decided": decided, "cpu": cpu}))


def threads_of_litellm() -> list[threading.Thread]:
    """Those with its name, and those that nobody gave one: ours are called so."""
    theirs = ("litellm", "ThreadPoolExecutor", "Thread-")
    return [one for one in threading.enumerate() if one.name.startswith(theirs)]


def cpu_of(thread: threading.Thread) -> float:
    """CPU seconds so far."""
    try:
        spent, *_ = Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text().split()
    except OSError:  # it has just ended
        return 0.0
    return int(spent) / 1e9


def installed() -> None:
    folder = PLACE / "openevolve"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip(str(folder / "bin/python"), "install", PEER)
        (folder / "ready").touch()


def task(place: Path) -> None:
    subprocess.run([sys.executable, SERVER, "--write-task", place], check=True)
    (place / "repo").mkdir()
    (place / "repo" / "pairs.py").write_text((place / "initial.py").read_text())
    (place / "workload.py").write_text(WORKLOAD)


def main() -> None:
    installed()
    rows, cpus = [], []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        place.chmod(0o755)
        task(place)
        for stream, (edits, words) in STREAMS.items():
            sides: dict[str, list[Side]] = {PEER: [], "optagent": []}
            for _ in range(ROUNDS):
                for name, run in ((PEER, openevolve), ("optagent", ours)):
                    with server(words) as port:
                        sides[name].append(run(place, port, edits))
                    sys.stderr.write(f"{stream}: {name} {sides[name][-1].rate:.0f} a minute\n")
            for name, runs in sides.items():
                rates = [one.rate for one in runs]
                row = [stream, name, str(len(runs[0].decided)), ", ".join(f"{one:.0f}" for one in rates)]
                rows.append([*row, f"{median(rates):.0f}"])
            cpus.append([stream, *cpu_row(sides["optagent"])])
    with kernels(names=("loop",)) as (loop,):
        started = starts(loop.race())
    page = [*table(HEAD, rows), *table(HEAD_OF_CPU, cpus), *table(HEAD_OF_STARTS, started)]
    write("throughput", "Candidates decided in a minute", WHAT, "\n".join(page))


def cpu_row(runs: list[Side]) -> list[str]:
    """Milliseconds for each candidate, in the middle of the rounds."""
    each = [[1000 * one / (len(run.decided) - 1) for one in run.cpu] for run in runs if run.cpu]
    calls, requests, process, sandbox = (median(column) for column in zip(*each, strict=True))
    own = process - requests + sandbox
    return [f"{one:.1f}" for one in (calls, process - requests, sandbox, own, requests, own + requests)]


if __name__ == "__main__":
    if "--inside" in sys.argv:
        inside(Path(sys.argv[2]), sys.argv[3:])
    else:
        main()
