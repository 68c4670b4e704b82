"""A full disk, a folder that cannot be written, a file that may not be read: one sentence, and no bug of ours."""

from __future__ import annotations

import errno
import json
import os
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typed import typed

from optagent.cli.comparing.sides import of_files
from optagent.cli.endings import Shown, gather
from optagent.cli.shortages import shortages
from optagent.core.outcome import Outcome
from optagent.errors import EnvironmentFault, OutOfMemory, SystemRefused
from optagent.report.document import failure

NOBODY = 65534


@pytest.fixture
def files(tmp_path) -> tuple[Path, Path]:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        if os.stat(folder).st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o755)
    old, new = tmp_path / "a.py", tmp_path / "b.py"
    for file in (old, new):
        file.write_text("def f():\n    pass\n")
    return old, new


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if was == 0:
            os.seteuid(was)


@contextmanager
def no_more_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_file_that_may_not_be_read(files, tmp_path, monkeypatch):
    old, new = files
    new.chmod(0)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    scratch.chmod(0o777)
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    said = f"this user may not use a file or a folder: {new}"
    with pytest.raises(SystemRefused, match=said), as_nobody(), shortages(), of_files(old, new):
        pass
    assert list(scratch.iterdir()) == []


def test_too_many_open_files(files):
    said = "too many files are open in optagent"
    with pytest.raises(SystemRefused, match=said) as raised, no_more_files(), shortages(), of_files(*files):
        pass
    assert "ulimit -n" in raised.value.hint


def test_no_folder_for_temporary_files(files, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc"])
    words = ["compare", *map(str, files), "--target", "f"]
    done = typed(words, os.environ)
    assert done.returncode == 3
    assert "optagent: no folder for temporary files can be written: ['/proc']\nName one in TMPDIR.\n" in done.stderr
    said = json.loads(typed([*words, "--json"], os.environ).stdout)
    assert (said["outcome"], said["error"]["slug"]) == ("failed", "system-refused")


@pytest.mark.parametrize(
    ("code", "said", "hint"),
    [
        (errno.ENOSPC, "the disk is full", "--state DIR"),
        (errno.EDQUOT, "this user's share of the disk is full", "--state DIR"),
        (errno.EROFS, "a read-only file system cannot be written", "TMPDIR"),
        (errno.ENFILE, "too many files are open on this machine", "Close some programs"),
    ],
)
def test_what_the_disk_and_the_system_refuse_is_told_with_the_file(code, said, hint):
    for named, told in ((("/s/x",), ": /s/x"), (("/ours/x", None, "/s/x"), ": /s/x"), ((), ""), ((5,), "")):
        with pytest.raises(SystemRefused) as raised, shortages():
            raise OSError(code, os.strerror(code), *named)
        assert raised.value.message == said + told
        assert hint in raised.value.hint
        assert raised.value.exit_code == 3


@pytest.mark.parametrize(
    "short",
    [
        MemoryError(),
        OSError(errno.ENOMEM, ""),
        RuntimeError("can't start new thread"),
        SystemError("error return without exception set"),
    ],
)
def test_memory(short):
    with pytest.raises(OutOfMemory), shortages():
        raise short


@pytest.mark.parametrize("bug", [FileNotFoundError(errno.ENOENT, "", "/s/x"), RuntimeError("no"), SystemError("no")])
def test_a_bug_stays_a_bug(bug):
    with pytest.raises(type(bug)) as raised, shortages():
        raise bug
    assert raised.value is bug


def test_results_before_a_full_disk_stay():
    def results() -> Iterator[Shown]:
        yield Shown(failure("run", "m:f", "faster"), Outcome.FASTER)
        raise OSError(errno.ENOSPC, "", "/s/x")

    shown: list[Shown] = []
    gather(shown, "run", results(), ["m:f", "m:g"])
    assert [one.outcome for one in shown] == [Outcome.FASTER, Outcome.FAILED]
    assert isinstance(shown[1].fault, EnvironmentFault)
