import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from ledger_samples import BASELINE, STARTED

from optagent.errors import LedgerCorrupt, LedgerFault, LedgerUnknown, LedgerUnwritable, RunNotFound
from optagent.ledger import store
from optagent.ledger.store import SCHEMA_VERSION, Ledger

pytestmark = pytest.mark.slow

NOBODY = 65534
WRITER = """
import sys
from pathlib import Path
from optagent.ledger.store import Ledger
with Ledger.open(Path(sys.argv[1])) as ledger:
    print("open", flush=True)
    for number in range(int(sys.argv[3])):
        digest = ledger.put(f"{sys.argv[2]} {number}".encode())
        ledger.append(sys.argv[2], "note", {"number": number, "artifact": digest, "padding": "x" * 2000})
        print(number, flush=True)
"""
MAKER = """
import sys
from pathlib import Path
from optagent.ledger.store import Ledger
folder = Path(sys.argv[1])
while True:
    Ledger.open(folder).close()
    print("made", flush=True)
    (folder / "ledger.sqlite").unlink()
"""


def writer(folder, run, count):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), run, str(count)], stdout=subprocess.PIPE, text=True
    )


def numbers(ledger, run):
    return [event.data["number"] for event in ledger.events(run)]


def test_what_was_appended_is_there_in_the_next_process(tmp_path):
    before = time.time()
    with Ledger.open(tmp_path / "deep/down") as ledger:
        first = ledger.record("r1", STARTED)
        second = ledger.append("r1", "note", {"a": [1, None]}, trial=3)
    with Ledger.open(tmp_path / "deep/down", create=False) as ledger:
        started, note = ledger.events("r1")
    assert (started.number, started.kind, started.trial) == (first, "run_started", 0)
    assert (note.number, note.run, note.trial, note.kind, note.data) == (second, "r1", 3, "note", {"a": [1, None]})
    assert first < second
    assert before <= started.at <= note.at <= time.time()


def test_events_are_chosen_by_kind_and_trial(tmp_path):
    with Ledger.open(tmp_path) as ledger:
        for trial, kind in [(1, "a"), (2, "a"), (1, "b"), (0, "b")]:
            ledger.append("r", kind, {}, trial)
        chosen = [
            [event.number for event in ledger.events("r", **by)] for by in ({"kind": "b"}, {"trial": 0}, {"trial": 1})
        ]
        assert chosen == [[3, 4], [4], [1, 3]]
        assert [event.number for event in ledger.events("r", kind="a", trial=2)] == [2]
        assert list(ledger.events("other")) == []


def test_runs_are_listed_newest_first(tmp_path):
    with Ledger.open(tmp_path) as ledger:
        for run in ("a", "c", "b", "a"):
            ledger.append(run, "note", {})
        assert ledger.runs() == ["b", "c", "a"]


def test_a_clock_that_jumps_changes_neither_the_order_of_events_nor_which_run_is_the_newest(tmp_path, monkeypatch):
    jumps = iter([1e9, 2e9, 0.0, 1.5e9, -1e6])
    monkeypatch.setattr(store.time, "time", lambda: next(jumps))
    with Ledger.open(tmp_path) as ledger:
        for run, number in (("a", 1), ("a", 2), ("b", 1), ("a", 3), ("b", 2)):
            ledger.append(run, "note", {"number": number})
        assert (numbers(ledger, "a"), numbers(ledger, "b"), ledger.runs()) == ([1, 2, 3], [1, 2], ["b", "a"])


def test_a_run_without_a_baseline_can_be_forgotten_and_no_other(tmp_path):
    with Ledger.open(tmp_path) as ledger:
        for run in ("a", "b"):
            ledger.record(run, STARTED)
        ledger.record("b", BASELINE)
        ledger.forget("a")
        with pytest.raises(ValueError, match="never forgotten"):
            ledger.forget("b")
        assert (ledger.runs(), len(list(ledger.events("b")))) == (["b"], 2)


def test_numbers_of_forgotten_events_are_never_given_again(tmp_path):
    with Ledger.open(tmp_path) as ledger:
        number = ledger.record("a", STARTED)
        ledger.forget("a")
        assert ledger.record("b", STARTED) > number


