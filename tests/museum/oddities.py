"""Trees with odd names, odd files and odd bytes in them."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from exhibits import PROJECT, SOURCE, TESTS, Exhibit, repository
from repositories import commit, git, write

LATIN = os.fsdecode(b"caf\xe9")


def odd_path(folder: Path) -> Path:
    return commit(folder / 'it\'s a "größe"\nof 100 % $HOME' / "my repo", PROJECT)


def odd_names(folder: Path) -> Path:
    names = ["with space.py", "new\nline.py", 'quote".py', "größe.py", f"{LATIN}.py", "-rf", "a:b.py", "SCORES.py"]
    names += ["Readme", "README", f"{LATIN}/x.py", "tab\tfolder/x.py", "é.py", "e\u0301.py"]
    return repository(folder, dict.fromkeys(names, "X = 1\n"))


def named_by_bytes(folder: Path) -> Path:
    """The name of the folder that the user names is no text in any encoding."""
    return commit(folder / LATIN / "repo", PROJECT)


def in_odd_folder(folder: Path) -> Path:
    return moved(folder, "it's größe: 100 %\n")


def in_folder_of_bytes(folder: Path) -> Path:
    return moved(folder, LATIN)


def moved(folder: Path, name: str) -> Path:
    """The target's file in a folder of that name, on the path of the tests."""
    path = f"import sys\nsys.path.insert(0, {name!r})\n"
    return commit(folder / "repo", {f"{name}/scores.py": SOURCE, "tests/test_scores.py": path + TESTS})


def long_paths(folder: Path) -> Path:
    deep = "/".join(["d" * 100] * 15)
    return repository(folder, {f"{deep}/{'n' * 252}.py": "X = 1\n"})


def too_long_paths(folder: Path) -> Path:
    """A path that fits below the user's folder by a hair, and so does not below ours."""
    repo = repository(folder)
    room = 4090 - len(str(repo))
    parts = [f"{'d' * 199}"] * (room // 200)
    here = os.open(repo, os.O_RDONLY)
    for part in parts:
        os.mkdir(part, dir_fd=here)
        deeper = os.open(part, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(os.open("x" * (room % 200), os.O_WRONLY | os.O_CREAT, dir_fd=here))
    os.close(here)
    return repo


def links(folder: Path) -> Path:
    write(folder, {"outside/secret.txt": "secret", "outside/pkg/x.py": SOURCE})
    # pytest walks through links: without a word where the tests are it goes round until the kernel says stop
    repo = repository(folder, {"pkg/x.py": "X = 1\n", "pytest.ini": "[pytest]\ntestpaths = tests\n"})
    aims = {
        "to_file.py": "scores.py", "to_folder": "pkg", "absolute": str(repo / "pkg"), "dangling.py": "nothing.py",
        "loop": "loop", "ring/a": "b", "ring/b": "a", "round": ".", "out": "../outside", "far_out.py": "/etc/passwd",
        "to_git": ".git",
    }  # fmt: skip
    (repo / "ring").mkdir()
    for name, aim in aims.items():
        (repo / name).symlink_to(aim)
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "second")
    return repo


def through_a_link(folder: Path) -> Path:
    repository(folder)
    (folder / "link").symlink_to("repo")
    return folder / "link"


def read_only(folder: Path) -> Path:
    repo = repository(folder, {"pkg/x.py": "X = 1\n"})
    for path in sorted(repo.rglob("*"), reverse=True):
        path.chmod(0o555 if path.is_dir() else 0o444)
    repo.chmod(0o555)
    return repo


def pipes_and_sockets(folder: Path) -> Path:
    repo = repository(folder)
    for name in ("pipe", "pipe.py", "tests/pipe.txt"):
        os.mkfifo(repo / name)
    here = os.getcwd()
    os.chdir(repo)  # the path of a socket may have 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as door:
            door.bind("door.py")
    finally:
        os.chdir(here)
    return repo


def carriage_returns(folder: Path) -> Path:
    return commit(folder / "repo", {name: str(text).replace("\n", "\r\n") for name, text in PROJECT.items()})


def tabs(folder: Path) -> Path:
    return repository(folder, {"scores.py": SOURCE.replace("    ", "\t")})


def byte_order_mark(folder: Path) -> Path:
    return repository(folder, {"scores.py": b"\xef\xbb\xbf" + SOURCE.encode()})


def latin_source(folder: Path) -> Path:
    text = "# coding: latin-1\n" + SOURCE.replace("How many distinct", "Größe: how many distinct")
    return repository(folder, {"scores.py": text.encode("latin-1")})


def broken_bytes(folder: Path) -> Path:
    """Other people's files in no encoding at all, beside a target that is well."""
    return repository(folder, {"broken.py": b"def plain(:\n\xff\xfe\x00", "notes.py": b"# \xff plain\n"})


def undeclared_latin_target(folder: Path) -> Path:
    return repository(folder, {"scores.py": SOURCE.replace("How many", "Gr\u00f6\u00dfe").encode("latin-1")})


ODDITIES = [
    Exhibit("odd path", odd_path),
    Exhibit("path of bytes", named_by_bytes, "score"),
    Exhibit("target in an odd folder", in_odd_folder, "score", "it's größe: 100 %\n/scores.py"),
    Exhibit("target in a folder of bytes", in_folder_of_bytes, "score", f"{LATIN}/scores.py"),
    Exhibit("target by a link", links, "to_file.py::score", "to_file.py"),
    Exhibit("odd names", odd_names, holds=(f"{LATIN}.py", "new\nline.py", "SCORES.py", "Readme", "README", "-rf")),
    Exhibit("long paths", long_paths),
    Exhibit("paths too long for a copy", too_long_paths, refusal="cannot be copied", code=3),
    Exhibit("links of every kind", links, holds=("dangling.py", "loop", "round", "out")),
    Exhibit("named through a link", through_a_link),
    Exhibit("read-only", read_only, "score"),
    Exhibit("pipes and sockets", pipes_and_sockets, lacks=("pipe", "pipe.py", "tests/pipe.txt", "door.py")),
    Exhibit("CRLF", carriage_returns, "score"),
    Exhibit("tabs", tabs, "score"),
    Exhibit("byte order mark", byte_order_mark, "score"),
    Exhibit("latin-1 source", latin_source, "score"),
    Exhibit("broken bytes beside the target", broken_bytes),
    Exhibit("target in no encoding", undeclared_latin_target, "scores.py::score", refusal="scores.py", code=2),
]
