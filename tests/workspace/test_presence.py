"""Nobody goes on with a run that another process is busy with, or removes the place that it has begun to use."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from optagent.cli.run.workshop import abandon
from optagent.errors import RunBusy
from optagent.ledger.store import Ledger
from optagent.workspace.place import make_place
from optagent.workspace.presence import Presence

HOLDER = """
import sys, time
from pathlib import Path
from optagent.workspace.presence import Presence
presence = Presence(Path(sys.argv[1]))
assert presence.enter()
presence.take("a")
print("taken", flush=True)
time.sleep(60)
"""


@pytest.fixture
def place(tmp_path):
    return make_place(tmp_path / "state" / "repo")


def present(place: Path) -> Presence:
    presence = Presence(place)
    assert presence.enter()
    return presence


def test_a_session_is_one_process_s_until_it_leaves(place):
    first, second = present(place), present(place)
    first.take("a")
    second.take("b")
    with pytest.raises(RunBusy, match="going on in another process"):
        second.take("a")
    first.leave()
    second.take("a")


def test_a_session_ends_with_its_process_however_that_ends(place):
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(place)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "taken\n"
        presence = present(place)
        with pytest.raises(RunBusy):
            presence.take("a")
        holder.kill()
        holder.wait()
        presence.take("a")


def test_who_is_alone_keeps_others_out(place):
    first = present(place)
    with first.alone() as is_alone:
        assert is_alone
        assert not Presence(place).enter()
    second = present(place)
    with first.alone() as is_alone:
        assert not is_alone
    second.leave()
    with first.alone() as is_alone:
        assert is_alone


def test_nobody_is_in_a_place_that_is_gone(place):
    shutil.rmtree(place)
    assert not Presence(place).enter()


def test_an_abandoned_run_leaves_the_place_to_a_session_that_has_begun_there(place):
    first, second = present(place), present(place)
    ledger = Ledger.open(place)
    abandon(Ledger.open(place), "one", place / "runs" / "one", first)
    assert ledger.runs() == []
    first.leave()
    abandon(ledger, "two", place / "runs" / "two", second)
    assert not place.parent.exists()
