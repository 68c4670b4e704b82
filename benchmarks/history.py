"""Real history: performance changes that packages' authors claimed, judged by `optagent compare`.

    .venv/bin/python benchmarks/history.py [PACKAGE ...]

Each pair of releases of `releases.py` is two commits of a git repository of its own, made from their source
distributions. Verdicts are kept as they come, so that an interrupted run goes on; `rm -r` the folder for a fresh one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

from packages import PLACE, pip
from releases import FASTER, NOTHING, RELEASES, Release
from results import table, write

FOLDER = PLACE / "history"
NAME = ("-c", "user.name=history", "-c", "user.email=history@localhost")
CALLER = "caller:called"
SAME = ("equivalent", "inconclusive")
Said = dict[str, Any]
HEAD = [
    "package",
    "releases",
    "function",
    "claimed",
    "verdict",
    "ratio",
    "before, after",
    "seconds",
    "agrees",
    "why not",
]

WHAT = """
Releases whose changelog claims that a function got faster, each against the one before it, and controls of which
nothing is claimed; chosen from the changelogs before any verdict was seen, and all that were chosen are here. Those of
the form `f(g(*args))` and those with a second workload were added afterwards; of the former a caller of ours is judged,
because what the function itself returns is not the same (another kind of iterator, a private attribute). Both releases'
package folders, from their source distributions and without their tests, are two commits of a git repository; the
command is `optagent compare REPO --base HEAD~1 --head HEAD --target T --workload FILE`, with its defaults. "Agrees": we
say `faster` where that was claimed, and a control is not said to be faster, slower or wrong. The ratio is old over new
time with its interval, the seconds are those that the verdict took, the load is that when it began.
"""


def main() -> None:
    asked = sys.argv[1:]
    chosen = [one for one in RELEASES if not asked or one.package in asked]
    found = []
    for number, release in enumerate(chosen, 1):
        found.append((release, verdict(release)))
        sys.stderr.write(f"{number} of {len(chosen)}: {release.target} {found[-1][1]['outcome']}\n")
    body = table(HEAD, [row(*one) for one in found])
    write("history", "Real history", WHAT, "\n".join([counted(found), "", *body]), partial=bool(asked))


def counted(found: list[tuple[Release, Said]]) -> str:
    """How many claims we share, each counted once: by what was asked first, and by all that was asked."""
    claims: dict[tuple[str, ...], list[bool]] = {}
    for one, said in found:
        if one.claimed == FASTER:
            claims.setdefault((one.package, one.new, one.target, one.words), []).append(agrees(one, said))
    controls = [said["outcome"] for one, said in found if one.claimed == NOTHING]
    same, unknown = (controls.count(outcome) for outcome in SAME)
    return (
        f"Of {len(claims)} claims, {sum(one[0] for one in claims.values())} get the verdict of their authors at the "
        f"first asking and {sum(map(any, claims.values()))} with the second workloads and callers. "
        f"Of {len(controls)} controls, {same} are equivalent and {unknown} inconclusive."
    )


def verdict(release: Release) -> Said:
    """The document of the comparison, with `took` seconds and `load` when it began."""
    folder = FOLDER / f"{release.package}-{release.old}-{release.new}"
    kept = folder / f"{release.target.replace(':', '.')}-{key(release)}.json"
    if kept.exists():
        return dict(json.loads(kept.read_text("utf-8")))
    repo = repository(release, folder / (f"through-{key(release)}" if release.through else "repo"))
    workload = folder / "workload.py"
    workload.write_text(f"{release.head}def make_inputs(size, rng):\n    {release.inputs}\n", "utf-8")
    words = (
        "--base",
        "HEAD~1",
        "--head",
        "HEAD",
        "--target",
        CALLER if release.through else release.target,
        "--workload",
        workload,
        "--json",
    )
    began, load = time.monotonic(), os.getloadavg()[0]
    command = [sys.executable, "-P", "-m", "optagent", "compare", repo, *words, "--state", FOLDER / "state"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if not done.stdout:
        raise SystemExit(f"{release.target}: no document, exit {done.returncode}: {done.stderr[-2000:]}")
    said = {**json.loads(done.stdout), "took": time.monotonic() - began, "load": load, "exit": done.returncode}
    kept.write_text(json.dumps(said), "utf-8")
    return said


def key(release: Release) -> str:
    """Of its workload: another one is asked anew."""
    return hashlib.sha256((release.head + release.inputs + release.through).encode()).hexdigest()[:8]


def repository(release: Release, repo: Path) -> Path:
    """Both releases as commits, the old one first."""
    if repo.exists():
        return repo
    fresh = repo.with_name("fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    fresh.parent.chmod(0o755)
    git(fresh, "init", "-q")
    for version in (release.old, release.new):
        source = unpacked(release.package, version) / release.folder
        shutil.rmtree(fresh / release.folder, ignore_errors=True)
        shutil.copytree(source, fresh / release.folder)
        if release.through:
            (fresh / release.folder).with_name("caller.py").write_text(caller(release), "utf-8")
        git(fresh, "add", "-A")
        git(fresh, *NAME, "commit", "-q", "-m", f"{release.package} {version}")
    fresh.rename(repo)
    return repo


def caller(release: Release) -> str:
    module, _, name = release.target.partition(":")
    call = release.through.format(name)
    return f"from {module} import {name}\n\n\ndef called(*args):\n    return {call}\n"


def unpacked(package: str, version: str) -> Path:
    """The top folder of the source distribution."""
    into = FOLDER / "sources" / f"{package}-{version}"
    downloads = FOLDER / "downloads" / into.name
    if not into.exists():
        if not list(downloads.glob("*.tar.gz")):
            wanted = f"{package}=={version}"
            pip(sys.executable, "download", "--no-binary", package, "--no-deps", "-d", str(downloads), wanted)
        (archive,) = downloads.glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(into, filter="data")
    (top,) = into.iterdir()
    return top


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True)


def agrees(release: Release, said: Said) -> bool:
    return said["outcome"] in ((FASTER,) if release.claimed == FASTER else SAME)


def row(release: Release, said: Said) -> list[str]:
    is_so = agrees(release, said)
    speed = said["speedup"]
    ratio = times = "-"
    if speed["kind"] == "measured":
        ratio = f"{speed['ratio']:.2f} ({speed['low']:.2f} to {speed['high']:.2f})"
        times = f"{milli(speed['old_seconds'])}, {milli(speed['new_seconds'])}"
    why = "" if is_so else reason(said)
    took = f"{said['took']:.0f} (load {said['load']:.1f})"
    name = release.target.replace(":", ".")
    name = f"`{release.through.format(name)}`" if release.through else f"`{name}`"
    releases = f"{release.old}, {release.new}"
    words = f"{release.words} (second workload, {release.late})" if release.late else release.words
    return [release.package, releases, name, words, said["outcome"], ratio, times, took,
            "yes" if is_so else "no", why]  # fmt: skip


def milli(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms"


def reason(said: Said) -> str:
    """Why it is not what was claimed, in the program's own words."""
    told = said["error"]["message"] if said["error"] else said["trials"][0]["reason"]
    return str(told).replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    main()
