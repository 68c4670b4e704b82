"""What a run goes on with is what it began with."""

from __future__ import annotations

import pytest
from small_project import SLOW, small_project

from optagent.cli.run import bench
from optagent.cli.run.progress import Progress
from optagent.cli.run.session import prepared
from optagent.cli.settings.run_settings import RunSettings
from optagent.ledger.history import replay

pytestmark = pytest.mark.slow


def test_a_baseline_is_read_back_as_it_was_taken(tmp_path):
    lazy = SLOW.replace("    return total\n", "    return [total, map(abs, kept)]\n")
    tests = "from scores import score\n\n\ndef test_it():\n    for n in range(100, 130):\n        assert score(list(range(n)), n)\n"
    repo = small_project(tmp_path / "repo", lazy, tests)
    with Progress(10, quiet=True) as progress:
        (found,) = prepared([RunSettings(str(repo), "score")], tmp_path / "state", progress)
        found.store()
        with found.workshop.ledger as ledger:
            taken = replay(ledger.events(found.workshop.run)).baseline
            again = bench.restored(found.workshop, taken)
        found.workshop.clear()
    assert again == found.problem
    assert again.noise.drains == (("*",),)