def test_the_file_itself_refuses_to_change_an_event(tmp_path):
    with Ledger.open(tmp_path) as ledger:
        ledger.record("r", STARTED)
    with (
        closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as db,
        pytest.raises(sqlite3.IntegrityError, match="never"),
    ):
        db.execute("UPDATE event SET run = 'other'")


def test_artifacts_come_back_by_their_digest(tmp_path):
    with Ledger.open(tmp_path) as ledger:
        digests = [ledger.put(data) for data in (b"", b"\x00\xff" * 1000, b"")]
        assert digests[0] == digests[2] == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        assert (tmp_path / "artifacts/e3" / digests[0][2:]).read_bytes() == b""
        assert [ledger.get(digest) for digest in digests] == [b"", b"\x00\xff" * 1000, b""]
        assert len([path for path in (tmp_path / "artifacts").rglob("*") if path.is_file()]) == 2


def test_an_artifact_that_is_missing_or_damaged_is_told_in_a_sentence(tmp_path):
    with Ledger.open(tmp_path) as ledger:
        digest = ledger.put(b"data")
        (tmp_path / "artifacts" / digest[:2] / digest[2:]).write_bytes(b"dat")
        with pytest.raises(LedgerCorrupt, match="damaged"):
            ledger.get(digest)
        with pytest.raises(LedgerCorrupt, match="missing"):
            ledger.get("0" * 64)
        with pytest.raises(ValueError, match="no digest"):
            ledger.get("../../etc/passwd")


def test_a_ledger_that_nobody_made_is_no_run_and_is_not_made(tmp_path):
    with pytest.raises(RunNotFound):
        Ledger.open(tmp_path / "nothing", create=False)
    assert not (tmp_path / "nothing").exists()


def test_a_writer_killed_at_any_moment_leaves_all_it_had_appended(tmp_path):
    random.seed(0)
    for attempt in range(6):
        process = writer(tmp_path, f"run{attempt}", 10_000)
        told = [process.stdout.readline() for _ in range(random.randrange(1, 30))]
        time.sleep(random.random() / 100)
        process.send_signal(signal.SIGKILL)
        told += process.stdout.readlines()
        process.stdout.close()
        process.wait()
        with Ledger.open(tmp_path) as ledger:
            there = numbers(ledger, f"run{attempt}")
            assert there == list(range(len(there)))
            assert len(there) >= len([line for line in told if line.endswith("\n")]) - 1
            assert all(ledger.get(event.data["artifact"]) for event in ledger.events(f"run{attempt}"))
    assert sorted(path.name for path in tmp_path.glob("ledger*")) == ["ledger.sqlite"]


def test_a_process_killed_while_it_makes_the_ledger_leaves_none_or_a_whole_one(tmp_path):
    for attempt in range(6):
        folder = tmp_path / str(attempt)
        with subprocess.Popen([sys.executable, "-c", MAKER, str(folder)], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(random.random() / 50)
            process.kill()
        with Ledger.open(folder) as ledger:
            ledger.append("r", "note", {"number": 1})
            assert numbers(ledger, "r") == [1]


def test_two_writers_at_once_lose_nothing(tmp_path):
    writers = [writer(tmp_path, run, 100) for run in ("a", "b")]
    for process in writers:
        assert len(process.communicate(timeout=30)[0].splitlines()) == 101
    with Ledger.open(tmp_path) as ledger:
        assert [numbers(ledger, run) for run in ("a", "b")] == [list(range(100))] * 2


def test_many_processes_that_make_the_ledger_at_once_share_one(tmp_path):
    writers = [writer(tmp_path, str(each), 1) for each in range(6)]
    for process in writers:
        process.communicate(timeout=30)
        assert process.returncode == 0
    with Ledger.open(tmp_path) as ledger:
        assert sorted(ledger.runs()) == [str(each) for each in range(6)]


def test_a_ledger_kept_busy_is_told_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "WAIT_S", 0.05)
    with Ledger.open(tmp_path) as ledger, closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerUnwritable, match="busy"):
            ledger.append("r", "note", {})
        other.rollback()
        ledger.append("r", "note", {})


