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
SAME = ("equivalent", "inconclusive")
Said = dict[str, Any]

WHAT = """
Releases whose changelog claims that a function got faster, each against the one before it, and controls of which
nothing is claimed; chosen from the changelogs before any verdict was seen, and all that were chosen are here. Both
releases' package folders, from their source distributions and without their tests, are two commits of a git repository;
the command is `optagent compare REPO --base HEAD~1 --head HEAD --target T --workload FILE`, with its defaults.
"Agrees": we say `faster` where that was claimed, and a control is not said to be faster, slower or wrong. The ratio is
old over new time with its 99 % interval; seconds are those that the verdict took.
"""


def main() -> None:
    asked = sys.argv[1:]
    chosen = [one for one in RELEASES if not asked or one.package in asked]
    rows, agreed = [], {FASTER: 0, NOTHING: 0}
    for number, release in enumerate(chosen, 1):
        said = verdict(release)
        is_so = agrees(release, said)
        agreed[release.claimed] += is_so
        rows.append(row(release, said, is_so))
        sys.stderr.write(f"{number} of {len(chosen)}: {release.target} {said['outcome']}\n")
    many = {claim: sum(one.claimed == claim for one in chosen) for claim in agreed}
    first = (
        f"{agreed[FASTER]} of {many[FASTER]} claims get the verdict that their authors claimed; "
        f"{agreed[NOTHING]} of {many[NOTHING]} controls show no difference."
    )
    head = [
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
    write("history", "Real history", WHAT, "\n".join([first, "", *table(head, rows)]), partial=bool(asked))


def verdict(release: Release) -> Said:
    """The document of the comparison, with `took` seconds and `load` when it began."""
    folder = FOLDER / f"{release.package}-{release.old}-{release.new}"
    kept = folder / f"{release.target.replace(':', '.')}-{key(release)}.json"
    if kept.exists():
        return dict(json.loads(kept.read_text("utf-8")))
    repo = repository(release, folder / "repo")
    workload = folder / "workload.py"
    workload.write_text(f"{release.head}def make_inputs(size, rng):\n    {release.inputs}\n", "utf-8")
    words = ("--base", "HEAD~1", "--head", "HEAD", "--target", release.target, "--workload", workload, "--json")
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
    return hashlib.sha256((release.head + release.inputs).encode()).hexdigest()[:8]


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
        git(fresh, "add", "-A")
        git(fresh, *NAME, "commit", "-q", "-m", f"{release.package} {version}")
    fresh.rename(repo)
    return repo


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


def row(release: Release, said: Said, is_so: bool) -> list[str]:
    speed = said["speedup"]
    ratio = times = "-"
    if speed["kind"] == "measured":
        ratio = f"{speed['ratio']:.2f} ({speed['low']:.2f} to {speed['high']:.2f})"
        times = f"{milli(speed['old_seconds'])}, {milli(speed['new_seconds'])}"
    why = "" if is_so else reason(said)
    took = f"{said['took']:.0f} (load {said['load']:.1f})"
    name = release.target.replace(":", ".")
    releases = f"{release.old}, {release.new}"
    return [release.package, releases, f"`{name}`", release.words, said["outcome"], ratio, times, took,
            "yes" if is_so else "no", why]  # fmt: skip


def milli(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms"


def reason(said: Said) -> str:
    """Why it is not what was claimed, in the program's own words."""
    told = said["error"]["message"] if said["error"] else said["trials"][0]["reason"]
    return str(told).replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    main()