@pytest.mark.parametrize(
    ("version", "next_step"), [(SCHEMA_VERSION + 1, "Upgrade"), (SCHEMA_VERSION - 1, "Set it aside")]
)
def test_a_ledger_of_another_version_is_left_alone(tmp_path, version, next_step):
    Ledger.open(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as db:
        db.execute(f"PRAGMA user_version = {version}")
    before = (tmp_path / "ledger.sqlite").read_bytes()
    with pytest.raises(LedgerUnknown, match=f"schema {version}") as refused:
        Ledger.open(tmp_path)
    assert next_step in refused.value.hint
    assert (tmp_path / "ledger.sqlite").read_bytes() == before


def foreign(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE mine (x)")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: os.truncate(file, 5000),
        lambda file: os.truncate(file, 50),
        lambda file: os.truncate(file, 0),
        lambda file: file.write_bytes(b"my diary" * 1000),
        lambda file: (file.unlink(), foreign(file)),
        lambda file: file.write_bytes(file.read_bytes()[:4096] + b"\xff" * 40000),
    ],
    ids=["truncated", "beheaded", "empty", "text", "foreign", "overwritten"],
)
def test_a_file_that_is_no_ledger_is_told_in_a_sentence(tmp_path, spoil):
    with Ledger.open(tmp_path) as ledger:
        for _ in range(10):
            ledger.append("r", "note", {"text": "x" * 3000})
    spoil(tmp_path / "ledger.sqlite")
    with pytest.raises(LedgerCorrupt) as told, Ledger.open(tmp_path) as ledger:
        list(ledger.events("r"))
    assert str(tmp_path / "ledger.sqlite") in told.value.message
    assert told.value.hint


def as_nobody(folder, function):
    """What the function returned or raised, run without root's rights."""
    if os.geteuid() != 0:
        return told(function)
    for each in (folder, *folder.parents[:2]):
        each.chmod(each.stat().st_mode | 0o055)
    reader, written = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(written, told(function).encode())
        finally:
            os._exit(0)  # never back into pytest
    os.close(written)
    with open(reader) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return text


def told(function):
    try:
        return str(function())
    except LedgerFault as fault:
        return f"{type(fault).__name__}: {fault}{' ' + fault.hint if fault.hint else ''}"


def test_a_folder_that_refuses_is_told_in_a_sentence_and_nothing_is_made(tmp_path):
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked").chmod(0o555)
    for folder in ("locked", "locked/new"):
        text = as_nobody(tmp_path, lambda folder=folder: Ledger.open(tmp_path / folder))
        assert text.startswith(f"LedgerUnwritable: The ledger {tmp_path}/{folder}/ledger.sqlite cannot be written")
        assert "--state" in text
    assert list((tmp_path / "locked").iterdir()) == []


def test_a_ledger_that_became_read_only_is_told_in_a_sentence(tmp_path):
    with Ledger.open(tmp_path / "state") as ledger:
        ledger.record("r", STARTED)
    (tmp_path / "state/ledger.sqlite").chmod(0o444)
    (tmp_path / "state").chmod(0o555)

    def write():
        with Ledger.open(tmp_path / "state") as ledger:
            ledger.record("r", STARTED)

    assert as_nobody(tmp_path, write).startswith("LedgerUnwritable")


def test_a_full_disk_is_told_in_a_sentence_and_loses_nothing(tmp_path):
    code = f"""
import resource
from pathlib import Path
from optagent.errors import LedgerUnwritable
from optagent.ledger.store import Ledger
with Ledger.open(Path({str(tmp_path)!r})) as ledger:
    ledger.append("r", "note", {{"number": 0}})
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    for act in (lambda: ledger.append("r", "note", {{"text": "x" * 400_000}}), lambda: ledger.put(b"x" * 400_000)):
        try:
            act()
        except LedgerUnwritable as fault:
            print(fault)
    ledger.append("r", "note", {{"number": 1}})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout.count("cannot be written"), done.stderr) == (2, "")
    with Ledger.open(tmp_path) as ledger:
        assert numbers(ledger, "r") == [0, 1]
    assert [path for path in (tmp_path / "artifacts").rglob("*") if path.is_file()] == []


def test_the_store_is_imported_without_pydantic():
    code = "import sys, optagent.ledger.store; print('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
